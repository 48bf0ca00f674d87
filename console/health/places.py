"""What a test saw from several places, side by side: rows are what was asked, columns are places.

Read from the evidence that runs store. It is about names, connections and certificates only; no note plays a part.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.db.models import Exists, OuterRef, Q, QuerySet

from console.diagnoses.models import EvidenceRow, FindingRow, Run
from console.integrations.models import Integration, Segment
from console.integrations.segments import segments_of
from console.integrations.settings_fields import values_of
from console.shared.work import WorkState
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.codec import decode
from diagnostics.evidence.fhir import Metadata
from diagnostics.evidence.network import (
    AtEndpoint,
    DnsAnswer,
    FaultSeen,
    HttpAnswer,
    Reached,
    SegmentReach,
    TcpConnect,
    TlsHandshake,
)

HERE = "here"
FINDING = "net.segment.divergence"
_LOOKED_BACK = 5  # runs whose look from other places may have come to nothing
_SHOWN_ADDRESSES = 3
NAME, CONNECTION, CERTIFICATE = "Name resolution", "Connection", "TLS and certificate"
FHIR_ANSWER, TOKEN_ANSWER = "Answer of the FHIR server", "Answer of the token server"
_ROLES = {
    "fhir": "FHIR server", "write": "where notes go", "token": "token server",
    "authorization": "authorization server", "jwks": "key set", "mllp": "HL7 interface",
}  # fmt: skip
_DNS = {
    "nxdomain": "no such name", "nodata": "no address", "servfail": "DNS failed", "refused": "DNS refused",
    "timeout": "timed out", "invalid_name": "no valid name",
}  # fmt: skip
_KINDS = {
    "dns": "no address", "refused": "refused", "unreachable": "unreachable", "timeout_connect": "timed out",
    "timeout_first_byte": "timed out", "timeout_total": "timed out", "reset": "cut off", "proxy": "proxy refused",
    "tls": "TLS failed", "too_large": "too large", "protocol": "not understood",
}  # fmt: skip
Kind = TypeVar("Kind", bound=Evidence)


@dataclass(frozen=True)
class Cell:
    """Be what one place saw of one thing: a word, the state of its mark, and why."""

    place: str
    state: str  # passed | failed | not_applicable, as marks are named
    word: str
    says: str = ""


@dataclass(frozen=True)
class Line:
    """Be one thing that was asked, as every place saw it."""

    asked: str
    host: str
    role: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        """Tell whether it came well here and ill there."""
        return {"passed", "failed"} <= {cell.state for cell in self.cells}


@dataclass(frozen=True)
class Place:
    """Be one column: a place by its name and when it looked; `own_worker` where a worker stands there."""

    name: str
    at: datetime
    own_worker: bool = False


@dataclass(frozen=True)
class Places:
    """Be the whole table: the places, the lines, and what the check says of those that were looked from at once."""

    columns: tuple[Place, ...]
    lines: tuple[Line, ...]
    finding: FindingRow | None
    since: tuple[str, ...]  # segments that were added, changed by name or removed after that look

    @property
    def differ(self) -> int:
        """Count the lines on which the places differ."""
        return sum(line.differs for line in self.lines)


def places_of(integration: Integration, runs: QuerySet[Run]) -> Places | None:
    """Give the newest look from several places among `runs`, or None where all looked from one.

    Beside the places that one run left by stand those in which a worker made a run of its own, each at its time.
    """
    runs = runs.filter(integration=integration, state=WorkState.DONE, offline=False).defer("document", "progress")
    set_now = {str(each["name"]) for each in segments_of(integration)}
    found = _newest_look(runs) if set_now else None
    workers = _workers(integration, runs)
    run, reach = found or (_newest_from_here(runs) if workers else None, SegmentReach())
    if run is None:
        return None
    secure = _secure(integration.settings)
    names = tuple(dict.fromkeys(each.segment for each in reach.results))
    own = [(Place(name, _at(there), own_worker=True), _Seen(there, secure=secure)) for name, there in workers]
    return Places(
        columns=(*(Place(name, _at(run)) for name in (HERE, *names)), *(place for place, _ in own)),
        lines=tuple(_lines(_Seen(run, secure=secure), reach, names, own)),
        finding=run.findings.filter(check_id=FINDING).first() if found else None,
        since=tuple(sorted(set_now ^ set(names))) if found else (),
    )


def _at(run: Run) -> datetime:
    return run.finished_at or run.created_at


def _newest_look(runs: QuerySet[Run]) -> tuple[Run, SegmentReach] | None:
    rows = EvidenceRow.objects.filter(key=SegmentReach.__name__, run__in=runs)
    rows = rows.select_related("run").defer("run__document", "run__progress")
    for row in rows.order_by("-run__created_at", "-run_id")[:_LOOKED_BACK]:
        reach = _decoded(row)
        if isinstance(reach, SegmentReach) and reach.results:
            return row.run, reach
    return None


def _newest_from_here(runs: QuerySet[Run]) -> Run | None:
    looked = EvidenceRow.objects.filter(run=OuterRef("pk"), key__startswith=f"{DnsAnswer.__name__}(")
    return runs.filter(Exists(looked), segment="").order_by("-created_at", "-id").first()


def _workers(integration: Integration, runs: QuerySet[Run]) -> list[tuple[str, Run]]:
    """Give the newest run of each segment in which a worker stands, by the segment's name."""
    names = {row.slug: row.name for row in Segment.objects.filter(facility=integration.facility_id)}
    if not names:
        return []
    newest = runs.filter(segment__in=names).order_by("segment", "-created_at", "-id").distinct("segment")
    return sorted((names[run.segment], run) for run in newest)


def _decoded(row: EvidenceRow) -> Evidence | None:
    try:
        return decode(row.content)
    except ValueError:  # of another release
        return None


class _Seen:
    """Hold what the run itself saw, from the place it stood in."""

    def __init__(self, run: Run, *, secure: frozenset[str]) -> None:
        kinds = (DnsAnswer, TcpConnect, TlsHandshake)
        wanted = Q(key__in=[Metadata.__name__, TokenAnswer.__name__])
        for kind in kinds:
            wanted |= Q(key__startswith=f"{kind.__name__}(")
        self._all = [found for row in run.evidence.filter(wanted) if (found := _decoded(row)) is not None]
        self._secure = secure

    def at(self, kind: type[Kind], target: str) -> Kind | None:
        """Give the evidence of one kind about one endpoint."""
        return next((each for each in self._all if isinstance(each, kind) and each.subject == target), None)

    def one(self, kind: type[Kind]) -> Kind | None:
        """Give the only evidence of a kind."""
        return next((each for each in self._all if isinstance(each, kind)), None)

    def targets(self) -> list[str]:
        """Give the endpoints in the order in which a note passes them."""
        return list(dict.fromkeys(each.subject for each in self._all if isinstance(each, AtEndpoint)))

    def role(self, target: str) -> str:
        """Say what an endpoint is."""
        known = next((e for e in self._all if isinstance(e, AtEndpoint) and e.subject == target), None)
        return ", ".join(_ROLES.get(role, role) for role in known.roles) if known else ""

    def speaks_tls(self, target: str, reached: Sequence[Reached]) -> bool:
        """Tell whether an endpoint is spoken to with TLS: as the run saw it, else as the settings say."""
        shake = self.at(TlsHandshake, target)
        if shake is not None:
            return shake.used
        return target in self._secure or any(each.layer == "tls" for each in reached)


def _lines(
    seen: _Seen, reach: SegmentReach, names: Sequence[str], own: Sequence[tuple[Place, _Seen]]
) -> Iterator[Line]:
    everyone = [seen, *(other for _, other in own)]
    order = {target: number for number, target in enumerate(dict.fromkeys(t for s in everyone for t in s.targets()))}
    targets = dict.fromkeys([*order, *(each.target for each in reach.results)])
    for target in sorted(targets, key=lambda each: order.get(each, len(order))):
        there = {each.segment: each for each in reach.results if each.target == target}
        asked = [(NAME, _name_there, _name), (CONNECTION, _connection_there, _connection)]
        if any(each.speaks_tls(target, list(there.values())) for each in everyone):
            asked.append((CERTIFICATE, _certificate_there, _certificate))
        for name, far, near in asked:
            cells = [near(seen, target, HERE), *(far(there.get(place), place) for place in names)]
            cells += [near(other, target, place.name) for place, other in own]
            yield Line(name, target, next(filter(None, (each.role(target) for each in everyone)), ""), tuple(cells))
    for name, kind in ((FHIR_ANSWER, Metadata), (TOKEN_ANSWER, TokenAnswer)):
        answer = next(filter(None, (_of(each, kind) for each in everyone)), None)
        if answer is not None:
            cells = [_answered(_of(seen, kind), name, HERE)]
            cells += [_not_looked(place, "from a segment only the way there is looked at") for place in names]
            cells += [_answered(_of(other, kind), name, place.name) for place, other in own]
            yield Line(name, _host(answer.url), "", tuple(cells))


def _of(seen: _Seen, kind: type[Metadata] | type[TokenAnswer]) -> HttpAnswer | None:
    found = seen.one(kind)
    return found.answer if isinstance(found, Metadata | TokenAnswer) else None


# -- cells ---------------------------------------------------------------------------------------------------------


def _not_looked(place: str, why: str) -> Cell:
    return Cell(place, "not_applicable", "not looked", why)


def _ok(place: str, says: str = "") -> Cell:
    return Cell(place, "passed", "ok", says)


def _fault(place: str, fault: FaultSeen | None) -> Cell:
    if fault is None:
        return Cell(place, "failed", "failed")
    if fault.kind == "policy":
        return _not_looked(place, "the operator's allow-list does not open this address")
    word = _KINDS.get(fault.kind, "failed")
    if fault.kind == "tls" and fault.verify_code is not None:
        word = "not trusted"
    elif fault.kind == "tls" and fault.alert_received:
        word = "refused"
    return Cell(place, "failed", word, "" if fault.says == word else fault.says)


def _addresses(found: Sequence[str], via: str) -> str:
    shown = ", ".join(found[:_SHOWN_ADDRESSES])
    more = len(found) - _SHOWN_ADDRESSES
    return f"{via}{shown}{f' and {more} more' if more > 0 else ''}"


def _named(place: str, outcome: str, addresses: Sequence[str], via: str) -> Cell:
    if addresses:
        return _ok(place, "given as an address" if outcome == "literal" and not via else _addresses(addresses, via))
    return Cell(place, "failed", _DNS.get(outcome, "no address"), "of the proxy" if via else "")


def _name(seen: _Seen, target: str, place: str) -> Cell:
    found = seen.at(DnsAnswer, target)
    if found is None:
        return _not_looked(place, "this run did not come to it")
    return _named(place, found.outcome, found.addresses, "the proxy: " if found.hop else "")


def _connection(seen: _Seen, target: str, place: str) -> Cell:
    found = seen.at(TcpConnect, target)
    if found is None:
        return _not_looked(place, "the name has no address" if _name(seen, target, place).state == "failed" else "")
    return _ok(place, f"to the proxy {found.hop}" if found.hop else "") if found.opens else _fault(place, found.fault)


def _certificate(seen: _Seen, target: str, place: str) -> Cell:
    found = seen.at(TlsHandshake, target)
    if found is None:
        return _not_looked(place, "there is no connection" if seen.at(TcpConnect, target) else "")
    return _ok(place, found.protocol or "") if found.opens else _fault(place, found.fault)


_ORDER = ("dns", "tcp", "tls", "ok")


def _there(reached: Reached | None, place: str, layer: str, ok: Callable[[Reached], Cell]) -> Cell:
    """Give the cell of one layer, from how far the endpoint was reached."""
    if reached is None:
        return _not_looked(place, "this endpoint was not asked for from there")
    if reached.layer in ("policy", "place"):
        if reached.layer == "policy":
            return _not_looked(place, "the operator's allow-list does not open this address")
        return _not_looked(place, reached.fault.says if reached.fault else "")
    if _ORDER.index(reached.layer) > _ORDER.index(layer):
        return ok(reached)
    if reached.layer == layer:
        return _fault(place, reached.fault)
    return _not_looked(place, "the name has no address" if reached.layer == "dns" else "there is no connection")


def _name_there(reached: Reached | None, place: str) -> Cell:
    if reached is None or (reached.layer == "policy" and not reached.addresses):
        return _there(reached, place, "dns", lambda _: _ok(place))
    return _named(place, reached.dns_outcome, reached.addresses, "the proxy: " if reached.proxied else "")


def _connection_there(reached: Reached | None, place: str) -> Cell:
    return _there(reached, place, "tcp", lambda seen: _ok(place, "to its proxy" if seen.proxied else ""))


def _certificate_there(reached: Reached | None, place: str) -> Cell:
    return _there(reached, place, "tls", lambda _: _ok(place))


def _answered(answer: HttpAnswer | None, asked: str, place: str) -> Cell:
    if answer is None:
        return _not_looked(place, "this run did not come to it")
    if answer.fault is not None:
        return _fault(place, answer.fault)
    if answer.ok:
        return _ok(place, f"status {answer.status}")
    if asked == FHIR_ANSWER and answer.status in (401, 403):
        return _ok(place, f"status {answer.status}: it wants a token even for its statement")
    return Cell(place, "failed", f"status {answer.status}")


# -- addresses -----------------------------------------------------------------------------------------------------


def _host(url: str) -> str:
    """Give `host:port` of an address."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return url
    return f"{parts.hostname}:{port}"


def _secure(settings: Mapping[str, Any]) -> frozenset[str]:
    """Give the endpoints that the settings want TLS for."""
    values = values_of(settings)
    urls = [value for value in values.values() if isinstance(value, str) and value.startswith("https://")]
    hl7 = {f"{values['hl7_host']}:{values['hl7_port']}"} if values["hl7_tls"] and values["hl7_host"] else set()
    return frozenset({_host(url) for url in urls} | hl7)
