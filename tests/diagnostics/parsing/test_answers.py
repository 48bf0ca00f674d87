"""Recorded answers are read by their form, whatever text surrounds them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.parsing.answers import AnswerKind, Emitter, read_answer

OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [
        {"severity": "warning", "code": "informational", "diagnostics": "kept"},
        {
            "severity": "error",
            "code": "required",
            "details": {"coding": [{"system": "urn:vendor", "code": "59108"}], "text": "category is needed"},
            "expression": ["DocumentReference.category"],
        },
    ],
}
OUTCOME_XML = (
    '<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="required"/>'
    '<details><coding><system value="urn:vendor"/><code value="59108"/></coding><text value="category is needed"/>'
    '</details><expression value="DocumentReference.category"/></issue></OperationOutcome>'
)
ACK = (
    "MSH|^~\\&|EHR|F|SCRIBE|F|20260102||ACK^T02|9|P|2.5.1\rMSA|AE|T-77|refused\r"
    "ERR||PID^1^3|204^Unknown key identifier^HL70357|E|PT-9^x|||No such patient\r"
)
NGINX = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center>"
    "<hr><center>nginx</center></body></html>"
)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OUTCOME),
        f"422 Unprocessable Entity: {json.dumps(OUTCOME)}",
        "body=" + json.dumps(json.dumps(OUTCOME)),
        json.dumps({"level": "error", "message": "write failed", "status": 422, "body": json.dumps(OUTCOME)}),
        json.dumps({"url": "/DocumentReference", "response": OUTCOME}),
        repr(OUTCOME),
        OUTCOME_XML,
        f"POST failed, answer was {OUTCOME_XML} (attempt 2)",
        json.dumps({"resourceType": "Bundle", "entry": [{"response": {"status": "422", "outcome": OUTCOME}}]}),
    ],
)
def test_an_operation_outcome_is_found_in_every_spelling(text: str) -> None:
    answer = read_answer(text, 422)
    assert answer.kind is AnswerKind.OPERATION_OUTCOME
    assert [issue.code for issue in answer.errors] == ["required"]
    assert answer.errors[0].details == (("urn:vendor", "59108"),)
    assert answer.errors[0].expressions == ("DocumentReference.category",)
    assert answer.vendor_codes == ("59108",)
    assert answer.emitter is Emitter.EHR
    assert "category is needed" in answer.says


@pytest.mark.parametrize(
    ("text", "error", "description"),
    [
        ('{"error":"invalid_client","error_description":null}', "invalid_client", ""),
        ('{"error":"Invalid_Grant","error_description":"used twice"}', "invalid_grant", "used twice"),
        ('Token request failed (400): b\'{"error": "invalid_scope"}\'', "invalid_scope", ""),
        ("https://app.example/cb?error=access_denied&error_description=not+now&state=1", "access_denied", "not now"),
        ("{'error': 'invalid_request', 'error_description': 'aud'}", "invalid_request", "aud"),
        ("token request failed: invalid_client", "invalid_client", "token request failed:"),
    ],
)
def test_oauth_errors_are_read_from_json_repr_and_redirect(text: str, error: str, description: str) -> None:
    answer = read_answer(text)
    assert answer.kind is AnswerKind.OAUTH
    assert answer.oauth is not None
    assert (answer.oauth.error, answer.oauth.description) == (error, description)


@pytest.mark.parametrize("text", ['{"error":"Unauthorized","status":401}', '{"error":"Something is wrong here"}'])
def test_a_sentence_under_error_is_no_oauth_answer(text: str) -> None:
    assert read_answer(text, 401).kind is AnswerKind.VENDOR


@pytest.mark.parametrize(
    "text",
    [ACK, "\x0b" + ACK + "\x1c\r", ACK.replace("\r", "\n"), ACK.replace("\r", "\\r"), ACK.replace("\r", " ")],
)
def test_an_acknowledgement_is_read_with_and_without_its_carriage_returns(text: str) -> None:
    ack = read_answer(text).ack
    assert ack is not None
    assert (ack.code, ack.control_id, ack.negative, ack.sender) == ("AE", "T-77", True, "EHR")
    assert (ack.errors[0].code, ack.errors[0].location, ack.errors[0].application_code) == ("204", "PID-3", "PT-9")
    assert "No such patient" in ack.says


def test_the_error_code_of_older_versions_stands_in_err_1() -> None:
    text = "MSH|^~\\&|EHR|F|S|F|2026||ACK|1|P|2.3\rMSA|AE|5\rERR|PID^1^11^103&Table value not found&HL70357\r"
    ack = read_answer(text).ack
    assert ack is not None
    assert (ack.errors[0].code, ack.errors[0].code_text, ack.errors[0].location) == (
        "103",
        "Table value not found",
        "PID-11",
    )


@pytest.mark.parametrize(
    ("text", "status", "kind", "emitter"),
    [
        (NGINX, 502, AnswerKind.HTML_GATEWAY, Emitter.GATEWAY),
        ("<html><body><form><input type='password'></form></body></html>", 200, AnswerKind.HTML_LOGIN, None),
        ('<html><form><input type="hidden" name="SAMLRequest"></form></html>', 200, AnswerKind.HTML_LOGIN, None),
        ("<html><title>Notice</title><h1>This site is blocked</h1></html>", 403, AnswerKind.HTML_BLOCK, Emitter.PROXY),
        (
            "<html><title>Request Rejected</title>The requested URL was rejected.<br>Your support ID is: 1</html>",
            200,
            AnswerKind.HTML_BLOCK,
            Emitter.GATEWAY,
        ),
    ],
)
def test_pages_are_told_apart(text: str, status: int, kind: AnswerKind, emitter: Emitter | None) -> None:
    answer = read_answer(text, status, {"content-type": "text/html"})
    assert answer.kind is kind
    assert answer.media_type == "text/html"
    if emitter is not None:
        assert answer.emitter is emitter


def test_headers_and_status_are_taken_from_a_transcript_of_curl() -> None:
    text = (
        "> POST /DocumentReference HTTP/1.1\n> Authorization: Bearer x\n< HTTP/1.1 401 Unauthorized\n"
        '< WWW-Authenticate: Bearer realm="r", error="invalid_token", error_description="expired", Basic realm="b"\n'
    )
    answer = read_answer(text)
    assert (answer.status, answer.bearer_error) == (401, "invalid_token")
    assert [challenge.scheme for challenge in answer.challenges] == ["bearer", "basic"]
    assert answer.challenges[0].params["error_description"] == "expired"
    assert "authorization" not in answer.headers


def test_challenges_on_lines_of_their_own_are_all_kept() -> None:
    answer = read_answer("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Negotiate\nWWW-Authenticate: Bearer realm=r\n")
    assert [challenge.scheme for challenge in answer.challenges] == ["negotiate", "bearer"]


@pytest.mark.parametrize(
    "text", ["see docs/invalid_client.md", "X-Squid-Error: ERR_ACCESS_DENIED 0", "my_invalid_token_cache"]
)
def test_a_code_inside_another_name_is_no_oauth_answer(text: str) -> None:
    assert read_answer(text).kind is AnswerKind.TEXT


def test_negotiate_challenges_keep_their_schemes() -> None:
    answer = read_answer("", 407, {"proxy-authenticate": "Negotiate", "www-authenticate": "NTLM TlRMTVNT, Bearer"})
    assert answer.kind is AnswerKind.EMPTY
    assert [challenge.scheme for challenge in answer.challenges] == ["ntlm", "bearer"]
    assert answer.emitter is Emitter.PROXY


def test_the_object_that_is_an_answer_is_chosen_among_several() -> None:
    answer = read_answer('headers={\'Via\': \'1.1 edge\'} request={"a": 1} body={"error": "invalid_scope"}')
    assert answer.oauth is not None
    assert answer.oauth.error == "invalid_scope"


def test_a_page_whose_script_holds_an_object_is_still_a_page() -> None:
    page = '<!DOCTYPE html><html><script>$Config={"error":"invalid_x"};</script><input type="password"></html>'
    assert read_answer(page, 200).kind is AnswerKind.HTML_LOGIN


def test_a_vendor_object_gives_its_code_and_words() -> None:
    answer = read_answer('{"fault":{"faultstring":"Invalid key","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}', 401)
    assert answer.kind is AnswerKind.VENDOR
    assert answer.vendor_codes == ("oauth.v2.InvalidApiKey",)
    assert answer.says == "Invalid key"
    refused = read_answer('{"success":"false","errormessage":"no department"}', 200)
    assert refused.vendor is not None
    assert refused.vendor.success is False


@settings(max_examples=120, deadline=None)
@given(
    st.text(max_size=400), st.sampled_from(['{"error":', "<html>", "MSA|AE|", "ERR|", "<OperationOutcome>", "{'a':"])
)
def test_no_text_makes_the_reading_raise(text: str, start: str) -> None:
    for candidate in (text, start + text, text + start + text):
        assert read_answer(candidate, None, {"www-authenticate": text}).kind in AnswerKind


@pytest.mark.parametrize(
    "unit", ['{"a":', "{", "[", "<html", "<script>", "<input ", "MSA|AE|1\r", "ERR|", "<", "\\r", "Bearer ,"]
)
def test_a_megabyte_of_nonsense_is_read_within_its_bounds(unit: str) -> None:
    answer = read_answer(unit * (1_000_000 // len(unit)), 500)
    assert len(answer.text) <= 65_536
