"""Measure variants that take turns in every round; tell a ratio as the median of the rounds' ratios, with its range."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """One ratio of two variants over all rounds."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.3g} [{self.least:.3g} to {self.most:.3g}]"


Figures = dict[str, list[float]]


def take_turns(variants: dict[str, Callable[[], float]], rounds: int) -> Figures:
    """Run every variant once a round, each round beginning with another; give each one's figures by round."""
    figures: Figures = {name: [] for name in variants}
    order = list(variants)
    for number in range(rounds):
        first = number % len(order)
        for name in order[first:] + order[:first]:
            figures[name].append(variants[name]())
    return figures


def ratio(figures: Figures, over: str, under: str) -> Ratio:
    """Give `over` divided by `under`."""
    each = [a / b for a, b in zip(figures[over], figures[under], strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))


def percentile(values: list[float], share: float) -> float:
    """Give the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def told(figures: Figures) -> str:
    """Tell the median and the range of every variant."""
    parts = (f"{name} {statistics.median(v):.3g} [{min(v):.3g} to {max(v):.3g}]" for name, v in figures.items())
    return "; ".join(parts)
