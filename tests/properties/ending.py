"""Stop what would run on for ever: a guard against loops, no measure of speed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MINUTE = 60  # thousands of times what any example needs, however busy the machine


@contextmanager
def ending() -> Iterator[None]:
    """Fail where the block is still at work after a minute."""

    def stop(*_: Any) -> None:
        raise AssertionError("still at work after a minute: it loops, or grows with the square of its input")

    held = signal.signal(signal.SIGALRM, stop)
    signal.alarm(MINUTE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, held)
