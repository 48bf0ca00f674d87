"""Step 2, HL7 v2: frame, header, grammar, fields, characters and acknowledgements."""

from typing import Any

from tests.cases.building import EVN, MSH, OBX, PID, PV1, TXA, Story, Trial, ack, mdm

PROVEN = ("proven",)


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


def frames() -> list[Trial]:
    why = "2.3 hl7.mllp.framing / msh.first"
    good = mdm()
    dropped = Story(protocol="hl7v2").made().sent().refused(None, "No ACK within 30000 ms, socket closed by peer")
    dropped.payload(b"\x0b" + good)
    twice = broken(b"\x0b" + good + b"\x0b" + good + b"\x1c\r")
    inner = broken(b"\x0b" + good.replace(b"rest and", b"rest\x0band") + b"\x1c\r")
    half = broken(b"\x0b" + good + b"\x1c")
    bom = broken(b"\xef\xbb\xbf" + good)
    event_first = broken(mdm(EVN, PID, PV1, TXA, *OBX))
    return [
        dropped.expect("frame_without_end", "hl7.mllp.framing", None, why, certainty=PROVEN),
        twice.expect("two_messages_in_one_frame", "hl7.mllp.framing", "rejected", why),
        inner.expect("start_byte_inside", "hl7.mllp.framing", "rejected", why),
        half.expect("frame_without_carriage_return", "hl7.mllp.framing", "rejected", why),
        bom.expect("byte_order_mark", "hl7.msh.first", "rejected", why),
        event_first.expect("no_header", "hl7.msh.first", "rejected", why),
    ]


def headers() -> list[Trial]:
    why = "2.3 hl7.msh rows"
    body = (EVN, PID, PV1, TXA, *OBX)
    t01 = msh(f9="MDM^T01^MDM_T01")
    long = "T-100-20261122170002-northcampus"
    reused = Story(protocol="hl7v2").made()
    reused.s("16:00:00", "sent", note_id="N-88").s("16:00:01", "acked", note_id="N-88", ack="AA", ack_id="T-100")
    reused.sent().refused(None, ack("AR", err="ERR|||205^Duplicate key identifier^HL70357|E"), ack="AR", ack_id="T-100")
    err200 = "ERR||MSH^1^9|200^Unsupported message type^HL70357|E"
    err202 = "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E"
    err203 = "ERR||MSH^1^12|203^Unsupported version id^HL70357|E"
    return [
        broken(mdm(t01, EVN, PID, PV1, TXA)).expect("other_event_than_configured", "hl7.msh.type", "rejected", why),
        nacked("AR", err200).expect(
            "message_type_refused", ("hl7.msh.type", "hl7.ack.negative"), "rejected", why + ", 0357 200"
        ),
        nacked("AR", err203).expect(
            "version_refused", ("hl7.msh.version", "hl7.ack.negative"), "rejected", why + ", 0357 203"
        ),
        broken(mdm(msh(f12="2.3"), *body)).expect("other_version_than_configured", "hl7.msh.version", "rejected", why),
        nacked("AR", err202, payload=mdm(msh(f11="T"), *body)).expect(
            "training_message_in_production", "hl7.msh.processing_id", "rejected", why + ", 0357 202"
        ),
        broken(mdm(msh(f11="D"), *body)).expect(
            "debug_message_in_production", "hl7.msh.processing_id", "rejected", why
        ),
        broken(mdm(msh(f10=""), *body)).expect(
            "control_id_empty", ("hl7.msh.control_id", "hl7.field.required"), "rejected", why
        ),
        broken(mdm(msh(f10=long), *body), note={"transaction_id": long}).expect(
            "control_id_too_long", "hl7.msh.control_id", "rejected", why + " > 20", sure=False
        ),
        reused.expect("control_id_of_another_note", "hl7.msh.control_id", "rejected", why + ": reused", sure=False),
    ]


def grammar() -> list[Trial]:
    why = "2.3 grammar"
    oru = {"hl7": {"message": "ORU^R01"}}
    oru_msh = msh(f9="ORU^R01^ORU_R01")
    obr = "OBR|1||F-1|11506-3^Progress note^LN|||20261122165500+0000"
    early = broken(mdm(oru_msh, PID, PV1, OBX[0], obr, OBX[1]), integration=oru)
    none = broken(mdm(oru_msh, PID, PV1, *OBX), integration=oru)
    err100 = "ERR||TXA^1|100^Segment sequence error^HL70357|E"
    ack101 = "ERR||PV1^1^2|101^Required field missing^HL70357|E"
    return [
        early.expect("observation_before_its_order", "hl7.grammar.order", "rejected", why + "; R-068"),
        none.expect("order_missing_in_oru", ("hl7.grammar.missing", "hl7.grammar.order"), "rejected", why),
        broken(mdm(MSH, EVN, PID, TXA, PV1, *OBX)).expect(
            "document_header_before_visit", "hl7.grammar.order", "rejected", why
        ),
        broken(mdm(MSH, EVN, PID, PV1, TXA, obr, *OBX)).expect(
            "order_after_document_header", "hl7.grammar.order", "rejected", why
        ),
        nacked("AE", err100, payload=mdm(MSH, EVN, PID, PV1, *OBX)).expect(
            "document_header_missing", "hl7.grammar.missing", "rejected", why
        ),
        broken(mdm(MSH, EVN, PID, TXA, *OBX)).expect("visit_missing", "hl7.grammar.missing", "rejected", why),
        broken(mdm(MSH, EVN, PID, PV1, TXA)).expect(
            "t02_without_text", ("hl7.grammar.missing", "hl7.msh.type"), "rejected", why + "; T02 needs OBX"
        ),
        broken(mdm(MSH, EVN, PID, PID, PV1, TXA, *OBX)).expect(
            "patient_twice", ("hl7.grammar.missing", "hl7.grammar.order"), "rejected", why + ": repeated where max 1"
        ),
        nacked("AE", ack101, payload=mdm(MSH, EVN, PID, PV1.replace("|O|", "||"), TXA, *OBX)).expect(
            "patient_class_empty", "hl7.field.required", "rejected", "2.3 hl7.field.required"
        ),
        broken(mdm(MSH, EVN, PID.replace("P-100^^^NORTH^MR", '""'), PV1, TXA, *OBX)).expect(
            "patient_id_null", "hl7.field.required", "rejected", '2.3 hl7.field.required: empty or ""'
        ),
        broken(mdm(MSH, EVN, PID, PV1, TXA.replace("T-100^SCRIBE", ""), *OBX)).expect(
            "document_number_empty", "hl7.field.required", "rejected", "2.3: TXA-12"
        ),
    ]


def texts() -> list[Trial]:
    why = "2.3 encoding, escape, linebreak, length"
    head = (MSH, EVN, PID, PV1, TXA)
    quote = mdm(*head, "OBX|1|TX|11506-3^Progress note^LN||Patient’s cough — improving||||||F")
    latin = msh(f18="8859/1")
    dash = mdm(latin, EVN, PID, PV1, TXA, "OBX|1|TX|11506-3^Progress note^LN||cough — improving||||||F")
    ascii_site = {"hl7": {"charset": "ASCII"}}
    utf8 = mdm(msh(f18="UNICODE UTF-8"), EVN, PID, PV1, TXA, "OBX|1|TX|11506-3^Progress note^LN||naïve café||||||F")
    raw = mdm(*head, "OBX|1|TX|11506-3^Progress note^LN||Labs: Na 140 | K 4.1 | Cl 102||||||F")
    amp = mdm(*head, "OBX|1|FT|11506-3^Progress note^LN||Assessment & Plan: cough \\ cold||||||F")
    feed = mdm(*head) + b"OBX|1|TX|11506-3^Progress note^LN||HPI: sore throat\nAssessment: viral\nPlan: rest||||||F\r"
    carriage = mdm(*head) + b"OBX|1|TX|11506-3^Progress note^LN||HPI: sore throat\rAssessment: viral||||||F\r"
    long = "The patient has had a cough for three days and slept badly. " * 20
    limit = {"hl7": {"field_limits": {"OBX-5": 1000}}}
    lengthy = mdm(*head, f"OBX|1|TX|11506-3^Progress note^LN||{long}||||||F")
    err = "ERR||OBX^1^5|102^Data type error^HL70357|E||||Value too long"
    cut = Story(protocol="hl7v2").delivered().payload(lengthy).chart(fields={"NOTE": long[:1000]})
    cut255 = Story(protocol="hl7v2").delivered().payload(lengthy).chart(fields={"NOTE": long[:255]})
    cut255.narrative(long)
    return [
        broken(quote).expect(
            "typographic_quote_undeclared", "hl7.encoding.undeclared", "rejected", why, certainty=PROVEN
        ),
        broken(dash).expect("dash_not_in_declared_set", "hl7.encoding.undeclared", "rejected", why),
        broken(utf8, integration=ascii_site).expect(
            "declared_but_site_takes_ascii", "hl7.encoding.undeclared", "rejected", why
        ),
        broken(raw).expect("pipe_not_escaped", "hl7.escape", "rejected", why),
        broken(amp).expect("backslash_not_escaped", "hl7.escape", "rejected", why),
        broken(feed).expect("line_feeds_in_text", "hl7.linebreak", "rejected", why),
        broken(carriage).expect("carriage_returns_in_text", "hl7.linebreak", "rejected", why),
        nacked("AE", err, payload=lengthy, integration=limit).expect(
            "over_the_site_limit", "hl7.field.length", "rejected", why + ": site limit wins"
        ),
        cut.expect("cut_at_a_thousand", "hl7.note.truncated", "partial", "2.3 hl7.note.truncated; row 14"),
        cut255.expect("cut_at_255", "hl7.note.truncated", "partial", "2.3 hl7.note.truncated; row 14"),
    ]


def acknowledgements() -> list[Trial]:
    why = "2.3 hl7.ack rows"
    unknown = nacked("AE", "ERR||PID^1^3|204^Unknown key identifier^HL70357|E|||Patient not found")
    locked = nacked("AE", "ERR||PV1^1^19|206^Application record locked^HL70357|E|||Record locked")
    inner = nacked("AE", "ERR|||207^Application internal error^HL70357|E|||ORA-00060")
    table = nacked("AE", "ERR||OBX^1^11|103^Table value not found^HL70357|E")
    commit = nacked("CE", "ERR|||207^Application internal error^HL70357|E")
    bare = nacked("AR", text="Rejected")
    acked = Story(protocol="hl7v2").made().sent().s("17:00:06", "acked", ack="AE", ack_id="T-100")
    silent = Story(protocol="hl7v2").made().sent().refused(None, "ACK timeout after 30 s")
    lost = Story(protocol="hl7v2").made().sent().refused(None, "No acknowledgment received within 30 seconds")
    lost.e("16:00:00", "filed", transaction_id="T-60")
    other = Story(protocol="hl7v2").made().sent().accepted(ack_id="T-099").e("17:00:05", "received")
    late = Story(protocol="hl7v2").made().sent().refused(None, ack("AA", "T-099"), ack="AA", ack_id="T-099")
    kept = Story(protocol="hl7v2").made().sent().refused(None, "ACK timeout after 2 s", "17:00:07", latency_ms=2000)
    kept.e("17:00:05", "received").e("17:00:10", "filed", ack="AA")
    negative = "hl7.ack.negative"
    return [
        unknown.expect(
            "patient_unknown_204",
            (negative, "map.patient.mismatch"),
            "rejected",
            "cases.md: ERR 204 is field_mapping",
            category="field_mapping",
        ),
        locked.expect(
            "record_locked_206",
            (negative, "perm.encounter.closed"),
            "rejected",
            "cases.md: 206",
            category="permissions",
        ),
        inner.expect(
            "internal_error_207", (negative, "ehr.server.error"), "rejected", "cases.md: 207", category="ehr_defect"
        ),
        commit.expect(
            "commit_error_207", (negative, "ehr.server.error"), "rejected", "cases.md: 207", category="ehr_defect"
        ),
        table.expect(
            "table_value_103", (negative, "hl7.field.table", "map.code.local_missing"), "rejected", why, sure=False
        ),
        bare.expect("refused_without_reason", negative, "rejected", why),
        acked.expect("negative_logged_as_acked", negative, "rejected", "cases.md log rows"),
        silent.expect("no_acknowledgement_no_ehr_log", "hl7.ack.missing", "unknown", why + "; row 5", sure=False),
        lost.expect("no_acknowledgement_nothing_arrived", "hl7.ack.missing", None, why + "; row 5"),
        other.expect("acknowledgement_of_another", "hl7.ack.mismatch", None, why, sure=False),
        late.expect("late_acknowledgement", "hl7.ack.mismatch", None, why + "; anchors 7 no. 9"),
        kept.expect(
            "filed_though_scribe_gave_up",
            ("scribe.timeout.short", "hl7.ack.missing"),
            "delivered",
            "2.7 scribe.timeout.short; row 6",
        ),
    ]


def trials() -> list[Trial]:
    return [*frames(), *headers(), *grammar(), *texts(), *acknowledgements()]
