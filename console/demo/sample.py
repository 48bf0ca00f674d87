"""Make the demo's sample data."""

from collections.abc import Callable

from console.demo.people import make_people
from console.notes.partitions import ensure_days


def make_sample(*, say: Callable[[str], object]) -> dict[str, int]:
    """Make everything; give how many of each."""
    ensure_days()
    people = make_people()
    return {"facilities": len(people.facilities), "people": len(people.users)}
