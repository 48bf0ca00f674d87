"""The FHIR R4 server: who may come in, what may be written, and where it ends up."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

from diagnostics.practice.audit_feed import search_audit
from diagnostics.practice.capability import capability_statement
from diagnostics.practice.chart import file_in_chart, narrative_of, write_filed_row
from diagnostics.practice.gateway import gateway_page, intercept
from diagnostics.practice.hostile import mistreat
from diagnostics.practice.http_server import Request, Response, html_response, json_response
from diagnostics.practice.ledger import LedgerEntry, fingerprint
from diagnostics.practice.pages import plain_page
from diagnostics.practice.resending import appends
from diagnostics.practice.scopes import allows
from diagnostics.practice.searching import searchset
from diagnostics.practice.smart import discovery_document
from diagnostics.practice.store import Filing, Resource, bare_id, encounter_closed, identifiers_of, references_of
from diagnostics.practice.tenant import NEEDED_SCOPES, Tenant, iso
from diagnostics.practice.validation import Rejected, check_resource, operation_outcome, parse

FHIR_JSON = "application/fhir+json"
TYPES = frozenset(
    (
        "DocumentReference",
        "Composition",
        "Encounter",
        "Patient",
        "Practitioner",
        "Condition",
        "Observation",
        "AuditEvent",
    )
)
WRITABLE = frozenset(("DocumentReference", "Composition", "Condition", "Observation"))
DOCUMENTS = frozenset(("DocumentReference", "Composition"))


@dataclass
class Exchange:
    """One request on its way through the server."""

    request: Request
    entry: LedgerEntry
    request_id: str
    kind: str = ""
    resource_id: str = ""
    resource: Resource | None = None

    @property
    def transaction_id(self) -> str:
        """Give the first identifier of the resource that was sent."""
        found = identifiers_of(self.resource) if self.resource else []
        return found[0][1] if found else ""


class FhirServer:
    """Answer the requests on one tenant's FHIR host."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def handle(self, request: Request) -> Response:
        """Answer one request, note it in the ledger, and stamp Date and X-Request-Id."""
        tenant = self.tenant
        bearer = request.headers.get("authorization", "")
        entry = LedgerEntry(
            at=iso(tenant.server_time()),
            tenant=tenant.name,
            service="fhir",
            method=request.method,
            target=request.path,
            token=fingerprint(bearer.partition(" ")[2]),
            body_sha256=hashlib.sha256(request.body).hexdigest() if request.body else None,
        )
        tenant.ledger.add(entry)
        exchange = Exchange(request, entry, request.headers.get("x-request-id") or uuid.uuid4().hex)
        _remember_ids(exchange)
        response = intercept(tenant)
        if response is None:
            response = self._answer(exchange)
            if tenant.behaviour.cut == "answer" and request.method == "POST" and exchange.kind in DOCUMENTS:
                response.act = "close"
            if tenant.behaviour.gateway == "timeout_after_filing" and request.method == "POST":
                response = gateway_page(tenant, 504, "The service did not answer in time.")
        response.headers.append(("Date", formatdate(tenant.server_time(), usegmt=True)))
        response.headers.append(("X-Request-Id", exchange.request_id))
        if response.header("Server") is None:
            response.headers.append(("Server", tenant.software))
        if request.method == "POST" and exchange.kind in DOCUMENTS:
            response.delay_s = tenant.behaviour.answer_delay_s
        tenant.ledger.close_entry(entry, response.status if response.act == "send" else None)
        return response

    # -- the server itself ------------------------------------------------------------------

    def _answer(self, exchange: Exchange) -> Response:
        try:
            return self._route(exchange)
        except Rejected as refusal:
            document = operation_outcome(self.tenant, refusal.code, refusal.text, refusal.expression)
            response = json_response(refusal.status, document, FHIR_JSON)
            if refusal.www:
                response.headers.append(("WWW-Authenticate", refusal.www))
            if refusal.status == 405:
                response.headers.append(("Allow", "GET, HEAD"))
            if refusal.status == 429:
                response.headers.append(("Retry-After", "30"))
            self._log(exchange, "rejected", status=refusal.status, error=json.dumps(document))
            return response

    def _route(self, exchange: Exchange) -> Response:
        tenant, request = self.tenant, exchange.request
        base = tenant.fhir_path
        if tenant.behaviour.write_route and request.path == tenant.write_path:
            exchange.kind = "DocumentReference"
            return self._write(exchange)
        if not request.path.startswith(f"{base}/"):
            status = 200 if request.method == "GET" and request.path == "/" else 404
            return html_response(status, plain_page(tenant.texts, "Patient portal", "Please start at the front page."))
        parts = request.path[len(base) + 1 :].strip("/").split("/")
        if parts == [".well-known", "smart-configuration"]:
            if tenant.behaviour.discovery == "down":
                return html_response(503, plain_page(tenant.texts, "Down", "Down for a while."))
            return json_response(200, discovery_document(tenant))
        if parts == ["metadata"]:
            if tenant.behaviour.metadata_protected:
                self._authenticate(exchange)
            return mistreat(json_response(200, capability_statement(tenant), FHIR_JSON), tenant.behaviour.metadata)
        if parts[0] not in TYPES:
            self._received(exchange)
            raise Rejected(404, "not-supported", "There is no such resource type here.", parts[0])
        exchange.kind = parts[0]
        if request.method == "POST" and parts[1:] in ([], ["_search"]):
            return self._search(exchange) if parts[1:] else self._write(exchange)
        if len(parts) == 2 and request.method in ("GET", "HEAD"):
            return self._read(exchange, parts[1])
        if len(parts) == 2 and request.method == "PUT":
            return self._update(exchange, parts[1])
        if len(parts) == 1 and request.method in ("GET", "HEAD"):
            return self._search(exchange)
        raise Rejected(405, "not-supported", "This interaction is not offered.")

    def _authenticate(self, exchange: Exchange) -> str:
        """Return the granted scopes, or refuse as RFC 6750 section 3 says."""
        tenant = self.tenant
        headers = exchange.request.headers
        realm = tenant.texts.say("clinical").rstrip(".")
        keyed = hmac.compare_digest(headers.get("x-api-key", "").encode(), tenant.api_key.encode())
        if tenant.behaviour.api_key_needed and not keyed:
            raise Rejected(401, "login", "The application key is missing or wrong.")
        if keyed and "authorization" not in headers:
            return " ".join(NEEDED_SCOPES)
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            raise Rejected(401, "login", "Please sign in.", www=f'Bearer realm="{realm}"')
        token, state = tenant.token_state(value.strip())
        if token is None or state != "live":
            told = tenant.texts.say("The access token is not valid.")
            www = f'Bearer realm="{realm}", error="invalid_token", error_description="{told}"'
            raise Rejected(401, "expired" if state == "expired" else "login", "The access token is not valid.", www=www)
        if tenant.behaviour.step_up:
            www = f'Bearer realm="{realm}", error="insufficient_user_authentication", acr_values="urn:mfa"'
            raise Rejected(401, "login", "Please confirm with a second factor.", www=www)
        return token.scope

    def _authorize(self, exchange: Exchange, letter: str) -> None:
        tenant = self.tenant
        scope = self._authenticate(exchange)
        if tenant.behaviour.practice_moved:
            raise Rejected(403, "forbidden", "This practice is not open to the application.")
        if not allows(scope, exchange.kind, letter):
            www = f'Bearer error="insufficient_scope", scope="system/{exchange.kind}.{letter}"'
            raise Rejected(403, "forbidden", "The token does not cover this.", www=www)
        writing = letter in "cud"
        if tenant.behaviour.permission == "nothing" or (writing and tenant.behaviour.permission == "no_write"):
            raise Rejected(403, "forbidden", "The account may not do this.")

    def _read(self, exchange: Exchange, resource_id: str) -> Response:
        self._authorize(exchange, "r")
        found = self.tenant.store.visible(exchange.kind, resource_id)
        if found is None:
            raise Rejected(404, "not-found", "There is nothing under this id.")
        return json_response(200, found, FHIR_JSON, ETag=_etag(found))

    def _search(self, exchange: Exchange) -> Response:
        tenant = self.tenant
        self._authorize(exchange, "s")
        if tenant.behaviour.search == "none" and exchange.kind in DOCUMENTS:
            raise Rejected(405, "not-supported", "Searching for documents is not offered.")
        query = exchange.request.query
        if exchange.request.method == "POST":
            query = query + parse_qsl(exchange.request.body.decode("utf-8", "replace"))
        if exchange.kind == "AuditEvent":
            return json_response(200, search_audit(tenant, query), FHIR_JSON)
        if tenant.behaviour.search == "no_identifier":
            query = [(name, value) for name, value in query if name != "identifier"]
        found = tenant.store.search(exchange.kind, query)
        return json_response(200, searchset(f"{tenant.fhir_base}/{exchange.kind}", found, query), FHIR_JSON)

    def _write(self, exchange: Exchange) -> Response:
        tenant, behaviour = self.tenant, self.tenant.behaviour
        if behaviour.cut == "request" and exchange.kind in DOCUMENTS:
            return Response(act="close")
        self._received(exchange)
        refused = behaviour.create_refused or (behaviour.write_route and exchange.request.path != tenant.write_path)
        if exchange.kind not in WRITABLE or (refused and exchange.kind == "DocumentReference"):
            self._authenticate(exchange)
            raise Rejected(405, "not-supported", "Creating this is not offered.")
        self._authorize(exchange, "c")
        resource = self._checked(exchange)
        answer = self._conditional(exchange, resource)
        return answer or self._create(exchange, resource)

    def _checked(self, exchange: Exchange) -> Resource:
        """Judge form before content, content before business rules."""
        tenant, behaviour, request = self.tenant, self.tenant.behaviour, exchange.request
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != FHIR_JSON and (behaviour.strict_media_type or media_type != "application/json"):
            raise Rejected(415, "not-supported", "The media type is not accepted.")
        if len(request.body) > behaviour.body_limit:
            raise Rejected(413, "too-long", "The document is too large.")
        resource = parse(request.body, exchange.kind)
        if behaviour.base == "stu3" and isinstance(resource.get("context", {}).get("encounter"), list):
            raise Rejected(400, "structure", "The encounter must not repeat.", "DocumentReference.context.encounter")
        check_resource(tenant, exchange.kind, resource)
        if exchange.kind in DOCUMENTS:
            self._business_rules(resource)
        if behaviour.server_error:
            raise Rejected(500, "exception", "Something failed inside.")
        return resource

    def _business_rules(self, resource: Resource) -> None:
        tenant = self.tenant
        if tenant.behaviour.template == "required_added":
            raise Rejected(
                422, "required", "The template asks for a section that is not there.", "DocumentReference.content"
            )
        for encounter_id in references_of(resource, ("encounter",)):
            encounter = tenant.store.get("Encounter", encounter_id)
            if encounter is None:
                continue
            if encounter_closed(encounter) and not appends(tenant, resource, encounter_id):
                raise Rejected(422, "business-rule", "The encounter is closed.", "DocumentReference.context.encounter")
            rule = tenant.behaviour.encounter_rule
            if rule == "owner":
                owners = {bare_id(p["individual"]["reference"]) for p in encounter["participant"]}
                if not owners & set(references_of(resource, ("author",))):
                    raise Rejected(403, "business-rule", "Only the encounter's owner may write to it.")
            if rule == "department" and encounter["meta"]["security"][0]["code"] in ("R", "V"):
                raise Rejected(403, "suppressed", "The department is restricted.")

    def _conditional(self, exchange: Exchange, resource: Resource) -> Response | None:
        """Apply If-None-Exist (R4, 3.1.0.8.1) and the tenant's own duplicate rule."""
        tenant = self.tenant
        condition = exchange.request.headers.get("if-none-exist")
        if condition is not None and tenant.behaviour.conditional_create:
            found = tenant.store.search(exchange.kind, parse_qsl(condition.lstrip("?")))
            if len(found) > 1:
                raise Rejected(412, "multiple-matches", "Several documents fit the condition.")
            if found:
                location = f"{tenant.fhir_base}/{exchange.kind}/{found[0]['id']}"
                self._log(exchange, "accepted", status=200, resource=f"{exchange.kind}/{found[0]['id']}")
                return json_response(200, found[0], FHIR_JSON, ETag=_etag(found[0]), Location=location)
        if tenant.behaviour.duplicate_refused and exchange.kind in DOCUMENTS:
            for _system, value in identifiers_of(resource):
                if tenant.store.find_identifier(exchange.kind, value):
                    raise Rejected(409, "duplicate", "A document with this identifier exists.")
        return None

    def _create(self, exchange: Exchange, resource: Resource) -> Response:
        tenant, behaviour = self.tenant, self.tenant.behaviour
        at = iso(tenant.server_time() + behaviour.processing_s)
        if behaviour.accept_later == "lost" and exchange.kind in DOCUMENTS:
            self._log(exchange, "accepted", status=202)
            return Response(202)
        if not behaviour.keeps_identifiers and exchange.kind in DOCUMENTS:
            resource = {k: v for k, v in resource.items() if k not in ("identifier", "masterIdentifier")}
        hidden = behaviour.readback == "absent" and exchange.kind in DOCUMENTS
        made = tenant.store.create(exchange.kind, resource, at, hidden=hidden)
        reference = f"{exchange.kind}/{made['id']}"
        exchange.entry.created = reference
        status = 202 if behaviour.accept_later == "filed" and exchange.kind in DOCUMENTS else 201
        self._log(exchange, "accepted", status=status, resource=reference)
        if exchange.kind in DOCUMENTS and not hidden and behaviour.base != "sandbox":
            self._file(exchange, made)
        if status == 202:
            return Response(202)
        location = f"{tenant.fhir_base}/{reference}/_history/1"
        return json_response(
            201,
            made,
            FHIR_JSON,
            ETag=_etag(made),
            Location=location,
            Last_Modified=formatdate(tenant.server_time(), usegmt=True),
        )

    def _update(self, exchange: Exchange, resource_id: str) -> Response:
        tenant = self.tenant
        self._received(exchange)
        self._authorize(exchange, "u")
        current = tenant.store.get(exchange.kind, resource_id)
        if current is None:
            raise Rejected(404, "not-found", "There is nothing under this id.")
        match = exchange.request.headers.get("if-match")
        if match is not None and match != _etag(current):
            raise Rejected(412, "conflict", "The resource has changed in between.")
        if exchange.kind not in WRITABLE:
            raise Rejected(405, "not-supported", "Updating this is not offered.")
        resource = parse(exchange.request.body, exchange.kind)
        if resource.get("id") != resource_id:
            raise Rejected(400, "invalid", "The id in the body is not the id in the address.", f"{exchange.kind}.id")
        check_resource(tenant, exchange.kind, resource)
        made = tenant.store.update(exchange.kind, resource_id, resource, iso(tenant.server_time()))
        self._log(exchange, "accepted", status=200, resource=f"{exchange.kind}/{resource_id}")
        return json_response(200, made, FHIR_JSON, ETag=_etag(made))

    # -- chart and audit trail --------------------------------------------------------------

    def _file(self, exchange: Exchange, made: Resource) -> None:
        tenant = self.tenant
        text = narrative_of(made)
        fields = tenant.template.file(text, tenant.behaviour, tenant.unmapped)
        patient = (references_of(made, ("subject",)) or [""])[0]
        encounter = (references_of(made, ("encounter",)) or [""])[0]
        author = (references_of(made, ("author",)) or [""])[0]
        coding = (made.get("type", {}).get("coding") or [{}])[0]
        filing = file_in_chart(
            tenant,
            Filing(
                resource=exchange.kind,
                resource_id=made["id"],
                transaction_id=exchange.transaction_id,
                at=made["meta"]["lastUpdated"],
                document_type=coding.get("code", ""),
                patient_id=patient,
                encounter_id=encounter,
                author_id=author,
                fields=fields,
            ),
        )
        write_filed_row(tenant, filing, exchange.request_id)

    def _received(self, exchange: Exchange) -> None:
        self._log(exchange, "received")

    def _log(self, exchange: Exchange, event: str, **values: Any) -> None:
        """Write an audit row; only documents are audited, and a sandbox's trail is not the hospital's."""
        if exchange.request.method not in ("POST", "PUT") or self.tenant.behaviour.base == "sandbox":
            return
        if exchange.kind and exchange.kind not in DOCUMENTS:
            return
        resource = exchange.resource or {}
        values.setdefault("resource", exchange.kind)
        if event == "accepted":
            values["after_s"] = self.tenant.behaviour.processing_s
        self.tenant.audit.write(
            event,
            transaction_id=exchange.transaction_id,
            request_id=exchange.request_id,
            client_id=self.tenant.client_id,
            patient_id=(references_of(resource, ("subject",)) or [""])[0],
            encounter_id=(references_of(resource, ("encounter",)) or [""])[0],
            author_id=(references_of(resource, ("author",)) or [""])[0],
            **values,
        )


def _remember_ids(exchange: Exchange) -> None:
    """Read what identifies the body, for ledger and audit trail; a broken body has nothing to tell."""
    try:
        resource = json.loads(exchange.request.body) if exchange.request.body else None
    except (ValueError, RecursionError):
        return
    if isinstance(resource, dict):
        exchange.resource = resource
        exchange.entry.ids = [value for _, value in identifiers_of(resource)]


def _etag(resource: Resource) -> str:
    return f'W/"{resource["meta"].get("versionId", "1")}"'
