"""The demo's page of practice faults."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.demo.access import require_mailbox, require_practice
from console.demo.mailbox import letters
from console.demo.practice import PracticeIsAway, heal, practice_page, switch
from diagnostics.practice.faults import FAULTS


class SwitchForm(forms.Form):
    """One fault of one tenant, or all of them off."""

    tenant = forms.SlugField(max_length=60)
    fault = forms.ChoiceField(choices=[("", "all"), *((name, name) for name in FAULTS)], required=False)
    on = forms.BooleanField(required=False)


@login_required
@never_cache
@require_GET
def practice(request: HttpRequest) -> HttpResponse:
    """Show each named fault with its symptom."""
    require_practice(request.user)
    try:
        page = practice_page(request.GET.get("tenant", ""))
    except PracticeIsAway as away:
        return render(request, "demo/practice.html", {"away": str(away)}, status=503)
    return render(request, "demo/practice.html", {"page": page})


@login_required
@never_cache
@require_GET
def mailbox(request: HttpRequest) -> HttpResponse:
    """Show what the demo would have mailed."""
    require_mailbox(request.user)
    return render(request, "demo/mailbox.html", {"letters": letters()})


@login_required
@never_cache
@require_POST
def switch_fault(request: HttpRequest) -> HttpResponse:
    """Switch a fault on or off while the practice EHR runs."""
    require_practice(request.user)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return render(request, "demo/practice.html", {"away": "There is no such fault or tenant."}, status=422)
    tenant, fault, on = form.cleaned_data["tenant"], form.cleaned_data["fault"], form.cleaned_data["on"]
    try:
        if fault:
            switch(tenant, fault, on=on)
            messages.success(request, f"{fault} is {'on' if on else 'off'} for {tenant}.")
        else:
            heal(tenant)
            messages.success(request, f"{tenant} is healthy again.")
    except PracticeIsAway as away:
        messages.error(request, str(away))
    return redirect(f"{reverse('demo:practice')}?{urlencode({'tenant': tenant})}{'#fault-' + fault if fault else ''}")
