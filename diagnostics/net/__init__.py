"""The one door to the network: policy, resolver, TCP, TLS, HTTP, MLLP, and budgets for all of them."""

from diagnostics.net.budget import Budget
from diagnostics.net.door import Door
from diagnostics.net.exchange import Exchange, MllpExchange, TcpAttempt, Timings, TlsSession, redacted_url
from diagnostics.net.faults import AlertDirection, Fault, FaultKind, Phase
from diagnostics.net.policy import ActKind, AddressPolicy, AllowedRange, AllowList, OpenPolicy
from diagnostics.net.resolver import DnsOutcome, Resolution
from diagnostics.net.trust import Trust, TrustError

__all__ = [
    "ActKind",
    "AddressPolicy",
    "AlertDirection",
    "AllowList",
    "AllowedRange",
    "Budget",
    "DnsOutcome",
    "Door",
    "Exchange",
    "Fault",
    "FaultKind",
    "MllpExchange",
    "OpenPolicy",
    "Phase",
    "Resolution",
    "TcpAttempt",
    "Timings",
    "TlsSession",
    "Trust",
    "TrustError",
    "redacted_url",
]
