"""What a name resolves to, who issued a certificate, and every server behind one name."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.network import Reached, Sample, SegmentReach, TlsSamples
from diagnostics.vocabulary import Category, Outcome, Strength
from tests.diagnostics.checks.seen import certificate, dns, fault, judged, tcp, tls
from tests.diagnostics.stories import at, case, integration, made, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
HOST = "ehr.example.test"
PLACE = f"{HOST}:443"


def named(*addresses: str, **more: Any) -> Evidence:
    """Return the EHR's name with these addresses."""
    return replace(dns(**more), addresses=addresses)


def before(*addresses: str, **more: Any) -> Case:
    """Return a case whose last good run saw these addresses of the EHR."""
    return case(more.pop("rows", None), [], baseline={"dns": {HOST: list(addresses)}} | more)


def segment(*addresses: str, layer: str = "ok", **more: Any) -> SegmentReach:
    """Return what the satellite saw."""
    return SegmentReach(results=(Reached("satellite", PLACE, layer, addresses=addresses, **more),))


SILENT = [*made(), scribe(2, "sent"), scribe(7, "failed", error="connect ETIMEDOUT")]
CHANGED: list[tuple[str, list[Evidence], Case, Outcome]] = [
    ("the same in another order", [named("192.0.2.2", "192.0.2.1")], before("192.0.2.1", "192.0.2.2"), PASSED),
    ("others, and reached", [named("198.51.100.1"), tcp()], before("192.0.2.1"), WARNING),
    ("others, and silent", [named("198.51.100.1"), tcp("timeout_connect")], before("192.0.2.1"), FAILED),
    ("others, and the note was not answered", [named("198.51.100.1"), tcp()], before("192.0.2.1", rows=SILENT), FAILED),
    ("others, but the good run came after the failure", [named("198.51.100.1"), tcp()],
     before("192.0.2.1", rows=SILENT, seen_at=at(3000)), WARNING),
    ("an alias of the same provider", [named("198.51.100.1", canonical_name="edge.cdn.example")],
     before("192.0.2.1", dns_names={HOST: "edge.cdn.example"}), PASSED),
    ("an alias of another provider", [named("198.51.100.1", canonical_name="edge.other.example")],
     before("192.0.2.1", dns_names={HOST: "edge.cdn.example"}), WARNING),
    ("unknown to the good run", [named("198.51.100.1")], case(baseline={"dns": {}}), NA),
    ("no good run", [named("198.51.100.1")], case(), UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("evidence", "of", "status"), [r[1:] for r in CHANGED], ids=[r[0] for r in CHANGED])
def test_a_name_that_moved(evidence: list[Evidence], of: Case, status: Outcome) -> None:
    found = judged("net.dns.changed", *evidence, of=of)
    assert found.status is status, found.says
    assert status is not FAILED or found.strength is M


SPLIT: list[tuple[str, list[Evidence], Case, Outcome]] = [
    ("one address everywhere", [named("10.0.0.1"), segment("10.0.0.1")], case(), PASSED),
    ("inside here, outside there, both reached", [named("10.0.0.1"), tcp(), segment("192.0.2.1")], case(), WARNING),
    ("inside there, and silent", [named("192.0.2.1"), tcp(), segment("10.0.0.1", layer="tcp")], case(), FAILED),
    ("inside here, and silent", [named("10.0.0.1"), tcp("timeout_connect"), segment("192.0.2.1")], case(), FAILED),
    ("two outside addresses are regions", [named("192.0.2.1"), segment("198.51.100.1", layer="tcp")], case(), PASSED),
    ("the segment's proxy is another host", [named("192.0.2.1"), segment("10.0.0.1", proxied=True)], case(), NA),
    ("inside now, outside at the good run, silent", [named("10.0.0.1"), tcp("timeout_connect")],
     before("192.0.2.1"), FAILED),
    ("one place only", [named("10.0.0.1"), tcp()], case(), NA),
]  # fmt: skip


@pytest.mark.parametrize(("evidence", "of", "status"), [r[1:] for r in SPLIT], ids=[r[0] for r in SPLIT])
def test_a_name_with_two_faces(evidence: list[Evidence], of: Case, status: Outcome) -> None:
    found = judged("net.dns.split_horizon", *evidence, of=of)
    assert found.status is status, found.says
    assert status is not FAILED or found.strength is M


def called(address: str, error: str = "connect ETIMEDOUT {}:443", **more: Any) -> list[dict[str, Any]]:
    """Return a note whose write was sent to an address that did not answer."""
    return [*made(), scribe(2, "sent"), scribe(7, "failed", error=error.format(address), **more)]


RECORDED: list[tuple[str, str, Case, Outcome]] = [
    ("changed", "the old address", before("192.0.2.1", rows=called("192.0.2.1")), PASSED),
    ("changed", "another address", before("192.0.2.1", rows=called("198.51.100.1")), FAILED),
    ("changed", "a good run after the failure", before("192.0.2.1", rows=called("198.51.100.1"), seen_at=at(99)),
     WARNING),
    ("changed", "an alias rotates",
     before("192.0.2.1", rows=called("198.51.100.1"), dns_names={HOST: "edge.cdn.example"}), WARNING),
    ("changed", "no address in the error", before("192.0.2.1", rows=SILENT), NA),
    ("changed", "answered", before("192.0.2.1", rows=called("198.51.100.1", status=422)), PASSED),
    ("changed", "nothing sent", before("192.0.2.1", rows=made()), NA),
    ("split_horizon", "inside, outside at the good run", before("192.0.2.1", rows=called("10.0.0.1")), FAILED),
    ("split_horizon", "outside, inside at the good run", before("10.0.0.1", rows=called("192.0.2.1")), FAILED),
    ("split_horizon", "outside both times", before("198.51.100.1", rows=called("192.0.2.1")), PASSED),
    ("split_horizon", "nothing to compare with", case(called("192.0.2.1"), []), NA),
    ("split_horizon", "another site calls an outside one", case(
        [*called("10.0.0.1"), scribe(20, "failed", note_id="N-9", transaction_id="tx-9", url=f"https://{HOST}/x",
                                     error="connect ETIMEDOUT 192.0.2.1:443")], []), FAILED),
    ("split_horizon", "answered", before("192.0.2.1", rows=called("10.0.0.1", status=422)), PASSED),
    ("split_horizon", "nothing sent", case(made(), []), NA),
]  # fmt: skip


@pytest.mark.parametrize(("row", "of", "status"), [(r[0], *r[2:]) for r in RECORDED], ids=[r[1] for r in RECORDED])
def test_the_address_in_a_recorded_error_says_what_the_name_meant(row: str, of: Case, status: Outcome) -> None:
    found = judged({"changed": "net.dns.changed.log", "split_horizon": "net.dns.split_horizon.log"}[row], of=of)
    assert found.status is status, found.says
    assert status is not FAILED or found.strength is M


def test_a_mistyped_name_is_the_configurations_fault() -> None:
    nearly = dns("found", "auth.example.test")
    typo = replace(dns("nxdomain"), host="autb.example.test")
    found = judged("net.dns.nxdomain", typo, nearly)
    assert (found.strength, found.category) == (S, Category.ENDPOINT_CONFIGURATION)
    assert judged("net.dns.nxdomain", dns("nxdomain"), nearly).category is Category.NETWORK


def test_a_name_server_that_is_passed_over_is_a_warning() -> None:
    assert judged("net.dns.servfail_timeout", dns(silent=("10.0.0.2",))).status is WARNING


@pytest.mark.parametrize(
    ("held", "category"),
    [({}, Category.NETWORK), ({f"{HOST}:9443": {}}, Category.ENDPOINT_CONFIGURATION), ({PLACE: {}}, Category.NETWORK)],
)
def test_a_refused_port_that_was_another_before_is_the_configurations_fault(held: Any, category: Category) -> None:
    found = judged("net.tcp.refused", tcp("refused"), of=case(baseline={"certificates": held}))
    assert (found.status, found.category) == (FAILED, category)


def test_no_route_for_ipv6_is_said_where_there_is_no_other_address() -> None:
    found = judged("net.tcp.unreachable", tcp("unreachable"), named("2001:db8::1"))
    assert "IPv6" in found.says
    assert "IPv6" not in judged("net.tcp.unreachable", tcp("unreachable"), named("192.0.2.1")).says


WIRE: list[tuple[str, Evidence, Outcome, Strength | None]] = [
    ("net.tcp.reset", tls(fault("reset")), FAILED, S),
    ("net.tcp.reset", tls(fault("reset"), certificate_requested=True), PASSED, None),
    ("net.tcp.timeout", tls(fault("timeout_connect")), FAILED, S),
    ("net.tls.revoked", tls(fault("tls", verify_code=23)), FAILED, D),
    ("net.tls.revoked", tls(), PASSED, None),
    ("net.tls.revoked", tls(fault("tls", alert=44, alert_received=True), certificate_requested=True), PASSED, None),
    ("net.tls.client_cert", tls(fault("tls", alert=44, alert_received=True), certificate_requested=True), FAILED, S),
    ("net.tls.client_cert", tls(fault("tls", alert=42, alert_received=False)), PASSED, None),
    ("net.tls.protocol", tls(fault("tls", verify_code=66)), FAILED, S),
    ("net.tls.protocol", tls(fault("tls", alert=71, alert_received=True)), FAILED, D),
    ("net.tls.untrusted_root", tls(fault("tls", verify_code=26)), FAILED, S),
    ("net.tls.untrusted_root", tls(fault("tls", verify_code=66)), PASSED, None),
]


@pytest.mark.parametrize(("check", "seen", "status", "strength"), WIRE)
def test_no_end_of_a_handshake_goes_without_a_word(
    check: str, seen: Evidence, status: Outcome, strength: Strength | None
) -> None:
    found = judged(check, tcp(), seen)
    assert (found.status, found.strength if status is FAILED else None) == (status, strength), found.says


PRODUCT = certificate(issuer="CN=Zscaler Intermediate Root CA,O=Zscaler Inc.")
OWN = certificate(issuer="CN=North Campus Internal CA 2")
BOUGHT = certificate(issuer="CN=Sectigo RSA Domain Validation Secure Server CA")
STRANGER = fault("tls", verify_code=19)
KNEW = case(baseline={"certificates": {PLACE: {"issuer": "CN=Good Public CA"}}})
INSPECTED: list[tuple[str, list[Evidence], Case, Outcome, Strength | None]] = [
    ("a product, refused", [tls(STRANGER, chain=(PRODUCT,))], case(), FAILED, S),
    ("a product, trusted", [tls(chain=(PRODUCT,))], case(), WARNING, None),
    ("a product's intermediate", [tls(STRANGER, chain=(OWN, PRODUCT))], case(), FAILED, S),
    ("the hospital's own authority", [tls(STRANGER, chain=(OWN,))], case(), PASSED, None),
    ("the hospital's own authority, trusted", [tls(chain=(OWN,))], KNEW, PASSED, None),
    ("another issuer than before", [tls(STRANGER, chain=(OWN,))], KNEW, FAILED, S),
    ("another issuer than before, on an inside host", [tls(STRANGER, chain=(OWN,)), named("10.0.0.1")], KNEW,
     PASSED, None),
    ("a public authority that the bundle lacks", [tls(STRANGER, chain=(BOUGHT,))], KNEW, PASSED, None),
    ("hosts of one owner", [tls(STRANGER, chain=(OWN,)), tls(STRANGER, "auth.example.test", chain=(OWN,))], case(),
     PASSED, None),
    ("nothing presented", [tls(used=False, chain=(), verified=False)], case(), NA, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("evidence", "of", "status", "strength"), [r[1:] for r in INSPECTED], ids=[r[0] for r in INSPECTED]
)
def test_an_inspecting_device_is_told_from_an_authority_of_ones_own(
    evidence: list[Evidence], of: Case, status: Outcome, strength: Strength | None
) -> None:
    found = judged("net.proxy.tls_inspection", *evidence, of=of)
    assert (found.status, found.strength if status is FAILED else None) == (status, strength), found.says


def test_one_unknown_authority_for_hosts_of_two_owners_speaks_for_a_device() -> None:
    other = replace(tls(STRANGER, "auth.example.test", chain=(OWN,)), host="login.vendor.example")
    found = judged("net.proxy.tls_inspection", tls(STRANGER, chain=(OWN,)), other)
    assert (found.status, found.strength) == (FAILED, M)


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        ("self-signed certificate in certificate chain; issuer=CN = Zscaler Root CA", None, FAILED),
        ("unable to get local issuer certificate; signed by the TLS inspection authority", None, FAILED),
        ("self-signed certificate in certificate chain; issuer=CN = North Campus Internal CA", None, PASSED),
        ("blocked by Zscaler", 403, PASSED),
        (None, None, None),
    ],
)
def test_the_refused_issuer_in_a_recorded_error(
    error: str | None, status: int | None, expected: Outcome | None
) -> None:
    rows = made() if expected is None else [*made(), scribe(2, "sent"), scribe(3, "failed", error=error, status=status)]
    assert judged("net.proxy.tls_inspection.log", of=case(rows, [])).status is (expected or NA)


def several(*samples: Sample) -> TlsSamples:
    """Return further handshakes with the EHR."""
    return TlsSamples(host=HOST, port=443, roles=("fhir",), samples=samples)


GOOD = Sample("192.0.2.1", True, None, (certificate(),))


@pytest.mark.parametrize(
    ("cause", "code"),
    [("net.tls.expired", 10), ("net.tls.not_yet_valid", 9), ("net.tls.hostname", 62), ("net.tls.untrusted_root", 20)],
)
def test_one_server_of_several_may_be_the_odd_one(cause: str, code: int) -> None:
    odd = Sample("192.0.2.2", False, fault("tls", verify_code=code), (certificate(),))
    found = judged(f"{cause}.each", several(GOOD, odd))
    assert (found.status, found.strength, found.facts["addresses"]) == (FAILED, S, ["192.0.2.2"])
    assert judged(f"{cause}.each", several(GOOD, GOOD)).status is PASSED
    assert judged(f"{cause}.each", several()).status is NA
    assert judged(f"{cause}.each").status is UNKNOWN
    other = Sample("192.0.2.2", False, fault("refused", "tcp"))
    assert judged(f"{cause}.each", several(GOOD, other)).status is PASSED


def test_a_certificate_that_ends_soon_counts_on_any_server() -> None:
    soon = Sample("192.0.2.2", True, None, (certificate(5),))
    found = judged("net.tls.expiring", tls(), several(GOOD, soon))
    assert (found.status, found.facts["address"], found.facts["urgent"]) == (WARNING, "192.0.2.2", True)


def test_pins_are_looked_at_on_every_server() -> None:
    good = "sha256/" + base64.b64encode(bytes.fromhex("cd" * 32)).decode()
    pinned = case(integration=integration(tls_pins=(good,)))
    renewed = Sample("192.0.2.2", True, None, (certificate(spki_sha256="ef" * 32),))
    found = judged("net.tls.pin_mismatch", tls(), several(GOOD, renewed), of=pinned)
    assert (found.status, found.strength) == (FAILED, S) and not found.condemns
    alone = judged("net.tls.pin_mismatch", tls(chain=(certificate(spki_sha256="ef" * 32),)), of=pinned)
    assert (alone.status, alone.strength) == (FAILED, D) and alone.condemns
    untrusted = tls(STRANGER, chain=(certificate(spki_sha256="ef" * 32),))
    assert judged("net.tls.pin_mismatch", untrusted, of=pinned).status is UNKNOWN
