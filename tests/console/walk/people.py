"""People."""

from tests.console.walk import everyone

ROWS = {"accounts:profile": everyone()}
