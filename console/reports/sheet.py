"""The report as CSV, for spreadsheets: what it is about, the figures, the definition."""

import csv
import io
from collections.abc import Iterable

from console.reports import words
from console.reports.definition import DEFINITION
from console.reports.figures import Figures
from console.reports.pages import CLOCKS, TABLES, generated_words
from console.reports.report import Report

COLUMNS = (
    "By", "Name", "Part of", "Tickets", "Share", "Few tickets",
    "MTTR mean", "MTTR mean (min)", "MTTR median", "MTTR median (min)", "MTTR p90", "MTTR p90 (min)",
    "Diagnosed", "Time to diagnosis median", "Time to diagnosis median (min)",
    "Time to diagnosis p90", "Time to diagnosis p90 (min)",
    "Taken", "Time to acknowledgement mean", "Time to acknowledgement mean (min)",
    "Time to acknowledgement median", "Time to acknowledgement median (min)",
    "Within target", "Within target share", "Reopened", "Reopened share",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(report: Report) -> bytes:
    """Write the report; UTF-8 with a mark, by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in _rows(report):
        writer.writerow([safe(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def safe(cell: str | int | float) -> str | int | float:
    """Disarm a text that a spreadsheet would run as a formula; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(_FORMULA) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text[0] == "-" and text[-1].isdigit()


def _rows(report: Report) -> Iterable[tuple[str | int | float, ...]]:
    asked = report.asked
    yield ("Report", "Time to resolution")
    yield ("Facilities", asked.where)
    yield ("Period", asked.period.words)
    yield ("Clock", CLOCKS[asked.clock])
    yield ("Made at", generated_words(report))
    yield ()
    yield COLUMNS
    yield ("All", "All resolved tickets", "", *_cells(report.total, report.total.n))
    yield ("Before", asked.period.before.words, "", *_cells(report.before, 0))
    for facet, name in TABLES.items():
        for group in report.groups[facet]:
            yield (name, group.name, group.part_of, *_cells(group.figures, report.total.n))
    yield ()
    yield ("Open tickets now", len(report.open.tickets))
    yield ("Of them overdue", len(report.open.overdue))
    if report.open.oldest is not None:
        yield ("Oldest open for", words.length(int(report.open.oldest.total_seconds())))
    if report.left_out:
        yield ("Left out: tickets of restricted departments", report.left_out)
    yield ()
    for name, meaning in DEFINITION:
        yield (name, meaning)


def _cells(one: Figures, total: int) -> Iterable[str | int | float]:
    yield one.n
    yield words.share(one.n, total)
    yield "yes" if one.is_small else ""
    for seconds in (one.resolution.mean, one.resolution.median, one.resolution.p90):
        yield from _length(seconds)
    yield one.diagnosis.n
    for seconds in (one.diagnosis.median, one.diagnosis.p90):
        yield from _length(seconds)
    yield one.acknowledgement.n
    for seconds in (one.acknowledgement.mean, one.acknowledgement.median):
        yield from _length(seconds)
    yield from (one.on_target, words.share(one.on_target, one.n), one.reopened, words.share(one.reopened, one.n))


def _length(seconds: int | None) -> tuple[str, str]:
    return words.length(seconds) if seconds is not None else "", words.minutes(seconds)
