"""The checklists as informatics keep them: what each holds, its versions, a new version."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from console.accounts.access import grants
from console.accounts.roles import Right
from console.diagnoses import words
from console.diagnoses.checklists import ChecklistError, change, in_force
from console.diagnoses.models import ChecklistTemplate
from diagnostics.checklists import ITEMS


@dataclass(frozen=True)
class ItemLine:
    """Be one of the engine's items as the form shows it: `place` is its position in the list, empty where it is out."""

    id: str
    text: str
    group: str
    place: str


class VersionForm(forms.Form):
    """A new version; each item's field holds its place, an empty one leaves it out."""

    name = forms.CharField(max_length=80, error_messages={"required": "Give the checklist a name."})
    about = forms.CharField(max_length=200, required=False)
    seen = forms.IntegerField(min_value=1)


def _may_see(request: HttpRequest) -> bool:
    """Let those in who see tickets, and tell whether they may change checklists: these hold for every facility."""
    held = grants(request.user)
    if not held.where(Right.SEE_TICKETS):
        raise PermissionDenied("Your role does not see checklists.")
    return bool(held.where(Right.REVIEW_KNOWLEDGE))


@login_required
@never_cache
@require_GET
def checklists(request: HttpRequest) -> HttpResponse:
    """List the checklists in force."""
    may_change = _may_see(request)
    lines = [
        (template, words.CATEGORIES.get(template.category, ""))
        for template in sorted(in_force().values(), key=lambda t: (t.category != "", t.name))
    ]
    return render(request, "diagnoses/checklists.html", {"lines": lines, "may_change": may_change})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def checklist(request: HttpRequest, name: str) -> HttpResponse:
    """Show a checklist with its versions; write a new one."""
    may_change = _may_see(request)
    template = in_force().get(name)
    if template is None:
        raise Http404("There is no such checklist.")
    form, wrong, places = VersionForm(request.POST or None), "", None
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied("Your role does not change checklists.")
        places = {id: request.POST.get(f"place-{id}", "").strip()[:3] for id in ITEMS}
        if form.is_valid():
            try:
                new = change(
                    slug=name, name=form.cleaned_data["name"], about=form.cleaned_data["about"],
                    items=_ordered(places), seen=form.cleaned_data["seen"], by=request.user,
                )  # fmt: skip
            except ChecklistError as refusal:
                wrong = str(refusal)
            else:
                messages.success(request, f"Version {new.version} of “{new.name}” is in force for new diagnoses.")
                return redirect("diagnoses:checklist", name)
        else:
            wrong = " ".join(error for errors in form.errors.values() for error in errors)
    context = {
        "template": template,
        "category": words.CATEGORIES.get(template.category, ""),
        "items": [ITEMS[id] for id in template.items if id in ITEMS],
        "lines": _lines(template, places),
        "versions": ChecklistTemplate.objects.filter(slug=name).select_related("by").order_by("-version"),
        "may_change": may_change,
        "wrong": wrong,
        "typed": form if wrong else None,
    }
    return render(request, "diagnoses/checklist.html", context, status=422 if wrong else 200)


def _ordered(places: dict[str, str]) -> list[str]:
    """Order the items by the places typed; anything but a number counts as the end."""
    chosen = [(int(place) if place.isdecimal() else 999, id) for id, place in places.items() if place]
    position = {id: number for number, id in enumerate(ITEMS)}
    return [id for _, id in sorted(chosen, key=lambda pair: (pair[0], position[pair[1]]))]


def _lines(template: ChecklistTemplate, places: dict[str, str] | None) -> list[ItemLine]:
    """Give every item: first those of the list in their order, then the others as the engine groups them."""
    now = places or {id: str(number) for number, id in enumerate(template.items, 1)}
    inside = [id for id in template.items if id in ITEMS]
    others = [id for id in ITEMS if id not in inside]
    return [ItemLine(id, ITEMS[id].text, str(ITEMS[id].list), now.get(id, "")) for id in (*inside, *others)]
