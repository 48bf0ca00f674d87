"""What the server shows now: every check reaches passed and failed, and its guards hold."""

from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.evidence.base import Evidence
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.seen import (
    answer,
    canary,
    capability,
    fault,
    judged,
    metadata,
    oauth,
    read_back,
    reads,
    token,
)
from tests.diagnostics.stories import case, integration, made, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
LOGIN = '<html><title>Sign in</title><form><input type="password" name="p"></form></html>'
PAGE = "<html><head><title>Patient portal</title></head><body><h1>404 Not found</h1></body></html>"
LIVE = case(integration=integration(environment="production"))
EPIC_SANDBOX = case(integration=integration(environment="production", vendor="epic",
                    fhir_base_url="https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4"))  # fmt: skip


def sent(status: int, **more: Any) -> Case:
    """Return a case whose note was answered with this status."""
    event = "acked" if status < 300 else "failed"
    return case([*made(), scribe(2, "sent"), scribe(3, event, status=status)], [], **more)


def before(**facts: Any) -> Case:
    """Return a refused note of an integration with an earlier good run."""
    return sent(422, baseline={"capability": facts})


ROWS: list[tuple[str, Case, list[Evidence], Outcome, Strength | None]] = [
    ("fhir.base.not_fhir", LIVE, [metadata()], PASSED, None),
    ("fhir.base.not_fhir", LIVE, [metadata(401)], PASSED, None),
    ("fhir.base.not_fhir", LIVE, [metadata(404, PAGE, content_type="text/html")], FAILED, D),
    ("fhir.base.not_fhir", LIVE, [metadata(200, '{"status": "up"}', content_type="application/json")], FAILED, D),
    ("fhir.base.not_fhir", LIVE, [metadata(200, LOGIN, content_type="text/html")], FAILED, M),
    ("fhir.base.not_fhir", LIVE, [metadata(302, headers={"location": "https://x.test/"})], FAILED, S),
    ("fhir.base.not_fhir", LIVE, [metadata(503)], UNKNOWN, None),
    ("fhir.base.not_fhir", LIVE, [metadata(None, fault=fault("timeout_first_byte", "waiting"))], UNKNOWN, None),
    ("fhir.base.not_fhir", LIVE, [metadata(None, fault=fault("protocol", "reading"))], FAILED, D),
    ("fhir.base.not_fhir", LIVE, [metadata(None, fault=fault("too_large", "reading"))], WARNING, None),
    ("fhir.base.environment", LIVE, [capability()], PASSED, None),
    ("fhir.base.environment", LIVE, [capability(description="The latest contest server")], PASSED, None),
    ("fhir.base.environment", LIVE, [capability(description="Public sandbox for developers")], FAILED, D),
    ("fhir.base.environment", EPIC_SANDBOX, [], FAILED, D),
    ("fhir.base.environment", case(), [capability()], UNKNOWN, None),
    ("fhir.base.environment", case(integration=integration(environment="sandbox")), [capability(description="demo")],
     PASSED, None),
    ("fhir.version.mismatch", LIVE, [capability()], PASSED, None),
    ("fhir.version.mismatch", LIVE, [capability(fhir_version="4.3.0")], PASSED, None),
    ("fhir.version.mismatch", LIVE, [capability(fhir_version="3.0.2")], FAILED, D),
    ("fhir.version.mismatch", LIVE, [capability(fhir_version="1.0.2", dstu2=True)], FAILED, D),
    ("fhir.version.mismatch", LIVE, [capability(fhir_version=None)], UNKNOWN, None),
    ("fhir.capability.create_missing", LIVE, [capability()], PASSED, None),
    ("fhir.capability.create_missing", LIVE, [capability(("read",))], FAILED, D),
    ("fhir.capability.create_missing", sent(404), [capability(("read",))], FAILED, D),
    ("fhir.capability.create_missing", sent(401), [capability(("read",))], FAILED, M),
    ("fhir.capability.create_missing", sent(201), [capability(("read",))], WARNING, None),
    ("fhir.capability.create_missing", LIVE, [capability(("read",)), canary()], WARNING, None),
    ("fhir.capability.create_missing", case(integration=integration(write_url="https://w.example.test/notes")),
     [capability(("read",))], NA, None),
    ("fhir.capability.create_missing", case(integration=integration(vendor="eclinicalworks")),
     [capability(("read",))], NA, None),
    ("fhir.capability.changed", before(interactions={"DocumentReference": ["create", "read"]}), [capability()],
     PASSED, None),
    ("fhir.capability.changed", before(interactions={"DocumentReference": ["create", "read"]}),
     [capability(("read",))], FAILED, M),
    ("fhir.capability.changed", before(software_version="0"), [capability()], WARNING, None),
    ("fhir.capability.changed", case(baseline={}), [capability()], UNKNOWN, None),
    ("fhir.readback.absent", sent(201), [read_back(1)], PASSED, None),
    ("fhir.readback.absent", sent(201), [read_back(0)], FAILED, M),
    ("fhir.readback.absent", sent(201), [read_back(0, locations=(answer(404),))], FAILED, M),
    ("fhir.readback.absent", sent(201), [read_back(0, locations=(answer(200),))], PASSED, None),
    ("fhir.readback.absent", sent(201), [read_back(None)], UNKNOWN, None),
    ("fhir.readback.absent", sent(422), [read_back(0)], NA, None),
    ("fhir.outcome.duplicate.stored", sent(201), [read_back(2, statuses=("current", "current"))], FAILED, M),
    ("fhir.outcome.duplicate.stored", sent(201), [read_back(2, statuses=("superseded", "current"))], PASSED, None),
    ("fhir.outcome.duplicate.stored", sent(201), [read_back(1, statuses=("current",))], PASSED, None),
    ("fhir.outcome.duplicate.stored", sent(201), [read_back(None)], UNKNOWN, None),
    ("fhir.outcome.duplicate.stored", sent(201), [], UNKNOWN, None),
    ("perm.scope.write_missing", LIVE, [token()], PASSED, None),
    ("perm.scope.write_missing", LIVE, [token(scope="system/*.write")], PASSED, None),
    ("perm.scope.write_missing", LIVE, [token(scope="system/DocumentReference.read")], FAILED, D),
    ("perm.scope.write_missing", LIVE, [token(scope="system/DocumentReference.rs system/Condition.cruds")], FAILED, D),
    ("perm.scope.write_missing", LIVE, [token(scope=None, requested_scope="system/DocumentReference.c")], PASSED, None),
    ("perm.scope.write_missing", LIVE, [token(scope="openid")], UNKNOWN, None),
    ("perm.scope.write_missing", LIVE, [oauth("invalid_client")], UNKNOWN, None),
    ("perm.read_ok_write_denied", LIVE, [reads(), canary(), token()], PASSED, None),
    ("perm.read_ok_write_denied", LIVE, [reads(), canary("refused", 403), token()], FAILED, D),
    ("perm.read_ok_write_denied", LIVE, [reads(), canary("refused", 422), token()], PASSED, None),
    ("perm.read_ok_write_denied", LIVE,
     [reads(), canary("refused", 403, body=LOGIN, content_type="text/html"), token()],
     PASSED, None),
    ("perm.read_ok_write_denied", LIVE, [reads(403), canary("refused", 403), token()], UNKNOWN, None),
    ("perm.read_ok_write_denied", LIVE, [reads(), canary("refused", 403), token(scope="system/DocumentReference.r")],
     NA, None),
    ("perm.read_ok_write_denied", sent(403), [reads(), token()], FAILED, M),
    ("perm.read_ok_write_denied", LIVE, [reads(), token()], UNKNOWN, None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "of", "evidence", "status", "strength"), ROWS)
def test_a_live_check_of_the_server_judges(
    check: str, of: Case, evidence: list[Evidence], status: Outcome, strength: Strength | None
) -> None:
    finding = judged(check, *evidence, of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says
