"""Something is wrong or unknown and the evidence does not say what: no cause, and what would settle it."""

from typing import Any

from tests.cases.building import Story, Trial, outcome


def trials() -> list[Trial]:
    why = "never guess; `missing` names what would settle it"
    only = Story()
    orphan = Story().s("17:00:00", "generated", note_id="N-77")
    sent = Story().made().token().sent().accepted()
    lost = Story().made().token().sent().refused(None, "Read timed out. (read timeout=30)", "17:00:35")
    nobody = Story().made().token().sent()
    bare403 = Story().made().token().sent().refused(403, "Forbidden")
    bare400 = Story().made().token().sent().refused(400, "Bad Request")
    bare422 = Story().made().token().sent().refused(422, "")
    processing = Story().made().token().sent().refused(400, outcome("processing", "An error occurred"))
    bare401 = Story().made().token().sent().refused(401, "Unauthorized")
    teapot = Story().made().token().sent().refused(418, "")
    gone = Story().made().token().sent().accepted()
    gone.e("16:58:00", "filed", transaction_id="T-88", resource="DocumentReference/D-88", encounter_id="E-88")
    silent = Story(protocol="hl7v2").made().sent()
    commit = Story(protocol="hl7v2").made().sent().s("17:00:06", "acked", ack="CA", ack_id="T-100")
    words = Story().made().token().sent().refused(None, "Something went wrong, please contact your administrator")
    ehr_only = Story().e("17:00:05", "received")
    nothing = Story().file("filed", {"found": False, "at": "2026-11-22T17:40:00+00:00"})

    def expect(story: Story, name: str, mode: Any, sure: bool = True, cause: Any = None) -> Trial:
        exits = 3 if cause is None else (1, 3)
        return story.expect(name, cause, mode, why, exit=exits, missing=cause is None, sure=sure)

    return [
        expect(only, "no_logs_at_all", "unknown"),
        expect(orphan, "log_knows_only_others", None, sure=False, cause=(None, "scribe.note.not_generated")),
        expect(sent, "created_but_no_ehr_log", ("unknown", "delivered"), sure=False),
        expect(lost, "answer_lost_no_ehr_log", "unknown", cause=(None, "net.timeout.gateway")),
        expect(nobody, "sent_and_no_word", "unknown"),
        expect(bare403, "403_without_a_reason", "rejected"),
        expect(bare400, "400_without_a_reason", "rejected"),
        expect(bare422, "422_without_a_body", "rejected", sure=False),
        expect(processing, "processing_says_nothing", "rejected"),
        expect(bare401, "401_without_challenge", "rejected", sure=False),
        expect(teapot, "status_418", "rejected"),
        expect(gone, "created_but_ehr_saw_others_only", None, sure=False),
        expect(silent, "hl7_sent_and_no_word", "unknown", cause=(None, "hl7.ack.missing")),
        expect(commit, "commit_accept_only", ("unknown", "delayed"), cause=(None, "hl7.ack.commit_only")),
        expect(words, "empty_words", ("never_sent", "unknown")),
        expect(ehr_only, "received_and_then_nothing", None),
        expect(nothing, "chart_has_nothing_and_no_log", "unknown", sure=False),
    ]
