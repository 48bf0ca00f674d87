"""Parts that stories share: a client assertion, acknowledgements, grants, an encounter, a template and its mapping."""

import base64
import copy
import json
from typing import Any

from tests.cases.building import MSH, NARRATIVE, TOKEN_URL, Story, ack, document, outcome

INVALID = "invalid_client"
SECTIONS = {
    "CC": "Sore throat for three days.",
    "HPI": "The patient reports a sore throat since Thursday, worse when swallowing. No cough was noted at home.",
    "PE": "The pharynx is red without exudate and the neck is supple.",
    "ASMT": "Viral pharyngitis without complication.",
    "PLAN": "Rest and fluids, return if the fever persists beyond the weekend.",
}
TEMPLATE = {
    "template_id": "PROG-14",
    "version": 7,
    "changed_at": "2026-05-02T08:00:00+00:00",
    "catch_all": "COMMENTS",
    "fields": [
        {"id": "CC_TXT", "label": "Chief complaint", "kind": "text"},
        {"id": "HPI_TXT", "label": "HPI", "required": True, "max_length": 4000, "kind": "text"},
        {"id": "ROS_TXT", "label": "Review of systems", "kind": "text"},
        {"id": "PE_TXT", "label": "Exam", "kind": "text"},
        {"id": "ASMT_TXT", "label": "Assessment", "kind": "text"},
        {"id": "PLAN_TXT", "label": "Plan", "kind": "text"},
        {"id": "COMMENTS", "label": "Comments", "kind": "text"},
        {"id": "DX", "label": "Diagnoses", "kind": "discrete", "system": "http://hl7.org/fhir/sid/icd-10-cm"},
    ],
}
MAPPING = {
    "template_id": "PROG-14",
    "template_version": 7,
    "output": ["narrative", "discrete"],
    "rules": [
        {"section": "chief_complaint", "field": "CC_TXT"},
        {"section": "hpi", "field": "HPI_TXT", "mode": "append"},
        {"section": "ros", "field": "ROS_TXT"},
        {"section": "physical_exam", "field": "PE_TXT"},
        {"section": "assessment", "field": "ASMT_TXT"},
        {"section": "plan", "field": "PLAN_TXT"},
    ],
}
FIELDS = {f"{key}_TXT": text for key, text in SECTIONS.items()}
GRANTS = ["document:read", "document:write", "encounter:read", "encounter:write", "problem:write", "order:write"]


def jwt(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A client assertion whose signature is left empty, good at 17:00:03 unless changed; None removes a claim."""
    head = {"alg": "RS384", "typ": "JWT", "kid": "2026-05"} | (header or {})
    body = {
        "iss": "scribe-writer",
        "sub": "scribe-writer",
        "aud": TOKEN_URL,
        "jti": "5f0c2d",
        "iat": 1795366803,  # 2026-11-22T17:00:03Z
        "exp": 1795367043,
    } | claims
    parts = ({k: v for k, v in part.items() if v is not None} for part in (head, body))
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


def refused_with(assertion: str, error: Any = None, status: int = 400, **integration: Any) -> Story:
    """A token request refused as servers do: `invalid_client` and no word why."""
    story = Story(integration={"auth": {"assertion_file": "assertion.jwt"}} | integration)
    story.files["assertion.jwt"] = assertion
    return story.made().token_refused(status, error or {"error": INVALID})


def nacked(code: str, err: str = "", text: str = "", payload: Any = None, **story: Any) -> Story:
    """A message answered by a negative acknowledgement."""
    built = Story(protocol="hl7v2", **story).made().sent()
    control = built.note["transaction_id"]
    built.refused(None, ack(code, control, err=err, text=text), ack=code, ack_id=control)
    built.e("17:00:05", "received").e("17:00:06", "rejected", ack=code)
    return built.payload(payload) if payload is not None else built


def broken(payload: bytes, **story: Any) -> Story:
    """A message refused without a useful word."""
    return nacked("AR", text="Message rejected", payload=payload, **story)


def msh(**fields: str) -> str:
    """The header with fields replaced, by their HL7 number (`f9`)."""
    parts = MSH.split("|")
    for name, value in fields.items():
        number = int(name[1:])
        parts.extend([""] * (number - len(parts)))
        parts[number - 1] = value
    return "|".join(parts)


def roles(*missing: str, **changes: Any) -> dict[str, Any]:
    grants = [grant for grant in GRANTS if grant not in missing]
    return {"account": "svc-scribe", "kind": "service", "active": True, "grants": grants} | changes


def encounter(**changes: Any) -> dict[str, Any]:
    return {"id": "E-100", "status": "in-progress", "signed": False, "owner": "prov-7", "patient_id": "P-100"} | changes


def denied(status: int = 403, error: Any = None, headers: Any = None, scope: str | None = None, **story: Any) -> Story:
    """A write refused for a reason of authorization."""
    built = Story(**story).made()
    built.token(**({"scope": scope} if scope is not None else {}))
    return built.sent().refused(status, error or outcome("forbidden", "Not authorized"), response_headers=headers)


def template(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(TEMPLATE) | changes


def rules(drop: str = "", move: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """The good mapping, without one section or with sections sent elsewhere."""
    mapping = copy.deepcopy(MAPPING) | changes
    mapping["rules"] = [
        rule | {"field": (move or {}).get(rule["section"], rule["field"])}
        for rule in mapping["rules"]
        if rule["section"] != drop
    ]
    return mapping


def mapped(fields: dict[str, str] | None, text: str = NARRATIVE, **files: Any) -> Story:
    """A delivered note with template, mapping and the chart's fields."""
    story = Story().delivered().payload(document(text)).narrative(text)
    story.file("template", files.get("template", template())).file("mapping", files.get("mapping", rules()))
    chart = {"discrete": files["discrete"]} if "discrete" in files else {}
    return story.chart(**(chart | files.get("chart", {})), **({"fields": fields} if fields is not None else {}))
