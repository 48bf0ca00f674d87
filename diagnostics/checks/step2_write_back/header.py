"""Judge the MSH segment against what the interface is configured for."""

import hashlib
import re
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_hl7
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.identity import same
from diagnostics.parsing.hl7_grammar import structure_id
from diagnostics.parsing.hl7_segments import length_limits
from diagnostics.parsing.hl7_tables import declared_version, since, version_of
from diagnostics.vocabulary import Step, Strength


@check(
    id="hl7.msh.type",
    step=Step.WRITE_BACK,
    title="The message type is the one the interface takes",
    proves=causes.MSH_TYPE,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def message_type(sent: Hl7Message, settings: Settings, trace: NoteTrace | None) -> Result:
    """An interface takes the events it was built for and refuses, or quietly drops, the rest."""
    wanted = agreed_types(settings.integration.hl7.message)
    have = f"{sent.code}^{sent.event}"
    weight = weigh_hl7(trace, ("200", "201"), ["MSH-9"])
    place = _place(sent, 9)
    if not sent.code:
        return offence("MSH-9 does not name a message type.", weight, **place)
    if wanted and not any(sent.code == code and event in ("", sent.event) for code, event in wanted):
        agreed = " or ".join("^".join(filter(None, one)) for one in wanted[:4])
        return offence(
            f"The message is {have[:20]}, and the interface is configured for {agreed}.",
            weight,
            sent=have[:20],
            configured=agreed,
            **place,
        )
    refused = _refused(trace, "200", "201")
    if refused:
        return failed(f"The interface refuses {have[:20]} (error {refused}).", sent=have[:20], error_code=refused,
                      **place)  # fmt: skip
    structure, own = sent.message.get("MSH-9.3").upper(), structure_id(sent.code, sent.event)
    if structure and own and structure != own:
        says = f"MSH-9.3 says {structure[:20]}, and {have} has the structure {own}."
        # many receivers ignore this component: only a refusal makes it more than a remark
        if refusal_of(trace) is None:
            return warned(says, strength=Strength.WEAK, sent=structure[:20], expected=own, **place)
        return offence(says, weight, at_most=Strength.STRONG, sent=structure[:20], expected=own, **place)
    return passed(f"The message is {have[:20]}.", sent=have[:20])


def agreed_types(configured: str | None) -> tuple[tuple[str, str], ...]:
    """Return code and event of each type the interface takes; it may be configured for several (`MDM^T02, MDM^T08`)."""
    names = re.split(r"[,;\s]+", (configured or "").upper().strip())
    parts = [re.split(r"[\^_]", name) for name in names if name]
    return tuple((one[0], one[1] if len(one) > 1 else "") for one in parts)


def _place(sent: Hl7Message, number: int) -> dict[str, Any]:
    """Return where a field of the header stands."""
    header = sent.message.first("MSH")
    if header is None:
        return {}
    place = header.place(number)
    return {"offset": place.offset, "places": [place.facts]}


def _refused(trace: NoteTrace | None, *codes: str) -> str:
    """Return the code of table 0357 by which the receiver itself refused this part of the header."""
    refusal = refusal_of(trace)
    return next((code for code in codes if refusal is not None and code in refusal.error_codes), "")


@check(
    id="hl7.msh.version",
    step=Step.WRITE_BACK,
    title="The message's HL7 version is the one the interface takes",
    proves=causes.MSH_VERSION,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def version(sent: Hl7Message, settings: Settings, trace: NoteTrace | None) -> Result:
    """A receiver that insists on its version refuses the message before it reads on."""
    wanted, have = settings.integration.hl7.version, sent.version
    weight = weigh_hl7(trace, ("203",), ["MSH-12"])
    place = _place(sent, 12)
    if not have:
        return offence("MSH-12 is empty: the message does not say which version it is.", weight, **place)
    refused = _refused(trace, "203")
    if refused:
        return failed(
            f"The interface refuses version {have[:10]} (error {refused}).",
            sent=have[:10],
            configured=wanted,
            error_code=refused,
            **place,
        )
    if declared_version(have) is None and have.strip() != (wanted or "").strip():
        says = f"MSH-12 says {have[:10]}, which is no version of HL7 v2."
        return offence(says, weight, at_most=Strength.STRONG, sent=have[:10], configured=wanted, **place)
    if not wanted or have.strip() == wanted.strip():
        return passed(f"The message says version {have[:10]}.", sent=have[:10], configured=wanted)
    says = f"The message says version {have[:10]}, and the interface is configured for {wanted[:10]}."
    # most receivers are tolerant here: a proof only where the answer names the version
    return offence(says, weight, at_most=Strength.STRONG, sent=have[:10], configured=wanted, **place)


@check(
    id="hl7.msh.processing_id",
    step=Step.WRITE_BACK,
    title="The message is marked for the environment it is sent to",
    proves=causes.MSH_PROCESSING_ID,
    checklist=("WRITE.3", "WRITE.8"),
    applies=over_hl7,
)
def processing_id(sent: Hl7Message, settings: Settings, trace: NoteTrace | None) -> Result:
    """A test message in production is refused, or worse, filed for a patient who does not exist."""
    have = sent.message.get("MSH-11.1").strip().upper()
    environment = settings.integration.environment
    weight = weigh_hl7(trace, ("202",), ["MSH-11"])
    place = _place(sent, 11)
    if not have:
        return not_applicable("MSH-11 is empty, which is judged as a missing field.")
    refused = _refused(trace, "202")
    if refused:
        return failed(f"The interface refuses a message marked {have[:5]} (error {refused}).", sent=have[:5],
                      **place)  # fmt: skip
    if environment == "production" and have in ("T", "D"):
        return offence(f"MSH-11 is {have}, and the message went to the production system.", weight, sent=have,
                       **place)  # fmt: skip
    if environment in ("sandbox", "staging") and have == "P":
        return offence(f"MSH-11 is P, and the message went to a {environment} system.", weight, sent=have,
                       **place)  # fmt: skip
    if have not in ("P", "T", "D"):
        return offence("MSH-11 is none of P, T and D.", weight, sent=have[:5], **place)
    if environment is None:
        return passed(f"MSH-11 is {have}; which environment this is has not been configured.", sent=have)
    return passed(f"MSH-11 is {have}, as this environment asks for.", sent=have, environment=environment)


@check(
    id="hl7.msh.control_id",
    step=Step.WRITE_BACK,
    title="The message has a control id of its own",
    proves=causes.MSH_CONTROL_ID,
    checklist=("WRITE.8", "WRITE.11"),
    applies=over_hl7,
)
def control_id(sent: Hl7Message, log: ScribeLog | None, trace: NoteTrace | None) -> Result:
    """The receiver tells messages and their answers apart by this id alone."""
    have = sent.message.get("MSH-10")
    refusal = refusal_of(trace)
    weight = weigh_hl7(trace, ("101", "104", "205"), ["MSH-10"])
    limit = length_limits(version_of(sent.version))["MSH-10"]
    place = _place(sent, 10)
    if not have.strip():
        return offence("MSH-10 is empty.", weight, **place)
    if len(have) > limit:
        says = f"MSH-10 has {len(have)} characters; {limit} are allowed."
        codes = refusal.error_codes if refusal is not None else frozenset({"unknown"})
        # a refusal without any code leaves this as the best that is known; many receivers take longer ids
        most = Strength.DECISIVE if codes & {"101", "104"} else Strength.MODERATE if codes else Strength.STRONG
        return offence(says, weight, at_most=most, length=len(have), limit=limit, **place)
    ours = {row.note_id for row in trace.rows if row.note_id} if trace is not None else set()
    others = {
        row.note_id
        for row in (log.rows if log is not None else ())
        if row.event == "sent" and row.note_id and row.note_id not in ours and same(row.transaction_id, have)
    }
    if ours and others:
        return offence(
            "The same control id was used for another note.",
            weight,
            at_most=Strength.DECISIVE if refusal is not None and "205" in refusal.error_codes else Strength.STRONG,
            others=len(others),
            fingerprint=hashlib.sha256(have.encode(errors="replace")).hexdigest()[:8],
            **place,
        )
    return passed("The message has a control id that no other note has used.", length=len(have))


@check(
    id="hl7.msh.control_id.log",
    step=Step.WRITE_BACK,
    title="No other note was sent under the same control id",
    proves=causes.MSH_CONTROL_ID,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def control_id_in_the_log(trace: NoteTrace, log: ScribeLog) -> Result:
    """A receiver that keeps count of control ids turns the second note away as a duplicate."""
    refusal = refusal_of(trace)
    if refusal is None or "205" not in refusal.error_codes:
        return passed("The receiver did not speak of a duplicate key.")
    ours = {row.note_id for row in trace.rows if row.note_id}
    ids = {row.transaction_id for row in trace.rows if row.transaction_id}
    others = {
        row.note_id
        for row in log.rows
        if row.event == "sent" and row.note_id and row.note_id not in ours and row.transaction_id in ids
    }
    if not others:
        return passed("The scribe's log shows no other note with this control id.")
    return failed("Another note was sent under the same control id, and the receiver says duplicate key (205).",
                  others=len(others))  # fmt: skip


@check(
    id="hl7.msh.routing",
    step=Step.WRITE_BACK,
    title="The message names the sender and receiver the interface knows",
    proves=causes.MSH_ROUTING,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def routing(sent: Hl7Message, settings: Settings, trace: NoteTrace | None) -> Result:
    """An interface engine routes by these names; a message to an unknown one ends in a dead-letter queue."""
    interface = settings.integration.hl7
    pairs = (("MSH-3", interface.sending_application), ("MSH-5", interface.receiving_application))
    known = [(path, wanted) for path, wanted in pairs if wanted]
    if not known:
        return not_applicable("The integration does not say which names are agreed.")
    for path, wanted in known:
        number = int(path[4:])
        have = sent.message.get(path)
        if wanted == "*" or wanted in (have, _whole(sent, number)):
            continue  # an asterisk lets every name through
        if have != wanted:
            weight = weigh_hl7(trace, ("103", "204", "207"), [path])
            spelled = "in another spelling" if have.lower() == wanted.lower() else "another name"
            return offence(f"{path} holds {spelled} than the one agreed for this interface.", weight,
                           at_most=Strength.STRONG, field=path, configured=wanted[:40],
                           **_place(sent, number))  # fmt: skip
    return passed("Sender and receiver are those agreed.", fields=[path for path, _ in known])


def _whole(sent: Hl7Message, number: int) -> str:
    header = sent.message.first("MSH")
    return header.text(number) if header is not None else ""


@check(
    id="hl7.msh.delims",
    step=Step.WRITE_BACK,
    title="The message uses the usual delimiters",
    hints=causes.MSH_DELIMS,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def delimiters(sent: Hl7Message, trace: NoteTrace | None) -> Result:
    """Other delimiters are allowed, and a receiver with fixed ones misreads every field."""
    used = sent.message.delimiters
    place = _place(sent, 2)
    written = _whole(sent, 2)
    usual = used.field == "|" and used.encoding == "^~\\&"
    if len(set(used.all)) < 5:
        return warned("MSH-1 and MSH-2 name the same character twice.", strength=Strength.MODERATE, **place)
    if len(written) > 4 and not (len(written) == 5 and since(version_of(sent.version), "2.7")):
        says = "MSH-2 names more delimiters than this version has: a fifth came with version 2.7."
        return warned(says, strength=Strength.WEAK, **place)
    if usual:
        return passed("The message uses | and ^~\\&.")
    if taken(trace):
        return passed("The message uses delimiters of its own, and the EHR read them.")
    return warned("The message uses other delimiters than | and ^~\\&.", strength=Strength.WEAK, **place)
