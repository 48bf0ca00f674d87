"""Declare the causes of step 4: names, connections, proxies, gateways and limits."""

from diagnostics.causes.model import RUN_AGAIN, Action, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

# what cannot be had, or looks broken, once the way to a host is closed
BEHIND = (
    "auth.discovery.unreachable", "auth.jwks.unreachable", "fhir.base.not_fhir",
    "fhir.readback.absent", "hl7.ack.missing", "net.timeout.gateway", "scribe.note.not_sent",
)  # fmt: skip
DIVERGES = "net.segment.divergence"
_TCP = ("net.tcp.timeout", "net.tcp.refused", "net.tcp.unreachable", "net.tcp.reset")

DNS_NXDOMAIN = declare(
    "net.dns.nxdomain",
    "The EHR's host name does not exist in DNS",
    layer=Layer.DNS,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Compare the host name in the integration with the vendor's published address, letter by letter",
        "Ask the network team whether the record was removed or moved, and in which zone it should be",
        RUN_AGAIN,
    ),
    checklist=("NET.5",),
    standard="RFC 1035 (RCODE 3)",
    caution="A name that is nearly right is a typing error in the configuration.",
    explains=(*BEHIND, DIVERGES, "net.tcp.", "net.tls."),
)
DNS_SERVFAIL_TIMEOUT = declare(
    "net.dns.servfail_timeout",
    "The DNS server does not answer the question for the EHR's name",
    layer=Layer.DNS,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team to check the resolver that the scribe's network uses, and its forwarders",
        "Try a second resolver to tell a broken resolver from a broken zone",
        RUN_AGAIN,
    ),
    checklist=("NET.5",),
    standard="RFC 1035 (RCODE 2 and 5)",
    explains=(*BEHIND, DIVERGES, "net.tcp.", "net.tls."),
)
DNS_SPLIT_HORIZON = declare(
    "net.dns.split_horizon",
    "The EHR's name means another address here than elsewhere",
    layer=Layer.DNS,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        RemedyStep(
            "Compare what the name resolves to inside the hospital, at the satellite site and outside",
            Action.FROM_SEGMENT,
        ),
        "Have every place given the address that it can reach, or let the scribe use the other name",
        RUN_AGAIN,
    ),
    checklist=("NET.5", "NET.6"),
    caution="A provider may answer with another outside address in each region by design.",
)
DNS_CHANGED = declare(
    "net.dns.changed",
    "The EHR's name has moved to other addresses",
    layer=Layer.DNS,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the EHR team whether the move was planned, and for the addresses that hold from now on",
        "Have firewall rules and allow-lists that name the old addresses brought up to date",
        RUN_AGAIN,
    ),
    checklist=("NET.3", "NET.5"),
    caution="Behind a content network the addresses rotate; the name that it is an alias of stays.",
)
TCP_TIMEOUT = declare(
    "net.tcp.timeout",
    "Nothing answers at the EHR's address: the connection is silently dropped",
    layer=Layer.TCP,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team for dropped packets from the scribe's address to this host and port",
        "Have a firewall rule added for exactly this source, destination and port",
        RemedyStep(
            "Try from another network segment: if that works, the host is up and the rule is missing",
            Action.FROM_SEGMENT,
        ),
        RUN_AGAIN,
    ),
    checklist=("NET.1", "NET.3", "NET.6"),
    caution="A host that is switched off looks the same.",
    explains=(*BEHIND, "net.tls."),
)
TCP_REFUSED = declare(
    "net.tcp.refused",
    "The EHR's host refuses connections on this port",
    layer=Layer.TCP,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Check the port in the integration against the one the EHR team gave",
        "Ask the EHR team whether the interface or web service is running",
        RUN_AGAIN,
    ),
    checklist=("NET.1",),
    caution="A wrong port gives the same answer as a stopped service.",
    explains=(*BEHIND, "net.tls."),
)
TCP_UNREACHABLE = declare(
    "net.tcp.unreachable",
    "There is no network route to the EHR's host",
    layer=Layer.TCP,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team for the route and the access list between the scribe's network and this host",
        "Check that the VPN or private line is up",
        RUN_AGAIN,
    ),
    checklist=("NET.1", "NET.6"),
    explains=(*BEHIND, "net.tls."),
)
TCP_RESET = declare(
    "net.tcp.reset",
    "The connection is cut off while the note is being sent",
    layer=Layer.TCP,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team for resets by inspection, loss prevention or idle timeouts on this path",
        "If only large notes are cut off, have the packet size (MTU) of the path checked",
        RUN_AGAIN,
    ),
    checklist=("NET.1", "NET.3"),
    caution="A server that crashes cuts connections too.",
    explains=(*BEHIND,),
)
FWLOG_DROP = declare(
    "net.fwlog.drop",
    "The firewall's log shows that it stopped this connection",
    layer=Layer.TCP,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Give the network team the row of the log: time, source, destination, port",
        "Have a rule added that lets exactly this flow through",
        RUN_AGAIN,
    ),
    checklist=("NET.3",),
    caution="Another flow between the same addresses may have been meant.",
    explains=(*BEHIND, DIVERGES, *_TCP, "net.tls."),
)
EGRESS_IP_NOT_ALLOWED = declare(
    "net.egress.ip_not_allowed",
    "The EHR does not expect connections from the scribe's address",
    layer=Layer.TCP,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask the scribe vendor for its present outbound addresses",
        "Have the EHR team add them to the allow-list, and remove those no longer used",
        RUN_AGAIN,
    ),
    checklist=("NET.1", "NET.3"),
    caution="Behind a NAT the EHR sees another address than the one the scribe's own network knows.",
    explains=(*BEHIND, DIVERGES, *_TCP, "net.proxy.block_page", "net.fwlog.drop", "perm.http403.classify"),
)
PROXY_407 = declare(
    "net.proxy.407",
    "The proxy asks the scribe to sign in and does not let it through",
    layer=Layer.TCP,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team for proxy credentials for the scribe, or for a rule that lets this host pass without",
        RemedyStep("Enter the credentials at the scribe and resend the waiting notes", Action.RESEND),
        RUN_AGAIN,
    ),
    checklist=("NET.4",),
    standard="RFC 9110 section 15.5.8",
    explains=(*BEHIND, DIVERGES, "net.tls.", "auth.client.invalid"),
)
PROXY_BLOCK_PAGE = declare(
    "net.proxy.block_page",
    "A web filter answers in place of the EHR",
    layer=Layer.GATEWAY,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Give the network team the blocked address and the time, and ask for an exemption",
        "Have all of the vendor's hosts exempted, the token host included",
        RUN_AGAIN,
    ),
    checklist=("NET.4",),
    caution="A sign-in page of the EHR's own identity provider is another matter.",
    explains=(*BEHIND, DIVERGES, "perm.http403.classify", "auth.http401.classify", "auth.client.invalid",
              "fhir.outcome.issue", "auth.discovery.token_endpoint_changed"),
)  # fmt: skip
PROXY_AUTH_STRIPPED = declare(
    "net.proxy.auth_stripped",
    "The token was lost on the way: a device in between removes the Authorization header",
    layer=Layer.GATEWAY,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team to exempt the EHR's host from inspection, or to pass the Authorization header on",
        "Compare with a request sent past the proxy: it works with the same token",
        RUN_AGAIN,
    ),
    checklist=("NET.4",),
    standard="RFC 6750 section 3: no error code where the request carried no credentials",
    caution="Some servers never give a reason; then this is not shown.",
    explains=("auth.http401.classify", "perm.http403.classify", "auth.token.expired"),
)
PROXY_TLS_INSPECTION = declare(
    "net.proxy.tls_inspection",
    "A device in between opens the encrypted connection",
    layer=Layer.TLS,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Ask the network team to exempt the EHR's and the vendor's hosts from TLS inspection, the token host included",
        "Where that is not allowed, add the device's authority to those the scribe trusts",
        RUN_AGAIN,
    ),
    standard="RFC 8446; RFC 5280 section 6",
    checklist=("NET.2", "NET.4"),
    caution="A hospital may have its own certificate authority for internal systems by design.",
    explains=("net.tls.untrusted_root", "net.tls.pin_mismatch"),
)
REVPROXY_REWRITE = declare(
    "net.revproxy.rewrite",
    "A reverse proxy in front of the EHR changes addresses or redirects the request",
    layer=Layer.GATEWAY,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Have the proxy pass on the original host and scheme, and keep paths as they are",
        "Use status 307 or 308 where a redirect is needed: 301 and 302 turn a POST into a GET",
        RUN_AGAIN,
    ),
    checklist=("NET.4",),
    standard="RFC 9110 section 15.4",
    explains=("fhir.base.path_rewritten", "fhir.base.not_fhir", "fhir.request.method_path"),
)
GATEWAY_UNROUTED = declare(
    "net.gateway.unrouted",
    "The vendor's gateway does not know this address",
    layer=Layer.GATEWAY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare path, version and practice id with the vendor's published address",
        "If they are right, ask the vendor whether a deployment is under way",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3",),
    explains=("fhir.base.not_fhir", "fhir.request.method_path"),
)
RATE_LIMITED = declare(
    "net.rate.limited",
    "The scribe sends more than the EHR allows, and the EHR holds it back",
    layer=Layer.GATEWAY,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Let the queue drain at a lower rate and wait as long as Retry-After says",
        "Without Retry-After, wait longer after each refusal; at eClinicalWorks wait for the next full minute",
        "Count retries too: they can make the burst themselves",
        "Agree on a higher limit with the EHR vendor if the volume is regular",
        RUN_AGAIN,
    ),
    checklist=("NET.7",),
    standard="RFC 6585 section 4",
    explains=("perm.http403.classify", "fhir.outcome.issue", "net.timeout.gateway"),
)
TIMEOUT_GATEWAY = declare(
    "net.timeout.gateway",
    "A gateway or the line gave up waiting for the EHR's answer",
    layer=Layer.GATEWAY,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Before anything is sent again, look whether the note is in the chart: it may have arrived",
        "Ask the EHR team about load at that time, and the network team about the gateway's limit",
        "Raise the limit, or shorten what one note carries",
        RUN_AGAIN,
    ),
    checklist=("NET.1", "DONE.1"),
    standard="RFC 9110 sections 15.6.3 to 15.6.5",
    caution="During a maintenance window this is expected.",
)
SEGMENT_DIVERGENCE = declare(
    "net.segment.divergence",
    "The EHR can be reached from one part of the network and not from another",
    layer=Layer.TCP,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        RemedyStep(
            "Compare VPN, routes and access lists of the segment that fails with one that works", Action.FROM_SEGMENT
        ),
        "If only large notes fail there, have the packet size (MTU) checked",
        RUN_AGAIN,
    ),
    checklist=("NET.6",),
    caution="Both places must be looked at within minutes: later, the fault may simply have gone.",
    explains=(*BEHIND, *_TCP),
)
