"""Compare the addresses a FHIR server names itself with those it is called by.

A server behind a reverse proxy that passes on neither host nor path tells clients addresses they cannot reach. Compared
is what RFC 3986 section 6.2 calls equivalent: case of scheme and host, default ports and a last slash do not count.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

_PORTS = {"http": 80, "https": 443}
_INNER_SUFFIX = (".lan", ".local", ".internal", ".intranet", ".intra", ".corp", ".localdomain", ".home.arpa", ".svc")
_INSTANCE = re.compile(r"/[A-Z][A-Za-z]{1,60}/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?/?$")


@dataclass(frozen=True)
class Rewritten:
    """Be how an address differs from the base: `what` is host, scheme or path; `inner` names an inside host."""

    what: str
    named: str  # scheme, host and path of the base that the server named
    inner: bool = False


def base_of(instance: str, called: str) -> str | None:
    """Return the base of a resource's address such as a Location; None where it is no address of a resource.

    `called` is the address the request went to, against which a relative one is read (RFC 9110 section 10.2.2). A
    relative `Type/id`, which servers send as well, is read against the FHIR base.
    """
    if not re.match(r"[a-z][a-z0-9+.\-]{1,20}://|/", instance, re.IGNORECASE):
        return None
    full = urljoin(called, instance)
    split = _split(full)
    found = _INSTANCE.search(split.path) if split is not None else None
    if split is None or found is None:
        return None
    return f"{split.scheme}://{split.netloc}{split.path[: found.start()]}"


def rewritten(named: str, base: str) -> Rewritten | None:
    """Return how a base that the server names differs from the base it is called by, or None where it does not."""
    theirs, ours = _split(named), _split(base)
    if theirs is None or ours is None or not theirs.hostname or not ours.hostname:
        return None
    shown = f"{theirs.scheme.lower()}://{theirs.netloc.rpartition('@')[2].lower()}{theirs.path.rstrip('/')}"[:200]
    inner = inside(theirs.hostname) and not inside(ours.hostname)
    if _path(theirs) != _path(ours):
        what = "host" if _host(theirs) != _host(ours) else "path"
        return Rewritten(what, shown, inner)
    if theirs.hostname.lower() != ours.hostname.lower():
        return Rewritten("host", shown, inner)
    if theirs.scheme.lower() != ours.scheme.lower():
        return Rewritten("scheme", shown, inner)
    return Rewritten("host", shown, inner) if _host(theirs) != _host(ours) else None


def inside(host: str) -> bool:
    """Tell whether a host name or address can only be meant for the inside of a network."""
    bare = host.strip("[]").lower().rstrip(".")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return "." not in bare or bare.endswith(_INNER_SUFFIX)
    return address.is_private and not address.is_loopback


def reencoded(sent: str, seen: str) -> bool:
    """Tell whether two addresses are the same but for percent-encoding, which a device on the way changed."""
    if sent == seen or "%" not in sent + seen:
        return False
    theirs, ours = _split(sent), _split(seen)
    if theirs is None or ours is None:
        return False
    return theirs.path != ours.path and unquote(theirs.path) == unquote(ours.path)


def _split(url: str) -> SplitResult | None:
    try:
        found = urlsplit(url[:2000])
        _ = found.port, found.hostname
    except ValueError:
        return None
    return found


def _host(split: SplitResult) -> tuple[str, int | None]:
    return (split.hostname or "").lower(), split.port or _PORTS.get(split.scheme.lower())


def _path(split: SplitResult) -> str:
    return split.path.rstrip("/")
