"""Judge an incoming resource as a strict R4 server does: structure, required elements, attachment, references."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from diagnostics.practice.store import Resource, bare_id
from diagnostics.practice.tenant import Tenant

_ELEMENTS = {
    "DocumentReference": {
        "masterIdentifier": dict, "identifier": list, "status": str, "docStatus": str, "type": dict, "category": list,
        "subject": dict, "date": str, "author": list, "authenticator": dict, "custodian": dict, "relatesTo": list,
        "description": str, "securityLabel": list, "content": list, "context": dict,
    },
    "Composition": {
        "identifier": dict, "status": str, "type": dict, "category": list, "subject": dict, "encounter": dict,
        "date": str, "author": list, "title": str, "confidentiality": str, "attester": list, "custodian": dict,
        "relatesTo": list, "event": list, "section": list,
    },
}  # fmt: skip
_COMMON = {
    "resourceType": str, "id": str, "meta": dict, "implicitRules": str, "language": str, "text": dict,
    "contained": list, "extension": list, "modifierExtension": list,
}  # fmt: skip
_REQUIRED = {
    "DocumentReference": ("status", "type", "category", "subject", "content"),
    "Composition": ("status", "type", "subject", "date", "author", "title"),
}
_STATUS = {
    "DocumentReference": ("current", "superseded", "entered-in-error"),
    "Composition": ("preliminary", "final", "amended", "entered-in-error"),
}


class Rejected(Exception):
    """Carry an HTTP status and an OperationOutcome issue; `www` becomes WWW-Authenticate."""

    def __init__(self, status: int, code: str, text: str, expression: str = "", www: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.text, self.expression, self.www = status, code, text, expression, www


def operation_outcome(tenant: Tenant, code: str, text: str, expression: str = "", severity: str = "error") -> Resource:
    """Write an OperationOutcome; only the code is ours to rely on, the text is free."""
    issue: dict[str, Any] = {"severity": severity, "code": code, "diagnostics": tenant.texts.say(text)}
    if expression:
        issue["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def parse(body: bytes, kind: str) -> Resource:
    """Read the body as a JSON resource of the URL's type."""
    try:
        resource = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected(400, "structure", "The body is no JSON.") from error
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise Rejected(400, "structure", "The body is not a resource of this type.", kind)
    return resource


def check_resource(tenant: Tenant, kind: str, resource: Resource) -> None:
    """Refuse what a strict server refuses, structure before content; raises Rejected."""
    elements = _ELEMENTS.get(kind)
    if elements is None:
        _check_references(tenant, kind, resource)
        return
    for name, value in resource.items():
        expected = elements.get(name) or _COMMON.get(name)
        if expected is None and not name.startswith("_"):
            raise Rejected(400, "structure", "An element is not known.", f"{kind}.{name}")
        if expected is not None and not isinstance(value, expected):
            raise Rejected(400, "structure", "An element has the wrong shape.", f"{kind}.{name}")
    for name in _REQUIRED[kind]:
        if not resource.get(name):
            raise Rejected(422, "required", "A required element is missing.", f"{kind}.{name}")
    if resource["status"] not in _STATUS[kind]:
        raise Rejected(422, "code-invalid", "The status is not in its value set.", f"{kind}.status")
    if kind == "DocumentReference":
        for number, content in enumerate(resource["content"]):
            _check_attachment(content, f"DocumentReference.content[{number}].attachment")
    _check_references(tenant, kind, resource)


def _check_attachment(content: Any, where: str) -> None:
    attachment = content.get("attachment") if isinstance(content, dict) else None
    if not isinstance(attachment, dict):
        raise Rejected(422, "required", "The attachment is missing.", where)
    if not attachment.get("contentType"):
        raise Rejected(422, "required", "The attachment has no content type.", f"{where}.contentType")
    if not attachment.get("data") and not attachment.get("url"):
        raise Rejected(422, "required", "The attachment has neither data nor url.", where)
    if "data" not in attachment:
        return
    try:
        data = base64.b64decode("".join(str(attachment["data"]).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Rejected(422, "value", "The attachment's data is no base64.", f"{where}.data") from error
    if not data:
        raise Rejected(422, "value", "The attachment is empty.", f"{where}.data")
    if "size" in attachment and attachment["size"] != len(data):
        raise Rejected(422, "value", "The attachment's size does not fit.", f"{where}.size")
    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if "hash" in attachment and attachment["hash"] != digest:
        raise Rejected(422, "value", "The attachment's hash does not fit.", f"{where}.hash")


def _check_references(tenant: Tenant, kind: str, resource: Resource) -> None:
    context = resource.get("context")
    places: list[tuple[str, Any]] = [
        (f"{kind}.{name}", resource.get(name)) for name in ("subject", "encounter", "author")
    ]
    if isinstance(context, dict):
        places.append((f"{kind}.context.encounter", context.get("encounter")))
    for where, value in places:
        for one in value if isinstance(value, list) else [value]:
            reference = one.get("reference") if isinstance(one, dict) else None
            if reference is None or str(reference).startswith("#"):
                continue
            target = str(reference).removeprefix(f"{tenant.fhir_base}/").split("/")
            if len(target) != 2 or tenant.store.get(target[0], bare_id(target[1])) is None:
                raise Rejected(422, "not-found", "A reference points to nothing here.", where)
