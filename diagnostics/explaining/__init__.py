"""Explain the structured forms of an error answer, one module per form; `diagnostics.explain` is the way in."""
