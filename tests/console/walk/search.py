"""The search over everything: everybody has the box, and each finds only what he may see."""

from tests.console.walk import everyone

ROWS = {"search:search": everyone()}
