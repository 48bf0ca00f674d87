"""CSV and PDF hold the numbers of the page: not alike, but the same."""

import csv
import html
import io
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.reports.definition import DEFINITION
from console.reports.figures import Clock
from console.reports.paper import as_pdf, compile_as
from console.reports.periods import of
from console.reports.report import Asked, make
from console.reports.sheet import COLUMNS, safe
from console.tickets.models import Severity
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.pages.documents import logged_in
from tests.console.reports.past import a_past_ticket
from tests.console.reports.printed import pages_of, pieces_of, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility(time_zone="America/Chicago")


@pytest.fixture
def manager(facility):
    integration, second = an_integration(facility), an_integration(facility)
    for number in range(13):
        a_past_ticket(integration, minutes=17 + 41 * number, waited=7 * number, reopened=number == 3)
    for number in range(6):
        a_past_ticket(
            second, minutes=333 + number, category="template_conflict", cause="", severity=Severity.MISPLACED,
            resolved_at=datetime.now(UTC) - timedelta(days=33 * number + 2),
        )  # fmt: skip
    a_past_ticket(second, is_open=True, minutes=90)
    return a_person(facility, Role.MANAGER)


@pytest.fixture
def report(facility, manager):
    now = datetime.now(UTC)
    return make(manager, Asked(of("12m", now.date()), Clock.WALL, (facility,), now))


def rows_of(person, query: str = "") -> list[list[str]]:
    answer = logged_in(person).get(f"/reports/mttr.csv{query}")
    assert answer["Content-Type"].startswith("text/csv")
    assert re.search(
        r'attachment; filename="time-to-resolution-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv"', str(answer.headers)
    )
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def of_sheet(rows: list[list[str]]) -> dict[tuple[str, str], list[str]]:
    """Give what the CSV says of each group, in the order of the page's columns."""
    names = ["Tickets", "Share", "MTTR median", "MTTR p90", "MTTR mean", "Time to diagnosis median",
             "Within target share", "Reopened share"]  # fmt: skip
    at = rows.index(list(COLUMNS))
    table = [dict(zip(COLUMNS, row, strict=True)) for row in rows[at + 1 :] if len(row) == len(COLUMNS)]
    return {(row["By"], row["Name"]): [row[name] for name in names] for row in table}


def cells(row: str, tag: str = "t[dh]") -> list[str]:
    found = re.findall(rf"<({tag})\b[^>]*>(.*?)</\1>", row, re.S)
    texts = (
        re.sub(r'<span class="hidden-visually">.*?</span>|<span class="pill">few</span>|<small>.*?</small>', "", c)
        for _, c in found
    )
    return [html.unescape(re.sub(r"<[^>]+>", "", text)).strip() for text in texts]


def of_page(text: str) -> dict[tuple[str, str], list[str]]:
    found = {}
    for table in re.findall(r'<table class="data breakdown".*?</table>', text, re.S):
        head, *rows = re.findall(r"<tr>.*?</tr>", table, re.S)
        for row in rows:
            name, *values = cells(row)
            found[cells(head)[0], name] = values
    return found


def same(one: dict, other: dict) -> None:
    """Compare two readings; nothing is a dash on paper and an empty cell in a sheet."""
    plain = lambda rows: {key: ["" if v == "–" else v for v in values] for key, values in rows.items()}  # noqa: E731
    assert plain(one) == plain(other)


@pytest.mark.parametrize("clock", ["wall", "active"])
def test_the_csv_holds_the_numbers_of_the_page(manager, clock) -> None:
    text = logged_in(manager).get(f"/reports/?clock={clock}").content.decode()
    rows = rows_of(manager, f"?clock={clock}")
    sheet = of_sheet(rows)
    total = sheet.pop(("All", "All resolved tickets"))
    assert len([key for key in sheet if key[0] == "Before"]) == 1
    sheet = {key: values for key, values in sheet.items() if key[0] != "Before"}
    assert len(sheet) > 15
    same(of_page(text), sheet)
    minutes = dict(zip(COLUMNS, next(row for row in rows if row[:1] == ["All"]), strict=True))["MTTR median (min)"]
    assert f'data-stat="MTTR, median"><data value="{minutes}">{total[2]}<' in text
    for name, meaning in DEFINITION:
        assert [name, meaning] in rows
        assert html.escape(meaning) in text


def test_the_pdf_prints_the_numbers_of_the_page(manager, report) -> None:
    """Read what the template sets, by having it set for a machine instead of a printer."""
    text = logged_in(manager).get("/reports/").content.decode()
    printed = {}
    for table in re.findall(r"<table>.*?</table>", compile_as("html", report).decode(), re.S):
        head, *rows = [cells(row) for row in re.findall(r"<tr>.*?</tr>", table, re.S)]
        if len(head) == 9:
            printed |= {
                (head[0], re.sub(r" \((?:Authentication|Template conflict)\)$", "", row[0])): [
                    c.rstrip("*") for c in row[1:]
                ]
                for row in rows
            }
    same(of_page(text), printed)


def test_the_pdf_is_one_and_its_pages_hold_the_words(report) -> None:
    pdf = as_pdf(report)
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    text, pages = words_of(pdf), pages_of(pdf)
    assert pages >= 2
    for number in range(1, pages + 1):
        assert f"Page{number}of{pages}" in text
    flowing = re.sub(r"NoteTrace·Timetoresolution·.{0,160}?Page\d+of\d+", "", text)  # a sentence may cross a page
    terms = [f"{name}.{meaning}" for name, meaning in DEFINITION]
    for expected in ("Time to resolution", report.asked.where, report.asked.period.words, "(UTC)", *terms):
        assert "".join(expected.split()) in flowing


def test_the_very_file_prints_every_row_of_the_csv(manager, report) -> None:
    pieces = pieces_of(as_pdf(report))
    printed = ["".join(pieces[n : n + 8]).replace("*", "") for n in range(len(pieces))]
    sheet = of_sheet(rows_of(manager))
    total = sheet.pop(("All", "All resolved tickets"))
    for name, value in (("MTTR, mean", total[4]), ("MTTR, median", total[2]), ("MTTR, 90th percentile", total[3])):
        at = pieces.index("".join(name.split()))
        assert pieces[at + 1] == "".join(value.split())
    for (by, name), values in sheet.items():
        if by != "Before":
            assert "".join("".join((value or "–").split()) for value in values) in printed, name


def test_the_pdf_of_an_empty_report_says_so(facility) -> None:
    now = datetime.now(UTC)
    report = make(a_person(facility, Role.MANAGER), Asked(of("30d", now.date()), Clock.WALL, (facility,), now))
    assert report.total.n == 0
    assert "Noticketwasresolvedinthisperiod" in words_of(as_pdf(report))


def test_a_name_is_never_taken_for_markup(facility, manager) -> None:
    facility.name = '#panic("no") *bold* $x$ <script>'
    facility.save()
    now = datetime.now(UTC)
    report = make(manager, Asked(of("12m", now.date()), Clock.WALL, (facility,), now))
    assert '#panic("no")*bold*$x$<script>' in words_of(as_pdf(report))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\tx", "\r=x", "=cmd|' /C calc'!A0"])
def test_a_text_that_a_spreadsheet_would_run_is_disarmed(cell) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Authentication", -3, 2.5, "-3.5", "−31 %", "", "31 %"])
def test_numbers_and_ordinary_texts_stay_as_they_are(cell) -> None:
    assert safe(cell) == cell


def test_a_facility_named_like_a_formula_is_disarmed_in_the_csv(facility, manager) -> None:
    facility.name = "=HYPERLINK(0)"
    facility.save()
    rows = rows_of(manager)
    assert ["Facilities", "'=HYPERLINK(0)"] in rows
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))]


def test_every_export_is_in_the_audit_trail(facility, manager) -> None:
    rows_of(manager)
    assert logged_in(manager).get("/reports/mttr.pdf")["Content-Type"] == "application/pdf"
    entries = AuditEntry.objects.filter(action="report.exported", facility=facility).order_by("id")
    assert [(entry.who, entry.detail["form"]) for entry in entries] == [(manager, "csv"), (manager, "pdf")]


def test_other_pages_do_not_load_what_draws_and_sets() -> None:
    code = (
        "import django, sys; django.setup(); import console.urls; "
        "sys.exit(any(name in sys.modules for name in ('vl_convert', 'typst')))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": ""},
        check=False,
    )
    assert done.returncode == 0
