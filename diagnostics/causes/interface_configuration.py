"""Declare the HL7 v2 causes of step 2: framing, header, grammar, fields, characters, acknowledgements."""

from diagnostics.causes.model import RUN_AGAIN, Action, Kind, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

_NACK = ("hl7.ack.negative",)

MLLP_FRAMING = declare(
    "hl7.mllp.framing",
    "The message is not wrapped the way the interface expects",
    layer=Layer.REQUEST,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Send exactly one message per frame: 0x0B before it, 0x1C 0x0D after it",
        "Remove these bytes from inside the message",
        RUN_AGAIN,
    ),
    checklist=("WRITE.8",),
    standard="HL7 Transport Specification: MLLP, Release 1",
    caution="Files and HTTP transports have no frame.",
    explains=(*_NACK, "hl7.ack.missing", "hl7.msh.first"),
)
MSH_FIRST = declare(
    "hl7.msh.first",
    "The message does not begin with its header segment",
    layer=Layer.REQUEST,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Begin the message with MSH and its delimiters; remove a byte-order mark or blank line before it",
        RUN_AGAIN,
    ),
    checklist=("WRITE.8",),
    standard="HL7 v2 chapter 2, message header",
    caution="Batches begin with FHS or BHS.",
    explains=(*_NACK, "hl7.ack.missing", "hl7.grammar.", "hl7.msh.", "hl7.field.required"),
)
MSH_DELIMS = declare(
    "hl7.msh.delims",
    "The message uses other delimiters than the usual ones",
    kind=Kind.WARNING,
    layer=Layer.REQUEST,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Ask the interface team whether the receiver reads the delimiters from MSH-2 or expects fixed ones",
        "Use ^~\\& unless both sides agreed on others; a fifth delimiter (#) only from version 2.7 on",
    ),
    checklist=("WRITE.8",),
    standard="HL7 v2 chapter 2, MSH-1 and MSH-2",
    caution="Other delimiters are allowed where both sides agreed on them.",
)
MSH_TYPE = declare(
    "hl7.msh.type",
    "The message type is not the one the interface takes",
    layer=Layer.REQUEST,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Set MSH-9 to the event the interface is configured for: T02 new note, T06 addendum, T08 edit, T10 replacement",
        "Check that the structure in MSH-9.3 belongs to the event",
        RUN_AGAIN,
    ),
    checklist=("WRITE.8",),
    standard="HL7 v2.5.1 chapter 9; table 0357 codes 200 and 201",
    caution="Many receivers ignore the third component.",
    explains=(*_NACK, "hl7.grammar."),
)
MSH_VERSION = declare(
    "hl7.msh.version",
    "The message says another HL7 version than the interface takes",
    layer=Layer.REQUEST,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Set MSH-12 to the version agreed for this interface, or have the interface accept this one", RUN_AGAIN),
    checklist=("WRITE.8", "WRITE.7"),
    standard="HL7 v2 MSH-12; table 0357 code 203",
    caution="Most receivers are tolerant.",
    explains=_NACK,
)
MSH_PROCESSING_ID = declare(
    "hl7.msh.processing_id",
    "The message is marked as test for a production system, or the other way round",
    layer=Layer.REQUEST,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Set MSH-11 to P for production and T or D for test",
        "Check which environment the scribe's connector believes it is in",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3", "WRITE.8"),
    standard="HL7 v2 MSH-11, table 0103; table 0357 code 202",
    caution="MSH-11.2 says how a message is processed, not for which environment.",
    explains=_NACK,
)
MSH_ROUTING = declare(
    "hl7.msh.routing",
    "The message names a sender or receiver that the interface does not know",
    layer=Layer.REQUEST,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Set MSH-3 to MSH-6 to the names agreed for this interface; capitals count", RUN_AGAIN),
    checklist=("WRITE.8",),
    standard="HL7 v2 MSH-3 to MSH-6",
    caution="Some receivers route by wildcard.",
    explains=(*_NACK, "hl7.ack.missing"),
)
MSH_CONTROL_ID = declare(
    "hl7.msh.control_id",
    "The message has no usable control id of its own",
    layer=Layer.REQUEST,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Give every new message its own MSH-10 (up to 20 characters, 199 from v2.7); keep it for a resend",
        RUN_AGAIN,
    ),
    checklist=("WRITE.8", "WRITE.11"),
    standard="HL7 v2 MSH-10; table 0357 code 205",
    caution="Sending the same message again under the same id is right.",
    explains=(*_NACK, "hl7.ack.mismatch"),
)
GRAMMAR_ORDER = declare(
    "hl7.grammar.order",
    "The segments of the message stand in the wrong order",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Put the named segment where the message structure of this version wants it",
        RemedyStep("Test the corrected message on the interface's test port", Action.WRITE_CANARY),
        RUN_AGAIN,
    ),
    checklist=("WRITE.8",),
    standard="HL7 v2 message structures (MDM_T02, ORU_R01); table 0357 code 100",
    caution="Z segments may stand anywhere; tolerant receivers accept more.",
    explains=(*_NACK, "hl7.ack.missing"),
)
GRAMMAR_MISSING = declare(
    "hl7.grammar.missing",
    "The message lacks a segment that its type must have, or repeats one",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=("Have the named segment added, or its repetition removed", RUN_AGAIN),
    checklist=("WRITE.8",),
    standard="HL7 v2 message structures (MDM_T02, ORU_R01); table 0357 code 100",
    caution="A site's own profile may relax this.",
    explains=(*_NACK, "hl7.ack.missing"),
)
FIELD_REQUIRED = declare(
    "hl7.field.required",
    "A field that the message must carry is empty",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=("Fill the named field; two double quotes mean “delete” and do not count as a value", RUN_AGAIN),
    checklist=("WRITE.8",),
    standard="HL7 v2 segment definitions (required fields); table 0357 code 101",
    caution="A site's own profile may relax this.",
    explains=_NACK,
)
FIELD_LENGTH = declare(
    "hl7.field.length",
    "A field is longer than the interface takes",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Split the text over several OBX segments, numbered in OBX-1, with the same OBX-3",
        "Or ask the interface team to raise the limit of the field",
        RUN_AGAIN,
    ),
    checklist=("WRITE.10",),
    standard="HL7 v2 segment definitions (LEN)",
    caution="The site's own limit is usually smaller than the standard's, and may count bytes.",
    explains=(*_NACK, "hl7.note.truncated"),
)
FIELD_TABLE = declare(
    "hl7.field.table",
    "A coded field holds a value that is not in its table",
    layer=Layer.CONTENT,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Use a value of the named HL7 table, or have the site's code map extended", RUN_AGAIN),
    checklist=("WRITE.4", "WRITE.8"),
    standard="HL7 v2 tables; table 0357 code 103",
    caution="Some tables are the site's own.",
    explains=_NACK,
)
ENCODING_UNDECLARED = declare(
    "hl7.encoding.undeclared",
    "The message contains characters that its declared character set does not have",
    layer=Layer.REQUEST,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Set MSH-18 to UNICODE UTF-8 and configure the receiving side alike",
        "Or have the scribe write plain characters where that is safe, as listed with the finding: µg becomes mcg",
        RUN_AGAIN,
    ),
    checklist=("WRITE.9",),
    standard="HL7 v2 MSH-18, table 0211",
    caution="A receiver may be set to UTF-8 whatever the message says.",
    explains=(*_NACK, "hl7.encoding.mojibake", "hl7.note.truncated"),
)
ENCODING_MOJIBAKE = declare(
    "hl7.encoding.mojibake",
    "Special characters of the note are garbled in the chart",
    layer=Layer.FILING,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Find the hop that reads the message in another character set and set all of them to UTF-8", RUN_AGAIN),
    checklist=("WRITE.9", "MAP.1"),
    standard="HL7 v2 MSH-18, table 0211",
    caution="Compare with the scribe's copy: the text may have been garbled before.",
)
ESCAPE = declare(
    "hl7.escape",
    "The note's text contains delimiter characters that were not escaped",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Have |, ^, ~, & and \\ inside text sent as \\F\\, \\S\\, \\R\\, \\T\\ and \\E\\",
        "Correct the notes that were cut at such a character",
        RUN_AGAIN,
    ),
    checklist=("WRITE.8",),
    standard="HL7 v2 chapter 2, escape sequences",
    caution="Encapsulated data (ED) in base64 hold none of these, and a tilde may stand for a new line of TX or FT.",
    explains=(*_NACK, "hl7.note.truncated", "hl7.field.required", "hl7.field.table"),
)
LINEBREAK = declare(
    "hl7.linebreak",
    "The note's text contains line breaks that end the segment",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=("Send each line as an OBX of its own, or break lines inside FT text with \\.br\\", RUN_AGAIN),
    checklist=("WRITE.8",),
    standard="HL7 v2 chapter 2, segment terminator",
    caution="Segments that end with CR and LF are a habit, not a break in the text.",
    explains=(*_NACK, "hl7.grammar.", "hl7.field.required", "hl7.field.table", "hl7.note.truncated"),
)
NOTE_TRUNCATED = declare(
    "hl7.note.truncated",
    "The chart holds only the beginning of the note",
    layer=Layer.FILING,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Find the length limit at which the text ends: interface field, database column or template field",
        "Have the limit raised, or the text split over several OBX segments",
        "Add the missing part to the chart now",
        RUN_AGAIN,
    ),
    checklist=("WRITE.10", "MAP.1", "DONE.1"),
    standard="HL7 v2 segment definitions (LEN); the EHR's own field lengths",
    caution="An EHR may trim white space or add a signature.",
)
ACK_NEGATIVE = declare(
    "hl7.ack.negative",
    "The EHR's interface refused the message",
    layer=Layer.CONTENT,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Read the error segment of the acknowledgement: its code and the place it names",
        RemedyStep("Correct that place and resend the message under the same control id", Action.RESEND),
        RUN_AGAIN,
    ),
    checklist=("WRITE.11",),
    standard="HL7 v2 chapter 2, MSA and ERR; table 0357",
    caution="An interface engine may refuse before the EHR sees the message; MSH-3 of the answer names who spoke.",
)
ACK_MISSING = declare(
    "hl7.ack.missing",
    "The EHR's interface did not acknowledge the message",
    layer=Layer.OUTCOME,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Look whether the note is in the chart or in the interface engine's queue before anything is sent again",
        RemedyStep("Resend under the same control id, so that a second copy can be recognised", Action.RESEND),
        RUN_AGAIN,
    ),
    checklist=("WRITE.11", "DONE.1"),
    standard="HL7 v2 chapter 2, acknowledgements; MSH-15 and MSH-16",
    caution="With MSH-15 and MSH-16 set to NE no acknowledgement is due.",
)
ACK_COMMIT_ONLY = declare(
    "hl7.ack.commit_only",
    "The interface engine stored the message, but the EHR never confirmed it",
    layer=Layer.OUTCOME,
    who=WhoActs.EHR_TEAM,
    remedy=("Trace the message from the interface engine to the EHR: the first has it, the second said nothing",
            RUN_AGAIN),
    checklist=("WRITE.11", "DONE.1"),
    standard="HL7 v2 chapter 2, enhanced acknowledgement mode",
    caution="Some sites use commit acknowledgements only.",
)  # fmt: skip
ACK_MISMATCH = declare(
    "hl7.ack.mismatch",
    "The acknowledgement belongs to another message",
    layer=Layer.OUTCOME,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Have the scribe match answers by MSA-2, not by their order",
        "Check the messages before and after this one: one of them may lack its true answer",
        RUN_AGAIN,
    ),
    checklist=("WRITE.11",),
    standard="HL7 v2 MSA-2",
    caution="Several messages may be under way on one connection.",
)
MDM_DISCRETE_EXPECTED = declare(
    "hl7.mdm.discrete_expected",
    "The interface carries documents only, and coded data are expected with the note",
    layer=Layer.FILING,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Ask the EHR team which feeds it takes: ORU for vitals, PPR for problems, OMx for orders, RDE for medications",
        "Have the scribe send the coded data by these feeds, or set its output to narrative only",
        "Enter the missing codes, vitals and orders of recent notes by hand",
        RUN_AGAIN,
    ),
    checklist=("MAP.4",),
    standard="HL7 v2.5.1 chapter 9: a medical document message carries a document",
    caution="An integration may be narrative only by design, and further feeds may run over another connection.",
    explains=("map.discrete.vitals_narrative", "map.discrete.icd_in_text", "map.discrete.med_no_order"),
)
