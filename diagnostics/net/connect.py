"""Open a TCP connection to one of a host's vetted addresses, from a given source address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.net.faults import Fault, FaultKind, NetworkFault, Phase, fault_of
from diagnostics.net.policy import Address

_HEAD_START_S = 0.25  # RFC 8305: the next address starts while the first is still silent


@dataclass(frozen=True, slots=True)
class Attempt:
    """Keep how one address answered: `fault` is None for the one that was connected."""

    address: str
    fault: Fault | None


async def open_socket(
    addresses: Sequence[Address], port: int, *, source_address: str | None, timeout_s: float
) -> tuple[socket.socket, tuple[Attempt, ...]]:
    """Return a connected socket to the first address that answers, with all attempts.

    Raises NetworkFault with the most telling failure: an answer (refused) says more than silence.
    """
    attempts: list[Attempt] = []
    pending: set[asyncio.Task[socket.socket]] = set()
    by_task: dict[asyncio.Task[socket.socket], Address] = {}
    waiting = list(addresses)
    winner: socket.socket | None = None
    try:
        while (waiting or pending) and winner is None:
            if waiting:
                address = waiting.pop(0)
                task = asyncio.create_task(_connect(address, port, source_address, timeout_s))
                by_task[task] = address
                pending.add(task)
            head_start = _HEAD_START_S if waiting else None
            done, pending = await asyncio.wait(pending, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                sock = _outcome(task, by_task[task], attempts)
                if sock is not None and winner is not None:
                    sock.close()
                winner = winner or sock
    finally:
        await _abandon(pending)
    if winner is not None:
        return winner, tuple(attempts)
    raise NetworkFault(_most_telling(attempts))


def _outcome(task: asyncio.Task[socket.socket], address: Address, attempts: list[Attempt]) -> socket.socket | None:
    error = task.exception()
    attempts.append(Attempt(str(address), None if error is None else fault_of(error, Phase.TCP)))
    return None if error is not None else task.result()


async def _abandon(pending: set[asyncio.Task[socket.socket]]) -> None:
    for task in pending:
        task.cancel()
    for result in await asyncio.gather(*pending, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()


async def _connect(address: Address, port: int, source_address: str | None, timeout_s: float) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source_address is not None:
            sock.bind((source_address, 0))
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
    except TimeoutError as error:
        sock.close()
        fault = Fault(FaultKind.TIMEOUT_CONNECT, Phase.TCP, "no answer to the connection attempt", errno=error.errno)
        raise NetworkFault(fault) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _most_telling(attempts: Sequence[Attempt]) -> Fault:
    order = (FaultKind.REFUSED, FaultKind.RESET, FaultKind.TIMEOUT_CONNECT, FaultKind.UNREACHABLE)
    faults = [attempt.fault for attempt in attempts if attempt.fault is not None]
    for kind in order:
        for fault in faults:
            if fault.kind is kind:
                return fault
    return Fault(FaultKind.UNREACHABLE, Phase.TCP, "there is no address to connect to")
