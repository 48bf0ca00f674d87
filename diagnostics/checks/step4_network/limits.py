"""Judge whether the EHR, or a gateway before it, held the scribe back because too many requests came."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step4_network.answers_seen import (
    SeenAnswer,
    condemned,
    last_failure,
    live_answers,
    recorded_answers,
)
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.fhir import Metadata, Reads
from diagnostics.evidence.logs import NoteTrace, ScribeLog, ScribeRow
from diagnostics.findings import Result
from diagnostics.tracing.attempts import outcome
from diagnostics.vendors.model import Surface
from diagnostics.vocabulary import Certainty, Step, Strength

_AMPLIFIED = 1.5  # attempts for each note, above which the retries themselves make the burst
# what servers answer over a limit where they do not say so with 429
_OTHER_WORDS = (401, 403, 503)


def _limited(each: SeenAnswer, vendor: Vendor) -> Strength | None:
    """Weigh whether an answer speaks of a limit: by its status, its issue, the vendor's code, or its words."""
    if each.status == 429 or "throttled" in each.answer.issue_codes:
        return Strength.DECISIVE
    for code in each.answer.vendor_codes:
        known = vendor.profile.code(Surface.FHIR, code)
        if known is not None and known.cause == causes.RATE_LIMITED.id:
            return Strength.DECISIVE
    if each.status not in _OTHER_WORDS or not each.answer.text:
        return None
    found = explained(each.answer.text, status=each.status)
    if found.cause != causes.RATE_LIMITED.id:
        return None
    return Strength.STRONG if found.certainty in (Certainty.PROVEN, Certainty.LIKELY) else Strength.MODERATE


def _wait(each: SeenAnswer, vendor: Vendor) -> str:
    """Say how long to wait by this EHR's own rule; a daily limit is no burst."""
    daily = bool(set(each.answer.vendor_codes) & set(vendor.profile.daily_limit_codes))
    wait: str = vendor.profile.rate.wait(each.at, each.answer.headers.get("retry-after", ""), daily=daily)
    return wait


@check(
    id="net.rate.limited",
    step=Step.NETWORK,
    title="The EHR does not limit our requests",
    proves=causes.RATE_LIMITED,
    checklist=("NET.7",),
)
def requests_are_not_limited(
    vendor: Vendor, metadata: Metadata, token: TokenAnswer | None, reads: Reads | None
) -> Result:
    """Over its limit an EHR refuses good notes; resending them at once makes it worse."""
    limited = [(each, weight) for each in live_answers(token, metadata, reads) if (weight := _limited(each, vendor))]
    if not limited:
        return passed("No answer spoke of a limit.")
    first, weight = max(limited, key=lambda each: each[1])
    return failed(
        f"The EHR says that too many requests come (status {first.status}). {_wait(first, vendor)}",
        strength=weight, condemns=condemned(each for each, _ in limited), status=first.status,
        retry_after=first.answer.headers.get("retry-after", ""),
    )  # fmt: skip


@dataclass(frozen=True)
class Minute:
    """Count what the scribe did in one calendar minute, all notes together."""

    requests: int = 0
    notes: int = 0
    sent: int = 0
    taken: int = 0
    refused: int = 0

    @property
    def amplification(self) -> float:
        """Return how often each note was sent on average."""
        return round(self.sent / self.notes, 2) if self.notes else 0.0

    @property
    def mixed(self) -> bool:
        """Tell whether some requests were taken and some refused, as a limit does and a broken way does not."""
        return self.taken > 0 and self.refused > 0

    def facts(self) -> dict[str, Any]:
        """Return the counts for a finding."""
        return {"requests_in_minute": self.requests, "taken": self.taken, "refused": self.refused,
                "retry_amplification": self.amplification}  # fmt: skip


def minute_of(rows: Iterable[ScribeRow], at: datetime | None) -> Minute:
    """Count one calendar minute of the scribe's log."""
    if at is None:
        return Minute()
    wanted = int(at.timestamp() // 60)
    held = [row for row in rows if int(row.at.timestamp() // 60) == wanted]
    sent = [row for row in held if row.event == "sent"]
    answers = [outcome(row) for row in held if row.event in ("acked", "failed")]
    return Minute(
        requests=len(sent) + sum(row.event == "token" for row in held),
        notes=len({row.note_id or row.transaction_id for row in sent}),
        sent=len(sent),
        taken=answers.count("accepted"),
        refused=answers.count("rejected"),
    )


def _busiest_minute(rows: Iterable[ScribeRow]) -> int:
    minutes: dict[int, int] = {}
    for row in rows:
        if row.event in ("sent", "token"):
            minute = int(row.at.timestamp() // 60)
            minutes[minute] = minutes.get(minute, 0) + 1
    return max(minutes.values(), default=0)


@check(
    id="net.rate.limited.log",
    step=Step.NETWORK,
    title="The EHR did not limit the scribe's requests",
    proves=causes.RATE_LIMITED,
    checklist=("NET.7",),
)
def requests_were_not_limited(trace: NoteTrace, vendor: Vendor, settings: Settings, log: ScribeLog | None) -> Result:
    """The answer to the note itself says best whether it fell to a limit."""
    last = last_failure(trace)
    limit = settings.integration.rate_limit_per_minute or vendor.profile.rate.per_minute
    rows = log.rows if log else ()
    busiest = _busiest_minute(rows)
    if last is not None:
        minute = minute_of(rows, last.at)
        facts = {"status": last.status, "limit": limit, "busiest_minute": busiest, "at": last.at, **minute.facts()}
        weight = _limited(last, vendor)
        if weight is not None:
            retry_after = last.answer.headers.get("retry-after", "")
            says = f"{_sentence(minute, limit)} {_wait(last, vendor)}"
            return failed(says, strength=weight, retry_after=retry_after, **facts)
        if limit and minute.requests > limit and minute.mixed and last.status in _OTHER_WORDS:
            return failed(
                f"The refusal came in a minute with {minute.requests} requests, {limit} being allowed, of which some "
                "were taken.",
                strength=Strength.MODERATE, **facts,
            )  # fmt: skip
    if limit and busiest > limit:
        return warned(f"The scribe sent {busiest} requests in one minute; the limit is {limit}.", limit=limit)
    earlier = [each for each in recorded_answers(trace) if _limited(each, vendor) is Strength.DECISIVE]
    if earlier and last is not None:
        return warned("An earlier attempt met a limit; what came of the note was decided later.", at=earlier[-1].at)
    if trace.attempts or trace.tokens:
        return passed("No answer spoke of a limit.", busiest_minute=busiest, limit=limit)
    return not_applicable("Nothing was sent.")


def _sentence(minute: Minute, limit: int | None) -> str:
    says = "The EHR refused the request because too many came"
    if limit and minute.requests > limit:
        says += f": {minute.requests} in that minute, {limit} being allowed"
    if minute.amplification > _AMPLIFIED:
        says += f"; each note was sent {minute.amplification} times, so the retries make the burst themselves"
    return f"{says}."
