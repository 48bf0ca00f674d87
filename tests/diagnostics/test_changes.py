"""What changed: each thing once, dated where anything dates it, set against the first failure."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from diagnostics import catalog
from diagnostics.case import Case
from diagnostics.changes import changes, related, suspect
from diagnostics.evidence.base import Evidence
from diagnostics.facts import facts_of
from diagnostics.findings import Bearing, Change
from diagnostics.gather import read_parts
from tests.diagnostics.checks import seen
from tests.diagnostics.stories import START, Row, at, case, ehr, made, scribe

FAILED = [*made(), scribe(10, "sent"), scribe(11, "failed", status=403)]
HOUR = 3600.0
HOST = "ehr.example.test"
PRINTS = ("ab" * 32, "ef" * 32)


def told(of: Case, *evidence: Evidence) -> tuple[Change, ...]:
    """Return the changes of a case with some evidence of probes."""
    bag = read_parts(of)
    for item in evidence:
        bag.put(item)
    return changes(bag, facts_of(bag))


def change_row(seconds: float, kind: str = "template", what: str = "PROG-14", **values: Any) -> Row:
    """Return an EHR row of a change; `before` and `after` are its from and to."""
    row = {"kind": kind, "what": what, "from": values.get("before"), "to": values.get("after")}
    return ehr(seconds, "change", change={key: value for key, value in row.items() if value is not None})


TEMPLATE = {"template_id": "PROG-14", "version": 7, "changed_at": at(-HOUR), "fields": []}
MAPPING = {"template_id": "PROG-14", "template_version": 6, "rules": []}


def test_one_change_of_a_template_told_by_three_sources_is_told_once() -> None:
    audit = [change_row(-HOUR, before="v6", after="7")]
    story = case(FAILED, audit, template=TEMPLATE, mapping=MAPPING, baseline={"template": {"version": "6"}})
    (one,) = told(story)
    assert (one.kind, one.before, one.after) == ("template", "v6", "7")
    assert one.at == START - timedelta(hours=1)


def test_changes_of_two_templates_stay_two() -> None:
    audit = [change_row(-HOUR, what="PROG-9", before="6", after="7")]
    assert len(told(case(FAILED, audit, template=TEMPLATE, mapping=MAPPING))) == 2


def test_the_same_change_made_twice_in_a_month_stays_two() -> None:
    audit = [change_row(-20 * 24 * HOUR, before="6", after="7"), change_row(-HOUR, before="6", after="7")]
    assert len(told(case(FAILED, audit))) == 2


def test_a_row_and_a_snapshot_of_the_roles_at_one_moment_are_one() -> None:
    roles = {"account": "svc", "changed_at": at(-HOUR), "grants": ["document:read"]}
    (one,) = told(case(FAILED, [change_row(-HOUR + 60, "role", "svc", before="editor", after="reader")], roles=roles))
    assert (one.before, one.after) == ("editor", "reader")


@pytest.mark.parametrize(
    ("rows", "seconds", "bearing"),
    [
        (FAILED, 0, Bearing.BEFORE_FAILURE),
        (FAILED, 60, Bearing.AFTER_FAILURE),
        ([scribe(-60, "sent", note_id="N-0", transaction_id="tx-0"),
          scribe(-59, "acked", note_id="N-0", transaction_id="tx-0", status=201), *FAILED], -120, Bearing.WORKED_SINCE),
        ([scribe(-60, "sent", note_id="N-0", transaction_id="tx-0"),
          scribe(-59, "acked", note_id="N-0", transaction_id="tx-0", status=403), *FAILED], -120,
         Bearing.BEFORE_FAILURE),
        ([*made(), scribe(10, "sent"), scribe(11, "acked", status=201)], -60, Bearing.BEFORE_FAILURE),
        (made(), -60, Bearing.UNKNOWN),
    ],
)  # fmt: skip
def test_a_change_is_set_against_the_first_failure(rows: list[Row], seconds: float, bearing: Bearing) -> None:
    (one,) = told(case(rows, [change_row(seconds, "role", "svc-scribe")]))
    assert one.bearing is bearing


def test_the_clock_of_the_ehr_is_taken_into_account() -> None:
    rows = [*made(), scribe(10, "sent", request_id="r"), scribe(11, "failed", status=403, request_id="r")]
    slow = [ehr(10.5 + 600, "rejected", request_id="r", status=403)]
    (one,) = told(case(rows, [*slow, change_row(300, "role", "svc-scribe")]))
    assert one.at is not None and one.at < START and one.bearing is Bearing.BEFORE_FAILURE


BASELINE: list[tuple[str, dict[str, Any], list[Evidence], str, str]] = [
    ("lifetime", {"token": {"lifetime_s": 3600}}, [seen.token()], "token", "token lifetime s"),
    ("scope", {"token": {"scope": ["a"]}}, [seen.token()], "token", "token scope"),
    ("token endpoint", {"token": {"endpoint": "https://old.example.test/token"}}, [seen.discovery()], "endpoint",
     "token endpoint"),
    ("issuer", {"token": {"issuer": "https://old.example.test"}},
     [seen.discovery(issuer="https://new.example.test")], "token", "token issuer"),
    ("published keys", {"keys": {"published": ["t0"]}}, [seen.keys()], "keys", "keys published"),
    ("signing key", {"keys": {"signing": "t0"}}, [seen.keys()], "keys", "keys signing"),
    ("software", {"capability": {"software_version": "0"}}, [seen.capability()], "upgrade",
     "capability software version"),
    ("an interaction gone", {"capability": {"interactions": {"Composition": ["create"]}}}, [seen.capability()],
     "capability", "capability interactions Composition"),
    ("addresses", {"dns": {HOST: ["192.0.2.77"]}}, [seen.dns()], "dns", f"dns {HOST}"),
    ("base url", {"endpoint": {"fhir_base_url": "https://old.example.test/fhir"}}, [], "endpoint",
     "endpoint fhir base url"),
    ("certificate", {"certificates": {f"{HOST}:443": {"chain": [PRINTS[1]], "issuer": "CN=Old"}}}, [seen.tls()],
     "certificate", f"certificate of {HOST}:443"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "facts", "evidence", "kind", "what"), BASELINE, ids=[r[0] for r in BASELINE])
def test_a_difference_to_the_last_good_run_is_a_change(
    name: str, facts: dict[str, Any], evidence: list[Evidence], kind: str, what: str
) -> None:
    found = told(case(FAILED, [], baseline=facts), *evidence)
    assert (kind, what) in [(c.kind, c.what) for c in found], found


def test_the_facts_of_a_run_are_no_change_against_themselves() -> None:
    evidence = [seen.token(), seen.discovery(), seen.keys(), seen.capability(), seen.dns(), seen.tls()]
    story = case(FAILED, [], template=TEMPLATE, mapping=MAPPING, roles={"account": "svc", "grants": ["document:read"]})
    bag = read_parts(story)
    for item in evidence:
        bag.put(item)
    facts = facts_of(bag)
    assert {"seen_at", "endpoint", "token", "keys", "capability", "certificates", "dns", "template", "mapping",
            "account", "grants"} <= set(facts)  # fmt: skip
    later = case(FAILED, [], template={**TEMPLATE, "changed_at": None}, mapping={**MAPPING, "template_version": 7},
                 roles={"account": "svc", "grants": ["document:read"]},
                 baseline={**facts, "mapping": {**facts["mapping"], "template_version": "7"}})  # fmt: skip
    assert told(later, *evidence) == ()


@pytest.mark.parametrize(
    ("good", "dated"), [(START - timedelta(days=400), True), (START - timedelta(days=1), False), (None, True)]
)
def test_a_certificate_is_dated_by_its_first_day_unless_the_good_run_came_later(
    good: datetime | None, dated: bool
) -> None:
    facts: dict[str, Any] = {"certificates": {f"{HOST}:443": {"chain": [PRINTS[1]]}}}
    if good is not None:
        facts["seen_at"] = good.isoformat()
    (one,) = told(case(FAILED, [], baseline=facts), seen.tls())
    assert (one.at is not None) is dated and one.since == good
    assert one.bearing is (Bearing.BEFORE_FAILURE if dated else Bearing.UNKNOWN)


def test_a_difference_that_came_after_the_failure_cannot_be_why() -> None:
    facts = {"seen_at": at(1800), "token": {"lifetime_s": 3600}}
    (one,) = told(case(FAILED, [], baseline=facts), seen.token(scope=""))
    assert one.at is None and one.bearing is Bearing.AFTER_FAILURE


def test_a_renewed_intermediate_is_not_told_as_a_new_certificate() -> None:
    facts = {"certificates": {f"{HOST}:443": {"chain": ["ab" * 32, PRINTS[1]]}}}
    (one,) = told(case(FAILED, [], baseline=facts), seen.tls())
    assert one.what == f"certificate chain of {HOST}:443" and one.at is None


@pytest.mark.parametrize(
    "baseline",
    [{}, {"future": {"x": 1}}, {"token": "text"}, {"certificates": [1]},
     {"certificates": {f"{HOST}:443": {"chain": 5}}}, {"seen_at": 7}, {"dns": None}, {"template": {"version": None}}],
)  # fmt: skip
def test_a_baseline_of_any_shape_is_no_obstacle(baseline: dict[str, Any]) -> None:
    assert told(case(FAILED, [], baseline=baseline), seen.tls(), seen.token(), seen.dns()) == ()


RELATED: list[tuple[str, str, bool]] = [
    ("template", "tmpl.version.changed", True),
    ("template", "map.section.unmapped", True),
    ("template", "auth.token.expired", False),
    ("template", "net.tls.expired", False),
    ("mapping", "map.section.misrouted", True),
    ("role", "perm.account.inactive", True),
    ("role", "tmpl.catchall", False),
    ("credential", "auth.client.invalid", True),
    ("credential", "perm.account.inactive", False),
    ("keys", "auth.assertion.kid", True),
    ("certificate", "net.tls.expired", True),
    ("certificate", "net.tls.pin_mismatch", True),
    ("certificate", "auth.jwks.unreachable", True),
    ("certificate", "net.tcp.timeout", False),
    ("endpoint", "fhir.base.not_fhir", True),
    ("endpoint", "auth.discovery.token_endpoint_changed", True),
    ("endpoint", "net.dns.nxdomain", True),
    ("endpoint", "map.section.unmapped", False),
    ("dns", "net.tcp.timeout", True),
    ("dns", "hl7.linebreak", False),
    ("capability", "fhir.capability.create_missing", True),
    ("upgrade", "fhir.capability.create_missing", True),
    ("upgrade", "perm.account.inactive", True),
    ("upgrade", "auth.client.invalid", True),
    ("upgrade", "scribe.note.not_sent", False),
    ("upgrade", "net.tls.expiring", False),
    ("a kind nobody knows", "auth.client.invalid", False),
]


@pytest.mark.parametrize(("kind", "cause", "expected"), RELATED)
def test_a_change_is_related_to_the_causes_of_its_area(kind: str, cause: str, expected: bool) -> None:
    assert related(Change(kind, "something"), catalog.cause(cause)) is expected


def test_only_a_related_change_before_the_failure_is_suspect() -> None:
    cause = catalog.cause("perm.account.inactive")
    for bearing in Bearing:
        wanted = bearing is Bearing.BEFORE_FAILURE
        assert suspect(Change("role", "x", bearing=bearing), cause) is wanted
        assert not suspect(Change("template", "x", bearing=bearing), cause)
