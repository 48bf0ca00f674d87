"""Judge the MSH segment against what the interface is configured for."""

import hashlib
import re

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
from diagnostics.parsing.hl7_tables import version_of
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
    wanted = re.split(r"[\^_ ]", (settings.integration.hl7.message or "").upper())
    have = f"{sent.code}^{sent.event}"
    weight = weigh_hl7(trace, ("200", "201"), ["MSH-9"])
    if not sent.code:
        return offence("MSH-9 does not name a message type.", weight)
    if wanted[0] and (sent.code != wanted[0] or (len(wanted) > 1 and sent.event != wanted[1])):
        return offence(
            f"The message is {have[:20]}, and the interface is configured for {'^'.join(wanted[:2])}.",
            weight,
            sent=have[:20],
            configured="^".join(wanted[:2]),
        )
    refused = _refused(trace, "200", "201")
    if refused:
        return failed(f"The interface refuses {have[:20]} (error {refused}).", sent=have[:20], error_code=refused)
    structure, own = sent.message.get("MSH-9.3").upper(), structure_id(sent.code, sent.event)
    if structure and own and structure != own:
        says = f"MSH-9.3 says {structure[:20]}, and {have} has the structure {own}."
        # many receivers ignore this component: only a refusal makes it more than a remark
        if refusal_of(trace) is None:
            return warned(says, strength=Strength.WEAK, sent=structure[:20], expected=own)
        return offence(says, weight, at_most=Strength.STRONG, sent=structure[:20], expected=own)
    return passed(f"The message is {have[:20]}.", sent=have[:20])


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
    if not have:
        return offence("MSH-12 is empty: the message does not say which version it is.", weight)
    refused = _refused(trace, "203")
    if refused:
        return failed(
            f"The interface refuses version {have[:10]} (error {refused}).",
            sent=have[:10],
            configured=wanted,
            error_code=refused,
        )
    if not wanted or have.strip() == wanted.strip():
        return passed(f"The message says version {have[:10]}.", sent=have[:10], configured=wanted)
    says = f"The message says version {have[:10]}, and the interface is configured for {wanted[:10]}."
    # most receivers are tolerant here: a proof only where the answer names the version
    return offence(says, weight, at_most=Strength.STRONG, sent=have[:10], configured=wanted)


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
    if not have:
        return not_applicable("MSH-11 is empty, which is judged as a missing field.")
    refused = _refused(trace, "202")
    if refused:
        return failed(f"The interface refuses a message marked {have[:5]} (error {refused}).", sent=have[:5])
    if environment == "production" and have in ("T", "D"):
        return offence(f"MSH-11 is {have}, and the message went to the production system.", weight, sent=have)
    if environment in ("sandbox", "staging") and have == "P":
        return offence(f"MSH-11 is P, and the message went to a {environment} system.", weight, sent=have)
    if have not in ("P", "T", "D"):
        return offence("MSH-11 is none of P, T and D.", weight, sent=have[:5])
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
    if not have.strip():
        return offence("MSH-10 is empty.", weight)
    if len(have) > limit:
        says = f"MSH-10 has {len(have)} characters; {limit} are allowed."
        codes = refusal.error_codes if refusal is not None else frozenset({"unknown"})
        # a refusal without any code leaves this as the best that is known; many receivers take longer ids
        most = Strength.DECISIVE if codes & {"101", "104"} else Strength.MODERATE if codes else Strength.STRONG
        return offence(says, weight, at_most=most, length=len(have), limit=limit)
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
            fingerprint=hashlib.sha256(have.encode()).hexdigest()[:8],
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
        have = sent.message.get(path)
        if have != wanted:
            weight = weigh_hl7(trace, ("103", "204", "207"), [path])
            spelled = "in another spelling" if have.lower() == wanted.lower() else "another name"
            return offence(f"{path} holds {spelled} than the one agreed for this interface.", weight,
                           at_most=Strength.STRONG, field=path, configured=wanted[:40])  # fmt: skip
    return passed("Sender and receiver are those agreed.", fields=[path for path, _ in known])


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
    if used.field == "|" and used.encoding == "^~\\&":
        return passed("The message uses | and ^~\\&.")
    if taken(trace):
        return passed("The message uses delimiters of its own, and the EHR read them.")
    return warned("The message uses other delimiters than | and ^~\\&.", strength=Strength.WEAK)
