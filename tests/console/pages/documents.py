"""Documents of diagnoses as `diagnose --json` prints them, for pages; and tickets that carry one."""

from typing import Any

from django.test import Client
from django.utils import timezone

from console.accounts.models import User
from console.diagnoses.models import Run
from console.notes.models import Note
from console.shared.work import WorkState
from console.tickets.models import Ticket
from tests.console.builders import a_note, a_ticket, an_integration


def a_check(id: str, status: str = "passed", **fields: Any) -> dict[str, Any]:
    return {"id": id, "title": f"Title of {id}", "status": status, "says": f"What {id} says", "blocked_by": None,
            "evidence": {}, "missing": None, "checklist": [], "seen_from": "here"} | fields  # fmt: skip


def a_step(number: int, *checks: dict[str, Any], ms: int = 120) -> dict[str, Any]:
    order = ("failed", "warning", "error", "unknown", "blocked", "passed")
    statuses = [check["status"] for check in checks]
    status = next((s for s in order if s in statuses), "not_applicable")
    return {"step": number, "name": f"Step {number}", "status": status, "ms": ms, "checks": list(checks)}


def a_document(**fields: Any) -> dict[str, Any]:
    """A proven cause: the EHR's key set no longer holds the scribe's key."""
    return {
        "schema": 1,
        "failure_mode": "never_sent",
        "root_cause": {
            "category": "authentication",
            "cause": "auth.assertion.kid",
            "certainty": "proven",
            "title": "The signing key is not in the published key set",
            "because": [{"check": "auth.assertion.kid", "says": "The token server does not know the key 2026-05."}],
            "remedy": ["Publish the key.", "Ask for a token again."],
            "who_acts": "integration_engineer",
        },
        "contributing": [],
        "ruled_out": [{"category": "network", "because": "Every connection was made."}],
        "missing": [],
        "journey": [
            {"stage": "generated", "state": "ok", "at": "2026-11-22T16:58:12+00:00", "says": "AI scribe"},
            {"stage": "packaged", "state": "ok", "at": "2026-11-22T16:58:13+00:00", "says": ""},
            {"stage": "sent", "state": "broken", "at": "2026-11-22T16:58:14+00:00", "says": "no token"},
            {"stage": "accepted", "state": "not_reached", "at": None, "says": ""},
            {"stage": "filed", "state": "not_reached", "at": None, "says": ""},
        ],
        "steps": [
            a_step(
                1,
                a_check("auth.discovery.unreachable"),
                a_check("auth.assertion.kid", "failed", evidence={"kid": "2026-05", "known": ["2026-11"]}),
                a_check("auth.apikey.missing", "not_applicable", says="No key is used."),
                a_check("auth.scope.invalid", "blocked", blocked_by="auth.assertion.kid"),
            ),
            *(a_step(n, a_check(f"{prefix}.x{n}")) for n, prefix in ((2, "fhir"), (3, "map"), (4, "net"), (5, "perm"))),
            a_step(6, a_check("ops.x6", "unknown", missing="the scribe's log")),
        ],
        "changes": [{"kind": "credential", "what": "key set", "from": "2026-05", "to": "2026-11",
                     "at": "2026-11-22T16:41:00+00:00"}],
        "facts": {},
        "seen_from": "here",
        "ms": 812,
    } | fields  # fmt: skip


def a_run(ticket: Ticket, *, state: str = WorkState.DONE, document: dict[str, Any] | None = None, **fields: Any) -> Run:
    """Give a ticket a run that stands where it is told."""
    first = ticket.ticket_notes.first()
    run = Run.objects.create(
        facility_id=ticket.facility_id, integration=ticket.integration, note=first.note if first else None,
        ticket_id=ticket.id, state=state, document=document, started_at=timezone.now(), attempt=1, **fields,
    )  # fmt: skip
    root = (document or {}).get("root_cause") or {}
    Ticket.objects.filter(pk=ticket.pk).update(
        run=run,
        state="diagnosing" if state in (WorkState.QUEUED, WorkState.RUNNING) else "diagnosed",
        cause=root.get("cause", ""),
        verdict=root.get("title", ""),
        category=root.get("category", ""),
        failure_mode=(document or {}).get("failure_mode", "unknown"),
        journey=[{"stage": s["stage"], "state": s["state"]} for s in (document or {}).get("journey", [])],
    )
    ticket.refresh_from_db()
    return run


def a_diagnosed_ticket(facility: Any, *notes: Note, **fields: Any) -> Ticket:
    integration = notes[0].integration if notes else an_integration(facility)
    notes = notes or (a_note(integration, payload=b'{"resourceType": "DocumentReference"}', payload_name="note.json"),)
    ticket = a_ticket(integration, *notes, **fields)
    a_run(ticket, document=a_document())
    return ticket


def logged_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
