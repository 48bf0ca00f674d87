"""Say what a version of a template would do to a mapping, before it goes live. Pure: two documents in, sentences out.

The wording follows the checks of step 3, which would say the same after the first note failed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from console.changes.differences import limits, successor, words_of
from console.changes.shapes import Document, Rule, Rules, Template, rules_of, template_of
from diagnostics.checks.step3_mapping.looking import title
from diagnostics.evidence.placement import section_of_rule
from diagnostics.parsing.note_headings import related, section_of_field


class Severity(StrEnum):
    """How bad it is, worst first."""

    BREAKS = "breaks"
    RISK = "risk"
    NOTE = "note"
    NONE = "none"

    @property
    def rank(self) -> int:
        """Give its place, the worst first."""
        return list(Severity).index(self)


class RuleState(StrEnum):
    """How a rule stands against a version."""

    OK = "ok"
    MISSING = "missing"
    CATCH_ALL = "catch-all"
    SHORT = "short"
    KIND = "kind"


@dataclass(frozen=True)
class Trouble:
    """Be one consequence. `already` tells that the version in force does the same today."""

    severity: Severity
    what: str
    field: str
    says: str
    section: str = ""
    candidate: str = ""
    already: bool = False


@dataclass(frozen=True)
class Impact:
    """Be everything a version does to one mapping."""

    troubles: tuple[Trouble, ...]
    rules: int

    @property
    def severity(self) -> Severity:
        """Give the worst of what is new; without any, nothing changes for this mapping."""
        new = [t.severity for t in self.troubles if not t.already]
        return min(new, key=lambda s: s.rank, default=Severity.NONE)

    @property
    def broken_rules(self) -> int:
        """Count the rules that would no longer do what they do today."""
        broken = {(t.section, t.field) for t in self.troubles if t.section and t.severity is Severity.BREAKS}
        return len(broken)


def impact(in_force: Document | None, proposed: Document, mapping: Document | None) -> Impact:
    """Weigh a proposed version against a mapping; `in_force` is what the mapping meets today, None where unknown."""
    old, new, rules = template_of(in_force), template_of(proposed), rules_of(mapping)
    known = in_force is not None
    found = [trouble for rule in rules.rules for trouble in _of_rule(rule, old, new, rules, known)]
    found += _required(old, new, rules)
    found += _about_the_whole(new, rules)
    return Impact(tuple(sorted(found, key=lambda t: (t.already, t.severity.rank))), len(rules.rules))


def rule_state(rule: Rule, template: Template, written_for: Template | None, output: tuple[str, ...]) -> RuleState:
    """Tell how a rule stands against the version in force; `written_for` is the version it was made for, if known."""
    field = template.fields.get(rule.field)
    if rule.field == template.catch_all:
        return RuleState.CATCH_ALL
    if field is None:
        return RuleState.MISSING
    if field.kind == "discrete" and output and "discrete" not in output:
        return RuleState.KIND
    before = written_for.fields.get(rule.field) if written_for else None
    return RuleState.SHORT if before is not None and limits(before, field)[0] == "shorter" else RuleState.OK


def _of_rule(rule: Rule, old: Template, new: Template, rules: Rules, known: bool) -> Iterator[Trouble]:
    section = title(section_of_rule(rule.section))
    before, after = old.fields.get(rule.field), new.fields.get(rule.field)
    if rule.field == new.catch_all:
        says = f"{_cap(section)} would land in the catch-all field {new.catch_all}."
        yield Trouble(Severity.RISK, "catch-all", rule.field, says, section, already=old.catch_all == new.catch_all)
        return
    if after is None:
        yield _gone(rule, section, old, new, known)
        return
    home = section_of_field(after.label, after.id) if after.label else None
    meant = section_of_rule(rule.section)
    if before is not None and before.label != after.label and home is not None and not related(meant, home):
        says = f"{after.id} is now labelled for {title(home)}: {section} would be filed there."
        yield Trouble(Severity.BREAKS, "relabelled", rule.field, says, section)
    if before is None:
        return
    if limits(before, after)[0] == "shorter":
        until = "had no limit" if before.max_length is None else f"took {before.max_length}"
        says = f"{_cap(section)} over {after.max_length} characters would be cut: {after.id} {until} until now."
        yield Trouble(Severity.RISK, "shorter", rule.field, says, section)
    if before.kind != after.kind:
        yield _kind(rule, section, words_of(before), words_of(after), after.kind, rules.output)
    elif before.system != after.system and after.system:
        says = f"{after.id} takes codes of {after.system} now; the AI scribe sends {before.system or 'no system'}."
        yield Trouble(Severity.RISK, "code system", rule.field, says, section)


def _gone(rule: Rule, section: str, old: Template, new: Template, known: bool) -> Trouble:
    follows = successor(old, new, rule.field)
    says = f"The template has no field {rule.field}, which the mapping writes {section} to."
    if follows is not None:
        says += f" {follows.id} carries its label, {follows.label}: point the rule there."
        return Trouble(Severity.BREAKS, "renamed", rule.field, says, section, candidate=follows.id)
    already = known and rule.field not in old.fields and rule.field != old.catch_all
    if already:
        says += " It has none today either."
    return Trouble(Severity.BREAKS, "missing", rule.field, says, section, already=already)


def _kind(rule: Rule, section: str, was: str, becomes: str, kind: str, output: tuple[str, ...]) -> Trouble:
    says = f"{rule.field} becomes {becomes}; it was {was}."
    if kind == "discrete" and "discrete" not in output:
        says += f" The mapping sends {section} as text only."
        return Trouble(Severity.BREAKS, "kind", rule.field, says, section)
    return Trouble(Severity.RISK, "kind", rule.field, f"{says} Check what the AI scribe sends.", section)


def _required(old: Template, new: Template, rules: Rules) -> Iterator[Trouble]:
    targets = {rule.field for rule in rules.rules}
    for after in new.fields.values():
        if not after.required or after.id in targets:
            continue
        before = old.fields.get(after.id)
        already = before is not None and before.required
        says = f"The template demands {after.name}, and no section of the note is mapped to it."
        yield Trouble(Severity.BREAKS, "required", after.id, says, already=already)


def _about_the_whole(new: Template, rules: Rules) -> Iterator[Trouble]:
    if new.template_id and rules.template_id and new.template_id != rules.template_id:
        says = f"The mapping was written for {rules.template_id}; this is {new.template_id}."
        yield Trouble(Severity.RISK, "template", "", says)
    elif rules.template_version and new.version and rules.template_version != new.version:
        says = f"The mapping was written for version {rules.template_version}; this is version {new.version}."
        yield Trouble(Severity.NOTE, "version", "", says)


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]
