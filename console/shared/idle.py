"""Log people off who have left: polls of an open page are not a sign of life."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

SESSION_KEY = "last_seen"
View = TypeVar("View", bound=Callable[..., HttpResponse])


def polled(view: View) -> View:
    """Mark a view as one that pages call by themselves, so that it does not extend the idle limit."""
    view.is_polled = True  # type: ignore[attr-defined]
    return view


class IdleSessionMiddleware:
    """End a session after IDLE_LIMIT_S without a request that a person made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Log off first, so that the view behind never sees the stale person."""
        if request.user.is_authenticated:
            now = int(datetime.now(UTC).timestamp())
            seen = request.session.get(SESSION_KEY)
            if seen is not None and now - seen > settings.IDLE_LIMIT_S:
                logout(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], *_: object) -> None:
        """Note a person's own request, at most every half minute to spare the write."""
        if not request.user.is_authenticated or getattr(view, "is_polled", False):
            return
        now = int(datetime.now(UTC).timestamp())
        if now - request.session.get(SESSION_KEY, 0) > min(30, settings.IDLE_LIMIT_S // 4):
            request.session[SESSION_KEY] = now
