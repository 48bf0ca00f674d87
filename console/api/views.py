"""The door for other systems: a token instead of a session, JSON answers, never a redirect to the login."""

import logging
import uuid
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from console.integrations.models import Source
from console.integrations.tokens import source_for
from console.notes.intake import KeyReused, Receipt, receipt_of, take_body
from console.notes.models import LogImport
from console.notes.packed import BadPacking, unpack
from diagnostics.parsing.log_formats import BadFormat

log = logging.getLogger(__name__)
LIMIT_BYTES = 10 * 1024 * 1024
SHOWN_PROBLEMS = 20
EMPTY = "The body is empty: send one JSON object a line."
CONTENT_TYPES = {
    "application/x-ndjson": "ndjson",
    "application/json": "ndjson",
    "text/plain": "ndjson",
    "application/fhir+ndjson": "audit_events",
    "application/fhir+json": "audit_events",
}


@dataclass
class Refused(Exception):
    """What was sent is not taken: a status and a sentence that says what to do."""

    status: int
    says: str


@csrf_exempt  # no cookie opens this door, so no foreign page can use somebody's
@never_cache
def take_log(request: HttpRequest, kind: str) -> HttpResponse:
    """Take rows of one log and answer the receipt."""
    if request.method != "POST":
        return _no(405, "Send the rows with POST.", {"Allow": "POST"})
    source = _source(request)
    if source is None:
        return _no(401, "Send a valid token: Authorization: Bearer nt_…", {"WWW-Authenticate": "Bearer"})
    try:
        body, format = _body(request), _format(request, kind)
        receipt = take_body(
            source=source,
            log=kind,
            body=body,
            via=LogImport.Via.API,
            request_key=_request_key(request),
            format=format,
        )
    except Refused as refused:
        return _no(refused.status, refused.says)
    except KeyReused:
        return _no(422, "This Idempotency-Key came before with another body. Use a new key for new rows.")
    except BadFormat as problem:
        return _no(400, str(problem))
    log.info("source %s: %s rows of %s taken, %s quarantined", source.id, receipt.rows, kind, receipt.quarantined)
    where = reverse("api:import", args=[receipt.import_id])
    return JsonResponse(answer(receipt), status=202, headers={"Location": where})


@never_cache
def outcome(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Tell how far an import of the token's source is and what became of its rows."""
    if request.method not in ("GET", "HEAD"):
        return _no(405, "Ask for an import with GET.", {"Allow": "GET, HEAD"})
    source = _source(request)
    if source is None:
        return _no(401, "Send a valid token: Authorization: Bearer nt_…", {"WWW-Authenticate": "Bearer"})
    made = LogImport.objects.filter(pk=import_id, source=source).first()
    if made is None:
        return _no(404, "This token's source has no such import.")
    told = {"id": str(made.id), "log": made.log, "state": made.state, "reason": made.reason}
    return JsonResponse(told | answer(receipt_of(made)))


def answer(receipt: Receipt) -> dict[str, object]:
    """Give the receipt as the API prints it."""
    return {
        "rows": receipt.rows,
        "stored": receipt.stored,
        "duplicate": receipt.duplicate,
        "quarantined": receipt.quarantined,
        "problems": [{"line": number, "reason": reason} for number, reason in receipt.problems[:SHOWN_PROBLEMS]],
    }


def _no(status: int, says: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": says}, status=status, headers=headers or {})


def _source(request: HttpRequest) -> Source | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return source_for(token.strip()) if scheme.lower() == "bearer" else None


def _request_key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 200:
        raise Refused(400, "An Idempotency-Key has up to 200 characters.")
    return key


def _format(request: HttpRequest, kind: str) -> str:
    said = (request.content_type or "").lower()
    if said not in CONTENT_TYPES or (CONTENT_TYPES[said] == "audit_events" and kind != "ehr"):
        known = [name for name, format in CONTENT_TYPES.items() if kind == "ehr" or format == "ndjson"]
        raise Refused(415, f"Send one JSON object a line as {', '.join(known)}.")
    return CONTENT_TYPES[said]


def _body(request: HttpRequest) -> bytes:
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said == "0":
        raise Refused(400, EMPTY)
    too_much = Refused(
        413,
        "Up to 10 MB of rows, unpacked, are taken at once. Send the rest in further requests, or bring the file in on "
        "the console's page Log import or with manage.py import_logs, which take files of any size.",
    )
    if not said.isdecimal() or int(said) > LIMIT_BYTES:
        raise too_much
    raw = request.read(LIMIT_BYTES + 1)
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("gzip", "x-gzip"):
        try:
            raw = unpack(raw, LIMIT_BYTES) if len(raw) <= LIMIT_BYTES else raw
        except BadPacking as problem:
            raise Refused(400, str(problem)) from None
    elif coding not in ("identity", ""):
        raise Refused(415, "Content-Encoding may be gzip or absent.")
    if len(raw) > LIMIT_BYTES:
        raise too_much
    if not raw.strip():
        raise Refused(400, EMPTY)
    return raw
