"""Every case folder, concluded offline, must come out as its judge demands."""

from collections import Counter

import pytest

from tests.cases.expected import Case, cases
from tests.cases.judging import verdict
from tests.cases.table import result

CASES = [pytest.param(case, id=f"{case.area}-{case.name}") for case in cases()]


@pytest.mark.parametrize("case", CASES)
def test_the_case_is_concluded_as_the_documents_say(case: Case, request: pytest.FixtureRequest) -> None:
    wrong, document = verdict(case)
    request.node.user_properties.append(("case", result(case, document, wrong)))
    assert not wrong, f"{case.why}: {'; '.join(wrong)}"


def test_no_two_cases_share_a_name() -> None:
    names = [case.name for case in cases()]
    assert len(names) == len(set(names))


def test_there_are_as_many_cases_of_each_kind_as_promised() -> None:
    kinds = Counter(case.kind for case in cases())
    assert kinds["healthy"] >= 30
    assert kinds["cascade"] >= 20
    assert kinds["double"] >= 15
    assert kinds["undecidable"] >= 20
    assert kinds.total() >= 200


def test_every_case_cites_the_document_that_demands_it() -> None:
    cited = ("domain.md", "cases.md", "anchors.md", "reliability.md", "product.md")
    assert [case.name for case in cases() if not any(name in case.why for name in cited)] == []
