"""Log rows by hand: paste or upload, map the columns, see how far an import is and what became of its lines."""

import uuid
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.accounts.access import grants
from console.accounts.place import places
from console.accounts.roles import Right
from console.accounts.services import record
from console.monitoring.access import brought_in_or_404, import_or_404
from console.monitoring.forms import LogForm
from console.monitoring.log_import_pages import asks_columns, columns_of, import_page, problems_of
from console.monitoring.log_pages import destinations, logs_page, source_at
from console.monitoring.upload_handler import SealingHandler
from console.notes.intake import take_body
from console.notes.models import LogImport
from console.notes.uploads import begin, forget_upload, head_of, keep_upload
from diagnostics.parsing.log_formats import BadFormat, BadPacking, sniff

_FORM_BYTES = 16 * 1024 * 1024  # what a form may weigh beside its file


@login_required
@never_cache
@csrf_exempt  # only here: reading the token reads the file, which must have met its handler before
@require_http_methods(["GET", "POST"])
def logs(request: HttpRequest) -> HttpResponse:
    """Take pasted rows or a file, and show the recent imports."""
    if not grants(request.user).where(Right.WORK_TICKETS):
        raise PermissionDenied("Your role does not bring in logs. Ask your facility's administrator.")
    limit = settings.LOG_UPLOAD_LIMIT_BYTES
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said.isdecimal() and int(said) > limit + _FORM_BYTES:
        return _page(request, LogForm(), refused=413)  # nothing of it is read
    handler = SealingHandler(field="file", limit=limit)
    request.upload_handlers = [handler]
    try:
        answer: HttpResponse = _logs(request, handler)
    finally:
        handler.finish()
    return answer


@csrf_protect
def _logs(request: HttpRequest, handler: SealingHandler) -> HttpResponse:
    form = LogForm(request.POST, request.FILES) if request.method == "POST" else LogForm()
    form.fields["integration"].choices = destinations(places(request, Right.WORK_TICKETS))
    if request.method == "POST" and form.is_valid():
        made_id = _take_file(request, form, handler) if form.cleaned_data["file"] else _take_pasted(request, form)
        if made_id is not None:
            return redirect("monitoring:log_import", made_id)
    return _page(request, form)


def _page(request: HttpRequest, form: LogForm, *, refused: int = 0) -> HttpResponse:
    shown = places(request, Right.WORK_TICKETS)
    form.fields["integration"].choices = destinations(shown)
    page = logs_page(request.user, shown, form, settings.LOG_UPLOAD_LIMIT_BYTES, too_large=bool(refused))
    return render(request, "monitoring/logs.html", {"page": page}, status=refused or (422 if form.is_bound else 200))


def _take_pasted(request: HttpRequest, form: LogForm) -> uuid.UUID | None:
    said = form.cleaned_data
    try:
        format = sniff(said["body"][:65536], log=said["log"])
    except BadFormat:
        format = "ndjson"  # so that each line is set aside with its reason
    try:
        receipt = take_body(
            source=source_at(said["integration"]), log=said["log"], body=said["body"], via=LogImport.Via.UPLOAD,
            by=request.user, format=format,
        )  # fmt: skip
    except BadFormat as problem:
        form.add_error("pasted", str(problem))
        return None
    return receipt.import_id


def _take_file(request: HttpRequest, form: LogForm, handler: SealingHandler) -> uuid.UUID | None:
    """Keep an uploaded file and hand it to the workers; one whose columns have to be named waits for that."""
    said = form.cleaned_data
    file = said["file"]
    source = source_at(said["integration"])
    made = keep_upload(upload=file.upload, source=source, log=said["log"], name=file.name, by=request.user)
    try:
        made.format = sniff(head_of(made), log=made.log, name=file.name)
    except (BadFormat, BadPacking) as problem:
        made.delete()
        form.add_error("file", str(problem))
        return None
    made.save(update_fields=["format"])
    handler.kept = True
    if not (asks_columns(made) and columns_of(made)):
        begin(made=made)
    return made.id


@login_required
@never_cache
@require_GET
def log_import(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Show one import: its columns while they are asked for, how far it is, what became of its lines."""
    made = brought_in_or_404(request.user, import_id)
    return render(request, "monitoring/log_import.html", {"page": import_page(request.user, made)})


@login_required
@never_cache
@require_GET
def log_import_live(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Give what changes of an import's page, for its poller."""
    made = brought_in_or_404(request.user, import_id)
    said = request.GET.get("n", "")
    polled = int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else 0
    return render(request, "monitoring/_log_import.html", {"page": import_page(request.user, made, polled)})


@login_required
@never_cache
@require_POST
def log_columns(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Take what the columns of a file mean, remember it for the source, and bring the file in."""
    made = brought_in_or_404(request.user, import_id)
    if not asks_columns(made):
        return redirect("monitoring:log_import", made.id)
    columns = columns_of(made, request.POST)
    mapping = {column.header: column.key for column in columns}
    page = import_page(request.user, made, chosen=request.POST)
    errors = tuple(problems_of(mapping, made.log, zone_agreed=not page.asks_zone or "zone" in request.POST))
    if errors or not set(mapping.values()) <= {"", *page.keys, *(key for key in mapping.values() if "." in key)}:
        page = import_page(request.user, made, chosen=request.POST, errors=errors or ("Choose keys of the list.",))
        return render(request, "monitoring/log_import.html", {"page": page}, status=422)
    begin(made=made, mapping=mapping)
    return redirect("monitoring:log_import", made.id)


@login_required
@never_cache
@require_POST
def log_again(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Go on with an import that stopped."""
    made = brought_in_or_404(request.user, import_id)
    if made.state == LogImport.State.FAILED and made.upload_key is not None:
        begin(made=made)
    return redirect("monitoring:log_import", made.id)


@login_required
@never_cache
@require_POST
def log_drop(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Delete the file of an import that nobody works at."""
    made = brought_in_or_404(request.user, import_id)
    if made.upload_key is not None and not made.jobs.filter(state__in=("queued", "running")).exists():
        forget_upload(made, "The file was deleted before it was brought in.")
    return redirect("monitoring:logs")


@login_required
@never_cache
@require_GET
def quarantined(request: HttpRequest, import_id: uuid.UUID) -> StreamingHttpResponse:
    """Hand out the lines that were set aside, as they came; recorded, for they may hold patient data."""
    made = import_or_404(request.user, import_id)
    record(by=request.user, action="quarantined_lines.opened", subject=made, facility=made.facility_id)
    response = StreamingHttpResponse(_lines(made), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="quarantined-{made.at:%Y%m%d-%H%M%S}.ndjson"'
    return response


def _lines(made: LogImport) -> Iterator[bytes]:
    for row in made.quarantined_lines.order_by("number", "id").iterator(chunk_size=500):
        yield row.line.rstrip(b"\r\n") + b"\n"
