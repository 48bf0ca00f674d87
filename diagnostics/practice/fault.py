"""Say what a fault is: a few knobs of the EHR, of the scribe and of the story, and the cause that must be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from diagnostics.causes.model import declared
from diagnostics.practice.behaviour import BEHAVIOUR_KNOBS

CAUSES = declared()  # importing the model has imported the whole catalogue


@dataclass(frozen=True)
class Habits:
    """How the practice scribe goes about one note; the defaults are a good scribe."""

    flow: str = "backend-services"  # backend-services client-secret provider-context api-key
    algorithm: str = "RS384"  # RS384 ES384 RS256
    assertion_life_s: int = 240
    audience: str = "token"  # token base
    issuer: str = "client"  # client other
    token_form: str = "form"  # form json wrong_type
    scopes: tuple[str, ...] | None = None
    reuse_token: bool = False
    discover: bool = False
    send_api_key: bool = True
    wrong_secret: bool = False
    proxy: bool = False
    mllp_tls: bool = False
    media_type: str = "application/fhir+json"
    target: str = "ok"  # ok portal wrong_type
    payload: str = "ok"  # ok structure required attachment references
    bulk: int = 0
    reuse_identifier: bool = False
    message: str = "ok"  # see packaging.py
    note_order: str = "soap"  # soap apso
    send_vitals: bool = True
    send_diagnoses: bool = True
    stops: str = "never"  # never before_generating after_packaging
    timeout_s: float = 3.0
    nominal_timeout_s: float = 30.0
    retry: str = "no"  # no new_identifier


@dataclass(frozen=True)
class Story:
    """What a case tells beside the logs; the defaults are a complete, healthy case."""

    change: Mapping[str, str] | None = None
    encounter: Mapping[str, Any] = field(default_factory=dict)
    grants_lost: tuple[str, ...] = ()
    roles_changed: bool = False
    departments: tuple[str, ...] | None = None
    unmapped: tuple[str, ...] = ()
    narrative_only: bool = False
    second_encounter: bool = False
    vendor: str = "generic"
    with_practice_id: bool = False
    without: tuple[str, ...] = ()  # template mapping roles encounter filed ehr token_url
    field_limits: Mapping[str, int] = field(default_factory=dict)
    charset: str = "ASCII"
    minutes_ago: float = 25.0


HABIT_KNOBS = frozenset(f.name for f in fields(Habits))
STORY_KNOBS = frozenset(f.name for f in fields(Story))


@dataclass(frozen=True)
class Variation:
    """A way of being healthy that must not be mistaken for a fault."""

    name: str
    says: str
    protocol: str = "fhir"
    ehr: Mapping[str, Any] = field(default_factory=dict)
    scribe: Mapping[str, Any] = field(default_factory=dict)
    story: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a knob that does not exist: a typing slip would make a healthy fault."""
        refuse_unknown_knobs(self.name, self.ehr, self.scribe, self.story)


@dataclass(frozen=True)
class Fault:
    """One illness: what a user sees, which cause must be found, and the knobs that bring it about."""

    name: str
    symptom: str
    cause: str
    category: str
    failure_mode: str
    certainty: str
    needs: tuple[str, ...] = ("live",)
    protocol: str = "fhir"
    ehr: Mapping[str, Any] = field(default_factory=dict)
    scribe: Mapping[str, Any] = field(default_factory=dict)
    story: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a knob or a cause that does not exist: a typing slip would make a healthy fault."""
        refuse_unknown_knobs(self.name, self.ehr, self.scribe, self.story)
        if self.cause not in CAUSES:
            raise ValueError(f"{self.name} names a cause that does not exist: {self.cause}")

    @property
    def who_acts(self) -> str:
        """Return who must act, as the catalogue of causes says."""
        return CAUSES[self.cause].who_acts.value


def refuse_unknown_knobs(
    name: str, ehr: Mapping[str, Any], scribe: Mapping[str, Any], story: Mapping[str, Any]
) -> None:
    """Raise where a fault turns something that is not there."""
    for given, known in ((ehr, BEHAVIOUR_KNOBS), (scribe, HABIT_KNOBS), (story, STORY_KNOBS)):
        unknown = set(given) - known
        if unknown:
            raise ValueError(f"{name} turns a knob that does not exist: {sorted(unknown)[0]}")
