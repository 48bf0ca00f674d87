"""The configured way of renewing tokens."""

import pytest

from diagnostics.case import Auth
from diagnostics.vocabulary import Outcome
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged


@pytest.mark.parametrize(
    ("flow", "token", "status"),
    [
        ("backend-services", "left-over", Outcome.WARNING),
        ("backend-services", None, Outcome.PASSED),
        ("provider-context", "in-use", Outcome.PASSED),
    ],
)
def test_a_backend_account_needs_no_refresh_token(flow: str, token: str | None, status: Outcome) -> None:
    case = stories.case([], integration=stories.integration(auth=Auth(flow=flow, refresh_token=token)))
    found = judged("auth.refresh.unexpected_model", case)
    assert found.status is status
    assert "left-over" not in str(found)
