"""The list that somebody works through: what the queue showed last in this session, and a ticket's neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

_KEY = "queue"


@dataclass(frozen=True)
class Nearby:
    """Be a ticket's place in the list it was opened from; 0 where there is no neighbour."""

    place: int
    count: int
    before: int
    after: int
    back: str


def remember(request: HttpRequest, numbers: Sequence[int]) -> None:
    """Keep what the queue shows: numbers of tickets and its address, nothing of a patient."""
    listed = {"numbers": list(numbers), "back": request.get_full_path()}
    if request.session.get(_KEY) != listed:
        request.session[_KEY] = listed


def back_to(request: HttpRequest) -> str:
    """Give the address of the list."""
    return str((request.session.get(_KEY) or {}).get("back") or reverse("tickets:queue"))


def nearby(request: HttpRequest, number: int) -> Nearby | None:
    """Give the neighbours of a ticket; None where it was not in the list."""
    numbers: list[int] = (request.session.get(_KEY) or {}).get("numbers") or []
    if number not in numbers:
        return None
    at = numbers.index(number)
    before = numbers[at - 1] if at else 0
    after = numbers[at + 1] if at + 1 < len(numbers) else 0
    return Nearby(at + 1, len(numbers), before, after, back_to(request))
