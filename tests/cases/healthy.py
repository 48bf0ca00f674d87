"""Notes that are where they belong, dressed in what misleads: no cause may be named."""

import base64
from typing import Any

from tests.cases import mapping as m
from tests.cases.building import EVN, NARRATIVE, OBX, PID, PV1, TXA, Story, Trial, document, mdm
from tests.cases.hl7 import msh
from tests.cases.permission import encounter, roles


def good(**story: Any) -> Story:
    return Story(**story).delivered().payload().chart()


def v2(payload: Any = None, **story: Any) -> Story:
    return Story(protocol="hl7v2", **story).delivered().payload(payload).chart()


def offset(seconds: int) -> Story:
    """The EHR's clock runs ahead."""
    story = Story().made().token().sent().accepted()
    for n in range(8):
        story.s(f"16:{n:02}:00", "sent", note_id=f"N-{n}", transaction_id=f"T-{n}")
        story.s(f"16:{n:02}:01", "acked", note_id=f"N-{n}", transaction_id=f"T-{n}", status=201)
        story.e(f"16:{n:02}:{seconds:02}", "filed", transaction_id=f"T-{n}", resource=f"DocumentReference/D-{n}")
    return story.e(f"17:00:{seconds + 5}", "filed", resource="DocumentReference/D-900", encounter_id="E-100").chart()


def fhir() -> list[Trial]:
    why = "0 causes"
    later = (
        Story().made().token().sent().accepted(status=202, response_headers={}).e("17:00:05", "received", status=202)
    )
    later.e("17:10:00", "filed", resource="DocumentReference/D-900", encounter_id="E-100", patient_id="P-100").chart()
    retried = Story().made().token().sent(attempt=1).refused(503, "", attempt=1)
    retried.sent("17:02:00", attempt=2).accepted("17:02:01", attempt=2)
    retried.e("17:02:01", "filed", resource="DocumentReference/D-900", encounter_id="E-100", patient_id="P-100").chart()
    contained = document(
        author=[{"reference": "#p1"}],
        contained=[{"resourceType": "Practitioner", "id": "p1", "name": [{"family": "Doe"}]}],
    )
    absolute = document(subject={"reference": "https://fhir.northcampus.example/r4/Patient/P-100"})
    wrapped = "\r\n".join(base64.encodebytes(NARRATIVE.encode()).decode().split("\n"))
    folded = document(content=[{"attachment": {"contentType": "text/plain; charset=utf-8", "data": wrapped}}])
    opaque = Story().made().token(token_id="opaque-1", scope=None, expires_in=None).sent(token_id="opaque-1").accepted()
    finished = good().file("encounter", encounter(status="finished", signed=True)).file("roles", roles())
    addendum = good().chart(fields={"NOTE": NARRATIVE + "\nAddendum by Dr Doe: seen again, improving."})
    route = (
        Story(
            vendor="athenahealth",
            base="https://api.platform.athenahealth.com/fhir/r4",
            integration={
                "write_url": "https://api.platform.athenahealth.com/v1/195900/patients/P-100/documents/clinicaldocument"
            },
        )
        .made()
        .token()
    )
    url = route.integration["write_url"]
    route.sent(url=url, content_type="application/x-www-form-urlencoded")
    route.accepted(
        url=url, status=200, error='{"success":true,"clinicaldocumentid":"900"}', response_headers={}
    ).ehr_filed().chart()
    zone = Story().s("2026-11-22T12:00:00-05:00", "generated").token("2026-11-22T12:00:03-05:00")
    zone.sent("2026-11-22T18:00:05+01:00").accepted("2026-11-22T18:00:06+01:00").ehr_filed().chart()
    bare = Story().made().token().sent().accepted()
    bare.e(
        "17:00:06",
        "filed",
        encounter_id="Encounter/E-100",
        patient_id="Patient/P-100",
        resource="DocumentReference/D-900",
    ).chart()
    audit = Story().made().token().sent().accepted().chart()
    audit.log("ehr", [audit_event()])
    crowd = good()
    for n in range(5):
        crowd.s("17:00:04", "sent", note_id=f"N-{n}", transaction_id=f"T-{n}")
        crowd.refused(401, "", "17:00:06", note_id=f"N-{n}", transaction_id=f"T-{n}")
    return [
        good().expect("plain", None, "delivered", why),
        Story()
        .made()
        .token()
        .sent()
        .accepted()
        .chart()
        .expect("no_ehr_log_but_chart", None, "delivered", why + "; row 10"),
        Story().delivered().expect("no_chart_but_filed_in_log", None, "delivered", why + "; row 10"),
        Story(scribe=[]).ehr_filed().chart().expect("no_scribe_log", None, "delivered", why + "; row 19"),
        later.expect("held_then_filed", None, "delivered", why + ": 202 then filed"),
        retried.expect("failed_once_then_filed", None, "delivered", why + ": later success", sure=False),
        offset(45).expect("ehr_clock_45_s_ahead", None, "delivered", why + ": clock offset"),
        good().payload(contained).expect("contained_author", None, "delivered", why + ": contained refs allowed"),
        good().payload(absolute).expect("absolute_reference_to_own_base", None, "delivered", why),
        good().payload(folded).expect("base64_with_line_breaks", None, "delivered", why + ": whitespace tolerated"),
        opaque.ehr_filed().chart().expect("opaque_token", None, "delivered", why),
        finished.expect("encounter_finished_but_filed", None, "delivered", why + ": finished != signed"),
        addendum.payload(document()).expect("provider_addendum", None, "delivered", why + ": provider edits"),
        route.expect("separate_write_route", None, "delivered", why + ": trap 2"),
        zone.expect("three_time_zones", None, "delivered", why),
        bare.expect("ids_with_and_without_type", None, "delivered", why + ": Encounter/E-1 = E-1"),
        audit.expect("audit_event_as_ehr_log", None, "delivered", why + ": AuditEvent rows"),
        crowd.expect("others_failed_this_did_not", None, "delivered", why),
    ]


def audit_event() -> dict[str, Any]:
    """A create as a FHIR server records it."""
    return {
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "create"}],
        "action": "C",
        "recorded": "2026-11-22T17:00:06Z",
        "outcome": "0",
        "agent": [{"who": {"identifier": {"value": "scribe-writer"}}, "requestor": True}],
        "source": {"observer": {"display": "ehr"}},
        "entity": [
            {"what": {"reference": "DocumentReference/D-900"}},
            {"what": {"reference": "Patient/P-100"}},
            {"what": {"reference": "Encounter/E-100"}},
        ],
    }


def hl7() -> list[Trial]:
    why = "0 causes"
    utf8 = mdm(
        msh(f18="UNICODE UTF-8"), EVN, PID, PV1, TXA, "OBX|1|TX|11506-3^Progress note^LN||Patient’s café — ok||||||F"
    )
    zed = mdm(msh(), EVN, PID, PV1, "ZPV|1|local", TXA, *OBX, "ZNT|1|x")
    escaped = mdm(
        msh(), EVN, PID, PV1, TXA, "OBX|1|FT|11506-3^Progress note^LN||A \\T\\ P: rest\\.br\\fluids \\F\\ sleep||||||F"
    )
    framed = b"\x0b" + mdm() + b"\x1c\r"
    repeats = mdm(msh(), EVN, PID, PV1, TXA, "OBX|1|TX|11506-3^Progress note^LN||HPI: cough~Plan: rest||||||F")
    unanswered = (
        Story(protocol="hl7v2").made().sent().s("17:00:06", "acked", ack="CA", ack_id="T-100").ehr_filed().chart()
    )
    return [
        v2().expect("plain_mdm", None, "delivered", why),
        v2(mdm(end="\r\n")).expect("crlf_segments", None, "delivered", why + ": CRLF is normalised"),
        v2(mdm(end="\n")).expect("lf_segments", None, "delivered", why + ": cases.md: CR, LF or CRLF"),
        v2(utf8).expect("utf8_declared", None, "delivered", why + ": declared UTF-8"),
        v2(zed).expect("z_segments", None, "delivered", why + ": Z segments skip"),
        v2(escaped).expect("escapes_in_place", None, "delivered", why),
        v2(repeats).expect("repetitions_as_lines", None, "delivered", why),
        v2(framed).expect("frame_captured", None, "delivered", why),
        unanswered.expect("commit_then_filed", None, "delivered", why + ": CA and filed"),
    ]


def mapped() -> list[Trial]:
    why = "0 causes"
    apso = "Assessment: Viral pharyngitis without complication.\n\nPlan: Rest and fluids, return if the fever persists "
    apso += (
        "the weekend.\n\nCC: Sore throat for three days.\n\nHPI: "
        + m.SECTIONS["HPI"]
        + "\n\nExam: "
        + m.SECTIONS["PE"]
        + "\n"
    )
    joint = NARRATIVE.replace("Assessment: ", "A/P: ").replace("\n\nPlan: ", " ")
    combined = m.rules()
    combined["rules"] = [r for r in combined["rules"] if r["section"] not in ("assessment", "plan")]
    combined["rules"].append({"section": "assessment_plan", "field": "ASMT_TXT"})
    both = m.FIELDS | {"ASMT_TXT": m.SECTIONS["ASMT"] + " " + m.SECTIONS["PLAN"]}
    both.pop("PLAN_TXT")
    design = m.rules(move={"plan": "COMMENTS"})
    comments = {k: v for k, v in m.FIELDS.items() if k != "PLAN_TXT"} | {"COMMENTS": m.SECTIONS["PLAN"]}
    diabetes = NARRATIVE.replace("Viral pharyngitis without complication.", "Type 2 diabetes (E11.9), well-controlled.")
    sugar = m.FIELDS | {"ASMT_TXT": "Type 2 diabetes (E11.9), well-controlled."}
    warned = NARRATIVE.replace("Viral pharyngitis without complication.", "Type 2 diabetes (E11.65), well-controlled.")
    odd = m.FIELDS | {"ASMT_TXT": "Type 2 diabetes (E11.65), well-controlled."}
    past = NARRATIVE.replace("No cough was noted at home.", "Home BP 150/90 at last visit. No cough was noted at home.")
    home = m.FIELDS | {"HPI_TXT": m.SECTIONS["HPI"].replace("No cough", "Home BP 150/90 at last visit. No cough")}
    token = NARRATIVE.replace("Rest and fluids", "Vitamin B12 and A1c, T4 next week; rest and fluids")
    labs = m.FIELDS | {
        "PLAN_TXT": m.SECTIONS["PLAN"].replace("Rest and fluids", "Vitamin B12 and A1c, T4 next week; rest and fluids")
    }
    spaced = {k: v.replace(". ", ".\n  ") for k, v in m.FIELDS.items()}
    old = m.template(version=7, changed_at="2026-03-01T08:00:00+00:00")
    known = [{"kind": "condition", "code": "E11.9", "value": ""}]
    flagged = [{"kind": "condition", "code": "E11.65", "value": ""}]
    return [
        m.mapped(m.FIELDS, discrete=[]).expect("every_section_in_place", None, "delivered", why),
        m.mapped(m.FIELDS, apso).expect("apso_order", None, "delivered", why + ": APSO"),
        m.mapped(both, joint, mapping=combined).expect("assessment_and_plan_in_one", None, "delivered", why),
        m.mapped(comments, mapping=design).expect(
            "comments_by_design", None, "delivered", why + ": catch-all by design"
        ),
        m.mapped(sugar, diabetes, discrete=known).expect("e119_well_controlled", None, "delivered", why + ": trap 7"),
        m.mapped(odd, warned, discrete=flagged).expect(
            "e1165_is_only_a_warning", None, "delivered", "cases.md warnings"
        ),
        m.mapped(home, past, discrete=[]).expect("home_pressure_is_history", None, "delivered", why + ": history cues"),
        m.mapped(labs, token, discrete=[]).expect("vitamins_are_no_codes", None, "delivered", why + ": look-alikes"),
        m.mapped(spaced).expect("white_space_folded", None, "delivered", why),
        m.mapped(m.FIELDS, template=old).expect("template_changed_long_ago", None, "delivered", why),
    ]


def trials() -> list[Trial]:
    return [*fhir(), *hl7(), *mapped()]
