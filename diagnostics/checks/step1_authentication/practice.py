"""Judge whether the credential is enabled for the practice or tenant in the address."""

from datetime import datetime
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import Reads
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Instant, Step


@check(
    id="auth.practice.scope",
    step=Step.AUTHENTICATION,
    title="The credential is enabled for the practice in the address",
    hints=causes.PRACTICE_SCOPE,
    checklist=("WRITE.3",),
)
def practice_is_the_enabled_one(
    settings: Settings, trace: NoteTrace | None, trail: AuditTrail | None, reads: Reads | None
) -> Result:
    """A credential is bound to a practice; after a move to another number every request is somebody else's."""
    integration = settings.integration
    practice = integration.auth.practice_id
    if practice is None:
        return not_applicable("This integration is bound to no practice number.")
    last = last_failure(trace) if trace is not None else None
    refused = last is not None and last.status in (400, 401, 403, 404)
    live = any(each.answer.status in (401, 403, 404) for each in (reads.results if reads else ()))
    moved = _moved(trail, practice, trace)
    if moved is not None and (refused or live):
        return failed(f"The EHR recorded a move of practice {practice} before the note failed.", moved_at=moved,
                      instant=Instant.THEN if refused else Instant.NOW, practice=practice)  # fmt: skip
    urls = [url for url in (integration.write_url, integration.fhir_base_url) if url]
    named = [url for url in urls if practice in urlsplit(url).path.split("/")]
    numbers = {part for url in urls for part in urlsplit(url).path.split("/") if part.isdigit()}
    if refused and numbers and not named:
        return failed(f"The address names practice {', '.join(sorted(numbers))}, the credential is for {practice}.",
                      instant=Instant.STANDING, practice=practice)  # fmt: skip
    return passed("Nothing speaks of another practice.", practice=practice)


def _moved(trail: AuditTrail | None, practice: str, trace: NoteTrace | None) -> datetime | None:
    before = trace.first_failure_at if trace is not None else None
    for row in reversed(trail.rows if trail else ()):
        change = row.change or {}
        same = str(change.get("from")) == practice
        if row.event == "change" and same and (before is None or row.at <= before) and change.get("to") != practice:
            return row.at
    return None
