"""A finding of a segment says on the page where it was seen from; a finding of a log says nothing of the kind."""

import pytest

from console.diagnoses.pages import steps
from console.diagnoses.probing import open_door
from diagnostics.case import Segment
from tests.console.pages.documents import a_check, a_document, a_step
from tests.diagnostics.stories import case, integration


@pytest.mark.parametrize(
    ("check", "place", "says"),
    [
        ("net.tcp.timeout", "satellite", "Seen from satellite: Nothing answered."),
        ("net.tcp.timeout", "here", "Nothing answered."),
        ("net.tcp.timeout.log", "satellite", "Nothing answered."),
    ],
)
def test_a_probe_made_from_a_segment_names_it(check: str, place: str, says: str) -> None:
    document = a_document(steps=[a_step(4, a_check(check, "failed", says="Nothing answered.", seen_from=place))])
    shown = [line for step in steps(document) for line in step.checks if line.id == check]
    assert [line.says for line in shown] == [says]


@pytest.mark.parametrize(
    ("segment", "source"), [("satellite_site", "127.0.0.2"), ("Satellite site", "127.0.0.2"), ("", None), ("x", None)]
)
def test_a_run_of_a_segment_leaves_by_that_segments_way_out(segment: str, source: str | None) -> None:
    of = case(integration=integration(segments=(Segment("Satellite site", "127.0.0.2"),)))
    assert open_door(of, segment).source_address == source
