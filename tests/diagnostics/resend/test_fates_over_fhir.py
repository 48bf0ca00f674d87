"""Each fate of a FHIR resend is reached on the practice EHR, and no note is ever stored twice."""

import asyncio
from dataclasses import replace

import pytest

from diagnostics.practice.server import PracticeEhr
from diagnostics.probes.vantage import door_for
from diagnostics.resend import Fate, Way, look, plan, resend, survey
from tests.diagnostics.resend.conftest import Failed, Once, documents, no_auth, planned, sent


def test_a_healed_ehr_takes_the_note_once_and_shows_it(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    assert how.way is Way.CONDITIONAL_CREATE and how.warning == ""
    first = sent(case, how)
    assert (first.fate, first.status, first.found) == (Fate.CREATED, 201, 1)
    stored = ehr.tenant("north").store.get("DocumentReference", first.document_id)
    assert stored is not None and first.request_id
    assert case.note is not None and documents(ehr, how) == 1


def test_what_is_there_already_is_not_sent(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    sent(case, how)
    before = len(ehr.ledger.entries("north", "fhir"))
    again = sent(case, how)
    assert (again.fate, again.found) == (Fate.ALREADY, 1)
    posts = [e for e in ehr.ledger.entries("north", "fhir")[before:] if e.method == "POST"]
    assert posts == [] and documents(ehr, how) == 1


def test_a_document_that_came_between_reading_and_writing_is_matched(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)

    def meanwhile(_act: str) -> bool:
        sent(case, how)
        return True

    door = door_for(case)
    late = asyncio.run(asyncio.to_thread(lambda: sent(case, how, once=meanwhile_in_thread(meanwhile), door=door)))
    assert (late.fate, late.status, late.found) == (Fate.MATCHED, 200, 1)
    assert documents(ehr, how) == 1


def meanwhile_in_thread(act):
    """Run a second resend to its end in a thread of its own, for it needs an event loop of its own."""
    import threading

    def once(name: str) -> bool:
        found: list[bool] = []
        thread = threading.Thread(target=lambda: found.append(act(name)))
        thread.start()
        thread.join()
        return found[0]

    return once


def test_a_refusal_says_so_with_the_ehrs_own_words(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(now=("perm-write-denied",))
    how = planned(case)
    answer = sent(case, how)
    assert (answer.fate, answer.status) == (Fate.REFUSED, 403)
    assert "may not do this" in answer.reason and documents(ehr, how) == 0


def test_a_lost_answer_is_found_by_reading_back(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    ehr.set_faults("north", {"resend-answer-cut"})
    answer = sent(case, how)
    assert (answer.fate, answer.status, answer.found) == (Fate.FOUND, None, 1)
    assert documents(ehr, how) == 1


def test_a_gateways_timeout_after_filing_is_found_by_reading_back(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    ehr.set_faults("north", {"net-gateway-timeout-filed"})
    answer = sent(case, how)
    assert (answer.fate, answer.status, answer.found) == (Fate.FOUND, 504, 1)
    assert documents(ehr, how) == 1


def test_an_answer_slower_than_anybody_waits_is_found_by_reading_back(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(timeout_s=0.5)
    how = planned(case)
    target = ehr.tenant("north")
    target.behaviour = replace(target.behaviour, answer_delay_s=1.0)
    answer = sent(case, how)
    assert answer.fate is Fate.FOUND and documents(ehr, how) == 1


def test_what_was_lost_on_the_way_is_absent_and_stays_unsent(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    ehr.set_faults("north", {"resend-request-cut"})
    once = Once()
    answer = sent(case, how, once=once)
    assert (answer.fate, answer.found) == (Fate.ABSENT, 0) and "nothing is sent again" in answer.says
    ehr.set_faults("north", ())
    again = sent(case, how, once=once)
    assert again.fate is Fate.ABSENT and "begun before" in again.says
    assert documents(ehr, how) == 0 and once.acts == {f"resend:{how.digest}"}


def test_an_attempt_that_was_begun_before_is_only_looked_for(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    ehr.set_faults("north", {"resend-answer-cut"})
    once = Once()
    sent(case, how, once=once)
    assert sent(case, how, once=once).fate is Fate.ALREADY
    posts = [e for e in ehr.ledger.entries("north", "fhir") if e.method == "POST" and e.target.endswith("Reference")]
    assert documents(ehr, how) == 1 and sum(e.created is not None for e in posts if how.body and e.ids) >= 1


def test_without_any_reading_a_lost_answer_stays_unknown(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(now=("resend-no-search",))
    how = planned(case)
    assert how.way is Way.CONDITIONAL_CREATE and not how.lookup.possible
    ehr.set_faults("north", {"resend-no-search", "resend-answer-cut"})
    answer = sent(case, how)
    assert (answer.fate, answer.found) == (Fate.UNKNOWN, None) and "EHR's log" in answer.says
    assert asyncio.run(look(case, how, door=door_for(case))).fate is Fate.UNKNOWN
    assert documents(ehr, how) == 1


def test_what_the_ehr_takes_for_later_and_does_not_show_is_unknown(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    target = ehr.tenant("north")
    target.behaviour = replace(target.behaviour, accept_later="lost")
    answer = sent(case, how)
    assert (answer.fate, answer.status, answer.found) == (Fate.UNKNOWN, 202, 0)


@pytest.mark.parametrize("trouble", ["net-tcp-refused", "net-tls-expired", "net-tls-untrusted-root"])
def test_what_never_left_is_told_as_not_sent(failed: Failed, ehr: PracticeEhr, trouble: str) -> None:
    case = failed()
    how = planned(case)
    once = Once()
    door = door_for(case)
    asyncio.run(sign_in(case, door))

    def fall_ill(act: str) -> bool:
        ehr.set_faults("north", {trouble})
        return once(act)

    # the EHR falls ill after the reading and before the write
    answer = sent(case, how, once=fall_ill, door=door)
    assert (answer.fate, answer.status) == (Fate.NOT_SENT, None), answer
    assert "Nothing left" in answer.says and documents(ehr, how) == 0


async def sign_in(case, door) -> None:
    from diagnostics.resend.connection import Connection

    assert await Connection(case, door).sign_in() == ""


def test_nothing_is_sent_where_it_cannot_be_read_first(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(now=("resend-no-conditional-create",))
    how = planned(case)
    assert how.way is Way.CREATE and "no conditional create" in how.warning
    ehr.set_faults("north", {"resend-no-conditional-create", "resend-no-search"})
    answer = sent(case, how)
    assert answer.fate is Fate.NOT_SENT and "could not be read" in answer.says
    assert documents(ehr, how) == 0


def test_nothing_is_sent_without_a_token(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    answer = sent(no_auth(case), how)
    assert answer.fate is Fate.NOT_SENT and documents(ehr, how) == 0
    ehr.set_faults("north", {"auth-client-unknown"})
    answer = sent(case, how)
    assert answer.fate is Fate.NOT_SENT and "token server answered" in answer.says


def test_a_plan_that_was_not_confirmed_or_no_longer_fits_is_not_sent(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    assert sent(case, how, approved="").fate is Fate.NOT_SENT
    other = replace(how, body=how.body + b" ")
    assert "confirm it again" in sent(case, other, approved=how.digest).says
    moved = replace(case, integration=replace(case.integration, fhir_base_url="https://other.example/fhir"))
    assert "address has changed" in sent(moved, how).says
    for quiet in (replace(case, offline=True), replace(case, allow_writes=False)):
        assert "may not write" in sent(quiet, how).says
    assert documents(ehr, how) == 0


def test_a_token_that_ran_out_is_renewed_before_the_write(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    door = door_for(case)

    async def go():
        how = plan(case, await survey(case, door=door))
        ehr.tenant("north").tokens.clear()  # every token given so far is unknown to the EHR now
        return how, await resend(case, how, approved=how.digest, door=door, once=Once(), settle_s=(0.0,))

    how, answer = asyncio.run(go())
    assert answer.fate is Fate.CREATED and documents(ehr, how) == 1


def test_a_withdrawn_document_stops_a_resend(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    made = sent(case, how)
    store = ehr.tenant("north").store
    held = store.get("DocumentReference", made.document_id) or {}
    store.update("DocumentReference", made.document_id, {**held, "status": "entered-in-error"}, "2026-01-01T00:00:00Z")
    answer = sent(case, how)
    assert answer.fate is Fate.NOT_SENT and "withdrawn" in answer.says
    assert planned(case).way is None and documents(ehr, how) == 1
    assert "withdrawn" in asyncio.run(look(case, how, door=door_for(case))).says


def test_a_document_under_another_patient_is_told_as_such(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    how = planned(case)
    made = sent(case, how)
    store = ehr.tenant("north").store
    held = store.get("DocumentReference", made.document_id) or {}
    store.update("DocumentReference", made.document_id, {**held, "subject": {"reference": "Patient/P-9"}}, "2026")
    again = sent(case, how)
    assert again.fate is Fate.ALREADY and again.elsewhere and "another patient" in again.says
    refused = planned(case)
    assert refused.way is None and "another patient" in refused.refused


@pytest.mark.parametrize(
    "trouble",
    [("resend-no-identifier-search",), ("resend-identifiers-dropped",), ("resend-no-conditional-create",)],
)
def test_a_second_resend_is_recognised_whatever_the_server_lacks(
    failed: Failed, ehr: PracticeEhr, trouble: tuple[str, ...]
) -> None:
    case = failed(now=trouble)
    how = planned(case)
    assert sent(case, how).fate is Fate.CREATED
    before = len(ehr.ledger.creates("north"))
    assert sent(case, how).fate is Fate.ALREADY
    assert len(ehr.ledger.creates("north")) == before


def test_the_plan_says_how_it_looks_and_what_is_missing(failed: Failed) -> None:
    whole = planned(failed())
    assert whole.looks_for.startswith("A search for the note's own identifier, then the documents of the visit")
    by_visit = planned(failed(now=("resend-no-identifier-search",)))
    assert "no search for identifiers" in by_visit.looks_for
    blind = planned(failed(now=("resend-no-search", "resend-no-conditional-create")))
    assert "Nothing can be read" in blind.looks_for and "no conditional create" in blind.warning
