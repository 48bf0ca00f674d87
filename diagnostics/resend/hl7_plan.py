"""Plan an HL7 v2 resend: the original message with its MSH-10 and TXA-12, or an MDM^T06 to the filed document; pure.

HL7 v2.5.1 chapter 2 (MSH), chapter 9 (MDM, TXA): an addendum is a document of its own (TXA-12) with a parent (TXA-13).
"""

from __future__ import annotations

import hashlib

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import Hl7Message
from diagnostics.parsing.hl7 import Message
from diagnostics.resend.addresses import bare, listener
from diagnostics.resend.fhir_plan import filed_parent
from diagnostics.resend.model import Difference, Lookup, ResendPlan, Way

CONTENT_TYPE = "x-application/hl7-v2+er7"
_BLIND = (
    "Nothing can be read back from this interface: if the answer is lost, only the EHR's log or the interface team can "
    "tell what became of the note. The receiver recognises a repetition by MSH-10 and TXA-12, if it looks at them."
)
_READABLE = (
    "A message is not refused as a repetition by every receiver: what protects the chart is reading first and one "
    "resend at a time."
)


def plan_hl7(case: Case, bag: Bag, held: Hl7Message, lookup: Lookup, *, addendum: bool) -> ResendPlan:
    """Return the plan for an HL7 v2 note; `addendum` where its visit takes no new note any more."""
    message = held.message
    draft = _Draft(message)
    draft.tidy()
    draft.settings(case)
    way = Way.MESSAGE
    if addendum:
        refused = _make_addendum(draft, bag, held)
        if refused:
            return ResendPlan(None, refused, lookup=lookup)
        way = Way.ADDENDUM
    url = listener(case.integration)
    trace = bag.get(NoteTrace)
    last = trace.last if trace is not None else None
    if last is not None and last.url and bare(last.url) != url:
        why = "The listener's address is another today than when the note failed."
        draft.differences.insert(0, Difference("Address", bare(last.url), url, why))
    return ResendPlan(
        way=way,
        method="MLLP",
        url=url,
        body=draft.body,
        content_type=CONTENT_TYPE,
        differences=tuple(draft.differences),
        warning=_READABLE if lookup.possible else _BLIND,
        lookup=lookup,
        control_id=draft.get("MSH", 10).decode(message.charset, "replace").strip(),
    )


def _make_addendum(draft: _Draft, bag: Bag, held: Hl7Message) -> str:
    """Turn the draft into an MDM^T06; return why that cannot be done, or an empty string."""
    message = held.message
    if held.code != "MDM" or message.first("TXA") is None:
        return (
            "The visit is signed or closed, and this message is no document message that could become an addendum. "
            "Have the provider write an addendum in the EHR."
        )
    if held.event == "T06" and message.get("TXA-13.1"):
        return ""
    found = filed_parent(bag, frozenset(code for code in (message.get("OBX-3.1"),) if code))
    if isinstance(found, str):
        return found
    if not found.identifiers:
        return (
            "The visit is signed or closed, and the document filed in it shows no number that TXA-13 could name. "
            "Have the provider write an addendum in the EHR."
        )
    parent, marks = found.identifiers[0], message.delimiters
    shut = "The visit is signed or closed: the note goes in as an addendum (event T06) to the document filed there."
    structured = draft.get("MSH", 9).count(marks.component.encode("latin-1")) > 1
    event = marks.component.join(("MDM", "T06", "MDM_T02") if structured else ("MDM", "T06"))
    draft.change("MSH", 9, event, shut)
    if draft.get("EVN", 1):
        draft.change("EVN", 1, "T06", shut)
    draft.change("TXA", 13, _escaped(parent, message), "TXA-13 names the document that is added to.")
    # T06 is another message than the one that failed: under the same MSH-10 a receiver would answer "duplicate key".
    own = hashlib.blake2b(message.raw + parent.encode("utf-8", "replace"), digest_size=9).hexdigest()
    draft.change("MSH", 10, f"NT{own.upper()}", "An addendum is a message of its own; TXA-12 stays as it was.")
    return ""


def _escaped(value: str, message: Message) -> str:
    marks = message.delimiters
    value = value.replace(marks.escape, f"{marks.escape}E{marks.escape}")
    for sign, code in ((marks.field, "F"), (marks.component, "S"), (marks.repetition, "R"), (marks.subcomponent, "T")):
        value = value.replace(sign, f"{marks.escape}{code}{marks.escape}")
    return "".join(each for each in value if each.isprintable())


class _Draft:
    """Change single fields of a message and note each change; all other bytes stay as they were sent."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.differences: list[Difference] = []
        self.body = message.raw[message.payload_offset :]

    def tidy(self) -> None:
        """Take the frame off and end every segment with CR, as every receiver demands."""
        body = self.body
        if self.message.frame.present:
            body = body.rstrip(b"\r\n").removesuffix(b"\x1c")
        whole = body.replace(b"\r\n", b"\r").replace(b"\n", b"\r").strip(b"\r") + b"\r"
        if b"\n" in body:
            why = "The file holds line feeds; segments end with a carriage return (chapter 2)."
            self.differences.append(Difference("Segment ends", "LF", "CR", why))
        if self.message.bom:
            why = "A byte order mark stood before MSH, and receivers refuse that."
            self.differences.append(Difference("First bytes", "byte order mark", "MSH", why))
        self.body = whole

    def settings(self, case: Case) -> None:
        """Bring in what today's settings say of the header."""
        hl7 = case.integration.hl7
        why = "The integration's settings name another value today."
        for number, wanted in (
            (3, hl7.sending_application),
            (5, hl7.receiving_application),
            (12, hl7.version),
        ):
            first = self.get("MSH", number).split(self.message.delimiters.component.encode("latin-1"))[0]
            if wanted and first.strip() != wanted.encode("utf-8"):
                self.change("MSH", number, _escaped(wanted, self.message), why)

    def get(self, segment: str, number: int) -> bytes:
        """Return a field's bytes, empty where it is absent."""
        _lines, _at, fields = self._fields(segment)
        place = number - 1 if segment == "MSH" else number
        return fields[place] if place < len(fields) else b""

    def change(self, segment: str, number: int, value: str, why: str) -> None:
        """Set one field and note it; nothing happens where it has that value."""
        lines, at, fields = self._fields(segment)
        place = number - 1 if segment == "MSH" else number
        before, after = self.get(segment, number), value.encode(self.message.charset, "replace")
        if at is None or before == after:
            return
        fields += [b""] * (place + 1 - len(fields))
        fields[place] = after
        lines[at] = self._separator.join(fields)
        self.body = b"\r".join(lines)
        shown = before.decode(self.message.charset, "replace")[:80]
        self.differences.append(Difference(f"{segment}-{number}", shown or None, value, why))

    @property
    def _separator(self) -> bytes:
        return self.message.delimiters.field.encode("latin-1")

    def _fields(self, segment: str) -> tuple[list[bytes], int | None, list[bytes]]:
        lines = self.body.split(b"\r")
        name = segment.encode("ascii")
        at = next((n for n, line in enumerate(lines) if line[:3] == name and line[3:4] in (b"", self._separator)), None)
        return lines, at, [] if at is None else lines[at].split(self._separator)
