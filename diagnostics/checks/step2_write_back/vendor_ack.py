"""Judge an acknowledgement by the vendor's own codes for its HL7 interface."""

import re

from diagnostics import catalog, causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.refusal import Refusal, refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.evidence.case_parts import Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.identity import plain
from diagnostics.vendors.model import Surface
from diagnostics.vocabulary import Step, Strength

# a number that leads a message's words, as interfaces without an ERR segment write their codes
_LEADING = re.compile(r"\s{0,5}[\[(]?(?:error|code)?[ :#]{0,3}([0-9]{1,5})(?=[\s\]):,;-])", re.IGNORECASE)


def _has_codes(case: Case) -> bool:
    return over_hl7(case) and any(surface is Surface.HL7 for surface, _ in case.vendor.codes)


@check(
    id="hl7.ack.negative.vendor",
    step=Step.WRITE_BACK,
    title="The acknowledgement carries no code by which its vendor names a fault",
    hints=(
        causes.ACK_NEGATIVE, causes.ENCOUNTER_MISMATCH, causes.PATIENT_MISMATCH, causes.MSH_FIRST,
        causes.GRAMMAR_MISSING, causes.SERVER_ERROR, causes.CODE_LOCAL_MISSING,
    ),
    checklist=("WRITE.11",),
    applies=_has_codes,
)  # fmt: skip
def ack_code_by_vendor(trace: NoteTrace, vendor: Vendor) -> Result:
    """An interface says in its own numbers what table 0357 has no code for; elsewhere they mean other things."""
    refusal = refusal_of(trace)
    if refusal is None or refusal.answer.ack is None:
        return passed("No acknowledgement says no.") if trace.attempts else not_applicable("Nothing was sent.")
    if _of_another(refusal):
        return unknown("The refusal names another message in MSA-2.", get="the interface's rows of this control id")
    codes = _codes(refusal)
    for code in codes:
        known = vendor.profile.code(Surface.HL7, code)
        if known is None or known.harmless:
            continue
        says = f"The acknowledgement carries {vendor.profile.name} code {code}: {known.says}."
        if known.cause is None:
            return failed(says, cause=causes.ACK_NEGATIVE, code=code, at=refusal.at)
        strength = Strength.DECISIVE if known.decisive else Strength.STRONG
        return failed(says, cause=catalog.cause(known.cause), strength=strength, code=code, at=refusal.at)
    return passed("The acknowledgement carries no code that is known of this vendor.", codes=codes[:5])


def _codes(refusal: Refusal) -> list[str]:
    """Return the vendor's codes of an acknowledgement: of ERR-5, else the numbers that lead MSA-3 and ERR's words."""
    ack = refusal.answer.ack
    assert ack is not None
    stated = list(refusal.answer.vendor_codes)
    words = [ack.text, *(text for error in ack.errors for text in (error.user_message, error.diagnostic))]
    return list(dict.fromkeys([*stated, *(found[1] for text in words if (found := _LEADING.match(text)))]))


def _of_another(refusal: Refusal) -> bool:
    sent = refusal.attempt.sent.transaction_id if refusal.attempt is not None else None
    answered = refusal.answer.ack.control_id if refusal.answer.ack is not None else ""
    return bool(sent and answered) and plain(answered) != plain(sent)
