"""The queue's own statements show exactly the tickets that `access.visible` gives, whatever happens to their notes."""

import random

import pytest
from guardian.shortcuts import assign_perm

from console.accounts.access import forget_grants
from console.tickets.access import visible
from console.tickets.filters import Asked
from console.tickets.models import OPEN_STATES, Ticket, TicketNote
from console.tickets.queue_rows import count_open, counts, sight, stretch
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages import many_tickets

pytestmark = pytest.mark.django_db


def seen(person) -> set:
    return set(stretch(sight(person), Asked(), size=1000).ids)


def test_every_way_a_note_joins_moves_or_leaves_is_known_to_the_list_at_once() -> None:
    facility = a_facility()
    integration, chance = an_integration(facility), random.Random(6)
    departments = [None, a_department(facility), *(a_department(facility, restricted=True) for _ in range(3))]
    person = a_person(facility)
    assign_perm("enter_department", person, departments[2])
    forget_grants(person)
    tickets = [a_ticket(integration) for _ in range(6)]
    for step in range(60):
        ticket, department = chance.choice(tickets), chance.choice(departments)
        rows = list(TicketNote.objects.order_by("id"))
        match chance.randrange(5) if rows else 0:
            case 0:
                note = a_note(integration, department=department)
                TicketNote.objects.create(ticket=ticket, note=note, department=department)
            case 1:
                notes = [a_note(integration, department=department) for _ in range(2)]
                TicketNote.objects.bulk_create(
                    TicketNote(ticket=ticket, note=note, department=department) for note in notes
                )
            case 2:
                chance.choice(rows).delete()
            case 3:
                row = chance.choice(rows)
                TicketNote.objects.filter(pk=row.pk).update(ticket=ticket)
            case 4:
                TicketNote.objects.filter(pk=chance.choice(rows).pk).update(department=department)
        wanted = set(visible(person).filter(state__in=OPEN_STATES).values_list("pk", flat=True))
        assert seen(person) == wanted, step
        assert count_open(sight(person)) == len(wanted), step
    assert seen(person) != set(Ticket.objects.values_list("pk", flat=True))


def test_pages_counts_and_filters_agree_with_what_is_visible() -> None:
    crowd = many_tickets.a_crowd()
    crowd.grow(800)
    mine = sight(crowd.person)
    rows = visible(crowd.person)
    is_open = rows.filter(state__in=OPEN_STATES)
    for order, fields in (("worst", ("severity", "target_at", "id")), ("due", ("target_at", "id")),
                          ("newest", ("-opened_at", "-id"))):  # fmt: skip
        found, after = [], ""
        while True:
            part = stretch(mine, Asked(order=order), after, size=17)
            found += part.ids
            after = part.after
            if not after:
                break
        assert found == list(is_open.order_by(*fields).values_list("pk", flat=True)), order
    for asked, fields in (
        (Asked(), {}), (Asked(mode="misplaced"), {"failure_mode": "misplaced"}),
        (Asked(severity="b_undocumented", state="waiting"), {"severity": "b_undocumented", "state": "waiting"}),
        (Asked(owner="nobody"), {"owner": None}), (Asked(cause="net.tls.expired"), {"cause": "net.tls.expired"}),
        (Asked(waiting="vendor"), {"waiting_for": "vendor"}), (Asked(owner="me"), {"owner": crowd.person}),
    ):  # fmt: skip
        wanted = is_open.filter(**fields)
        counted = counts(mine, asked)
        assert counted.of["view"]["open"] == wanted.count() == len(stretch(mine, asked, size=1000).ids), asked
        others = {name: value for name, value in fields.items() if name != "failure_mode"}
        for mode, number in counted.of["mode"].items():
            assert number == is_open.filter(**others, failure_mode=mode).count(), (asked, mode)
        assert counted.of["view"]["untaken"] == wanted.filter(owner=None).count()


def test_finished_tickets_are_found_however_far_back_they_lie(monkeypatch) -> None:
    monkeypatch.setattr("console.tickets.queue_rows.WINDOWS", (20, 60))
    crowd = many_tickets.a_crowd()
    crowd.grow(800)
    mine = sight(crowd.person)
    done = visible(crowd.person).exclude(state__in=OPEN_STATES)
    for asked, rows in (
        (Asked(view="resolved"), done),
        (Asked(view="resolved", mode="partial", state="closed"), done.filter(failure_mode="partial", state="closed")),
        (Asked(view="resolved", severity="a_wrong_patient"), done.filter(severity="a_wrong_patient")),
    ):  # fmt: skip
        found, after = [], ""
        while True:
            part = stretch(mine, asked, after, size=10)
            found += part.ids
            after = part.after
            if not after:
                break
        assert found == list(rows.order_by("-resolved_at", "-id").values_list("pk", flat=True)), asked
