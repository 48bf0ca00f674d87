"""What findings answer: every rule names a check and an item that are there, and none contradicts another."""

from diagnostics import catalog
from diagnostics.checklist_answers import NO, RULES, YES, answers_of
from diagnostics.checklists import ITEMS


def test_every_rule_names_an_item_that_asks_and_a_check_that_exists() -> None:
    known = catalog.checks()
    for item, rules in RULES.items():
        assert ITEMS[item].asks, item
        for rule in rules:
            assert rule.check in known, rule.check
            assert rule.answer in (YES, NO)


def test_no_outcome_of_a_check_answers_both_yes_and_no() -> None:
    for item, rules in RULES.items():
        outcomes = [(rule.check, status) for rule in rules for status in rule.statuses]
        assert len(outcomes) == len(set(outcomes)), item


def test_an_outcome_that_decides_nothing_answers_nothing() -> None:
    assert answers_of("net.tcp.timeout", "passed") == {}
    assert answers_of("net.tcp.timeout", "failed") == {"NET.1": "no"}
    assert answers_of("net.tcp.refused", "unknown") == {}
    assert answers_of("no.such.check", "failed") == {}


def test_every_question_is_one_sentence() -> None:
    for item in ITEMS.values():
        assert not item.asks or (item.asks.endswith("?") and item.asks.count("?") == 1), item.id
