"""What the report's page shows: numbers in words, each with the address of the tickets behind it."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.utils import timezone

from console.accounts.models import Facility
from console.reports import words
from console.reports.charts import Chart, charts
from console.reports.definition import DEFINITION
from console.reports.figures import Clock, Facet, Figures, Only
from console.reports.forms import AskForm
from console.reports.periods import DATES, NAMES, day_words
from console.reports.report import Asked, Report
from console.reports.words import Change

SHOWN_AT_ONCE = 10
CLOCKS = {Clock.WALL: "Wall time", Clock.ACTIVE: "Active time"}
TABLES = {
    Facet.CATEGORY: "Root cause category",
    Facet.CAUSE: "Root cause",
    Facet.VENDOR: "Vendor",
    Facet.FACILITY: "Facility",
    Facet.INTEGRATION: "Integration",
    Facet.SEVERITY: "Severity",
    Facet.MONTH: "Month",
}


@dataclass(frozen=True)
class Chip:
    """Be one choice of a filter."""

    name: str
    query: str
    current: bool


@dataclass(frozen=True)
class Stat:
    """Be one of the figures at the head. `value` is for machines: minutes, or a count."""

    label: str
    text: str
    value: str
    query: str
    about: str
    change: Change | None = None
    before: str = ""


@dataclass(frozen=True)
class Cell:
    """Be one number of a table; without `query` it belongs to the row's own tickets."""

    text: str
    value: str
    query: str = ""
    says: str = ""


@dataclass(frozen=True)
class Line:
    """Be one row of a table."""

    name: str
    part_of: str
    query: str
    small: bool
    n: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Be the groups of one kind."""

    slug: str
    name: str
    lines: tuple[Line, ...]

    @property
    def parts(self) -> tuple[tuple[Line, ...], ...]:
        """Give the lines shown at once and, of a long table, those that are folded."""
        if len(self.lines) <= SHOWN_AT_ONCE + 2:
            return (self.lines,)
        return self.lines[:SHOWN_AT_ONCE], self.lines[SHOWN_AT_ONCE:]


@dataclass(frozen=True)
class MttrPage:
    """Be everything the page shows."""

    asked: Asked
    query: str
    periods: tuple[Chip, ...]
    clocks: tuple[Chip, ...]
    facilities: tuple[Facility, ...]
    facility: str
    kept: dict[str, str]
    n: int
    is_small: bool
    all_query: str
    open_query: str
    overdue_query: str
    stats: tuple[Stat, ...]
    open: tuple[Stat, ...]
    charts: tuple[Chart, Chart]
    tables: tuple[Table, ...]
    left_out: int
    left_out_words: str
    wrong: list[str]
    dates: tuple[str, str]
    made_at: str
    definition: tuple[tuple[str, str], ...] = field(default=DEFINITION)
    columns: tuple[str, ...] = ("Median", "p90", "Mean", "To diagnosis", "Within target", "Reopened")

    @property
    def meta(self) -> str:
        """Say what the figures are about."""
        return f"{self.asked.where} · {self.asked.period.words} · compared with {self.asked.period.before.words}"

    @property
    def clock(self) -> str:
        """Name the clock."""
        return CLOCKS[self.asked.clock]

    @property
    def chosen_dates(self) -> bool:
        """Tell whether the period was given by its dates."""
        return self.asked.period.slug == DATES


def generated_words(report: Report) -> str:
    """Say when it was made, with the time zone: `22 Nov 2026, 14:03 (America/Chicago)`."""
    local = timezone.localtime(report.asked.now)
    return f"{day_words(local.date())}, {local:%H:%M} ({timezone.get_current_timezone_name()})"


def kept_of(asked: Asked, facility: str = "") -> dict[str, str]:
    """Give the filters as the address holds them."""
    kept = {"period": asked.period.slug}
    if asked.period.slug == DATES:
        kept |= {"from": asked.period.from_on.isoformat(), "to": asked.period.to_on.isoformat()}
    kept["clock"] = asked.clock
    return kept | ({"facility": facility} if facility else {})


def mttr_page(report: Report, *, form: AskForm, facility: str) -> MttrPage:
    """Turn a report into its page."""
    asked = report.asked
    kept = kept_of(asked, facility)
    without_period = {name: value for name, value in kept.items() if name not in ("period", "from", "to")}
    return MttrPage(
        asked=asked,
        query=urlencode(kept),
        periods=tuple(
            Chip(name, urlencode(without_period | {"period": slug}), slug == asked.period.slug)
            for slug, name in NAMES.items()
        ),
        clocks=tuple(
            Chip(name, urlencode(kept | {"clock": clock}), clock == asked.clock) for clock, name in CLOCKS.items()
        ),
        facilities=tuple(form.all_facilities),
        facility=facility,
        kept=kept,
        n=report.total.n,
        is_small=report.total.is_small,
        all_query=urlencode(kept),
        open_query=urlencode(kept | {"show": "open"}),
        overdue_query=urlencode(kept | {"show": "overdue"}),
        stats=_stats(report, kept),
        open=_open(report, kept),
        charts=charts(report),
        tables=tuple(_table(report, facet, name, kept) for facet, name in TABLES.items()),
        left_out=report.left_out,
        left_out_words=words.tickets(report.left_out),
        wrong=form.wrong,
        dates=form.dates or (asked.period.from_on.isoformat(), asked.period.to_on.isoformat()),
        made_at=generated_words(report),
    )


def _stats(report: Report, kept: dict[str, str]) -> tuple[Stat, ...]:
    now, before = report.total, report.before

    def time(label: str, of: str, which: str, only: Only | None, about: str) -> Stat:
        one, earlier = getattr(now, of), getattr(before, of)
        length, length_before = getattr(one, which), getattr(earlier, which)
        return Stat(
            label=label,
            text=words.length(length),
            value=words.minutes(length),
            query=urlencode(kept | ({"only": only} if only else {})),
            about=about,
            change=words.faster(length, length_before, one.n, earlier.n),
            before=words.length(length_before),
        )

    def part(label: str, count: str, only: Only, *, more_is_better: bool) -> Stat:
        one, earlier = getattr(now, count), getattr(before, count)
        return Stat(
            label=label,
            text=words.share(one, now.n),
            value=str(one),
            query=urlencode(kept | {"only": only}),
            about=f"{one} of {words.tickets(now.n)}",
            change=words.points(one, now.n, earlier, before.n, more_is_better=more_is_better),
            before=words.share(earlier, before.n),
        )

    p90, diagnosis = words.length(now.resolution.p90), now.diagnosis
    return (
        time("MTTR, mean", "resolution", "mean", None, words.tickets(now.n)),
        time("MTTR, median", "resolution", "median", None, f"p90 {p90}"),
        time("Time to diagnosis, median", "diagnosis", "median", Only.DIAGNOSED, f"p90 {words.length(diagnosis.p90)}"),
        time(
            "Acknowledged, mean", "acknowledgement", "mean", Only.TAKEN,
            f"median {words.length(now.acknowledgement.median)}",
        ),
        part("Resolved within target", "on_target", Only.ON_TARGET, more_is_better=True),
        part("Reopened", "reopened", Only.REOPENED, more_is_better=False),
    )  # fmt: skip


def _open(report: Report, kept: dict[str, str]) -> tuple[Stat, ...]:
    one = report.open
    oldest = int(one.oldest.total_seconds()) if one.oldest is not None else None
    all_open = urlencode(kept | {"show": "open"})
    return (
        Stat("Open now", str(len(one.tickets)), str(len(one.tickets)), all_open, ""),
        Stat("Overdue", str(len(one.overdue)), str(len(one.overdue)), urlencode(kept | {"show": "overdue"}), ""),
        Stat("Oldest open for", words.length(oldest), words.minutes(oldest), all_open, ""),
    )


def _table(report: Report, facet: Facet, name: str, kept: dict[str, str]) -> Table:
    return Table(
        slug=facet,
        name=name,
        lines=tuple(
            Line(
                name=group.name,
                part_of=group.part_of,
                query=(query := urlencode(kept | {"by": facet, "is": group.key})) if group.figures.n else "",
                small=group.figures.is_small,
                n=group.figures.n,
                cells=_cells(group.figures, report.total.n, query if group.figures.n else ""),
            )
            for group in report.groups[facet]
        ),
    )


def _cells(one: Figures, total: int, query: str) -> tuple[Cell, ...]:
    mttr = one.resolution

    def counted(count: int, only: Only, says: str) -> Cell:
        return Cell(words.share(count, one.n), str(count), f"{query}&only={only}" if count else "", says)

    return (
        Cell(words.share(one.n, total), ""),
        *(Cell(words.length(each), words.minutes(each)) for each in (mttr.median, mttr.p90, mttr.mean)),
        Cell(words.length(one.diagnosis.median), words.minutes(one.diagnosis.median)),
        counted(one.on_target, Only.ON_TARGET, "resolved within target"),
        counted(one.reopened, Only.REOPENED, "reopened"),
    )
