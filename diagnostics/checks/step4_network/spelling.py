"""Tell a host name that nobody has from one that was mistyped: it is nearly a name that is known to work."""

from collections.abc import Mapping

from diagnostics.checks.step4_network.flows import place_of
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import ScribeLog

_MOST = 2  # letters that a typing error changes; more of them make another name
_SHORTEST = 8  # in short names two letters are too many


def misspelt(
    host: str,
    log: ScribeLog | None,
    baseline: Baseline | None,
    working: frozenset[str] = frozenset(),
) -> str | None:
    """Return the known host that `host` is nearly, or None. A name that had worked before was not mistyped.

    Known are the hosts of the last good run, those the scribe had answers from, and `working`, which resolve now.
    """
    known = _known(log, baseline) | working
    if host in known or len(host) < _SHORTEST:
        return None
    near = sorted((distance(host, other), other) for other in known if abs(len(other) - len(host)) <= _MOST)
    return next((other for apart, other in near if 0 < apart <= _MOST and not _counted(host, other)), None)


def _known(log: ScribeLog | None, baseline: Baseline | None) -> frozenset[str]:
    found = set()
    for key in ("dns", "certificates"):
        held = baseline.facts.get(key) if baseline else None
        found |= {str(name).rpartition(":")[0] or str(name) for name in held} if isinstance(held, Mapping) else set()
    for row in log.rows if log else ():
        place = place_of(row.url) if row.url and (row.status is not None or row.ack) else None
        if place is not None:
            found.add(place[0])
    return frozenset(found)


def _counted(one: str, other: str) -> bool:
    """Tell whether two names differ in a number only: `node1` and `node2` are both meant."""
    return "".join(c for c in one if not c.isdigit()) == "".join(c for c in other if not c.isdigit())


def distance(one: str, other: str) -> int:
    """Return how many letters to change, add, drop or swap (with the neighbour) make one name the other."""
    one, other = one[:253], other[:253]
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        oldest, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, oldest[j - 2] + 1)
            row.append(cost)
    return row[-1]
