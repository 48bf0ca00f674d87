"""Sign-in by what is known of a vendor: each rule shown, refuted, guarded, and silent where nothing is known."""

from typing import Any

import pytest

from diagnostics.case import Auth, Case
from diagnostics.checks.step1_authentication.enablement import enabled_row
from diagnostics.evidence.logs import EhrRow
from diagnostics.findings import Finding
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import outcome
from tests.diagnostics.checks.seen import capability, judged, keys, oauth, token

PASSED, FAILED, WARNING, UNKNOWN, NA = (
    Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE,
)  # fmt: skip
HOUR = 3600.0


def refused(error: str = "invalid_client", status: int = 401, *, at: float = 2) -> list[stories.Row]:
    """Return the rows of a note whose token request was refused."""
    answer = stories.scribe(at + 1, "failed", url=stories.TOKEN_URL, status=status, error=f'{{"error": "{error}"}}')
    return [*stories.made(), stories.scribe(at, "token"), answer]


def granted() -> list[stories.Row]:
    return [*stories.made(), stories.scribe(2, "token", status=200, expires_in=300)]


def change(hours_before: float, kind: str, what: str, to: str, **more: Any) -> stories.Row:
    """Return a change row so many hours before the story."""
    row = {"at": stories.at(-hours_before * HOUR), "event": "change"}
    return row | {"change": {"kind": kind, "what": what, "from": more.get("before", ""), "to": to}}


def epic(rows: list[stories.Row] | None, audit: list[stories.Row] | None, vendor: str = "epic", **auth: Any) -> Case:
    held = {"flow": "backend-services", "token_url": stories.TOKEN_URL, "client_id": "scribe-writer"} | auth
    return stories.case(rows, audit, integration=stories.integration(vendor=vendor, auth=Auth(**held)))


def enabled(hours: float) -> list[stories.Row]:
    return [change(hours, "credential", "client scribe-writer", "enabled for this site")]


@pytest.mark.parametrize(
    ("what", "of", "status"),
    [
        ("six hours after", epic(refused(), enabled(6)), FAILED),
        ("twelve hours and a bit after", epic(refused(), enabled(12.5)), WARNING),
        ("a day and more after", epic(refused(), enabled(25)), PASSED),
        ("another refusal", epic(refused("invalid_scope", 400), enabled(6)), PASSED),
        ("a token came", epic(granted(), enabled(6)), PASSED),
        ("no enablement in the log", epic(refused(), []), PASSED),
        ("no log of the EHR", epic(refused(), None), UNKNOWN),
        ("a vendor without a synchronization", epic(refused(), enabled(6), "nextgen"), NA),
        ("enabled after the refusal", epic(refused(), enabled(-1)), PASSED),
    ],
)
def test_a_client_enabled_hours_ago_may_not_be_known_yet(what: str, of: Case, status: Outcome) -> None:
    found = judged("auth.client.not_activated", of=of)
    assert found.status is status, (what, found.says)
    if status is FAILED:
        assert found.strength is Strength.MODERATE


def test_a_second_token_request_counts_by_its_own_time() -> None:
    rows = [*refused(), *refused(at=13 * HOUR)[2:]]
    assert judged("auth.client.not_activated", of=epic(rows, enabled(1))).status is WARNING


@pytest.mark.parametrize(
    ("what", "to", "is_one"),
    [
        ("client scribe-writer", "enabled", True),
        ("app download", "activated for North Campus", True),
        ("client scribe-writer", "disabled", False),
        ("client scribe-writer", "deactivated", False),
        ("client secret", "rotated and active", False),
        ("signing key", "replaced", False),
        ("client scribe-writer", "not enabled", False),
        ("active client", "revoked", False),
    ],
)
def test_enabling_a_client_is_told_from_replacing_or_ending_it(what: str, to: str, is_one: bool) -> None:
    row = EhrRow(at=stories.START, event="change", change={"kind": "credential", "what": what, "to": to})
    assert enabled_row(row) is is_one


def test_an_enablement_is_no_rotation() -> None:
    assert judged("auth.credential.rotated", of=epic(refused(), enabled(6))).status is PASSED
    rotated = [change(1, "credential", "client secret", "rotated")]
    assert judged("auth.credential.rotated", of=epic(refused(), rotated)).status is FAILED


UPGRADED = [change(15, "upgrade", "the EHR", "May 2026", before="February 2026")]


@pytest.mark.parametrize(
    ("what", "of", "evidence", "status"),
    [
        ("upgraded, no key set", epic(refused(), UPGRADED), (), FAILED),
        ("the server's own words", epic(refused(), []), (capability(software_version="August 2026"),), FAILED),
        ("upgraded, with a key set", epic(refused(), UPGRADED, jwks_url="https://keys.example.test/k"), (), PASSED),
        ("an older release", epic(refused(), []), (capability(software_version="November 2025"),), PASSED),
        ("tokens still come", epic(granted(), UPGRADED), (), WARNING),
        ("refused for something else", epic(refused("invalid_scope", 400), UPGRADED), (), PASSED),
        ("release not known", epic(refused(), []), (), UNKNOWN),
        ("release not known, nothing refused", epic(granted(), []), (), PASSED),
        ("another vendor", epic(refused(), UPGRADED, "oracle-health"), (), NA),
        ("no signed assertion", epic(refused(), UPGRADED, flow="client-secret"), (), NA),
        ("the upgrade came after", epic(refused(), [change(-1, "upgrade", "the EHR", "May 2026")]), (), UNKNOWN),
    ],
)
def test_uploaded_keys_end_with_the_customer_s_upgrade(what: str, of: Case, evidence: Any, status: Outcome) -> None:
    found = judged("auth.jwks.static_key_retired", *evidence, of=of)
    assert found.status is status, (what, found.says)
    if status is FAILED:
        assert found.strength is Strength.STRONG and "contradict" in found.says


def at_ecw(rows: list[stories.Row], vendor: str = "eclinicalworks", **auth: Any) -> Case:
    return epic(rows, None, vendor, **({"jwks_url": "https://keys.example.test/jwks.json"} | auth))


@pytest.mark.parametrize(
    ("of", "status"),
    [
        (at_ecw(refused()), UNKNOWN),
        (at_ecw(granted()), PASSED),
        (at_ecw(refused(), jwks_url=None), NA),
        (at_ecw(refused(), "epic"), NA),
    ],
)
def test_a_list_of_key_set_addresses_is_asked_for_and_never_blamed(of: Case, status: Outcome) -> None:
    found = judged("auth.jwks.unreachable.listed", keys(), of=of)
    assert found.status is status, found.says
    if status is UNKNOWN:
        assert "can be fetched from here" in found.says and "list" in found.missing


def at_millennium(rows: list[stories.Row], *scopes: str, vendor: str = "oracle-health", **auth: Any) -> Case:
    return epic(rows, None, vendor, **({"flow": "provider-context", "scopes": scopes} | auth))


REFRESH = refused("invalid_grant", 400)


@pytest.mark.parametrize(
    ("of", "status"),
    [
        (at_millennium(REFRESH, "online_access", "user/DocumentReference.write"), WARNING),
        (at_millennium(REFRESH, "offline_access", "online_access"), PASSED),
        (at_millennium(REFRESH, "user/DocumentReference.write"), PASSED),
        (at_millennium(granted(), "online_access"), PASSED),
        (at_millennium(REFRESH, "online_access", vendor="epic"), NA),
        (at_millennium(REFRESH, "online_access", flow="backend-services"), NA),
    ],
)
def test_online_access_is_told_to_end_with_the_session(of: Case, status: Outcome) -> None:
    assert judged("auth.session.ended.online", of=of).status is status


def written_to(url: str, status: int | None, error: str = "", vendor: str = "athenahealth", **auth: Any) -> Finding:
    """Judge a note sent to an address; None: it was taken."""
    answer = {"status": status, "error": error} if status else {"status": 201}
    rows = [*stories.made(), stories.scribe(2, "sent", url=url),
            stories.scribe(3, "failed" if status else "acked", **answer)]  # fmt: skip
    base = "https://api.platform.athenahealth.com/v1/195900"
    held = Auth(flow="client-secret", client_id="scribe-writer", **auth)
    made = stories.integration(vendor=vendor, auth=held, write_url=base)
    return judged("auth.practice.scope.tenant", of=stories.case(rows, integration=made))


HOME = "https://api.platform.athenahealth.com/v1/195900/patients/4/documents/clinicaldocument"
AWAY = HOME.replace("195900", "24680")


@pytest.mark.parametrize(
    ("url", "answer", "more", "status"),
    [
        (AWAY, 403, {}, FAILED),
        (AWAY, 403, {"practice_id": "24680"}, PASSED),
        (HOME, 403, {}, PASSED),
        (HOME, 403, {"practice_id": "24680"}, FAILED),
        (AWAY, None, {}, WARNING),
        (AWAY, 500, {}, WARNING),
        ("https://ehr.example.test/notes", 403, {}, NA),
        (AWAY, 403, {"vendor": "epic"}, NA),
    ],
)
def test_a_note_sent_to_another_practice_is_named(
    url: str, answer: int | None, more: dict[str, str], status: Outcome
) -> None:
    found = written_to(url, answer, **more)
    assert found.status is status, found.says


def test_an_answer_that_speaks_of_the_tenant_is_read_by_the_vendor_s_words() -> None:
    said = written_to(HOME, 404, "Service not registered with API gateway.")
    assert (said.status, said.strength) == (FAILED, Strength.MODERATE)


@pytest.mark.parametrize(
    ("vendor", "error", "status", "cause", "strength"),
    [
        ("eclinicalworks", "access_denied", 500, "auth.client.invalid", Strength.MODERATE),
        ("eclinicalworks", "invalid_grant", 400, "auth.scope.invalid", Strength.MODERATE),
        ("eclinicalworks", "invalid_client", 401, "auth.client.invalid", Strength.STRONG),
        ("meditech", "unauthorized_client", 400, "auth.grant.not_entitled", Strength.STRONG),
        ("meditech", "invalid_client", 401, "auth.client.invalid", Strength.STRONG),
    ],
)
def test_a_token_refusal_is_read_as_its_vendor_means_it(
    vendor: str, error: str, status: int, cause: str, strength: Strength
) -> None:
    found = judged("auth.client.invalid.vendor", of=epic(refused(error, status), None, vendor))
    assert found.status is FAILED and found.cause is not None
    assert (found.cause.id, found.strength) == (cause, strength)


def test_a_token_answer_that_no_vendor_explains_says_nothing() -> None:
    assert judged("auth.client.invalid.vendor", of=epic(refused("slow_down", 400), None, "meditech")).status is PASSED
    assert judged("auth.client.invalid.vendor", of=epic(granted(), None, "meditech")).status is PASSED
    assert judged("auth.client.invalid.vendor", of=epic(refused(), None, "epic")).status is NA
    live = judged("auth.client.invalid.vendor", oauth("unauthorized_client"), of=epic(None, None, "meditech"))
    assert live.status is FAILED
    assert judged("auth.client.invalid.vendor", token(), of=epic(None, None, "meditech")).status is PASSED


@pytest.mark.parametrize(
    ("vendor", "status", "error", "expected"),
    [
        ("eclinicalworks", 403, "", FAILED),
        ("eclinicalworks", 403, '{"status": "139", "errorKey": "ENCOUNTER_IS_LOCKED"}', PASSED),
        ("eclinicalworks", 403, outcome("forbidden", "Insufficient scope for this request"), PASSED),
        ("eclinicalworks", 422, "", PASSED),
        ("epic", 403, "", NA),
    ],
)
def test_an_extra_key_is_missed_only_where_the_vendor_has_one_and_nothing_else_is_named(
    vendor: str, status: int, error: str, expected: Outcome
) -> None:
    rows = [*granted(), stories.scribe(3, "sent"), stories.scribe(4, "failed", status=status, error=error)]
    assert judged("auth.apikey.missing", of=epic(rows, None, vendor)).status is expected
