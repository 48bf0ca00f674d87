"""Declare probes: one I/O act each, yielding one piece of evidence; and parts: evidence read from the case.

    @part(gives=Mapping)
    def mapping(case: Case) -> Mapping | Missing: ...

    @probe(gives=TcpConnect, needs=(DnsAnswer,), step=Step.NETWORK, each=True)
    async def connect(context: Context, dns: DnsAnswer) -> TcpConnect | Missing: ...

`each=True` runs the probe once per endpoint of the case, and the needs are those of the same endpoint.
`at=Role.TOKEN` binds needs that are per endpoint to the endpoint which plays that role. A probe whose needs are
not there, or do not open the way, is not run: its evidence is missing, blocked by what stood in the way.
`act=True` marks what must not happen twice (a canary, a refresh token): gather asks `once` first.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from diagnostics.case import Case
from diagnostics.errors import DeclarationError
from diagnostics.evidence.base import Evidence, Missing
from diagnostics.vocabulary import Step


@dataclass(frozen=True)
class Endpoint:
    """Be one host and port that the integration talks to, with the roles it plays and how it is reached."""

    host: str
    port: int
    tls: bool
    roles: tuple[str, ...]  # fhir | write | token | authorization | jwks | mllp | proxy
    proxy: str | None = None

    @property
    def subject(self) -> str:
        """Return `host:port`, the subject of all evidence about this endpoint."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Probe:
    """Be one declared probe."""

    name: str
    gives: type[Evidence]
    needs: tuple[type[Evidence], ...]
    wants: tuple[type[Evidence], ...]
    step: Step
    each: bool
    at: str | None
    act: bool
    applies: Callable[[Case], bool] | None
    run: Callable[..., Awaitable[Evidence | Missing]]


@dataclass(frozen=True)
class Part:
    """Be one declared reading of the case: pure, and made before any probe."""

    name: str
    gives: type[Evidence]
    read: Callable[[Case], Evidence | Missing]


_PROBES: dict[type[Evidence], Probe] = {}
_PARTS: dict[type[Evidence], Part] = {}


def probes() -> dict[type[Evidence], Probe]:
    """Return every declared probe by the evidence it gives."""
    return dict(_PROBES)


def parts() -> dict[type[Evidence], Part]:
    """Return every declared part by the evidence it gives."""
    return dict(_PARTS)


def probe(
    *,
    gives: type[Evidence],
    needs: tuple[type[Evidence], ...] = (),
    wants: tuple[type[Evidence], ...] = (),
    step: Step,
    each: bool = False,
    at: str | None = None,
    act: bool = False,
    applies: Callable[[Case], bool] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a probe; `wants` is awaited and handed over as `None` where it could not be had."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _refuse_second(gives)
        _PROBES[gives] = Probe(function.__name__, gives, needs, wants, step, each, at, act, applies, function)
        return function

    return register


def part(*, gives: type[Evidence]) -> Callable[[Callable[[Case], Any]], Callable[[Case], Any]]:
    """Declare evidence that is read from the case itself."""

    def register(function: Callable[[Case], Any]) -> Callable[[Case], Any]:
        _refuse_second(gives)
        _PARTS[gives] = Part(function.__name__, gives, function)
        return function

    return register


def _refuse_second(gives: type[Evidence]) -> None:
    if gives in _PROBES or gives in _PARTS:
        raise DeclarationError(f"{gives.__name__} has two sources; a piece of evidence has one")
