"""What is sealed stays sealed, stays where it is, and is found all the same."""

import uuid

import psycopg
import pytest
from django.db import connection

from console.accounts.keys import add_key, keyring
from console.accounts.models import FacilityKey
from console.notes.log_rows import store_rows
from console.notes.models import LogEntry, Note
from console.shared.sealing import Address, MasterKeyError, SealError, master_keys, normal_id
from console.tickets.models import Comment, Ticket
from console.tickets.services import attach, comment
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration

pytestmark = pytest.mark.django_db

NAME = "Zebulon Quarrymaster"
SECRET = "s3cret-of-the-test-0451"


def sealed_bytes(model, row, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM {model._meta.db_table} WHERE id = %s', [row.pk])
        return bytes(cursor.fetchone()[0])


def put_bytes(model, row, column: str, value: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE {model._meta.db_table} SET "{column}" = %s WHERE id = %s', [value, row.pk])


def test_a_value_opens_where_it_was_sealed() -> None:
    note = a_note(an_integration(a_facility()), narrative=NAME, payload=b"\x0bMSH|")
    again = Note.objects.get(pk=note.pk)
    assert (again.narrative, again.payload, again.identifiers) == (NAME, b"\x0bMSH|", None)


def test_a_ciphertext_swapped_between_rows_does_not_open() -> None:
    integration = an_integration(a_facility())
    one, two = a_note(integration, narrative="one"), a_note(integration, narrative="two")
    put_bytes(Note, two, "narrative", sealed_bytes(Note, one, "narrative"))
    with pytest.raises(SealError):
        _ = Note.objects.get(pk=two.pk).narrative


def test_a_ciphertext_moved_to_another_column_does_not_open() -> None:
    note = a_note(an_integration(a_facility()), narrative="one", payload=b"two")
    put_bytes(Note, note, "payload", sealed_bytes(Note, note, "narrative"))
    with pytest.raises(SealError):
        _ = Note.objects.get(pk=note.pk).payload


def test_a_ciphertext_moved_to_another_facility_does_not_open() -> None:
    note = a_note(an_integration(a_facility()), narrative="one")
    Note.objects.filter(pk=note.pk).update(facility=a_facility())
    with pytest.raises(SealError):
        _ = Note.objects.get(pk=note.pk).narrative


def test_one_changed_bit_does_not_open_and_is_not_shown() -> None:
    note = a_note(an_integration(a_facility()), narrative=NAME)
    broken = bytearray(sealed_bytes(Note, note, "narrative"))
    broken[-1] ^= 1
    put_bytes(Note, note, "narrative", bytes(broken))
    with pytest.raises(SealError) as refusal:
        _ = Note.objects.get(pk=note.pk).narrative
    assert NAME not in str(refusal.value)


def test_update_refuses_a_plain_value() -> None:
    note = a_note(an_integration(a_facility()), narrative="one")
    with pytest.raises(TypeError):
        Note.objects.filter(pk=note.pk).update(narrative="in the clear")


def test_an_old_key_still_opens_after_a_new_one_seals() -> None:
    facility = a_facility()
    note = a_note(an_integration(facility), narrative="before")
    first = keyring(facility.id).current.id
    add_key(facility, FacilityKey.Purpose.DATA)
    assert keyring(facility.id).current.id != first
    assert Note.objects.get(pk=note.pk).narrative == "before"


def test_hashes_differ_by_facility_and_kind_and_agree_on_one_id() -> None:
    one, two = keyring(a_facility().id), keyring(a_facility().id)
    assert one.hash("E-1", "encounter") == one.hash(" Encounter/E-1", "encounter")
    assert one.hash("E-1", "encounter") != one.hash("E-1", "note")
    assert one.hash("E-1", "encounter") != two.hash("E-1", "encounter")


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("E-1", "E-1"),
        ("Encounter/E-1", "E-1"),
        ("https://ehr.example/fhir/Encounter/E-1", "E-1"),
        ("a/", "a"),
        ("1/2", "1/2"),
    ],
)
def test_an_id_has_one_form(given, normal) -> None:
    assert normal_id(given) == normal


@pytest.mark.parametrize("words", [[], ["nocolon"], ["id:zz"], ["id:00ff"]])
def test_a_bad_master_key_is_refused_without_showing_it(words) -> None:
    with pytest.raises(MasterKeyError) as refusal:
        master_keys(words)
    assert "00ff" not in str(refusal.value)


def test_an_address_is_unambiguous() -> None:
    row, facility = uuid.uuid4(), uuid.uuid4()
    assert Address("a", "bc", row, facility).as_bytes() != Address("ab", "c", row, facility).as_bytes()


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_every_table_holds_neither_the_planted_name_nor_the_planted_secret(postgres) -> None:
    facility = a_facility()
    person = a_person(facility)
    integration = an_integration(facility)
    integration.secrets = {"auth.client_secret": SECRET}
    integration.save()
    note = a_note(
        integration, external_id=NAME, encounter_id=NAME, patient_id=NAME, narrative=NAME, payload=NAME.encode()
    )
    store_rows(
        facility_id=facility.id,
        integration=integration,
        log="scribe",
        rows=[
            {
                "at": "2026-11-20T10:00:00+00:00",
                "event": "failed",
                "note_id": NAME,
                "patient_id": NAME,
                "error": f'Patient "{NAME}" 4711 not found',
            }
        ],
    )
    ticket = a_ticket(integration, note, pasted=NAME, diagnose=True)
    comment(ticket=ticket, text=NAME, by=person)
    attach(ticket=ticket, name=f"{NAME}.txt", content_type="text/plain", content=NAME.encode(), by=person)
    assert Ticket.objects.get(pk=ticket.pk).pasted == NAME
    assert Comment.objects.get(ticket=ticket).text == NAME
    assert LogEntry.objects.get(integration=integration).sealed["patient_id"] == NAME
    found = []
    for url in (postgres.url("postgres"), postgres.url("postgres", "queue")):
        with psycopg.connect(url) as owner:
            names = owner.execute(
                "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            for (name,) in names:
                with owner.cursor() as cursor, cursor.copy(f"COPY (SELECT * FROM {name}) TO STDOUT".encode()) as copy:
                    dump = b"".join(bytes(part) for part in copy)
                for planted in (NAME, SECRET):
                    hexed = planted.encode().hex().encode()
                    if planted.encode() in dump or hexed in dump:
                        found.append((name, planted))
    assert found == []
