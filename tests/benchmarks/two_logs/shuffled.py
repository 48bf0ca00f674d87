"""Write many lines in a random order with little memory: each goes to a bucket file, the buckets are then shuffled.

A line's bucket is drawn at random and every bucket is shuffled whole, so the order is as random as that of one shuffle
over all lines, while only one bucket is ever in memory.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Self

BUCKETS = 48


class ShuffledLines:
    """A file whose lines come out in an order drawn from `seed`; lines added as late ones stand behind all others."""

    def __init__(self, path: Path, seed: str, buckets: int = BUCKETS) -> None:
        self.path = path
        self.written = 0
        self._random = random.Random(seed)
        self._folder = tempfile.TemporaryDirectory(prefix="buckets-", dir=path.parent)
        names = [Path(self._folder.name) / f"{number}" for number in range(buckets + 1)]
        self._buckets = [open(name, "w+b", buffering=1 << 16) for name in names]  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            if kind is None:
                self._gather()
        finally:
            for bucket in self._buckets:
                bucket.close()
            self._folder.cleanup()

    def add(self, line: bytes, *, late: bool = False) -> None:
        """Add one line without its end; a late one arrives after everything else."""
        number = len(self._buckets) - 1 if late else int(self._random.random() * (len(self._buckets) - 1))
        self._buckets[number].write(line + b"\n")
        self.written += 1

    def _gather(self) -> None:
        with open(self.path, "wb") as out:
            for bucket in self._buckets:
                bucket.seek(0)
                lines = bucket.read().split(b"\n")[:-1]
                self._random.shuffle(lines)
                if lines:
                    out.write(b"\n".join(lines) + b"\n")
