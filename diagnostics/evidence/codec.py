"""Turn evidence into plain JSON-able data and back, so that a killed run continues from what it has stored.

Raises ValueError for a kind that is not evidence of this package or whose shape has changed since.
"""

import dataclasses
import importlib
from typing import Any, get_type_hints

import msgspec

from diagnostics.evidence.base import Evidence


def encode(evidence: Evidence) -> dict[str, Any]:
    """Return `{"kind", "data"}` of builtin types only."""
    kind = type(evidence)
    data = {f.name: msgspec.to_builtins(getattr(evidence, f.name)) for f in dataclasses.fields(evidence)}
    return {"kind": f"{kind.__module__}:{kind.__qualname__}", "data": data}


def decode(stored: dict[str, Any]) -> Evidence:
    """Return the evidence that `encode` wrote."""
    module, _, name = str(stored["kind"]).partition(":")
    if not module.startswith("diagnostics.evidence."):
        raise ValueError(f"{module} holds no evidence")
    kind = getattr(importlib.import_module(module), name, None)
    if not (isinstance(kind, type) and issubclass(kind, Evidence)):
        raise ValueError(f"{name} is no evidence")
    hints = get_type_hints(kind)
    try:
        values = {key: msgspec.convert(value, hints[key], strict=False) for key, value in stored["data"].items()}
        return kind(**values)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise ValueError(f"stored {name} does not fit its class ({type(error).__name__})") from None
