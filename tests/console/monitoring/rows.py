"""Rows of both logs as a scribe and an EHR would write them: one note, in a few words."""

import json
from datetime import datetime, timedelta
from typing import Any

from console.integrations.models import Integration, Source
from console.integrations.tokens import source_of
from console.notes.intake import Receipt, take_rows

Row = dict[str, Any]


def a_source(integration: Integration, **fields: Any) -> Source:
    source = source_of(integration)
    for name, value in fields.items():
        setattr(source, name, value)
    source.save()
    return source


def a_note_story(
    number: int | str,
    at: datetime,
    *,
    ends: str = "filed",
    took_s: float = 6.0,
    status: int | None = None,
    filed_in: str | None = None,
    **ids: Any,
) -> dict[str, list[Row]]:
    """Tell one note.

    `ends`: filed · acked (no EHR row) · refused (an answer with `status`) · failed (no answer) · no_token · silent.
    """
    told = {"note_id": f"N-{number}", "transaction_id": f"TX-{number}", "encounter_id": f"E-{number}",
            "patient_id": f"P-{number}", "provider_id": "prov-7", **ids}  # fmt: skip

    def scribe(after_s: float, event: str, **more: Any) -> Row:
        return {"at": (at + timedelta(seconds=after_s)).isoformat(), "event": event, **told, **more}

    def ehr(after_s: float, event: str, **more: Any) -> Row:
        shared = {key: told[key] for key in ("transaction_id", "encounter_id", "patient_id")}
        return {"at": (at + timedelta(seconds=after_s)).isoformat(), "event": event, **shared, **more}

    token = f"token-{number}"
    rows: dict[str, list[Row]] = {"scribe": [scribe(0, "generated"), scribe(1, "packaged")], "ehr": []}
    if ends == "no_token":
        rows["scribe"] += [
            scribe(2, "token", request_id=token),
            scribe(2.2, "failed", request_id=token, status=status or 401, error="invalid_client"),
        ]
        return rows
    rows["scribe"] += [scribe(2, "token", request_id=token, status=200),
                       scribe(3, "sent", request_id=f"req-{number}", method="POST")]  # fmt: skip
    if ends == "filed":
        rows["scribe"].append(scribe(took_s, "acked", request_id=f"req-{number}", status=201))
        rows["ehr"] += [
            ehr(min(3.1, took_s - 0.2), "received"),
            ehr(took_s - 0.1, "accepted", status=201),
            ehr(took_s, "filed", **({"encounter_id": filed_in} if filed_in else {})),
        ]
    elif ends == "acked":
        rows["scribe"].append(scribe(took_s, "acked", request_id=f"req-{number}", status=201))
    elif ends == "refused":
        rows["scribe"].append(
            scribe(took_s, "failed", request_id=f"req-{number}", status=status or 422, error="unknown profile")
        )
        rows["ehr"].append(ehr(took_s - 0.1, "rejected", status=status or 422))
    elif ends == "failed":
        rows["scribe"].append(scribe(took_s, "failed", request_id=f"req-{number}", error="connection refused"))
    return rows


def lines(rows: list[Row]) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


def body(rows: list[Row]) -> bytes:
    return b"\n".join(lines(rows))


def take(integration: Integration, *stories: dict[str, list[Row]]) -> list[Receipt]:
    """Hand the rows of stories in, as both systems would."""
    source = source_of(integration)
    return [
        take_rows(source=source, log=log, lines=lines([row for story in stories for row in story[log]]))
        for log in ("scribe", "ehr")
    ]
