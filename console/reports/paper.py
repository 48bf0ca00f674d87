"""The report as PDF: typst sets the very numbers of the report; nothing is fetched and no file beside it is read."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from console.reports import words
from console.reports.charts import charts
from console.reports.definition import DEFINITION
from console.reports.figures import SMALL, Figures
from console.reports.pages import CLOCKS, TABLES, generated_words
from console.reports.report import Report
from console.shared.typesetting import set_in_type

_TEMPLATE = Path(__file__).with_name("mttr.typ")


def as_pdf(report: Report) -> bytes:
    """Set the report."""
    return compile_as("pdf", report)


def compile_as(form: str, report: Report) -> bytes:
    """Compile the template with a report's numbers, as "pdf" or, to be read by a machine, as "html"."""
    return set_in_type(_TEMPLATE, content(report), at=report.asked.now, form=form)


def content(report: Report) -> dict[str, Any]:
    """Give what the template sets. All are texts, so that nothing in a name can be taken for markup."""
    asked, total, before = report.asked, report.total, report.before
    return {
        "title": "Time to resolution",
        "where": asked.where,
        "period": asked.period.words,
        "compared": asked.period.before.words,
        "clock": CLOCKS[asked.clock],
        "made": generated_words(report),
        "small": str(SMALL),
        "empty": not total.n,
        "stats": [
            ["Tickets resolved", str(total.n), str(before.n)],
            *(
                [name, words.length(one), words.length(earlier)]
                for name, one, earlier in (
                    ("MTTR, mean", total.resolution.mean, before.resolution.mean),
                    ("MTTR, median", total.resolution.median, before.resolution.median),
                    ("MTTR, 90th percentile", total.resolution.p90, before.resolution.p90),
                    ("Time to diagnosis, median", total.diagnosis.median, before.diagnosis.median),
                    ("Time to diagnosis, 90th percentile", total.diagnosis.p90, before.diagnosis.p90),
                    ("Acknowledged, mean (MTTA)", total.acknowledgement.mean, before.acknowledgement.mean),
                    ("Acknowledged, median", total.acknowledgement.median, before.acknowledgement.median),
                )
            ),
            ["Resolved within target", words.share(total.on_target, total.n), words.share(before.on_target, before.n)],
            ["Reopened", words.share(total.reopened, total.n), words.share(before.reopened, before.n)],
        ],
        "charts": [
            {"title": one.title, "lead": one.lead, "says": one.says, "svg": one.on_paper, "width": one.paper_width}
            for one in (charts(report) if total.n else ())
        ],
        "tables": [
            {
                "name": name,
                "lines": [
                    [group.name, group.part_of, group.figures.is_small, *_line(group.figures, total.n)]
                    for group in report.groups[facet]
                ],
            }
            for facet, name in TABLES.items()
        ],
        "open": [
            ["Open now", str(len(report.open.tickets))],
            ["Overdue", str(len(report.open.overdue))],
            ["Oldest open for", _length(report.open.oldest)],
        ],
        "left_out": words.tickets(report.left_out) if report.left_out else "",
        "definition": [list(term) for term in DEFINITION],
    }


def _line(one: Figures, total: int) -> list[str]:
    mttr = one.resolution
    return [
        str(one.n),
        words.share(one.n, total),
        words.length(mttr.median),
        words.length(mttr.p90),
        words.length(mttr.mean),
        words.length(one.diagnosis.median),
        words.share(one.on_target, one.n),
        words.share(one.reopened, one.n),
    ]


def _length(length: timedelta | None) -> str:
    return words.length(None if length is None else int(length.total_seconds()))
