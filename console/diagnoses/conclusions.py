"""Tell whoever asked for a run that it ended, without importing him: tickets stand above diagnoses."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.diagnoses.models import Run

Listener = Callable[["Run"], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Register a listener; called in the transaction that ends the run, so both happen or neither."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(run: "Run") -> None:
    """Call the listeners."""
    for listener in _listeners:
        listener(run)
