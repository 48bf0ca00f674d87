"""Find what a plan asks for: medications with dose and sig, and when to come back (domain.md section 4)."""

import re
from dataclasses import dataclass

from diagnostics.parsing.note_cues import cue_before


@dataclass(frozen=True)
class MedicationMention:
    """Be one drug with its dose; `verb` is start continue increase decrease stop, or empty.

    `by_weight` tells a dose for each kilogram; `over_the_counter` advice that needs no order.
    """

    drug: str
    dose: str
    sig: str
    verb: str
    offset: int
    cue: str = ""
    by_weight: bool = False
    over_the_counter: bool = False


@dataclass(frozen=True)
class FollowUp:
    """Be one agreed return: `days` is the interval, None where only "as needed" is said."""

    offset: int
    days: int | None
    says: str


_DRUG = re.compile(
    r"\b(?P<drug>[A-Za-z][\w-]{2,40})\s{1,3}(?P<dose>\d{1,5}(?:[.,]\d{1,3})?(?:\s?-\s?\d{1,5})?\s?"
    r"(?:mg|mcg|\u00b5g|g|mL|units?|%|IU|mEq)(?P<kilo>/kg(?:/(?:day|dose|d))?)?)(?![A-Za-z])",
    re.I,
)
_NO_DRUG_WORDS = """
from about over under with take takes taking the and dose doses than least most additional another for only per was
currently total each every into down maximum max below above saturation glucose a1c ferritin creatinine cholesterol
ldl hdl hemoglobin hematocrit potassium sodium calcium sat sats spo2 sao2 oxygen lvef fraction bmi weight increased
decreased reduced
"""
_NO_DRUG = frozenset(_NO_DRUG_WORDS.split())
_SIG = re.compile(
    r"\b(daily|BID|TID|QID|QD|QAM|QPM|qHS|q\d{1,2}h|PRN|as needed"
    r"|(?:once|twice|three times|four times) (?:a|per) (?:day|week)|(?:once|twice) (?:daily|weekly)|nightly"
    r"|weekly|monthly|every (?:other )?(?:\d{1,2} (?:hours?|days?|weeks?)|day|week|morning|evening|night)|at bedtime"
    r"|in the (?:morning|evening))\b",
    re.I,
)
_SIG_WITHIN = 60
_VERBS = {
    "start": "start|started|starting|initiate|initiated|begin|began|add|added|prescribe|prescribed|rx|trial of",
    "continue": "continue|continued|continues|maintain|refill|refilled|resume",
    "increase": "increase|increased|uptitrate|titrate up|raise",
    "decrease": "decrease|decreased|reduce|reduced|taper|lower",
    "stop": "stop|stopped|discontinue|discontinued|hold|d/c",
}
_VERB_OF = {word: verb for verb, words in _VERBS.items() for word in words.split("|")}
_VERB = re.compile(r"(?<![A-Za-z])(" + "|".join(sorted(_VERB_OF, key=len, reverse=True)) + r")(?![A-Za-z])", re.I)
_LEAD = 40  # characters before a drug that may hold its verb
_OTC = re.compile(r"\b(?:OTC|over[- ]the[- ]counter|from the pharmacy|may take|can take|may use|can use)\b", re.I)


def find_medications(text: str) -> tuple[MedicationMention, ...]:
    """Return drugs with a dose that are followed by how to take them or led by what to do with them."""
    found = []
    for match in _DRUG.finditer(text):
        if match["drug"].casefold() in _NO_DRUG or match["drug"].isdigit():
            continue
        behind = re.split(r"[;\n]", text[match.end() : match.end() + _SIG_WITHIN])[0]
        sig = _SIG.search(behind)
        lead = re.split(r"[.;\n]\s|\n", text[max(0, match.start() - _LEAD) : match.start()])[-1]
        verbs = _VERB.findall(lead)
        if sig is None and not verbs:
            continue
        around = lead + re.split(r"\.\s|\n", text[match.end() : match.end() + _SIG_WITHIN])[0]
        found.append(
            MedicationMention(
                match["drug"],
                match["dose"],
                sig[0] if sig else "",
                _VERB_OF[verbs[-1].casefold()] if verbs else "",
                match.start(),
                cue_before(text, match.start()),
                bool(match["kilo"]),
                bool(_OTC.search(around)),
            )
        )
    return tuple(found)


_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_RETURN = re.compile(
    r"\b(?:follow(?:s|ed)?[- ]?up|F/?U|RTC|return|recheck|see (?:him|her|them|back))\b[^\n.]{0,30}?"
    r"\b(\d{1,3}|" + "|".join((*_NUMBERS, "an?", "a couple of")) + r")"
    r"(?:\s{0,2}(?:-|\u2013|to|or)\s{0,2}(?:\d{1,3}|" + "|".join(_NUMBERS) + r"))?\s{0,2}-?"
    r"(day|week|wk|month|mo|year|yr)s?\b",
    re.I,
)
_AS_NEEDED = re.compile(r"\b(?:follow[- ]?up|F/?U|RTC|return)\b[^\n.]{0,30}?\b(?:PRN|as needed)\b", re.I)
_IF = re.compile(r"[^.\n]{0,60}?(?<!sooner )\b(?:if|should|unless)\b", re.I)
_ELSEWHERE = re.compile(r"\breturn(?:ed|s)? to (?!clinic|office|see|us\b)", re.I)  # to work, to play: no visit
_PAST = re.compile(r"\b(?:ago|last|since|followed|prior|previous)\b", re.I)
_DAYS = {"day": 1, "week": 7, "wk": 7, "month": 30, "mo": 30, "year": 365, "yr": 365}
_LONGEST = 731  # 24 months


def find_follow_ups(text: str) -> tuple[FollowUp, ...]:
    """Return agreed returns between a day and two years, and those only as needed or on a condition."""
    found = []
    for match in _RETURN.finditer(text):
        count = _count(match[1])
        days = count * _DAYS[match[2].casefold()]
        past = _PAST.search(match[0]) or _PAST.match(text[match.end() : match.end() + 5].lstrip())
        if not 1 <= days <= _LONGEST or past or _ELSEWHERE.search(match[0]):
            continue
        conditional = _IF.match(text, match.end(), match.end() + 70) or re.search(r"\bif\b", match[0], re.I)
        found.append(FollowUp(match.start(), None if conditional else days, match[0]))
    found += [FollowUp(match.start(), None, match[0]) for match in _AS_NEEDED.finditer(text)]
    return tuple(sorted(found, key=lambda one: one.offset))


def _count(word: str) -> int:
    low = word.casefold()
    if low.isdigit():
        return int(low)
    if low in ("a", "an"):
        return 1
    return 2 if low.startswith("a couple") else _NUMBERS.index(low) + 1
