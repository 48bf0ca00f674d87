"""A drop folder, a source and its scribe's folder."""

from pathlib import Path
from typing import Any

import pytest

from console.integrations.models import Integration, Source
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_source


@pytest.fixture
def drop(tmp_path: Path, settings: Any) -> Path:
    settings.LOG_DROP_FOLDER, settings.LOG_DROP_STEADY_S = str(tmp_path / "drop"), 0.0
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def integration() -> Integration:
    return an_integration(a_facility())


@pytest.fixture
def source(integration: Integration) -> Source:
    return a_source(integration, name="north-epic")


@pytest.fixture
def scribe(drop: Path, source: Source) -> Path:
    folder = drop / "north-epic" / "scribe"
    folder.mkdir(parents=True)
    return folder
