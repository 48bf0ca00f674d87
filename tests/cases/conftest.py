"""The live trials' fixtures, and the table at the end of a run."""

from typing import Any

import pytest

from tests.cases.bench import bench, loop
from tests.cases.table import Result, table

__all__ = ["bench", "loop"]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of the case folders that were run, by category and deciding step."""
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    results = [value for r in reports for name, value in getattr(r, "user_properties", ()) if name == "case"]
    lines = table(Result(*value) for value in results)
    if lines:
        terminalreporter.section("Case folders by category and deciding step")
        for line in lines:
            terminalreporter.write_line(line)
