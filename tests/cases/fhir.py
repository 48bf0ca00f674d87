"""Step 2, FHIR: base, version, request form, payload and answer, as logs and payload show them."""

import base64
from typing import Any

from tests.cases.building import Story, Trial, document, outcome

HTML404 = (
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body><center><h1>404 Not Found</h1></center></body></html>"
)
PROVEN = ("proven",)


def wrote(status: int | None, error: Any, *, payload: Any = None, headers: Any = None, **story: Any) -> Story:
    """A write with a good token that was refused."""
    built = Story(**story).made().token().sent().refused(status, error, response_headers=headers)
    return built.payload(payload) if payload is not None else built


def without(path: str) -> dict[str, Any]:
    """The good document without one element."""
    return document(**{path: None})


def attachment(**changes: Any) -> dict[str, Any]:
    whole = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(b"HPI: cough").decode()} | changes
    return document(content=[{"attachment": {k: v for k, v in whole.items() if v is not None}}])


def bases() -> list[Trial]:
    sandbox = "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4"
    epic = Story(vendor="epic", base=sandbox).made().token().sent().accepted()
    epic.ehr = [{"at": "2026-11-22T16:58:00+00:00", "event": "filed", "transaction_id": "T-88", "encounter_id": "E-88"}]
    athena = Story(vendor="athenahealth", base="https://api.preview.platform.athenahealth.com/fhir/r4")
    athena.made().token().sent().refused(404, outcome("not-found", "Patient/P-100 is not known"))
    meditech = Story(vendor="meditech", base="https://greenfield-prod-apis.meditech.com/v2/uscore/STU6").made().token()
    meditech.sent().refused(404, outcome("not-found", "Patient/P-100 is not known"))
    dstu2 = Story(vendor="epic", base="https://ehr.example/interconnect/api/FHIR/DSTU2").made().token().sent()
    dstu2.refused(400, outcome("structure", "Unknown element: content.attachment")).payload()
    tenant = wrote(403, '{"error":"Tenant not valid or accessible"}', vendor="oracle-health")
    gateway = wrote(404, "Service not registered with API gateway.", vendor="athenahealth")
    html = wrote(404, HTML404, headers={"content-type": "text/html", "server": "Microsoft-IIS/10.0"})
    wrong = ("fhir.base.not_fhir", "fhir.request.method_path", "net.gateway.unrouted")
    return [
        epic.expect(
            "vendor_sandbox_in_production", "fhir.base.environment", None, "2.2 base.environment, 3.1; triage row 16"
        ),
        athena.expect("athena_preview_in_production", "fhir.base.environment", "rejected", "2.2, 3.1 sandbox base"),
        meditech.expect(
            "meditech_greenfield_named_prod", "fhir.base.environment", "rejected", "3.1: sandbox although prod"
        ),
        dstu2.expect("r4_payload_to_dstu2_base", "fhir.version.mismatch", "rejected", "2.2 version.mismatch"),
        tenant.expect(
            "millennium_tenant_invalid",
            ("fhir.base.not_fhir", "fhir.request.method_path", "auth.practice.scope", "fhir.base.environment"),
            "rejected",
            "trap 13: reads like permissions, is endpoint misconfiguration",
            never=("perm.scope.write_missing", "perm.rbac.matrix"),
            sure=False,
        ),
        gateway.expect(
            "athena_gateway_unregistered", wrong, "rejected", "trap 13; 2.5 net.gateway.unrouted", sure=False
        ),
        html.expect("html_404_on_create", wrong, "rejected", "2.2 base.not_fhir", sure=False),
    ]


def requests() -> list[Trial]:
    why = "2.2"
    typed = Story().made().token().sent(content_type="application/json")
    typed.refused(415, outcome("not-supported", "Unsupported Media Type"))
    xml = Story().made().token().sent(content_type="application/fhir+xml")
    xml.refused(415, "").payload()
    body = "<?xml version='1.0'?><DocumentReference xmlns='http://hl7.org/fhir'><status value='x'/></DocumentReference>"
    mixed = Story().made().token().sent().refused(400, outcome("structure", "Unexpected character '<'"))
    mixed.payload(body, "note.json")
    size = wrote(
        413, "<html><head><title>413 Request Entity Too Large</title></head></html>", headers={"server": "nginx/1.18.0"}
    )
    large = wrote(413, outcome("too-long", "Body exceeds 5242880 bytes"))
    method = (
        Story()
        .made()
        .token()
        .sent(method="PUT")
        .refused(405, "", method="PUT", response_headers={"allow": "GET, HEAD, POST"})
    )
    lower = Story().made().token().sent(url="https://fhir.northcampus.example/r4/documentreference")
    lower.refused(404, outcome("not-supported", "Unknown resource type 'documentreference'"))
    lower.scribe[-1]["url"] = lower.scribe[-2]["url"]
    never = wrote(
        405, outcome("not-supported", "create is not supported for DocumentReference"), headers={"allow": "GET"}
    )
    accept = wrote(406, "")
    return [
        typed.expect("json_instead_of_fhir_json", "fhir.request.content_type", "rejected", why, certainty=PROVEN),
        xml.expect("xml_header_on_json_body", "fhir.request.content_type", "rejected", why),
        mixed.expect(
            "xml_body_under_json_header", ("fhir.request.content_type", "fhir.payload.structure"), "rejected", why
        ),
        size.expect("body_over_proxy_limit", "fhir.request.size", "rejected", why + ": 413"),
        large.expect("body_over_server_limit", "fhir.request.size", "rejected", why),
        method.expect("put_where_post_is_meant", "fhir.request.method_path", "rejected", why),
        lower.expect("resource_type_in_lower_case", "fhir.request.method_path", "rejected", why),
        never.expect(
            "create_not_supported_405",
            ("fhir.capability.create_missing", "fhir.request.method_path"),
            "rejected",
            why + "; anchors 6 no. 8",
        ),
        accept.expect("accept_not_possible", "fhir.request.accept", "rejected", "2.2 fhir.request.accept: 406"),
    ]


def payloads() -> list[Trial]:
    why = "2.2 payload rows"
    required = outcome("required", "DocumentReference.category: minimum required = 1, but only found 0")
    xml_outcome = (
        '<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="required"/>'
        '<diagnostics value="Missing element"/><expression value="DocumentReference.type"/></issue></OperationOutcome>'
    )
    not_found = outcome(
        "not-found", "Reference Patient/P-404 cannot be resolved", expression="DocumentReference.subject"
    )
    elsewhere = document(subject={"reference": "https://sandbox.other.example/fhir/Patient/P-100"})
    encounter = document(context={"encounter": [{"reference": "Encounter/E-999"}]})
    two = [{"attachment": {"contentType": "text/plain", "data": "!!! not base64 !!!"}}]
    cerner = outcome(
        "extension", "modifierExtension is not supported", expression="DocumentReference.modifierExtension"
    )
    return [
        wrote(
            400, outcome("structure", "Failed to parse request body"), payload='{"resourceType":"DocumentReference",'
        ).expect("json_cut_in_the_middle", "fhir.payload.structure", "rejected", why),
        wrote(
            422, outcome("structure", "Unrecognized property"), payload=document(state="current", status=None)
        ).expect("unknown_element", ("fhir.payload.structure", "fhir.payload.required"), "rejected", why),
        wrote(400, outcome("invalid", "context must be an object"), payload=document(context=["E-100"])).expect(
            "element_of_wrong_shape", "fhir.payload.structure", "rejected", why
        ),
        wrote(400, outcome("structure", "HAPI-0450: Failed to parse request body as JSON resource.")).expect(
            "structure_told_without_payload", "fhir.payload.structure", "rejected", why
        ),
        wrote(422, required, payload=without("category")).expect(
            "category_missing", "fhir.payload.required", "rejected", why, certainty=PROVEN
        ),
        wrote(422, xml_outcome, payload=without("type")).expect(
            "type_missing_xml_answer", "fhir.payload.required", "rejected", why
        ),
        wrote(400, outcome("required"), payload=without("status")).expect(
            "status_missing", "fhir.payload.required", "rejected", why
        ),
        wrote(422, outcome("invariant", "us-core-6"), payload=attachment(data=None)).expect(
            "attachment_without_data_or_url", "fhir.payload.required", "rejected", why + ", us-core-6"
        ),
        wrote(
            422, outcome("required", "context.period.end"), vendor="oracle-health", payload=document(context=None)
        ).expect("millennium_wants_period_end", "fhir.payload.required", "rejected", "3.2 Millennium"),
        wrote(
            400,
            outcome("required", "Missing required element", coding="59108"),
            vendor="epic",
            payload=document(context=None),
        ).expect("epic_wants_encounter", "fhir.payload.required", "rejected", "3.2 and 3.3 Epic 59108"),
        wrote(422, outcome("value", "Attachment data"), payload=document(content=two)).expect(
            "attachment_not_base64", "fhir.payload.attachment", "rejected", why
        ),
        wrote(422, outcome("invalid"), payload=attachment(size=99999)).expect(
            "attachment_size_differs", "fhir.payload.attachment", "rejected", why
        ),
        wrote(422, outcome("invalid"), payload=attachment(hash="AAAAAAAAAAAAAAAAAAAAAAAAAAA=")).expect(
            "attachment_hash_differs", "fhir.payload.attachment", "rejected", why
        ),
        wrote(
            422, outcome("value", "contentType"), vendor="oracle-health", payload=attachment(contentType="text/plain")
        ).expect("millennium_wants_charset", "fhir.payload.attachment", "rejected", "3.2 Millennium: charset"),
        wrote(422, not_found, payload=document(subject={"reference": "Patient/P-404"})).expect(
            "subject_not_resolvable", ("fhir.payload.references", "map.patient.mismatch"), "rejected", why
        ),
        wrote(422, outcome("not-found", "unknown host"), payload=elsewhere).expect(
            "subject_on_another_base", "fhir.payload.references", "rejected", why
        ),
        wrote(404, outcome("not-found", "Encounter/E-999 not found"), payload=encounter).expect(
            "encounter_not_resolvable", ("fhir.payload.references", "map.encounter.mismatch"), "rejected", why
        ),
        wrote(
            422,
            cerner,
            vendor="oracle-health",
            payload=document(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]),
        ).expect(
            "millennium_refuses_modifier_extension",
            ("fhir.payload.extension", "fhir.payload.structure"),
            "rejected",
            "2.2, 3.3",
        ),
        wrote(400, outcome("not-found", "Invalid patient", coding="4102"), vendor="epic").expect(
            "epic_invalid_reference_4102",
            ("fhir.payload.references", "map.patient.mismatch"),
            "rejected",
            "3.3 Epic 4102",
        ),
        wrote(400, outcome("processing", "Unable to map", coding="40000"), vendor="epic").expect(
            "epic_table_mapping_40000", "map.code.local_missing", "rejected", "3.3 Epic 40000"
        ),
    ]


def answers() -> list[Trial]:
    why = "2.2"
    matched = Story().made().token().sent().accepted(status=200, response_headers={})
    matched.e("17:00:05", "received", status=200)
    matched.payload(document(identifier=[{"system": "urn:s", "value": "T-100"}]))
    multiple = wrote(412, outcome("multiple-matches", "Conditional create matched 2 resources"))
    epic = wrote(422, outcome("duplicate", "Duplicate entry", coding="59141"), vendor="epic")
    held = Story().s("15:00:00", "generated").token("15:00:03").sent("15:00:05")
    held.s("15:00:06", "acked", status=202).e("15:00:05", "received", status=202)
    fresh = Story().s("17:44:00", "generated").token("17:44:03").sent("17:44:05")
    fresh.s("17:44:06", "acked", status=202).e("17:44:05", "received", status=202)
    absent = Story().delivered()
    kept = Story().made().token().sent().accepted().e("17:00:05", "received").e("17:00:06", "accepted", status=201)
    kept.file("filed", {"found": False, "at": "2026-11-22T17:40:00+00:00"})
    absent.file("filed", {"found": False, "at": "2026-11-22T17:40:00+00:00"})
    server = wrote(500, outcome("exception", "NullPointerException at NoteFiler"), payload=document())
    inner = Story().made().token().sent().accepted().e("17:00:05", "received")
    inner.e("17:00:06", "rejected", error="Internal filing error: job NOTEFILE aborted", status=500)
    told = Story().made().token().sent().refused(500, outcome("exception")).e("17:00:05", "received")
    told.e("17:00:05", "rejected", status=500, error="Unhandled exception")
    late = ("delivered", "duplicate", "rejected", "unknown")
    return [
        matched.expect("conditional_create_matched", "fhir.outcome.duplicate", late, why + "; trap 3", sure=False),
        multiple.expect("conditional_create_many_matches", "fhir.outcome.duplicate", "rejected", why),
        epic.expect("epic_duplicate_59141", "fhir.outcome.duplicate", "rejected", why + ", 3.3"),
        held.expect("held_for_review_for_hours", "fhir.outcome.accepted_202", "delayed", why + "; row 15"),
        fresh.expect("held_for_a_minute", None, "delayed", "cases.md exit 3: pending inside the usual delay"),
        absent.expect("accepted_but_not_in_the_chart", "fhir.readback.absent", None, why + " readback.absent"),
        kept.expect("created_but_not_in_the_chart", "fhir.readback.absent", None, why + " readback.absent"),
        server.expect("server_exception", "ehr.server.error", "rejected", "2.7; row 8"),
        inner.expect(
            "created_but_failed_inside", "ehr.server.error", None, "2.7: answered 2xx, own audit says it failed"
        ),
        told.expect("server_error_in_both_logs", "ehr.server.error", "rejected", "2.7; row 8"),
    ]


def trials() -> list[Trial]:
    return [*bases(), *requests(), *payloads(), *answers()]
