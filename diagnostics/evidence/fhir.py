"""Hold what the FHIR server shows now: its capability statement, reads, read-back and the canary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from diagnostics.evidence.base import Evidence
from diagnostics.evidence.network import HttpAnswer
from diagnostics.vocabulary import Instant


@dataclass(frozen=True)
class ResourceCapability:
    """Be what one resource type supports, as the statement says."""

    type: str
    interactions: tuple[str, ...] = ()
    conditional_create: bool | None = None
    supported_profiles: tuple[str, ...] = ()
    search_params: tuple[str, ...] = ()


@dataclass(frozen=True)
class CapabilityFacts:
    """Be what a capability statement says of the server."""

    fhir_version: str | None = None
    software_name: str | None = None
    software_version: str | None = None
    release_date: str | None = None
    description: str | None = None
    implementation_url: str | None = None
    formats: tuple[str, ...] = ()
    resources: tuple[ResourceCapability, ...] = ()
    token_endpoint: str | None = None
    dstu2: bool = False  # a Conformance resource: a server older than FHIR R3

    def resource(self, type: str) -> ResourceCapability | None:
        """Return what one type supports, or None where the statement does not list it."""
        return next((each for each in self.resources if each.type == type), None)


@dataclass(frozen=True, kw_only=True)
class Metadata(Evidence):
    """Hold the answer to `GET {base}/metadata` without a token."""

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "the server's /metadata"
    answer: HttpAnswer
    capability: CapabilityFacts | None = None
    problem: str = ""  # why the body is no capability statement

    @property
    def protected(self) -> bool:
        """Tell whether the server shows its statement only to those with a token."""
        return self.answer.status in (401, 403)


_WRITTEN = ("DocumentReference", "Composition", "DiagnosticReport")


@dataclass(frozen=True, kw_only=True)
class Capability(Evidence):
    """Hold the server's capability statement, read with the token where the server asks for one."""

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "the server's /metadata"
    statement: CapabilityFacts
    with_token: bool = False

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return the versions and what each resource type supports; the statement's own date changes all the time."""
        known = self.statement
        return {
            "capability": {
                "fhir_version": known.fhir_version,
                "software": known.software_name,
                "software_version": known.software_version,
                "release_date": known.release_date,
                "interactions": {each.type: sorted(each.interactions) for each in known.resources},
                "profiles": {each.type: sorted(each.supported_profiles) for each in known.resources
                             if each.supported_profiles},
                "search": {each.type: sorted(each.search_params) for each in known.resources
                           if each.search_params and each.type in _WRITTEN},
                "conditional_create": sorted(each.type for each in known.resources if each.conditional_create),
            }
        }  # fmt: skip


@dataclass(frozen=True)
class ReadOfReference:
    """Be the read of one resource that the note refers to."""

    role: str  # subject | encounter | author | search
    reference: str
    answer: HttpAnswer


@dataclass(frozen=True, kw_only=True)
class Reads(Evidence):
    """Hold reads made now with the token, within the granted scopes: what the note refers to, and a plain search."""

    instant: ClassVar[Instant] = Instant.NOW
    results: tuple[ReadOfReference, ...] = ()

    def of(self, role: str) -> ReadOfReference | None:
        """Return the read of one role."""
        return next((each for each in self.results if each.role == role), None)

    @property
    def allowed(self) -> bool:
        """Tell whether at least one read succeeded."""
        return any(each.answer.ok for each in self.results)


@dataclass(frozen=True, kw_only=True)
class EncounterNow(Evidence):
    """Hold the note's encounter as the server shows it now."""

    instant: ClassVar[Instant] = Instant.NOW
    answer: HttpAnswer
    status: str | None = None
    patient: str | None = None
    participants: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    confidentiality: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadBack(Evidence):
    """Hold the search for the note's document by its own identifier; `found` is None where it could not be asked."""

    instant: ClassVar[Instant] = Instant.NOW
    answer: HttpAnswer
    found: int | None = None
    statuses: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    encounters: tuple[str, ...] = ()
    locations: tuple[HttpAnswer, ...] = field(default_factory=tuple)  # GET of the Location the scribe was told


@dataclass(frozen=True, kw_only=True)
class CanaryWrite(Evidence):
    """Hold one create for the test patient: at most one in a run, read back, then marked entered-in-error.

    `state`: written | refused | unknown (the answer was lost and the read-back did not find it) | earlier (an
    interrupted run had made it). `found` tells what the read-back showed; `withdrawn` whether it was marked.
    """

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "a canary write: name a test patient in the integration"
    state: str
    resource_type: str
    answer: HttpAnswer | None = None
    read_back: HttpAnswer | None = None
    found: bool | None = None
    withdrawn: bool | None = None
