"""Templates and mappings as plain data, read from their JSON as it is kept. Pure."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Any

Document = MappingType[str, Any]
KINDS = ("text", "discrete")


@dataclass(frozen=True)
class Field:
    """Be one field of a template."""

    id: str
    label: str = ""
    required: bool = False
    max_length: int | None = None
    kind: str = "text"
    system: str = ""

    @property
    def name(self) -> str:
        """Name it by its id, and by its label where that says more."""
        return f"{self.id} ({self.label})" if self.label and self.label != self.id else self.id


@dataclass(frozen=True)
class Template:
    """Be one version of a template."""

    template_id: str = ""
    version: str = ""
    catch_all: str = ""
    fields: MappingType[str, Field] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """Send one section to one field."""

    section: str
    field: str
    mode: str = "append"


@dataclass(frozen=True)
class Rules:
    """Be a mapping: its rules, and the template version they were written for."""

    template_id: str = ""
    template_version: str = ""
    output: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


def template_of(content: Document | None) -> Template:
    """Read a `template.json`; what is not there is empty."""
    held = content or {}
    fields = [_field(item) for item in held.get("fields") or () if item.get("id")]
    return Template(_text(held, "template_id"), _text(held, "version"), _text(held, "catch_all"),
                    {each.id: each for each in fields})  # fmt: skip


def rules_of(content: Document | None) -> Rules:
    """Read a `mapping.json`."""
    held = content or {}
    return Rules(
        _text(held, "template_id"),
        _text(held, "template_version"),
        tuple(str(kind) for kind in held.get("output") or ()),
        tuple(
            Rule(str(item["section"]), str(item["field"]), str(item.get("mode") or "append"))
            for item in held.get("rules") or ()
            if item.get("section") and item.get("field")
        ),
    )


def _field(item: Document) -> Field:
    longest = item.get("max_length")
    return Field(
        id=str(item["id"]),
        label=_text(item, "label"),
        required=item.get("required") is True,
        max_length=longest if isinstance(longest, int) else None,
        kind=_text(item, "kind") or "text",
        system=_text(item, "system"),
    )


def _text(item: Document, key: str) -> str:
    value = item.get(key)
    return "" if value is None else str(value).strip()
