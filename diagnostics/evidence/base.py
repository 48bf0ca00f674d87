"""Define what evidence is: data about the world, with no opinion in it.

A probe, a parser or a person's answer yields an `Evidence` or says with `Missing` why it could not be had.
A refused connection is evidence; `opens` tells whether what lies behind it could be reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from diagnostics.vocabulary import Instant


class Key(NamedTuple):
    """Identify one piece of evidence: its class and what it is about (a host:port, a principal, or '')."""

    kind: type["Evidence"]
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.kind.__name__}({self.subject})" if self.subject else self.kind.__name__


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Be the root of all evidence; subclasses are frozen dataclasses in one module per subject.

    `instant` says which moment the class speaks of; `how_to_get` tells a person how to supply it when missing.
    """

    instant: ClassVar[Instant] = Instant.STANDING
    how_to_get: ClassVar[str] = ""
    seen_from: str = "here"

    @property
    def subject(self) -> str:
        """Say what this evidence is about; empty where a case has only one of its kind."""
        return ""

    @property
    def opens(self) -> bool:
        """Tell whether what depends on this can still be had."""
        return True

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return what is worth keeping of a good run, so that a later run can say what changed (docs/facts.md)."""
        return {}

    @property
    def key(self) -> Key:
        """Return the identity under which gather keeps this evidence."""
        return Key(type(self), self.subject)


@dataclass(frozen=True)
class Missing:
    """Say why a piece of evidence could not be had, and how to get it."""

    key: Key
    because: str
    how_to_get: str = ""
    blocked_by: Key | None = None  # the evidence upstream that closed the way, when that is why
