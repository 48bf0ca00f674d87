"""What the log says of tokens at the failure's instant: its words, its times, whose token it was."""

import json
from datetime import timedelta
from typing import Any

import pytest

from diagnostics.case import Auth, Case
from diagnostics.parsing.audit_event import audit_event_rows
from diagnostics.vocabulary import Instant, Outcome, Strength
from tests.diagnostics.checks.seen import dns, judged, oauth, reads, signing, token
from tests.diagnostics.stories import BASE, START, TOKEN_URL, Row, at, case, ehr, integration, made, note, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
PERSON = Auth(flow="provider-context", token_url=TOKEN_URL, client_id="c", refresh_token="r")
SECRET = Auth(flow="client-secret", token_url=TOKEN_URL, client_id="c", client_secret="s")
SAYS_EXPIRED = {"www-authenticate": 'Bearer error="invalid_token", error_description="The access token expired"'}
REVOKED = {"www-authenticate": 'Bearer error="invalid_token", error_description="The token was revoked"'}
INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}


def asked(second: float, status: int | None = None, error: Any = None, **more: Any) -> list[Row]:
    """Return a token request: issued, or refused where a status or an error is given."""
    body = error if error is None or isinstance(error, str) else json.dumps(error)
    if status == 200:
        return [scribe(second, "token", status=200, **({"expires_in": 300} | more))]
    headers = more.pop("h", None)
    answer = scribe(second + 1, "failed", url=TOKEN_URL, status=status, error=body, response_headers=headers)
    answer.pop("transaction_id")
    return [scribe(second, "token", **more), answer]


def wrote(second: float, status: int | None, error: str | None = None, **more: Any) -> list[Row]:
    """Return a write and its answer; words about the sending go by `sent`."""
    sent = more.pop("sent", {})
    return [
        scribe(second, "sent", **sent),
        scribe(second + 1, "acked" if status and status < 300 else "failed", status=status, error=error, **more),
    ]


def told(rows: list[Row], trail: list[Row] | None = None, auth: Auth | None = None, **more: Any) -> Case:
    """Return the story as a case."""
    return case([*made(), *rows], trail, integration=integration(**({"auth": auth} if auth else {})), **more)


SITE = {"site": "north"}
TABLE: list[tuple[str, Case, Outcome, Strength | None]] = [
    # the words of the failure's instant
    ("auth.token.expired", told(wrote(9, 401, response_headers=SAYS_EXPIRED)), FAILED, S),
    ("auth.token.expired", told(wrote(9, 401, "401 Unauthorized: the access token expired")), FAILED, S),
    ("auth.token.expired", told(wrote(9, 401, '{"error": "invalid_token", "error_description": "Token expired"}')),
     FAILED, S),
    ("auth.token.expired", told([*asked(2, 200), *wrote(9, 401, response_headers=SAYS_EXPIRED)]), FAILED, M),
    ("auth.token.expired", told([*asked(2, 200), *wrote(900, 422, '{"error": "invalid_token", "error_description": '
                                                                  '"The access token expired"}')]), FAILED, D),
    ("auth.token.expired", told(wrote(9, 401)), UNKNOWN, None),
    ("auth.token.expired", told(wrote(9, 422)), NA, None),
    # whose token it was
    ("auth.token.expired", told([*asked(2, 200, token_id="a"), *asked(800, 200, token_id="b", note_id="N-2"),
                                 *wrote(900, 401, sent={"token_id": "a"})]), FAILED, D),
    ("auth.token.expired", told([*asked(2, 200, token_id="a"), *asked(800, 200, token_id="b"),
                                 *wrote(900, 401, sent={"token_id": "b"})]), PASSED, None),
    ("auth.token.expired", told([*asked(2, 200, site="south"), *asked(3, 200, expires_in=3600, **SITE),
                                 *wrote(900, 401, sent=SITE)]), PASSED, None),
    # a second attempt: the last answer decides
    ("auth.token.expired", told([*asked(2, 200), *wrote(900, 401), *asked(905, 200), *wrote(910, 422)]), NA, None),
    ("auth.http401.classify", told(wrote(9, 401, response_headers=REVOKED)), FAILED, S),
    ("auth.http401.classify", told([*asked(2, 200), *wrote(9, 401, response_headers=INVALID)]), UNKNOWN, None),
    ("auth.http401.classify", told([*asked(2, 200), *wrote(9, 401), *wrote(20, 422)]), PASSED, None),
    # the last token that was issued, and the requests in vain since
    ("auth.refresh.last_success_gap", told([*asked(-3600, 200), *asked(2, 400), *asked(60, 400)]), FAILED, S),
    ("auth.refresh.last_success_gap", told([*asked(-3600, 200), *asked(2, 400, {"error": "invalid_client"})]),
     WARNING, None),
    ("auth.refresh.last_success_gap", told([*asked(-3600, 200), *asked(2, 503)]), WARNING, None),
    ("auth.refresh.last_success_gap", told([*asked(-300, 200), *asked(2, 400)]), PASSED, None),
    ("auth.refresh.last_success_gap", told([*asked(-3600, 200), *wrote(9, 401)]), PASSED, None),  # idle: no request
    ("auth.refresh.last_success_gap", told([*asked(-3600, 200), *asked(2, 400), *asked(60, 200), *wrote(70, 422)]),
     PASSED, None),
    ("auth.refresh.last_success_gap", told(asked(2, 400)), UNKNOWN, None),
    ("auth.refresh.last_success_gap", told([*asked(2, 200), *wrote(9, 201)]), PASSED, None),
    ("auth.refresh.last_success_gap", told([*asked(-3600, 200), *asked(2, 400)], auth=Auth(flow="none")), NA, None),
    # a refresh token
    ("auth.refresh.invalid.log", told(asked(2, 400, {"error": "invalid_grant"}), auth=PERSON), FAILED, D),
    ("auth.refresh.invalid.log", told([*asked(1, 200, note_id="N-2"), *asked(2, 400, {"error": "invalid_grant"})],
                                      auth=PERSON), FAILED, S),
    ("auth.refresh.invalid.log", told(asked(2, 400, {"error": "invalid_grant", "error_description":
                                                     "Account disabled"}), auth=PERSON), FAILED, M),
    ("auth.refresh.invalid.log", told(asked(2, 400, {"error": "invalid_grant"}), auth=SECRET), NA, None),
    # a rotation, and a token issued after it
    ("auth.credential.rotated", told(asked(2, 401, {"error": "invalid_client"}),
                                     [ehr(-60, "change", change={"kind": "credential", "what": "secret"})],
                                     auth=SECRET), FAILED, S),
    ("auth.credential.rotated", told([*asked(-30, 200), *asked(2, 401, {"error": "invalid_client"})],
                                     [ehr(-60, "change", change={"kind": "credential", "what": "secret"})],
                                     auth=SECRET), PASSED, None),
    # a client that an access review switched off; a grant taken away is another matter
    ("auth.client.deactivated", told(asked(2, 401, {"error": "unauthorized_client"}),
                                     [ehr(-60, "change", change={"kind": "role", "what": "access review: account svc",
                                                                 "from": "active", "to": "inactive"})]), FAILED, S),
    ("auth.client.deactivated", told(asked(2, 401, {"error": "invalid_client"}),
                                     [ehr(-60, "change", change={"kind": "role", "what": "account svc",
                                                                 "from": "document:write", "to": "removed"})]),
     PASSED, None),
    ("auth.client.deactivated.said", told(asked(2, 401, {"error": "invalid_client", "error_description":
                                                         "Client is disabled"})), FAILED, S),
    ("auth.client.deactivated.said", told(asked(2, 401, {"error": "invalid_client"})), PASSED, None),
    ("auth.client.deactivated.said", told([]), NA, None),
    ("auth.audience.fhir_base.said", told(asked(2, 400, {"error": "invalid_target"})), FAILED, S),
    ("auth.audience.fhir_base.said", told(asked(2, 400, {"error": "invalid_client"})), PASSED, None),
    # a grant that is closed, where the server tells a bad credential apart
    ("auth.grant.not_entitled", told([*asked(-60, 401, {"error": "invalid_client"}),
                                      *asked(2, 400, {"error": "unauthorized_client"})]), FAILED, D),
    ("auth.grant.not_entitled", told(asked(2, 400, {"error": "unauthorized_client"})), FAILED, S),
    # one token used again and again; two tokens used once each are no cache's fault
    ("auth.token.cached_past_expiry", told([*asked(2, 200, token_id="a"), *asked(3, 200, token_id="b"),
                                            *wrote(900, 401, sent={"token_id": "a"}),
                                            *wrote(910, 401, sent={"token_id": "b"})]), PASSED, None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "of", "status", "strength"), TABLE)
def test_a_record_of_tokens_is_judged(check: str, of: Case, status: Outcome, strength: Strength | None) -> None:
    finding = judged(check, of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says


def test_that_the_ehr_cannot_be_asked_now_is_told_beside_its_words_of_then() -> None:
    story = told(wrote(9, 401, response_headers=SAYS_EXPIRED))
    finding = judged("auth.token.expired", dns("nxdomain"), of=story)
    assert (finding.status, finding.strength, finding.instant) == (FAILED, S, Instant.THEN)
    assert "cannot be asked now" in finding.says
    assert "cannot be asked now" not in judged("auth.token.expired", of=story).says


def logout(second: float, **more: Any) -> list[Row]:
    change = {"kind": "session", "what": "session of the user ended", "to": "logged out"}
    return [ehr(second, "change", **({"change": change, "author_id": "prov-7"} | more))]


GRANTED = asked(2, 200, scope="user/DocumentReference.write online_access")
SESSIONS: list[tuple[list[Row], list[Row] | None, Auth, Outcome, Strength | None]] = [
    ([*GRANTED, *wrote(200, 401)], logout(100), PERSON, FAILED, S),
    ([*GRANTED, *wrote(200, 401)], logout(100, author_id="prov-9"), PERSON, FAILED, M),  # online_access only
    ([*asked(2, 200), *wrote(200, 401)], logout(100, author_id="prov-9"), PERSON, UNKNOWN, None),
    ([*asked(2, 200), *wrote(200, 401)], logout(300), PERSON, UNKNOWN, None),  # after the failure
    ([*asked(150, 200), *wrote(200, 401)], logout(100), PERSON, UNKNOWN, None),  # a token of the time after
    ([*GRANTED, scribe(100, "queued"), *wrote(200, 401)], logout(90), PERSON, FAILED, M),  # sent late by design
    ([*asked(2, 400, {"error": "invalid_grant", "error_description": "Session not active"})], None, PERSON, FAILED, S),
    ([*asked(2, 400, {"error": "invalid_grant", "error_description": "The refresh token expired due to inactivity"})],
     None, PERSON, UNKNOWN, None),
    ([*GRANTED, *wrote(200, 403)], logout(100), PERSON, PASSED, None),
    ([*GRANTED, *wrote(200, 201)], logout(100), PERSON, PASSED, None),
    ([*GRANTED, *wrote(200, 401)], logout(100), SECRET, NA, None),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "trail", "auth", "status", "strength"), SESSIONS)
def test_a_session_that_ended_takes_its_token_with_it(
    rows: list[Row], trail: list[Row] | None, auth: Auth, status: Outcome, strength: Strength | None
) -> None:
    finding = judged("auth.session.ended", of=told(rows, trail, auth, the_note=note(provider_id="prov-7")))
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says


def test_a_logout_is_read_from_an_audit_event_as_well() -> None:
    event = {
        "resourceType": "AuditEvent",
        "recorded": at(100),
        "subtype": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110123", "display": "Logout"}],
        "agent": [{"who": {"reference": "Practitioner/prov-7"}}],
    }
    (row,) = audit_event_rows(event)
    of = told([*asked(2, 200), *wrote(200, 401)], [dict(row)], PERSON, the_note=note(provider_id="prov-7"))
    assert judged("auth.session.ended", of=of).strength is S


def aimed(audience: str | None) -> Auth:
    return Auth(flow="provider-context", token_url=TOKEN_URL, client_id="c", refresh_token="r", audience=audience)


AUDIENCES: list[tuple[list[Row], Auth, list[Any], Outcome, Strength | None]] = [
    (asked(2, 400, {"error": "invalid_request", "error_description": "unknown aud"}), aimed(BASE + "/"), [], FAILED, S),
    (asked(2, 400, {"error": "invalid_grant"}), aimed(BASE + "/"), [], FAILED, M),
    (asked(2, 400, {"error": "invalid_scope"}), aimed(BASE + "/"), [], WARNING, None),
    (wrote(9, 401), aimed("https://ehr.example.test/other"), [], FAILED, S),
    (wrote(9, 422), aimed(BASE + "/"), [], WARNING, None),
    (wrote(9, 201), aimed(BASE + "/"), [], WARNING, None),
    (wrote(9, 401), aimed(BASE), [], PASSED, None),
    (wrote(9, 401), aimed(None), [], PASSED, None),
    (wrote(9, 401), aimed(BASE + "/"), [token(), reads()], WARNING, None),
    (wrote(9, 401), SECRET, [], NA, None),
]


@pytest.mark.parametrize(("rows", "auth", "evidence", "status", "strength"), AUDIENCES)
def test_the_audience_of_a_provider_s_sign_in_is_the_base_letter_by_letter(
    rows: list[Row], auth: Auth, evidence: list[Any], status: Outcome, strength: Strength | None
) -> None:
    finding = judged("auth.audience.fhir_base", *evidence, of=told(rows, [], auth))
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says


def test_without_a_base_nothing_is_said_of_the_audience() -> None:
    story = case(made(), integration=integration(auth=aimed(BASE), fhir_base_url=None))
    assert judged("auth.audience.fhir_base", of=story).status is UNKNOWN


DAYS = [asked(-h * 3600.0, 200, expires_in=3600)[0] for h in (80, 60, 40, 30)]


def test_a_shorter_lifetime_shows_in_the_log_itself_where_no_good_run_is_kept() -> None:
    short = [*DAYS, *asked(-600, 200, expires_in=300), *wrote(900, 401, response_headers=INVALID)]
    upgrade = [ehr(-7200, "change", change={"kind": "upgrade", "what": "sign-in server"})]
    assert judged("auth.token.ttl_changed", of=told(short)).strength is M
    assert judged("auth.token.ttl_changed", of=told(short, upgrade)).strength is S
    same = [*DAYS, *asked(-600, 200, expires_in=3590), *wrote(900, 401)]
    assert judged("auth.token.ttl_changed", of=told(same)).status is PASSED
    assert judged("auth.token.ttl_changed", of=told(wrote(900, 401))).status is UNKNOWN


def test_a_clock_is_blamed_only_for_refusals_it_can_bring_about() -> None:
    def story(error: str, offset: float, **headers: str) -> Case:
        date = (START + timedelta(seconds=3 + offset)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        rows = [*made(), *asked(2, 400, {"error": error}, h={"date": date} | headers)]
        return case(rows, [], integration=signing())

    check = "auth.assertion.clock_skew.log"
    assert judged(check, of=story("invalid_client", 400)).strength is D
    assert judged(check, of=story("invalid_scope", 400)).status is WARNING
    assert judged(check, of=story("invalid_client", 400, **{"x-cache": "HIT from edge"})).status is UNKNOWN
    assert judged(check, of=story("invalid_client", 400, age="30")).status is UNKNOWN
    live = oauth("invalid_scope", clock_offset_s=420.0)
    assert judged("auth.assertion.clock_skew", live, of=case(integration=signing())).status is WARNING


@pytest.mark.parametrize(
    ("location", "status", "strength"),
    [
        ("https://idp.example.test/authorize", FAILED, D),
        ("https://ehr.example.test/login?next=/token", FAILED, D),
        ("https://elsewhere.example.test/x", FAILED, S),
        ("https://gateway.zscaler.example.test/coaching", PASSED, None),
        ("http://captive.guest.example.test/hello", PASSED, None),
        ("", PASSED, None),
    ],
)
def test_a_redirect_asks_a_person_only_where_it_leads_to_a_sign_in(
    location: str, status: Outcome, strength: Strength | None
) -> None:
    rows = wrote(9, 302, response_headers={"location": location})
    finding = judged("auth.mfa.challenge.log", of=told(rows, auth=PERSON))
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says
