"""Error texts of real products are explained, each by its form, its words or its status, and no surer than they are."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.explain import explain, explain_lines
from diagnostics.vocabulary import Category, Certainty


def outcome(code: str, text: str = "", *, expression: str = "", coding: tuple[str, str] | None = None) -> str:
    """Build an OperationOutcome of one error."""
    issue: dict[str, object] = {"severity": "error", "code": code, "diagnostics": text}
    if expression:
        issue["expression"] = [expression]
    if coding:
        issue["details"] = {"coding": [{"system": coding[0], "code": coding[1]}]}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]})


def ack(code: str, error: str = "", text: str = "") -> str:
    """Build an acknowledgement with one ERR segment."""
    segments = ["MSH|^~\\&|EHR|F|SCRIBE|F|20260102||ACK|9|P|2.5.1", f"MSA|{code}|T-1|{text}"]
    return "\r".join([*segments, f"ERR||PID^1^3|{error}|E"] if error else segments)


EPIC = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"
CATEGORIES = {
    "auth": Category.AUTHENTICATION,
    "fhir": Category.ENDPOINT_CONFIGURATION,
    "hl7": Category.ENDPOINT_CONFIGURATION,
    "map": Category.FIELD_MAPPING,
    "net": Category.NETWORK,
    "perm": Category.PERMISSIONS,
    "ehr": Category.EHR_DEFECT,
}

CAUSES = [
    # OAuth error answers
    ('{"error":"invalid_client"}', 401, "", "auth.client.invalid"),
    ('{"error":"invalid_client","error_description":"unknown kid"}', 401, "", "auth.assertion.kid"),
    ('{"error":"invalid_client","error_description":"aud claim differs"}', 401, "", "auth.assertion.aud"),
    ('{"error":"invalid_client","error_description":"The JWT assertion has expired"}', 400, "", "auth.assertion.exp"),
    ('{"error":"invalid_client","error_description":"bad signature"}', 401, "", "auth.assertion.signature"),
    ('{"error":"invalid_client","error_description":"iss and sub must equal client_id"}', 401, "",
     "auth.assertion.iss_sub"),
    ('{"error":"invalid_client","error_description":"unsupported algorithm"}', 401, "", "auth.assertion.alg_typ"),
    ('{"error":"invalid_client","error_description":"jti was seen before: replay"}', 401, "",
     "auth.assertion.jti_reuse"),
    ('{"error":"invalid_client"}', 401, "the secret was rotated yesterday", "auth.credential.rotated"),
    ('{"error":"invalid_client"}', 401, "Epic, the day after the upgrade", "auth.jwks.static_key_retired"),
    ('{"error":"invalid_grant"}', 400, "grant_type=refresh_token", "auth.refresh.invalid"),
    ('{"error":"invalid_grant","error_description":"scope not permitted"}', 400, "", "auth.scope.invalid"),
    ('{"error":"unauthorized_client"}', 400, "", "auth.grant.not_entitled"),
    ('{"error":"unauthorized_client"}', 400, "after the access review", "auth.client.deactivated"),
    ('{"error":"interaction_required"}', 400, "provider session", "auth.mfa.challenge"),
    ('{"error":"invalid_request","error_description":"parameter missing"}', 400, "", "auth.request.malformed"),
    ('{"error":"slow_down"}', 400, "", "net.rate.limited"),
    ("token refresh failed: invalid_client", None, "", "auth.client.invalid"),
    ("token endpoint returned 400 invalid_grant (refresh token)", None, "", "auth.refresh.invalid"),
    ('{"error":"invalid_request","error_description":"aud parameter differs"}', 400, "", "auth.audience.fhir_base"),
    # Challenges
    ('WWW-Authenticate: Bearer error="invalid_token", error_description="expired"', 401, "", "auth.token.expired"),
    ('WWW-Authenticate: Bearer error="invalid_token", error_description="revoked"', 401, "", "auth.token.inactive"),
    ('WWW-Authenticate: Bearer error="insufficient_scope"', 403, "", "perm.scope.write_missing"),
    ('WWW-Authenticate: Bearer realm="r"\nVia: 1.1 filter', 401, "", "net.proxy.auth_stripped"),
    # OperationOutcome
    (outcome("required", expression="DocumentReference.category"), 422, "", "fhir.payload.required"),
    (outcome("structure", expression="DocumentReference.content"), 400, "", "fhir.payload.structure"),
    (outcome("invalid", expression="DocumentReference.content[0].attachment.data"), 400, "", "fhir.payload.attachment"),
    (outcome("not-found", "Resource Encounter/9 not found"), 400, "", "fhir.payload.references"),
    (outcome("duplicate"), 409, "", "fhir.outcome.duplicate"),
    (outcome("throttled"), 503, "", "net.rate.limited"),
    (outcome("exception"), 500, "", "ehr.server.error"),
    (outcome("expired", "token"), 401, "", "auth.token.expired"),
    (outcome("not-supported"), 405, "", "fhir.request.method_path"),
    (outcome("not-supported", "create is not offered"), 422, "", "fhir.capability.create_missing"),
    (outcome("business-rule", "the note is signed"), 422, "", "perm.encounter.closed"),
    (outcome("forbidden", "scope"), 403, "", "perm.scope.write_missing"),
    (outcome("forbidden", "no"), 403, "since the upgrade", "perm.drift"),
    (outcome("processing", coding=(EPIC, "59141")), 400, "", "fhir.outcome.duplicate"),
    (outcome("processing", coding=(EPIC, "4135")), 400, "", "net.rate.limited"),
    (outcome("processing", coding=(EPIC, "59188")), 400, "", "map.code.local_missing"),
    (outcome("required", "stored data lacks a field"), 500, "Oracle Health", "ehr.server.error"),
    (outcome("invariant", "us-core-6", expression="DocumentReference.content[0].attachment"), 422, "",
     "fhir.payload.required"),
    ("Epic error 4131", None, "", "perm.department.restricted"),
    # A vendor's own JSON: the same number means different things on different surfaces
    ('{"status":"139","message":"x"}', 200, "eClinicalWorks writeback", "perm.encounter.closed"),
    ('{"status":"304","message":"x"}', 200, "eClinicalWorks writeback", "map.code.local_missing"),
    # Acknowledgements
    (ack("AE", "101^Required field missing^HL70357"), None, "", "hl7.field.required"),
    (ack("AE", "103^Table value not found^HL70357"), None, "", "hl7.field.table"),
    (ack("AR", "200^Unsupported message type^HL70357"), None, "", "hl7.msh.type"),
    (ack("AR", "202^Unsupported processing id^HL70357"), None, "", "hl7.msh.processing_id"),
    (ack("AR", "203^Unsupported version id^HL70357"), None, "", "hl7.msh.version"),
    (ack("AE", "100^Segment sequence error^HL70357"), None, "", "hl7.grammar.order"),
    (ack("AE", text="the encounter has been closed"), None, "", "perm.encounter.closed"),
    (ack("AE"), None, "", "hl7.ack.negative"),
    # Statuses that are their own cause
    ("", 407, "", "net.proxy.407"),
    ("", 415, "", "fhir.request.content_type"),
    ("", 429, "", "net.rate.limited"),
    ("", 504, "", "net.timeout.gateway"),
    ("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 406 Not Acceptable\r\n", None, "", "fhir.request.accept"),
    # Statuses that lie
    ('{"message":"Too many requests, retry later"}', 401, "", "net.rate.limited"),
    ("the token has expired", 422, "", "auth.token.expired"),
    ('{"success":"false","errormessage":"The encounter is closed."}', 200, "", "perm.encounter.closed"),
    # Of several layers the deepest speaks
    ("HAPI-1357: Failed to retrieve the server's metadata statement: java.net.UnknownHostException: fhir.example.org",
     None, "", "net.dns.nxdomain"),
    ("IDX20803: Unable to obtain configuration ---> The SSL connection could not be established ---> NotTimeValid",
     None, "", "net.tls.expired"),
    ("The remote name could not be resolved: 'fhir.example.org'", None, "", "net.dns.nxdomain"),
    # Who wrote it, and what is known beside it
    ("403 Forbidden", 403, "only from the satellite clinic, works on VPN", "net.egress.ip_not_allowed"),
    ("403 Forbidden", 403, "a WAF stands in front", "net.proxy.block_page"),
    ("401 Unauthorized", 401, "right after logout", "auth.session.ended"),
    ("404 Not Found", 404, "behind nginx since Monday", "net.revproxy.rewrite"),
    ('{"error":"invalid_client"}', 401, "Epic, enabled two hours ago", "auth.client.not_activated"),
    ('{"status":401,"headers":{"via":"1.1 p","www-authenticate":"Bearer realm=\\"r\\""}}', 401, "",
     "net.proxy.auth_stripped"),
    # Transports' own codes, bodies in bodies
    ('{"message":"{\\"error\\":\\"invalid_scope\\"}"}', 400, "", "auth.scope.invalid"),
    (json.dumps(json.dumps({"body": outcome("throttled")})), None, "", "net.rate.limited"),
    ('{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"x"}}', None, "", "net.rate.limited"),
    ("<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:MessageExpired</s:Value>", 500, "",
     "auth.assertion.clock_skew"),
    # Taken and yet not right
    ("201, but HPI overwrote ROS", 201, "", "map.section.overwritten"),
    ("accepted with 201 and filed to the wrong encounter", 201, "", "map.encounter.mismatch"),
    # Transcripts
    ("* TLSv1.3 (IN), TLS alert, bad certificate (554):", None, "", "net.tls.client_cert"),
    ("Verify return code: 10 (certificate has expired)", None, "", "net.tls.expired"),
    ("(Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused'))", None, "",
     "net.tcp.refused"),
    ("kex: read: connection reset by peer", None, "", "net.tcp.reset"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "status", "context", "cause"), CAUSES)
def test_the_cause_is_named(text: str, status: int | None, context: str, cause: str) -> None:
    found = explain(text, status=status, context=context)
    assert found.cause == cause
    if cause != "fhir.payload.references":
        assert found.category is CATEGORIES[cause.split(".")[0]]


@pytest.mark.parametrize(
    ("text", "status", "category"),
    [
        ("HTTP 401 Unauthorized", None, Category.AUTHENTICATION),
        ("403 Forbidden", None, Category.PERMISSIONS),
        (outcome("forbidden"), 403, Category.PERMISSIONS),
        (outcome("login"), 401, Category.AUTHENTICATION),
        (outcome("conflict"), 409, Category.ENDPOINT_CONFIGURATION),
        (outcome("not-found"), 404, Category.FIELD_MAPPING),
        ("The SSL connection could not be established, see inner exception.", None, Category.NETWORK),
        ("PKIX path validation failed: signature check failed", None, Category.NETWORK),
        ("Service Unavailable", 503, Category.NETWORK),
        ("write EPROTO error:1408F10B:SSL routines:ssl3_get_record:wrong version number", None, Category.NETWORK),
        ('{"error":"access_denied"}', 500, Category.AUTHENTICATION),
        ("<html><title>500 Internal Server Error</title><hr><center>nginx</center></html>", 500, Category.NETWORK),
        ("<soap:Fault><faultcode>wsse:FailedAuthentication</faultcode></soap:Fault>", 500, Category.AUTHENTICATION),
        ('{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}', 200, Category.PERMISSIONS),
        ("408 Request Timeout", None, Category.NETWORK),
    ],
)
def test_where_only_the_category_is_clear_no_cause_is_named(text: str, status: int | None, category: Category) -> None:
    found = explain(text, status=status)
    assert (found.category, found.cause) == (category, None)
    assert found.certainty is not Certainty.PROVEN


@pytest.mark.parametrize(
    ("error", "category"),
    [
        ("204^Unknown key identifier^HL70357", Category.FIELD_MAPPING),
        ("206^Application record locked^HL70357", Category.PERMISSIONS),
        ("207^Application internal error^HL70357", Category.EHR_DEFECT),
        ("205^Duplicate key identifier^HL70357", Category.ENDPOINT_CONFIGURATION),
    ],
)
def test_the_code_of_table_0357_decides_the_category_of_a_negative_acknowledgement(
    error: str, category: Category
) -> None:
    found = explain(ack("AE", error))
    assert (found.category, found.cause) == (category, "hl7.ack.negative")


def test_a_missing_reference_is_a_matter_of_mapping() -> None:
    assert explain(outcome("not-found", "Patient/9 not found"), status=400).category is Category.FIELD_MAPPING


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Everything failed",
        "The patient reports a headache. Blood pressure 128/82. Follow-up in 2 weeks.",
        "S: pt c/o cough, denies fever. O: BP 128/76. A: URI. P: rest. Her certificate has expired, session timed out.",
        "HPI: connection refused by her insurer. Assessment: well. Plan: access denied to gym, follow-up in 3 months.",
        "HTTP/1.1 201 Created",
        ack("AA"),
        "MSH|^~\\&|SCRIBE|F|EHR|F|20260102||MDM^T02|1|P|2.5.1\rOBX|1|TX|X||connection refused at reception||||||F\r",
        '{"resourceType":"DocumentReference","description":"certificate has expired"}',
        json.dumps(
            {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
        ),
    ],
)
def test_what_is_no_error_gets_no_category(text: str) -> None:
    found = explain(text)
    assert (found.category, found.cause, found.certainty) == (None, None, None)
    assert found.says


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("error:sslv3 alert bad certificate:SSL alert number 42", "net.tls.client_cert"),
        ("SSL_do_handshake() failed (alert unknown ca:SSL alert number 48) while SSL handshaking, client: 10.0.0.5",
         "net.tls.untrusted_root"),
    ],
)  # fmt: skip
def test_the_direction_of_an_alert_decides_whose_certificate_it_is(inside: str, outside: str) -> None:
    assert explain(inside).cause == outside


def test_the_words_around_an_answer_count() -> None:
    login = "<html><title>Sign in</title><form><input type='password'></form></html>"
    assert explain(login, context="provider session").certainty is Certainty.PROVEN
    assert explain(login).certainty is Certainty.LIKELY
    assert explain("401", status=401, context="provider session; MFA is on").cause == "auth.mfa.challenge"


def test_circumstances_never_outweigh_the_text_and_are_not_read_backwards() -> None:
    assert explain("jwt expired", status=401, context="right after logout").cause == "auth.token.expired"
    assert explain("403 Forbidden", status=403, context="no WAF and not behind a firewall").cause is None
    assert explain(outcome("forbidden"), status=403, context="only from the satellite clinic").cause is None


def test_what_says_nothing_is_told_what_to_paste() -> None:
    assert "Paste" in explain("").says
    assert "status" in explain("Something went wrong").says
    assert "note" in explain("HPI: cough. Plan: rest. The patient denies fever, BP 120/80.").says
    assert "accepted" in explain("created", status=201).says


def test_odd_arguments_are_taken_as_unknown() -> None:
    assert explain(None).category is None
    assert explain("x", status="401").category is Category.AUTHENTICATION  # type: ignore[arg-type]
    assert explain("x", status=True).category is None
    assert explain("x", status=99999).category is None
    assert explain("x", context={"vendor": ["epic", 1]}).category is None


def test_lines_are_answered_in_order_and_a_bad_line_answers_with_nulls() -> None:
    lines = [
        json.dumps({"text": '{"error":"invalid_scope"}', "status": 400, "protocol": "oauth", "context": None}),
        "{broken",
        "",
        "[1]",
        json.dumps({"text": 5}),
        json.dumps({"text": "connect ECONNREFUSED 10.0.0.1:443", "status": None}),
    ]
    answers = [json.loads(answer) for answer in explain_lines(lines)]
    assert [answer["cause"] for answer in answers] == ["auth.scope.invalid", None, None, None, "net.tcp.refused"]
    assert all(set(answer) == {"category", "cause", "certainty", "says"} for answer in answers)
    assert "Line 2" in answers[1]["says"]
    assert "Line 4" in answers[2]["says"]


def test_the_explanation_never_repeats_what_was_pasted() -> None:
    secret = "Zebedee-Quux-4711"
    for text in (
        f'{{"error":"invalid_client","error_description":"secret {secret} is wrong"}}',
        f"ERR||{secret}^1^3|101^{secret}|E\rMSA|AE|{secret}|{secret}",
        outcome("required", secret),
        f"<html><title>403 {secret}</title></html>",
        f'{{"error":"{secret.lower().replace("-", "_")}_x"}}',
    ):
        assert secret.lower().replace("-", "_") not in explain(text, status=400).says.lower().replace("-", "_")


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=300),
    st.sampled_from([None, 200, 302, 400, 401, 403, 404, 409, 422, 500, 503]),
    st.sampled_from([None, "fhir", "hl7v2", "oauth", "tls", "net", "?"]),
    st.sampled_from(["", '{"error":"', "MSA|AE|", '{"resourceType":"OperationOutcome","issue":[{"code":"', "<html>"]),
)
def test_no_text_makes_it_raise(text: str, status: int | None, protocol: str | None, start: str) -> None:
    found = explain(start + text, status=status, protocol=protocol, context=text)
    assert found.says
    assert found.category is not None or (found.cause is None and found.certainty is None)


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner)))
def test_an_operation_outcome_of_any_shape_is_survived(shape: object) -> None:
    for key in ("severity", "code", "details", "diagnostics", "expression"):
        issue = {"severity": "error", "code": "invalid", key: shape}
        assert explain(json.dumps({"resourceType": "OperationOutcome", "issue": [issue, shape]}), status=400).says
