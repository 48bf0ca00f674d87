"""Tell a log's format from its beginning."""

import codecs
import re
from datetime import UTC, datetime

from diagnostics.parsing.log_formats.csv_columns import missing, suggest
from diagnostics.parsing.log_formats.csv_rows import peek
from diagnostics.parsing.log_formats.line_formats import PARSERS, parses
from diagnostics.parsing.log_formats.pieces import BadFormat

LOGS = ("scribe", "ehr", "firewall", "proxy")
FORMATS: dict[str, str] = {
    "ndjson": "NDJSON: one JSON object a line",
    "json": "JSON: an array of objects",
    "csv": "CSV or TSV, with a header row",
    "audit_events": "FHIR AuditEvent: Bundle or NDJSON",
    "atna": "ATNA audit messages (DICOM or RFC 3881 XML)",
    "hl7_acks": "HL7 v2 acknowledgements",
    "mirth": "Message export of Mirth Connect or the Open Integration Engine (XML)",
    "squid": "Squid access log (native format)",
    "access_log": "Apache or nginx access log (common or combined format)",
    "haproxy": "HAProxy log (HTTP or TCP format)",
    "iptables": "Linux packet filter (iptables, nftables, ufw)",
    "filterlog": "pf filter log (pfSense, OPNsense)",
    "cisco_asa": "Cisco ASA or Firepower syslog",
    "palo_alto": "Palo Alto (PAN-OS) traffic log",
    "vpc_flow": "AWS VPC flow log",
}
"""What each format is called, for people."""

_OF_LOG = {
    "scribe": ("ndjson", "json", "csv", "hl7_acks", "mirth"),
    "ehr": ("ndjson", "json", "csv", "audit_events", "atna", "hl7_acks", "mirth"),
    "firewall": ("ndjson", "json", "csv", *PARSERS["firewall"], "vpc_flow"),
    "proxy": ("ndjson", "json", "csv", *PARSERS["proxy"]),
}
_HL7 = re.compile(rb"(?:\A|[\r\n\x0b])[\x0b \t]{0,8}(?:MSH|FHS|BHS)[^A-Za-z0-9\s]")
_LINES = 30


def formats_for(log: str) -> dict[str, str]:
    """Return the formats in which this log may come, with what they are called."""
    return {slug: FORMATS[slug] for slug in _OF_LOG[log]}


def sniff(head: bytes, *, log: str, name: str = "") -> str:
    """Return the format's slug from the first 64 KiB (unpacked) and the file's name; raise BadFormat for none."""
    refuse_wide(head)
    head = head.removeprefix(codecs.BOM_UTF8)
    bare = head.lstrip(b" \t\r\n\x0b\x00")
    name = name.lower().removesuffix(".gz")
    if not bare:
        return "ndjson"  # an empty file holds no rows, whatever it is
    lines = [line for line in head.split(b"\n")[:_LINES] if line.strip()]
    found = (
        _json(bare, lines, log)
        or _xml(head, log)
        or ("hl7_acks" if "hl7_acks" in _OF_LOG[log] and _HL7.search(head[:8192]) else "")
        or _by_lines(lines, log)
        or _csv(head, log, name)
    )
    if not found and name.endswith((".ndjson", ".jsonl")):
        return "ndjson"
    if not found:
        raise BadFormat(f"The file is of no known format. The {_TITLES[log]} may come as "
                        f"{'; '.join(formats_for(log).values())}.")  # fmt: skip
    return found


_TITLES = {"scribe": "AI scribe's log", "ehr": "EHR's log", "firewall": "firewall's log", "proxy": "proxy's log"}


def refuse_wide(head: bytes) -> None:
    """Raise BadFormat for UTF-16 and UTF-32, which are not text byte by byte."""
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE))
    sample = head[:4096]
    if wide or (len(sample) >= 16 and max(sample[::2].count(0), sample[1::2].count(0)) > len(sample) * 0.4):
        raise BadFormat("The file is not UTF-8 but a wide encoding (UTF-16 or UTF-32). Save it as UTF-8 and bring it "
                        "again.")  # fmt: skip


def _json(bare: bytes, lines: list[bytes], log: str) -> str:
    objects = sum(line.lstrip()[:1] == b"{" and line.rstrip()[-1:] == b"}" for line in lines)
    if bare[:1] not in b"{[" and objects * 2 <= len(lines):
        return ""
    if log == "ehr" and re.search(rb'"resourceType"\s*:\s*"(?:AuditEvent|Bundle)"', bare):
        return "audit_events"
    if bare[:1] == b"[" or (bare[:1] == b"{" and re.match(rb"\{\s*\n", bare)):
        return "json"
    return "ndjson"


def _xml(head: bytes, log: str) -> str:
    if b"<" not in head:
        return ""
    for name, slug in ((rb"AuditMessage", "atna"), (rb"connectorMessages?", "mirth")):
        if re.search(rb"<(?:[\w.-]{1,60}:)?" + name + rb"[\s>/]", head):
            if slug in _OF_LOG[log]:
                return slug
            raise BadFormat(f"The file is a log of another kind: {FORMATS[slug]}.")
    if re.search(rb"<(?:AuditEvent|Bundle)[\s>]", head):
        raise BadFormat(
            "The file is FHIR in XML. Export the AuditEvents as JSON (Bundle or NDJSON) and bring it again."
        )
    return ""


def _by_lines(lines: list[bytes], log: str) -> str:
    now = datetime.now(UTC)
    counted = {
        slug: sum(parses(log, slug, line, now) for line in lines)
        for slug in (*PARSERS.get(log, ()), *(("vpc_flow",) if log == "firewall" else ()))
    }
    best = max(counted, key=lambda slug: counted[slug], default="")
    return best if best and counted[best] else ""


def _csv(head: bytes, log: str, name: str) -> str:
    named = name.endswith((".csv", ".tsv", ".tab"))
    try:
        table = peek(head)
    except BadFormat:
        return "csv" if named else ""
    fits = len(table.headers) > 1 and len(missing(suggest(table.headers, log), log)) < 2
    return "csv" if named or (fits and any(suggest(table.headers, log).values())) else ""
