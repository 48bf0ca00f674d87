"""The page of a vendor profile: each fact with its source, what is different here, and the form to change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration, ProfileChange
from console.integrations.profile_forms import FactForm
from console.integrations.vendor_copy import own_facts, state_of
from diagnostics.vendors import profile
from diagnostics.vendors.facts import BY_NAME, FACTS, Fact, Group, Kind, ProfileError, source_of, words_of
from diagnostics.vendors.model import Source, Surface, VendorCode, VendorProfile

SHOWN_CHANGES = 30


@dataclass(frozen=True)
class CodeRow:
    """Be one code: where it is answered, its meaning, the cause it speaks for, whether it was added here."""

    surface: str
    code: str
    says: str
    cause: str
    here: bool


@dataclass(frozen=True)
class FactRow:
    """Be one fact: what holds here, what the vendor's profile says and on what it rests."""

    fact: Fact
    words: str
    own: bool
    vendor_words: str
    source: Source | None
    change: ProfileChange | None
    form: FactForm | None
    codes: tuple[CodeRow, ...] = ()


@dataclass(frozen=True)
class ChangeLine:
    """Be one line of the history."""

    change: ProfileChange
    label: str
    words: str


class ProfilePage:
    """Read once for a request."""

    def __init__(self, integration: Integration, user: User, *, wrong: FactForm | None = None) -> None:
        self.integration, self.wrong = integration, wrong
        self.may_manage = grants(user).has(Right.MANAGE_INTEGRATIONS, integration.facility_id)
        self.seen = state_of(integration)

    @cached_property
    def vendor(self) -> VendorProfile:
        """Give the vendor's profile, without what is different here."""
        return profile(self.integration.vendor)

    @cached_property
    def own(self) -> Mapping[str, object]:
        """Give what is different here."""
        return own_facts(self.integration)

    @cached_property
    def _changes(self) -> list[ProfileChange]:
        rows = ProfileChange.objects.filter(integration=self.integration).select_related("by")
        return list(rows.order_by("-at", "-id")[:300])

    @property
    def groups(self) -> list[tuple[str, list[FactRow]]]:
        """Give the facts by group, in the order of the profile."""
        return [(group.value, [self._row(f) for f in FACTS if f.group is group]) for group in Group]

    @property
    def changed(self) -> list[str]:
        """Name the facts that are different here."""
        return [fact.label for fact in FACTS if fact.name in self.own]

    @property
    def history(self) -> list[ChangeLine]:
        """Give what was changed, newest first."""
        return [_line(change) for change in self._changes[:SHOWN_CHANGES]]

    def _row(self, fact: Fact) -> FactRow:
        own = fact.name in self.own
        theirs = fact.of(self.vendor)
        held = self.own.get(fact.name) if own else None
        source = source_of(self.vendor, fact)
        unsaid = fact.kind is Kind.FLAG and not theirs and source is None  # nobody says so, which is no "no"
        words = "" if unsaid else words_of(fact, theirs)
        last = next((c for c in self._changes if c.fact == fact.name), None)
        return FactRow(
            fact=fact,
            words=_own_words(fact, held) if own else words,
            own=own,
            vendor_words=words,
            source=source,
            change=last if last is not None and not last.put_back else None,
            form=self._form(fact, held, theirs) if self.may_manage and fact.editable else None,
            codes=self._codes(fact) if fact.kind is Kind.CODES else (),
        )

    def _form(self, fact: Fact, held: object, theirs: object) -> FactForm:
        if self.wrong is not None and self.wrong.fact == fact:
            return self.wrong
        own = fact.name in self.own and _readable(fact, held)
        return FactForm(fact=fact, value=held if own else _start(fact, theirs), seen=self.seen)

    def _codes(self, fact: Fact) -> tuple[CodeRow, ...]:
        added = self._added(fact)
        codes = {**self.vendor.codes, **added}
        return tuple(
            CodeRow(surface.value, code, known.says, known.cause or "", (surface, code) in added)
            for (surface, code), known in codes.items()
        )

    def _added(self, fact: Fact) -> dict[tuple[Surface, str], VendorCode]:
        held = self.own.get(fact.name)
        return dict(fact.read(held)) if fact.name in self.own and _readable(fact, held) else {}


def _readable(fact: Fact, value: object) -> bool:
    try:
        fact.read(value)
    except ProfileError:  # what a case of another release brought
        return False
    return True


def _start(fact: Fact, theirs: object) -> object:
    """Give what a form begins with: the vendor's value; for codes nothing, because they are added to the vendor's."""
    return [] if fact.kind is Kind.CODES else fact.plain(theirs)


def _own_words(fact: Fact, value: object) -> str:
    if not _readable(fact, value):
        return "a value this release does not take"
    words = words_of(fact, fact.read(value))
    return f"{words} added here" if fact.kind is Kind.CODES and words else words


def _line(change: ProfileChange) -> ChangeLine:
    fact = BY_NAME.get(change.fact)
    label = fact.label if fact is not None else change.fact
    if change.put_back:
        return ChangeLine(change, label, "put back to the vendor's")
    return ChangeLine(change, label, (_own_words(fact, change.value) if fact else "") or "not known")
