"""Turn the parts of a case into evidence, so that a check's signature can ask for them.

Each class wraps one part as the public contract describes it; the parts at the end of this module read them.
"""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from diagnostics.case import Answer, Case, Integration, Note
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.probes.declare import part
from diagnostics.vocabulary import Instant


@dataclass(frozen=True, kw_only=True)
class Clock(Evidence):
    """Give the case's own `now`; checks read no other clock."""

    now: datetime


@dataclass(frozen=True, kw_only=True)
class Settings(Evidence):
    """Hold the integration as configured."""

    integration: Integration

    def baseline_facts(self) -> MappingType[str, Any]:
        """Return the addresses the integration is configured for; what stands behind a `?` may be secret."""
        held, hl7 = self.integration, self.integration.hl7
        addresses = {
            "fhir_base_url": held.fhir_base_url,
            "write_url": held.write_url,
            "token_url": held.auth.token_url,
            "jwks_url": held.auth.jwks_url,
            "mllp": f"{hl7.host}:{hl7.port}" if hl7.host and hl7.port else None,
        }
        return {"endpoint": {name: url.partition("?")[0] for name, url in addresses.items() if url}}


@dataclass(frozen=True, kw_only=True)
class Vendor(Evidence):
    """Hold the vendor's profile: traits, limits, quirks (domain.md section 3)."""

    profile: Any


@dataclass(frozen=True, kw_only=True)
class NoteFacts(Evidence):
    """Hold the note's ids and times, without its text."""

    note: Note


@dataclass(frozen=True)
class FieldOfTemplate:
    """Be one field of an EHR template."""

    id: str
    label: str = ""
    required: bool = False
    max_length: int | None = None
    kind: str = "text"  # text | discrete
    system: str | None = None


@dataclass(frozen=True, kw_only=True)
class Template(Evidence):
    """Hold the EHR's template as it is now."""

    how_to_get: ClassVar[str] = "the EHR template's present version and field ids, from clinical informatics"
    template_id: str | None = None
    version: str | None = None
    changed_at: datetime | None = None
    catch_all: str | None = None
    fields: tuple[FieldOfTemplate, ...] = ()

    def baseline_facts(self) -> MappingType[str, Any]:
        """Return version, field ids and which of them are required."""
        return {
            "template": {
                "id": self.template_id,
                "version": self.version,
                "fields": sorted(f.id for f in self.fields),
                "required": sorted(f.id for f in self.fields if f.required),
            }
        }


@dataclass(frozen=True)
class Rule:
    """Send one canonical section to one field; `mode` is append or replace."""

    section: str
    field: str
    mode: str = "append"


@dataclass(frozen=True, kw_only=True)
class SectionMapping(Evidence):
    """Hold the integration's mapping rules and the template version they were written for."""

    how_to_get: ClassVar[str] = "the integration's section mapping, from clinical informatics or the scribe vendor"
    template_id: str | None = None
    template_version: str | None = None
    output: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    suppressed: tuple[str, ...] = ()

    def baseline_facts(self) -> MappingType[str, Any]:
        """Return the template version the mapping was written for, its rules and what it puts out."""
        return {
            "mapping": {
                "template_version": self.template_version,
                "rules": sorted(f"{rule.section} to {rule.field} ({rule.mode})" for rule in self.rules),
                "output": sorted(self.output),
            }
        }


@dataclass(frozen=True, kw_only=True)
class Roles(Evidence):
    """Hold the account's grants at the EHR; `departments` None means all."""

    how_to_get: ClassVar[str] = "the integration account's present grants, from the EHR team"
    account: str | None = None
    kind: str | None = None
    active: bool | None = None
    changed_at: datetime | None = None
    departments: tuple[str, ...] | None = None
    grants: tuple[str, ...] | None = None

    def baseline_facts(self) -> MappingType[str, Any]:
        """Return the account, its grants and departments."""
        account = {"name": self.account, "kind": self.kind, "active": self.active}
        found: dict[str, Any] = {"account": {key: value for key, value in account.items() if value is not None}}
        if self.grants is not None:
            found["grants"] = sorted(self.grants)
        if self.departments is not None:
            found["departments"] = sorted(self.departments)
        return found


@dataclass(frozen=True)
class EncounterFacts:
    """Be one encounter as the EHR knows it."""

    id: str | None = None
    status: str | None = None
    signed: bool | None = None
    owner: str | None = None
    department: str | None = None
    confidentiality: str | None = None
    patient_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Encounters(Evidence):
    """Hold the encounter of the note, or several where several could be meant."""

    how_to_get: ClassVar[str] = "the encounter's state, owner and department at the EHR"
    candidates: tuple[EncounterFacts, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Filed(Evidence):
    """Hold what the chart holds of the note (a read-back or a screen copy)."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "what the chart holds now: a read-back or a screen copy"
    found: bool
    at: datetime | None = None
    resource: str | None = None
    status: str | None = None
    document_type: str | None = None
    patient_id: str | None = None
    encounter_id: str | None = None
    author_id: str | None = None
    fields: MappingType[str, str] = field(default_factory=dict)
    discrete: tuple[MappingType[str, str], ...] = ()
    has_fields: bool = False
    has_discrete: bool = False


@dataclass(frozen=True, kw_only=True)
class Baseline(Evidence):
    """Hold the facts of the last known good run."""

    how_to_get: ClassVar[str] = "the facts of an earlier good run"
    facts: MappingType[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answers(Evidence):
    """Hold what people answered to the engine's questions."""

    answers: tuple[Answer, ...]

    def to(self, question: str) -> Answer | None:
        """Return the latest answer to a question."""
        return next((a for a in reversed(self.answers) if a.question == question), None)


@part(gives=Clock)
def clock(case: Case) -> Clock:
    """Read the case's clock."""
    return Clock(now=case.now)


@part(gives=Settings)
def settings(case: Case) -> Settings:
    """Read the integration."""
    return Settings(integration=case.integration)


@part(gives=Vendor)
def vendor(case: Case) -> Vendor:
    """Read the vendor's profile."""
    return Vendor(profile=case.vendor)


@part(gives=NoteFacts)
def note_facts(case: Case) -> NoteFacts | Missing:
    """Read the note's ids."""
    if case.note is None:
        return Missing(Key(NoteFacts), "the case has no note")
    return NoteFacts(note=case.note)


@part(gives=Answers)
def answers(case: Case) -> Answers:
    """Read what people answered."""
    return Answers(answers=case.answers)


@part(gives=Baseline)
def baseline(case: Case) -> Baseline | Missing:
    """Read the facts of the last good run."""
    if case.baseline is None:
        return Missing(Key(Baseline), "there is no earlier good run to compare with", Baseline.how_to_get)
    return Baseline(facts=case.baseline)
