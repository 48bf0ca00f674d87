"""The page on which the rules of a mapping are changed."""

from functools import cached_property
from typing import Any

from console.changes.forms import MappingForm, RuleFormSet
from console.changes.queries import in_force, mappings
from console.changes.rules import rule_lines
from console.changes.shapes import Field, rules_of, template_of
from console.integrations.models import Integration, Mapping, TemplateVersion


class MappingPage:
    """Be the rules in force as forms, with the fields they can name."""

    def __init__(self, integration: Integration) -> None:
        self.integration = integration
        self.held: Mapping | None = mappings([integration.id]).get(integration.id)
        self.version: TemplateVersion | None = in_force([integration.id]).get(integration.id)
        content = self.held.content if self.held else {}
        told = rules_of(content)
        self.own_sections = tuple(dict.fromkeys(rule.section for rule in told.rules))
        self.written_for = told.template_version
        self.output = list(told.output) or ["narrative"]
        self.seen = str(self.held.pk) if self.held else ""
        lines = rule_lines(self.version.content if self.version else None, content)
        self.states = {(line.rule.section, line.rule.field): line for line in lines}
        self.form: MappingForm | None = None
        self.rules: Any = RuleFormSet(
            prefix="rule",
            initial=[{"section": r.section, "field": r.field, "mode": r.mode} for r in told.rules],
            form_kwargs={"others": self.own_sections},
        )

    def take(self, form: MappingForm, rules: Any) -> None:
        """Show what was entered instead of what is in force."""
        self.form, self.rules = form, rules
        self.output = form.data.getlist("output")

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Give the fields of the version in force."""
        return tuple(template_of(self.version.content).fields.values()) if self.version else ()

    @property
    def lines(self) -> list[tuple[Any, Any]]:
        """Give each rule's form with how the rule stands now."""
        return [(form, self.states.get((form["section"].value(), form["field"].value()))) for form in self.rules]

    @property
    def behind(self) -> bool:
        """Tell whether the rules were written for another version than the one in force."""
        return self.version is not None and self.written_for != str(self.version.version)

    @property
    def adopt(self) -> bool:
        """Tell whether saving shall note that the rules fit the version in force."""
        return bool(self.form.data.get("adopt")) if self.form else self.behind
