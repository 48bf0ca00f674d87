"""Hold what error texts of known products mean, as data: one row, one text, with the example that tests it."""

from diagnostics.signatures.model import Example, Signature, best, load

__all__ = ["Example", "Signature", "best", "load"]
