"""Judge whether the EHR still knows the client: its environment, whether it is switched on, its credential."""

import re
from datetime import datetime

from diagnostics import causes
from diagnostics.check import check, failed, passed
from diagnostics.checks.step1_authentication.refused_tokens import credential_changes, refusal
from diagnostics.checks.step1_authentication.token_answers import none_refused, refused_as
from diagnostics.checks.tokens_used import requests
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import AuditTrail, EhrRow, NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.vocabulary import Instant, Step

_ENVIRONMENT = re.compile(
    r"\b(?:non-?production|sandbox|test|staging) client\b|\bclient\b.{0,60}"
    r"\b(?:other|wrong|different|non-?production)\b.{0,30}\benvironment\b",
    re.IGNORECASE,
)
_SWITCHED_OFF = re.compile(r"deactivat|disabl|inactiv|suspend|revok|remov|delet|expir|lock|off\b", re.IGNORECASE)
_CLIENT_ERRORS = ("invalid_client", "unauthorized_client", "access_denied")


@check(
    id="auth.client.wrong_environment",
    step=Step.AUTHENTICATION,
    title="The client id belongs to the server's environment",
    hints=causes.CLIENT_WRONG_ENVIRONMENT,
    checklist=("WRITE.3",),
    applies=lambda case: case.vendor.client_ids_by_environment,
)
def client_id_fits_environment(
    settings: Settings, vendor: Vendor, trace: NoteTrace | None, token: TokenAnswer | None
) -> Result:
    """Where a vendor gives one client id for testing and one for production, the wrong one is simply unknown."""
    refused = refusal(trace, token)
    base = settings.integration.fhir_base_url or ""
    declared, shown = settings.integration.environment, vendor.profile.environment_of(base)
    differs = declared is not None and shown is not None and (declared == "production") != (shown == "production")
    if refused is None or refused.error not in ("invalid_client", "unauthorized_client"):
        return none_refused(trace, token)
    if _ENVIRONMENT.search(refused.answer.says):
        return refused_as("The token endpoint says that the client is of another environment.", refused, token)
    if not differs:
        return none_refused(trace, token)
    return refused_as(
        f"The client is configured for {declared}, but the server is the vendor's {shown}.", refused, token
    )


@check(
    id="auth.client.deactivated",
    step=Step.AUTHENTICATION,
    title="The scribe's client is switched on at the EHR",
    hints=causes.CLIENT_DEACTIVATED,
    checklist=("TOKEN.7",),
)
def client_is_switched_on(trace: NoteTrace | None, token: TokenAnswer | None, trail: AuditTrail | None) -> Result:
    """An access review that switches a client off is seen first by the notes that stop."""
    refused = refusal(trace, token)
    if refused is None or refused.error not in _CLIENT_ERRORS:
        return none_refused(trace, token)
    changes = credential_changes(trail, trace.first_failure_at if trace else None)
    said = any(map(_switched_off, (*changes, *_reviews(trail, trace.first_failure_at if trace else None))))
    if said or (changes and refused.error != "invalid_client"):
        return refused_as(
            "The EHR changed this client's credential, and since then it refuses the client.", refused, token
        )
    return passed("No change of the client is recorded before the failure.", error=refused.error)


def _switched_off(row: EhrRow) -> bool:
    return bool(_SWITCHED_OFF.search(f"{(row.change or {}).get('what')} {(row.change or {}).get('to')}"[:600]))


def _reviews(trail: AuditTrail | None, before: datetime | None) -> tuple[EhrRow, ...]:
    """Return changes of roles that speak of the account as a whole, not of a grant: what an access review does."""
    rows = [r for r in (trail.rows if trail else ()) if r.event == "change" and (r.change or {}).get("kind") == "role"]
    return tuple(
        row for row in rows
        if (before is None or row.at <= before)
        and _ACCOUNT.search(f"{(row.change or {}).get('what')}"[:300])
        and not _GRANT.search(f"{(row.change or {}).get('from')} {(row.change or {}).get('to')}"[:600])
    )  # fmt: skip


_ACCOUNT = re.compile(r"\b(?:account|client|user|svc|service|integration|access review)\b", re.IGNORECASE)
_GRANT = re.compile(r"\b[a-z]{2,40}[:.](?:read|write|create|update|delete|cruds?)\b", re.IGNORECASE)


@check(
    id="auth.credential.rotated",
    step=Step.AUTHENTICATION,
    title="No credential was replaced shortly before the first failure",
    hints=causes.CREDENTIAL_ROTATED,
    checklist=("TOKEN.6",),
)
def credential_is_unchanged(
    trace: NoteTrace, trail: AuditTrail, token: TokenAnswer | None, log: ScribeLog | None
) -> Result:
    """A secret or key that one side replaced is refused from that minute on."""
    changes = credential_changes(trail, trace.first_failure_at)
    if not changes:
        return passed("The audit trail records no change of a credential before the failure.")
    refused = refusal(trace, token)
    last = changes[-1]
    if refused is None or refused.error not in ("invalid_client", "invalid_grant"):
        return passed("A credential was changed, but the token endpoint does not refuse it.", changed_at=last.at)
    if _switched_off(last):
        return passed("The change switched the client off rather than rotating its credential.", changed_at=last.at)
    since = [
        one.at for one in requests(log, trace) if one.ok and last.at < one.at <= (trace.first_failure_at or last.at)
    ]
    if since:
        return passed("Tokens were still issued after the credential had been changed.", changed_at=last.at,
                      issued_at=since[-1])  # fmt: skip
    return failed(
        f"A credential was replaced at {last.at:%Y-%m-%d %H:%M} UTC, and after that the token endpoint refused it.",
        instant=Instant.THEN, changed_at=last.at, first_failure_at=trace.first_failure_at, error=refused.error,
    )  # fmt: skip
