"""Certificates, network logs, baselines of any shape: nothing raises or takes long, and planted faults are found."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics import catalog
from diagnostics.case import Case
from diagnostics.changes import changes
from diagnostics.facts import facts_of
from diagnostics.findings import Finding
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.parsing.certificate import read_bundle, read_certificate, to_pem
from diagnostics.probes.seen import certificate_seen
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks import seen
from tests.diagnostics.stories import START, Row, at, case, ehr, integration, made, scribe
from tests.properties.ending import ending

MANY = settings(max_examples=190, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))  # its signatures are always the same
HOST = "ehr.example.test"

moments = st.datetimes(datetime(1990, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC))
labels = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
hosts = st.builds("{}.{}.example".format, labels, labels)
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=40)


@st.composite
def certificates(draw: st.DrawFn) -> tuple[bytes, list[str], datetime, datetime]:
    """Draw a certificate in DER with its names and the time it lasts."""
    begins = draw(moments).replace(microsecond=0)
    ends = begins + timedelta(seconds=draw(st.integers(1, 3 * 365 * 86400)))
    names = draw(st.lists(hosts, max_size=4, unique=True))
    organization = draw(words.filter(lambda text: 0 < len(text.encode()) <= 64))
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(draw(st.integers(1, 2**150)))
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
    made_of = builder.sign(KEY, None)
    return made_of.public_bytes(serialization.Encoding.DER), names, begins, ends


@MANY
@given(certificates())
def test_a_certificate_says_what_was_put_into_it(drawn: tuple[bytes, list[str], datetime, datetime]) -> None:
    der, names, begins, ends = drawn
    read = read_certificate(der)
    assert read is not None
    assert (list(read.names), read.not_before, read.not_after) == (names, begins, ends)
    pem = to_pem(der)
    assert pem is not None and read_bundle(pem.encode()) == (read,)


@MANY
@given(
    certificates(), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8), st.data()
)
def test_a_damaged_certificate_is_none_or_still_one(
    drawn: tuple[bytes, list[str], datetime, datetime], flips: list[tuple[int, int]], data: st.DataObject
) -> None:
    damaged = bytearray(drawn[0])
    for place, value in flips:
        damaged[place % len(damaged)] = value
    cut = data.draw(st.integers(0, len(damaged)))
    for form in (bytes(damaged), bytes(damaged[:cut]), b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(damaged)):
        with ending():
            certificate_seen(form)
            read_bundle(form)
            to_pem(form)


def test_a_certificate_with_the_number_nought_is_read_without_a_word_of_the_library() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ehr.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(START).not_valid_after(START + timedelta(days=9)).sign(key, None)
    )  # fmt: skip
    version_and_number = b"\xa0\x03\x02\x01\x02\x02\x01"  # RFC 5280 section 4.1, up to the number itself
    raw = made.public_bytes(serialization.Encoding.DER)
    raw = raw.replace(version_and_number + b"\x01", version_and_number + b"\x00", 1)
    assert certificate_seen(raw) is not None
    assert to_pem(raw)


@MANY
@given(st.floats(-400, 400, allow_nan=False), st.floats(1, 1200, allow_nan=False))
def test_a_certificate_warns_within_the_smaller_of_30_days_and_a_third_of_its_life(days: float, life: float) -> None:
    found = seen.judged("net.tls.expiring", seen.tls(chain=(seen.certificate(days, life),)))
    limit = min(30.0, life / 3)
    if abs(days - limit) > 0.01 and abs(days) > 0.01:
        assert (found.status is Outcome.WARNING) is (0 < days < limit)


texts = st.one_of(
    st.none(),
    words,
    st.sampled_from([
        "connect ETIMEDOUT 203.0.113.9:443", "getaddrinfo ENOTFOUND ehr.example.test", "certificate has expired",
        "read ECONNRESET after 1024 bytes", "issuer=CN = Zscaler Root CA; self-signed certificate in certificate chain",
        "407 Proxy Authentication Required", "<html><title>Blocked</title>", "x" * 900, "[" * 700, "->" * 400,
        "1.2.3.4:" * 90,
    ]),
)  # fmt: skip
seconds = st.integers(-7200, 7200)
statuses = st.one_of(st.none(), st.sampled_from([200, 201, 301, 401, 403, 407, 408, 422, 429, 500, 502, 503, 504, 511]))
urls = st.one_of(
    st.none(),
    st.sampled_from([f"https://{HOST}/fhir/R4/x", "mllp://10.0.0.1:2575", "https://[::1", "http://a:99999/", "/x", ""]),
    words,
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def scribe_log(draw: st.DrawFn) -> list[Row]:
    """Draw rows of the scribe's log, of one note and of others."""
    rows = []
    for _ in range(draw(st.integers(0, 12))):
        event = draw(st.sampled_from(["generated", "packaged", "token", "sent", "acked", "failed", "queued", "?"]))
        more = {
            "url": draw(urls), "status": draw(statuses), "error": draw(texts),
            "site": draw(st.sampled_from([None, "a", "b"])), "note_id": draw(st.sampled_from(["N-1", "N-2"])),
            "expires_in": draw(st.one_of(st.none(), st.integers(-9, 999))),
            "response_headers": draw(st.one_of(st.none(), st.dictionaries(words, words, max_size=3))),
            "attempt": draw(st.one_of(st.none(), st.integers(0, 4))),
        }  # fmt: skip
        rows.append(scribe(draw(seconds), event, **more))
    return rows


@st.composite
def ehr_log(draw: st.DrawFn) -> list[Row]:
    """Draw rows of the EHR's audit trail, change rows among them."""
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        event = draw(st.sampled_from(["received", "accepted", "rejected", "filed", "change"]))
        change = {key: draw(junk) for key in ("kind", "what", "from", "to")} if event == "change" else None
        if change is not None and draw(st.booleans()):
            change |= {
                "kind": "endpoint",
                "what": "outbound IP range",
                "to": draw(st.sampled_from(["10.0.0.0/8", "::/0", "x"])),
            }
        rows.append(ehr(draw(seconds), event, status=draw(statuses), error=draw(texts), change=change))
    return rows


firewall_rows = st.lists(
    st.fixed_dictionaries({
        "at": seconds.map(at), "action": st.sampled_from(["allow", "drop", "deny", "reset", "", "DENY"]),
        "source": st.one_of(st.none(), st.sampled_from(["10.0.0.5", "198.51.100.4", "::1"]), words),
        "destination": st.one_of(st.none(), st.sampled_from([HOST, "203.0.113.9", "10.0.0.1"]), words),
        "port": st.one_of(st.none(), st.sampled_from([443, 2575, "443"]), st.integers(-1, 70000)),
    }),
    max_size=8,
)  # fmt: skip
proxy_rows = st.lists(
    st.fixed_dictionaries({
        "at": seconds.map(at), "method": st.just("CONNECT"), "url": urls, "status": statuses,
        "result": st.one_of(st.none(), st.sampled_from(["TCP_DENIED", "TCP_MISS"])), "client": st.none(),
    }),
    max_size=6,
)  # fmt: skip
baselines = st.one_of(
    st.none(),
    st.dictionaries(st.sampled_from(["dns", "dns_names", "certificates", "token", "capability", "template", "grants",
                                     "seen_at", "endpoint", "keys", "mapping", "account"]), junk, max_size=6),
    st.fixed_dictionaries({"dns": st.fixed_dictionaries({HOST: junk}),
                           "certificates": st.fixed_dictionaries({f"{HOST}:443": junk})}),
)  # fmt: skip
NETWORK = "net."


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    catalog.load()


def network_findings(of: Case) -> list[Finding]:
    """Judge every check of the network on a case, with what probes saw of a healthy server beside it."""
    bag = read_parts(of)
    for item in (seen.dns(), seen.tcp(), seen.tls(), seen.metadata(), seen.token()):
        bag.put(item)
    chosen = [check for id, check in catalog.checks().items() if id.startswith(NETWORK)]
    with ending():
        return list(judge(of, bag, chosen))


def story(rows: list[Row], audit: list[Row], firewall: Any, proxy: Any, baseline: Any) -> Case:
    """Return a case of these logs."""
    of = case(rows, audit, baseline=baseline, integration=integration(rate_limit_per_minute=3))
    return replace(of, logs=replace(of.logs, firewall=tuple(firewall), proxy=tuple(proxy)))


@MANY
@given(scribe_log(), ehr_log(), firewall_rows, proxy_rows, baselines)
def test_no_log_and_no_baseline_breaks_a_check(
    rows: list[Row], audit: list[Row], firewall: Any, proxy: Any, baseline: Any
) -> None:
    found = network_findings(story(rows, audit, firewall, proxy, baseline))
    assert [each.check for each in found if each.status is Outcome.ERROR] == []


@pytest.mark.parametrize(
    "text", ["x" * 60_000, "[" * 60_000, "1.2.3.4:" * 8_000, "->" * 30_000, "at a.b.c(D.java:1)\n" * 3_000]
)
def test_a_long_error_is_judged_in_time(text: str) -> None:
    rows = [*made(), scribe(2, "sent"), scribe(3, "failed", error=text)]
    network_findings(story(rows, [], [], [], {"dns": {HOST: ["203.0.113.9"]}}))


PLANTED = [
    ("connect ETIMEDOUT 203.0.113.9:443", None, "net.tcp.timeout.log"),
    (f"getaddrinfo ENOTFOUND {HOST}", None, "net.dns.nxdomain.log"),
    ("certificate has expired", None, "net.tls.expired.log"),
    ("read ECONNRESET", None, "net.tcp.reset.log"),
    ("certificate revoked; code: 'CERT_REVOKED'", None, "net.tls.revoked.log"),
    ("", 407, "net.proxy.407.log"),
    ("", 429, "net.rate.limited.log"),
    ("", 504, "net.timeout.gateway.log"),
]


@MANY
@given(st.sampled_from(PLANTED), st.integers(0, 5), firewall_rows, proxy_rows, baselines)
def test_a_planted_fault_is_found_whatever_else_the_logs_hold(
    planted: tuple[str, int | None, str], before: int, firewall: Any, proxy: Any, baseline: Any
) -> None:
    """Earlier attempts failed otherwise; the last one is why."""
    error, status, check = planted
    rows = made()
    for number in range(before):
        rows += [scribe(2 + number * 10, "sent"), scribe(3 + number * 10, "failed", status=422, error="no")]
    rows += [scribe(90, "sent"), scribe(91, "failed", error=error or None, status=status)]
    found = {each.check: each for each in network_findings(story(rows, [], firewall, proxy, baseline))}
    assert found[check].status is Outcome.FAILED, found[check].says


@MANY
@given(firewall_rows, st.sampled_from(["drop", "deny", "reset"]), st.integers(-119, 119))
def test_a_planted_drop_is_found_in_any_firewall_log(log: list[Row], action: str, second: int) -> None:
    rows = [*made(), scribe(2, "sent"), scribe(7, "failed", error="connect timed out")]
    planted = {"at": at(2 + second), "action": action, "source": "10.0.0.5", "destination": HOST, "port": 443}
    found = {each.check: each for each in network_findings(story(rows, [], [*log, planted], [], None))}
    assert found["net.fwlog.drop"].status is Outcome.FAILED


@MANY
@given(baselines, ehr_log(), st.integers(1, 10_000))
def test_changes_of_any_baseline_are_bounded_and_a_planted_one_is_told(
    baseline: Any, audit: list[Row], life: int
) -> None:
    held = {**(baseline or {}), "token": {"lifetime_s": life}}
    bag = read_parts(case([*made(), scribe(2, "sent"), scribe(3, "failed", status=403)], audit, baseline=held))
    for item in (seen.token(), seen.tls(), seen.capability(), seen.dns()):
        bag.put(item)
    with ending():
        found = changes(bag, facts_of(bag))
    assert len(found) <= 200
    assert any(each.what == "token lifetime s" for each in found) is (life != 300)
    for each in found:
        late = each.at is not None and each.at > START + timedelta(seconds=2)
        assert not late or each.bearing.value == "after_failure"
