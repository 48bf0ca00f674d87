"""Judge sign-in by what is known of the EHR's vendor: new clients, uploaded keys, sessions, tenants, answers.

Every rule is a trait of the vendor's profile; where the profile says nothing, the question does not arise.
"""

from datetime import datetime, timedelta
from typing import Any

from diagnostics import catalog, causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step1_authentication.enablement import enabled_row
from diagnostics.checks.step1_authentication.refused_tokens import refusal, token_came
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.evidence.auth import ClientKeySet, TokenAnswer
from diagnostics.evidence.case_parts import Clock, Settings, Vendor
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.findings import Result
from diagnostics.vendors.rules import release_name, release_of
from diagnostics.vocabulary import Instant, Step, Strength


@check(
    id="auth.client.not_activated",
    step=Step.AUTHENTICATION,
    title="The client has been enabled long enough for the token server to know it",
    hints=causes.CLIENT_NOT_ACTIVATED,
    strength=Strength.MODERATE,
    checklist=("TOKEN.7",),
    applies=lambda case: case.vendor.client_sync_hours is not None,
)
def client_is_known_by_now(
    vendor: Vendor, clock: Clock, trail: AuditTrail | None, trace: NoteTrace | None, token: TokenAnswer | None
) -> Result:
    """Some vendors carry new clients to their sites only twice a day; until then every one is refused as unknown."""
    refused = refusal(trace, token)
    if refused is None or refused.error != "invalid_client":
        return passed("The token endpoint does not refuse the client as unknown.")
    at = refused.at or clock.now
    rows = [row for row in (trail.rows if trail else ()) if enabled_row(row) and row.at <= at]
    if not rows:
        if trail is None:
            return unknown("When the client was enabled at this site is not known.",
                           get="when the client was enabled for this site, from the vendor's portal")  # fmt: skip
        return passed("No enablement of the client is recorded before the refusal.")
    hours = vendor.profile.client_sync_hours
    since = at - rows[-1].at
    facts: dict[str, Any] = {
        "enabled_at": rows[-1].at,
        "refused_at": at,
        "hours": round(since.total_seconds() / 3600, 1),
    }
    if since <= timedelta(hours=hours):
        return failed(
            f"The client was enabled {_hours(since)} before the refusal; {vendor.profile.name} needs up to {hours}.",
            instant=refused.instant, **facts,
        )  # fmt: skip
    if since <= timedelta(hours=2 * hours):
        return warned(f"The client was enabled {_hours(since)} before the refusal: it should be known by now.", **facts)
    return passed("The client was enabled long before the refusal.", **facts)


def _hours(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{round(time.total_seconds() / 60)} minutes" if hours < 1 else f"{hours:.0f} hours"


@check(
    id="auth.jwks.static_key_retired",
    step=Step.AUTHENTICATION,
    title="The EHR's release still takes the kind of key that is registered",
    hints=causes.JWKS_STATIC_KEY_RETIRED,
    checklist=("TOKEN.5", "WRITE.7"),
    applies=lambda case: case.vendor.key_rule is not None and case.integration.auth.flow == "backend-services",
)
def registered_key_is_still_taken(
    settings: Settings,
    vendor: Vendor,
    capability: Capability | None,
    trail: AuditTrail | None,
    trace: NoteTrace | None,
    token: TokenAnswer | None,
) -> Result:
    """A vendor that ends uploaded keys does so at each customer's upgrade, and the client is refused from that day."""
    rule = vendor.profile.key_rule
    if settings.integration.auth.jwks_url is not None:
        return passed("A key set address is registered.", jwks_url=settings.integration.auth.jwks_url)
    refused = refusal(trace, token)
    release, since = _release(capability, trail, refused.at if refused else None)
    if release is None:
        if refused is None or refused.error != "invalid_client":
            return passed("The token endpoint does not refuse the client's key.")
        return unknown(
            "Which release the EHR runs is not known; some take no uploaded keys any more.",
            get="the EHR's software version, and whether the client's key was uploaded or is fetched from an address",
        )
    name = release_name(release)
    if not rule.ended(release):
        return passed(f"The EHR runs {name}, which takes uploaded keys.", release=name)
    facts: dict[str, Any] = {"release": name, "ended_with": release_name(rule.uploaded_keys_end), "upgraded_at": since}
    if token_came(trace, token):
        return warned(
            f"The EHR runs {name}, which is to take no uploaded keys, and issues tokens all the same: register a key "
            "set address before that ends.", **facts,
        )  # fmt: skip
    if refused is None or refused.error != "invalid_client":
        return passed(f"The EHR runs {name}; it does not refuse the client's key.", **facts)
    site = (
        " Unless the site registered the key itself," if rule.site_keys_from and release >= rule.site_keys_from else ""
    )
    lead = f"{site} it" if site else "It"
    return failed(
        f"No key set address is known for the client, and the EHR runs {name}.{lead} may take no uploaded keys any "
        f"more; confirm it with the site, because the vendor's texts contradict each other.",
        instant=refused.instant, **facts,
    )  # fmt: skip


def _release(
    capability: Capability | None, trail: AuditTrail | None, before: datetime | None
) -> tuple[tuple[int, int] | None, datetime | None]:
    """Return the release at the refusal: of the last upgrade recorded before it, else what the server says now."""
    for row in reversed(trail.rows if trail else ()):
        change = row.change or {}
        if row.event != "change" or change.get("kind") != "upgrade" or (before is not None and row.at > before):
            continue
        found = release_of(str(change.get("to") or "")) or release_of(str(change.get("what") or ""))
        if found is not None:
            return found, row.at
    return (release_of(capability.statement.software_version) if capability is not None else None), None


@check(
    id="auth.jwks.unreachable.listed",
    step=Step.AUTHENTICATION,
    title="The vendor's list of key set addresses holds the client's",
    hints=causes.JWKS_UNREACHABLE,
    checklist=("TOKEN.5",),
    applies=lambda case: case.vendor.key_set_allow_listed and case.integration.auth.flow == "backend-services",
)
def key_set_is_listed(
    settings: Settings, keys: ClientKeySet | None, trace: NoteTrace | None, token: TokenAnswer | None
) -> Result:
    """A key set that everybody can fetch is still not fetched by a vendor that keeps a list of addresses."""
    refused = refusal(trace, token)
    if refused is None or refused.error != "invalid_client":
        return passed("The token endpoint does not refuse the client.")
    if settings.integration.auth.jwks_url is None:
        return not_applicable("No key set address is known for the client.")
    readable = keys is not None and keys.readable and bool(keys.keys)
    says = "The key set can be fetched from here; " if readable else ""
    return unknown(
        f"{says}this vendor fetches key sets from listed addresses only, and answers the same to one not listed.",
        get="whether the vendor's list holds the key set's address, from the vendor's developer support",
        address=settings.integration.auth.jwks_url,
    )


@check(
    id="auth.session.ended.online",
    step=Step.AUTHENTICATION,
    title="The sign-in does not end with the person's session",
    hints=causes.SESSION_ENDED,
    checklist=("TOKEN.7",),
    applies=lambda case: case.vendor.refresh_ends_with_session and case.integration.auth.flow == "provider-context",
)
def sign_in_outlives_the_session(settings: Settings, vendor: Vendor, trace: NoteTrace) -> Result:
    """With online_access the refresh token ends when the person signs out: what is sent later is sent by nobody."""
    granted = " ".join(token.asked.scope or "" for token in trace.tokens[-20:] if token.ok).split()
    asked = granted or list(settings.integration.auth.scopes)
    if "offline_access" in asked or "online_access" not in asked:
        return passed("The sign-in does not rest on online_access.")
    last = last_failure(trace)
    if last is None or (last.status not in (400, 401) and last.what != "token"):
        return passed("Nothing was refused for its sign-in.")
    life = vendor.profile.token_ttl_s
    return warned(
        "The scribe signs in with online_access: at this EHR the refresh token ends when the person signs out"
        + (f", and an access token lives {life} seconds." if life else "."),
        at=last.at, status=last.status,
    )  # fmt: skip


@check(
    id="auth.practice.scope.tenant",
    step=Step.AUTHENTICATION,
    title="The note went to the tenant the credential is for",
    hints=causes.PRACTICE_SCOPE,
    checklist=("WRITE.3",),
    applies=lambda case: case.vendor.tenant is not None,
)
def tenant_is_the_configured_one(settings: Settings, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """A tenant that is not the credential's is refused, often in words that read like a missing right."""
    rule, integration = vendor.profile.tenant, settings.integration
    urls = (integration.write_url, integration.fhir_base_url)
    configured = {tenant for url in urls if url and (tenant := rule.of(url))}
    expected = {integration.auth.practice_id} if integration.auth.practice_id else configured
    last = last_failure(trace) if trace is not None else None
    written = trace.last.url if trace is not None and trace.last is not None else None
    sent = rule.of(written) if written else None
    if last is not None and rule.refuses(last.status, last.answer.text):
        return failed(
            f"The EHR's answer says that it does not serve the {rule.name} the address names.",
            cause=causes.PRACTICE_SCOPE, strength=Strength.MODERATE, status=last.status, at=last.at,
            instant=Instant.THEN,
        )  # fmt: skip
    if not expected or sent is None:
        return not_applicable(f"The {rule.name} of the credential, or of the address, is not known.")
    if _bare(sent) in {_bare(each) for each in expected if each}:
        return passed(f"The note went to the {rule.name} that is configured.")
    if last is not None and last.status in (400, 401, 403, 404):
        return failed(
            f"The note was sent to {rule.name} {sent[:40]}; the credential is for {', '.join(sorted(expected))[:80]}.",
            status=last.status, at=last.at, instant=Instant.THEN,
        )  # fmt: skip
    return warned(f"The note was sent to {rule.name} {sent[:40]}, which is not the configured one.")


def _bare(tenant: str) -> str:
    return tenant.strip().lower()


def _signs_in(case: Case) -> bool:
    return any(known.surface == "token" for known in case.vendor.answers)


@check(
    id="auth.client.invalid.vendor",
    step=Step.AUTHENTICATION,
    title="The token endpoint's answer is none its vendor explains further",
    hints=(causes.CLIENT_INVALID, causes.SCOPE_INVALID, causes.GRANT_NOT_ENTITLED),
    checklist=("TOKEN.5",),
    applies=_signs_in,
)
def token_answer_by_vendor(vendor: Vendor, trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    """The same OAuth error means other things at other vendors: one sends its refusals as 500."""
    refused = refusal(trace, token)
    if refused is None:
        return passed("The token endpoint refused nothing.")
    known = vendor.profile.known_answer("oauth", refused.status, frozenset({refused.error}), refused.answer.text)
    facts: dict[str, Any] = {"status": refused.status, "error": refused.error, "at": refused.at}
    if known is None:
        return passed("The vendor's documentation says no more of this answer.", **facts)
    says = f"At {vendor.profile.name} this answer means: {known.says}."
    if known.cause is None:
        return unknown(says, get="the vendor's log of the token request", **facts)
    return failed(says, cause=catalog.cause(known.cause), strength=known.strength, instant=refused.instant, **facts)
