"""Builders of runs that looked from several places, and what a person does on the page of an integration."""

from typing import Any

from django.utils import timezone

from console.diagnoses.models import EvidenceRow, Run
from console.shared.work import WorkState
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.codec import encode
from diagnostics.evidence.network import (
    DnsAnswer,
    FaultSeen,
    Reached,
    TcpConnect,
    TlsHandshake,
)
from tests.console.pages.documents import logged_in

TARGET = "ehr.example:443"
AT = {"host": "ehr.example", "port": 443, "roles": ("fhir", "token")}
SILENT = FaultSeen("timeout_connect", "tcp", "no answer to the connection attempt")


def page_of(line) -> str:
    return f"/integrations/{line.id}/"


def text(person, line) -> str:
    answer = logged_in(person).get(page_of(line))
    assert answer.status_code == 200
    return answer.content.decode()


def add(person, line, **entered: str) -> Any:
    return logged_in(person).post(f"{page_of(line)}segments/add/", {"name": "Satellite", **entered})


def a_run(line, *evidence: Evidence, **fields: Any) -> Run:
    """Give an integration a finished run that gathered this."""
    fields = {"state": WorkState.DONE, "finished_at": timezone.now()} | fields
    run = Run.objects.create(facility_id=line.facility_id, integration=line, attempt=1, **fields)
    for each in evidence:
        EvidenceRow.objects.create(facility_id=line.facility_id, run=run, key=str(each.key), content=encode(each))
    return run


def looks_from(line, *names: str) -> None:
    line.settings = {**line.settings, "segments": [{"name": n, "source_address": "10.0.0.5"} for n in names]}
    line.save()


def from_here(**shake: Any) -> tuple[Evidence, ...]:
    return (
        DnsAnswer(**AT, outcome="found", addresses=("192.0.2.10",)),
        TcpConnect(**AT, address="192.0.2.10"),
        TlsHandshake(**AT, **{"verified": True, "protocol": "TLSv1.3"} | shake),
    )


def reached(segment: str, layer: str = "ok", fault: FaultSeen | None = None, outcome: str = "found", **more) -> Reached:
    addresses = ("192.0.2.10",) if outcome == "found" else ()
    return Reached(segment, TARGET, layer, fault, outcome, more.pop("addresses", addresses), **more)
