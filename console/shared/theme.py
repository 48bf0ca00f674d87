"""Remember whether somebody wants the page light, dark or as the system has it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

CHOICES = ("auto", "light", "dark")
_A_YEAR_S = 365 * 24 * 3600


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice in a cookie, so that the server draws the right page at once and no script is needed."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    choice = request.POST.get("theme", "auto")
    if choice in CHOICES:
        response.set_cookie("theme", choice, max_age=_A_YEAR_S, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    return response
