"""The causes that a person may name, grouped as pages offer them."""

from functools import cache

from console.diagnoses import words
from diagnostics import catalog
from diagnostics.causes.model import Kind

Options = tuple[tuple[str, str], ...]


@cache
def by_category() -> tuple[tuple[str, Options], ...]:
    """Give every cause of the catalogue under its category's name; rows that only route evidence are none."""
    groups: dict[str, list[tuple[str, str]]] = {category: [] for category in words.CATEGORIES}
    for cause in catalog.causes().values():
        if cause.kind != Kind.CLASSIFIER:
            groups[str(cause.category)].append((cause.id, cause.title))
    return tuple(
        (words.CATEGORIES[category], tuple(sorted(causes, key=lambda option: option[1].lower())))
        for category, causes in groups.items()
        if causes
    )


def category_of(cause: str) -> str:
    """Give the category under which the catalogue declares a cause; empty for one it does not know."""
    found = catalog.causes().get(cause)
    return str(found.category) if found else ""


def title_of(cause: str) -> str:
    """Give a cause's title; empty for one the catalogue does not know."""
    found = catalog.causes().get(cause)
    return found.title if found else ""
