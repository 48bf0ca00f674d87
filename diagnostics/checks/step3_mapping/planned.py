"""Judge whether what the plan asks for became an order and an appointment, or stayed in the note's words."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step3_mapping.expecting import cannot_say, kinds_there
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections, SentDiscrete
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_ORDERS = frozenset({"medication", "order"})
_VISITS = frozenset({"appointment", "order"})


@check(
    id="map.discrete.med_no_order",
    step=Step.MAPPING,
    title="Medications that the plan changes were ordered",
    proves=causes.DISCRETE_MED_NO_ORDER,
    strength=Strength.STRONG,
    checklist=("MAP.4",),
)
def medications_are_ordered(
    note: NoteSections,
    settings: Settings,
    vendor: Vendor,
    mapping: SectionMapping | None,
    filed: Filed | None,
    sent: SentDiscrete | None,
    trace: NoteTrace | None,
) -> Result:
    """A drug that is started in a sentence only never reaches the pharmacy."""
    planned = note.planned_medications
    if not planned:
        return not_applicable("The plan starts, changes or stops no medication with a dose.")
    early = cannot_say(mapping, filed, sent, trace)
    if early is not None:
        return early
    needed = "MedicationRequest" in settings.integration.resources_needed
    if "MedicationRequest" in vendor.profile.no_creates and not needed:
        return not_applicable("This EHR takes no medication orders from an interface: people order them.")
    there = _entries(filed)
    if there is None:
        if kinds_there(filed, sent) & _ORDERS:
            return passed("The payload carried medication orders.", count=len(planned))
    elif there:
        named = [m for m in planned if any(m.drug.casefold() in entry for entry in there)]
        coded = sum(not any(c.isalpha() for c in entry) for entry in there)
        if len(named) + coded >= len(planned):
            return passed("The chart holds an order for each medication that the plan changes.", count=len(planned))
        missing = len(planned) - len(named) - coded
        return warned(f"{missing} of {len(planned)} medications that the plan changes have no order.", count=missing)
    verbs = sorted({m.verb for m in planned})
    return failed(
        f"The plan changes {_count(len(planned), 'medication')} ({', '.join(verbs)}), and no order came of it.",
        verbs=verbs,
        count=len(planned),
    )


def _entries(filed: Filed | None) -> list[str] | None:
    """Return the chart's medications and orders as text, or None where only the payload is known."""
    if filed is None or not filed.has_discrete:
        return None
    held = (item for item in filed.discrete if item.get("kind") in _ORDERS)
    return [f"{item.get('value', '')}".casefold() for item in held]


@check(
    id="map.discrete.followup",
    step=Step.MAPPING,
    title="A return visit that the note agrees on was scheduled or requested",
    proves=causes.DISCRETE_FOLLOWUP,
    strength=Strength.MODERATE,
    checklist=("MAP.4",),
)
def return_is_scheduled(
    note: NoteSections,
    mapping: SectionMapping | None,
    filed: Filed | None,
    sent: SentDiscrete | None,
    trace: NoteTrace | None,
) -> Result:
    """A return that stands in the text only is forgotten when nobody reads the text."""
    agreed = note.agreed_returns
    if not agreed:
        return not_applicable("The note agrees on no return for a time.")
    early = cannot_say(mapping, filed, sent, trace)
    if early is not None:
        return early
    if kinds_there(filed, sent) & _VISITS:
        return passed("An appointment or a request is there.", days=[one.days for one in agreed])
    if filed is not None and not filed.has_discrete:
        return not_applicable("Appointments are made elsewhere than in the note's own message.")
    days = sorted({one.days for one in agreed if one.days is not None})
    says = f"The note agrees on a return in {' or '.join(map(str, days))} days, and nothing was scheduled or requested."
    return failed(says, days=days)


def _count(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number} {what}s"
