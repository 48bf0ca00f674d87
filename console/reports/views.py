"""The addresses of reports: the page, the tickets behind a number, CSV and PDF."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.reports.access import chosen_or_404, facilities_or_403
from console.reports.drill import tickets_page
from console.reports.forms import AskForm
from console.reports.pages import mttr_page
from console.reports.paper import as_pdf
from console.reports.report import Report, make
from console.reports.services import note_export
from console.reports.sheet import as_csv


def _report(request: HttpRequest) -> tuple[Report, AskForm]:
    facilities = facilities_or_403(request)
    form = AskForm(request.GET, facilities=facilities, now=timezone.now())
    asked = form.asked(chosen_or_404(facilities, request.GET.get("facility", "")))
    return make(request.user, asked), form


@login_required
@never_cache
@require_GET
def mttr(request: HttpRequest) -> HttpResponse:
    """Show the figures; wrong dates are said, and the usual period is shown."""
    report, form = _report(request)
    page = mttr_page(report, form=form, facility=request.GET.get("facility", ""))
    return render(request, "reports/mttr.html", {"page": page}, status=422 if form.wrong else 200)


@login_required
@never_cache
@require_GET
def tickets(request: HttpRequest) -> HttpResponse:
    """List the tickets behind a number."""
    report, form = _report(request)
    page = tickets_page(report, request.GET.dict(), request.GET.get("facility", ""))
    return render(request, "reports/tickets.html", {"page": page}, status=422 if form.wrong else 200)


@login_required
@never_cache
@require_GET
def mttr_csv(request: HttpRequest) -> HttpResponse:
    """Give the report for a spreadsheet, and record that it left the console."""
    report, _form = _report(request)
    note_export(by=request.user, asked=report.asked, form="csv")
    return _download(as_csv(report), "text/csv; charset=utf-8", report, "csv")


@login_required
@never_cache
@require_GET
def mttr_pdf(request: HttpRequest) -> HttpResponse:
    """Give the report for print, and record that it left the console."""
    report, _form = _report(request)
    note_export(by=request.user, asked=report.asked, form="pdf")
    return _download(as_pdf(report), "application/pdf", report, "pdf")


def _download(content: bytes, content_type: str, report: Report, ending: str) -> HttpResponse:
    period = report.asked.period
    name = f"time-to-resolution-{period.from_on:%Y-%m-%d}-{period.to_on:%Y-%m-%d}.{ending}"
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
