"""What people do to a ticket: one plain form each, back to the ticket afterwards."""

import uuid

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.tickets import services
from console.tickets.access import ticket_or_404
from console.tickets.content import in_plain_characters, readable
from console.tickets.doing import do as _do
from console.tickets.forms import (
    AnswerForm,
    AssignForm,
    AttachForm,
    ChecklistForm,
    CommentForm,
    DisagreeForm,
    ItemForm,
    NoteEndForm,
    ReopenForm,
    RunForm,
    SeverityForm,
    StateForm,
    TitleForm,
)
from console.tickets.models import Ticket, TicketNote
from console.tickets.people import colleagues
from console.tickets.undo_offers import undoable


@login_required
@never_cache
@require_POST
@undoable("owner")
def take(request: HttpRequest, number: int) -> HttpResponse:
    """Take a ticket."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    # The button stands where nobody has the ticket: whoever was faster keeps it, unless this is said once more.
    act = lambda _: services.take(ticket=ticket, by=request.user, seen=request.POST.get("seen", ""))  # noqa: E731
    return _do(request, ticket, forms.Form(request.POST), act, name="assign")


@login_required
@never_cache
@require_POST
@undoable("owner")
def assign(request: HttpRequest, number: int) -> HttpResponse:
    """Give a ticket to somebody, or back."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = AssignForm(request.POST)
    form.fields["owner"].queryset = colleagues(ticket)
    return _do(
        request, ticket, form,
        lambda data: services.assign(ticket=ticket, owner=data["owner"], by=request.user, **form.saw()), name="assign",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def state(request: HttpRequest, number: int) -> HttpResponse:
    """Move a ticket on."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = StateForm(request.POST)

    def act(data: dict[str, object]) -> None:
        saw = form.saw()
        services.change_state(
            ticket=ticket, to=data["state"], by=request.user, expected=saw["seen"], version=saw["version"],
            waiting_for=data["waiting_for"],
        )  # fmt: skip

    return _do(request, ticket, form, act, name="state")


@login_required
@never_cache
@require_POST
def reopen(request: HttpRequest, number: int) -> HttpResponse:
    """Reopen a ticket that is over."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = ReopenForm(request.POST)
    return _do(
        request, ticket, form,
        lambda data: services.reopen(
            ticket=ticket, by=request.user, reason=data["reason"], version=form.saw()["version"]
        ),
        name="reopen", done=f"Ticket {number} is open again.", draft="reopen", text="reason",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def title(request: HttpRequest, number: int) -> HttpResponse:
    """Call a ticket by another title."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = TitleForm(request.POST)
    return _do(
        request, ticket, form,
        lambda data: services.set_title(ticket=ticket, title=data["title"], by=request.user, **form.saw()),
        name="title",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
@undoable("severity")
def severity(request: HttpRequest, number: int) -> HttpResponse:
    """Change how grave a ticket is."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = SeverityForm(request.POST)
    return _do(
        request, ticket, form,
        lambda data: services.set_severity(ticket=ticket, severity=data["severity"], by=request.user, **form.saw()),
        name="severity",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def run(request: HttpRequest, number: int) -> HttpResponse:
    """Run the diagnosis again, all of it or one step."""
    ticket = ticket_or_404(request.user, number, Right.RUN_DIAGNOSIS)
    return _do(
        request, ticket, RunForm(request.POST),
        lambda data: services.request_run(
            ticket=ticket, by=request.user, steps=[data["step"]] if data["step"] else None
        ),
        name="run",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def comment(request: HttpRequest, number: int) -> HttpResponse:
    """Write a comment."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    return _do(
        request, ticket, CommentForm(request.POST),
        lambda data: services.comment(ticket=ticket, text=data["text"], by=request.user),
        name="comment", back="activity", draft="comment",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def attach(request: HttpRequest, number: int) -> HttpResponse:
    """Attach a file."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)

    def act(data: dict[str, object]) -> None:
        file = data["file"]
        services.attach(
            ticket=ticket, name=file.name, content_type=file.content_type or "", content=file.read(), by=request.user
        )

    return _do(request, ticket, AttachForm(request.POST, request.FILES), act, name="attach", back="activity")


@login_required
@never_cache
@require_POST
@undoable("checklist")
def item(request: HttpRequest, number: int) -> HttpResponse:
    """Settle a checklist item, or take that back."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    form = ItemForm(request.POST)
    return _do(
        request, ticket, form,
        lambda data: services.tick(
            ticket=ticket, item=data["item"], state=data["state"], by=request.user, note=data["note"],
            answer=data["answer"], seen=form.saw()["seen"],
        ),
        name="item", back="checklist",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def add_checklist(request: HttpRequest, number: int) -> HttpResponse:
    """Give a ticket a further checklist."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    return _do(
        request, ticket, ChecklistForm(request.POST),
        lambda data: services.add_checklist(ticket=ticket, slug=data["checklist"], by=request.user),
        name="checklist", back="checklist",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """Answer what the engine asks; the diagnosis runs again with it."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    return _do(
        request, ticket, AnswerForm(request.POST),
        lambda data: services.answer(ticket=ticket, question=data["question"], value=data["value"], by=request.user),
        name="answer", done="Your answer is kept as evidence; the diagnosis runs again.",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def disagree(request: HttpRequest, number: int) -> HttpResponse:
    """Disagree with the verdict."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    return _do(
        request, ticket, DisagreeForm(request.POST),
        lambda data: services.disagree(
            ticket=ticket, by=request.user, text=data["text"], own_category=data["category"]
        ),
        name="disagree", done="Your objection is kept with the verdict.", back="activity", draft="objection",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
@undoable("note_ended")
def end_note(request: HttpRequest, number: int, note_id: uuid.UUID) -> HttpResponse:
    """Say how a note ended."""
    ticket = ticket_or_404(request.user, number, Right.WORK_TICKETS)
    row = _note_or_404(ticket, note_id)
    form = NoteEndForm(request.POST)
    return _do(
        request, ticket, form,
        lambda data: services.end_note(
            ticket=ticket, note=row.note, end=data["end"], by=request.user, seen=form.saw()["seen"]
        ),
        name="end", back="notes",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def payload(request: HttpRequest, number: int, note_id: uuid.UUID) -> HttpResponse:
    """Show a note's content to somebody with the right; that he saw it is recorded first."""
    ticket = ticket_or_404(request.user, number, Right.OPEN_PAYLOAD)
    row = _note_or_404(ticket, note_id)
    content, narrative = services.open_payload(ticket=ticket, note=row.note, by=request.user)
    shown = {"payload": readable(content), "narrative": narrative, "name": row.note.payload_name,
             "plain": in_plain_characters(content)}  # fmt: skip
    return render(request, "tickets/content.html", {"ticket": ticket, "row": row, "shown": shown})


def _note_or_404(ticket: Ticket, note_id: uuid.UUID) -> TicketNote:
    row = ticket.ticket_notes.select_related("note").filter(note_id=note_id).first()
    if row is None:
        raise Http404("There is no such note on this ticket.")
    return row
