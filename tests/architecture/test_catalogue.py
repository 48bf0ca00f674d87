"""The catalogue is whole: every cause can be found, says what to do and who acts; every check has its evidence."""

import inspect
import tomllib
from pathlib import Path

import pytest

from diagnostics import catalog
from diagnostics.causes.model import Kind
from diagnostics.check import PREFIXES
from diagnostics.checklists import ITEMS
from diagnostics.evidence.base import Evidence
from diagnostics.probes.declare import parts, probes

ROOT = Path(__file__).resolve().parents[2]

FIRST_NINETY = [
    "auth.discovery.unreachable",
    "auth.discovery.token_endpoint_changed",
    "auth.token.expired",
    "auth.token.ttl_changed",
    "auth.refresh.invalid",
    "auth.client.invalid",
    "auth.client.wrong_environment",
    "auth.client.deactivated",
    "auth.scope.invalid",
    "auth.request.malformed",
    "auth.assertion.exp",
    "auth.assertion.clock_skew",
    "auth.assertion.aud",
    "auth.assertion.iss_sub",
    "auth.assertion.alg_typ",
    "auth.assertion.kid",
    "auth.assertion.jti_reuse",
    "auth.assertion.signature",
    "auth.jwks.unreachable",
    "auth.mfa.challenge",
    "auth.http401.classify",
    "auth.credential.rotated",
    "auth.apikey.missing",
    "auth.practice.scope",
    "fhir.base.not_fhir",
    "fhir.base.environment",
    "fhir.version.mismatch",
    "fhir.capability.create_missing",
    "fhir.capability.changed",
    "fhir.request.content_type",
    "fhir.request.size",
    "fhir.request.method_path",
    "fhir.payload.structure",
    "fhir.payload.required",
    "fhir.payload.attachment",
    "fhir.payload.references",
    "fhir.outcome.issue",
    "fhir.outcome.duplicate",
    "fhir.outcome.accepted_202",
    "fhir.readback.absent",
    "hl7.mllp.framing",
    "hl7.msh.first",
    "hl7.msh.type",
    "hl7.msh.version",
    "hl7.msh.processing_id",
    "hl7.msh.control_id",
    "hl7.grammar.order",
    "hl7.grammar.missing",
    "hl7.field.required",
    "hl7.field.length",
    "hl7.encoding.undeclared",
    "hl7.escape",
    "hl7.linebreak",
    "hl7.note.truncated",
    "hl7.ack.negative",
    "hl7.ack.missing",
    "hl7.ack.mismatch",
    "map.section.unmapped",
    "map.section.misrouted",
    "map.section.collapsed",
    "map.discrete.vitals_narrative",
    "map.discrete.icd_in_text",
    "map.discrete.icd_incongruent",
    "map.output.narrative_only",
    "map.patient.mismatch",
    "map.encounter.mismatch",
    "tmpl.version.changed",
    "tmpl.field.unknown",
    "tmpl.required.added",
    "tmpl.catchall",
    "tmpl.silent_drop",
    "net.dns.nxdomain",
    "net.dns.servfail_timeout",
    "net.tcp.timeout",
    "net.tcp.refused",
    "net.proxy.407",
    "net.proxy.block_page",
    "net.proxy.auth_stripped",
    "net.tls.expired",
    "net.tls.not_yet_valid",
    "net.tls.hostname",
    "net.tls.chain_incomplete",
    "net.tls.untrusted_root",
    "net.tls.client_cert",
    "net.tls.expiring",
    "net.rate.limited",
    "net.timeout.gateway",
    "perm.http403.classify",
    "perm.scope.write_missing",
    "perm.read_ok_write_denied",
    "perm.rbac.matrix",
    "perm.encounter.closed",
    "perm.encounter.owner",
    "perm.department.restricted",
    "perm.drift",
    "perm.attribution.wrong",
    "ehr.server.error",
    "scribe.note.not_generated",
    "scribe.note.not_sent",
    "scribe.retry.duplicate",
    "scribe.timeout.short",
]  # the rows that first light promises


@pytest.mark.parametrize("id", FIRST_NINETY)
def test_a_promised_row_is_in_the_catalogue_and_a_check_speaks_for_it(id: str) -> None:
    cause = catalog.cause(id)
    assert cause.who_acts
    if cause.kind is Kind.CAUSE:
        assert len(cause.remedy) >= 2
    speaking = [c.id for c in catalog.checks().values() if cause in c.causes or c.id == id or c.id.startswith(id + ".")]
    assert speaking, f"no check speaks for {id}"


def test_every_cause_is_reached_by_a_check_or_a_signature() -> None:
    reached = {cause.id for check in catalog.checks().values() for cause in check.causes}
    reached |= set(catalog.checks())
    for path in (ROOT / "diagnostics" / "signatures").glob("*.toml"):
        for rows in tomllib.loads(path.read_text(encoding="utf-8")).values():
            if isinstance(rows, list):
                reached |= {row["cause"] for row in rows if row.get("cause")}
    told = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "diagnostics" / "explaining").glob("*.py"))
    told += "".join(p.read_text(encoding="utf-8") for p in (ROOT / "diagnostics" / "vendors").glob("*.py"))
    unreached = sorted(id for id in catalog.causes() if id not in reached and f'"{id}"' not in told)
    assert unreached == []


def test_explains_names_causes_that_exist() -> None:
    known = catalog.causes()
    for cause in known.values():
        for other in cause.explains:
            assert other in known or any(id.startswith(other) for id in known if other.endswith(".")), (cause.id, other)


def test_every_piece_of_evidence_has_one_source() -> None:
    catalog.load()
    sources = set(parts()) | set(probes())
    needed = {need.kind for check in catalog.checks().values() for need in check.needs}
    assert {kind.__name__ for kind in needed - sources} == set()
    assert all(issubclass(kind, Evidence) for kind in sources)


def test_every_probe_is_needed_by_a_check_or_a_probe() -> None:
    needed = {need.kind for check in catalog.checks().values() for need in check.needs}
    needed |= {kind for probe in probes().values() for kind in (*probe.needs, *probe.wants)}
    assert {kind.__name__ for kind in set(probes()) - needed} == set()


def test_checks_are_pure_by_their_imports() -> None:
    forbidden = (
        "import socket",
        "import ssl",
        "import httpx",
        "import asyncio",
        "import time\n",
        "datetime.now",
        "utcnow",
    )
    for check in catalog.checks().values():
        source = Path(inspect.getfile(check.function)).read_text(encoding="utf-8")
        for word in forbidden:
            assert word not in source, (check.id, word)


def test_ids_carry_the_cause_they_speak_for() -> None:
    prefixes = {prefix for group in PREFIXES.values() for prefix in group}
    for check in catalog.checks().values():
        assert check.id.split(".")[0] in prefixes
        assert check.id == check.id.lower()


def test_checklist_items_are_used() -> None:
    used = {item for check in catalog.checks().values() for item in check.checklist}
    used |= {item for cause in catalog.causes().values() for item in cause.checklist}
    assert used <= set(ITEMS)
