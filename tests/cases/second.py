"""A second round, after the first was answered: the same rows in other clothes, so that nothing was learnt by heart."""

import base64
from typing import Any

from tests.cases import mapping as m
from tests.cases.auth import jwt, refused_with
from tests.cases.building import EVN, NARRATIVE, OBX, PID, PV1, TXA, Story, Trial, ack, document, mdm, outcome
from tests.cases.healthy import audit_event
from tests.cases.hl7 import broken, msh, nacked
from tests.cases.permission import denied, encounter, roles

LONG = "The patient slept badly, coughed at night and took nothing for it except warm tea. " * 60


def xml_document(*, category: bool = True) -> str:
    kind = (
        '<category><coding><system value="http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"/>'
    )
    kind += '<code value="clinical-note"/></coding></category>'
    data = base64.b64encode(NARRATIVE.encode()).decode()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><DocumentReference xmlns="http://hl7.org/fhir"><status value="current"/>'
        '<type><coding><system value="http://loinc.org"/><code value="11506-3"/></coding></type>'
        f"{kind if category else ''}"
        '<subject><reference value="Patient/P-100"/></subject><author><reference value="Practitioner/prov-7"/></author>'
        f'<content><attachment><contentType value="text/plain"/><data value="{data}"/></attachment></content>'
        '<context><encounter><reference value="Encounter/E-100"/></encounter></context></DocumentReference>'
    )


def audited(code: str, **changes: Any) -> dict[str, Any]:
    return audit_event() | {"outcome": code} | changes


def authentication() -> list[Trial]:
    user = {"auth": {"flow": "provider-context"}}
    cached = Story().token("09:00:00", token_id="zz", note_id="N-1", expires_in="300")
    for n, hour in enumerate(("10", "11", "12", "17")):
        cached.s(f"{hour}:00:05", "sent", token_id="zz", note_id=f"N-{n}" if hour != "17" else "N-100")
        cached.s(
            f"{hour}:00:06", "failed", status=401, note_id=f"N-{n}" if hour != "17" else "N-100",
            response_headers={"www-authenticate": 'Bearer error="invalid_token"'},
        )  # fmt: skip
    revoked = Story().made().token(expires_in=3600).sent()
    revoked.refused(401, "", response_headers={"www-authenticate": 'Bearer error="invalid_token"'})
    cedes = refused_with(jwt({"typ": None}))
    array = refused_with(jwt(aud=["https://login.northcampus.example/oauth2/token"]))
    good = refused_with(jwt())
    race = Story(integration=user).made()
    race.token_refused(400, {"error": "invalid_grant", "error_description": "Refresh token already used"})
    ping = (
        Story(integration=user)
        .made()
        .token_refused(400, {"error": "mfa_required", "error_description": "MFA required"})
    )
    java = (
        Story()
        .made()
        .token_refused(
            None, "com.nimbusds.oauth2.sdk.GeneralException: OAuth error: invalid_client - Client authentication failed"
        )
    )
    reused = Story().made().token_refused(None, "org.springframework: [invalid_scope] The requested scope is invalid")
    return [
        cached.expect("old_token_all_day", ("auth.token.expired", "auth.token.cached_past_expiry"), "rejected", "2.1"),
        revoked.expect(
            "fresh_token_refused", (None, "auth.token.inactive", "auth.credential.rotated"), "rejected",
            "2.1: not expired", exit=(1, 3), never=("auth.token.expired",), sure=False,
        ),
        cedes.expect("assertion_without_typ", ("auth.assertion.alg_typ", "auth.client.invalid"), "never_sent", "2.1", sure=False),  # noqa: E501
        array.expect("assertion_aud_in_a_list", ("auth.assertion.aud", "auth.client.invalid"), "never_sent", "2.1 single string"),  # noqa: E501
        good.expect("assertion_without_fault", "auth.client.invalid", "never_sent", "2.1: S, no sub-check failed"),
        race.expect("refresh_race", "auth.refresh.invalid", "never_sent", "2.1 fp: rotation"),
        ping.expect("mfa_required_code", "auth.mfa.challenge", "never_sent", "2.1"),
        java.expect("client_error_inside_java_words", "auth.client.invalid", "never_sent", "2.1"),
        reused.expect("scope_error_inside_spring_words", "auth.scope.invalid", "never_sent", "2.1"),
    ]  # fmt: skip


def fhir() -> list[Trial]:
    xml = Story().made().token().sent(content_type="application/fhir+xml").refused(422, outcome("required"))
    xml.payload(xml_document(category=False), "note.xml")
    fine = Story().made().token().sent(content_type="application/fhir+xml").accepted().ehr_filed()
    fine.payload(xml_document(), "note.xml").chart()
    torn = Story().made().token().sent(content_type="application/fhir+xml").refused(400, outcome("structure"))
    torn.payload(xml_document()[:-25], "note.xml")
    legacy = Story().made().token().sent(content_type="application/json").accepted().ehr_filed().payload().chart()
    moved = (
        Story()
        .made()
        .token()
        .sent()
        .refused(301, "", response_headers={"location": "https://www.northcampus.example/"})
    )
    composed = Story(integration={"resources_needed": ["Composition"]}).made().token(scope="system/DocumentReference.c")
    composed.sent(url="https://fhir.northcampus.example/r4/Composition").refused(403, outcome("forbidden"))
    composed.scribe[-1]["url"] = composed.scribe[-2]["url"]
    composed.payload({
        "resourceType": "Composition", "status": "final", "title": "Progress note", "date": "2026-11-22T17:00:00Z",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
        "author": [{"reference": "Practitioner/prov-7"}], "subject": {"reference": "Patient/P-100"},
    })  # fmt: skip
    failed = Story().made().token().sent().accepted()
    failed.log("ehr", [audited("8", outcomeDesc="Filing job aborted")])
    both = Story().made().token().sent(attempt=1).refused(None, "Read timed out", "17:00:35", attempt=1)
    both.sent("17:01:00", attempt=2).refused(
        409, outcome("duplicate", "Identifier T-100 exists"), "17:01:01", attempt=2
    )
    both.ehr_filed().chart()
    gone = Story().made().token().sent().refused(410, outcome("deleted", "Patient/P-100 was deleted"))
    soap = (
        Story()
        .made()
        .token()
        .sent()
        .refused(500, "<soap:Envelope><soap:Body><soap:Fault>server</soap:Fault></soap:Body>")
    )
    soft = Story(vendor="athenahealth").made().token().sent()
    soft.s(
        "17:00:06",
        "acked",
        status=200,
        error='{"success":false,"errormessage":"The patient\'s department is required."}',
    )
    return [
        xml.expect("xml_without_category", "fhir.payload.required", "rejected", "2.2; cases.md .xml"),
        fine.expect("xml_in_good_order", None, "delivered", "0 causes"),
        torn.expect("xml_cut", "fhir.payload.structure", "rejected", "2.2"),
        legacy.expect("plain_json_taken", None, "delivered", "2.2: warn only if 2xx"),
        moved.expect(
            "moved_permanently", ("fhir.base.not_fhir", "fhir.request.method_path", "net.revproxy.rewrite", None), "rejected",  # noqa: E501
            "2.2; a redirect is a finding", exit=(1, 3), never=("auth.mfa.challenge",), sure=False,
        ),
        composed.expect("scope_for_another_type", "perm.scope.write_missing", "rejected", "2.6: needed type"),
        failed.expect("audit_event_says_serious_failure", "ehr.server.error", None, "2.7; AuditEvent.outcome 8"),
        both.expect(
            "duplicate_refused_after_lost_answer", ("fhir.outcome.duplicate", "net.timeout.gateway", "scribe.timeout.short"),  # noqa: E501
            "delivered", "row 9: reconcile", sure=False,
        ),
        gone.expect("patient_deleted", ("map.patient.mismatch", "fhir.payload.references"), "rejected", "HTTP baseline 410 MAP", sure=False),  # noqa: E501
        soap.expect("soap_fault_500", "ehr.server.error", "rejected", "2.7"),
        soft.expect("success_false_in_200", None, "rejected", "trap 3: a 2xx can carry success:false", exit=(1, 3), sure=False),  # noqa: E501
    ]  # fmt: skip


def hl7() -> list[Trial]:
    v23 = mdm(msh(f9="MDM^T02", f12="2.3"), EVN, PID, PV1, TXA, *OBX)
    old = {"hl7": {"version": "2.3"}}
    orc = mdm(msh(), EVN, PID, PV1, "ORC|RE", "OBR|1||F-1|11506-3^Note^LN", TXA, *OBX)
    t06 = {"hl7": {"message": "MDM^T06"}}
    addendum = mdm(msh(f9="MDM^T06^MDM_T02"), EVN, PID, PV1, TXA, *OBX)
    utf16 = mdm().decode().encode("utf-16-le")
    latin1 = mdm(msh(f18="8859/1"), EVN, PID, PV1, TXA).rstrip(b"\r") + b"\rOBX|1|TX|a^b^c||na\xefve caf\xe9||||||F\r"
    latin_bare = latin1.replace(b"8859/1", b"")
    cut = (
        Story(protocol="hl7v2")
        .delivered()
        .payload(mdm(msh(), EVN, PID, PV1, TXA, f"OBX|1|TX|11506-3^Note^LN||{LONG}||||||F"))
        .chart(fields={"NOTE": LONG[:4000]})
    )
    white = (
        Story(protocol="hl7v2")
        .delivered()
        .payload(mdm(msh(), EVN, PID, PV1, TXA, f"OBX|1|TX|11506-3^Note^LN||{LONG}||||||F"))
        .chart(fields={"NOTE": LONG.strip() + "\n\nSigned electronically by Dr Doe"})
    )
    ed = mdm(msh(), EVN, PID, PV1, TXA, "OBX|1|ED|11506-3^Note^LN||^text^plain^Base64^SFBJOiBjb3VnaA==||||||F")
    neg = (
        Story(protocol="hl7v2")
        .made()
        .sent()
        .s("17:00:06", "acked", error=ack("AE", err="ERR||OBX^3^5|102^Data type error^HL70357|E"))
    )
    tls = Story(protocol="hl7v2", integration={"hl7": {"tls": True}}).made().sent(url="mllps://10.20.30.40:2575")
    tls.refused(
        None,
        "javax.net.ssl.SSLHandshakeException: Received fatal alert: certificate_required",
        url="mllps://10.20.30.40:2575",
    )
    crlf = broken(mdm(msh(), EVN, PID, PV1, TXA, end="\r\n") + b"OBX|1|TX|a^b^c||HPI: cough\r\nPlan: rest||||||F\r\n")
    twice = Story(protocol="hl7v2").made().sent().refused(None, "ACK timeout", "17:00:35")
    twice.sent("17:01:00").accepted("17:01:01").e("17:00:06", "filed", resource="DOC-1").e(
        "17:01:01", "filed", resource="DOC-2"
    )
    return [
        Story(protocol="hl7v2", integration=old).delivered().payload(v23).chart().expect(
            "version_2_3_in_order", None, "delivered", "0 causes"
        ),
        Story(protocol="hl7v2").delivered().payload(orc).chart().expect(
            "order_group_before_txa", None, "delivered", "anchors 6 no. 12: ORC/OBR optional before TXA"
        ),
        broken(orc.replace(b"2.5.1", b"2.3"), integration=old).expect(
            "order_group_in_2_3", "hl7.grammar.order", "rejected", "2.3: v2.3-2.4 have no ORC/OBR"
        ),
        Story(protocol="hl7v2", integration=t06).delivered().payload(addendum).chart().expect(
            "addendum_event", None, "delivered", "2.3: T06 has the structure of T02"
        ),
        Story(protocol="hl7v2").delivered().payload(latin1).chart().expect("latin_1_declared", None, "delivered", "0 causes"),  # noqa: E501
        broken(latin_bare).expect("latin_1_undeclared", "hl7.encoding.undeclared", "rejected", "2.3"),
        broken(utf16).expect("utf_16_bytes", ("hl7.msh.first", "hl7.encoding.undeclared"), "rejected", "2.3: first 3 bytes", sure=False),  # noqa: E501
        cut.expect("cut_at_4000", "hl7.note.truncated", "partial", "2.3"),
        white.expect("signature_added_by_ehr", None, "delivered", "2.3 fp: normalized compare, signature"),
        Story(protocol="hl7v2").delivered().payload(ed).chart().expect("base64_has_no_escapes", None, "delivered", "2.3 fp: ED"),  # noqa: E501
        neg.expect("negative_only_in_the_body", ("hl7.ack.negative",), "rejected", "cases.md: error may be a raw ACK"),
        tls.expect("mllps_wants_certificate", "net.tls.client_cert", "never_sent", "2.8 alert 116 received"),
        crlf.expect("line_break_among_crlf", "hl7.linebreak", "rejected", "2.3 fp: CRLF terminators normalised"),
        twice.expect("same_control_id_filed_twice", ("scribe.retry.duplicate", "hl7.ack.missing"), "duplicate", "row 17", sure=False),  # noqa: E501
        nacked("AE", "ERR||PID^1^3|204^Unknown key identifier^HL70357|E", note={"patient_id": None}).expect(
            "unknown_key_without_patient", ("hl7.ack.negative", "map.patient.mismatch"), "rejected", "cases.md 204",
            category="field_mapping",
        ),
    ]  # fmt: skip


def charts() -> list[Trial]:
    headings = NARRATIVE.replace("HPI:", "## History of Present Illness\n").replace("Plan:", "**Plan**:")
    hashed = m.mapped(m.FIELDS)
    unlabeled = {"HPI_TXT": "", "COMMENTS": m.SECTIONS["HPI"]}
    one_block = m.rules()
    one_block["rules"] = [{"section": "subjective", "field": "HPI_TXT"}, *one_block["rules"][3:]]
    subjective = NARRATIVE.replace("Chief Complaint: ", "Subjective: ").replace("\n\nHPI: ", " ")
    joined = {k: v for k, v in m.FIELDS.items() if k not in ("CC_TXT", "HPI_TXT")}
    joined["HPI_TXT"] = m.SECTIONS["CC"] + " " + m.SECTIONS["HPI"]
    negated = NARRATIVE.replace(
        "No cough was noted at home.", "Family history of hypertension (I10). Rule out asthma (J45.909)."
    )
    told = m.FIELDS | {
        "HPI_TXT": m.SECTIONS["HPI"].replace(
            "No cough was noted at home.", "Family history of hypertension (I10). Rule out asthma (J45.909)."
        )
    }
    capped = m.template()
    capped["fields"][1]["max_length"] = 200
    long_text = NARRATIVE.replace("No cough was noted at home.", LONG.strip())
    whole = m.SECTIONS["HPI"].replace("No cough was noted at home.", LONG.strip())
    vitals = NARRATIVE.replace("Physical Exam:", "Vitals: BP 142/88, HR 76.\n\nPhysical Exam:")
    flow = m.rules()
    flow["rules"].append({"section": "vitals", "field": "PE_TXT", "mode": "append"})
    seen = m.FIELDS | {"PE_TXT": "BP 142/88, HR 76. " + m.SECTIONS["PE"]}
    device = [
        {"kind": "observation", "code": "85354-9", "value": "142/88"},
        {"kind": "observation", "code": "8867-4", "value": "76"},
    ]
    upper = {k: v.upper() for k, v in m.FIELDS.items()}
    return [
        m.mapped(m.FIELDS, headings).expect("headings_in_markdown", None, "delivered", "section 4 detection"),
        hashed.payload(document()).expect("chart_with_payload", None, "delivered", "0 causes"),
        m.mapped(m.FIELDS | unlabeled).expect("history_in_comments", "tmpl.catchall", "misplaced", "2.4"),
        m.mapped(joined, subjective, mapping=one_block).expect("one_subjective_block_by_design", None, "delivered", "2.4 collapsed fp"),  # noqa: E501
        m.mapped(told, negated, discrete=[]).expect("codes_of_others_and_rule_outs", None, "delivered", "2.4 icd fp"),
        m.mapped(m.FIELDS | {"HPI_TXT": whole[:200]}, long_text, template=capped).expect(
            "field_cut_at_200", ("hl7.note.truncated", "map.content.lost"), "partial", "2.3 note.truncated: prefix at a round limit", sure=False  # noqa: E501
        ),
        m.mapped(seen, vitals, mapping=flow, discrete=device).expect("device_fed_vitals", None, "delivered", "2.4 vitals fp"),  # noqa: E501
        m.mapped(upper).expect("chart_in_capitals", None, "delivered", "normalized compare", sure=False),
        Story().delivered().chart(encounter_id="Encounter/E-100", patient_id="Patient/P-100").expect(
            "typed_ids_in_chart", None, "delivered", "cases.md: same id"
        ),
        Story().delivered().chart(status="entered-in-error").expect(
            "marked_in_error_in_chart", None, None, "anchors 6 no. 26", exit=(0, 1, 3), sure=False
        ),
        Story().delivered().chart(document_type="34117-2").payload().expect(
            "stored_as_other_type", "map.notetype.wrong", ("misplaced", "delivered"), "2.4 map.notetype.wrong", sure=False  # noqa: E501
        ),
    ]  # fmt: skip


def permissions() -> list[Trial]:
    v1 = denied(scope="user/*.read user/DocumentReference.read", integration={"auth": {"flow": "provider-context"}})
    fine = Story().made().token(scope="system/*.cruds").sent().accepted().ehr_filed().chart()
    query = denied(scope="system/*.write")
    legacy = query.file("encounter", encounter(status="finished", signed=True)).file("roles", roles())
    upgraded = denied().file("roles", roles("document:write", changed_at="2026-11-22T03:00:00+00:00"))
    upgraded.change("03:00:00", "upgrade", "EHR", "2026.1", "2026.2")
    upgraded.change("03:10:00", "role", "svc-scribe", "document:write", "")
    upgraded.s("2026-11-21T15:00:00+00:00", "sent", note_id="N-50", transaction_id="T-50")
    upgraded.s("2026-11-21T15:00:01+00:00", "acked", note_id="N-50", transaction_id="T-50", status=201)
    owner = denied(422, outcome("business-rule", "Only the rendering provider may document"))
    owner.file("encounter", encounter(owner="prov-22")).file("roles", roles())
    listed = (
        denied(403)
        .file("encounter", [encounter(id="E-99"), encounter(status="finished", signed=True)])
        .file("roles", roles())
    )
    other = Story().delivered().chart().file("roles", roles("order:write"))
    return [
        v1.expect("user_scopes_read_only", "perm.scope.write_missing", "rejected", "2.6 v1 grammar"),
        fine.expect("wildcard_v2_scope", None, "delivered", "0 causes: excess is info"),
        legacy.expect("v1_write_and_closed", "perm.encounter.closed", "rejected", "2.6: v1 write = cud"),
        upgraded.expect("role_reset_by_upgrade", ("perm.drift", "perm.rbac.matrix"), "rejected", "2.6 perm.drift"),
        owner.expect("only_the_owner_may", "perm.encounter.owner", "rejected", "2.6: 403/422"),
        listed.expect("closed_among_two", "perm.encounter.closed", "rejected", "2.6; cases.md list"),
        other.expect("no_order_grant_needed", None, "delivered", "2.6: orders.write only if orders"),
    ]


def triage() -> list[Trial]:
    orphan = Story().e("17:00:06", "filed", resource="DocumentReference/D-1")
    drop = Story().made().token().sent().refused(None, "Read timed out", "17:00:35")
    drop.log(
        "firewall",
        [
            {
                "at": "2026-11-22T17:00:05+00:00",
                "action": "reset",
                "source": "10.1.1.5",
                "destination": "203.0.113.9",
                "port": 443,
            }
        ],
    )
    many = Story().s("17:00:00", "generated").token(note_id="N-100")
    for n in range(1, 6):
        many.sent(f"17:0{n}:00", attempt=n).refused(
            503, "", f"17:0{n}:01", attempt=n, response_headers={"server": "nginx"}
        )
    many.sent("17:07:00", attempt=6).accepted("17:07:01", attempt=6).ehr_filed().chart()
    ids = Story(note={"transaction_id": None}).s("17:00:00", "generated")
    ids.s("17:00:05", "sent", request_id="r-1").s("17:00:06", "acked", request_id="r-1", status=201)
    ids.e("17:00:06", "filed", transaction_id=None, request_id="r-1", encounter_id="E-100", patient_id="P-100").chart()
    enc = Story().s("17:00:00", "generated", encounter_id="E-100", patient_id="P-100")
    enc.s("17:00:05", "sent", transaction_id="S-1").s("17:00:06", "acked", transaction_id="S-1", status=201)
    enc.e(
        "17:00:07",
        "filed",
        transaction_id="X-9",
        encounter_id="E-100",
        patient_id="P-100",
        resource="DocumentReference/D-1",
    )
    slow = Story().s("17:38:00", "generated").token("17:38:02").sent("17:38:05").accepted("17:38:06")
    slow.e("17:38:06", "accepted", status=201)
    early = Story().s("17:44:30", "generated", at="2026-11-22T17:44:30+00:00")
    early.e("16:00:05", "filed", transaction_id="T-90")
    unicode = Story().delivered().chart()
    unicode.scribe[0]["error"] = "line\u2028separator and \x85 inside"
    return [
        drop.expect(
            "firewall_reset_rows", ("net.fwlog.drop", "net.tcp.reset", "net.timeout.gateway"), None, "2.5", sure=False
        ),
        many.expect("five_times_503_then_filed", (None, "net.timeout.gateway"), "delivered", "row 10", exit=(0, 1)),
        ids.expect("joined_by_request_id", None, "delivered", "section 5 keys: request id"),
        enc.expect(
            "joined_by_encounter",
            None,
            "delivered",
            "section 5 keys: encounter + patient + window",
            exit=(0, 3),
            sure=False,
        ),
        slow.expect("accepted_a_few_minutes_ago", None, "delayed", "row 15; exit 3 inside the usual delay", sure=False),
        early.expect(
            "generated_a_moment_ago",
            None,
            ("unknown", "delayed", "never_sent"),
            "2.7: older than the grace time",
            exit=3,
        ),
        unicode.expect("line_separators_inside_text", None, "delivered", "cases.md: rows end at \\n only"),
        orphan.expect("only_the_ehr_knows", None, "delivered", "row 19", sure=False),
    ]


def trials() -> list[Trial]:
    return [*authentication(), *fhir(), *hl7(), *charts(), *permissions(), *triage()]
