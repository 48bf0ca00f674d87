"""The charts of the report, as Vega-Lite specifications.

They are drawn on the server, so the page needs no script; their colours are the tokens of the style sheet, so they
follow light and dark. Each says in words what it shows and stands beside the table of its figures.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from console.reports import words
from console.reports.drawing import FONT, for_page, for_paper
from console.reports.figures import Facet, Figures
from console.reports.report import Group, Report

WIDE, NARROW = 760, 340
LABELS = 144


@dataclass(frozen=True)
class Chart:
    """Be a chart in words, as data and as pictures."""

    slug: str
    title: str
    lead: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    paper_width: int  # in percent of the line
    wide: dict[str, Any]
    narrow: dict[str, Any]

    @property
    def svg(self) -> SafeString:
        """Give the picture for the page."""
        return for_page(self.wide, "drawing wide")

    @property
    def narrow_svg(self) -> SafeString:
        """Give the picture for a phone: the same figures, drawn to be read at that width."""
        return for_page(self.narrow, "drawing narrow")

    @property
    def on_paper(self) -> str:
        """Give the picture for print."""
        return for_paper(self.wide)


def charts(report: Report) -> tuple[Chart, Chart]:
    """Give the charts of a report."""
    return over_months(report), by_category(report)


def over_months(report: Report) -> Chart:
    """Draw median and 90th percentile by month."""
    months = report.groups[Facet.MONTH]
    held = [group for group in months if group.figures.n]
    return Chart(
        slug="months",
        title=_trend(held),
        lead="Median and 90th percentile of the time to resolution, by the month of the resolution",
        says=f"Line chart of median and 90th percentile by month. {_months_say(held)}",
        paper_width=100,
        columns=("Month", "Tickets", "Median", "p90"),
        rows=tuple(
            (group.name, str(group.figures.n), _median(group.figures), words.length(group.figures.resolution.p90))
            for group in months
        ),
        wide=_months_spec(months, WIDE, 250),
        narrow=_months_spec(months, NARROW, 220),
    )


def _trend(held: list[Group]) -> str:
    """Say what the line shows, where there is enough to say: the first against the last third of the months."""
    third = len(held) // 3
    if third < 1 or any(group.figures.is_small for group in held):
        return "Time to resolution by month"
    first, last = (
        sum(group.figures.resolution.median or 0 for group in part) for part in (held[:third], held[-third:])
    )
    if last < first * 0.9:
        return "Resolution is getting faster"
    return "Resolution is getting slower" if last > first * 1.1 else "Resolution takes as long as before"


def _months_say(held: list[Group]) -> str:
    if not held:
        return "No ticket was resolved."
    ends = held if len(held) == 1 else (held[0], held[-1])
    return " ".join(
        f"{group.name}: median {words.length(group.figures.resolution.median)}, "
        f"p90 {words.length(group.figures.resolution.p90)}."
        for group in ends
    )


def _months_spec(months: tuple[Group, ...], width: int, height: int) -> dict[str, Any]:
    unit, seconds = _unit(group.figures.resolution.p90 for group in months)
    rows = [
        {
            "month": group.key,
            "median": _in(group.figures.resolution.median, seconds),
            "p90": _in(group.figures.resolution.p90, seconds),
            "small": group.figures.is_small,
        }
        for group in months
    ]
    last = next((row for row in reversed(rows) if row["median"] is not None), None)
    at_last = {"filter": f"datum.month === '{last['month']}'"} if last else {"filter": "false"}
    # Where both lines end close together, their names would stand on one another: the upper one goes up.
    most = max((row["p90"] or 0.0 for row in rows), default=0.0)
    lift = -14 if last and (last["p90"] or 0.0) - last["median"] < most * 0.08 else -2
    label = words.length(next((g.figures.resolution.median for g in reversed(months) if g.figures.n), None))
    names = {group.key: group.name[:3] for group in months}
    x = {
        "field": "month", "type": "ordinal", "scale": {"type": "point", "padding": 0.15}, "title": None,
        "axis": {"labelExpr": f"({json.dumps(names)})[datum.value]", "labelOverlap": True, "labelSeparation": 8},
    }  # fmt: skip
    y = {
        "type": "quantitative", "title": None,
        "axis": {"labelExpr": f"datum.value === 0 ? '0' : datum.value + ' {unit}'", "tickCount": 4},
    }  # fmt: skip
    median, p90 = ({**y, "field": name} for name in ("median", "p90"))
    gap = {"filter": "isValid(datum.median)"}
    dot = {"type": "point", "filled": True, "opacity": 1, "stroke": "var(--run)", "strokeWidth": 2}
    return _framed(width - 110, height, rows) | {
        "transform": [gap],
        "layer": [
            {"mark": {"type": "area", "color": "var(--run-ground)", "opacity": 1}, "encoding": {"x": x, "y": median}},
            {
                "mark": {"type": "line", "color": "var(--idle-line)", "strokeWidth": 1.5, "strokeDash": [4, 3]},
                "encoding": {"x": x, "y": p90},
            },
            {"mark": {"type": "line", "color": "var(--run)", "strokeWidth": 2.5}, "encoding": {"x": x, "y": median}},
            {
                "mark": dot | {"size": 30},
                "encoding": {
                    "x": x, "y": median,
                    "fill": {"condition": {"test": "datum.small", "value": "var(--surface)"}, "value": "var(--run)"},
                },
            },
            {
                "transform": [at_last],
                "mark": _end_label("var(--run-text)", 650) | {"text": label, "dy": 4},
                "encoding": {"x": x, "y": median},
            },
            {
                "transform": [at_last],
                "mark": _end_label("var(--ink-3)", 400) | {"text": "p90", "dy": lift},
                "encoding": {"x": x, "y": p90},
            },
        ],
    }  # fmt: skip


def by_category(report: Report) -> Chart:
    """Draw how often each kind of root cause occurs, with its median time."""
    groups = report.groups[Facet.CATEGORY]
    said = "; ".join(
        f"{group.name} {words.share(group.figures.n, report.total.n)}, median {_median(group.figures)}"
        for group in groups
    )
    return Chart(
        slug="causes",
        title="What breaks, and how long it takes",
        lead="Share of tickets by root cause, with the median time to resolution",
        says=f"Bar chart of the share of tickets by root cause. {said}.",
        paper_width=66,
        columns=("Root cause", "Tickets", "Share", "Median"),
        rows=tuple(
            (group.name, str(group.figures.n), words.share(group.figures.n, report.total.n), _median(group.figures))
            for group in groups
        ),
        wide=_causes_spec(groups, report.total.n, 460, 1.75),
        narrow=_causes_spec(groups, report.total.n, NARROW, 2.6),
    )


def _median(one: Figures) -> str:
    return words.length(one.resolution.median)


def _causes_spec(groups: tuple[Group, ...], total: int, width: int, room: float) -> dict[str, Any]:
    rows = [
        {
            "name": group.name,
            "n": group.figures.n,
            "share": words.share(group.figures.n, total),
            "median": _median(group.figures),
        }
        for group in groups
    ]
    y = {
        "field": "name", "type": "nominal", "sort": None, "title": None,
        "axis": {"labelAlign": "left", "labelPadding": LABELS, "labelLimit": 0, "labelFontSize": 12,
                 "labelColor": "var(--ink-2)", "minExtent": LABELS},
    }  # fmt: skip
    most = max((row["n"] for row in rows), default=1)
    x = {"field": "n", "type": "quantitative", "axis": None, "title": None, "scale": {"domain": [0, most * room]}}
    middle = {"baseline": "middle", "fontSize": 12}
    return _framed(width - LABELS - 14, 27 * max(1, len(rows)), rows) | {
        "layer": [
            {
                "mark": {"type": "bar", "color": "var(--run)", "fillOpacity": 0.55, "cornerRadius": 2, "height": 14},
                "encoding": {"y": y, "x": x},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "color": "var(--ink-3)", **middle},
                "encoding": {"y": y, "x": x, "text": {"field": "share"}},
            },
            {
                "mark": {"type": "text", "align": "right", "fontWeight": 650, "color": "var(--ink)", **middle},
                "encoding": {"y": y, "x": {"value": width - LABELS - 14}, "text": {"field": "median"}},
            },
        ]
    }


def _end_label(colour: str, weight: int) -> dict[str, Any]:
    return {"type": "text", "align": "left", "dx": 7, "color": colour, "fontWeight": weight, "fontSize": 12}


def _framed(width: int, height: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "width": width,
        "height": height,
        "padding": {"left": 2, "right": 14, "top": 6, "bottom": 6},  # texts are set wider than they were measured
        "data": {"values": rows},
        "config": {
            "font": FONT,
            "background": None,
            "view": {"stroke": None},
            "axis": {
                "domain": False, "ticks": False, "gridColor": "var(--line)", "labelColor": "var(--ink-3)",
                "labelFontSize": 12, "labelPadding": 8, "labelAngle": 0,
            },
            "axisX": {"grid": False},
        },
    }  # fmt: skip


def _unit(lengths: Iterable[int | None]) -> tuple[str, int]:
    """Choose the unit of an axis by the longest length on it."""
    longest = max((length for length in lengths if length is not None), default=0)
    if longest <= 2 * 3600:
        return "min", 60
    return ("h", 3600) if longest <= 96 * 3600 else ("d", 86400)


def _in(seconds: int | None, unit: int) -> float | None:
    return None if seconds is None else round(seconds / unit, 4)
