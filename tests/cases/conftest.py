"""The live trials' fixtures."""

from tests.cases.bench import bench, loop

__all__ = ["bench", "loop"]
