"""The settings: what is written, what is refused, and secrets that never come back."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.integrations.case_parts import join
from console.integrations.models import Integration, Source
from console.integrations.services import fingerprint
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db

SECRET, REFRESH = "planted-secret-4711", "planted-refresh-0815"
HOME = {"fhir_base_url": "https://ehr.example/fhir", "auth": {"flow": "client-secret", "token_url": "https://ehr.example/token",
        "client_id": "nt"}}  # fmt: skip


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def engineer(facility):
    return a_person(facility, Role.INTEGRATION_ENGINEER)


@pytest.fixture
def line(facility):
    return an_integration(
        facility, settings=HOME, secrets={"auth.client_secret": SECRET, "auth.refresh_token": REFRESH}
    )


def where(line) -> str:
    return f"/integrations/{line.id}/settings/"


def entered(line, **more: Any) -> dict[str, Any]:
    """Give the form as a browser sends it back unchanged, with what somebody changed."""
    line = Integration.objects.get(pk=line.pk)
    auth = line.settings.get("auth") or {}
    form = {
        "name": line.name, "vendor": line.vendor, "protocol": line.protocol, "environment": line.environment,
        "active": "on", "fhir_base_url": line.settings.get("fhir_base_url", ""), "auth_flow": auth.get("flow", "none"),
        "auth_token_url": auth.get("token_url", ""), "auth_client_id": auth.get("client_id", ""),
        "seen": fingerprint(line),
    }  # fmt: skip
    return form | more


def secrets_of(line) -> dict[str, str]:
    return Integration.objects.get(pk=line.pk).secrets or {}


def test_settings_are_written_as_the_engine_reads_them(engineer, line) -> None:
    sent = entered(
        line, vendor="epic", auth_scopes="system/DocumentReference.c  system/Patient.r", hl7_port="2575",
        hl7_field_limits="OBX-5 = 65536\n\nOBX-3=20", timeout_s="2.5", canary_patient="TEST-1", hl7_tls="on",
        resources_needed="DocumentReference, Observation",
    )  # fmt: skip
    assert logged_in(engineer).post(where(line), sent).status_code == 302
    part = join(Integration.objects.get(pk=line.pk))
    assert part.vendor == "epic"
    assert part.auth.scopes == ("system/DocumentReference.c", "system/Patient.r")
    assert (part.hl7.port, part.hl7.tls, part.hl7.field_limits) == (2575, True, {"OBX-5": 65536, "OBX-3": 20})
    assert part.resources_needed == ("DocumentReference", "Observation")
    assert (part.timeout_s, part.canary.patient) == (2.5, "TEST-1")
    assert part.auth.client_secret == SECRET


def test_saving_without_a_change_changes_nothing_and_records_nothing(engineer, line) -> None:
    before = Integration.objects.get(pk=line.pk)
    assert logged_in(engineer).post(where(line), entered(line)).status_code == 302
    after = Integration.objects.get(pk=line.pk)
    assert (after.settings, after.secrets) == (before.settings, before.secrets)
    assert fingerprint(after) == fingerprint(before)
    assert not AuditEntry.objects.filter(action="integration.changed").exists()


def test_what_the_form_does_not_show_stays(engineer, line) -> None:
    line.settings = {**HOME, "segments": [{"name": "dmz"}]}
    line.save()
    logged_in(engineer).post(where(line), entered(line, auth_client_id="other"))
    assert Integration.objects.get(pk=line.pk).settings["segments"] == [{"name": "dmz"}]


def test_the_audit_trail_names_the_fields_and_holds_no_value(engineer, line) -> None:
    logged_in(engineer).post(where(line), entered(line, auth_client_id="other", new_client_secret="fresh-secret"))
    entry = AuditEntry.objects.get(action="integration.changed")
    assert entry.detail == {
        "changed": ["auth_client_id"], "secrets_set": ["auth.client_secret"], "secrets_removed": []
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fhir_base_url": "ftp://ehr.example"}, "This is not an address"),
        ({"fhir_base_url": "https://user:pw@ehr.example/"}, "Write no user or password into an address"),
        ({"auth_token_url": "https://ehr.example:99999/token"}, "This is not an address"),
        ({"hl7_port": "70000"}, "Expected int &lt;= 65535"),
        ({"hl7_port": "0"}, "Expected int &gt;= 1"),
        ({"hl7_port": "x"}, "A port is a number"),
        ({"timeout_s": "900"}, "Expected float &lt;= 60.0"),
        ({"timeout_s": "nan"}, "Write a number"),
        ({"rate_limit_per_minute": "0"}, "Expected int &gt;= 1"),
        ({"vendor": "unknown"}, "Select a valid choice"),
        ({"hl7_field_limits": "OBX-5"}, "Line 1: expected a field and a length"),
        ({"ca_bundle": "no certificate"}, "This holds no certificate in PEM form"),
        ({"new_private_key": "planted-no-key"}, "This is no private key in PEM form"),
        ({"canary_encounter": "E-1"}, "name the test patient as well"),
        ({"name": ""}, "Give the integration a name"),
    ],
)
def test_a_wrong_setting_is_named_beside_its_field_and_nothing_is_saved(engineer, line, change, says) -> None:
    before = Integration.objects.get(pk=line.pk).settings
    answer = logged_in(engineer).post(where(line), entered(line, auth_client_id="kept-entry", **change))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert "kept-entry" in page
    assert "planted-no-key" not in page
    assert Integration.objects.get(pk=line.pk).settings == before


def test_secrets_are_in_no_answer(engineer, line) -> None:
    client = logged_in(engineer)
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    fresh = {"new_client_secret": "planted-fresh-1", "new_private_key": key.decode()}
    answers = [
        client.post(where(line), entered(line, fhir_base_url="odd", **fresh)),
        client.post(where(line), entered(line, seen="stale", **fresh)),
        client.post(where(line), entered(line, **fresh), follow=True),
        *(client.get(at) for at in ("/integrations/", f"/integrations/{line.id}/", where(line), "/integrations/new/")),
        client.get(f"/integrations/{line.id}/live/"),
        client.post(f"/integrations/{line.id}/guide/", {"runbook_url": "x"}),
    ]
    assert secrets_of(line)["auth.private_key"] == base64.b64encode(key).decode()
    middle = key.decode().splitlines()[1]
    for answer in answers:
        page = answer.content.decode()
        for planted in (SECRET, REFRESH, "planted-fresh-1", middle, base64.b64encode(key).decode()[40:80]):
            assert planted not in page
    shown = answers[4].content.decode()
    assert "Client secret: <b>set</b>" in shown


def test_an_empty_box_keeps_a_secret_and_the_box_beside_it_removes_it(engineer, line) -> None:
    client = logged_in(engineer)
    client.post(where(line), entered(line, auth_client_id="other"))
    assert secrets_of(line) == {"auth.client_secret": SECRET, "auth.refresh_token": REFRESH}
    client.post(where(line), entered(line, drop_refresh_token="on"))
    assert secrets_of(line) == {"auth.client_secret": SECRET}
    client.post(where(line), entered(line, new_client_secret="another"))
    assert secrets_of(line) == {"auth.client_secret": "another"}


@pytest.mark.parametrize(
    "change",
    [
        {"auth_token_url": "https://evil.example/token"},
        {"auth_token_url": "http://ehr.example/token"},
        {"auth_token_url": "https://ehr.example:8443/token"},
        {"auth_token_url": ""},
        {"fhir_base_url": "https://evil.example/fhir"},
        {"write_url": "https://evil.example/notes"},
        {"auth_authorization_server": "https://evil.example"},
        {"proxy": "http://evil.example:3128"},
        {"resolver": "192.0.2.1"},
    ],
)
def test_another_address_takes_the_stored_secrets_away_and_says_so(engineer, line, change) -> None:
    client = logged_in(engineer)
    answer = client.post(where(line), entered(line, **change), follow=True)
    assert secrets_of(line) == {}
    page = answer.content.decode()
    assert "client secret, refresh token" in page
    assert "Enter them again" in page
    assert "Client secret: <b>not set</b>" in page
    assert AuditEntry.objects.get(action="integration.changed").detail["secrets_removed"] == [
        "auth.client_secret", "auth.refresh_token",
    ]  # fmt: skip


def test_a_secret_entered_with_the_new_address_stays(engineer, line) -> None:
    sent = entered(line, auth_token_url="https://new.example/token", new_client_secret="for-the-new-one")
    logged_in(engineer).post(where(line), sent)
    assert secrets_of(line) == {"auth.client_secret": "for-the-new-one"}


@pytest.mark.parametrize(
    "change", [{"auth_token_url": "https://EHR.example:443/other/path"}, {"fhir_base_url": "https://ehr.example/r4"}]
)
def test_another_path_at_the_same_address_keeps_the_secrets(engineer, line, change) -> None:
    logged_in(engineer).post(where(line), entered(line, **change))
    assert secrets_of(line) == {"auth.client_secret": SECRET, "auth.refresh_token": REFRESH}


def test_a_stored_address_that_is_none_can_be_put_right(engineer, line) -> None:
    line.settings = {**HOME, "write_url": "https://ehr.example:99999/notes"}
    line.save()
    page = logged_in(engineer).get(where(line))
    assert page.status_code == 200
    sent = entered(line, write_url="https://ehr.example/notes")
    assert logged_in(engineer).post(where(line), sent).status_code == 302
    assert secrets_of(line) == {}


def test_the_second_of_two_editors_sees_both_and_loses_nothing(engineer, line) -> None:
    client = logged_in(engineer)
    first, second = entered(line, auth_client_id="first"), entered(line, auth_client_id="second")
    assert client.post(where(line), first).status_code == 302
    answer = client.post(where(line), second)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Somebody saved other settings while you edited" in page
    assert 'value="second"' in page
    assert "<td>first</td>" in page
    assert Integration.objects.get(pk=line.pk).settings["auth"]["client_id"] == "first"
    again = second | {"seen": answer.context["page"].seen}
    assert client.post(where(line), again).status_code == 302
    assert Integration.objects.get(pk=line.pk).settings["auth"]["client_id"] == "second"


def test_a_secret_set_meanwhile_counts_as_an_edit(engineer, line) -> None:
    client = logged_in(engineer)
    mine = entered(line, auth_client_id="mine")
    client.post(where(line), entered(line, new_client_secret="set-meanwhile"))
    assert client.post(where(line), mine).status_code == 422


def test_a_new_integration_is_made_with_its_source(facility, engineer) -> None:
    sent = {
        "facility": str(facility.id), "name": "Clinics", "vendor": "epic", "protocol": "fhir",
        "environment": "sandbox", "active": "on", "fhir_base_url": "https://ehr.example/fhir",
        "auth_flow": "client-secret", "new_client_secret": "fresh",
    }  # fmt: skip
    answer = logged_in(engineer).post("/integrations/new/", sent)
    made = Integration.objects.get(name="Clinics")
    assert answer.url == f"/integrations/{made.id}/"
    assert (made.facility, made.secrets) == (facility, {"auth.client_secret": "fresh"})
    assert Source.objects.get(integration=made).time_zone == facility.time_zone
    again = logged_in(engineer).post("/integrations/new/", sent)
    assert again.status_code == 422
    assert "Another integration of this facility has this name." in again.content.decode()


def test_nobody_makes_an_integration_at_another_facility(engineer) -> None:
    foreign = a_facility()
    sent = {"facility": str(foreign.id), "name": "X", "vendor": "epic", "protocol": "fhir", "environment": "sandbox"}
    assert logged_in(engineer).post("/integrations/new/", sent).status_code == 422
    assert not Integration.objects.filter(facility=foreign).exists()
