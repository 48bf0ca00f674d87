"""Answers as EHRs give them: bodies of refusals, words of broken connections, times an answer takes."""

from __future__ import annotations

import json
import random


def _outcome(code: str, diagnostics: str) -> str:
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}, ensure_ascii=False)


FHIR_REFUSALS: tuple[tuple[int, str], ...] = (
    (422, _outcome("business-rule", "The encounter is closed to new documents.")),
    (422, _outcome("required", "DocumentReference.type: minimum required = 1, but only found 0")),
    (422, _outcome("processing", "Note type 11506-3 is not mapped for this department.")),
    (400, _outcome("structure", "Unable to parse the request body: unexpected token at line 1, column 512.")),
    (400, _outcome("invalid", "Invalid reference format: context.encounter")),
    (401, '{"error":"invalid_token","error_description":"The access token expired"}'),
    (403, _outcome("forbidden", "Not authorized")),
    (403, _outcome("security", "insufficient_scope: system/DocumentReference.write is required")),
    (404, _outcome("not-found", "Patient not found in this tenant.")),
    (413, "<html><head><title>413 Request Entity Too Large</title></head><body>nginx</body></html>"),
    (500, _outcome("exception", "Internal error; correlation 5d1f00c2")),
)
HL7_REFUSALS: tuple[tuple[str, str], ...] = (
    ("AE", "ERR||OBX^1^5|102^Data type error^HL70357|E|||Value longer than the field allows"),
    ("AE", "ERR||PV1^1^19|204^Unknown key identifier^HL70357|E|||Visit number not known"),
    ("AR", "ERR||MSH^1^9|200^Unsupported message type^HL70357|E|||MDM^T02 is not accepted here"),
    ("AE", "ERR||TXA^1^2|101^Required field missing^HL70357|E|||TXA-2 is required"),
)
COMMIT_REFUSALS: tuple[tuple[str, str], ...] = (
    ("CE", "ERR|||207^Application internal error^HL70357|E|||Queue full"),
    ("CR", "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E|||P expected"),
)
CONNECTION_ERRORS = (
    "connect ECONNREFUSED 10.4.7.21:443",
    "getaddrinfo ENOTFOUND fhir.north.example",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
    "connect ETIMEDOUT 10.4.7.21:443",
)
TOKEN_ERRORS: tuple[tuple[int, str], ...] = (
    (400, '{"error":"invalid_client","error_description":"Client authentication failed"}'),
    (401, '{"error":"invalid_client"}'),
    (400, '{"error":"invalid_scope","error_description":"Scope not granted"}'),
)
LOST_ANSWERS = (
    "Read timed out. (read timeout=30)",
    "timeout of 30000ms exceeded after the request was sent",
    "curl: (28) Operation timed out after 30001 milliseconds with 0 bytes received",
)


def answer_time(rng: random.Random) -> float:
    """Draw the seconds until an answer: mostly a few hundred milliseconds, with a long tail."""
    return min(25.0, rng.lognormvariate(-1.3, 0.6))


def travel_time(rng: random.Random) -> float:
    """Draw the seconds a request is on its way before the EHR writes its row."""
    return 0.008 + rng.expovariate(1 / 0.02)


def thinking_time(rng: random.Random) -> float:
    """Draw the seconds from a note's text to its package."""
    return rng.lognormvariate(0.7, 0.5)
