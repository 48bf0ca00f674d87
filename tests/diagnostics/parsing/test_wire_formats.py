"""Parsers of the wire's formats: exact on good input, calm on anything else."""

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics.parsing.certificate import read_bundle, read_certificate, to_pem
from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.hl7 import decode, read_message, unescape
from diagnostics.parsing.http_dates import parse_http_date, retry_after_seconds
from diagnostics.parsing.jwks import KeySet, read_jwks
from diagnostics.parsing.jwt import read_jwt, sign, verifies
from diagnostics.parsing.scopes import granting, parse_scope, parse_scopes, split_scopes
from tests.diagnostics.net.peers import issue

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "resource", "letters"),
    [
        ("system/DocumentReference.write", "DocumentReference", "cud"),
        ("system/*.read", "*", "rs"),
        ("user/*.*", "*", "cruds"),
        ("system/DocumentReference.cruds", "DocumentReference", "cruds"),
        ("system/DocumentReference.c?category=clinical-note", "DocumentReference", "c"),
        ("patient/Encounter.rs", "Encounter", "rs"),
    ],
)
def test_both_scope_grammars_are_read(text: str, resource: str, letters: str) -> None:
    scope = parse_scope(text)
    assert scope is not None and (scope.resource, scope.letters) == (resource, frozenset(letters))


@pytest.mark.parametrize(
    "text",
    ["openid", "launch/patient", "system/DocumentReference.dus", "system/DocumentReference.", "System/X.read",
     "system/documentReference.read", "system/X.creates", "", "system/X", "fhirUser"],
)  # fmt: skip
def test_what_is_no_resource_scope_grants_nothing(text: str) -> None:
    assert parse_scope(text) is None


def test_granting_puts_the_unconstrained_scope_first() -> None:
    scopes = parse_scopes("system/DocumentReference.c?category=x system/*.cu openid system/Encounter.r")
    found = [each.raw for each in granting(scopes, "DocumentReference", "c")]
    assert found == ["system/*.cu", "system/DocumentReference.c?category=x"]
    assert split_scopes(["a b", "b c"]) == ("a", "b", "c")


@pytest.mark.parametrize(
    "text",
    ["Sun, 22 Nov 2026 12:00:30 GMT", "Sunday, 22-Nov-26 12:00:30 GMT", "Sun Nov 22 12:00:30 2026"],
)
def test_all_three_http_date_forms_are_read(text: str) -> None:
    assert parse_http_date(text) == datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0), ("Sun, 22 Nov 2020 12:00:30 GMT", 0.0), ("soon", None),
     ("-5", None), ("", None), ("9" * 40, None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_seconds(text, NOW) == seconds


def test_a_certificate_yields_its_facts_in_both_encodings() -> None:
    root = issue("Made-up Root", authority=True)
    leaf = root.child("ehr.example.test", days=(-1, 40), aia="http://keys.example.test/root.der")
    facts = read_certificate(leaf.der)
    assert facts is not None and facts == read_certificate(leaf.pem.encode())
    assert facts.names == ("ehr.example.test",) and facts.issuer == "CN=Made-up Root"
    assert facts.issuer_urls == ("http://keys.example.test/root.der",)
    assert not facts.self_signed and not facts.authority and len(facts.fingerprint) == 64
    assert 39 < facts.days_left(datetime.now(UTC)) < 41
    anchor = read_certificate(root.der)
    assert anchor is not None and anchor.self_signed and anchor.authority
    assert facts.authority_key_id == anchor.key_id != ""
    assert len(read_bundle(leaf.pem.encode() + b"half -----BEGIN" + root.pem.encode())) == 2
    assert to_pem(root.der) == root.pem


@given(st.binary(max_size=300))
def test_damaged_certificates_are_none(data: bytes) -> None:
    assert read_certificate(data) is None
    assert read_certificate(b"-----BEGIN CERTIFICATE-----\n" + data) is None
    assert to_pem(data) is None


def _keys(kind: str) -> tuple[bytes, dict[str, object]]:
    from joserfc.jwk import ECKey, RSAKey

    private = ec.generate_private_key(ec.SECP384R1()) if kind == "EC" else rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = (ECKey if kind == "EC" else RSAKey).import_key(pem)
    return pem, {**key.as_dict(private=False), "kid": "k1"}


@pytest.mark.parametrize(("kind", "algorithm"), [("RSA", "RS384"), ("EC", "ES384")])
def test_a_token_signed_with_a_key_verifies_with_its_published_half_only(kind: str, algorithm: str) -> None:
    pem, public = _keys(kind)
    _, stranger = _keys(kind)
    token = read_jwt(sign({"alg": algorithm, "kid": "k1", "typ": "JWT"}, {"iss": "me", "exp": 1}, pem))
    assert token is not None and token.header["kid"] == "k1" and token.text("iss") == "me" and token.signed
    keys = read_jwks(json.dumps({"keys": [public, stranger]}).encode()).with_id("k1", algorithm)
    assert [verifies(token, key) for key in keys] == [True, False]
    unsigned = read_jwt(token.compact.rpartition(".")[0] + ".")
    assert unsigned is not None and not unsigned.signed and verifies(unsigned, keys[0]) is None


def test_a_key_that_does_not_fit_its_algorithm_is_refused_without_showing_it() -> None:
    pem, _ = _keys("EC")
    with pytest.raises(ValueError, match="cannot sign with RS384"):
        sign({"alg": "RS384"}, {}, pem)
    with pytest.raises(ValueError, match="cannot sign"):
        sign({"alg": "RS384"}, {}, b"half a key")


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "e30.e30", "e30.W10.x", "....", "e30.!!.x"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert read_jwt(text) is None


def test_times_in_claims_are_numeric_dates_only() -> None:
    def claims(value: object) -> str:
        body = base64.urlsafe_b64encode(json.dumps({"exp": value}).encode()).decode().rstrip("=")
        return f"e30.{body}.x"

    found = [read_jwt(claims(value)) for value in (1700000000, "1700000000", True, 1e300, -1e300)]
    assert [token.instant("exp") is not None for token in found if token] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("body", "count", "problem"),
    [(b'{"keys": []}', 0, False), (b'{"keys": {}}', 0, True), (b"<html>", 0, True), (b"[]", 0, True),
     (b'{"keys": [{"kty": "RSA"}, 5, {"kid": 7, "kty": "EC"}, {"kid": "x"}]}', 2, False)],
)  # fmt: skip
def test_a_key_set_is_read_or_says_why_not(body: bytes, count: int, problem: bool) -> None:
    keys = read_jwks(body)
    assert (len(keys.keys), bool(keys.problem)) == (count, problem)


def test_private_members_are_noticed_and_not_kept() -> None:
    keys: KeySet = read_jwks(b'{"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB", "d": "secret"}]}')
    assert keys.keys[0].exposed and "d" not in keys.keys[0].members


MDM = (
    "MSH|^~\\&|SCRIBE|NORTH|EHR|NORTH|20261122120000||MDM^T02^MDM_T02|M-77|P|2.5.1||||||UNICODE UTF-8\r"
    "EVN|T02|20261122120000\rPID|1||100^^^MR~200^^^SS||DOE^JANE\r"
    "OBX|1|TX|HPI^^L||A \\T\\ B \\F\\ C\\.br\\café||||||F\r"
).encode()


def test_a_message_is_read_with_values_and_byte_offsets() -> None:
    message = read_message(MDM)
    assert message.names == ("MSH", "EVN", "PID", "OBX") and message.starts_with_msh and not message.strays
    assert message.get("MSH-1") == "|" and message.get("MSH-2") == "^~\\&"
    assert message.get("MSH-9.2") == "T02" and message.get("MSH-10") == "M-77"
    assert message.declared_charset == "UNICODE UTF-8" and message.charset == "utf-8"
    pid = message.first("PID")
    assert pid is not None and pid.value(3, repetition=1) == "200" and pid.value(5, 2) == "JANE"
    assert message.get("OBX-5") == "A & B | C\ncafé"
    for segment in message.segments:
        assert MDM[segment.offset :].startswith(segment.raw)
        for each in segment.fields:
            assert MDM[each.offset :].startswith(each.raw)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_segment_terminator_is_read(end: str) -> None:
    assert read_message(MDM.decode().replace("\r", end).encode()).names == ("MSH", "EVN", "PID", "OBX")


def test_a_line_break_inside_a_field_leaves_a_stray_line() -> None:
    broken = MDM.replace(b"A \\T\\ B", b"A\rThe patient says")
    message = read_message(broken)
    assert [line.raw[:11] for line in message.strays] == [b"The patient"] and message.strays[0].after == 3
    assert broken[message.strays[0].offset :].startswith(b"The patient")


@pytest.mark.parametrize(
    ("data", "present", "sound"),
    [
        (MDM, False, False),
        (b"\x0b" + MDM + b"\x1c\r", True, True),
        (b"\x0b" + MDM + b"\x1c\r\n", True, True),
        (b"\x0b" + MDM, True, False),
        (MDM + b"\x1c\r", True, False),
        (b"\x0b" + MDM + b"\x1c", True, False),
        (b"\x0b" + MDM + b"\x1c\r\x0b" + MDM + b"\x1c\r", True, True),  # two messages, each in its frame
        (b"\x0b" + MDM + b"\x1c\r" + MDM + b"\x1c\r", True, False),
        (b"\x0b" + MDM + b"\x0b" + MDM + b"\x1c\r", True, False),
        (b"\x0b" + MDM[:50] + b"\x0b" + MDM[50:] + b"\x1c\r", True, False),
    ],
)
def test_the_captured_frame_is_described(data: bytes, present: bool, sound: bool) -> None:
    message = read_message(data)
    assert (message.frame.present, message.frame.sound) == (present, sound)
    assert message.get("MSH-10") == "M-77"


def test_odd_delimiters_and_a_byte_order_mark_are_read() -> None:
    message = read_message(b"\xef\xbb\xbfMSH#*~\\&#A#B#C#D#1##ADT*A01#9#P#2.3\rPID#1##7*8\r")
    assert message.bom and not message.starts_with_msh
    assert message.get("MSH-9.2") == "A01" and message.get("PID-3.2") == "8"


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from([b"", b"MSH|^~\\&|", b"\x0bMSH", b"MSH"]))
def test_any_bytes_give_a_message_that_loses_nothing(data: bytes, start: bytes) -> None:
    message = read_message(start + data)
    assert message.raw == start + data
    for segment in message.segments:
        assert message.raw[segment.offset : segment.offset + len(segment.raw)] == segment.raw
        [segment.value(number, 1, 1) for number in range(20)]
    kept = sum(len(each.raw) for each in (*message.segments, *message.strays))
    assert kept <= len(message.raw)


@given(st.text(max_size=60), st.binary(max_size=60))
def test_decoding_and_unescaping_never_fail(text: str, raw: bytes) -> None:
    unescape(text)
    for charset in ("ascii", "utf-8", "utf-16", "iso8859-1", "nonsense"):
        assert isinstance(decode(raw, charset), str)


def test_unescaping_undoes_every_standard_sequence() -> None:
    assert unescape(r"\F\\S\\T\\R\\E\ \X41C3A9\ \H\x\N\ \.sp2\ ") == r"|^&~\ Aé \H\x\N\ \.sp2\ "


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"resourceType": "Patient"', "syntax"),
        (b'{"a": NaN}', "syntax"),
        (b'{"a": ' + b"9" * 5000 + b"}", "syntax"),
        (b'{"a": "\xff"}', "encoding"),
        (b"[" * 200 + b"]" * 200, "too_deep"),
        (b"[1]", "not_resource"),
        (b"<a/>", "not_resource"),
        (b'<!DOCTYPE x [<!ENTITY e "x">]><Patient xmlns="http://hl7.org/fhir">&e;</Patient>', "syntax"),
        (b'<Patient xmlns="http://hl7.org/fhir">', "syntax"),
        (b'{"a":"' + b"x" * (10 * 1024 * 1024) + b'"}', "too_large"),
    ],
)
def test_what_is_wrong_with_a_resource_s_text_is_named(data: bytes, kind: str) -> None:
    got = read_resource(data)
    assert got.resource is None and [each.kind for each in got.problems] == [kind]


@pytest.mark.parametrize("unit", [b'\\"', b'"', b"\\\\", b'"\\\\', b"[", b'{"a":'])
def test_hostile_text_is_read_in_linear_time(unit: bytes) -> None:
    for end in (b"", b"\\", b'"'):
        assert read_resource(b'{"' + unit * 200_000 + end).resource is None


def test_a_duplicate_key_is_told_and_the_rest_read() -> None:
    got = read_resource(b'\xef\xbb\xbf{"resourceType": "Patient", "id": "1", "id": "2"}')
    assert got.resource_type == "Patient" and [each.place for each in got.problems] == ["id"]


def test_xml_becomes_the_same_dict_as_json() -> None:
    xml = b"""<DocumentReference xmlns="http://hl7.org/fhir"><id value="d1"/><status value="current"/>
      <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></text>
      <type><coding><system value="http://loinc.org"/><code value="11506-3"/></coding></type>
      <category><coding><code value="clinical-note"/></coding></category>
      <subject><reference value="Patient/1"/></subject>
      <content><attachment><contentType value="text/plain"/><size value="3"/></attachment></content>
      <context><encounter><reference value="Encounter/1"/></encounter></context></DocumentReference>"""
    got = read_resource(xml)
    assert got.form == "xml" and got.resource is not None
    resource = got.resource
    assert resource["resourceType"] == "DocumentReference" and resource["status"] == "current"
    assert resource["type"] == {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]}
    assert resource["category"] == [{"coding": [{"code": "clinical-note"}]}]
    assert resource["content"][0]["attachment"]["size"] == 3
    assert resource["context"]["encounter"] == [{"reference": "Encounter/1"}]
    assert "<" in resource["text"]["div"]


@settings(max_examples=150)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b'{"resourceType":', b'<Patient xmlns="http://hl7.org/fhir">', b"<"]),
)
def test_any_bytes_give_a_resource_text(data: bytes, start: bytes) -> None:
    got = read_resource(start + data)
    assert (got.resource is not None) or got.problems
