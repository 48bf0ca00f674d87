"""Build log rows, notes and cases for tests: a story told in a few words, times in seconds from one instant."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from diagnostics.case import Auth, Case, Integration, Logs, Note

START = datetime(2026, 3, 2, 16, 58, tzinfo=UTC)
BASE = "https://ehr.example.test/fhir/R4"
TOKEN_URL = "https://auth.example.test/token"

Row = dict[str, Any]


def at(seconds: float) -> str:
    """Return an instant as the logs write it."""
    return (START + timedelta(seconds=seconds)).isoformat()


def scribe(seconds: float, event: str, **more: Any) -> Row:
    """Return a row of the scribe's log for the note N-1."""
    row = {"at": at(seconds), "event": event, "note_id": "N-1"}
    if event != "token":
        row |= {"transaction_id": "tx-1", "encounter_id": "E-1"}
    if event == "sent":
        row |= {"method": "POST", "url": f"{BASE}/DocumentReference"}
    if event == "token":
        row |= {"url": TOKEN_URL}
        row.pop("note_id")
    return {key: value for key, value in (row | more).items() if value is not None}


def ehr(seconds: float, event: str, **more: Any) -> Row:
    """Return a row of the EHR's audit trail for the note N-1."""
    row = {"at": at(seconds), "event": event, "transaction_id": "tx-1", "encounter_id": "E-1", "patient_id": "P-1"}
    return {key: value for key, value in (row | more).items() if value is not None}


def made() -> list[Row]:
    """Return the rows of a note that was generated and packaged."""
    return [scribe(0, "generated"), scribe(1, "packaged")]


def note(**more: Any) -> Note:
    """Return the note N-1 of encounter E-1 and patient P-1."""
    return Note(**({"id": "N-1", "transaction_id": "tx-1", "encounter_id": "E-1", "patient_id": "P-1"} | more))


def integration(**more: Any) -> Integration:
    """Return a FHIR integration of no particular vendor."""
    auth = more.pop("auth", Auth(flow="backend-services", token_url=TOKEN_URL, client_id="scribe-writer"))
    return Integration(**({"name": "North", "protocol": "fhir", "fhir_base_url": BASE, "auth": auth} | more))


def case(
    scribe_rows: list[Row] | None = None,
    ehr_rows: list[Row] | None = None,
    *,
    after: float = 7200,
    the_note: Note | None = None,
    filed: Mapping[str, Any] | None = None,
    **more: Any,
) -> Case:
    """Return an offline case whose clock stands `after` seconds behind the story's start."""
    logs = Logs(
        scribe=None if scribe_rows is None else tuple(scribe_rows), ehr=None if ehr_rows is None else tuple(ehr_rows)
    )
    return Case(
        integration=more.pop("integration", integration()),
        now=START + timedelta(seconds=after),
        note=the_note or note(),
        logs=logs,
        filed=filed,
        offline=True,
        now_is_fixed=True,
        **more,
    )
