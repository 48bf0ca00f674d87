"""Writing checklists: a new one, a new version, taking one out of force, and what changed between two versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from console.accounts.models import User
from console.diagnoses import words
from console.diagnoses.branching import complaint
from console.diagnoses.built_in_checklists import FOLLOW_UP
from console.diagnoses.checklists import ChecklistError, newest
from console.diagnoses.models import ChecklistTemplate
from diagnostics.checklists import ITEMS

_ANSWERS = {"yes": "a yes", "no": "a no"}


@dataclass(frozen=True)
class Wording:
    """Be what one version of a checklist says."""

    name: str
    about: str
    items: Sequence[str]
    branches: Mapping[str, Sequence[str]] = field(default_factory=dict)
    category: str = ""

    @classmethod
    def of(cls, template: ChecklistTemplate) -> "Wording":
        """Read a version."""
        return cls(template.name, template.about, template.items, template.branches, template.category)

    def check(self) -> "Wording":
        """Refuse, with words, what cannot be a checklist; give it without items that stand in it twice."""
        strange = [item for item in self.items if item not in ITEMS]
        if strange:
            raise ChecklistError(f"There is no item {strange[0]}.")
        if not self.items:
            raise ChecklistError("A checklist needs at least one item.")
        if self.category and self.category not in words.CATEGORIES:
            raise ChecklistError("There is no such category of root causes.")
        items = list(dict.fromkeys(self.items))
        wrong = complaint(items, self.branches)
        if wrong:
            raise ChecklistError(wrong)
        branches = {item: list(condition) for item, condition in self.branches.items()}
        return Wording(self.name.strip(), self.about.strip(), items, branches, self.category)


@transaction.atomic
def create(*, wording: Wording, by: User) -> ChecklistTemplate:
    """Write a checklist of one's own; its address comes from its name."""
    wanted = wording.check()
    slug = slugify(wanted.name)[:50]
    if slug == "new":
        slug = "new-checklist"  # the address of the page where lists are written
    if not slug:
        raise ChecklistError("Give the checklist a name with letters in it.")
    held = newest()
    if slug in held:
        raise ChecklistError(f"There is a checklist “{held[slug].name}” already. Give this one another name.")
    try:
        with transaction.atomic():
            return _write(slug, 1, wanted, by)
    except IntegrityError:
        raise ChecklistError("Somebody wrote a checklist of this name just now. Look at it, then decide.") from None


@transaction.atomic
def change(*, slug: str, wording: Wording, seen: int, by: User) -> ChecklistTemplate:
    """Write a new version of a checklist. `seen` is the version the person looked at: nobody's change is lost."""
    before = _locked(slug, seen)
    wanted = wording.check()
    if wanted == Wording.of(before) and not before.retired:
        return before
    return _write(slug, before.version + 1, wanted, by)


@transaction.atomic
def retire(*, slug: str, seen: int, by: User) -> ChecklistTemplate:
    """Take a checklist out of force: no further ticket gets it, those that have it keep it, and it can come back."""
    if slug == FOLLOW_UP:
        raise ChecklistError("The follow-up belongs to every ticket; change what it asks instead.")
    before = _locked(slug, seen)
    return before if before.retired else _write(slug, before.version + 1, Wording.of(before), by, retired=True)


@transaction.atomic
def bring_back(*, slug: str, seen: int, by: User) -> ChecklistTemplate:
    """Put a retired checklist into force again as it was."""
    before = _locked(slug, seen)
    return _write(slug, before.version + 1, Wording.of(before), by) if before.retired else before


def _locked(slug: str, seen: int) -> ChecklistTemplate:
    template = ChecklistTemplate.objects.select_for_update().filter(slug=slug).order_by("-version").first()
    if template is None:
        raise ChecklistError("There is no such checklist.")
    if template.version != seen:
        who = template.by or "NoteTrace"
        raise ChecklistError(f"{who} wrote version {template.version} meanwhile. Look at it, then decide.")
    return template


def _write(slug: str, version: int, wording: Wording, by: User, *, retired: bool = False) -> ChecklistTemplate:
    return ChecklistTemplate.objects.create(
        slug=slug,
        version=version,
        name=wording.name,
        about=wording.about,
        category=wording.category,
        items=wording.items,
        branches=wording.branches,
        retired=retired,
        by=by,
    )


def differences(before: Wording, after: Wording) -> list[str]:
    """Say in sentences what a version changed."""
    said = []
    if before.name != after.name:
        said.append(f"Named “{after.name}”, before “{before.name}”.")
    if before.about != after.about:
        said.append(f"To be used: “{after.about}”, before “{before.about}”.")
    if before.category != after.category:
        names = [words.CATEGORIES.get(one.category, "no category") for one in (after, before)]
        said.append(f"Comes with root causes of {names[0]}, before {names[1]}.")
    said += [f"Added: {_text(id)}." for id in after.items if id not in before.items]
    said += [f"Taken out: {_text(id)}." for id in before.items if id not in after.items]
    kept_before = [id for id in before.items if id in after.items]
    kept = [id for id in after.items if id in before.items]
    if kept != kept_before:
        said.append("Put into another order.")
    said += [
        f"{_text(id)}: {condition(after.branches, id)}, before {condition(before.branches, id)}."
        for id in kept
        if list(before.branches.get(id, ())) != list(after.branches.get(id, ()))
    ]
    return said


def condition(branches: Mapping[str, Sequence[str]], id: str) -> str:
    """Say when an item is shown."""
    if id not in branches:
        return "always shown"
    of, answer = branches[id]
    asks = ITEMS[of].asks if of in ITEMS else of
    return f"shown after {_ANSWERS.get(answer, answer)} to “{asks}”"


def _text(id: str) -> str:
    return f"“{ITEMS[id].text}”" if id in ITEMS else id
