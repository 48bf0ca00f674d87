"""Hold the message structures an AI scribe sends (MDM, ORU, ACK) and match a sequence of segments against them.

A structure is written in the notation of the standard: `[X]` optional, `{X}` repeating, `[{X}]` both. It becomes an
automaton over segment ids (positions and what may follow each), so that the first unexpected segment and what was
expected instead fall out of one walk.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from diagnostics.parsing.hl7_tables import since

# by the first version of each: what stands in the message at all, optional parts as the standard marks them. The order
# group of MDM is read tolerantly: many senders write its OBR without the ORC that opens it.
_ORDER = "[{ [ORC] [{TQ1 [{TQ2}]}] OBR [{NTE}] }]"
_MDM: tuple[tuple[str, str], ...] = (
    ("2.1", "MSH EVN PID PV1 TXA"),
    ("2.5", f"MSH [{{SFT}}] EVN PID PV1 {_ORDER} TXA"),
    ("2.6", f"MSH [{{SFT}}] [UAC] EVN PID PV1 {_ORDER} TXA"),
    ("2.7", f"MSH [{{SFT}}] [UAC] EVN PID PV1 {_ORDER} TXA [{{CON}}]"),
)
_OBX = "{ OBX [{NTE}] }"
_OBXS, _TIMING, _SPECIMENS = "[{ OBX [{NTE}] }]", "[{TQ1 [{TQ2}]}]", "[{ SPM [{OBX}] }]"
_RESULTS = f"OBR [{{NTE}}] {_TIMING} [CTD] {_OBXS} [{{FT1}}] [{{CTI}}] {_SPECIMENS}"
_PATIENT_26 = "PID [PD1] [{NTE}] [{NK1}] [{OBX}] [PV1 [PV2]]"
_OLD_RESULTS = f"OBR [{{NTE}}] [CTD] {_OBXS} [{{FT1}}] [{{CTI}}]"
_ORU: tuple[tuple[str, str], ...] = (
    ("2.1", f"MSH {{ [ PID [PD1] [{{NK1}}] [{{NTE}}] [PV1 [PV2]] ] {{ [ORC] {_OLD_RESULTS} }} }} [DSC]"),
    ("2.5", f"MSH [{{SFT}}] {{ [ PID [PD1] [{{NTE}}] [{{NK1}}] [PV1 [PV2]] ] {{ [ORC] {_RESULTS} }} }} [DSC]"),
    ("2.6", f"MSH [{{SFT}}] [UAC] {{ [ {_PATIENT_26} ] {{ [ORC] {_RESULTS} }} }} [DSC]"),
    ("2.8", f"MSH [{{SFT}}] [UAC] {{ [ {_PATIENT_26} ] {{ [ORC [OBX TXA]] {_RESULTS} }} }} [DSC]"),
)
_ACK: tuple[tuple[str, str], ...] = (
    ("2.1", "MSH MSA [{ERR}]"),
    ("2.5", "MSH [{SFT}] MSA [{ERR}]"),
    ("2.6", "MSH [{SFT}] [UAC] MSA [{ERR}]"),
)
_WITH_CONTENT = frozenset({"T02", "T04", "T06", "T08", "T10"})
_WITHOUT_CONTENT = frozenset({"T01", "T03", "T05", "T07", "T09", "T11"})
# later versions let these stand in many places; they carry nothing a note depends on
_ANYWHERE = frozenset({"UAC", "PRT", "ARV", "CON", "ROL", "SFT"})


def _of_version(structures: Sequence[tuple[str, str]], version: str) -> str:
    return next(text for first, text in reversed(structures) if since(version, first))


def structure_of(code: str, event: str, version: str) -> str | None:
    """Return the structure for a message code and trigger event, or None where it is none of ours."""
    if code == "MDM" and event in _WITH_CONTENT:
        return f"{_of_version(_MDM, version)} {_OBX}"
    if code == "MDM" and event in _WITHOUT_CONTENT:
        return _of_version(_MDM, version)
    if code == "ORU" and event in ("R01", ""):
        return _of_version(_ORU, version)
    return _of_version(_ACK, version) if code == "ACK" else None


def structure_id(code: str, event: str) -> str:
    """Return the structure's name as MSH-9.3 writes it, or an empty string where it is not known."""
    if code == "MDM":
        return "MDM_T02" if event in _WITH_CONTENT else "MDM_T01" if event in _WITHOUT_CONTENT else ""
    if code == "ORU" and event == "R01":
        return "ORU_R01"
    return "ACK" if code == "ACK" else ""


@cache
def known_segments() -> frozenset[str]:
    """Return every segment id of the structures here, and those of batches."""
    structures = (text for held in (_MDM, _ORU, _ACK) for _, text in held)
    ids = {name for text in structures for name in re.findall(r"[A-Z][A-Z0-9]{2}", text)}
    return frozenset(ids | _ANYWHERE | {"FHS", "BHS", "BTS", "FTS", "ADD"})


@dataclass(frozen=True)
class Unexpected:
    """Be the first segment that does not fit: its index among the given names, and what could have stood there."""

    index: int
    name: str
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Match:
    """Be the outcome of matching: what is missing, repeated beyond what is allowed, foreign, or out of order.

    `unfinished` names what would have to follow the last segment where a group that was begun is not complete.
    """

    missing: tuple[str, ...] = ()
    repeated: tuple[tuple[int, str], ...] = ()
    foreign: tuple[tuple[int, str], ...] = ()
    unexpected: Unexpected | None = None
    unfinished: tuple[str, ...] = ()


@dataclass
class _Automaton:
    names: list[str] = field(default_factory=list)
    follow: list[set[int]] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    first: frozenset[int]
    last: frozenset[int]
    nullable: bool


@dataclass(frozen=True)
class Grammar:
    """Be a structure as an automaton: positions with their names, what starts, follows and may end it."""

    names: tuple[str, ...]
    first: frozenset[int]
    follow: tuple[frozenset[int], ...]
    last: frozenset[int]
    required: frozenset[str]
    single: frozenset[str]

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """Return every segment id of the structure."""
        return frozenset(self.names)

    @cached_property
    def _after(self) -> dict[frozenset[int], frozenset[int]]:
        return {}

    def after(self, reached: frozenset[int]) -> frozenset[int]:
        """Return the positions that may follow any of these."""
        held = self._after.get(reached)
        if held is None:
            held = self._after[reached] = frozenset().union(*(self.follow[p] for p in reached))
        return held


@cache
def compile_structure(structure: str) -> Grammar:
    """Compile a structure; segments outside all brackets are required, outside all braces single."""
    tokens = re.findall(r"[A-Z][A-Z0-9]{2}|[\[\]{}]", structure)
    automaton = _Automaton()
    part, _ = _sequence(tokens, 0, automaton)
    required: set[str] = set()
    single: set[str] = set()
    optional = repeating = 0
    for token in tokens:
        optional += {"[": 1, "]": -1}.get(token, 0)
        repeating += {"{": 1, "}": -1}.get(token, 0)
        if len(token) == 3 and not optional:
            required.add(token)
        if len(token) == 3 and not repeating and tokens.count(token) == 1:
            single.add(token)
    follow = tuple(frozenset(f) for f in automaton.follow)
    return Grammar(tuple(automaton.names), part.first, follow, part.last, frozenset(required), frozenset(single))


def _sequence(tokens: Sequence[str], at: int, automaton: _Automaton) -> tuple[_Part, int]:
    whole = _Part(frozenset(), frozenset(), True)
    while at < len(tokens) and tokens[at] not in "]}":
        token = tokens[at]
        if token in "[{":
            part, at = _sequence(tokens, at + 1, automaton)
            if token == "{":
                _join(automaton, part.last, part.first)
            else:
                part = _Part(part.first, part.last, True)
            at += 1
        else:
            automaton.names.append(token)
            automaton.follow.append(set())
            here = frozenset({len(automaton.names) - 1})
            part, at = _Part(here, here, False), at + 1
        _join(automaton, whole.last, part.first)
        whole = _Part(
            whole.first | part.first if whole.nullable else whole.first,
            whole.last | part.last if part.nullable else part.last,
            whole.nullable and part.nullable,
        )
    return whole, at


def _join(automaton: _Automaton, lasts: frozenset[int], firsts: frozenset[int]) -> None:
    for last in lasts:
        automaton.follow[last] |= firsts


def match(structure: str, names: Sequence[str]) -> Match:
    """Match segment ids against a structure. Z segments are skipped; foreign segments are noted and skipped.

    A required segment that stands nowhere is reported as missing, and the walk goes on as if it were there, so that
    it does not also count as wrong order.
    """
    grammar = compile_structure(structure)
    absent = grammar.required - set(names)
    foreign: list[tuple[int, str]] = []
    repeated: list[tuple[int, str]] = []
    seen: set[str] = set()
    reached: frozenset[int] = frozenset()
    allowed = grammar.first
    for index, name in enumerate(names):
        if name.startswith("Z") or (name in _ANYWHERE and name not in grammar.alphabet):
            continue
        if name not in grammar.alphabet:
            foreign.append((index, name))
            continue
        found, expected = _step(grammar, allowed, name, absent)
        if not found:
            again = name in seen and (name in grammar.single or any(grammar.names[p] == name for p in reached))
            if again:
                repeated.append((index, name))
                continue
            wrong = Unexpected(index, name, expected)
            return Match(tuple(sorted(absent)), tuple(repeated), tuple(foreign), wrong)
        seen.add(name)
        reached = frozenset(found)
        allowed = grammar.after(reached)
    unfinished = _unfinished(grammar, reached, absent) if names else ()
    return Match(tuple(sorted(absent)), tuple(repeated), tuple(foreign), None, unfinished)


def _step(
    grammar: Grammar, allowed: frozenset[int], name: str, absent: frozenset[str]
) -> tuple[set[int], tuple[str, ...]]:
    """Return the positions reached by one segment, passing over required segments that the message does not have."""
    reached = {p for p in allowed if grammar.names[p] == name}
    if reached:
        return reached, ()
    expected = tuple(sorted({grammar.names[p] for p in allowed}))
    tried: set[int] = set()
    open_ones = set(allowed)
    while open_ones:
        reached = {p for p in open_ones if grammar.names[p] == name}
        if reached:
            return reached, expected
        tried |= open_ones
        gone = {p for p in open_ones if grammar.names[p] in absent}
        open_ones = {q for p in gone for q in grammar.follow[p]} - tried
    return set(), expected


def _unfinished(grammar: Grammar, reached: frozenset[int], absent: frozenset[str]) -> tuple[str, ...]:
    """Return what could follow where the message ends too early, passing over segments reported as missing."""
    tried: set[int] = set()
    open_ones = set(reached)
    while open_ones:
        if open_ones & grammar.last:
            return ()
        tried |= open_ones
        further = {q for p in open_ones for q in grammar.follow[p]}
        open_ones = {p for p in further if grammar.names[p] in absent} - tried
    return tuple(sorted({grammar.names[q] for p in reached for q in grammar.follow[p]}))
