"""What the log says of the failure's instant stands where the endpoint cannot be asked now."""

import json

import pytest

from diagnostics import catalog
from diagnostics.conclude import conclude
from diagnostics.evidence.logs import NoteTrace
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.vocabulary import Certainty
from tests.diagnostics.checks.charts import outcome
from tests.diagnostics.checks.seen import dns, fault, signing, tcp, tls
from tests.diagnostics.stories import Row, case, made, scribe

EXPIRED = {"www-authenticate": 'Bearer error="invalid_token", error_description="The access token expired"'}
SCOPE = {"www-authenticate": 'Bearer error="insufficient_scope"'}


def wrote(status: int, error: str | None = None, headers: dict[str, str] | None = None) -> list[Row]:
    return [*made(), scribe(3, "sent"), scribe(4, "failed", status=status, error=error, response_headers=headers)]


def asked(error: str, words: str) -> list[Row]:
    told = json.dumps({"error": error, "error_description": words})
    row = scribe(3, "failed", url="https://auth.example.test/token", status=401, error=told)
    return [*made(), scribe(2, "token"), {k: v for k, v in row.items() if k != "transaction_id"}]


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        (wrote(401, headers=EXPIRED), "auth.token.expired"),
        (wrote(401, "401 Unauthorized: the access token expired"), "auth.token.expired"),
        (wrote(401, '{"error": "invalid_token", "error_description": "The token was revoked"}'), "auth.token.inactive"),
        (wrote(403, outcome("forbidden"), SCOPE), "perm.scope.write_missing"),
        (wrote(403, '{"error": "account_locked"}'), "perm.account.inactive"),
        (asked("invalid_client", "Client is disabled"), "auth.client.deactivated"),
        (asked("invalid_client", "no matching key for kid"), "auth.assertion.kid"),
    ],
)
@pytest.mark.parametrize(
    "closed",
    [
        (dns("nxdomain"), dns("nxdomain", "auth.example.test")),
        (tcp("refused"), tcp("timeout_connect", "auth.example.test")),
        (tls(fault("tls", verify_code=10)), tls(fault("tls", verify_code=10), "auth.example.test")),
    ],
    ids=["no name", "no connection", "bad certificate"],
)
def test_a_recorded_refusal_outranks_a_way_that_is_closed_now(rows: list[Row], cause: str, closed: tuple) -> None:
    story = case(rows, [], integration=signing())
    bag = read_parts(story)
    for seen in closed:
        bag.put(seen)
    findings = judge(story, bag, catalog.checks().values())
    root = conclude(findings, bag.get(NoteTrace)).root
    assert root is not None
    assert (root.cause.id, root.certainty) == (cause, Certainty.LIKELY)
