"""The charts: nothing in them but shapes and text, the figures of the report, the colours of the page."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest

from console.accounts.roles import Role
from console.reports.charts import charts
from console.reports.drawing import clean, draw
from console.reports.figures import Clock, Facet
from console.reports.periods import of
from console.reports.report import Asked, make
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.reports.past import a_past_ticket

pytestmark = pytest.mark.django_db

HOSTILE = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"
 viewBox="0 0 9 9" onload="x()" style="color:red"><style>a{}</style><script>x()</script><defs><g id="a"/></defs>
 <a xlink:href="javascript:x()"><text>link</text></a>
 <g class="k" fill="var(--run)"><text onclick="x()" x="1">a &lt;b&gt;</text>
 <path d="M0,0" fill="url(#a)" style="x"/><path d="" display="none"/></g><foreignObject><p/></foreignObject></svg>"""


@pytest.fixture
def report():
    facility = a_facility()
    integration, now = an_integration(facility), datetime.now(UTC)
    for number in range(18):
        ends = now - timedelta(days=14 * number + 1)
        a_past_ticket(integration, minutes=60 + 30 * number, resolved_at=ends)
        if number % 3 == 0:
            a_past_ticket(integration, minutes=90, category="network", cause="net.tls.expired", resolved_at=ends)
    return make(a_person(facility, Role.MANAGER), Asked(of("12m", now.date()), Clock.WALL, (facility,), now))


def test_cleaning_keeps_shapes_and_text_and_nothing_else() -> None:
    svg = clean(HOSTILE)
    for word in (
        "onload",
        "onclick",
        "style",
        "script",
        "javascript",
        "<a",
        "defs",
        "url(",
        "foreignObject",
        "id=",
        "class",
    ):
        assert word not in svg, word
    root = ET.fromstring(svg)
    assert root.attrib == {"viewBox": "0 0 9 9"}
    assert [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")] == ["a <b>"]
    assert 'fill="var(--run)"' in svg


def test_the_drawings_hold_no_style_script_or_fixed_colour(report) -> None:
    for chart in charts(report):
        for svg in (chart.svg, chart.narrow_svg):
            root = ET.fromstring(svg)
            names = {name for element in root.iter() for name in element.attrib}
            assert not names & {"style", "href", "id", "onload"}
            colours = {element.get(part) for element in root.iter() for part in ("fill", "stroke")} - {None, "none"}
            assert colours
            assert all(re.fullmatch(r"var\(--[a-z0-9-]+\)|transparent", colour) for colour in colours), colours
        assert "var(" not in chart.on_paper
        assert "#1c6fd1" in chart.on_paper


def test_every_token_of_a_drawing_is_in_the_style_sheet(report) -> None:
    from pathlib import Path

    tokens = (Path(__file__).parents[3] / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    used = {name for chart in charts(report) for name in re.findall(r"var\((--[a-z0-9-]+)\)", chart.svg)}
    assert len(used) > 4
    assert all(f"{name}:" in tokens for name in used), used


def test_a_chart_says_its_figures_in_words_and_in_its_table(report) -> None:
    months, causes = charts(report)
    groups = report.groups[Facet.MONTH]
    assert [row[0] for row in months.rows] == [group.name for group in groups]
    assert "median" in months.says
    assert causes.rows[0][:2] == ("Authentication", "18")
    assert causes.rows[0][3] in causes.svg
    assert causes.rows[1][2] in causes.svg


def test_the_title_says_only_what_enough_tickets_show(report) -> None:
    assert charts(report)[0].title == "Time to resolution by month"  # a month of fewer than five proves nothing


def test_a_drawing_is_made_once_for_the_same_figures(report) -> None:
    _ = [chart.svg for chart in charts(report)]
    before = draw.cache_info()
    _ = [chart.svg for chart in charts(report)]
    after = draw.cache_info()
    assert after.misses == before.misses
    assert after.hits == before.hits + 2
