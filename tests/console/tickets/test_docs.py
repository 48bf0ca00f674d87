"""What docs/tickets-api.md shows is true: its example opens a ticket, its fields and answers are the API's own."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from console.api.ticket_fields import _FIELDS, SEVERITIES
from console.integrations.tokens import make_token, source_of
from tests.console.builders import a_facility, an_integration

pytestmark = pytest.mark.django_db
TEXT = (Path(__file__).resolve().parents[3] / "docs" / "tickets-api.md").read_text(encoding="utf-8")


def test_the_example_opens_a_ticket_and_the_answers_have_the_fields_shown() -> None:
    token = make_token(source=source_of(an_integration(a_facility())), name="x", by=None, opens_tickets=True)
    body = re.search(r"-d '(.+?)'", TEXT)[1]
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "INC-4711"}
    shown = [json.loads(block) for block in re.findall(r"```json\n(.+?)```", TEXT, re.S)]
    first = Client().post("/api/v1/tickets", body, content_type="application/json", headers=headers)
    assert first.status_code == 201
    assert first.json().keys() == shown[0].keys()
    headers["idempotency-key"] = "another"
    match = (
        Client().post("/api/v1/tickets", body, content_type="application/json", headers=headers).json()["matched"][0]
    )
    assert match.keys() == shown[0]["matched"][0].keys()
    told = Client().get(first["Location"], headers=headers)
    assert told.json().keys() == shown[1].keys()


def test_every_field_and_severity_is_documented() -> None:
    rows = TEXT.partition("| field | meaning |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", "".join(line.split("|")[1] for line in rows.splitlines() if "|" in line)))
    assert named == set(_FIELDS)
    assert all(f"`{name}`" in rows for name in SEVERITIES)
