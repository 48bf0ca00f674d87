"""Say which finding answers a checklist item's question, where the outcome of a check decides it.

Of an item's checks only those are named whose outcome leaves no doubt: that one host answers says nothing of a token.
Everything else is shown beside the question as evidence, and the answer is a person's.
"""

from dataclasses import dataclass

YES, NO = "yes", "no"
_EITHER = frozenset({"passed", "failed"})


@dataclass(frozen=True)
class Rule:
    """Be one way to an answer: this check with one of these statuses."""

    check: str
    statuses: frozenset[str]
    answer: str


def _passed(answer: str, *checks: str) -> tuple[Rule, ...]:
    return tuple(Rule(check, frozenset({"passed"}), answer) for check in checks)


def _failed(answer: str, *checks: str) -> tuple[Rule, ...]:
    return tuple(Rule(check, frozenset({"failed"}), answer) for check in checks)


def _looked(answer: str, *checks: str) -> tuple[Rule, ...]:
    """Make rules of checks that apply to one kind of case only: that they judged at all is the answer."""
    return tuple(Rule(check, _EITHER, answer) for check in checks)


RULES: dict[str, tuple[Rule, ...]] = {
    "TOKEN.1": (
        *_failed(NO, "auth.token.expired", "auth.token.cached_past_expiry", "auth.token.inactive.log"),
        *_passed(YES, "auth.token.expired"),
    ),
    "TOKEN.6": (
        *_failed(YES, "auth.credential.rotated", "auth.credential.rotated.told"),
        *_passed(NO, "auth.credential.rotated"),
    ),
    "WRITE.1": (*_failed(NO, "fhir.capability.create_missing"), *_passed(YES, "fhir.capability.create_missing")),
    "WRITE.13": (
        *_looked(YES, "hl7.msh.first", "hl7.grammar.order", "hl7.ack.negative", "hl7.ack.missing"),
        *_looked(NO, "fhir.request.content_type", "fhir.payload.required", "fhir.capability.create_missing"),
    ),
    "MAP.2": (
        *_failed(NO, "tmpl.version.changed", "tmpl.field.unknown", "tmpl.required.added"),
        *_passed(YES, "tmpl.version.changed"),
    ),
    "MAP.4": _failed(
        NO,
        "map.output.narrative_only",
        "map.interface.no_discrete",
        "hl7.mdm.discrete_expected",
        "map.discrete.icd_in_text",
        "map.discrete.vitals_narrative",
    ),
    "NET.1": (
        *_failed(NO, "net.tcp.timeout", "net.tcp.refused", "net.tcp.unreachable", "net.egress.ip_not_allowed"),
        *_failed(NO, "net.tcp.timeout.log", "net.tcp.refused.log", "net.tcp.unreachable.log"),
        *_passed(YES, "net.tcp.refused"),
    ),
    "NET.3": (*_failed(YES, "net.fwlog.drop"), *_passed(NO, "net.fwlog.drop")),
    "NET.6": (
        *_failed(YES, "net.segment.divergence", "net.segment.divergence.log"),
        *_passed(NO, "net.segment.divergence"),
    ),
    "NET.7": (
        *_failed(YES, "net.rate.limited", "net.rate.limited.log"),
        *_passed(NO, "net.rate.limited.log"),
    ),
    "PERM.5": _failed(NO, "perm.encounter.closed", "perm.encounter.owner", "perm.encounter.closed.told"),
    "PERM.6": (*_failed(YES, "perm.department.restricted"), *_passed(NO, "perm.department.restricted")),
    "EHR.2": _failed(YES, "ops.vendor.maintenance"),
    "PERM.7": (*_failed(YES, "perm.drift"), *_passed(NO, "perm.drift")),
}

_BY_CHECK: dict[str, list[tuple[str, Rule]]] = {}
for _item, _rules in RULES.items():
    for _rule in _rules:
        _BY_CHECK.setdefault(_rule.check, []).append((_item, _rule))


def answers_of(check_id: str, status: str) -> dict[str, str]:
    """Give the items that a check with this status answers, each with "yes" or "no"."""
    return {item: rule.answer for item, rule in _BY_CHECK.get(check_id, ()) if status in rule.statuses}
