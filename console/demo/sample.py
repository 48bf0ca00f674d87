"""Make the demo's sample data: play each story against the practice EHR, keep what it left, diagnose it for real."""

import random
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from console.accounts.models import Department
from console.demo.clones import NoteRows, clone, notes_in, payload_like
from console.demo.history import tell
from console.demo.people import People, make_people
from console.demo.practice_process import remember
from console.demo.sample_changes import make_changes
from console.demo.sample_knowledge import make_knowledge
from console.demo.sample_monitoring import make_monitoring
from console.demo.sample_reports import make_past_year
from console.demo.stories import LINES, TALES, Line, Tale, live_tales
from console.diagnoses.models import Run
from console.diagnoses.services import execute, request_run
from console.integrations.models import Baseline, Contact, Integration, Mapping, RolesSnapshot, Source, TemplateVersion
from console.launch.state import state_folder
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.notes.correlation import correlate_all
from console.notes.log_rows import store_rows
from console.notes.models import FailureMode, Note
from console.notes.partitions import ensure_days
from console.notes.services import blank_note, identify, keep_note
from console.tickets.models import Ticket
from console.tickets.services import open_ticket
from diagnostics import case_folder
from diagnostics.case import Case, Segment
from diagnostics.case import Note as CaseNote
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import PracticeEhr
from diagnostics.probes.segments import cannot_leave

NOTES_OF_GOOD_DAYS = 32
PROVIDERS = ("prov-7", "prov-11", "prov-23", "prov-31")


def make_sample(*, say: Callable[[str], object]) -> dict[str, int]:
    """Make everything; give how many of each."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")  # a demo's data made anew costs less than waiting for the disk
    ensure_days((now - timedelta(days=offset)).date() for offset in range(-8, 31))
    folder = state_folder() / "practice"
    with transaction.atomic():
        people = make_people()
        integrations = {line.tenant: _integration(line, people) for line in LINES}
    source = random.Random(20261122)
    say(f"  {make_past_year(people.users, now)} tickets of the past years")
    with PracticeEhr([line.tenant for line in LINES], state_dir=folder) as ehr:
        for line in LINES:
            _good_days(ehr, line, integrations[line.tenant], people, now, source)
        say(f"  {Note.objects.count()} notes of good days")
        for seed, tale in enumerate(TALES, start=1):
            _tale(ehr, tale, seed, integrations[tale.tenant], people, now, source)
        say(f"  {len(TALES)} tickets, diagnosed")
    say(f"  {correlate_all().notes} notes traced through both logs")
    articles = make_knowledge(people.users)
    reviews = make_changes(people.users, now)
    alerts = make_monitoring(now)
    remember(folder, [_where_it_stands(tale, now) for tale in live_tales().values()])
    return {
        "facilities": len(people.facilities),
        "integrations": len(integrations),
        "notes": Note.objects.count(),
        "tickets": Ticket.objects.count(),
        "articles": articles,
        "change reviews": reviews,
        "alerts": alerts,
    }


def _where_it_stands(tale: Tale, now: datetime) -> dict[str, object]:
    """Say which story a tenant is in, and who came after its first note."""
    seed = TALES.index(tale) + 1
    at = now - timedelta(hours=tale.hours_ago)
    visits = _visits(Ticket.objects.get(idempotency_key=f"sample-{seed}"))
    return {"tenant": tale.tenant, "fault": tale.fault, "seed": seed, "at": at.isoformat(), "visits": visits}


def _integration(line: Line, people: People) -> Integration:
    facility = people.facilities[line.facility]
    integration = Integration.objects.create(
        facility=facility, name=line.name, vendor=line.vendor, protocol=line.protocol, resend_allowed=line.resends
    )
    Source.objects.create(facility=facility, integration=integration, name=line.tenant, time_zone=facility.time_zone)
    Contact.objects.create(
        integration=integration,
        name="Integration support",
        role="EHR vendor's support desk",
        email=f"support@{line.tenant}.example",
        phone="+1 555 0100",
    )
    return integration


def _good_days(
    ehr: PracticeEhr, line: Line, integration: Integration, people: People, now: datetime, source: random.Random
) -> None:
    """Fill two weeks with notes that arrived, and keep the baseline of a live run while all is well."""
    case = _with_segment(line, _play(ehr, line.tenant, line.healthy, seed=1, minutes_ago=14 * 24 * 60.0))
    set_integration(integration, case)
    _keep_snapshots_of(integration, case, now - timedelta(days=14))
    _look_back_then(integration, now - timedelta(days=13, hours=20))
    sample = next(rows for rows in notes_in(case).values() if rows.rows["ehr"])
    zone = ZoneInfo(people.facilities[line.facility].time_zone)
    until = now - timedelta(hours=live_tales()[line.tenant].hours_ago + 1)
    notes: list[Note] = []
    batch: dict[str, list[dict[str, object]]] = {"scribe": [], "ehr": []}
    department = _department(people, line.facility, line.department)
    for _ in range(NOTES_OF_GOOD_DAYS):
        at = _working_hour(now, zone, source)
        twin = clone(sample, at=min(at, until), source=source, provider=source.choice(PROVIDERS))
        notes.append(_good_note(integration, twin, department))
        for log, rows in twin.rows.items():
            batch[log] += rows
    Note.objects.bulk_create(notes)
    for log, rows in batch.items():
        store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=rows)


def _look_back_then(integration: Integration, at: datetime) -> None:
    """Run the six steps while all is well, and let that have been at the time at which the good days began."""
    run = request_run(integration=integration)
    execute(run.id)
    times = {"created_at": at, "started_at": at + timedelta(seconds=1), "finished_at": at + timedelta(seconds=4)}
    Run.objects.filter(pk=run.pk).update(**times)
    Baseline.objects.filter(integration=integration).update(created_at=times["finished_at"])


def _working_hour(now: datetime, zone: ZoneInfo, source: random.Random) -> datetime:
    day = (now - timedelta(days=source.uniform(0.2, 13.5))).astimezone(zone)
    return day.replace(hour=source.randint(7, 17), minute=source.randint(0, 59), second=source.randint(0, 59))


def _tale(
    ehr: PracticeEhr,
    tale: Tale,
    seed: int,
    integration: Integration,
    people: People,
    now: datetime,
    source: random.Random,
) -> None:
    line = next(line for line in LINES if line.tenant == tale.tenant)
    failed_at = now - timedelta(hours=tale.hours_ago)
    case = _with_segment(line, _play(ehr, tale.tenant, tale.fault, seed=seed, minutes_ago=tale.hours_ago * 60))
    live = live_tales()[tale.tenant] is tale
    department = _department(people, line.facility, tale.department or line.department)
    with transaction.atomic():
        set_integration(integration, case)
        _keep_snapshots_of(integration, case, failed_at)
        keep_logs(integration, case)
        note = keep_case_note(integration, case, department=department)
        assert note is not None  # every story is about a note
        inside = notes_in(case)
        others = (rows for note_id, rows in inside.items() if case.note is None or note_id != case.note.id)
        Note.objects.bulk_create([_good_note(integration, rows, department) for rows in others])
        notes = [
            note,
            *_more_like(inside.get(case.note.id) if case.note else None, case, tale, integration, department, source),
        ]
        owner = people.users.get(tale.owner)
        ticket = open_ticket(
            by=owner,
            integration=integration,
            notes=notes,
            severity=tale.severity,
            idempotency_key=f"sample-{seed}",
            diagnose=False,
            opened_at=min(failed_at + timedelta(minutes=12), now),
        )
        ticket.events.update(at=ticket.opened_at)
    tell(ticket, tale, owner, live=live)
    ticket.refresh_from_db()
    Note.objects.filter(pk__in=[n.pk for n in notes]).update(failure_mode=ticket.failure_mode)


def _more_like(
    rows: NoteRows | None, case: Case, tale: Tale, integration: Integration, department: Department,
    source: random.Random,
) -> list[Note]:  # fmt: skip
    """Make the further notes that failed alike in the minutes after the first, each with a payload of its own."""
    if rows is None or not (rows.rows["scribe"] or rows.rows["ehr"]):
        return []
    more = []
    for number in range(1, tale.notes):
        at = rows.first_at + timedelta(minutes=2.5 * number)
        twin = clone(rows, at=at, source=source, provider=source.choice(PROVIDERS))
        for log, lines in twin.rows.items():
            store_rows(facility_id=integration.facility_id, integration=integration, log=log, rows=lines)
        more.append(_keep(integration, twin, department, payload=payload_like(case.note, rows, twin), like=case.note))
    return more


def _visits(ticket: Ticket) -> list[dict[str, str]]:
    """Give patient, visit and provider of a ticket's notes, which the practice EHR has to know of."""
    found = []
    for row in ticket.ticket_notes.select_related("note").order_by("added_at", "id"):
        ids = row.note.identifiers or {}
        if ids.get("patient_id") and ids.get("encounter_id"):
            found.append({name: str(ids.get(f"{name}_id") or "") for name in ("patient", "encounter", "provider")})
    return found[1:]  # those of the first note stand in its story


def _good_note(integration: Integration, rows: NoteRows, department: Department) -> Note:
    ids = dict(rows.ids)
    note = blank_note(integration, ids.pop("note_id"))
    identify(note, ids)
    note.department, note.generated_at, note.failure_mode = department, rows.first_at, FailureMode.DELIVERED
    return note


def _keep(
    integration: Integration, rows: NoteRows, department: Department, *, payload: bytes | None, like: CaseNote | None
) -> Note:
    ids = dict(rows.ids)
    return keep_note(
        integration=integration,
        external_id=ids.pop("note_id"),
        department=department,
        generated_at=rows.first_at,
        payload=payload,
        payload_name=(like.payload_name or "") if like and payload else "",
        **ids,
    )


def _play(ehr: PracticeEhr, tenant: str, fault: str | None, *, seed: int, minutes_ago: float) -> Case:
    with tempfile.TemporaryDirectory(prefix="nt-story-") as folder:
        build_case(ehr, tenant, fault, Path(folder), seed=seed, minutes_ago=minutes_ago)
        return case_folder.load(Path(folder))


def _with_segment(line: Line, case: Case) -> Case:
    """Give the line its second place, where this machine has the address: not every system's loopback is a network."""
    name, source = line.segment
    if not name or cannot_leave(source, ("127.0.0.1",)):
        return case
    return replace(case, integration=replace(case.integration, segments=(Segment(name, source),)))


def _keep_snapshots_of(integration: Integration, case: Case, at: datetime) -> None:
    began = timezone.now()
    keep_snapshots(integration, case)
    for model in (TemplateVersion, Mapping, RolesSnapshot):
        model.objects.filter(integration=integration, created_at__gte=began).update(created_at=at)


def _department(people: People, facility: str, slug: str) -> Department:
    return people.departments[facility, slug]
