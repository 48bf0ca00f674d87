"""Every live check of the network reaches passed and failed, and its guards hold."""

import base64
from typing import Any

import pytest

from diagnostics.evidence.base import Evidence
from diagnostics.evidence.network import Reached, SegmentReach
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.seen import (
    canary,
    certificate,
    dns,
    fault,
    judged,
    metadata,
    reads,
    tcp,
    tls,
    token,
)
from tests.diagnostics.stories import case, integration

PASSED, FAILED, WARNING, NA = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
BLOCK = "<html><title>Blocked</title><h1>Access denied</h1><p>This category is blocked by your organization</p></html>"
BEARER = {"www-authenticate": 'Bearer realm="x"'}

ROWS: list[tuple[str, list[Evidence], Outcome, Strength | None]] = [
    ("net.dns.nxdomain", [dns()], PASSED, None),
    ("net.dns.nxdomain", [dns("nxdomain")], FAILED, D),
    ("net.dns.nxdomain", [dns("nodata")], WARNING, None),
    ("net.dns.nxdomain", [dns("nxdomain", "keys.example.test"), dns()], PASSED, None),
    ("net.dns.servfail_timeout", [dns("servfail")], FAILED, D),
    ("net.dns.servfail_timeout", [dns("timeout"), dns("found", "auth.example.test")], FAILED, D),
    ("net.dns.servfail_timeout", [dns("refused")], FAILED, D),
    ("net.dns.servfail_timeout", [dns("nxdomain")], PASSED, None),
    ("net.tcp.timeout", [tcp("timeout_connect")], FAILED, D),
    ("net.tcp.timeout", [tcp("refused")], PASSED, None),
    ("net.tcp.refused", [tcp("refused")], FAILED, S),
    ("net.tcp.refused", [tcp("refused", hop="10.0.0.9:3128")], FAILED, S),
    ("net.tcp.refused", [tcp()], PASSED, None),
    ("net.tcp.refused", [tcp("refused", "keys.example.test"), tcp()], PASSED, None),
    ("net.tcp.unreachable", [tcp("unreachable")], FAILED, D),
    ("net.tcp.unreachable", [tcp()], PASSED, None),
    ("net.tcp.reset", [tcp("reset")], FAILED, S),
    ("net.tcp.reset", [tcp()], PASSED, None),
    ("net.tls.expired", [tls(fault("tls", verify_code=10))], FAILED, D),
    ("net.tls.expired", [tls()], PASSED, None),
    ("net.tls.expired", [tls(used=False, chain=(), verified=False)], NA, None),
    ("net.tls.not_yet_valid", [tls(fault("tls", verify_code=9))], FAILED, D),
    ("net.tls.not_yet_valid", [tls()], PASSED, None),
    ("net.tls.hostname", [tls(fault("tls", verify_code=62))], FAILED, D),
    ("net.tls.hostname", [tls(fault("tls", verify_code=64))], FAILED, D),
    ("net.tls.hostname", [tls(fault("tls", alert=112, alert_received=True))], FAILED, D),
    ("net.tls.hostname", [tls()], PASSED, None),
    ("net.tls.chain_incomplete", [tls(fault("tls", verify_code=20), completed_by_issuer=True)], FAILED, D),
    ("net.tls.chain_incomplete", [tls(fault("tls", verify_code=21), issuer_known=True)], FAILED, S),
    ("net.tls.chain_incomplete", [tls(fault("tls", verify_code=20), completed_by_issuer=False)], PASSED, None),
    ("net.tls.untrusted_root", [tls(fault("tls", verify_code=20), completed_by_issuer=True)], PASSED, None),
    ("net.tls.untrusted_root", [tls(fault("tls", verify_code=20), completed_by_issuer=False)], FAILED, D),
    ("net.tls.untrusted_root", [tls(fault("tls", verify_code=19))], FAILED, D),
    ("net.tls.untrusted_root", [tls(fault("tls", verify_code=18))], FAILED, D),
    ("net.tls.client_cert", [tls(fault("tls", alert=116, alert_received=True))], FAILED, S),
    ("net.tls.client_cert", [tls(fault("reset"), certificate_requested=True)], FAILED, S),
    ("net.tls.client_cert", [tls(), token(None, fault=fault("reset", "waiting"), certificate_requested=True)],
     FAILED, S),
    ("net.tls.client_cert", [tls(fault("tls", alert=48, alert_received=False))], PASSED, None),
    ("net.tls.client_cert", [tls(certificate_requested=True)], PASSED, None),
    ("net.tls.protocol", [tls(fault("tls", alert=70, alert_received=True))], FAILED, D),
    ("net.tls.protocol", [tls(fault("tls", alert=40, alert_received=True), certificate_requested=True)], PASSED, None),
    ("net.tls.protocol", [tls()], PASSED, None),
    ("net.tls.expiring", [tls(chain=(certificate(10),))], WARNING, None),
    ("net.tls.expiring", [tls(chain=(certificate(40),))], PASSED, None),
    ("net.tls.expiring", [tls(chain=(certificate(25, life=60),))], PASSED, None),
    ("net.tls.expiring", [tls(chain=(certificate(15, life=60),))], WARNING, None),
    ("net.tls.expiring", [tls(host="keys.example.test", chain=(certificate(5),))], WARNING, None),
    ("net.proxy.407", [tls(fault("proxy", "proxy", proxy_status=407))], FAILED, D),
    ("net.proxy.407", [tls(), metadata(407)], FAILED, D),
    ("net.proxy.407", [tls(), metadata()], PASSED, None),
    ("net.proxy.block_page", [tls(fault("proxy", "proxy", proxy_status=403))], FAILED, D),
    ("net.proxy.block_page", [tls(fault("proxy", "proxy", proxy_status=407))], PASSED, None),
    ("net.proxy.block_page", [tls(), metadata(200, BLOCK, content_type="text/html")], FAILED, D),
    ("net.proxy.block_page", [tls(), metadata()], PASSED, None),
    ("net.proxy.auth_stripped", [token(), reads(401, headers=BEARER | {"via": "1.1 p"})], FAILED, D),
    ("net.proxy.auth_stripped", [token(), reads(401, headers=BEARER)], FAILED, S),
    ("net.proxy.auth_stripped", [token(), reads(401, headers={"www-authenticate": 'Bearer error="invalid_token"'})],
     PASSED, None),
    ("net.proxy.auth_stripped", [token(), reads()], PASSED, None),
    ("net.rate.limited", [metadata(429)], FAILED, D),
    ("net.rate.limited", [metadata()], PASSED, None),
    ("net.timeout.gateway", [metadata(502)], FAILED, M),
    ("net.timeout.gateway", [metadata()], PASSED, None),
    ("net.segment.divergence", [tls(), SegmentReach(results=(Reached("west", "ehr.example.test:443", "tcp"),))],
     FAILED, D),
    ("net.segment.divergence", [dns("nxdomain"), SegmentReach(results=(Reached("w", "ehr.example.test:443", "ok"),))],
     FAILED, D),
    ("net.segment.divergence", [tcp("timeout_connect"), SegmentReach(results=(
        Reached("w", "ehr.example.test:443", "ok"),))], FAILED, D),
    ("net.segment.divergence", [tls(), SegmentReach(results=(Reached("w", "ehr.example.test:443", "policy"),))],
     NA, None),
    ("net.segment.divergence", [tls(), SegmentReach(results=(Reached("w", "ehr.example.test:443", "place"),))],
     NA, None),
    ("net.segment.divergence", [tcp("policy"), SegmentReach(results=(Reached("w", "ehr.example.test:443", "tcp"),))],
     NA, None),
    ("net.segment.divergence", [tls(), SegmentReach(results=(Reached("west", "ehr.example.test:443", "ok"),))],
     PASSED, None),
    ("net.segment.divergence", [tcp("refused"), SegmentReach(results=(Reached("w", "ehr.example.test:443", "tcp"),))],
     PASSED, None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "evidence", "status", "strength"), ROWS)
def test_a_live_network_check_judges(
    check: str, evidence: list[Evidence], status: Outcome, strength: Strength | None
) -> None:
    finding = judged(check, *evidence)
    assert (finding.status, finding.strength if status is FAILED else None) == (status, strength), finding.says
    if status is FAILED and check not in ("net.segment.divergence", "net.proxy.auth_stripped"):
        assert finding.condemns


def test_each_sentence_says_where_it_was_seen_from() -> None:
    west = Reached("west", "ehr.example.test:443", "tcp", fault("timeout_connect", "tcp", says="no answer"))
    found = judged("net.segment.divergence", tls(), SegmentReach(results=(west,)))
    assert "Seen from here" in found.says and "seen from west" in found.says and "no answer" in found.says


def test_an_intermediate_that_another_endpoint_sends_is_what_is_missing_here() -> None:
    middle = certificate(subject="CN=Made-up CA", issuer="CN=Made-up Root")
    other = tls(host="auth.example.test", chain=(certificate(), middle))
    bad = tls(fault("tls", verify_code=20))
    assert judged("net.tls.chain_incomplete", bad, other).strength is D
    assert judged("net.tls.untrusted_root", bad, other).status is PASSED
    assert judged("net.tls.untrusted_root", bad, tls(host="auth.example.test")).status is FAILED


@pytest.mark.parametrize("check", ["net.tcp.timeout", "net.tcp.refused", "net.tcp.unreachable", "net.tcp.reset"])
def test_an_address_that_the_operator_keeps_closed_is_unknown_and_not_fine(check: str) -> None:
    assert judged(check, tcp("policy")).status is Outcome.UNKNOWN


def test_pins_are_compared_with_every_key_of_the_chain() -> None:
    good = "sha256/" + base64.b64encode(bytes.fromhex("cd" * 32)).decode()
    for pins, status in (((good,), PASSED), (("sha256/other",), FAILED), ((), NA)):
        assert judged("net.tls.pin_mismatch", tls(), of=case(integration=integration(tls_pins=pins))).status is status


def test_a_missing_connection_never_passes_for_a_good_certificate() -> None:
    assert judged("net.tls.expired").status is Outcome.UNKNOWN


def test_a_stripped_header_is_sure_behind_a_configured_proxy() -> None:
    behind = case(integration=integration(proxy="http://10.0.0.9:3128"))
    finding = judged("net.proxy.auth_stripped", token(), reads(401, headers=BEARER), of=behind)
    assert finding.strength is D


def test_answers_of_the_canary_count_too() -> None:
    lost: dict[str, Any] = {"headers": BEARER | {"via": "1.1 p"}}
    assert judged("net.proxy.auth_stripped", token(), reads(), canary("refused", 401, **lost)).status is FAILED
