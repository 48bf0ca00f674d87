"""The worklist and what is done from it: end notes, take that back, carry the list elsewhere."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.accounts.access import require
from console.accounts.roles import Right
from console.notes.models import End, Note
from console.notes.queries import visible
from console.worklist import services
from console.worklist.access import require_sight, scope
from console.worklist.forms import EndForm, chosen_notes
from console.worklist.gaps import gaps_in
from console.worklist.lines import lines, traces
from console.worklist.sheet import as_csv
from console.worklist.waiting_page import NAMES, asked_of, waiting_page


@login_required
@never_cache
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """Show the notes that are not in a chart."""
    require_sight(request)
    page = waiting_page(request.user, scope(request), request.GET)
    return render(request, "worklist/waiting.html", {"page": page, "done": _done(request)})


def _done(request: HttpRequest) -> dict[str, object] | None:
    """Tell what this person ended just now, so that it can be taken back."""
    at = _moment(request.GET.get("done", ""))
    rows = services.ended_at(by=request.user, at=at) if at else []
    return {"count": len(rows), "how": rows[0].get_how_display(), "at": at.isoformat()} if rows and at else None


@login_required
@never_cache
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Show the chosen notes once more with their number; then end exactly these."""
    notes = _chosen(request)
    form = EndForm(request.POST)
    if not notes:
        messages.error(request, "Choose at least one note first.")
        return redirect(_back(request))
    for facility_id in {note.facility_id for note in notes}:
        require(request.user, Right.WORK_TICKETS, facility_id)
    if not form.is_valid() or form.cleaned_data["step"] == "ask":
        held = traces([note.trace.id for note in notes if hasattr(note, "trace")])
        shown = lines(request.user, sorted(held.values(), key=lambda one: one.born_at), gaps_in(set()))
        context = {"form": form, "notes": notes, "lines": shown, "back": _kept(request), "asks": form.is_valid()}
        return render(request, "worklist/end.html", context, status=200 if form.is_valid() else 422)
    said = form.cleaned_data
    done, at = services.end(notes=notes, how=said["how"], by=request.user, reason=said["reason"])
    before = len(notes) - len(done)
    if before:
        noun = "note was" if before == 1 else "notes were"
        messages.warning(request, f"{before} {noun} ended by somebody else meanwhile and stayed as they said.")
    if request.POST.get("from") == "note" and len(notes) == 1:
        messages.success(request, f"The note is ended: {End(said['how']).label.lower()}.")
        return redirect("worklist:note", notes[0].id)
    return redirect(_back(request, done=at.isoformat() if done else ""))


@login_required
@never_cache
@require_POST
def reopen(request: HttpRequest) -> HttpResponse:
    """Let notes wait again: those of one act just done, or the chosen ones."""
    at = _moment(request.POST.get("at", ""))
    if at is not None:
        notes = services.undo(by=request.user, at=at)
    else:
        chosen = _chosen(request)
        for facility_id in {note.facility_id for note in chosen}:
            require(request.user, Right.WORK_TICKETS, facility_id)
        notes = services.end_notes(notes=chosen, how=End.OPEN, by=request.user)
    if notes:
        said = "1 note waits" if len(notes) == 1 else f"{len(notes)} notes wait"
        messages.success(request, f"{said} again.")
    if request.POST.get("from") == "note" and len(notes) == 1:
        return redirect("worklist:note", notes[0].id)
    return redirect(_back(request))


@login_required
@never_cache
@require_GET
def sheet(request: HttpRequest) -> HttpResponse:
    """Give the list as CSV, and record that it left the console."""
    require_sight(request)
    place = scope(request)
    show, asked, kept = asked_of(place, request.GET, timezone.now())
    content, count = as_csv(request.user, asked)
    services.note_export(by=request.user, scope=place, query=urlencode({"show": show, **kept}), rows=count)
    name = f"notes-not-in-a-chart-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _chosen(request: HttpRequest) -> list[Note]:
    """Give the notes of the form; one that this person does not see makes the whole form unknown."""
    ids = chosen_notes(request.POST.getlist("note"))
    found = {note.id: note for note in visible(request.user).filter(id__in=ids).select_related("trace")}
    if len(found) < len(ids):
        raise Http404("There is no such note.")
    return [found[one] for one in ids]


def _kept(request: HttpRequest) -> dict[str, str]:
    """Give what the list was narrowed to, from the form that came from it."""
    kept = {name: request.POST.get(f"kept_{name}", "")[:80] for name in ("show", "mode", "integration", "provider")}
    if kept["show"] not in NAMES:
        kept["show"] = "all"
    return {name: value for name, value in kept.items() if value}


def _back(request: HttpRequest, **more: str) -> str:
    said = {**_kept(request), **{name: value for name, value in more.items() if value}}
    return f"{reverse('worklist:waiting')}?{urlencode(said)}"


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
