"""Say what differs between two versions of a template. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from console.changes.shapes import Document, Field, Template, template_of


@dataclass(frozen=True)
class Difference:
    """Be one difference; `kind` is the word a page shows before it."""

    kind: str
    field: str
    says: str


def differences(before: Document | None, after: Document) -> tuple[Difference, ...]:
    """Give what changed, in the order of the fields: those gone first, then those of the later version."""
    old, new = template_of(before), template_of(after)
    found = [*_gone(old, new), *_kept(old, new), *_added(old, new)]
    if old.catch_all != new.catch_all:
        says = f"The catch-all field is {new.catch_all or 'none'}; it was {old.catch_all or 'none'}."
        found.append(Difference("catch-all", new.catch_all or old.catch_all, says))
    return tuple(found)


def successor(old: Template, new: Template, gone: str) -> Field | None:
    """Give the field that took over from one that is gone: a new id under the same label; None where unclear."""
    before = old.fields.get(gone)
    if before is None or gone in new.fields or not before.label:
        return None
    alike = [f for f in new.fields.values() if f.id not in old.fields and _same(f.label, before.label)]
    return alike[0] if len(alike) == 1 else None


def limits(before: Field, after: Field) -> tuple[str, str]:
    """Say how the longest text changed: ("shorter" or "longer", sentence), or two empty texts."""
    if before.max_length == after.max_length:
        return "", ""
    if after.max_length is not None and (before.max_length is None or after.max_length < before.max_length):
        until = "without a limit" if before.max_length is None else f"{before.max_length}"
        return "shorter", f"{after.id} holds {after.max_length} characters at most; it was {until}."
    now = "without a limit" if after.max_length is None else f"{after.max_length} characters"
    return "longer", f"{after.id} holds {now} now; it was {before.max_length}."


def _gone(old: Template, new: Template) -> Iterator[Difference]:
    for before in old.fields.values():
        if before.id in new.fields:
            continue
        follows = successor(old, new, before.id)
        if follows is None:
            yield Difference("removed", before.id, f"{before.name} is no longer there.")
        else:
            yield Difference("renamed", before.id, f"{before.id} is now {follows.id}, under the label {before.label}.")
            yield from _compare(before, follows)


def _kept(old: Template, new: Template) -> Iterator[Difference]:
    for after in new.fields.values():
        if after.id in old.fields:
            yield from _compare(old.fields[after.id], after)


def _added(old: Template, new: Template) -> Iterator[Difference]:
    renamed = {each.id for each in (successor(old, new, id) for id in old.fields) if each}
    for after in new.fields.values():
        if after.id not in old.fields and after.id not in renamed:
            needed = " and is required" if after.required else ""
            yield Difference("added", after.id, f"{after.name} is new{needed}.")


def _compare(before: Field, after: Field) -> Iterator[Difference]:
    if before.label != after.label:
        says = f"{after.id} is labelled {after.label or 'nothing'}; it was {before.label or 'nothing'}."
        yield Difference("relabelled", after.id, says)
    if after.required and not before.required:
        yield Difference("now required", after.id, f"{after.name} must be filled now.")
    if before.required and not after.required:
        yield Difference("no longer required", after.id, f"{after.name} may stay empty now.")
    kind, says = limits(before, after)
    if kind:
        yield Difference(kind, after.id, says)
    if before.kind != after.kind:
        yield Difference("kind", after.id, f"{after.id} is {words_of(after)}; it was {words_of(before)}.")
    if before.system != after.system:
        says = f"{after.id} takes codes of {after.system or 'no system'}; it was {before.system or 'no system'}."
        yield Difference("code system", after.id, says)


def words_of(field: Field) -> str:
    """Say what a field holds."""
    return {"text": "narrative text", "discrete": "discrete data"}.get(field.kind, field.kind)


def _same(one: str, other: str) -> bool:
    return one.casefold().split() == other.casefold().split() and bool(one)
