"""Remember what the checks of one run compute twice, and forget it when the run ends.

Texts of a case (an error, a header, a note) must not outlive the diagnosis they belong to: whatever keeps one is kept
here, and `forget` drops it all.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

_KEPT: list[Callable[[], None]] = []


def remembered(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep a function's last answers until `forget`, at most so many; its arguments must be hashable."""

    def keep(function: Callable[P, R]) -> Callable[P, R]:
        kept = lru_cache(maxsize=most)(function)
        _KEPT.append(kept.cache_clear)
        return cast(Callable[P, R], kept)

    return keep


def forget() -> None:
    """Drop everything that was remembered."""
    for clear in _KEPT:
        clear()
