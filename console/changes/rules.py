"""The rules of a mapping as a page shows them: each with how it stands against a version. Pure."""

from dataclasses import dataclass

from console.changes.differences import successor
from console.changes.impact import RuleState, rule_state
from console.changes.shapes import Document, Rule, rules_of, template_of
from diagnostics.checks.step3_mapping.looking import title
from diagnostics.evidence.placement import section_of_rule

_WORDS = {
    RuleState.OK: ("fits", "circle-check", "ok"),
    RuleState.MISSING: ("no such field", "circle-x", "bad"),
    RuleState.CATCH_ALL: ("catch-all field", "alert-triangle", "warn"),
    RuleState.SHORT: ("shorter than when mapped", "alert-triangle", "warn"),
    RuleState.KIND: ("takes discrete data only", "circle-x", "bad"),
}


@dataclass(frozen=True)
class RuleLine:
    """Be one rule with its state."""

    rule: Rule
    section: str
    label: str
    state: RuleState
    candidate: str = ""

    @property
    def word(self) -> str:
        """Say the state."""
        return _WORDS[self.state][0]

    @property
    def icon(self) -> str:
        """Name its icon."""
        return _WORDS[self.state][1]

    @property
    def tone(self) -> str:
        """Give its colour class."""
        return _WORDS[self.state][2]

    @property
    def wrong(self) -> bool:
        """Tell whether text goes astray by it."""
        return self.tone == "bad"


def rule_lines(
    template: Document | None, mapping: Document | None, written_for: Document | None = None
) -> tuple[RuleLine, ...]:
    """Give the rules in their order; without a template nothing is held against them."""
    rules, now = rules_of(mapping), template_of(template)
    then = template_of(written_for) if written_for else None
    lines = []
    for rule in rules.rules:
        state = rule_state(rule, now, then, rules.output) if template else RuleState.OK
        field = now.fields.get(rule.field)
        follows = successor(then, now, rule.field) if then and state is RuleState.MISSING else None
        lines.append(
            RuleLine(rule, title(section_of_rule(rule.section)), field.label if field else "", state,
                     follows.id if follows else "")
        )  # fmt: skip
    return tuple(lines)
