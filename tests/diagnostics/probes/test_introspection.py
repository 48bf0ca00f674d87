"""The introspection probe shows the token to the token server only, and a refusal says nothing of the token."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from diagnostics.case import Auth, Case
from diagnostics.evidence.auth import Discovery, TokenIntrospection
from diagnostics.evidence.base import Missing
from diagnostics.gather import NO_SUCH_THING, Context
from diagnostics.net import Exchange
from diagnostics.probes.introspection import introspect
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.seen import answer, discovery, judged, reads, token
from tests.diagnostics.stories import START, TOKEN_URL, case, ehr, integration, made, scribe

BESIDE = "https://AUTH.example.test:443/introspect"
SECRET = Auth(flow="client-secret", token_url=TOKEN_URL, client_id="c", client_secret="planted-secret")
PASSED, FAILED, UNKNOWN, NA = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


@dataclass
class Door:
    """Stand where the door to the network stands, and keep what was posted."""

    access_token: str | None = "planted-token"
    status: int = 200
    body: str = '{"active": false}'
    posted: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    async def http(self, purpose: str, method: str, url: str, *, headers: Any, content: bytes) -> Exchange:
        self.posted.append((url, dict(headers), content.decode()))
        return Exchange(purpose, method, url, datetime(2026, 3, 2, tzinfo=UTC), status=self.status,
                        headers={"content-type": "application/json"}, body=self.body.encode())  # fmt: skip


def asked(door: Door, found: Discovery | None, auth: Auth = SECRET) -> TokenIntrospection | Missing:
    the_case = replace(case(integration=integration(auth=auth)), offline=False)
    return asyncio.run(introspect(Context(the_case, door, "here", ()), token(), found))


def test_the_token_is_asked_about_once_with_the_client_s_own_proof() -> None:
    door = Door(body=json.dumps({"active": True, "scope": "system/DocumentReference.c", "exp": START.timestamp()}))
    said = asked(door, discovery(introspection_endpoint=BESIDE))
    assert isinstance(said, TokenIntrospection)
    assert (said.active, said.scope, said.expires_at) == (True, "system/DocumentReference.c", START)
    (url, headers, content), *more = door.posted
    assert (url, more) == (BESIDE, [])
    assert parse_qs(content)["token"] == ["planted-token"]
    assert headers["Authorization"].startswith("Basic ")
    assert "planted" not in repr(said)


@pytest.mark.parametrize(
    ("found", "auth", "because"),
    [
        (None, SECRET, NO_SUCH_THING),
        (discovery(), SECRET, NO_SUCH_THING),
        (discovery(introspection_endpoint="https://thief.example.test/introspect"), SECRET, "no token is shown"),
        (discovery(introspection_endpoint="http://auth.example.test/introspect"), SECRET, "no token is shown"),
        (discovery(introspection_endpoint="https://auth.example.test:8443/x"), SECRET, "no token is shown"),
        (discovery(introspection_endpoint="https://[bad/x"), SECRET, "no token is shown"),
        (discovery(introspection_endpoint=BESIDE), replace(SECRET, client_secret=None), "no credential"),
    ],
)
def test_nothing_is_shown_where_it_need_not_be(found: Discovery | None, auth: Auth, because: str) -> None:
    door = Door()
    said = asked(door, found, auth)
    assert isinstance(said, Missing)
    assert because in said.because
    assert door.posted == []


@pytest.mark.parametrize("body", ["", "[]", "null", '{"active": "no"}', "[" * 3000, '{"active": 0, "exp": 1e400}'])
def test_a_body_that_says_nothing_leaves_it_open(body: str) -> None:
    said = asked(Door(body=body), discovery(introspection_endpoint=BESIDE))
    assert isinstance(said, TokenIntrospection)
    assert (said.active, said.expires_at) == (None, None)


def introspected(active: bool | None, status: int = 200) -> TokenIntrospection:
    return TokenIntrospection(answer=answer(status), active=active)


def test_an_inactive_token_is_proof_where_the_ehr_does_not_take_it() -> None:
    finding = judged("auth.token.inactive", introspected(False), reads(401))
    assert (finding.status, finding.strength) == (FAILED, Strength.DECISIVE)
    assert judged("auth.token.inactive", introspected(False), reads()).status is PASSED
    assert judged("auth.token.inactive", introspected(True)).status is PASSED
    assert judged("auth.token.inactive", introspected(None, 401)).status is UNKNOWN
    assert judged("auth.token.inactive").status is UNKNOWN


INVALID = {"www-authenticate": 'Bearer error="invalid_token"'}
SAID = {"www-authenticate": 'Bearer error="invalid_token", error_description="The token was revoked"'}
TAKEN_BACK = {"kind": "credential", "what": "all tokens of client scribe-writer", "to": "revoked"}


def story(sent_at: float, headers: dict[str, str] | None, change_at: float | None = None, status: int = 401) -> Case:
    rows = [*made(), scribe(2, "token", status=200, expires_in=300), scribe(sent_at, "sent")]
    rows += [scribe(sent_at + 1, "failed", status=status, response_headers=headers)]
    return case(rows, [] if change_at is None else [ehr(change_at, "change", change=TAKEN_BACK)])


@pytest.mark.parametrize(
    ("of", "status"),
    [
        (story(100, INVALID, 50), FAILED),
        (story(100, SAID), FAILED),
        (story(100, INVALID, -50), UNKNOWN),  # before the token was issued
        (story(100, INVALID, 150), UNKNOWN),  # after the failure
        (story(100, INVALID), UNKNOWN),
        (story(900, INVALID, 50), PASSED),  # it had ended anyway
        (story(100, None), PASSED),
        (story(100, INVALID, 50, 403), NA),
    ],
)
def test_a_revocation_that_is_on_record(of: Case, status: Outcome) -> None:
    finding = judged("auth.token.inactive.log", of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (
        status,
        Strength.STRONG if status is FAILED else None,
    ), finding.says
