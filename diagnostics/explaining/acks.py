"""Explain HL7 v2 acknowledgements by MSA-1 and the error codes of table 0357 (v2.5.1 chapter 2)."""

import re

from diagnostics.explaining.model import LIKELY, POSSIBLE, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.parsing.ack import Ack, AckError
from diagnostics.vocabulary import Category

_PLACE = re.compile(r"[A-Z][A-Z0-9]{2}(?:-[0-9]{1,3})?$")
_BY_CODE = {
    "101": "hl7.field.required",
    "103": "hl7.field.table",
    "104": "hl7.field.length",
    "200": "hl7.msh.type",
    "201": "hl7.msh.type",
    "202": "hl7.msh.processing_id",
    "203": "hl7.msh.version",
}
# Senders that leave ERR-3.1 empty or use their own numbers still tend to write the table's words.
_BY_WORDS = (
    ("segment sequence", "100"), ("required field missing", "101"), ("data type error", "102"),
    ("table value not found", "103"), ("value too long", "104"), ("unsupported message type", "200"),
    ("unsupported event code", "201"), ("unsupported processing id", "202"), ("unsupported version", "203"),
    ("unknown key identifier", "204"), ("duplicate key identifier", "205"), ("record locked", "206"),
    ("application record locked", "206"), ("application internal error", "207"),
)  # fmt: skip


def explain_ack(question: Question) -> Explanation:
    """Explain an acknowledgement; of several errors the first that is no warning counts."""
    ack = question.answer.ack
    if ack is None or not ack.negative:
        return category_only(None, None, "The receiver accepted the message (AA or CA); this is no error.")
    error = next((error for error in ack.errors if error.severity not in ("W", "I")), AckError())
    coded = error.code.isdigit() and len(error.code) == 3
    code = error.code if coded else _code_of_words(ack)
    where = f" at {error.location}" if _PLACE.match(error.location) else ""
    if code in _BY_CODE:
        says = f"The receiver refused the message{where}: table 0357 code {code}{'' if coded else ', by its words'}."
        return of_cause(_BY_CODE[code], PROVEN if coded else LIKELY, says)
    if code == "100":
        missing = question.about("missing", "required segment", "not present", "absent")
        cause = "hl7.grammar.missing" if missing else "hl7.grammar.order"
        return of_cause(
            cause, LIKELY, f"The receiver found the segments{where} out of order or missing (0357 code 100)."
        )
    return _by_business(question, code, where)


def _by_business(question: Question, code: str, where: str) -> Explanation:
    """Explain the codes that speak of the record, not of the message."""
    if code == "102":
        says = f"A field{where} has the wrong data type (0357 code 102)."
        return of_cause("hl7.ack.negative", LIKELY, says)
    if code == "204":
        says = f"The receiver does not know an identifier{where}: patient, visit or provider (0357 code 204)."
        return of_cause("hl7.ack.negative", LIKELY, says, category=Category.FIELD_MAPPING)
    if code == "205":
        return of_cause("hl7.ack.negative", LIKELY, "The receiver already holds this identifier (0357 code 205).")
    if code == "206":
        if question.about("encounter", "visit", "closed", "signed"):
            return of_cause("perm.encounter.closed", LIKELY)
        says = "The record is locked at the receiver (0357 code 206)."
        return of_cause("hl7.ack.negative", LIKELY, says, category=Category.PERMISSIONS, firm=False)
    if code == "207":
        says = "The receiver reports an error of its own (0357 code 207)."
        return of_cause("hl7.ack.negative", LIKELY, says, category=Category.EHR_DEFECT, firm=False)
    says = "The receiver refused the message and gives no code that would say why."
    return of_cause("hl7.ack.negative", POSSIBLE, says, firm=False)


def _code_of_words(ack: Ack) -> str:
    words = ack.says.lower()
    return next((code for text, code in _BY_WORDS if text in words), "")
