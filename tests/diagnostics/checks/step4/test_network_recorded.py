"""What the scribe recorded of the network at the failure proves the same causes, with guards."""

from typing import Any

import pytest

from diagnostics.case import Auth
from diagnostics.vocabulary import Instant, Outcome
from tests.diagnostics.checks.seen import judged
from tests.diagnostics.stories import TOKEN_URL, case, ehr, integration, made, scribe

PASSED, FAILED, WARNING, NA = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE
BLOCK = "<html><title>Blocked</title><h1>Access denied</h1><p>This category is blocked by your organization</p></html>"


OUTCOME = '{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}'


def written(error: str | None = None, status: int | None = None, **more: Any) -> list[dict[str, Any]]:
    """Return a note that was sent and failed."""
    return [*made(), scribe(2, "sent"), scribe(3, "failed", error=error, status=status, **more)]


WIRE = [
    ("net.dns.nxdomain", "getaddrinfo ENOTFOUND ehr.example.test"),
    ("net.dns.servfail_timeout", "getaddrinfo EAI_AGAIN ehr.example.test"),
    ("net.tcp.timeout", "connect ETIMEDOUT 192.0.2.1:443"),
    ("net.tcp.refused", "connect ECONNREFUSED 192.0.2.1:443"),
    ("net.tcp.unreachable", "connect EHOSTUNREACH 192.0.2.1:443"),
    ("net.tcp.reset", "read ECONNRESET"),
    ("net.tls.expired", "certificate verify failed: certificate has expired"),
    ("net.tls.not_yet_valid", "certificate verify failed: certificate is not yet valid"),
    ("net.tls.hostname", "Hostname/IP does not match certificate's altnames: Host: ehr.example.test"),
    ("net.tls.chain_incomplete", "unable to verify the first certificate"),
    ("net.tls.untrusted_root", "self-signed certificate in certificate chain"),
    ("net.tls.revoked", "Error: certificate revoked; code: 'CERT_REVOKED'"),
    ("net.tls.pin_mismatch", "javax.net.ssl.SSLPeerUnverifiedException: Certificate pinning failure!"),
    ("net.tls.client_cert", "tlsv13 alert certificate required"),
    ("net.tls.protocol", "tlsv1 alert protocol version"),
]


@pytest.mark.parametrize(("cause", "text"), WIRE)
def test_a_recorded_wire_error_names_its_cause_and_no_other(cause: str, text: str) -> None:
    story = case(written(text), [])
    finding = judged(f"{cause}.log", of=story)
    assert finding.status is FAILED, (finding.says, finding.facts)
    assert finding.cause is not None and finding.cause.id == cause and finding.instant is Instant.THEN
    others = [other for other, _ in WIRE if other != cause]
    assert {judged(f"{other}.log", of=story).status for other in others} == {PASSED}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("Received fatal alert: certificate_revoked", "net.tls.client_cert"),
        ("schannel: the revocation function was unable to check revocation (0x80092012)", None),
    ],
)
def test_only_the_servers_own_certificate_is_called_revoked(text: str, cause: str | None) -> None:
    """An alert received speaks of ours; a revocation server out of reach speaks of nothing."""
    story = case(written(text), [])
    assert judged("net.tls.revoked.log", of=story).status is PASSED
    if cause:
        assert judged(f"{cause}.log", of=story).status is FAILED


@pytest.mark.parametrize(("cause", "text"), WIRE)
def test_an_answer_passes_every_wire_check(cause: str, text: str) -> None:
    assert judged(f"{cause}.log", of=case(written("refused", 422), [])).status is PASSED


def test_a_failed_token_request_counts_where_nothing_was_written() -> None:
    rows = [*made(), scribe(2, "token"), scribe(3, "failed", url=TOKEN_URL, error="connect ECONNREFUSED 192.0.2.2:443")]
    assert judged("net.tcp.refused.log", of=case(rows, [])).status is FAILED


@pytest.mark.parametrize(
    ("check", "rows", "status"),
    [
        ("net.proxy.407.log", written("Proxy Authentication Required", 407), FAILED),
        ("net.proxy.407.log", written("no", 422), PASSED),
        ("net.proxy.407.log", made(), NA),
        ("net.proxy.block_page.log", written(BLOCK, 403, response_headers={"content-type": "text/html"}), FAILED),
        ("net.proxy.block_page.log", written('{"resourceType": "OperationOutcome"}', 403), PASSED),
        ("net.proxy.block_page.log", made(), NA),
        ("net.proxy.auth_stripped.log",
         written("", 401, response_headers={"www-authenticate": 'Bearer realm="x"', "via": "1.1 p"}), FAILED),
        ("net.proxy.auth_stripped.log",
         written("", 401, response_headers={"www-authenticate": 'Bearer error="invalid_token"'}), PASSED),
        ("net.proxy.auth_stripped.log", written("", 422), NA),
        ("net.rate.limited.log", written("Too Many Requests", 429), FAILED),
        ("net.rate.limited.log", written("no", 422), PASSED),
        ("net.rate.limited.log", made(), NA),
        ("net.timeout.gateway.log", written("<html><h1>504 Gateway Time-out</h1></html>", 504), FAILED),
        ("net.timeout.gateway.log", written("read timed out"), FAILED),
        ("net.timeout.gateway.log",
         written(OUTCOME, 503), PASSED),
        ("net.timeout.gateway.log", written("no", 422), PASSED),
        ("net.timeout.gateway.log", made(), NA),
    ],
)  # fmt: skip
def test_a_recorded_answer_of_an_intermediary_is_judged(
    check: str, rows: list[dict[str, Any]], status: Outcome
) -> None:
    finding = judged(check, of=case(rows, [ehr(60, "token")]))
    assert finding.status is status, finding.says


def test_a_burst_over_the_limit_only_warns_while_notes_pass() -> None:
    rows = [*made(), *[scribe(i, "sent", note_id=f"N-{i}") for i in range(30)], scribe(31, "sent"),
            scribe(32, "acked", status=201)]  # fmt: skip
    story = case(rows, [], integration=integration(rate_limit_per_minute=20))
    assert judged("net.rate.limited.log", of=story).status is WARNING


def test_no_token_means_no_stripped_header() -> None:
    rows = written("", 401, response_headers={"www-authenticate": "Bearer"})
    story = case(rows, [], integration=integration(auth=Auth(flow="api-key")))
    assert judged("net.proxy.auth_stripped.log", of=story).status is NA
