"""The form in which a checklist is written: which items, in which order, shown after which answer."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from console.diagnoses import words
from console.diagnoses.checklist_editing import Wording, condition
from diagnostics.checklists import ITEMS

QUESTIONS = tuple(item for item in ITEMS.values() if item.asks)
_CONDITIONS = frozenset(f"{item.id} {answer}" for item in QUESTIONS for answer in ("yes", "no"))


@dataclass(frozen=True)
class FormLine:
    """Be one of the engine's items in the form: `place` is its position, empty where it is out; `after` a condition."""

    id: str
    text: str
    group: str
    place: str
    options: SafeString  # of its condition, the chosen one selected


@dataclass(frozen=True)
class ShownItem:
    """Be one item as a list shows it to people; `when` is empty where it is always shown."""

    text: str
    asks: str
    when: str


class WordingForm(forms.Form):
    """Name, use and category; items and conditions are fields of their own, one of each for every item."""

    name = forms.CharField(max_length=80, error_messages={"required": "Give the checklist a name."})
    about = forms.CharField(max_length=200, required=False)
    category = forms.ChoiceField(choices=[("", "No category"), *words.CATEGORIES.items()], required=False)
    seen = forms.IntegerField(min_value=1, required=False)

    def wording(self) -> Wording:
        """Give what was typed."""
        data = self.cleaned_data
        places, after = places_typed(self.data), after_typed(self.data)
        items = _ordered(places)
        branches = {id: value.split(" ") for id, value in after.items() if id in items}
        return Wording(data["name"], data["about"], items, branches, data["category"])

    @property
    def complaints(self) -> str:
        """Give what is wrong in one text."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


def typed_of(wording: Wording, seen: int | None = None) -> dict[str, Any]:
    """Give the form's fields for a wording, as if somebody had typed it."""
    fields: dict[str, Any] = {"name": wording.name, "about": wording.about, "category": wording.category}
    fields |= {f"place-{id}": str(number) for number, id in enumerate(wording.items, 1)}
    fields |= {f"after-{id}": " ".join(condition) for id, condition in wording.branches.items()}
    return fields | ({"seen": seen} if seen else {})


def places_typed(data: QueryDict | dict[str, Any]) -> dict[str, str]:
    """Give the place typed for each item, empty where it is left out."""
    return {id: str(data.get(f"place-{id}", "")).strip()[:3] for id in ITEMS}


def after_typed(data: QueryDict | dict[str, Any]) -> dict[str, str]:
    """Give the condition chosen for each item that has one, as "question answer"."""
    chosen = {id: str(data.get(f"after-{id}", "")).strip()[:60] for id in ITEMS}
    return {id: value for id, value in chosen.items() if value in _CONDITIONS}


def _ordered(places: dict[str, str]) -> list[str]:
    """Order the items by the places typed; anything but a number counts as the end."""
    chosen = [(int(place) if place.isdecimal() else 999, id) for id, place in places.items() if place]
    position = {id: number for number, id in enumerate(ITEMS)}
    return [id for _, id in sorted(chosen, key=lambda pair: (pair[0], position[pair[1]]))]


def form_lines(data: QueryDict | dict[str, Any]) -> list[FormLine]:
    """Give every item: first those of the list in their order, then the others as the engine groups them."""
    places, after = places_typed(data), after_typed(data)
    inside = _ordered(places)
    return [
        FormLine(id, ITEMS[id].text, str(ITEMS[id].list), places[id], _options(after.get(id, "")))
        for id in (*inside, *(id for id in ITEMS if id not in inside))
    ]


@cache
def _options(chosen: str) -> SafeString:
    """Write the conditions to choose from: the same for every item, so that they are written once for each choice."""
    conditions = ((f"{item.id} {answer}", answer, item.asks) for item in QUESTIONS for answer in ("yes", "no"))
    rows = (
        (value, mark_safe(" selected") if value == chosen else "", answer, asks) for value, answer, asks in conditions
    )
    return format_html_join("", '<option value="{}"{}>after {}: {}</option>', rows)


def shown(wording: Wording) -> list[ShownItem]:
    """Give the items of a list with their questions and conditions."""
    return [
        ShownItem(
            ITEMS[id].text, ITEMS[id].asks, condition(wording.branches, id) if id in wording.branches else ""
        )
        for id in wording.items
        if id in ITEMS
    ]  # fmt: skip
