"""Define what is known about one EHR vendor, as data (domain.md section 3).

A check asks for a trait, never for a vendor's name. Every group of facts says where it comes from, as of when, and
whether it was verified against the vendor's own text; an integration's configuration always wins over a profile.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Surface(StrEnum):
    """Name the interface that answers, because vendors reuse the same number for different things."""

    FHIR = "fhir"
    WRITEBACK = "writeback"
    V1 = "v1"
    HL7 = "hl7"
    TOKEN = "token"


@dataclass(frozen=True)
class Source:
    """Say where a group of facts comes from; `as_of` is year and month, `verified` means the vendor's own text."""

    facts: str
    source: str
    as_of: str
    verified: bool


@dataclass(frozen=True)
class VendorCode:
    """Say what a vendor's code means and which cause it speaks for, if any.

    `decisive` is True where the vendor's documentation leaves no other reading.
    """

    says: str
    cause: str | None = None
    decisive: bool = False


@dataclass(frozen=True)
class RequiredElement:
    """Be one element this vendor requires in a DocumentReference; `path` is a FHIRPath of plain steps."""

    path: str
    says: str


@dataclass(frozen=True)
class RateRule:
    """Say how the vendor limits requests; `per_minute` counts in calendar minutes where `calendar` is set."""

    per_minute: int | None = None
    calendar: bool = False
    retry_after: bool = False
    token_requests_per_minute: int | None = None


@dataclass(frozen=True)
class VendorProfile:
    """Hold the traits, limits and codes of one vendor. Traits are True only where a source says so."""

    slug: str
    name: str
    has_api_key_layer: bool = False
    conditional_create: bool = False  # honours If-None-Exist
    advertises_create: bool = True  # a server that takes notes lists DocumentReference create in its metadata
    separate_write_route: bool = False  # notes go to a route that the FHIR metadata does not describe
    client_ids_by_environment: bool = False
    files_unsigned: bool = False  # a written note waits unsigned in a queue of its own
    charset_required: bool = False  # the attachment's content type must name its character set
    one_document_per_note: bool = False  # exactly one content and one author
    type_system_exclusive: bool = False  # LOINC or the vendor's own code set, never both
    inline_data_only: bool = False  # the server does not fetch attachment.url
    rejects_modifier_extensions: bool = False
    algorithms: tuple[str, ...] = ("RS384", "ES384")
    token_ttl_s: int | None = None
    rate: RateRule = field(default_factory=RateRule)
    sandbox_patterns: tuple[str, ...] = ()
    production_patterns: tuple[str, ...] = ()
    required: tuple[RequiredElement, ...] = ()
    content_types: tuple[str, ...] = ()  # without parameters; empty: not known
    codes: Mapping[tuple[Surface, str], VendorCode] = field(default_factory=dict)
    usual_filing_minutes: int = 15  # from a good answer to the note being in the chart
    request_id_headers: tuple[str, ...] = ("x-request-id", "x-correlation-id")
    sources: tuple[Source, ...] = ()

    def environment_of(self, url: str) -> str | None:
        """Return `sandbox` or `production` where the address is one the vendor publishes, else None."""
        bare = url.split("://", 1)[-1].lower()
        if any(re.match(pattern, bare) for pattern in self.sandbox_patterns):
            return "sandbox"
        if any(re.match(pattern, bare) for pattern in self.production_patterns):
            return "production"
        return None

    def code(self, surface: Surface, code: str) -> VendorCode | None:
        """Return what a code of one surface means, or None where the vendor documents nothing."""
        return self.codes.get((surface, code.strip()))

    def code_of_answer(self, protocol: str, code: str) -> tuple[Surface, VendorCode] | None:
        """Return the meaning of a code met in an answer of this protocol, FHIR before the vendor's own routes."""
        surfaces = (Surface.HL7,) if protocol == "hl7v2" else (Surface.FHIR, Surface.WRITEBACK, Surface.V1)
        for surface in surfaces:
            known = self.code(surface, code)
            if known is not None:
                return surface, known
        return None


def on(surface: Surface, rows: Mapping[str, VendorCode]) -> dict[tuple[Surface, str], VendorCode]:
    """Key the codes of one surface; a row's key may list several codes with the same meaning, by spaces."""
    return {(surface, code): meaning for codes, meaning in rows.items() for code in codes.split()}


US_CORE_REQUIRED = (
    RequiredElement("status", "the document's status"),
    RequiredElement("type", "the kind of note"),
    RequiredElement("category", "the category, such as clinical-note"),
    RequiredElement("subject", "the patient"),
    RequiredElement("content", "the content"),
    RequiredElement("content.attachment", "the attachment"),
)
US_CORE_SOURCE = Source("required elements", "US Core 6.1 us-core-documentreference", "2026-04", True)
