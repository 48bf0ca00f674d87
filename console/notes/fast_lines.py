"""Read the lines that need no second look: one typed pass over a row of the public contract.

Whatever this cannot vouch for goes to `log_lines.read_line`, which knows every rule and names what is wrong. A line
that passes here passes there with the same row and the same time; a property test holds the two together.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from console.notes.log_lines import ACKS, ACTIONS, DEEPEST, EVENTS, Checked, micros
from diagnostics.parsing.log_formats.pieces import LONGEST_LINE_BYTES

_Id = Annotated[str, msgspec.Meta(max_length=200)] | int | None
_Text = str | int | None
_Number = int | float | None
_Object = dict[str, Any] | None
_Status = Annotated[int, msgspec.Meta(ge=0, lt=1000)] | None
_Named = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z_-]*\Z")]


class _Scribe(msgspec.Struct):
    at: str
    event: Literal[EVENTS["scribe"]]  # type: ignore[valid-type]
    note_id: _Id = None
    transaction_id: _Id = None
    request_id: _Id = None
    encounter_id: _Id = None
    patient_id: _Id = None
    provider_id: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    site: _Text = None
    method: _Text = None
    url: _Text = None
    ack_id: _Text = None
    content_type: _Text = None
    token_id: _Text = None
    client_id: _Text = None
    resource: _Text = None
    author_id: _Text = None
    status: _Status = None
    ack: Literal[ACKS] | None = None  # type: ignore[valid-type]
    latency_ms: _Number = None
    attempt: _Number = None
    expires_in: _Number = None
    response_headers: _Object = None
    fields: _Object = None
    change: _Object = None
    scope: str | list[Any] | None = None


class _Ehr(_Scribe):
    event: Literal[EVENTS["ehr"]]  # type: ignore[valid-type]
    status: Annotated[int, msgspec.Meta(ge=0, lt=1000)] | _Named | None = None
    resourceType: msgspec.UnsetType = msgspec.UNSET


class _Firewall(msgspec.Struct):
    at: str
    action: Literal[ACTIONS]  # type: ignore[valid-type]
    source: _Text = None
    destination: _Text = None
    port: _Number = None


class _Proxy(msgspec.Struct):
    at: str
    method: _Text = None
    url: _Text = None
    result: _Text = None
    client: _Text = None
    status: _Status = None


_CONTRACT: dict[str, type[msgspec.Struct]] = {
    "scribe": _Scribe,
    "ehr": _Ehr,
    "firewall": _Firewall,
    "proxy": _Proxy,
}


def fast_reader(log: str, latest: datetime) -> Callable[[bytes], Checked | None]:
    """Give a function from a line to its row and time, or None where `read_line` must say what it is."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    convert, contract, first, last = msgspec.convert, _CONTRACT[log], 0, micros(latest)
    troubles = (msgspec.MsgspecError, ValueError, RecursionError)

    def read(line: bytes) -> Checked | None:
        if len(line) > LONGEST_LINE_BYTES or b"\\u0000" in line or line.count(b"{") + line.count(b"[") > DEEPEST:
            return None
        try:
            row = decode(line)
            convert(row, contract)
            moment = datetime.fromisoformat(row["at"])
        except troubles:
            return None
        if moment.tzinfo is None:
            return None
        time = micros(moment)
        return (row, time) if first <= time <= last else None

    return read
