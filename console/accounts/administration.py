"""The pages of an administrator: who may do what at his facilities."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts import services
from console.accounts.access import facilities, grants
from console.accounts.forms import GrantsForm, InviteForm
from console.accounts.people import everywhere, known, lines, may_close, person_or_404, state_of
from console.accounts.place import places
from console.accounts.roles import Right, Role


def _administers(request: HttpRequest) -> None:
    if not grants(request.user).where(Right.ADMINISTER):
        raise PermissionDenied("Your role does not administer people.")


@login_required
@never_cache
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """List the people of the administrator's facilities."""
    _administers(request)
    return render(request, "accounts/people.html", {"lines": lines(request.user, places(request, Right.ADMINISTER))})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Let somebody in."""
    _administers(request)
    form = InviteForm(request.POST or None)
    form.fields["facility"].queryset = mine = facilities(request.user, Right.ADMINISTER)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        roles = {data["facility"]: [Role(value) for value in data["roles"]]}
        person = services.invite(email=data["email"], name=data["name"], roles=roles, by=request.user)
        if person.has_usable_password():
            messages.success(request, f"{person} was there already and has the further roles now.")
        else:
            messages.success(request, f"{person} gets a mail with a link to choose a password.")
        return redirect("accounts:person", person.id)
    context = {"form": form, "facilities": mine, "roles": list(Role)}
    return render(request, "accounts/invite.html", context, status=422 if request.method == "POST" else 200)


@login_required
@never_cache
@require_GET
def person(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    """Show one person."""
    _administers(request)
    return _person(request, person_id)


def _person(request: HttpRequest, person_id: uuid.UUID, wrong: str = "") -> HttpResponse:
    one = person_or_404(request.user, person_id)
    context = {
        "person": one,
        "places": everywhere(request.user, one),
        "roles": list(Role),
        "state": state_of(one),
        "may_close": may_close(request.user, one) and one.pk != request.user.pk,
        "wrong": wrong,
    }
    return render(request, "accounts/person.html", context, status=422 if wrong else 200)


@login_required
@never_cache
@require_POST
def change_grants(request: HttpRequest, person_id: uuid.UUID, slug: str) -> HttpResponse:
    """Set a person's roles and departments at one facility."""
    _administers(request)
    one = person_or_404(request.user, person_id)
    facility = get_object_or_404(facilities(request.user, Right.ADMINISTER), slug=slug)
    form = GrantsForm(request.POST, facility=facility)
    if not form.is_valid():
        return _person(request, person_id, "Choose roles and departments of the lists.")
    data = form.cleaned_data
    try:
        services.set_roles(user=one, facility=facility, roles=data["roles"], by=request.user)
    except services.PeopleError as refusal:
        return _person(request, person_id, str(refusal))
    services.set_departments(user=one, facility=facility, departments=data["departments"], by=request.user)
    messages.success(request, f"{one} has these roles at {facility} from now on.")
    if known(request.user).filter(pk=one.pk).exists():
        return redirect("accounts:person", one.id)
    return redirect("accounts:people")  # somebody without any role here is nobody this administrator knows


@login_required
@never_cache
@require_POST
def act(request: HttpRequest, person_id: uuid.UUID) -> HttpResponse:
    """Send a link, end sessions, close or open an account."""
    _administers(request)
    one = person_or_404(request.user, person_id)
    facility = next(here.facility for here in everywhere(request.user, one) if here.may_change)
    wish = request.POST.get("act", "")
    try:
        if wish == "link":
            about = "reset" if one.has_usable_password() else "invitation"
            services.mail_link(user=one, facility=facility, about=about)
            services.record(by=request.user, action="person.link_sent", subject=one, facility=facility)
            messages.success(request, f"{one} gets a mail with a link to choose a password.")
        elif wish == "sign_out":
            services.sign_out_everywhere(user=one, by=request.user, facility=facility)
            messages.success(request, f"{one} is signed out everywhere.")
        elif wish in ("close", "open") and may_close(request.user, one):
            services.set_active(user=one, active=wish == "open", by=request.user, facility=facility)
            messages.success(request, f"The account of {one} is {'open' if wish == 'open' else 'closed'}.")
        else:
            return _person(request, person_id, "This cannot be done here.")
    except services.PeopleError as refusal:
        return _person(request, person_id, str(refusal))
    return redirect("accounts:person", one.id)
