"""Judge what addresses and recorded answers say of the server, where nobody can ask it now."""

import re
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, read_answer
from diagnostics.vocabulary import Step, Strength

_OLD_VERSION = re.compile(r"(?:^|/)(dstu-?2|stu-?3|r2|r3|fhir-?r?[23])(?:/|$)", re.IGNORECASE)
_PAGES = (AnswerKind.HTML_GATEWAY, AnswerKind.TEXT, AnswerKind.EMPTY)


def _fhir(case: Case) -> bool:
    return case.integration.protocol == "fhir"


@check(
    id="fhir.version.mismatch.url",
    step=Step.WRITE_BACK,
    title="The addresses name no older FHIR version",
    proves=causes.VERSION_MISMATCH,
    checklist=("WRITE.1",),
    applies=_fhir,
)
def addresses_are_r4(settings: Settings, trace: NoteTrace | None) -> Result:
    """Vendors put the version into the path; one wrong segment and the server speaks another FHIR."""
    integration = settings.integration
    last = trace.last.url if trace is not None and trace.last is not None else None
    urls = [url for url in (integration.fhir_base_url, integration.write_url, last) if url]
    for url in urls:
        old = _OLD_VERSION.search(urlsplit(url).path)
        if old is not None:
            taken = trace is not None and any(a.outcome == "accepted" for a in trace.attempts)
            return failed(f"The address names {old.group(1)}; the scribe sends R4.",
                          strength=Strength.MODERATE if taken else Strength.DECISIVE, url=url)  # fmt: skip
    return passed("No address names an older version.", addresses=len(urls))


@check(
    id="fhir.base.not_fhir.log",
    step=Step.WRITE_BACK,
    title="A FHIR server answered the note",
    hints=causes.BASE_NOT_FHIR,
    checklist=("WRITE.3",),
    applies=_fhir,
)
def fhir_answered(trace: NoteTrace, log: ScribeLog | None) -> Result:
    """A page for people where an OperationOutcome belongs shows that the note went to the wrong place."""
    last = trace.last
    if last is None or last.answer is None or last.status is None or last.outcome == "accepted":
        return passed("The note was taken.") if trace.attempts else not_applicable("Nothing was sent.")
    answer = read_answer(last.error, last.status, last.headers)
    page = last.headers.get("content-type", "").lower().startswith("text/html") or "<html" in answer.text[:500].lower()
    if not page or answer.kind not in _PAGES or last.status not in (200, 201, 202, 404, 405):
        return passed("The answer is not a page of another site.", status=last.status, form=answer.kind.value)
    if "via" in last.headers:
        return passed("The page came from a gateway in between.", via=last.headers["via"])
    place = urlsplit(last.url or "").netloc
    rows = log.rows if log is not None else ()
    worked = any(r.status == 201 and r.at < last.at and r.url == last.url for r in rows)
    return failed(
        f"A page for people answered the note at {place}, not a FHIR server.",
        strength=Strength.MODERATE if worked else Strength.STRONG,
        status=last.status,
        at=last.at,
    )
