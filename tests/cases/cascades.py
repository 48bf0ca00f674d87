"""Two faults at once, and one fault with many symptoms: one root, the rest named as what they are."""

from tests.cases import mapping as m
from tests.cases.auth import jwt, refused_with
from tests.cases.building import EVN, OBX, PID, PV1, TXA, Story, Trial, document, mdm, outcome
from tests.cases.hl7 import msh, nacked
from tests.cases.permission import denied, encounter, roles

EXPIRED = {"www-authenticate": 'Bearer error="invalid_token"'}


def trials() -> list[Trial]:
    why = "2.8 cascade examples; cases.md contributing: the lower layer is the root"
    both = Story().s("17:00:00", "generated").token("16:30:00").sent()
    both.refused(401, "", response_headers=EXPIRED).payload(document(category=None))
    kid = refused_with(jwt({"kid": None})).sent("17:00:08").refused(401, "", "17:00:09")
    tls = Story().made().token_refused(None, "certificate verify failed: certificate has expired")
    tls.sent("17:00:08", token_id=None).refused(401, "", "17:00:09", response_headers={"www-authenticate": "Bearer"})
    dns = Story().made().token().sent().refused(None, "getaddrinfo ENOTFOUND fhir.northcampus.example")
    dns.payload(document(status=None))
    proxy = Story().made().token().sent().refused(407, "", response_headers={"proxy-authenticate": "Basic"})
    proxy.payload('{"resourceType": "DocumentReference"')
    closed = denied().file("encounter", encounter(status="finished", signed=True)).file("roles", roles())
    closed.payload(document())
    scope = denied(scope="system/DocumentReference.rs").file("encounter", encounter(status="finished", signed=True))
    rate = Story().made().token().sent().refused(429, "").payload(document(type=None))
    secret = Story(integration={"auth": {"flow": "client-secret"}}).made()
    for minute in (0, 2, 4, 6):
        secret.token_refused(401, {"error": "invalid_client"}, f"17:0{minute}:03")
    grammar = nacked("AR", payload=mdm(msh(f11="T"), EVN, PID, TXA, PV1, *OBX))
    accent = "OBX|1|TX|11506-3^Progress note^LN||naïve café||||||F"
    chars = nacked("AR", payload=mdm(msh(f11="T"), EVN, PID, PV1, TXA, accent))
    renamed = m.template(version=8, changed_at="2026-11-22T06:00:00+00:00")
    renamed["fields"][1]["id"] = "HPI_NARR"
    lost = {k: v for k, v in m.FIELDS.items() if k != "HPI_TXT"} | {"PLAN_TXT": "", "ASMT_TXT": ""}
    lost["PLAN_TXT"] = m.SECTIONS["ASMT"] + " " + m.SECTIONS["PLAN"]
    patient = m.mapped(m.FIELDS | {"PLAN_TXT": "", "COMMENTS": m.SECTIONS["PLAN"]}, chart={"patient_id": "P-666"})
    refused = (
        Story().made().token().sent().refused(422, outcome("required", "category")).payload(document(category=None))
    )
    refused.file("encounter", encounter(status="in-progress"))
    transient = Story().made().token().sent(attempt=1).refused(None, "connect ETIMEDOUT 203.0.113.9:443", attempt=1)
    transient.sent("17:01:00", attempt=2).refused(422, outcome("required"), "17:01:01", attempt=2).payload(
        document(type=None)
    )
    wire = Story(protocol="hl7v2").made().sent().refused(None, "Connection refused")
    wire.payload(mdm(msh(), EVN, PID, PV1, TXA, accent))
    key204 = nacked("AE", "ERR||PID^1^3|204^Unknown key identifier^HL70357|E").chart(found=False)
    key204.files["filed.json"] = {"found": False}
    return [
        both.expect(
            "expired_token_and_no_category",
            "auth.token.expired",
            "rejected",
            why,
            contributing=("fhir.payload.required",),
        ),
        kid.expect(
            "no_kid_then_401",
            "auth.assertion.kid",
            ("never_sent", "rejected"),
            why,
            never=("auth.token.expired", "net.proxy.auth_stripped"),
        ),
        tls.expect(
            "token_host_expired_then_401",
            "net.tls.expired",
            ("never_sent", "rejected"),
            why,
            never=("net.proxy.auth_stripped", "auth.client.invalid"),
        ),
        dns.expect(
            "unknown_host_and_no_status", "net.dns.nxdomain", "never_sent", why, contributing=("fhir.payload.required",)
        ),
        proxy.expect(
            "proxy_and_broken_json", "net.proxy.407", "rejected", why, contributing=("fhir.payload.structure",)
        ),
        closed.expect(
            "closed_with_full_scopes", "perm.encounter.closed", "rejected", why, never=("perm.scope.write_missing",)
        ),
        scope.expect("no_scope_and_closed", "perm.scope.write_missing", "rejected", why + ": L7 before L10"),
        rate.expect("rate_and_no_type", "net.rate.limited", "rejected", why, contributing=("fhir.payload.required",)),
        secret.expect(
            "four_failed_token_requests", "auth.client.invalid", "never_sent", why, never=("scribe.note.not_sent",)
        ),
        grammar.expect(
            "training_message_out_of_order",
            "hl7.msh.processing_id",
            "rejected",
            why,
            contributing=("hl7.grammar.order",),
        ),
        chars.expect(
            "training_message_with_accents",
            ("hl7.msh.processing_id", "hl7.encoding.undeclared"),
            "rejected",
            "both L8, D",
        ),
        m.mapped(lost, template=renamed).expect(
            "renamed_field_and_misrouted", ("tmpl.field.unknown", "map.section.misrouted"), "misplaced", "2.4"
        ),
        patient.expect(
            "wrong_patient_and_comments",
            "map.patient.mismatch",
            "misplaced",
            "section 5 precedence",
            contributing=("tmpl.catchall",),
        ),
        refused.expect(
            "required_told_and_seen",
            "fhir.payload.required",
            "rejected",
            "one cause, two witnesses",
            certainty=("proven",),
        ),
        transient.expect(
            "first_timeout_then_refused",
            "fhir.payload.required",
            "rejected",
            "section 5: last answer decides",
            sure=False,
        ),
        wire.expect(
            "port_closed_and_accents", "net.tcp.refused", "never_sent", why, contributing=("hl7.encoding.undeclared",)
        ),
        key204.expect(
            "patient_unknown_and_not_filed",
            ("hl7.ack.negative", "map.patient.mismatch"),
            "rejected",
            "2.3",
            category="field_mapping",
        ),
    ]
