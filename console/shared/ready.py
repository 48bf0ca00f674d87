"""Say whether the console can serve: for load balancers and the demo's own start."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.shared.idle import polled


@polled
@never_cache
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers; an error page of the house otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ready\n", content_type="text/plain")
