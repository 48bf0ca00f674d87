"""Several tickets at once: what would happen is shown with the exact number, then confirmed, then done."""

import uuid
from collections import defaultdict
from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.place import places
from console.accounts.roles import Right
from console.tickets import bulk
from console.tickets.listed import back_to
from console.tickets.models import Ticket
from console.tickets.moves import TicketError
from console.tickets.queue import integrations_of, understood
from console.tickets.queue_forms import ACTS, BulkForm
from console.tickets.queue_rows import matching, sight
from console.tickets.undo import undo as take_back
from console.tickets.undo_offers import say

SHOWN = 50  # of those left out, in the message


@login_required
@never_cache
@require_POST
def several(request: HttpRequest) -> HttpResponse:
    """Show what an act would change; change it once that is confirmed."""
    back = back_to(request)
    try:
        picked = _picked(request)
    except TicketError as refusal:
        messages.warning(request, str(refusal))
        return redirect(back)
    if not picked:
        messages.warning(request, "Select at least one ticket first.")
        return redirect(back)
    form = BulkForm(request.POST, user=request.user)
    act = form.chosen() if form.is_valid() else None
    if act is None:
        tickets = bulk.look(request.user, picked)
        context = {"form": form, "tickets": tickets, "picked": _written(picked), "back": back, "acts": ACTS.items()}
        return render(request, "tickets/bulk_choose.html", context, status=422 if form.errors else 200)
    if request.POST.get("confirm") != "yes":
        plan = bulk.plan(request.user, picked, act)
        return render(request, "tickets/bulk.html", {"plan": plan, "form": form, "back": back})
    outcome = bulk.apply(request.user, picked, act)
    _tell(request, act, outcome)
    return redirect(back)


def _picked(request: HttpRequest) -> dict[int, str]:
    """Read which tickets are meant; "all that match" becomes a list at this moment and never grows again."""
    if request.POST.get("all") != "yes":
        return bulk.read_picked(request.POST.getlist("ticket"))
    where = None if request.POST.get("saved") else places(request, Right.SEE_TICKETS)
    mine = sight(request.user, where)
    asked = understood(QueryDict(request.POST.get("query", "")[:400]), integrations_of(mine))
    ids = matching(mine, asked, bulk.MOST + 1)
    if len(ids) > bulk.MOST:
        raise TicketError(f"More than {bulk.MOST} tickets match. Narrow the filter: so many can be changed at once.")
    return bulk.freeze(Ticket.objects.filter(pk__in=ids))


def _written(picked: dict[int, str]) -> str:
    return ",".join(f"{number}.{mark}" for number, mark in picked.items())


def _tell(request: HttpRequest, act: bulk.Act, outcome: bulk.Outcome) -> None:
    if outcome.changed:
        count = len(outcome.changed)
        text = f"{act.says}: done for {'1 ticket' if count == 1 else f'{count} tickets'}."
        say(request, text, outcome.undoable)
    if outcome.left:
        what = "1 ticket was" if len(outcome.left) == 1 else f"{len(outcome.left)} tickets were"
        messages.warning(request, f"{what} left as it is: {_named(outcome.left)}".replace(
            "were left as it is", "were left as they are"))  # fmt: skip


def _named(left: Iterable[bulk.Left]) -> str:
    by_reason: dict[str, list[int]] = defaultdict(list)
    for each in left:
        by_reason[each.why].append(each.ticket.number)
    parts = []
    for why, numbers in by_reason.items():
        more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
        parts.append(f"{', '.join(f'#{number}' for number in sorted(numbers)[:SHOWN])}{more}: {why.rstrip('.')}")
    return "; ".join(parts) + "."


@login_required
@never_cache
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take back what was just changed, unless somebody changed it since."""
    try:
        undoable = uuid.UUID(request.POST.get("undo", ""))
        done = take_back(user=request.user, undoable_id=undoable)
    except ValueError:
        messages.warning(request, "There is nothing to undo.")
    except TicketError as refusal:
        messages.warning(request, str(refusal))
    else:
        what = f"Ticket {done.back[0]} is" if len(done.back) == 1 else f"{len(done.back)} tickets are"
        messages.success(request, f"Undone: {what} as before.")
        if done.left:
            numbers = ", ".join(f"#{number}" for number in done.left[:SHOWN])
            messages.warning(request, f"Somebody changed these since, so they stay as they are now: {numbers}.")
    where = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(where, {request.get_host()}, require_https=request.is_secure())
    return redirect(where if safe else reverse("tickets:queue"))
