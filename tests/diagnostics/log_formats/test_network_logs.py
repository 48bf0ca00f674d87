"""Access logs of proxies and logs of firewalls, as the devices write them."""

from typing import Any

import pytest

from tests.diagnostics.log_formats.samples import (
    ACCESS,
    CISCO,
    FILTERLOG,
    FLOWS,
    HAPROXY,
    IPTABLES,
    PALO_ALTO,
    SQUID,
    lines,
    problem,
    row,
    rows,
)

STOPPED = {"source": "192.0.2.7", "destination": "203.0.113.5", "port": 443}


@pytest.mark.parametrize(
    ("format", "raw", "means"),
    [
        (
            "squid",
            SQUID,
            {
                "at": "2026-05-17T06:40:00.123000+00:00",
                "method": "CONNECT",
                "url": "ehr.example:443",
                "result": "TCP_TUNNEL",
                "status": 200,
                "client": "192.0.2.7",
            },
        ),
        (
            "squid",
            (
                b"Nov 22 17:12:00 px squid[7]: 1779000000.123 7 192.0.2.7 TCP_DENIED/403 39 POST http://e.example/f - "
                b"HIER_NONE/- text/html\n"
            ),
            {
                "at": "2026-05-17T06:40:00.123000+00:00",
                "method": "POST",
                "url": "http://e.example/f",
                "result": "TCP_DENIED",
                "status": 403,
                "client": "192.0.2.7",
            },
        ),
        (
            "access_log",
            ACCESS,
            {
                "at": "2026-11-22T17:12:00-05:00",
                "method": "POST",
                "url": "/fhir/DocumentReference",
                "status": 201,
                "client": "192.0.2.7",
            },
        ),
        (
            "access_log",
            b'www.example:443 2001:db8::7 - a b c [22/Nov/2026:17:12:00 +0000] "GET /a b\\"c HTTP/2.0" 404 0',
            {
                "at": "2026-11-22T17:12:00+00:00",
                "method": "GET",
                "url": '/a b\\"c',
                "status": 404,
                "client": "2001:db8::7",
            },
        ),
        (
            "access_log",
            b'192.0.2.7 - - [22/Nov/2026:17:12:00 +0000] "-" 408 -\n',
            {"at": "2026-11-22T17:12:00+00:00", "status": 408, "client": "192.0.2.7"},
        ),
        (
            "haproxy",
            HAPROXY,
            {
                "at": "2026-11-22T17:12:14.655000",
                "method": "POST",
                "url": "/fhir/DocumentReference",
                "status": 502,
                "client": "192.0.2.7",
                "result": "SH--",
                "backend": "ehr/srv1",
            },
        ),
        (
            "haproxy",
            b"haproxy[1]: 192.0.2.7:1 [22/Nov/2026:17:12:14.655] f b/s 0/0/5007 212 sC 0/0/0/0/3 0/0\n",
            {"at": "2026-11-22T17:12:14.655000", "client": "192.0.2.7", "result": "sC", "backend": "b/s"},
        ),
        (
            "haproxy",
            (
                b"haproxy[1]: 192.0.2.7:1 [22/Nov/2026:17:12:14.655] f f/<NOSRV> -1/-1/-1/-1/5 -1 0 - - PR-- "
                b'1/1/1/1/0 0/0 "<BADREQ>"\n'
            ),
            {"at": "2026-11-22T17:12:14.655000", "client": "192.0.2.7", "result": "PR--", "backend": "f/<NOSRV>"},
        ),
    ],
)
def test_a_proxys_line(format: str, raw: bytes, means: dict[str, Any]) -> None:
    assert row(raw, "proxy", format) == means


@pytest.mark.parametrize(
    ("format", "raw", "means"),
    [
        ("iptables", IPTABLES, {"at": "2026-11-22T17:12:00", "action": "drop", **STOPPED}),
        (
            "iptables",
            IPTABLES.replace(b"Nov 22 17:12:00", b"2026-11-22T17:12:00.5+01:00").replace(b"DROP-OUT", b"[UFW ALLOW]"),
            {"at": "2026-11-22T17:12:00.5+01:00", "action": "allow", **STOPPED},
        ),
        (
            "iptables",
            IPTABLES.replace(b"DROP-OUT", b"FINAL_REJECT:").replace(b" DPT=443", b""),
            {"at": "2026-11-22T17:12:00", "action": "deny", "source": "192.0.2.7", "destination": "203.0.113.5"},
        ),
        (
            "iptables",
            IPTABLES.replace(b"Nov 22", b"Dec  2"),
            {"at": "2025-12-02T17:12:00", "action": "drop", **STOPPED},
        ),
        ("filterlog", FILTERLOG, {"at": "2026-11-22T17:12:00", "action": "drop", **STOPPED}),
        (
            "filterlog",
            (
                b"<134>1 2026-11-22T17:12:00+00:00 pf.example filterlog 12 - - 5,,,1,igb0,match,pass,out,6,0x00,0,64,"
                b"tcp,6,40,2001:db8::7,2001:db8::5,35682,2575,0,S\n"
            ),
            {
                "at": "2026-11-22T17:12:00+00:00",
                "action": "allow",
                "source": "2001:db8::7",
                "destination": "2001:db8::5",
                "port": 2575,
            },
        ),
        (
            "filterlog",
            (
                b"Nov 22 17:12:00 filterlog: 5,,,1,igb0,match,block,in,4,0x0,,64,1,0,DF,1,icmp,84,192.0.2.7,"
                b"203.0.113.5,request,1,2\n"
            ),
            {"at": "2026-11-22T17:12:00", "action": "drop", "source": "192.0.2.7", "destination": "203.0.113.5"},
        ),
        ("cisco_asa", CISCO, {"at": "2026-11-22T17:12:00", "action": "deny", **STOPPED, "message": "106023"}),
        (
            "cisco_asa",
            (
                b"<166>Nov 22 17:12:00 fw : %ASA-6-106100: access-list x permitted tcp inside/192.0.2.7(51234) -> "
                b"outside/203.0.113.5(443) hit-cnt 1 first hit [0x1, 0x0]\n"
            ),
            {"at": "2026-11-22T17:12:00", "action": "allow", **STOPPED, "message": "106100"},
        ),
        (
            "cisco_asa",
            (
                b"2026-11-22T17:12:00Z fw %FTD-6-302013: Built outbound TCP connection 12 for outside:203.0.113.5/443 "
                b"(203.0.113.5/443) to inside:192.0.2.7/51234 (198.51.100.1/51234)\n"
            ),
            {"at": "2026-11-22T17:12:00Z", "action": "allow", **STOPPED, "message": "302013"},
        ),
        (
            "cisco_asa",
            (
                b"Nov 22 2026 17:12:00 fw : %ASA-6-302013: Built inbound TCP connection 9 for outside:192.0.2.7/51234 "
                b"(192.0.2.7/51234) to dmz:203.0.113.5/443 (203.0.113.5/443)\n"
            ),
            {"at": "2026-11-22T17:12:00", "action": "allow", **STOPPED, "message": "302013"},
        ),
        (
            "cisco_asa",
            (
                b"Nov 22 17:12:00 UTC: %ASA-6-302014: Teardown TCP connection 12 for outside:203.0.113.5/443 to "
                b"inside:192.0.2.7/51234 duration 0:00:30 bytes 0 TCP Reset-O\n"
            ),
            {
                "at": "2026-11-22T17:12:00+00:00",
                "action": "reset",
                **STOPPED,
                "reason": "TCP Reset-O",
                "message": "302014",
            },
        ),
        (
            "cisco_asa",
            (
                b"Nov 22 17:12:00 fw %ASA-6-302014: Teardown TCP connection 12 for outside:203.0.113.5/443 to "
                b"inside:192.0.2.7/51234 duration 0:00:30 bytes 0 SYN Timeout (user)\n"
            ),
            {"at": "2026-11-22T17:12:00", "action": "allow", **STOPPED, "reason": "SYN Timeout", "message": "302014"},
        ),
        (
            "cisco_asa",
            (
                b"Nov 22 17:12:00 fw %ASA-2-106001: Inbound TCP connection denied from 192.0.2.7/51234 to "
                b"203.0.113.5/443 flags SYN on interface outside\n"
            ),
            {"at": "2026-11-22T17:12:00", "action": "deny", **STOPPED, "message": "106001"},
        ),
        (
            "cisco_asa",
            (
                b"Nov 22 17:12:00 fw %ASA-6-106015: Deny TCP (no connection) from 192.0.2.7/51234 to 203.0.113.5/443 "
                b"flags RST on interface inside\n"
            ),
            {"at": "2026-11-22T17:12:00", "action": "deny", **STOPPED, "message": "106015"},
        ),
        ("palo_alto", PALO_ALTO, {"at": "2026-11-22T17:12:00", "action": "deny", **STOPPED, "reason": "policy-deny"}),
        (
            "palo_alto",
            PALO_ALTO.replace(b",deny,", b",allow,").replace(b"policy-deny", b"tcp-rst-from-server"),
            {"at": "2026-11-22T17:12:00", "action": "reset", **STOPPED, "reason": "tcp-rst-from-server"},
        ),
        (
            "palo_alto",
            PALO_ALTO.replace(b",deny,", b",reset-both,").replace(b",policy-deny,0", b"").replace(b"rule1", b'"a, b"'),
            {"at": "2026-11-22T17:12:00", "action": "reset", **STOPPED},
        ),
        ("vpc_flow", FLOWS, {"at": "2026-05-17T06:40:00+00:00", "action": "deny", **STOPPED}),
        (
            "vpc_flow",
            (b"2026-05-17T06:40:00.000Z 2 1 eni-1 192.0.2.7 203.0.113.5 5 443 6 1 1 1779000000 1779000060 ACCEPT OK\n"),
            {"at": "2026-05-17T06:40:00+00:00", "action": "allow", **STOPPED},
        ),
    ],
)
def test_a_firewalls_line(format: str, raw: bytes, means: dict[str, Any]) -> None:
    assert row(raw, "firewall", format) == means


@pytest.mark.parametrize(
    ("log", "format", "raw", "says"),
    [
        ("proxy", "squid", b"noise", "is no line of Squid's native format"),
        ("proxy", "access_log", b"noise", "is no line of the common or combined log format"),
        ("proxy", "access_log", ACCESS.replace(b"22/Nov", b"31/Nov"), "its time does not exist"),
        ("proxy", "haproxy", b"noise", "is no line of HAProxy's"),
        ("proxy", "squid", b"\xfd\xff", "is not UTF-8 text"),
        ("proxy", "squid", SQUID.replace(b"ehr", b"e\x00r"), "holds a NUL character"),
        ("firewall", "iptables", b"Nov 22 17:12:00 fw1 sshd[1]: hello", "is no line of the packet filter"),
        ("firewall", "iptables", IPTABLES.replace(b"DROP-OUT ", b""), "does not say what was done"),
        ("firewall", "iptables", b"kernel: DROP SRC=192.0.2.7 DST=203.0.113.5", "begins with no time"),
        ("firewall", "iptables", IPTABLES.replace(b"Nov 22", b"Nov 32"), "begins with no time that exists"),
        ("firewall", "filterlog", FILTERLOG.replace(b"block", b"shrug"), "its action is neither pass nor block"),
        ("firewall", "filterlog", FILTERLOG[:70], "has too few fields"),
        (
            "firewall",
            "cisco_asa",
            b"Nov 22 17:12:00 fw %ASA-6-305011: Built dynamic TCP translation",
            "tells of no connection",
        ),
        ("firewall", "cisco_asa", CISCO[22:], "begins with no time"),
        ("firewall", "palo_alto", PALO_ALTO.replace(b"TRAFFIC", b"THREAT"), "is no TRAFFIC line"),
        ("firewall", "palo_alto", PALO_ALTO[:150], "has "),
        ("firewall", "vpc_flow", b"2 1 eni-1 192.0.2.7", "has 4 fields where the log has 14"),
    ],
)
def test_a_line_that_is_none_says_why_and_no_value_of_it(log: str, format: str, raw: bytes, says: str) -> None:
    told = problem(raw, log, format)
    assert told.startswith(says)
    assert "192.0.2.7" not in told


def test_comments_are_no_rows() -> None:
    assert [line.number for line in lines(b"#Software: x\n" + SQUID, "proxy", "squid")] == [2]


def test_a_flow_log_with_fields_of_its_own_choice() -> None:
    raw = b"srcaddr dstaddr dstport action start\n192.0.2.7 203.0.113.5 443 REJECT 1779000000\n"
    (found,) = rows(raw, "firewall", "vpc_flow")
    assert found == {"at": "2026-05-17T06:40:00+00:00", "action": "deny", **STOPPED}
