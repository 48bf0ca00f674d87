"""Hand on what the tables reached."""

import pytest

from tests.diagnostics.checks import recorded


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes reached in this run, if asked."""
    recorded.write()
