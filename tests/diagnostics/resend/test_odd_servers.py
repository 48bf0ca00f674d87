"""Servers answer in odd ways: what cannot be read is never taken for absence, and nothing is written twice."""

import base64
import hashlib
import json

import pytest

from diagnostics.practice.http_server import Request, Response, html_response, json_response
from diagnostics.resend import Fate
from tests.diagnostics.resend.cases import TEXT
from tests.diagnostics.resend.scripted import binary, bundle, by_url, stored, talk

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x", "diagnostics": "No room."}]}


def searching(*held: dict[str, object]):
    """Return a script that answers searches with these documents and takes what is written."""

    def answer(request: Request) -> Response:
        if request.method == "POST":
            return Response(201, headers=[("Location", "/fhir/DocumentReference/5/_history/1")])
        return bundle(*held)

    return answer


def by_identifier_only(script):
    """Return a script that refuses to list a visit."""
    return lambda request: Response(403) if "encounter=" in request.target else script(request)


def writing(response: Response, *, shows: bool = False):
    """Return a script that answers a write with this; `shows` tells whether the note is found afterwards."""
    written = []

    def answer(request: Request) -> Response:
        if request.method == "POST":
            written.append(request)
            return response
        return bundle(stored()) if written and shows else bundle()

    return answer


@pytest.mark.parametrize(
    "held",
    [
        stored(),
        stored(identifier=[{"value": "TX-1"}]),
        stored(identifier=None, masterIdentifier={"system": "urn:scribe", "value": "TX-1"}, content=None),
        stored(identifier=[{"system": "urn:ehr", "value": "9"}]),
        stored(
            identifier=None,
            content=[{"attachment": {"data": base64.b64encode(TEXT.replace(b"\n", b"\r\n")).decode()}}],
        ),
        stored(
            identifier=None,
            content=[{"attachment": {"hash": base64.b64encode(hashlib.sha1(TEXT).digest()).decode()}}],
        ),
    ],
    ids=["both", "no system", "master", "another's identifier, our text", "line ends", "hash"],
)
def test_a_document_is_recognised_by_identifier_or_content(held: dict[str, object]) -> None:
    sent, peer = talk(searching(held))
    assert (sent.fate, sent.document_id, peer.posts) == (Fate.ALREADY, "1001", 0)


@pytest.mark.parametrize("path", ["Binary/7", "/fhir/Binary/7"])
@pytest.mark.parametrize("raw", [True, False], ids=["bytes", "a Binary resource"])
def test_content_behind_an_address_is_fetched_and_compared(path: str, raw: bool) -> None:
    def answer(request: Request) -> Response:
        if "/Binary/" in request.path:
            return Response(200, TEXT, "text/plain") if raw else binary()
        return bundle() if "identifier" in request.target else bundle(by_url(path))

    sent, peer = talk(answer)
    assert (sent.fate, peer.posts) == (Fate.ALREADY, 0)


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize(
    ("more", "fate"),
    [
        ({}, Fate.NOT_SENT),
        ({"type": None}, Fate.NOT_SENT),
        ({"identifier": [{"value": "TX-2"}]}, Fate.CREATED),
        ({"masterIdentifier": {"value": "TX-2"}}, Fate.CREATED),
        ({"type": {"coding": [{"code": "28570-0"}]}}, Fate.CREATED),
        ({"status": "entered-in-error"}, Fate.CREATED),
    ],
    ids=["may be the note", "of no type", "another's", "another's master", "another type", "withdrawn"],
)
def test_content_at_another_host_is_not_fetched_and_stops_what_may_be_the_note(
    more: dict[str, object], fate: Fate, guarded: bool
) -> None:
    elsewhere = {**by_url("http://127.0.0.1:9/Binary/7"), **more}

    def answer(request: Request) -> Response:
        return bundle() if "identifier" in request.target else searching(elsewhere)(request)

    sent, peer = talk(answer, guarded=guarded)
    assert (sent.fate, peer.posts) == (fate, int(fate is Fate.CREATED)), sent
    assert not any("Binary" in each.target for each in peer.asked)
    assert fate is Fate.CREATED or "may be this note" in sent.says


def test_strangers_in_the_answer_prove_no_absence() -> None:
    stranger = by_url("http://127.0.0.1:9/Binary/7", subject={"reference": "Patient/P-7"})
    blind = {**stranger, "content": []}
    sent, peer = talk(by_identifier_only(searching(stranger)))
    assert (sent.fate, peer.posts) == (Fate.NOT_SENT, 0) and "does not heed the identifier" in sent.says
    seen, _ = talk(by_identifier_only(searching(blind)), only_look=True)
    assert (seen.fate, seen.found) == (Fate.UNKNOWN, None)


def test_other_notes_of_the_visit_do_not_stand_in_the_way() -> None:
    text = base64.b64encode(b"Assessment: another note of the very same visit.").decode()
    other = stored(id="2", identifier=[{"value": "TX-2"}], content=[{"attachment": {"data": text}}])

    def answer(request: Request) -> Response:
        return bundle() if "identifier" in request.target else searching(other)(request)

    sent, peer = talk(answer)
    assert (sent.fate, sent.document_id, peer.posts) == (Fate.CREATED, "5", 1)


def test_pages_are_followed_to_the_note() -> None:
    def answer(request: Request) -> Response:
        if "identifier" in request.target:
            return Response(501)
        if "page=2" in request.target:
            return bundle(stored())
        return bundle(stored(id="2", identifier=[{"value": "x"}], content=None), following="DocumentReference?page=2")

    sent, peer = talk(answer)
    assert (sent.fate, peer.posts) == (Fate.ALREADY, 0)


@pytest.mark.parametrize(
    "following",
    ["http://127.0.0.1:9/fhir/DocumentReference?page=2", "/other/DocumentReference?page=2", "DocumentReference?page=1"],
    ids=["another host", "outside the base", "a circle"],
)
def test_pages_that_lead_away_or_nowhere_are_not_followed(following: str) -> None:
    def answer(request: Request) -> Response:
        return Response(501) if "identifier" in request.target else bundle(following=following)

    sent, peer = talk(answer)
    assert (sent.fate, peer.posts) == (Fate.NOT_SENT, 0) and "pages lead nowhere" in sent.says
    assert not any("/other/" in each.target for each in peer.asked)


def test_a_search_without_end_is_given_up() -> None:
    pages = iter(range(1000))

    def answer(request: Request) -> Response:
        if "identifier" in request.target:
            return Response(501)
        return bundle(following=f"DocumentReference?page={next(pages)}")

    sent, peer = talk(answer)
    assert sent.fate is Fate.NOT_SENT and "more than" in sent.says and len(peer.asked) < 12


def test_a_server_that_searches_within_one_patient_only_is_asked_so() -> None:
    def answer(request: Request) -> Response:
        if "identifier" in request.target and "patient" not in request.target:
            return json_response(400, OUTCOME)
        return bundle(stored()) if "identifier" in request.target else Response(403)

    assert talk(answer)[0].fate is Fate.ALREADY


@pytest.mark.parametrize(
    "answer",
    [html_response(200, "<p>Please sign in</p>"), Response(403), Response(200, b"{", "application/fhir+json")],
    ids=["a page", "refused", "torn"],
)
def test_what_is_no_search_result_decides_nothing(answer: Response) -> None:
    sent, peer = talk(lambda request: answer)
    assert (sent.fate, peer.posts) == (Fate.NOT_SENT, 0)


def test_a_guarded_write_may_go_where_reading_is_not_allowed() -> None:
    def answer(request: Request) -> Response:
        return Response(201) if request.method == "POST" else Response(403)

    sent, peer = talk(answer, guarded=True)
    assert (sent.fate, sent.found, peer.posts) == (Fate.CREATED, None, 1)
    assert [each.headers["if-none-exist"] for each in peer.asked if each.method == "POST"] == [
        "identifier=urn:scribe|TX-1"
    ]


@pytest.mark.parametrize(
    ("response", "shows", "fate"),
    [
        (Response(201), True, Fate.CREATED),
        (Response(200), True, Fate.CREATED),
        (Response(202), True, Fate.FOUND),
        (Response(202), False, Fate.UNKNOWN),
        (json_response(200, {"success": False, "errormessage": "No room."}), False, Fate.REFUSED),
        (Response(302, headers=[("Location", "http://127.0.0.1:9/")]), False, Fate.REFUSED),
        (json_response(400, OUTCOME), False, Fate.REFUSED),
        (Response(401), False, Fate.REFUSED),
        (json_response(409, OUTCOME), True, Fate.MATCHED),
        (json_response(409, OUTCOME), False, Fate.REFUSED),
        (json_response(412, OUTCOME), True, Fate.MATCHED),
        (Response(429), False, Fate.REFUSED),
        (json_response(500, OUTCOME), True, Fate.FOUND),
        (json_response(500, OUTCOME), False, Fate.ABSENT),
        (html_response(504, "<p>late</p>"), True, Fate.FOUND),
        (Response(408), False, Fate.ABSENT),
        (Response(act="close"), True, Fate.FOUND),
        (Response(act="reset"), False, Fate.ABSENT),
        (Response(act="garbage"), False, Fate.ABSENT),
        (Response(201, b"x" * 40, act="torn"), True, Fate.CREATED),
    ],
)  # fmt: skip
def test_each_answer_to_the_write_has_its_fate_and_is_given_once(response: Response, shows: bool, fate: Fate) -> None:
    sent, peer = talk(writing(response, shows=shows))
    assert (sent.fate, peer.posts) == (fate, 1), sent
    assert sent.says.endswith(".") and (sent.found == 1) == (shows and fate is not Fate.REFUSED)


def test_the_ehrs_words_are_kept_without_what_is_clinical_or_secret() -> None:
    text = "No room for Rest, fluids, and a visit in two weeks. Bearer abcdefghijklmnop"
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x", "diagnostics": text}]}
    sent, _ = talk(writing(json_response(422, outcome)), note_narrative=TEXT.decode())
    assert sent.reason.startswith("No room for [removed]") and "abcdefgh" not in sent.reason


def test_two_documents_are_told_as_two() -> None:
    again, _ = talk(searching(stored(), stored(id="1002")))
    assert (again.fate, again.found) == (Fate.ALREADY, 2) and "2 times" in again.says


def test_a_route_of_its_own_gets_its_key_and_the_plan_does_not_show_it() -> None:
    sent, peer = talk(writing(Response(201), shows=True), write_path="/notes?code=k-77")
    assert sent.fate is Fate.CREATED
    assert [each.target for each in peer.asked if each.method == "POST"] == ["/fhir/notes?code=k-77"]


def test_the_body_is_the_payload_byte_by_byte() -> None:
    sent, peer = talk(writing(Response(201), shows=True))
    (post,) = [each for each in peer.asked if each.method == "POST"]
    assert json.loads(post.body)["identifier"][0]["value"] == "TX-1" and sent.request_id
    assert post.headers["x-request-id"] == sent.request_id
    assert post.headers["content-type"] == "application/fhir+json"


@pytest.mark.parametrize(
    "more",
    [{"subject": {"reference": "Patient/P-7"}}, {"context": {"encounter": [{"reference": "Encounter/E-7"}]}}],
    ids=["another patient", "another visit"],
)
def test_documents_that_lie_elsewhere_are_neither_suspects_nor_in_the_visit(more: dict[str, object]) -> None:
    foreign = {**by_url("http://127.0.0.1:9/Binary/7"), **more}

    def answer(request: Request) -> Response:
        return bundle() if "identifier" in request.target else searching(foreign)(request)

    assert talk(answer)[0].fate is Fate.CREATED
