"""Step 5 and what lies outside the six categories: grants, encounters, authorship, and the scribe's own faults."""

from typing import Any

from tests.cases.building import Story, Trial, document, outcome

GRANTS = ["document:read", "document:write", "encounter:read", "encounter:write", "problem:write", "order:write"]


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


def scopes() -> list[Trial]:
    why = "2.6 perm.scope.write_missing: SMART v1 and v2 grammar"
    said = {"www-authenticate": 'Bearer error="insufficient_scope", scope="system/DocumentReference.c"'}
    both = Story().made().token(scope="system/DocumentReference.rs system/Patient.rs")
    both.s(
        "17:00:04", "sent", method="GET", url="https://fhir.northcampus.example/r4/Patient/P-100", transaction_id=None
    )
    both.s(
        "17:00:04",
        "acked",
        method="GET",
        url="https://fhir.northcampus.example/r4/Patient/P-100",
        status=200,
        transaction_id=None,
    )
    both.sent().refused(403, outcome("forbidden"))
    read = Story().made().token(scope=None)
    read.e("16:58:00", "received", transaction_id=None, resource="Patient/P-100", status=200)
    read.e("16:58:01", "accepted", transaction_id=None, resource="DocumentReference?patient=P-100", status=200)
    read.sent().refused(403, outcome("forbidden")).e("17:00:05", "rejected", status=403)
    quiet = Story().token(scope=None)
    for path in ("Patient/P-100", "Encounter/E-100"):
        url = f"https://fhir.northcampus.example/r4/{path}"
        quiet.s("17:00:04", "sent", note_id=None, transaction_id=None, method="GET", url=url)
        quiet.s("17:00:04", "acked", note_id=None, transaction_id=None, method="GET", url=url, status=200)
    quiet.made().sent().refused(403, outcome("forbidden"))
    missing = "perm.scope.write_missing"
    return [
        quiet.expect("reads_without_note_id_then_denied", "perm.read_ok_write_denied", "rejected", "2.6"),
        denied(scope="system/DocumentReference.read system/Patient.read").expect(
            "v1_read_only", missing, "rejected", why
        ),
        denied(scope="system/DocumentReference.rs system/Encounter.rs").expect(
            "v2_read_only", missing, "rejected", why
        ),
        denied(scope="system/*.rs").expect("v2_wildcard_read", missing, "rejected", why),
        denied(scope="system/DocumentReference.sc").expect(
            "v2_letters_out_of_order", missing, "rejected", why + ": .sc undefined"
        ),
        denied(scope="system/Composition.c system/DocumentReference.u").expect(
            "v2_update_no_create", missing, "rejected", why
        ),
        denied(headers=said, error="", scope=None).expect(
            "insufficient_scope_header", missing, "rejected", "2.6 http403.classify; RFC 6750 3.1"
        ),
        both.expect("reads_well_token_has_no_create", (missing, "perm.read_ok_write_denied"), "rejected", why),
        read.expect(
            "reads_well_writes_denied", "perm.read_ok_write_denied", "rejected", "2.6 perm.read_ok_write_denied"
        ),
    ]


def grants() -> list[Trial]:
    why = "2.6 rbac.matrix / drift"
    lost = denied().file("roles", roles("document:write", changed_at="2026-11-21T22:00:00+00:00"))
    lost.change(
        "2026-11-21T22:00:00+00:00", "role", "svc-scribe grants", "document:read document:write", "document:read"
    )
    lost.s("2026-11-21T15:00:00+00:00", "sent", note_id="N-50", transaction_id="T-50")
    lost.s("2026-11-21T15:00:01+00:00", "acked", note_id="N-50", transaction_id="T-50", status=201)
    flow = denied(vendor="athenapractice", error=outcome("processing", "Not authorized"))
    flow.file("roles", roles("document:write", "encounter:write"))
    return [
        denied()
        .file("roles", roles("document:write"))
        .expect("grant_missing_in_matrix", ("perm.rbac.matrix", "perm.read_ok_write_denied"), "rejected", why),
        denied()
        .file("roles", roles("encounter:write"))
        .expect("encounter_grant_missing", "perm.rbac.matrix", "rejected", why),
        flow.expect("practice_not_authorized", "perm.rbac.matrix", "rejected", "3.3 athenaPractice 403"),
        lost.expect(
            "grant_lost_in_upgrade", ("perm.drift", "perm.rbac.matrix"), "rejected", why + ": D if lost = needed"
        ),
        denied()
        .file("roles", roles(active=False))
        .expect(
            "ehr_account_inactive",
            ("perm.account.inactive", "auth.client.deactivated"),
            "rejected",
            "2.6 perm.account.inactive",
        ),
    ]


def encounters() -> list[Trial]:
    why = "2.6 perm.encounter / department rows"
    closed = encounter(status="finished", signed=True)
    ecw = denied(422, outcome("business-rule", "ENCOUNTER_IS_LOCKED", coding="139"), vendor="eclinicalworks")
    spoken = denied(409, outcome("business-rule", "The encounter has been signed and is closed to new documentation"))
    owner = denied(error=outcome("forbidden", "User is not the encounter provider"))
    owner.file("encounter", encounter(owner="prov-22")).file("roles", roles())
    epic = denied(403, outcome("forbidden", "Break-the-Glass security blocks access", coding="4130"), vendor="epic")
    psych = denied().file("encounter", encounter(department="behavioral-health", confidentiality="R"))
    psych.file("roles", roles(departments=["internal-medicine"]))
    dept = (
        denied()
        .file("encounter", encounter(department="cardiology"))
        .file("roles", roles(departments=["internal-medicine"]))
    )
    told = denied(error=outcome("forbidden", "Confidential department: access restricted"))
    told.file("encounter", encounter(department="behavioral-health", confidentiality="V")).file("roles", roles())
    return [
        denied(403)
        .file("encounter", closed)
        .file("roles", roles())
        .expect("encounter_signed_403", "perm.encounter.closed", "rejected", "2.8 cascade 5"),
        denied(422, outcome("business-rule", "Encounter closed"))
        .file("encounter", closed)
        .expect("encounter_closed_422", "perm.encounter.closed", "rejected", why),
        ecw.expect("ecw_locked_139", "perm.encounter.closed", "rejected", why + ", 3.3"),
        spoken.expect("closed_only_in_words", "perm.encounter.closed", "rejected", why),
        owner.expect("encounter_of_another_provider", "perm.encounter.owner", "rejected", why),
        epic.expect("epic_break_the_glass", "perm.department.restricted", "rejected", why + ", 3.3 4130"),
        psych.expect("behavioral_health_not_granted", "perm.department.restricted", "rejected", why),
        told.expect("very_restricted_encounter", "perm.department.restricted", "rejected", why),
        dept.expect(
            "department_not_in_roles", ("perm.department.restricted", "perm.rbac.matrix"), "rejected", why, sure=False
        ),
    ]


def authorship() -> list[Trial]:
    why = "2.6 perm.attribution.wrong"
    service = Story().delivered().chart(author_id="svc-scribe")
    logged = Story().made().token().sent().accepted().ehr_filed(author_id="svc-scribe").chart(author_id=None)
    other = (
        Story().delivered().payload(document(author=[{"reference": "Practitioner/prov-22"}])).chart(author_id="prov-22")
    )
    return [
        service.expect("service_account_as_author", "perm.attribution.wrong", ("delivered", "misplaced"), why),
        logged.expect("service_account_in_audit", "perm.attribution.wrong", ("delivered", "misplaced"), why),
        other.expect("another_provider_as_author", "perm.attribution.wrong", ("delivered", "misplaced"), why),
    ]


def scribe() -> list[Trial]:
    why = "2.7 scribe rows"
    silent = Story()
    silent.s("16:00:00", "generated", note_id="N-90").s("16:00:05", "sent", note_id="N-90", transaction_id="T-90")
    silent.s("16:00:06", "acked", note_id="N-90", transaction_id="T-90", status=201)
    silent.e("16:00:05", "filed", transaction_id="T-90")
    queued = Story().s("15:00:00", "generated").s("15:00:02", "packaged").s("15:00:03", "queued")
    queued.e("16:00:05", "filed", transaction_id="T-90")
    bare = Story().s("12:00:00", "generated").e("16:00:05", "filed", transaction_id="T-90")
    twice = Story().made().token().sent().accepted()
    twice.sent("17:02:00", transaction_id="T-101").accepted("17:02:01", transaction_id="T-101")
    twice.e("17:00:06", "filed", resource="DocumentReference/D-900", encounter_id="E-100", patient_id="P-100")
    twice.e(
        "17:02:01",
        "filed",
        transaction_id="T-101",
        resource="DocumentReference/D-901",
        encounter_id="E-100",
        patient_id="P-100",
    )
    lost = Story().made().token().sent().refused(None, "Read timed out. (read timeout=10)", "17:00:15")
    lost.sent("17:01:00", transaction_id="T-101", attempt=2).accepted("17:01:01", transaction_id="T-101", attempt=2)
    lost.e("17:00:12", "filed", resource="DocumentReference/D-900", encounter_id="E-100", patient_id="P-100")
    lost.e(
        "17:01:01",
        "filed",
        transaction_id="T-101",
        resource="DocumentReference/D-901",
        encounter_id="E-100",
        patient_id="P-100",
    )
    short = (
        Story()
        .made()
        .token()
        .sent()
        .refused(None, "canceled: request timeout of 2000ms exceeded", "17:00:07", latency_ms=2000)
    )
    short.e("17:00:05", "received").e("17:00:11", "filed", resource="DocumentReference/D-900", status=201)
    return [
        silent.expect("never_generated", "scribe.note.not_generated", "not_generated", why + "; row 1"),
        queued.expect("left_in_the_queue", "scribe.note.not_sent", "never_sent", why + "; row 2"),
        bare.expect("generated_then_nothing", "scribe.note.not_sent", "never_sent", why + "; row 2"),
        twice.expect("sent_again_after_success", "scribe.retry.duplicate", "duplicate", why + "; row 17"),
        lost.expect("sent_again_after_lost_answer", "scribe.retry.duplicate", "duplicate", why + "; row 17"),
        short.expect("scribe_gave_up_after_2_s", "scribe.timeout.short", "delivered", why + "; row 6"),
    ]


def trials() -> list[Trial]:
    return [*scopes(), *grants(), *encounters(), *authorship(), *scribe()]
