"""Read the snapshots of a case (template, mapping, roles, encounters, the chart) as evidence.

The case's door has refused unknown keys already; here a value of an unexpected kind counts as absent, because a case
may also come from the console's own snapshots.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from diagnostics.case import Case
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.case_parts import (
    EncounterFacts,
    Encounters,
    FieldOfTemplate,
    Filed,
    Roles,
    Rule,
    SectionMapping,
    Template,
)
from diagnostics.probes.declare import part


@part(gives=Template)
def template(case: Case) -> Template | Missing:
    """Read the EHR's template."""
    held = case.template
    if held is None:
        return Missing(Key(Template), "the EHR's template is not at hand", Template.how_to_get)
    return Template(
        template_id=_text(held.get("template_id")),
        version=_text(held.get("version")),
        changed_at=moment(held.get("changed_at")),
        catch_all=_text(held.get("catch_all")),
        fields=tuple(
            FieldOfTemplate(
                id=str(field["id"]),
                label=_text(field.get("label")) or "",
                required=field.get("required") is True,
                max_length=field["max_length"] if isinstance(field.get("max_length"), int) else None,
                kind=_text(field.get("kind")) or "text",
                system=_text(field.get("system")),
            )
            for field in _objects(held.get("fields"))
            if field.get("id")
        ),
    )


@part(gives=SectionMapping)
def section_mapping(case: Case) -> SectionMapping | Missing:
    """Read the integration's mapping rules."""
    held = case.mapping
    if held is None:
        return Missing(Key(SectionMapping), "the section mapping is not at hand", SectionMapping.how_to_get)
    return SectionMapping(
        template_id=_text(held.get("template_id")),
        template_version=_text(held.get("template_version")),
        output=_texts(held.get("output")) or (),
        rules=tuple(
            Rule(str(rule["section"]).strip(), str(rule["field"]), _text(rule.get("mode")) or "append")
            for rule in _objects(held.get("rules"))
            if rule.get("section") and rule.get("field")
        ),
        suppressed=_texts(held.get("suppressed")) or (),
    )


@part(gives=Roles)
def roles(case: Case) -> Roles | Missing:
    """Read the account's grants."""
    held = case.roles
    if held is None:
        return Missing(Key(Roles), "the account's grants are not at hand", Roles.how_to_get)
    active = held.get("active")
    return Roles(
        account=_text(held.get("account")),
        kind=_text(held.get("kind")),
        active=active if isinstance(active, bool) else None,
        changed_at=moment(held.get("changed_at")),
        departments=_texts(held.get("departments")),
        grants=_texts(held.get("grants")),
    )


@part(gives=Encounters)
def encounters(case: Case) -> Encounters | Missing:
    """Read the encounter, or the encounters that could be meant."""
    if case.encounters is None:
        return Missing(Key(Encounters), "the encounter's state at the EHR is not at hand", Encounters.how_to_get)
    return Encounters(candidates=tuple(_encounter(held) for held in case.encounters))


def _encounter(held: Mapping[str, Any]) -> EncounterFacts:
    period = held.get("period")
    period = period if isinstance(period, Mapping) else {}
    signed = held.get("signed")
    return EncounterFacts(
        id=_text(held.get("id")),
        status=_text(held.get("status")),
        signed=signed if isinstance(signed, bool) else None,
        owner=_text(held.get("owner")),
        department=_text(held.get("department")),
        confidentiality=_text(held.get("confidentiality")),
        patient_id=_text(held.get("patient_id")),
        start=moment(period.get("start")),
        end=moment(period.get("end")),
    )


@part(gives=Filed)
def filed(case: Case) -> Filed | Missing:
    """Read what the chart holds; an empty string is a field that is present and empty."""
    held = case.filed
    if held is None:
        return Missing(Key(Filed), "what the chart holds is not known", Filed.how_to_get)
    fields, discrete = held.get("fields"), held.get("discrete")
    return Filed(
        found=held.get("found", True) is not False,
        at=moment(held.get("at")),
        resource=_text(held.get("resource")),
        status=_text(held.get("status")),
        document_type=_text(held.get("document_type")),
        patient_id=_text(held.get("patient_id")),
        encounter_id=_text(held.get("encounter_id")),
        author_id=_text(held.get("author_id")),
        fields={str(id): str(text or "") for id, text in fields.items()} if isinstance(fields, Mapping) else {},
        discrete=tuple({str(k): str(v) for k, v in item.items() if v is not None} for item in _objects(discrete)),
        has_fields=isinstance(fields, Mapping),
        has_discrete=isinstance(discrete, list | tuple),
    )


def moment(value: Any) -> datetime | None:
    """Return an aware instant in UTC; a time without an offset is no instant and counts as absent."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return value.astimezone(UTC)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _texts(value: Any) -> tuple[str, ...] | None:
    return tuple(str(item) for item in value if item is not None) if isinstance(value, list | tuple) else None


def _text(value: Any) -> str | None:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip() or None
    return None
