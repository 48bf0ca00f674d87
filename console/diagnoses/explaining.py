"""The page that explains an error text: category, cause, how sure, what to do."""

from dataclasses import dataclass

from console.diagnoses import words
from diagnostics import catalog
from diagnostics.explain import explain


@dataclass(frozen=True)
class Answer:
    """Be the explanation in the words of a page."""

    label: str
    title: str
    category: str
    cause: str
    says: str
    remedy: tuple[str, ...]
    who_acts: str
    caution: str = ""

    @property
    def found(self) -> bool:
        """Tell whether at least a category is clear."""
        return bool(self.category)


def answer(text: str, *, status: int | None, protocol: str) -> Answer:
    """Explain one error text; the text itself is neither stored nor logged."""
    found = explain(text, status=status, protocol=protocol or None)
    cause = catalog.causes().get(found.cause or "")
    category = words.CATEGORIES.get(str(found.category), "") if found.category else ""
    if cause is not None:
        title = cause.title
    elif category:
        title = f"Something about {category.lower() if category not in ('EHR', 'AI scribe') else 'the ' + category}"
    else:
        title = "This text alone does not say what is wrong"
    certainty = str(found.certainty) if found.certainty else ""
    label = words.CERTAINTIES.get(certainty, words.NO_CAUSE) if cause is not None else words.NO_CAUSE
    return Answer(
        label=label,
        title=title,
        category=category,
        cause=cause.id if cause else "",
        says=found.says,
        remedy=tuple(step.text for step in cause.remedy) if cause else (),
        who_acts=words.WHO_ACTS.get(cause.who_acts.value, "") if cause else "",
        caution=cause.caution if cause else "",
    )
