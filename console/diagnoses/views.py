"""Pages of diagnoses that need no ticket."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.diagnoses.explaining import answer
from console.diagnoses.forms import ExplainForm


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def explain(request: HttpRequest) -> HttpResponse:
    """Explain an error text; it comes by POST so that it stands in no address and no access log."""
    if request.method == "GET":
        return render(request, "diagnoses/explain.html", {"form": ExplainForm()})
    form = ExplainForm(request.POST)
    if not form.is_valid():
        return render(request, "diagnoses/explain.html", {"form": form}, status=422)
    data = form.cleaned_data
    found = answer(data["text"], status=data["status"], protocol=data["protocol"])
    return render(request, "diagnoses/explain.html", {"form": form, "answer": found})
