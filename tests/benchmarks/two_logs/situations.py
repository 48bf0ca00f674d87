"""What happens in hospitals: each situation tells one to three notes, and what became of them, by construction."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.benchmarks.two_logs import answers
from tests.benchmarks.two_logs.hard_note import HardNote, Line, Visit
from tests.benchmarks.two_logs.hard_world import World


def plain(world: World, at: float) -> None:
    note = world.note(world.visit(), at)
    note.prepare()
    note.deliver()
    note.end("delivered")


def fate(note: HardNote, rng: random.Random) -> None:
    """Give a note of a pair a fate of its own, independent of the other's."""
    note.prepare()
    draw = rng.random()
    if draw < 0.55:
        note.deliver()
        note.end("delivered")
    elif draw < 0.75:
        note.send()
        note.refuse()
        note.end("rejected")
    elif draw < 0.85:
        note.send()
        note.received()
        note.hold()
        note.end("delayed")
    elif draw < 0.95:
        note.send()
        note.not_connected()
        note.end("never_sent")
    else:
        note.send()
        note.received()
        note.file(note.document())
        note.lose_answer()
        note.end("delivered")


def twins(world: World, at: float) -> None:
    """Two or three notes of one encounter within the same minute."""
    visit = world.visit()
    for _ in range(world.rng.choice((2, 2, 2, 3))):
        fate(world.note(visit, at + 50 * world.rng.random()), world.rng)


def two_encounters(world: World, at: float) -> None:
    """One patient in two encounters at once; sometimes a note lands in the other one."""
    one = world.visit()
    other = Visit(one.site, world.encounter(), one.patient, one.provider)
    first, second = (world.note(visit, at + 40 * world.rng.random()) for visit in (one, other))
    first.prepare()
    if world.rng.random() < 0.4:
        first.deliver(encounter=other.encounter)
        first.end("misplaced")
    else:
        first.deliver()
        first.end("delivered")
    fate(second, world.rng)


def addendum(world: World, at: float) -> None:
    """A second note of the same encounter, hours later."""
    visit = world.visit()
    note = world.note(visit, at)
    note.prepare()
    note.deliver()
    note.end("delivered")
    fate(world.note(visit, at + 600 + 6 * 3600 * world.rng.random()), world.rng)


def retried(world: World, at: float) -> None:
    """Refusals, broken connections or failed tokens first; then it works."""
    note = world.note(world.visit(), at)
    note.prepare()
    for _ in range(world.rng.choice((1, 1, 2, 3))):
        way = world.rng.random()
        if way < 0.4:
            note.send()
            busy(note)
        elif way < 0.7:
            note.send()
            note.not_connected()
        elif note.fhir:
            failed_token(note)
        note.at += world.rng.choice((5, 30, 120, 2 * 3600))
    note.deliver()
    note.end("delivered")


def busy(note: HardNote) -> None:
    """Let a gateway or an engine send the note back unread."""
    if note.fhir:
        note.answer("failed", 0.3, status=note.rng.choice((429, 503, 502)), error="Service Unavailable")
    else:
        ack, words = answers.COMMIT_REFUSALS[0]
        note.answer("failed", 0.3, ack=ack, error=f"MSA|{ack}|{note.transaction}\r{words}")


def failed_token(note: HardNote) -> None:
    call = {"method": "POST", "url": note.visit.site.token_url}
    status, body = note.rng.choice(answers.TOKEN_ERRORS)
    note.scribe("token", **call)
    note.at += 0.3
    note.scribe("failed", **call, status=status, error=body)


def refused(world: World, at: float) -> None:
    """Refused, once or again and again, logged as `failed` or as `acked`."""
    note = world.note(world.visit(), at)
    note.prepare()
    for _ in range(world.rng.choice((1, 1, 2, 4))):
        note.send()
        note.refuse()
        note.at += world.rng.choice((3, 60, 900))
    note.end("rejected")


def lost_answer(world: World, at: float) -> None:
    """The answer is lost, or a gateway's 5xx, and the note was filed all the same."""
    note = world.note(world.visit(), at)
    note.prepare()
    note.send()
    note.received()
    note.file(note.document())
    if not note.fhir or world.rng.random() < 0.6:
        note.lose_answer()
    else:
        note.answer("failed", 29.0, status=world.rng.choice((502, 504)), error="<html>Gateway Time-out</html>")
    if note.fhir and world.rng.random() < 0.35:  # sent again, told that it is there already
        note.at += 10
        note.send()
        note.received()
        note.ehr("rejected", 0.1, status=409, error="A document with this identifier exists.")
        note.answer("failed", 0.2, status=409, error="A document with this identifier exists.")
    note.end("delivered")


def twice(world: World, at: float) -> None:
    """The answer is lost, the note is sent again and filed again, under the same message id or a new one."""
    note = world.note(world.visit(), at)
    note.prepare()
    note.send()
    note.received()
    note.file(note.document())
    note.lose_answer()
    note.at += world.rng.choice((2, 15, 300))
    if world.rng.random() < 0.4:
        note.transaction = world.transaction(note.visit.site)
    elsewhere = world.rng.random() < 0.1
    note.deliver(**({"encounter": world.encounter()} if elsewhere else {}))
    note.end("misplaced" if elsewhere else "duplicate")


def held(world: World, at: float) -> None:
    """202 or a commit accept: filed later, refused later inside, or still waiting."""
    note = world.note(world.visit(), at)
    note.prepare()
    note.send()
    note.received()
    note.hold()
    draw, later = world.rng.random(), world.rng.choice((40.0, 600.0, 3 * 3600.0))
    if draw < 0.4:
        note.file(note.document(), later)
        note.end("delivered")
    elif draw < 0.65:
        note.reject_inside(later, error=note.odd("Encounter not found during filing."))
        note.end("rejected")
    else:
        note.end("delayed")


def refused_inside(world: World, at: float) -> None:
    """The scribe was told yes; the EHR refused afterwards."""
    note = world.note(world.visit(), at)
    note.prepare()
    note.send()
    note.received()
    note.answer("acked", 0.3, **({"status": 201} if note.fhir else {"ack": "AA"}))
    note.reject_inside(5 + 60 * world.rng.random(), error=note.odd("Note type not allowed in this department."))
    note.end("rejected")


def misplaced(world: World, at: float) -> None:
    """Filed into another encounter of the patient, another patient's, or one that has a note of its own."""
    note = world.note(world.visit(), at)
    note.prepare()
    draw = world.rng.random()
    if draw < 0.4:
        note.deliver(encounter=world.encounter())
    elif draw < 0.7:
        note.deliver(encounter=world.encounter(), patient=world.patient())
    else:
        other = world.note(Visit(note.visit.site, world.encounter(), world.patient(), note.visit.provider), at)
        note.deliver(encounter=other.visit.encounter, patient=other.visit.patient)
        fate(other, world.rng)
    note.end("misplaced")


def typed_by_hand(world: World, at: float) -> None:
    """The note failed and the clinician typed it: the document in the encounter is not this note."""
    note = world.note(world.visit(), at)
    note.prepare()
    draw = world.rng.random()
    if draw < 0.4:
        note.send()
        note.refuse()
        note.end("rejected")
    elif draw < 0.7:
        note.send()
        note.not_connected()
        note.end("never_sent")
    else:
        note.send()
        note.received()
        note.hold()
        note.end("delayed")
    note.type_by_hand(world.orphans)


def orphan(world: World, at: float) -> None:
    """A document under the scribe's own client of which the scribe's log knows nothing."""
    note = world.note(world.visit(), at, told=False)
    note.deliver()
    for line in note.lines:
        if line.log == "ehr":
            line.owner = None
            world.orphans.append(line)


def never_sent(world: World, at: float) -> None:
    note = world.note(world.visit(), at)
    draw = world.rng.random()
    if draw < 0.1:
        note.scribe("generated", encounter_id=note.visit.encounter, patient_id=note.visit.patient)
    else:
        note.prepare()
    if 0.1 <= draw < 0.35 and note.fhir:
        for _ in range(world.rng.choice((1, 2))):
            failed_token(note)
            note.at += 20
    elif 0.35 <= draw < 0.75:
        for _ in range(world.rng.choice((1, 3))):
            note.send()
            note.not_connected()
            note.at += 15
    elif draw >= 0.75:
        note.scribe("queued", transaction_id=note.transaction)
    note.end("never_sent")


def no_word(world: World, at: float) -> None:
    """Sent, no answer, and the EHR's log does not say; or an engine's yes of which the EHR never heard."""
    note = world.note(world.visit(), at)
    note.prepare()
    note.send()
    draw = world.rng.random()
    if draw < 0.4:
        note.lose_answer()
        note.end("unknown", "never_sent")
    elif draw < 0.7:
        note.received()
        note.lose_answer()
        note.end("unknown", "delayed")
    else:
        note.answer("acked", 0.2, **({"status": 200} if note.fhir else {"ack": "AA"}))
        note.end("unknown", "delayed")


def told_twice(world: World, at: float) -> None:
    """One document, two `filed` rows: filed and then signed, or updated by a second send."""
    note = world.note(world.visit(), at)
    note.prepare()
    document = note.deliver()
    note.at += 5 + 600 * world.rng.random()
    again = document + ("/_history/2" if note.fhir and world.rng.random() < 0.5 else "")
    if note.fhir and world.rng.random() < 0.4:
        note.send()
        note.file(again, 0.2)
        note.answer("acked", 0.3, status=200)
    elif note.client != "scribe-mill":
        note.file(again, note.at - note.sent_at)
    note.end("delivered")


def same_counter(world: World, at: float) -> None:
    """Two sites whose message counters stand at the same number in the same minute."""
    one, other = world.visit("hill"), world.visit("mill")
    first = world.note(one, at)
    second = world.note(other, at + 30 * world.rng.random())
    second.transaction = first.transaction
    fate(first, world.rng)
    fate(second, world.rng)


def shared_request(world: World, at: float) -> None:
    """A proxy stamps one request id on every request of a connection."""
    request = f"{world.rng.getrandbits(64):016x}"
    for place in range(2):
        note = world.note(world.visit("north"), at + 20 * place)
        note.prepare()
        note.send(request)
        if place and world.rng.random() < 0.5:
            note.refuse()
            note.end("rejected")
        else:
            note.arrive()
            note.end("delivered")


SITUATIONS: tuple[tuple[Callable[[World, float], None], float], ...] = (
    (plain, 38), (twins, 8), (two_encounters, 5), (addendum, 5), (retried, 6), (refused, 5), (lost_answer, 5),
    (twice, 3), (held, 5), (refused_inside, 2), (misplaced, 4), (typed_by_hand, 3), (orphan, 2), (never_sent, 4),
    (no_word, 2), (told_twice, 3), (same_counter, 0.6), (shared_request, 1),
)  # fmt: skip


def tell_one(world: World, at: float) -> None:
    """Tell one situation drawn by its weight and name it on its notes."""
    first = len(world.notes)
    tell = world.rng.choices([tell for tell, _ in SITUATIONS], [weight for _, weight in SITUATIONS])[0]
    tell(world, at)
    for note in world.notes[first:]:
        note.story = tell.__name__


__all__ = ["SITUATIONS", "Line", "tell_one"]
