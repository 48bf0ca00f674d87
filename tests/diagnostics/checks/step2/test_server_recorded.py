"""What addresses and recorded answers say of the server, without asking it."""

from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.seen import judged
from tests.diagnostics.stories import BASE, TOKEN_URL, case, integration, made, scribe

PASSED, FAILED, NA = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
PAGE = "<html><title>Welcome</title><p>Please start at the front page.</p></html>"
HTML = {"content-type": "text/html"}
OLD = integration(fhir_base_url="https://e.example.test/api/DSTU2/")
WELL_KNOWN = "https://auth.example.test/.well-known/smart-configuration"


def sent(status: int, error: str = "", url: str = f"{BASE}/DocumentReference", **more: Any) -> Case:
    """Return a note that was answered so."""
    failed = scribe(3, "failed", status=status, error=error, **more)
    return case([*made(), scribe(2, "sent", url=url), failed], [])


def asked(status: int | None, url: str = TOKEN_URL, *, before: bool = False, error: str = "", **more: Any) -> Case:
    """Return a token request that was answered so."""
    early = [scribe(-100, "token", url=url, status=200)] if before else []
    failed = scribe(3, "failed", url=url, status=status, error=error, **more)
    return case([*early, *made(), scribe(2, "token", url=url, note_id="N-1"), failed], [])


@pytest.mark.parametrize(
    ("check", "of", "status", "strength"),
    [
        ("fhir.version.mismatch.url", case(), PASSED, None),
        (
            "fhir.version.mismatch.url",
            case(integration=integration(fhir_base_url="https://e.test/api/DSTU2/")),
            FAILED,
            D,
        ),
        ("fhir.version.mismatch.url", sent(404, url="https://e.test/fhir/STU3/DocumentReference"), FAILED, D),
        ("fhir.version.mismatch.url", case(integration=integration(protocol="hl7v2")), NA, None),
        ("fhir.base.not_fhir.log", sent(404, PAGE, response_headers=HTML), FAILED, S),
        ("fhir.base.not_fhir.log", sent(404, PAGE, response_headers=HTML | {"via": "1.1 gw"}), PASSED, None),
        ("fhir.base.not_fhir.log", sent(404, '{"resourceType": "OperationOutcome", "issue": []}'), PASSED, None),
        ("fhir.base.not_fhir.log", sent(422, PAGE), PASSED, None),
        ("fhir.base.not_fhir.log", case(made()), NA, None),
        ("auth.discovery.unreachable.log", asked(503, WELL_KNOWN), FAILED, S),
        ("auth.discovery.unreachable.log", asked(None, WELL_KNOWN, error="connect ECONNREFUSED"), PASSED, None),
        ("auth.discovery.unreachable.log", asked(503), PASSED, None),
        ("auth.discovery.unreachable.log", case(made()), NA, None),
        ("auth.discovery.token_endpoint_changed.log", asked(404, before=True), FAILED, S),
        ("auth.discovery.token_endpoint_changed.log", asked(404), FAILED, M),
        ("auth.discovery.token_endpoint_changed.log", asked(404, error='{"error": "invalid_client"}'), PASSED, None),
        ("auth.discovery.token_endpoint_changed.log", asked(400), PASSED, None),
        ("auth.discovery.token_endpoint_changed.log", asked(404, WELL_KNOWN), PASSED, None),
        ("auth.discovery.token_endpoint_changed.log", case(made()), NA, None),
    ],
)
def test_a_recorded_answer_of_a_server_is_judged(
    check: str, of: Case, status: Outcome, strength: Strength | None
) -> None:
    finding = judged(check, of=of)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("net.proxy.407.log", "Tunnel connection failed: 407 Proxy Authentication Required"),
        ("net.proxy.block_page.log", "Tunnel connection failed: 403 Forbidden"),
    ],
)
def test_a_refused_tunnel_is_recorded_in_the_client_s_words(check: str, text: str) -> None:
    rows = [*made(), scribe(2, "sent"), scribe(3, "failed", error=text)]
    assert judged(check, of=case(rows, [])).status is FAILED


def test_a_note_sent_to_the_vendor_s_sandbox_is_told_without_asking_it() -> None:
    url = "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4/DocumentReference"
    rows = [*made(), scribe(2, "sent", url=url), scribe(3, "acked", status=201)]
    story = case(rows, [], integration=integration(vendor="epic", environment="production"))
    assert judged("fhir.base.environment", of=story).strength is D
