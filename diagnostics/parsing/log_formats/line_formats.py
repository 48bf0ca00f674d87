"""Read the formats in which a line is a row: proxies and firewalls."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO

from diagnostics.parsing.log_formats.cisco import cisco_asa
from diagnostics.parsing.log_formats.firewalls import filterlog, flow_names, iptables, vpc_flow
from diagnostics.parsing.log_formats.lines import line_pieces
from diagnostics.parsing.log_formats.palo_alto import palo_alto
from diagnostics.parsing.log_formats.pieces import Line, Odd, Reading, Row, lines_of, text_of
from diagnostics.parsing.log_formats.proxies import access_log, haproxy, squid

Parser = Callable[[str, datetime], Row]

PARSERS: dict[str, dict[str, Parser]] = {
    "proxy": {"squid": squid, "haproxy": haproxy, "access_log": access_log},
    "firewall": {"iptables": iptables, "filterlog": filterlog, "cisco_asa": cisco_asa, "palo_alto": palo_alto},
}


def read_lines(stream: BinaryIO, reading: Reading, format: str) -> Iterator[Line]:
    """Yield a line for every line that is neither blank nor a comment (#)."""
    parser = PARSERS[reading.log][format]

    def rows(raw: bytes) -> list[Row]:
        text = text_of(raw).rstrip("\r")
        return [] if text.startswith("#") else [parser(text, reading.now)]

    return lines_of(line_pieces(stream, reading.start), rows, reading.start)


def read_vpc_flow(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield a line for every flow; a header line names the fields of a log with fields of its own choice."""
    names: tuple[str, ...] | None = None

    def rows(raw: bytes) -> list[Row]:
        text = text_of(raw)
        return [] if flow_names(text) is not None else vpc_flow(text, names)

    def pieces() -> Iterator[Line]:
        nonlocal names
        for piece in line_pieces(stream):
            if piece.problem is None and piece.raw[:400].isascii() and b"srcaddr" in piece.raw[:4096]:
                names = flow_names(piece.raw.decode("utf-8", "replace")) or names
            yield from lines_of([piece], rows, reading.start)

    return pieces()


def parses(log: str, format: str, raw: bytes, now: datetime) -> bool:
    """Tell whether a line is one of this format."""
    try:
        if format == "vpc_flow":
            text = text_of(raw)
            return flow_names(text) is not None or bool(vpc_flow(text, None))
        PARSERS[log][format](text_of(raw).rstrip("\r"), now)
    except Odd:
        return False
    return True
