"""The checklists as informatics keep them: what each holds, its versions, a new version, one of one's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.access import grants
from console.accounts.roles import Right
from console.diagnoses import words
from console.diagnoses.built_in_checklists import BUILT_IN, FOLLOW_UP
from console.diagnoses.checklist_editing import Wording, bring_back, change, create, differences, retire
from console.diagnoses.checklist_forms import WordingForm, form_lines, shown, typed_of
from console.diagnoses.checklists import ChecklistError, newest
from console.diagnoses.models import ChecklistTemplate

_BUILT_IN = {entry.slug: entry for entry in BUILT_IN}


@dataclass(frozen=True)
class VersionLine:
    """Be one version in the history, with what it changed."""

    template: ChecklistTemplate
    says: tuple[str, ...]


def _may_see(request: HttpRequest) -> bool:
    """Let those in who see tickets, and tell whether they may change checklists: these hold for every facility."""
    held = grants(request.user)
    if not held.where(Right.SEE_TICKETS):
        raise PermissionDenied("Your role does not see checklists.")
    return bool(held.where(Right.REVIEW_KNOWLEDGE))


def _require_change(request: HttpRequest) -> None:
    if not _may_see(request):
        raise PermissionDenied("Your role does not change checklists.")


@login_required
@never_cache
@require_GET
def checklists(request: HttpRequest) -> HttpResponse:
    """List the checklists, those in force first."""
    may_change = _may_see(request)
    lines = [
        (template, words.CATEGORIES.get(template.category, ""))
        for template in sorted(newest().values(), key=lambda t: (t.retired, t.category != "", t.name))
    ]
    return render(request, "diagnoses/checklists.html", {"lines": lines, "may_change": may_change})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def checklist(request: HttpRequest, name: str) -> HttpResponse:
    """Show a checklist with its versions; look at a new one before it counts; put it in force."""
    may_change = _may_see(request)
    template = newest().get(name)
    if template is None:
        raise Http404("There is no such checklist.")
    now = Wording.of(template)
    page = _Writing(request, typed_of(now, template.version))
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied("Your role does not change checklists.")
        new = page.take(
            lambda wording, seen: change(slug=name, wording=_own_category(name, wording), seen=seen, by=request.user)
        )
        if new:
            messages.success(request, f"Version {new.version} of “{new.name}” is in force for new diagnoses.")
            return redirect("diagnoses:checklist", name)
    entry = _BUILT_IN.get(name)
    context = {
        "template": template,
        "category": words.CATEGORIES.get(template.category, ""),
        "items": shown(now),
        "versions": _versions(name),
        "may_change": may_change,
        "built_in": entry is not None,
        "delivered": differences(now, Wording(entry.name, entry.about, entry.items, entry.branches, entry.category))
        if entry and template.by_id
        else [],
        "may_retire": may_change and name != FOLLOW_UP,
        **page.context(),
    }
    return render(request, "diagnoses/checklist.html", context, status=page.status)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Write a checklist of one's own, from nothing or from a copy of another (`?of=`)."""
    _require_change(request)
    template = newest().get(request.GET.get("of", ""))
    start = {}
    if template is not None:
        wording = Wording.of(template)
        start = typed_of(Wording(f"Copy of {wording.name}"[:80], wording.about, wording.items, wording.branches))
    page = _Writing(request, start)
    if request.method == "POST":
        made = page.take(lambda wording, _: create(wording=wording, by=request.user))
        if made:
            messages.success(request, f"“{made.name}” is in force. It can be added to any ticket.")
            return redirect("diagnoses:checklist", made.slug)
    return render(request, "diagnoses/checklist_new.html", {"of": template, **page.context()}, status=page.status)


@login_required
@never_cache
@require_POST
def force(request: HttpRequest, name: str) -> HttpResponse:
    """Take a checklist out of force, or put it back."""
    _require_change(request)
    if name not in newest():
        raise Http404("There is no such checklist.")
    seen = request.POST.get("seen", "")
    act = bring_back if request.POST.get("do") == "bring_back" else retire
    try:
        template = act(slug=name, seen=int(seen) if seen.isdecimal() else 0, by=request.user)
    except ChecklistError as refusal:
        messages.error(request, str(refusal))
    else:
        done = "is retired: no further ticket gets it" if template.retired else "is in force again"
        messages.success(request, f"“{template.name}” {done}.")
    return redirect("diagnoses:checklist", name)


class _Writing:
    """Take what was typed in the form of a checklist: save it, show it before it counts, or say what is wrong."""

    def __init__(self, request: HttpRequest, start: dict[str, Any]) -> None:
        self._request = request
        self._typed = request.POST if request.method == "POST" else start
        self._preview: Wording | None = None
        self._wrong = ""

    def take(self, save: Callable[[Wording, int], ChecklistTemplate]) -> ChecklistTemplate | None:
        """Save, unless only a look was asked for or something is wrong."""
        form = WordingForm(self._request.POST)
        if not form.is_valid():
            self._wrong = form.complaints
            return None
        try:
            if self._request.POST.get("do") == "preview":
                self._preview = form.wording().check()
                return None
            return save(form.wording(), form.cleaned_data["seen"] or 0)
        except ChecklistError as refusal:
            self._wrong = str(refusal)
            return None

    @property
    def status(self) -> int:
        """Give the answer's status."""
        return 422 if self._wrong else 200

    def context(self) -> dict[str, Any]:
        """Give what the form's template needs."""
        return {
            "typed": {key: self._typed.get(key, "") for key in ("name", "about", "category", "seen")},
            "lines": form_lines(self._typed),
            "categories": list(words.CATEGORIES.items()),
            "preview": shown(self._preview) if self._preview else None,
            "wrong": self._wrong,
            "opened": bool(self._wrong or self._preview),
        }


def _own_category(slug: str, wording: Wording) -> Wording:
    """Keep the category of a list that NoteTrace comes with: every category needs its list."""
    entry = _BUILT_IN.get(slug)
    if entry is None:
        return wording
    return Wording(wording.name, wording.about, wording.items, wording.branches, entry.category)


def _versions(slug: str) -> list[VersionLine]:
    """Give the versions, newest first, each with what it changed."""
    rows = list(ChecklistTemplate.objects.filter(slug=slug).select_related("by").order_by("-version"))
    return [
        VersionLine(row, tuple(_changes(before, row)))
        for row, before in zip(rows, [*rows[1:], None], strict=True)
    ]  # fmt: skip


def _changes(before: ChecklistTemplate | None, after: ChecklistTemplate) -> list[str]:
    if before is None:
        return []
    said = differences(Wording.of(before), Wording.of(after))
    if before.retired != after.retired:
        said.insert(0, "Retired." if after.retired else "Put in force again.")
    return said
