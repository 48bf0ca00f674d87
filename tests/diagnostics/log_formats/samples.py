"""Invented logs in every format, and the one way in which the tests read them."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from diagnostics.parsing.log_formats import Line, open_stream, read

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def lines(raw: bytes, log: str, format: str, **more: Any) -> list[Line]:
    return list(read(open_stream(BytesIO(raw)), log=log, format=format, **{"now": NOW, **more}))


def rows(raw: bytes, log: str, format: str, **more: Any) -> list[dict[str, Any]]:
    found = lines(raw, log, format, **more)
    assert [line.problem for line in found] == [None] * len(found)
    return [line.row or {} for line in found]


def row(raw: bytes, log: str, format: str, **more: Any) -> dict[str, Any]:
    (only,) = rows(raw, log, format, **more)
    return only


def problem(raw: bytes, log: str, format: str, **more: Any) -> str:
    (only,) = lines(raw, log, format, **more)
    assert only.problem is not None and only.row is None
    return only.problem


EVENT: dict[str, Any] = {
    "resourceType": "AuditEvent",
    "recorded": "2026-11-22T17:12:00.250Z",
    "action": "C",
    "outcome": "0",
    "entity": [{"what": {"reference": "DocumentReference/D-7"}}, {"what": {"reference": "Encounter/E-1"}}],
}
NDJSON = b'{"at": "2026-11-22T17:12:00+00:00", "event": "sent", "note_id": "N-1"}\n'
CSV = (
    b'timestamp,event,note_id,error\n2026-11-22T17:12:00Z,failed,N-1,"two\nlines, ""quoted"""\n'
    b"2026-11-22T17:13:00Z,sent,N-2,\n"
)
BUNDLE = json.dumps({"resourceType": "Bundle", "entry": [{"resource": EVENT}, {"resource": EVENT}]}, indent=1).encode()
EVENTS = (json.dumps(EVENT) + "\n").encode() * 2
ATNA = (
    b'<85>1 2026-11-22T17:12:00Z ehr.example audit - IHE+RFC-3881 - \xef\xbb\xbf<?xml version="1.0"?><AuditMessage>'
    b'<EventIdentification EventActionCode="C" EventDateTime="2026-11-22T17:12:00.123Z" EventOutcomeIndicator="0">'
    b'<EventID csd-code="110107" originalText="Import" codeSystemName="DCM"/></EventIdentification>'
    b'<ActiveParticipant UserID="scribe-app" UserIsRequestor="false" NetworkAccessPointID="192.0.2.7">'
    b'<RoleIDCode csd-code="110153" originalText="Source Role ID" codeSystemName="DCM"/></ActiveParticipant>'
    b'<ActiveParticipant UserID="prov-7" UserIsRequestor="true"/>'
    b'<ActiveParticipant UserID="ehr" UserIsRequestor="false"><RoleIDCode csd-code="110152"/></ActiveParticipant>'
    b'<ParticipantObjectIdentification ParticipantObjectID="P-1^^^&amp;1.2.3&amp;ISO" '
    b'ParticipantObjectTypeCodeRole="1"><ParticipantObjectIDTypeCode csd-code="2"/></ParticipantObjectIdentification>'
    b'<ParticipantObjectIdentification ParticipantObjectID="1.2.3.4.5" ParticipantObjectTypeCodeRole="3">'
    b'<ParticipantObjectIDTypeCode csd-code="9"/></ParticipantObjectIdentification>'
    b'<ParticipantObjectIdentification ParticipantObjectID="E-1"><ParticipantObjectIDTypeCode code="3"/>'
    b"</ParticipantObjectIdentification></AuditMessage>\n"
)
ACK = b"MSH|^~\\&|EHR|H|SCRIBE|S|20261122171203.123-0500||ACK^T02^ACK|A-1|P|2.5.1\rMSA|AA|TX-1\r"
NACK = (
    b"MSH|^~\\&|EHR|H|SCRIBE|S|20261122171204||ACK^T02^ACK|A-2|P|2.5.1\rMSA|AE|TX-2|visit not known\r"
    b"ERR||PV1^1^19|204^Unknown key identifier^HL70357|E\r"
)
ACKS = b"\x0b" + ACK + b"\x1c\r\x0b" + NACK + b"\x1c\r"


def connector(place: int, status: str, *inside: str, name: str = "EHR") -> str:
    named = "Source" if place == 0 else name
    return (
        f"<entry><int>{place}</int><connectorMessage version='4.5.2'><messageId>42</messageId>"
        f"<metaDataId>{place}</metaDataId><channelName>Notes</channelName><connectorName>{named}</connectorName>"
        f"<receivedDate><time>{1779000000000 + place}</time><timezone>Etc/UTC</timezone></receivedDate>"
        f"<status>{status}</status>{''.join(inside)}</connectorMessage></entry>"
    )


def export(*connectors: str) -> bytes:
    body = "".join(connectors)
    return (
        "<list>\n<message><messageId>42</messageId><connectorMessages class='linked-hash-map'>"
        f"{body}</connectorMessages></message>\n</list>"
    ).encode()


MDM = (
    "MSH|^~\\&amp;|SCRIBE|S|EHR|H|20261122171200||MDM^T02|TX-1|P|2.5.1&#xd;PID|1||P-1||DOE^JANE&#xd;"
    "PV1|1|O|||||||||||||||||E-1&#xd;"
)
RAW = f"<raw><contentType>RAW</contentType><content>{MDM}</content></raw>"
TIMES = "<sendAttempts>2</sendAttempts><sendDate><time>1779000000200</time></sendDate><responseDate><time>1779000000900</time></responseDate>"  # noqa: E501
SENT = (
    "<sent><content>&lt;com.mirth.connect.connectors.tcp.TcpDispatcherProperties&gt;"
    "&lt;remoteAddress&gt;ehr.example&lt;/remoteAddress&gt;\n  &lt;remotePort&gt;2575&lt;/remotePort&gt;"
    "&lt;/com.mirth.connect.connectors.tcp.TcpDispatcherProperties&gt;</content></sent>"
)


def response(code: str, words: str = "") -> str:
    return (
        "<response><content>&lt;response&gt;&lt;status&gt;SENT&lt;/status&gt;&lt;message&gt;"
        f"MSH|^~\\&amp;amp;|EHR|H|SCRIBE|S|20261122171203||ACK|A-1|P|2.5.1&amp;#xd;MSA|{code}|TX-1|{words}&amp;#xd;"
        "&lt;/message&gt;&lt;statusMessage&gt;Message successfully sent.&lt;/statusMessage&gt;&lt;/response&gt;"
        "</content></response>"
    )


MIRTH = export(connector(0, "TRANSFORMED", RAW), connector(1, "SENT", RAW, SENT, response("AA"), TIMES))
SQUID = b"1779000000.123    45 192.0.2.7 TCP_TUNNEL/200 5000 CONNECT ehr.example:443 - HIER_DIRECT/203.0.113.5 -\n"
ACCESS = (
    b'192.0.2.7 - svc [22/Nov/2026:17:12:00 -0500] "POST /fhir/DocumentReference HTTP/1.1" 201 12 "-" "scribe/1.0"\n'
)
HAPROXY = (
    b"Nov 22 17:12:14 lb haproxy[14389]: 192.0.2.7:33317 [22/Nov/2026:17:12:14.655] fhir~ ehr/srv1 10/0/30/69/109 "
    b'502 2750 - - SH-- 1/1/1/1/0 0/0 {ehr.example} {} "POST /fhir/DocumentReference HTTP/1.1"\n'
)
IPTABLES = (
    b"Nov 22 17:12:00 fw1 kernel: [12345.678901] DROP-OUT IN= OUT=eth0 SRC=192.0.2.7 DST=203.0.113.5 LEN=60 TOS=0x00 "
    b"PROTO=TCP SPT=51234 DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0\n"
)
FILTERLOG = (
    b"Nov 22 17:12:00 pf filterlog[12]: 5,,,1000103483,vtnet1,match,block,out,4,0x0,,63,17522,0,DF,6,tcp,60,192.0.2.7,"
    b"203.0.113.5,35682,443,0,S,1960648610,,64240,,mss;sackOK\n"
)
CISCO = (
    b"Nov 22 2026 17:12:00: %ASA-4-106023: Deny tcp src inside:192.0.2.7/51234 dst outside:203.0.113.5/443 "
    b'by access-group "inside_out" [0x0, 0x0]\n'
)
PALO_ALTO = (
    b"Nov 22 17:12:01 pa1 1,2026/11/22 17:12:01,0018,TRAFFIC,drop,2049,2026/11/22 17:12:00,192.0.2.7,203.0.113.5,"
    b"0.0.0.0,0.0.0.0,rule1,,,ssl,vsys1,trust,untrust,e1,e2,fwd,2026/11/22 17:12:01,12345,1,51234,443,0,0,0x19,tcp,"
    b"deny,5000,1,1,1,2026/11/22 17:12:00,1,any,0,1,0x0,US,US,0,1,1,policy-deny,0\n"
)
FLOWS = (
    b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    b"log-status\n2 123456789010 eni-1 192.0.2.7 203.0.113.5 51234 443 6 20 4249 1779000000 1779000060 REJECT OK\n"
    b"2 123456789010 eni-1 - - - - - - - 1779000000 1779000060 - NODATA\n"
)

# (log, format, a sample, how many rows it holds)
SAMPLES: list[tuple[str, str, bytes, int]] = [
    ("scribe", "ndjson", NDJSON * 2, 2),
    ("scribe", "csv", CSV, 2),
    ("scribe", "json", b"[" + NDJSON.strip() + b",\n" + NDJSON.strip() + b"]", 2),
    ("scribe", "hl7_acks", ACKS, 2),
    ("scribe", "mirth", MIRTH, 3),
    ("ehr", "audit_events", BUNDLE, 2),
    ("ehr", "audit_events", EVENTS, 2),
    ("ehr", "atna", ATNA * 2, 2),
    ("ehr", "hl7_acks", ACKS, 2),
    ("ehr", "mirth", MIRTH, 2),
    ("proxy", "squid", SQUID * 2, 2),
    ("proxy", "access_log", ACCESS * 2, 2),
    ("proxy", "haproxy", HAPROXY * 2, 2),
    ("firewall", "iptables", IPTABLES * 2, 2),
    ("firewall", "filterlog", FILTERLOG * 2, 2),
    ("firewall", "cisco_asa", CISCO * 2, 2),
    ("firewall", "palo_alto", PALO_ALTO * 2, 2),
    ("firewall", "vpc_flow", FLOWS, 1),
]
IDS = [f"{log}-{format}-{number}" for number, (log, format, _, _) in enumerate(SAMPLES)]
