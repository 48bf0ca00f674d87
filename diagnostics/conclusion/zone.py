"""Say which causes can explain what the logs recorded of the failure's instant. Pure.

What the logs say outranks a probe made now: where the EHR answered 403, no certificate that has expired since can be
why this note failed; where the name could not be resolved, no section mapping can. A zone is the set of causes that
fit what happened.
"""

import re
from enum import StrEnum

from diagnostics.causes.model import Cause
from diagnostics.evidence.logs import NoteTrace
from diagnostics.vocabulary import FailureMode, Layer


class Zone(StrEnum):
    """Name what the logs recorded of the failure."""

    OPEN = "nothing recorded"
    NOT_GENERATED = "the note was never generated"
    NOT_TRIED = "no attempt was made"
    TOKEN_UNREACHED = "the token endpoint could not be reached"
    TOKEN_REFUSED = "the token endpoint answered and granted no token"
    UNREACHED = "the EHR could not be reached"
    LOST = "no answer came"
    UNAUTHENTICATED = "the answer was 401"
    FORBIDDEN = "the answer was 403"
    NOT_FOUND = "the answer was 404, 405 or 410"
    INVALID = "the request was refused as invalid"
    THROTTLED = "the answer was 429"
    SERVER_FAILED = "the answer was a server error"
    DIVERTED = "something else than the EHR answered"
    NACK = "the acknowledgement was negative"
    TAKEN = "the EHR took the note"


def zone_of(trace: NoteTrace | None) -> Zone:
    """Return the zone of a note's trace; OPEN where no log tells."""
    if trace is None or not (trace.rows or trace.ehr_rows or trace.has_scribe_log):
        taken = trace is not None and trace.failure_mode in _ARRIVED
        return Zone.TAKEN if taken else Zone.OPEN
    if trace.failure_mode in _ARRIVED:
        return Zone.TAKEN
    if trace.failure_mode is FailureMode.NOT_GENERATED:
        return Zone.NOT_GENERATED
    last = trace.last
    if last is None:
        return _without_attempts(trace)
    if last.outcome == "accepted" or any(a.outcome == "accepted" for a in trace.attempts):
        return Zone.TAKEN
    if last.status == 401 and _sent_without_token(trace):
        return _without_attempts(trace)
    if last.outcome == "unreached":
        return Zone.UNREACHED
    if last.outcome in ("lost", "pending"):
        refused = trace.ehr("rejected")
        if trace.failure_mode is FailureMode.REJECTED and refused:  # the EHR's log tells what the scribe never heard
            return _answered(_whole(refused[-1].status), refused[-1].ack)
        return Zone.LOST
    return _answered(last.status, last.ack)


_ARRIVED = {
    FailureMode.DELIVERED,
    FailureMode.MISPLACED,
    FailureMode.PARTIAL,
    FailureMode.DUPLICATE,
}


def _sent_without_token(trace: NoteTrace) -> bool:
    """Tell whether the last token request before the last write had failed: the 401 is then only its echo."""
    before = [token for token in trace.tokens if trace.last is not None and token.at <= trace.last.at]
    return bool(before) and not before[-1].ok


def _without_attempts(trace: NoteTrace) -> Zone:
    failed = [token for token in trace.tokens if not token.ok]
    if failed:
        return Zone.TOKEN_REFUSED if failed[-1].status is not None or _body(failed[-1].error) else Zone.TOKEN_UNREACHED
    if trace.ehr("rejected"):
        return _answered(_whole(trace.ehr("rejected")[-1].status), trace.ehr("rejected")[-1].ack)
    if trace.ehr_rows:
        return Zone.TAKEN
    return Zone.NOT_TRIED if trace.failure_mode is FailureMode.NEVER_SENT else Zone.OPEN


def _body(error: str | None) -> bool:
    """Tell whether an error without a status quotes an answer of the token endpoint (RFC 6749 section 5.2)."""
    return bool(error) and bool(_OAUTH.search(str(error)[:4096]) or '"error"' in str(error)[:4096])


_OAUTH = re.compile(
    r"\b(?:invalid_(?:client|grant|scope|request|token)|unauthorized_client|unsupported_grant_type|access_denied)\b"
)


def _whole(status: object) -> int | None:
    """Return a logged status as a number, also where the EHR wrote it as text."""
    text = str(status)
    return int(text) if text.isdecimal() and len(text) <= 4 else None


def _answered(status: object, ack: str | None) -> Zone:
    if ack and ack.upper() in ("AE", "AR", "CE", "CR"):
        return Zone.NACK
    code = status if isinstance(status, int) else 0
    exact = {
        401: Zone.UNAUTHENTICATED,
        403: Zone.FORBIDDEN,
        407: Zone.DIVERTED,
        429: Zone.THROTTLED,
        511: Zone.DIVERTED,
        404: Zone.NOT_FOUND,
        405: Zone.NOT_FOUND,
        410: Zone.NOT_FOUND,
    }
    if code in exact:
        return exact[code]
    if 200 <= code < 400:
        return Zone.DIVERTED
    if code >= 500 or code == 408:
        return Zone.SERVER_FAILED
    return Zone.INVALID if 400 <= code < 500 else Zone.OPEN


_WIRE = ("net.dns.", "net.tcp.", "net.tls.", "net.egress.", "net.fwlog.")


def fits(zone: Zone, cause: Cause) -> bool:
    """Tell whether a cause can explain what happened."""
    kind, layer, id = cause.id.split(".", 1)[0], cause.layer, cause.id
    wire = id.startswith(_WIRE)
    match zone:
        case Zone.OPEN:
            return True
        case Zone.NOT_GENERATED:
            return id == "scribe.note.not_generated"
        case Zone.NOT_TRIED:
            return kind == "scribe" or id in ("map.encounter.mismatch", "auth.session.ended", "auth.mfa.challenge")
        case Zone.TOKEN_UNREACHED:
            near = id.startswith("auth.discovery.") or id == "auth.refresh.last_success_gap"
            return (kind == "net" and layer <= Layer.GATEWAY) or kind == "ops" or near
        case Zone.TOKEN_REFUSED:
            return (kind == "auth") or (not wire and (kind in ("net", "ehr", "ops") or id == "perm.account.inactive"))
        case Zone.UNREACHED:
            return kind in ("net", "ops") or id in ("fhir.base.not_fhir", "hl7.mllp.framing")
        case Zone.LOST:
            return kind in ("net", "hl7", "scribe", "ehr", "ops") or id == "fhir.request.size"
        case Zone.UNAUTHENTICATED:
            return not wire and (kind in ("auth", "net") or id in ("perm.account.inactive", "fhir.base.environment"))
        case Zone.FORBIDDEN:
            if id == "net.egress.ip_not_allowed":
                return True  # a gateway that keeps an allow-list says so with 403
            return not wire and not id.startswith(("fhir.payload.", "auth.assertion.", "auth.jwks.", "hl7."))
        case Zone.NOT_FOUND:
            if id.startswith("fhir.payload.") and id != "fhir.payload.references":
                return False  # a missing element is refused as invalid, not as not found
            return not wire and (kind in ("fhir", "map", "perm", "ehr", "net") or id == "auth.practice.scope")
        case Zone.INVALID:
            return not wire and (kind != "auth" or id in _LATE_AUTH) and not id.startswith(_CHART_ONLY)
        case Zone.THROTTLED:
            return id in ("net.rate.limited", "net.proxy.block_page")
        case Zone.SERVER_FAILED:
            return not wire and (kind in ("ehr", "net", "ops", "fhir") or id in _LATE_AUTH)
        case Zone.DIVERTED:
            return not wire and (kind == "net" or id in _DIVERTERS)
        case Zone.NACK:
            return kind in ("hl7", "map", "perm", "ehr", "tmpl") and not id.startswith(_CHART_ONLY)
        case Zone.TAKEN:
            return kind in ("map", "tmpl", "scribe", "ehr", "ops") or id in _AFTER_TAKEN


# a server may answer 400, 422 or 5xx for what is really about the token or the tenant (domain.md traps 6 and 15)
_LATE_AUTH = ("auth.token.expired", "auth.practice.scope", "auth.apikey.missing", "auth.client.deactivated")
_CHART_ONLY = (
    "map.section.",
    "map.discrete.",
    "map.content.",
    "tmpl.catchall",
    "tmpl.silent_drop",
    "perm.attribution.",
    "hl7.note.truncated",
    "fhir.readback.",
    "scribe.",
)
_DIVERTERS = (
    "auth.mfa.challenge",
    "auth.session.ended",
    "fhir.base.not_fhir",
    "fhir.request.method_path",
    "auth.discovery.token_endpoint_changed",
    "auth.http401.classify",
)
_AFTER_TAKEN = (
    "fhir.base.path_rewritten",
    "fhir.payload.xhtml",
    "net.revproxy.rewrite",
    "fhir.base.environment",
    "fhir.outcome.accepted_202",
    "fhir.outcome.duplicate",
    "fhir.readback.absent",
    "fhir.outcome.warning_in_2xx",
    "hl7.note.truncated",
    "hl7.encoding.undeclared",
    "hl7.encoding.mojibake",
    "hl7.ack.missing",
    "hl7.ack.mismatch",
    "hl7.ack.commit_only",
    "hl7.mdm.discrete_expected",
    "hl7.msh.processing_id",
    "hl7.linebreak",
    "hl7.escape",
    "hl7.field.length",
    "perm.attribution.wrong",
    "perm.department.restricted",
    "perm.encounter.closed",
    "net.timeout.gateway",
)


# what a cause makes of a note that the EHR took
MODES: dict[str, FailureMode] = {
    "map.patient.mismatch": FailureMode.MISPLACED,
    "map.encounter.mismatch": FailureMode.MISPLACED,
    "map.section.misrouted": FailureMode.MISPLACED,
    "map.section.collapsed": FailureMode.MISPLACED,
    "map.notetype.wrong": FailureMode.MISPLACED,
    "tmpl.catchall": FailureMode.MISPLACED,
    "map.section.overwritten": FailureMode.PARTIAL,
    "map.section.unmapped": FailureMode.PARTIAL,
    "map.content.lost": FailureMode.PARTIAL,
    "map.output.narrative_only": FailureMode.PARTIAL,
    "map.interface.no_discrete": FailureMode.PARTIAL,
    "map.discrete.vitals_narrative": FailureMode.PARTIAL,
    "map.discrete.icd_in_text": FailureMode.PARTIAL,
    "map.discrete.med_no_order": FailureMode.PARTIAL,
    "hl7.mdm.discrete_expected": FailureMode.PARTIAL,
    "hl7.note.truncated": FailureMode.PARTIAL,
    "hl7.field.length": FailureMode.PARTIAL,
    "hl7.encoding.undeclared": FailureMode.PARTIAL,
    "hl7.encoding.mojibake": FailureMode.PARTIAL,
    "hl7.linebreak": FailureMode.PARTIAL,
    "tmpl.silent_drop": FailureMode.PARTIAL,
    "tmpl.field.unknown": FailureMode.PARTIAL,
    "tmpl.version.changed": FailureMode.PARTIAL,
    "tmpl.required.added": FailureMode.PARTIAL,
    "scribe.retry.duplicate": FailureMode.DUPLICATE,
}


# whose questions come first where a case is open: the checks of the very answer, then of what is near it
FIRST_ASKED: dict[Zone, tuple[str, ...]] = {
    Zone.NOT_TRIED: ("scribe.", "ops."),
    Zone.TOKEN_UNREACHED: ("net.dns.", "net.tcp.", "net.tls.", "net."),
    Zone.TOKEN_REFUSED: ("auth.client.", "auth.assertion.", "auth.jwks.", "auth.scope.", "auth.credential.", "auth."),
    Zone.UNREACHED: ("net.tcp.", "net.dns.", "net.tls.", "net.fwlog.", "net."),
    Zone.LOST: ("scribe.", "net.timeout.", "net.tcp.", "net."),
    Zone.UNAUTHENTICATED: ("auth.http401.", "auth.token.", "net.proxy.auth_stripped", "auth.session.", "auth.mfa."),
    Zone.FORBIDDEN: ("perm.http403.", "perm.scope.", "perm.rbac.", "perm.encounter.", "perm.", "net.proxy."),
    Zone.NOT_FOUND: ("fhir.base.", "fhir.capability.", "fhir.", "map."),
    Zone.INVALID: ("fhir.outcome.", "fhir.payload.", "perm.encounter.", "map.", "fhir.", "tmpl."),
    Zone.THROTTLED: ("net.rate.",),
    Zone.SERVER_FAILED: ("ehr.", "net.timeout.", "ops."),
    Zone.DIVERTED: ("net.proxy.", "auth.mfa.", "fhir.base."),
    Zone.NACK: ("hl7.ack.", "hl7.", "map."),
    Zone.TAKEN: ("fhir.readback.", "map.", "tmpl.", "hl7."),
}
