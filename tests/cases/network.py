"""Step 4: names, connections, certificates, proxies and limits, told by many kinds of client."""

from typing import Any

from tests.cases.building import Story, Trial, outcome

UNSENT = [
    # name, words of the client, cause
    ("node_enotfound", "Error: getaddrinfo ENOTFOUND fhir.northcampus.example", "net.dns.nxdomain"),
    ("java_unknown_host", "java.net.UnknownHostException: fhir.northcampus.example", "net.dns.nxdomain"),
    (
        "dotnet_no_such_host",
        "System.Net.Http.HttpRequestException: No such host is known. (fhir.northcampus.example:443)",
        "net.dns.nxdomain",
    ),
    ("python_name_unknown", "socket.gaierror: [Errno -2] Name or service not known", "net.dns.nxdomain"),
    ("go_no_such_host", "dial tcp: lookup fhir.northcampus.example on 10.0.0.2:53: no such host", "net.dns.nxdomain"),
    ("curl_could_not_resolve", "curl: (6) Could not resolve host: fhir.northcampus.example", "net.dns.nxdomain"),
    ("node_eai_again", "Error: getaddrinfo EAI_AGAIN fhir.northcampus.example", "net.dns.servfail_timeout"),
    (
        "go_server_misbehaving",
        "dial tcp: lookup fhir.northcampus.example: server misbehaving",
        "net.dns.servfail_timeout",
    ),
    (
        "python_temporary",
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "net.dns.servfail_timeout",
    ),
    ("node_etimedout", "Error: connect ETIMEDOUT 203.0.113.9:443", "net.tcp.timeout"),
    ("java_connect_timed_out", "java.net.SocketTimeoutException: connect timed out", "net.tcp.timeout"),
    (
        "python_connect_timeout",
        (
            "requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='fhir', port=443): Max retries "
            "exceeded (Caused by ConnectTimeoutError: Connection to fhir timed out. (connect timeout=5))"
        ),
        "net.tcp.timeout",
    ),
    ("go_dial_timeout", "dial tcp 203.0.113.9:443: i/o timeout", "net.tcp.timeout"),
    ("node_econnrefused", "Error: connect ECONNREFUSED 203.0.113.9:443", "net.tcp.refused"),
    ("java_refused", "java.net.ConnectException: Connection refused (Connection refused)", "net.tcp.refused"),
    (
        "dotnet_refused",
        (
            "System.Net.Sockets.SocketException (10061): No connection could be made because the target machine "
            "actively refused it."
        ),
        "net.tcp.refused",
    ),
    ("node_cert_expired", "Error: certificate has expired; code: 'CERT_HAS_EXPIRED'", "net.tls.expired"),
    (
        "java_cert_expired",
        (
            "javax.net.ssl.SSLHandshakeException: PKIX path validation failed: java.security.cert."
            "CertPathValidatorException: validity check failed: NotAfter: Sat Nov 21 23:59:59 UTC 2026"
        ),
        "net.tls.expired",
    ),
    (
        "python_cert_expired",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
        "net.tls.expired",
    ),
    (
        "go_not_yet_valid",
        (
            "x509: certificate has expired or is not yet valid: current time 2026-11-22T17:00:05Z is before "
            "2026-11-23T00:00:00Z"
        ),
        "net.tls.not_yet_valid",
    ),
    ("openssl_not_yet_valid", "verify error:num=9:certificate is not yet valid", "net.tls.not_yet_valid"),
    (
        "node_altname",
        (
            "Hostname/IP does not match certificate's altnames: Host: fhir.northcampus.example. is not in the "
            "cert's altnames: DNS:old.northcampus.example"
        ),
        "net.tls.hostname",
    ),
    (
        "java_no_subject_alt",
        "javax.net.ssl.SSLHandshakeException: No subject alternative DNS name matching fhir.northcampus.example found.",
        "net.tls.hostname",
    ),
    (
        "dotnet_name_mismatch",
        "The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch",
        "net.tls.hostname",
    ),
    (
        "openssl_self_signed_chain",
        "verify error:num=19:self-signed certificate in certificate chain",
        "net.tls.untrusted_root",
    ),
    (
        "node_self_signed_leaf",
        "Error: self signed certificate; code: 'DEPTH_ZERO_SELF_SIGNED_CERT'",
        "net.tls.untrusted_root",
    ),
    (
        "go_unknown_authority",
        "x509: certificate signed by unknown authority",
        ("net.tls.untrusted_root", "net.tls.chain_incomplete"),
    ),
    (
        "node_first_certificate",
        "Error: unable to verify the first certificate; code: UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        ("net.tls.chain_incomplete", "net.tls.untrusted_root"),
    ),
    (
        "java_fatal_bad_certificate",
        "javax.net.ssl.SSLHandshakeException: Received fatal alert: bad_certificate",
        "net.tls.client_cert",
    ),
    (
        "openssl_alert_116",
        "error:1409445C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:SSL alert number 116",
        "net.tls.client_cert",
    ),
    ("proxy_407_on_connect", "Tunnel connection failed: 407 Proxy Authentication Required", "net.proxy.407"),
    (
        "dotnet_proxy_407",
        "System.Net.WebException: The remote server returned an error: (407) Proxy Authentication Required.",
        "net.proxy.407",
    ),
]

ZSCALER = (
    "<!DOCTYPE html><html><head><title>Internet Security by Zscaler</title></head><body>Access to this site has been "
    "blocked by your organization. Category: Uncategorized</body></html>"
)
SQUID = (
    "<html><head><title>ERROR: The requested URL could not be retrieved</title></head><body><p>Access Denied.</p>"
    "<p>Generated by proxy1.hospital.example (squid/5.7)</p></body></html>"
)
BLOCKED = {"content-type": "text/html", "server": "squid/5.7", "x-squid-error": "ERR_ACCESS_DENIED 0"}


def unsent() -> list[Trial]:
    why = "2.5, 2.8; section 5 row 4: sent then failed without status is never sent"
    told = [
        Story().made().token().sent().refused(None, words).expect(name, cause, "never_sent", why)
        for name, words, cause in UNSENT
    ]
    mllp = Story(protocol="hl7v2").made().sent().refused(None, "java.net.ConnectException: Connection refused: connect")
    shown = Story().made().token_refused(None, "Error: getaddrinfo ENOTFOUND login.northcampus.example")
    old = Story().made().token_refused(None, "certificate verify failed: certificate has expired (_ssl.c:1006)")
    early = Story().made().token_refused(None, "read ECONNRESET then connect ECONNREFUSED 198.51.100.4:443")
    rows = Story(protocol="hl7v2").made().sent().refused(None, "connect timed out after 5000 ms")
    rows.log(
        "firewall",
        [
            {
                "at": "2026-11-22T16:59:00+00:00",
                "action": "allow",
                "source": "10.1.1.5",
                "destination": "10.9.9.9",
                "port": 443,
            },
            {
                "at": "2026-11-22T17:00:05+00:00",
                "action": "drop",
                "source": "10.1.1.5",
                "destination": "10.20.30.40",
                "port": 2575,
            },
        ],
    )
    return [
        *told,
        mllp.expect("mllp_port_closed", "net.tcp.refused", "never_sent", why),
        shown.expect("token_host_unknown", "net.dns.nxdomain", "never_sent", why),
        old.expect("token_host_expired", "net.tls.expired", "never_sent", why + "; 2.8 cascade 2"),
        early.expect("token_port_closed", "net.tcp.refused", "never_sent", why),
        rows.expect("firewall_dropped_mllp", ("net.fwlog.drop", "net.tcp.timeout"), "never_sent", "2.5 net.fwlog.drop"),
    ]


def answered(status: int, error: Any, headers: Any = None, **story: Any) -> Story:
    return Story(**story).made().token().sent().refused(status, error, response_headers=headers)


def between() -> list[Trial]:
    why = "2.5 proxy, rate, gateway rows"
    stripped = {"www-authenticate": 'Bearer realm="fhir"', "via": "1.1 proxy1.hospital.example (squid/5.7)"}
    cached = {"www-authenticate": "Bearer", "x-cache": "MISS from bluecoat"}
    rate = Story().made().token()
    for n in range(30):
        rate.s(f"17:00:{n:02}", "sent", note_id=f"N-2{n:02}", transaction_id=f"T-2{n:02}")
        rate.s(
            f"17:00:{n:02}", "acked", note_id=f"N-2{n:02}", transaction_id=f"T-2{n:02}", status=201 if n % 3 else 429
        )
    rate.sent("17:00:31").refused(429, "", "17:00:32", response_headers={"retry-after": "30"})
    daily = answered(400, outcome("throttled", "Please try again tomorrow", coding="4135"), vendor="epic")
    gateway = {"content-type": "text/html", "server": "awselb/2.0"}
    arrived = answered(504, "<html><body><h1>504 Gateway Time-out</h1></body></html>", gateway).ehr_filed()
    slow = Story().made().token().sent().refused(None, "Read timed out. (read timeout=30)", "17:00:35")
    slow.ehr_filed(at="2026-11-22T17:01:40+00:00")
    portal = answered(511, "<html><title>Network Authentication Required</title></html>", {"content-type": "text/html"})
    forbidden = answered(403, SQUID, BLOCKED)
    zscaler = (
        Story()
        .made()
        .token()
        .sent()
        .s(
            "17:00:06",
            "acked",
            status=200,
            error=ZSCALER,
            response_headers={"content-type": "text/html", "server": "Zscaler/6.2"},
        )
    )
    timeout = ("net.timeout.gateway", "scribe.timeout.short")
    return [
        answered(407, "", {"proxy-authenticate": 'Basic realm="hospital"'}).expect(
            "proxy_wants_login", "net.proxy.407", "rejected", why
        ),
        forbidden.expect("squid_access_denied", "net.proxy.block_page", "rejected", why),
        zscaler.expect("block_page_with_200", "net.proxy.block_page", "rejected", why),
        portal.expect("captive_portal", "net.proxy.block_page", "rejected", why),
        answered(401, "", stripped).expect("authorization_lost_at_proxy", "net.proxy.auth_stripped", "rejected", why),
        answered(401, "", cached).expect(
            "authorization_lost_at_inspection", "net.proxy.auth_stripped", "rejected", why
        ),
        answered(401, '{"error":"Developer Inactive"}', vendor="athenahealth").expect(
            "athena_developer_inactive", "net.proxy.auth_stripped", "rejected", "3.3 athena 401", sure=False
        ),
        rate.expect("too_many_at_five", "net.rate.limited", "rejected", why + "; row 18"),
        answered(429, "", vendor="eclinicalworks").expect(
            "calendar_minute", "net.rate.limited", "rejected", why + "; trap 12"
        ),
        daily.expect("daily_quota_4135", "net.rate.limited", "rejected", "trap 11; 3.3"),
        answered(504, "upstream request timeout", {"server": "envoy"}).expect(
            "gateway_timeout_no_ehr_log", "net.timeout.gateway", ("rejected", "unknown"), why + "; row 8/9"
        ),
        answered(
            502, "<html><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.25.3</center></html>", gateway
        ).expect("bad_gateway", "net.timeout.gateway", ("rejected", "unknown"), why),
        answered(
            503, "<html><h1>503 Service Temporarily Unavailable</h1></html>", {"server": "nginx", "via": "1.1 gw"}
        ).expect("gateway_unavailable", "net.timeout.gateway", ("rejected", "unknown"), why),
        arrived.expect("gateway_timeout_but_filed", "net.timeout.gateway", "delivered", "row 9; cases.md exit 1"),
        slow.expect("read_timeout_but_filed", timeout, "delivered", "row 6; 2.7 scribe.timeout.short"),
    ]


def trials() -> list[Trial]:
    return [*unsent(), *between()]
