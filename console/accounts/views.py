"""What everybody has: the own profile, and the ways to a password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.access import grants
from console.accounts.forms import ForgottenForm, OwnPasswordForm, ProfileForm
from console.accounts.models import Facility
from console.accounts.place import all_of
from console.accounts.roles import Role
from console.accounts.services import roles_of, sign_out_everywhere


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Show the own profile; change name and time zone, or the password."""
    about, password = ProfileForm(instance=request.user), OwnPasswordForm(request.user)
    status = 200
    if request.method == "POST" and "old_password" in request.POST:
        password = OwnPasswordForm(request.user, request.POST)
        if password.is_valid():
            update_session_auth_hash(request, password.save())
            messages.success(request, "Your password is changed. Other sessions have ended.")
            return redirect("accounts:profile")
        status = 422
    elif request.method == "POST":
        about = ProfileForm(request.POST, instance=request.user)
        if about.is_valid():
            about.save()
            messages.success(request, "Your profile is saved.")
            return redirect("accounts:profile")
        request.user.refresh_from_db()
        status = 422
    context = {"about": about, "password": password, "places": _places(request)}
    return render(request, "accounts/profile.html", context, status=status)


def _places(request: HttpRequest) -> list[tuple[Facility, str, str]]:
    """Give each facility with the own roles and restricted departments there, in words."""
    inside = grants(request.user).departments
    found = []
    for facility in Facility.objects.filter(id__in=all_of(request)).order_by("name", "id"):
        roles = ", ".join(role.label for role in Role if role in roles_of(request.user, facility))
        departments = facility.departments.filter(id__in=inside).order_by("name", "id")
        found.append((facility, roles, ", ".join(d.name for d in departments)))
    return found


@login_required
@never_cache
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End every session of one's own but this one."""
    sign_out_everywhere(user=request.user, by=request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, "You are signed out everywhere else.")
    return redirect("accounts:profile")


@never_cache
@require_http_methods(["GET", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Mail a link to somebody who forgot his password; the page tells nobody which addresses are known."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return render(request, "accounts/forgotten.html", {"sent": True})
    return render(request, "accounts/forgotten.html", {"form": form}, status=422 if request.method == "POST" else 200)


class ChoosePassword(PasswordResetConfirmView):
    """Let the holder of a link choose a password; Django moves the token out of the address at once."""

    template_name = "accounts/choose_password.html"
    success_url = reverse_lazy("account_login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Say that it worked, on the login page."""
        messages.success(self.request, "Your password is set. Log in with it.")
        return super().form_valid(form)
