"""What docs/logs.md shows is true: every example is read, every setting and address exists."""

import io
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

from console.accounts.roles import Role
from console.notes.import_models import Log
from console.notes.importing import import_stream
from console.notes.models import LogEntry, LogImport
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_source
from tests.console.pages.documents import logged_in

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "logs.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(\w+) (\w+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_every_log_has_an_example() -> None:
    assert {log for _, log, _ in EXAMPLES} == set(Log.values)
    assert len(EXAMPLES) >= 10


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "log", "text"), EXAMPLES, ids=[f"{kind}-{log}" for kind, log, _ in EXAMPLES])
def test_an_example_comes_in_as_it_stands(kind: str, log: str, text: str) -> None:
    source = a_source(an_integration(a_facility()), time_zone="America/Chicago")
    receipt = import_stream(source=source, log=log, stream=io.BytesIO(text.encode()), via=LogImport.Via.COMMAND)
    assert receipt.problems == []
    assert receipt.stored == LogEntry.objects.count() >= 1
    if kind in ("ndjson", "csv"):
        assert receipt.rows == len(text.splitlines()) - (kind == "csv")


@pytest.mark.parametrize("name", re.findall(r"^(LOG_\w+)=", TEXT, re.MULTILINE))
def test_a_setting_exists_with_the_default_that_is_told(name: str) -> None:
    told = re.search(rf"^{name}=(\S+)", TEXT, re.MULTILINE)
    assert told is not None
    if name != "LOG_DROP_FOLDER":
        assert getattr(settings, name) == float(told[1])
    else:
        assert getattr(settings, name) == ""


def test_the_addresses_exist() -> None:
    for path in set(re.findall(r"/api/v1/logs/\w+", TEXT)):
        assert resolve(path).namespace == "api"


@pytest.mark.django_db
def test_the_pages_that_are_named_say_those_words() -> None:
    facility = a_facility()
    integration = an_integration(facility)
    client = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    page = client.get(f"/integrations/{integration.id}/").content.decode()
    assert "Audit events from the EHR" in page and "Switch on" in page
    assert "Make a token" in client.get(f"/monitoring/sources/{a_source(integration).id}/").content.decode()
    assert "Sources" in client.get("/monitoring/").content.decode()
