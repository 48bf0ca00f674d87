"""Geometry of the small charts: numbers in, coordinates out. Templates draw them; a table beside says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 430, 170
LEFT, RIGHT, TOP, BOTTOM = 48, 8, 10, 24
SPARK_WIDTH, SPARK_HEIGHT = 120, 26


@dataclass(frozen=True)
class Tick:
    """A line of the grid, or a word under the axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Dot:
    """A value on its own, with no neighbour to draw a line to."""

    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """One series as an SVG path; where a value is missing the line breaks."""

    path: str
    dots: tuple[Dot, ...]
    tone: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar, stacked on what lies below it."""

    x: float
    y: float
    width: float
    height: float
    tone: str = ""


@dataclass(frozen=True)
class Chart:
    """What the template draws, and the words for those who do not see it."""

    title: str
    about: str
    says: str
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    rows: tuple[Tick, ...] = ()
    columns: tuple[Tick, ...] = ()
    mark: Tick | None = None
    legend: tuple[tuple[str, str], ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    baseline: int = HEIGHT - BOTTOM


def spark(stacks: Sequence[Sequence[tuple[str, float]]]) -> tuple[Bar, ...]:
    """Draw a stack of (tone, value) for each column into the small box of a table's row."""
    step = SPARK_WIDTH / max(1, len(stacks))
    high = max((sum(value for _, value in stack) for stack in stacks), default=0.0)
    return _stacked(stacks, [step * (n + 0.5) for n in range(len(stacks))], step * 0.72, high, SPARK_HEIGHT - 1, 1)


def columns_for(labels: Sequence[str], most: int = 6) -> tuple[tuple[Tick, ...], list[float]]:
    """Give the words under the axis, few enough to be read, and every column's middle."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    xs = [LEFT + step * (number + 0.5) for number in range(len(labels))]
    every = max(1, -(-len(labels) // most))
    return tuple(Tick(round(xs[n], 1), labels[n]) for n in range(0, len(labels), every)), xs


def lines(
    series: Sequence[tuple[str, Sequence[float | None]]], xs: Sequence[float], *, low: float, high: float
) -> tuple[Line, ...]:
    """Draw (tone, values) series between the values `low` and `high`."""
    return tuple(_line(xs, values, low, high, TOP, HEIGHT - BOTTOM, tone) for tone, values in series)


def bars(stacks: Sequence[Sequence[tuple[str, float]]], xs: Sequence[float], *, high: float) -> tuple[Bar, ...]:
    """Draw a stack of (tone, value) for each column."""
    width = max(2.0, (WIDTH - LEFT - RIGHT) / max(1, len(xs)) * 0.62)
    return _stacked(stacks, xs, width, high, HEIGHT - BOTTOM, TOP)


def _stacked(
    stacks: Sequence[Sequence[tuple[str, float]]],
    xs: Sequence[float],
    width: float,
    high: float,
    bottom: float,
    top: float,
) -> tuple[Bar, ...]:
    found = []
    for x, stack in zip(xs, stacks, strict=True):
        base = float(bottom)
        for tone, value in stack:
            # A single failed note among thousands is still to be seen.
            height = max(1.5, value / high * (bottom - top)) if value and high else 0.0
            base -= height
            if height:
                found.append(Bar(round(x - width / 2, 1), round(base, 1), round(width, 1), round(height, 1), tone))
    return tuple(found)


def grid(values: Sequence[tuple[float, str]], *, low: float, high: float) -> tuple[Tick, ...]:
    """Place (value, label) lines."""
    return tuple(Tick(_y(value, low, high, TOP, HEIGHT - BOTTOM), label) for value, label in values)


def round_up(value: float) -> float:
    """Give a round number at or above a value, so that the axis ends on one."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power * 10 < value:
        power *= 10
    while power >= value:
        power /= 10
    return next(power * factor for factor in (1, 2, 5, 10, 20, 50, 100) if power * factor >= value)


def _line(
    xs: Sequence[float], values: Sequence[float | None], low: float, high: float, top: float, bottom: float,
    tone: str = "",
) -> Line:  # fmt: skip
    parts: list[str] = []
    dots: list[Dot] = []
    run: list[tuple[float, float]] = []
    for x, value in [*zip(xs, values, strict=True), (0.0, None)]:
        if value is not None:
            run.append((round(x, 1), _y(value, low, high, top, bottom)))
            continue
        if len(run) == 1:
            dots.append(Dot(*run[0]))
        elif run:
            parts.append("M" + " L".join(f"{x:g} {y:g}" for x, y in run))
        run = []
    return Line(" ".join(parts), tuple(dots), tone)


def _y(value: float, low: float, high: float, top: float, bottom: float) -> float:
    share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.0
    return round(bottom - share * (bottom - top), 1)
