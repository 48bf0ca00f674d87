"""Which items of a checklist that branches are reached, and what is wrong with branches that cannot be."""

from collections.abc import Mapping, Sequence

from diagnostics.checklist_answers import NO, YES
from diagnostics.checklists import ITEMS

Branches = Mapping[str, Sequence[str]]  # item → (item it depends on, answer)


def reached(items: Sequence[str], branches: Branches, answers: Mapping[str, str]) -> list[str]:
    """Give the items to be shown, in their order: those without a condition and those whose answer was given.

    An answer counts only where its own item is reached. `answers` maps items to "yes" or "no".
    """
    found: set[str] = set()
    for id in items:  # an item stands below the one it depends on, so one pass sees every answer
        of, answer = branches.get(id) or ("", "")
        if not of or (of in found and answers.get(of) == answer):
            found.add(id)
    return [id for id in items if id in found]


def complaint(items: Sequence[str], branches: Branches) -> str:
    """Say in words what is wrong with the branches of a list; empty where nothing is."""
    for id, (of, answer) in branches.items():
        if id not in items:
            return f"{_named(id)} depends on an answer, but is not in the list."
        if of not in items:
            return f"{_named(id)} waits for an answer to {_named(of)}, which is not in the list."
        if not ITEMS[of].asks:
            return f"{_named(id)} waits for an answer to {_named(of)}, which asks nothing."
        if answer not in (YES, NO):
            return f"{_named(id)} can be shown after a yes or after a no, nothing else."
    for id in branches:
        circle = _circle(id, branches)
        if circle:
            return f"These wait for each other, so that none would ever be shown: {', '.join(map(_named, circle))}."
    place = {id: number for number, id in enumerate(items)}
    for id, (of, _) in branches.items():
        if place[of] > place[id]:
            return f"{_named(id)} stands above {_named(of)}, whose answer it waits for. Put it below."
    return ""


def _circle(id: str, branches: Branches) -> list[str]:
    """Follow what an item depends on; give the items of the circle where the way comes back to one."""
    way = [id]
    while way[-1] in branches:
        of = branches[way[-1]][0]
        if of in way:
            return way[way.index(of) :]
        way.append(of)
    return []


def _named(id: str) -> str:
    return f"“{ITEMS[id].text}”" if id in ITEMS else f"item {id}"
