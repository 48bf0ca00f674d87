"""Tickets for other systems: report a failure, then ask how its ticket stands."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from console.api.ticket_fields import KEY_CHARS, BadField, read_report
from console.integrations.models import SourceToken
from console.integrations.tokens import token_for
from console.tickets.reporting import KeyReused, NoIntegration, StillRunning, TooMany, report, standing, told_by

log = logging.getLogger(__name__)
LIMIT_BYTES = 256 * 1024


class Refused(Exception):
    """What was sent is not taken: a status, a sentence that says what to do, and headers."""

    def __init__(self, status: int, says: str, **headers: str) -> None:
        self.status, self.says = status, says
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(says)


@csrf_exempt  # no cookie opens this door, so no foreign page can use somebody's
@never_cache
def open_ticket(request: HttpRequest) -> HttpResponse:
    """Open a ticket for a reported failure, once a key; answer where it is and which open tickets match."""
    try:
        if request.method != "POST":
            raise Refused(405, "Report a failure with POST.", Allow="POST")
        token = _token(request)
        reported, key = read_report(_body(request))
        answer = report(source=token.source, reported=reported, key=_key(request, key))
    except Refused as refused:
        return _no(refused)
    except BadField as problem:
        return _no(Refused(400, str(problem)))
    except KeyReused:
        return _no(Refused(422, "This Idempotency-Key came before with another report. Use a new key for a new one."))
    except NoIntegration:
        return _no(
            Refused(422, "This token's source belongs to no integration. Ask an integration engineer to say which.")
        )
    except StillRunning:
        says = "The first request with this Idempotency-Key has not ended yet. Send the same again in a moment."
        return _no(Refused(409, says, Retry_After="2"))
    except TooMany:
        says = "This source opened as many tickets in the last minute as it may. Send the same again in a minute."
        return _no(Refused(429, says, Retry_After="60"))
    number = answer.document["number"]
    if answer.first:
        log.info("source %s: ticket %s reported", token.source_id, number)
    where = reverse("api:ticket", args=[number])
    status = 201 if answer.first else 200
    same_order = {"sort_keys": True}  # as it was kept: a repeat is answered byte by byte alike
    return JsonResponse(answer.document, status=status, headers={"Location": where}, json_dumps_params=same_order)


@never_cache
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """Tell how a ticket stands that this token's source reported; a merged one tells of the ticket it went into."""
    try:
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "Ask for a ticket with GET.", Allow="GET, HEAD")
        token = _token(request)
        found = told_by(token.source).filter(number=number).select_related("merged_into").first()
        if found is None:
            raise Refused(404, "This token's source reported no such ticket.")
    except Refused as refused:
        return _no(refused)
    if found.merged_into is not None:
        return JsonResponse(standing(found.merged_into) | {"merged_from": found.number})
    return JsonResponse(standing(found))


def _no(refused: Refused) -> JsonResponse:
    return JsonResponse({"error": refused.says}, status=refused.status, headers=refused.headers)


def _token(request: HttpRequest) -> SourceToken:
    scheme, _, word = request.headers.get("Authorization", "").partition(" ")
    token = token_for(word.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise Refused(401, "Send a valid token: Authorization: Bearer nt_…", WWW_Authenticate="Bearer")
    if not token.opens_tickets:
        raise Refused(403, "This token may not open tickets. Ask an integration engineer for one that may.")
    return token


def _key(request: HttpRequest, in_body: str) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if key and in_body and key != in_body:
        raise Refused(400, "The header Idempotency-Key and the field idempotency_key differ. Send one of them.")
    key = key or in_body
    if not key:
        says = "Send an Idempotency-Key: a word of your own for this one report, the same when you send it again."
        raise Refused(400, says)
    if len(key) > KEY_CHARS:
        raise Refused(400, f"An Idempotency-Key has up to {KEY_CHARS} characters.")
    return key


def _body(request: HttpRequest) -> bytes:
    said = request.META.get("CONTENT_LENGTH") or "0"
    if said == "0":
        raise Refused(400, "The body is empty: send one JSON object.")
    if (request.content_type or "").lower() != "application/json":
        raise Refused(415, "Send the report as application/json.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise Refused(415, "Send the report as it is, without a Content-Encoding.")
    if not said.isdecimal() or int(said) > LIMIT_BYTES:
        raise Refused(413, f"A report has up to {LIMIT_BYTES // 1024} KB.")
    return request.read(LIMIT_BYTES)
