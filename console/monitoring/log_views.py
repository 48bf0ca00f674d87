"""Log rows by hand: paste or upload, and what became of them."""

import uuid

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from console.accounts.access import grants
from console.accounts.place import places
from console.accounts.roles import Right
from console.accounts.services import record
from console.integrations.tokens import source_of
from console.monitoring.access import import_or_404
from console.monitoring.forms import LogForm
from console.monitoring.log_pages import choices, logs_page
from console.notes.intake import take_body
from console.notes.models import LogImport


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def logs(request: HttpRequest) -> HttpResponse:
    """Take pasted or uploaded rows, and show what became of this and earlier imports."""
    if not grants(request.user).where(Right.WORK_TICKETS):
        raise PermissionDenied("Your role does not bring in logs. Ask your facility's administrator.")
    shown = places(request, Right.WORK_TICKETS)
    form = LogForm(request.POST, request.FILES) if request.method == "POST" else LogForm()
    form.fields["integration"].queryset = choices(shown)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        source = source_of(said["integration"])
        receipt = take_body(
            source=source, log=said["log"], body=said["body"], via=LogImport.Via.UPLOAD, by=request.user
        )
        return redirect(f"{request.path}?import={receipt.import_id}")
    page = logs_page(request.user, shown, form, request.GET.get("import", ""))
    return render(request, "monitoring/logs.html", {"page": page}, status=422 if form.is_bound else 200)


@login_required
@never_cache
@require_GET
def quarantined(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Hand out the lines that were set aside, as they came; recorded, for they may hold patient data."""
    made = import_or_404(request.user, import_id)
    record(by=request.user, action="quarantined_lines.opened", subject=made, facility=made.facility_id)
    body = b"".join(row.line.rstrip(b"\r\n") + b"\n" for row in made.quarantined_lines.order_by("number", "id"))
    response = HttpResponse(body, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="quarantined-{made.at:%Y%m%d-%H%M%S}.ndjson"'
    return response
