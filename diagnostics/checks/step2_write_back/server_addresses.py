"""Judge the addresses a FHIR server names itself: those of its statement and of the documents it created."""

from collections.abc import Iterable

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step2_write_back.weighing import taken
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import CanaryWrite, Capability, ReadBack
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.fhir_addresses import Rewritten, base_of, rewritten
from diagnostics.vocabulary import Step, Strength


def plain_fhir(case: Case) -> bool:
    """Tell whether notes are written to the FHIR base itself, so that the server's addresses must be below it."""
    integration = case.integration
    own_route = integration.write_url is not None or case.vendor.separate_write_route
    return integration.protocol == "fhir" and bool(integration.fhir_base_url) and not own_route


@check(
    id="fhir.base.path_rewritten",
    step=Step.WRITE_BACK,
    title="The server names itself by the address it is called by",
    hints=causes.BASE_PATH_REWRITTEN,
    strength=Strength.MODERATE,
    checklist=("WRITE.3", "NET.4"),
    applies=plain_fhir,
)
def server_knows_its_address(
    capability: Capability,
    settings: Settings,
    canary: CanaryWrite | None,
    read_back: ReadBack | None,
    trace: NoteTrace | None,
) -> Result:
    """A client that follows the addresses a server names ends where nothing answers, if a proxy rewrote them."""
    base = settings.integration.fhir_base_url or ""
    answers = [canary.answer] if canary is not None and canary.answer is not None else []
    answers += [read_back.answer] if read_back is not None else []
    told = first_rewritten(((each.headers.get("location", ""), each.url) for each in answers), base)
    if told is not None:
        return failed(says(told, "created"), what=told.what, named=told.named)
    own = capability.statement.implementation_url
    if not own:
        return passed("No address that the server named is another one.", base=base)
    other = rewritten(own, base)
    if other is None:
        return passed("The server names itself by the address it is called by.", base=base)
    sentence = (
        f"The server's statement names {other.named} as its own address, and it is called by another {other.what}."
    )
    misled = trace is not None and trace.last is not None and trace.last.status in (301, 302, 303, 307, 308, 404, 405)
    if misled and not taken(trace):
        return failed(sentence, what=other.what, named=other.named)
    return warned(
        f"{sentence} It may be an intended alias.", strength=Strength.WEAK, what=other.what, named=other.named
    )


@check(
    id="fhir.base.path_rewritten.log",
    step=Step.WRITE_BACK,
    title="The EHR named the created document by the address it was called by",
    hints=causes.BASE_PATH_REWRITTEN,
    strength=Strength.MODERATE,
    checklist=("WRITE.3", "NET.4"),
    applies=plain_fhir,
)
def created_below_the_base(trace: NoteTrace, settings: Settings) -> Result:
    """The address of the created document is how a scribe reads it back, updates it and proves that it arrived."""
    created = [a for a in trace.attempts if a.outcome == "accepted" and a.headers.get("location")]
    if not created:
        return not_applicable("No answer named the address of a created document.")
    base = settings.integration.fhir_base_url or ""
    told = first_rewritten(((a.headers["location"], a.url or base) for a in reversed(created)), base)
    if told is None:
        return passed("The created document is named below the base URL.", base=base)
    if told.what == "scheme":
        return warned(says(told, "created"), strength=Strength.WEAK, what=told.what, named=told.named)
    return failed(says(told, "created"), what=told.what, named=told.named)


def first_rewritten(locations: Iterable[tuple[str, str]], base: str) -> Rewritten | None:
    """Return how the first of some Location values (each with the address called) differs from the base."""
    for location, called in locations:
        named = base_of(location, called) if location else None
        found = rewritten(named, base) if named is not None else None
        if found is not None:
            return found
    return None


def says(told: Rewritten, deed: str) -> str:
    """Say which address the server named, and what differs."""
    return f"The server named the document it {deed} below {told.named}: another {told.what} than it is called by."
