"""Say whether structured data are expected with a note, and whether it can be judged that they are there."""

from collections.abc import Mapping

from diagnostics.check import not_applicable, unknown
from diagnostics.checks.step3_mapping.looking import stopped_before_content
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import SentDiscrete
from diagnostics.findings import Result
from diagnostics.vocabulary import FailureMode

RESOURCES = ("Condition", "Observation", "MedicationRequest", "ServiceRequest")


def ruled_fields(mapping: SectionMapping | None, template: Template | None) -> list[str]:
    """Return the discrete fields of the template that mapping rules write to."""
    kinds = {f.id: f.kind for f in template.fields} if template else {}
    rules = mapping.rules if mapping is not None else ()
    return sorted({rule.field for rule in rules if kinds.get(rule.field) == "discrete"})


def needed_resources(settings: Settings) -> list[str]:
    """Return the resource types of structured data that the integration is said to need."""
    return sorted(set(RESOURCES) & set(settings.integration.resources_needed))


def narrative_by_design(mapping: SectionMapping | None) -> bool:
    """Tell whether the integration is set to send text only."""
    return mapping is not None and "narrative" in mapping.output and "discrete" not in mapping.output


def expected(mapping: SectionMapping | None, settings: Settings, resource: str) -> bool:
    """Tell whether somebody wrote down that structured data are to come with the note."""
    if mapping is not None and "discrete" in mapping.output:
        return True
    return resource in settings.integration.resources_needed


def never_reached(trace: NoteTrace | None) -> bool:
    """Tell whether the note stopped, or was refused, before it could have brought anything along."""
    return stopped_before_content(trace) or (trace is not None and trace.failure_mode is FailureMode.REJECTED)


def cannot_say(
    mapping: SectionMapping | None, filed: Filed | None, sent: SentDiscrete | None, trace: NoteTrace | None
) -> Result | None:
    """Say why the question of structured data does not arise, or cannot be answered; None where it can."""
    if narrative_by_design(mapping):
        return not_applicable("The integration sends text only; see its output mode.")
    if never_reached(trace) or (filed is not None and not filed.found):
        return not_applicable("The note did not come as far as the chart.")
    if trace is not None and trace.attempts and all(attempt.outcome != "accepted" for attempt in trace.attempts):
        return not_applicable("The scribe got no good answer for the note, so it need not have sent data after it.")
    if (filed is not None and filed.has_discrete) or (sent is not None and sent.bundle):
        return None
    return unknown("Which structured data the chart holds is not known.", get=Filed.how_to_get)


def observations(filed: Filed | None, sent: SentDiscrete | None) -> tuple[Mapping[str, str], ...]:
    """Return the observations of the chart, else those the payload carried: code and value."""
    if filed is not None and filed.has_discrete:
        return tuple(item for item in filed.discrete if item.get("kind") == "observation")
    if sent is None:
        return ()
    held = [{"code": code, "value": value} for code, value in sent.readings]
    return (*held, *({"code": code} for code in sorted(sent.observations - {item["code"] for item in held})))


def kinds_there(filed: Filed | None, sent: SentDiscrete | None) -> frozenset[str]:
    """Return which kinds of structured data the chart holds, else those the payload carried."""
    if filed is not None and filed.has_discrete:
        return frozenset(item.get("kind", "") for item in filed.discrete)
    return sent.kinds if sent is not None else frozenset()
