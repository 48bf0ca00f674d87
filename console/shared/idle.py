"""Log people off who have left: polls of an open page are not a sign of life."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

SESSION_KEY = "last_seen"
View = TypeVar("View", bound=Callable[..., HttpResponse])
# Is told what somebody sent whose session has ended; gives the page to come back to after the login, or nothing.
Keeper = Callable[[HttpRequest, Any, ResolverMatch], str]
_keepers: list[Keeper] = []


def keep_with(keeper: Keeper) -> None:
    """Register who keeps what arrives too late; called from an app's `ready`."""
    if keeper not in _keepers:
        _keepers.append(keeper)


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
                request.left = request.user  # type: ignore[attr-defined]
                logout(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponse], *_: object) -> HttpResponse | None:
        """Note a person's own request, at most every half minute to spare the write; keep what came too late.

        Forged forms do not get here: whether the sender's own page sent it was asked before.
        """
        left = getattr(request, "left", None)
        if left is not None and request.method == "POST":
            return self._keep(request, left)
        if not request.user.is_authenticated or getattr(view, "is_polled", False):
            return None
        now = int(datetime.now(UTC).timestamp())
        if now - request.session.get(SESSION_KEY, 0) > min(30, settings.IDLE_LIMIT_S // 4):
            request.session[SESSION_KEY] = now
        return None

    @staticmethod
    def _keep(request: HttpRequest, left: Any) -> HttpResponse | None:
        match = request.resolver_match
        pages = [keeper(request, left, match) for keeper in _keepers] if match else []
        back = next((page for page in pages if page), "")
        return redirect_to_login(back) if back else None
