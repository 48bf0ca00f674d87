"""What the page of one log import shows: the columns to map, how far it is, what became of its lines."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.monitoring.column_kinds import NAIVE, kind_of
from console.notes.models import LogImport
from console.notes.uploads import head_of
from diagnostics.parsing.log_formats import FORMATS, KEYS, BadFormat, BadPacking, missing, peek, suggest

SHOWN_PROBLEMS = 20
_QUICK_MS, _SLOW_MS, _QUICK_POLLS = 500, 2000, 10
_FIRST, _DATES = 5, ("dates", "times of day")


@dataclass(frozen=True)
class Column:
    """One column of a CSV file: its name, what it seems to hold, and the key it is taken for."""

    name: str
    header: str
    kind: str
    key: str


@dataclass(frozen=True)
class ImportPage:
    """One import, and what a person may do with it."""

    made: LogImport
    problems: tuple[tuple[int, str], ...]
    may_open: bool
    may_manage: bool
    sees_notes: bool
    polled: int
    columns: tuple[Column, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def mapping(self) -> bool:
        """Tell whether somebody has to say what the columns mean."""
        return bool(self.columns)

    @property
    def running(self) -> bool:
        """Tell whether something will change by itself."""
        return not self.mapping and self.made.state in (LogImport.State.WAITING, LogImport.State.RUNNING)

    @property
    def may_go_on(self) -> bool:
        """Tell whether an import that stopped still has its file."""
        return self.made.state == LogImport.State.FAILED and self.made.upload_key is not None

    @property
    def tells_of_notes(self) -> bool:
        """Tell whether to say when the notes of its rows can be seen: a firewall's or a proxy's rows have none."""
        return self.sees_notes and self.made.log in ("scribe", "ehr") and self.made.stored > 0

    @property
    def format(self) -> str:
        """Name the format."""
        return FORMATS.get(self.made.format, "")

    @property
    def destination(self) -> str:
        """Name the integration the rows are for."""
        source = self.made.source
        if source is None:
            return self.made.source_name
        return source.integration.name if source.integration else source.name

    @property
    def share(self) -> int | None:
        """Give how much of the file is read, in percent."""
        return min(100, round(100 * self.made.taken / self.made.size)) if self.made.size else None

    @property
    def next_poll(self) -> int:
        """Count polls: each fragment brings a poller of its own."""
        return self.polled + 1

    @property
    def delay_ms(self) -> int:
        """Choose when the page asks again: most files are small and soon done."""
        return _QUICK_MS if self.polled < _QUICK_POLLS else _SLOW_MS

    @property
    def keys(self) -> tuple[str, ...]:
        """Give the keys that rows of this log have."""
        return KEYS[self.made.log]

    @cached_property
    def asks_zone(self) -> bool:
        """Tell whether times of the file belong to the source's time zone."""
        times = [column for column in self.columns if column.key == "at"] or self.columns
        kinds = {column.kind for column in times}
        return bool(kinds & {NAIVE, *_DATES})


def import_page(user: User, made: LogImport, polled: int = 0, *, chosen: Mapping[str, str] | None = None,
                errors: tuple[str, ...] = ()) -> ImportPage:  # fmt: skip
    """Read the page of one import; `chosen` are the keys of a form that is shown again with its `errors`."""
    rights = grants(user)
    problems = made.quarantined_lines.order_by("number", "id").values_list("number", "reason")[:SHOWN_PROBLEMS]
    return ImportPage(
        made=made,
        problems=tuple(problems) if made.quarantined else (),
        may_open=made.facility_id in rights.where(Right.OPEN_PAYLOAD),
        may_manage=made.facility_id in rights.where(Right.MANAGE_INTEGRATIONS),
        sees_notes=made.facility_id in rights.where(Right.SEE_TICKETS),
        polled=polled,
        columns=columns_of(made, chosen) if asks_columns(made) else (),
        errors=errors,
    )


def asks_columns(made: LogImport) -> bool:
    """Tell whether an import waits for somebody to say what its columns mean."""
    waits = made.state == LogImport.State.WAITING and made.format == "csv"
    return waits and made.mapping is None and made.upload_key is not None


def columns_of(made: LogImport, chosen: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Give a file's columns with what the source's last file of this log says they mean, else with a proposal."""
    try:
        table = peek(head_of(made))
    except (BadFormat, BadPacking):
        return ()
    kept = (made.source.mappings if made.source else {}).get(made.log, {})
    proposed = suggest(table.headers, made.log)
    if any(kept.get(header) for header in table.headers):
        proposed = {header: kept.get(header, "") for header in table.headers}
    return tuple(
        Column(
            name=f"column-{index}",
            header=header,
            kind=kind_of([record[index] for record in table.records[:_FIRST]]),
            key=(chosen or {}).get(f"column-{index}", proposed[header]),
        )
        for index, header in enumerate(table.headers)
    )


def problems_of(mapping: Mapping[str, str], log: str, *, zone_agreed: bool) -> Iterable[str]:
    """Say what is wrong with a mapping."""
    lacking = missing(mapping, log)
    if lacking:
        yield f"Choose the column that holds {' and '.join(lacking)}: every row needs it."
    keys = [key for key in mapping.values() if key and key != "at"]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"Several columns are chosen for {key}. Choose one of them."
    if not zone_agreed:
        yield "Say that the times are in the source's time zone, or have the zone changed first."
