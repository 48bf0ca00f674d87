"""Define what is known about one EHR vendor, as data (domain.md section 3).

A check asks for a trait, never for a vendor's name. Every group of facts says where it comes from, as of when, and
whether it was verified against the vendor's own text; an integration's own copy always wins (`facts.py`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from diagnostics.vendors.rules import (
    US_CORE_REQUIRED,
    AllowedValues,
    KeyRule,
    RateRule,
    RequiredElement,
    TenantRule,
    VersionFloor,
    WriteRoute,
)
from diagnostics.vocabulary import Strength

__all__ = [
    "US_CORE_REQUIRED",
    "US_CORE_SOURCE",
    "AllowedValues",
    "KeyRule",
    "KnownAnswer",
    "RateRule",
    "RequiredElement",
    "Source",
    "Surface",
    "TenantRule",
    "VendorCode",
    "VendorProfile",
    "VersionFloor",
    "WriteRoute",
    "on",
]


class Surface(StrEnum):
    """Name the interface that answers, because vendors reuse the same number for different things."""

    FHIR = "fhir"
    WRITEBACK = "writeback"
    V1 = "v1"
    HL7 = "hl7"
    TOKEN = "token"


@dataclass(frozen=True)
class Source:
    """Say where a group of facts comes from; `as_of` is year and month, `verified` means the vendor's own text.

    `covers` names the facts (as in `facts.FACTS`) that rest on it.
    """

    facts: str
    source: str
    as_of: str
    verified: bool
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class VendorCode:
    """Say what a vendor's code means and which cause it speaks for, if any.

    `decisive` is True where the vendor's documentation leaves no other reading; `harmless` where it is information or
    a warning and no refusal.
    """

    says: str
    cause: str | None = None
    decisive: bool = False
    harmless: bool = False


@dataclass(frozen=True)
class KnownAnswer:
    """Be an answer that a vendor is known to give without a number: by status and words, or by status and issue code.

    `words` is searched in the answer's own words, without regard to case; `issue` is an issue code of FHIR or an OAuth
    error. `strength` is how heavily such an answer speaks for `cause`; no cause: it only says more than the status.
    """

    surface: Surface
    says: str
    statuses: tuple[int, ...] = ()
    issue: str = ""
    words: str = ""
    cause: str | None = None
    strength: Strength = Strength.STRONG

    def fits(self, status: int | None, codes: frozenset[str], text: str) -> bool:
        """Tell whether an answer with this status, these issue codes or OAuth errors and these words is this one."""
        if self.statuses and status not in self.statuses:
            return False
        if self.issue and self.issue not in codes:
            return False
        return not self.words or re.search(self.words, text[:8192], re.IGNORECASE) is not None


@dataclass(frozen=True)
class VendorProfile:
    """Hold the traits, limits and codes of one vendor. Traits are True only where a source says so."""

    slug: str
    name: str

    # sign-in
    grants: tuple[str, ...] = ()  # grant types the token server offers; empty: not known
    restricted_grants: tuple[str, ...] = ()  # listed for everybody, opened for a client only when it goes live
    auth_methods: tuple[str, ...] = ()  # of the token endpoint; empty: not known
    algorithms: tuple[str, ...] = ("RS384", "ES384")
    assertion_life_s: int = 300
    token_ttl_s: int | None = None
    refresh_within_hours: int | None = None  # a refresh token must be exchanged within
    refresh_ends_with_session: bool = False  # with online_access it lives as long as the person's session
    client_ids_by_environment: bool = False
    client_sync_hours: int | None = None  # a newly enabled client reaches the site's token server after
    key_rule: KeyRule | None = None
    key_set_allow_listed: bool = False  # the vendor fetches only key set addresses it has listed
    has_api_key_layer: bool = False

    # addresses
    sandbox_bases: tuple[str, ...] = ()  # host and path as they begin, lower case, without scheme
    production_bases: tuple[str, ...] = ()
    tenant: TenantRule | None = None
    request_id_headers: tuple[str, ...] = ("x-request-id", "x-correlation-id")

    # what it takes
    advertises_create: bool = True  # a server that takes notes lists DocumentReference create in its metadata
    separate_write_route: bool = False  # notes go to a route that the FHIR metadata does not describe
    write_routes: tuple[WriteRoute, ...] = ()
    creates: tuple[str, ...] = ()  # resource types known to be created by FHIR
    no_creates: tuple[str, ...] = ()  # resource types known not to be
    version_floor: VersionFloor | None = None
    conditional_create: bool = False  # honours If-None-Exist
    files_unsigned: bool = False  # a written note waits unsigned in a queue of its own

    # rules for a DocumentReference
    required: tuple[RequiredElement, ...] = ()
    allowed: tuple[AllowedValues, ...] = ()
    refused: tuple[RequiredElement, ...] = ()  # elements it does not take (from this persona)
    single: tuple[str, ...] = ()  # elements that may hold one entry, where FHIR allows more
    timed: tuple[str, ...] = ()  # dates that must carry a time; "*" for all
    content_types: tuple[str, ...] = ()  # without parameters; empty: not known
    charset_required: bool = False  # the attachment's content type must name its character set
    inline_data_only: bool = False  # the server does not fetch attachment.url
    note_types: tuple[str, ...] = ()  # types mapped at the site, as system|code or code; empty: not known
    type_system_exclusive: bool = False  # LOINC or the vendor's own code set, never both
    standard_types_only: bool = False  # takes types of the standard lists, no codes of one's own
    rejects_modifier_extensions: bool = False
    ignores_unsupported: bool = False  # elements it does not know are dropped without a word

    # limits and answers
    rate: RateRule = field(default_factory=RateRule)
    daily_limit_codes: tuple[str, ...] = ()  # codes that mean a daily limit rather than a burst
    usual_filing_minutes: int = 15  # from a good answer to the note being in the chart
    codes: Mapping[tuple[Surface, str], VendorCode] = field(default_factory=dict)
    answers: tuple[KnownAnswer, ...] = ()
    sources: tuple[Source, ...] = ()

    def environment_of(self, url: str) -> str | None:
        """Return `sandbox` or `production` where the address is one the vendor publishes, else None."""
        bare = url.split("://", 1)[-1].lower()
        if bare.startswith(tuple(self.sandbox_bases)):
            return "sandbox"
        if bare.startswith(tuple(self.production_bases)):
            return "production"
        return None

    def code(self, surface: Surface, code: str) -> VendorCode | None:
        """Return what a code of one surface means, or None where the vendor documents nothing."""
        return self.codes.get((surface, code.strip()))

    def surfaces(self, protocol: str, url: str | None = None) -> tuple[Surface, ...]:
        """Return the surfaces that may have answered: the route an address belongs to, else those of the protocol."""
        if protocol == "hl7v2":
            return (Surface.HL7,)
        if protocol == "oauth":
            return (Surface.TOKEN,)
        route = self.route_of(url or "")
        if route is not None:
            return (Surface(route.surface),)
        return (Surface.FHIR, Surface.WRITEBACK, Surface.V1)

    def route_of(self, url: str) -> WriteRoute | None:
        """Return the vendor's own write route that an address belongs to, or None."""
        return next((route for route in self.write_routes if url and route.holds(url)), None)

    def code_of_answer(self, protocol: str, code: str, url: str | None = None) -> tuple[Surface, VendorCode] | None:
        """Return the meaning of a code met in an answer of this protocol, FHIR before the vendor's own routes."""
        for surface in self.surfaces(protocol, url):
            known = self.code(surface, code)
            if known is not None:
                return surface, known
        return None

    def known_answer(
        self, protocol: str, status: int | None, codes: frozenset[str], text: str, url: str | None = None
    ) -> KnownAnswer | None:
        """Return the first answer without a number that this one is known to be, or None."""
        surfaces = self.surfaces(protocol, url)
        for known in self.answers:
            if known.surface in surfaces and known.fits(status, codes, text):
                return known
        return None

    def source_of(self, fact: str) -> Source | None:
        """Return where a fact comes from, or None where nobody said."""
        return next((source for source in self.sources if fact in source.covers), None)

    def verified(self, fact: str) -> bool:
        """Tell whether a fact rests on the vendor's own text, or on the site's own word."""
        source = self.source_of(fact)
        return source is not None and source.verified


def on(surface: Surface, rows: Mapping[str, VendorCode]) -> dict[tuple[Surface, str], VendorCode]:
    """Key the codes of one surface; a row's key may list several codes with the same meaning, by spaces."""
    return {(surface, code): meaning for codes, meaning in rows.items() for code in codes.split()}


US_CORE_SOURCE = Source("required elements", "US Core 6.1 us-core-documentreference", "2026-04", True)
