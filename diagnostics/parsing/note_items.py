"""Find in a note's text what could be discrete data: vitals, ICD-10-CM codes, medications, follow-up.

Each find keeps its offset and, where words before it say so, the cue that it is no current fact ("last visit", "rule
out", "family history of"). Values outside a plausible range are not finds. Every pattern is bounded, so that the time
grows with the text's length only (domain.md section 4, patterns).
"""

import re
from dataclasses import dataclass

_CUES = re.compile(
    r"last visit|prior visit|previous(?:ly)?|home (?:bp|blood pressure|readings?)|at home|goals?|target"
    r"|family history of|family history|rule[- ]?out|r/o|denies|no history of|history of|no evidence of|negative for"
    r"|mother|father|sibling|if|differential|versus|vs\.?",
    re.I,
)
_WINDOW = 70  # characters that hold the five words before a find
_WORDS_BEFORE = 5


@dataclass(frozen=True)
class Vital:
    """Be one vital sign: `kind` is bp hr rr temp spo2 weight height bmi; `codes` are its LOINC codes."""

    kind: str
    value: str
    unit: str
    offset: int
    codes: tuple[str, ...]
    cue: str = ""


@dataclass(frozen=True)
class DiagnosisCode:
    """Be one ICD-10-CM code as written in the text; `context` is the code's own sentence, in lower case."""

    code: str
    offset: int
    context: str
    cue: str = ""


@dataclass(frozen=True)
class MedicationMention:
    """Be one drug with its dose; `verb` is start continue increase decrease stop, or empty."""

    drug: str
    dose: str
    sig: str
    verb: str
    offset: int
    cue: str = ""


@dataclass(frozen=True)
class FollowUp:
    """Be one agreed return: `days` is the interval, None where only "as needed" is said."""

    offset: int
    days: int | None
    says: str


def _vital(names: str, value: str) -> re.Pattern[str]:
    """Build name, at most twelve marks, perhaps "is", "was" or "of", then the value."""
    return re.compile(rf"\b(?:{names})\W{{0,12}}(?:(?:is|was|of|today)\W{{1,3}}){{0,2}}{value}", re.I)


_NUMBER = r"(\d{1,3}(?:\.\d{1,2})?)\s{0,2}"
_VITALS = (
    ("bp", _vital("BP|blood pressure", r"(\d{2,3})\s{0,2}/\s{0,2}(\d{2,3})\b"), "mm[Hg]",
     ("85354-9", "8480-6", "8462-4", "55284-4")),
    ("hr", _vital("HR|pulse|heart rate", r"(\d{2,3})\b(?!\s?[%/.]\d)"), "/min", ("8867-4", "8889-8", "68999-2")),
    ("rr", _vital("RR|resp(?:iratory)? rate|respirations?", r"(\d{1,2})\b"), "/min", ("9279-1",)),
    ("temp", _vital("T|temp(?:erature)?", _NUMBER + r"\u00b0?\s{0,2}([FC]\b)?"), "", ("8310-5", "8331-1", "8332-9")),
    ("spo2", _vital("SpO2|O2 sats?|oxygen saturation|sat(?:uration)?s?", r"(\d{2,3})\s{0,2}%"), "%",
     ("59408-5", "2708-6")),
    ("weight", _vital("wt|weight", _NUMBER + r"(kg|kilograms?|lbs?|pounds)\b"), "", ("29463-7", "3141-9")),
    ("height", _vital("ht|height", _NUMBER + r"(cm|inches|in\b|m\b|'|\u2032|ft|feet)(?:\s{0,2}(\d{1,2}))?"), "cm",
     ("8302-2",)),
    ("bmi", _vital("BMI", r"(\d{1,2}(?:\.\d{1,2})?)"), "kg/m2", ("39156-5",)),
)  # fmt: skip


def find_vitals(text: str) -> tuple[Vital, ...]:
    """Return the vital signs in the text, in its order."""
    found = []
    for kind, pattern, unit, codes in _VITALS:
        for match in pattern.finditer(text):
            value = _vital_value(kind, match)
            if value is not None:
                found.append(Vital(kind, value, unit, match.start(), codes, cue_before(text, match.start())))
    return tuple(sorted(found, key=lambda vital: vital.offset))


def _vital_value(kind: str, match: re.Match[str]) -> str | None:
    first = float(match[1])
    if kind == "bp":
        low = int(match[2])
        return f"{match[1]}/{match[2]}" if 60 <= first <= 260 and 30 <= low <= 160 and low < first else None
    if kind == "temp":
        ranges = {"C": (34.0, 42.0), "F": (93.0, 108.0)}
        scales = [match[2].upper()] if match[2] else ["C", "F"]
        if match[0][:1] in "tT" and match[0][1:2].isdigit():
            return None  # "T4" is a hormone or a vertebra
        return match[1] if any(ranges[s][0] <= first <= ranges[s][1] for s in scales) else None
    if kind == "weight":
        kilograms = first if match[2].casefold().startswith("k") else first * 0.4536
        return match[1] if 1 <= kilograms <= 350 else None
    if kind == "height":
        return match[1] if 40 <= _centimetres(first, match[2].casefold(), match[3]) <= 230 else None
    low_high = {"hr": (30, 220), "rr": (6, 60), "spo2": (60, 100), "bmi": (8, 90)}[kind]
    return match[1] if low_high[0] <= first <= low_high[1] else None


def _centimetres(value: float, unit: str, inches: str | None) -> float:
    if unit == "cm":
        return value
    if unit.startswith("in"):
        return value * 2.54
    if unit == "m":
        return value * 100
    return value * 30.48 + (float(inches) if inches else 0.0) * 2.54


# One letter (U apart, for its few provisional codes), a digit, a digit or A or B, then a dot and up to four more.
_ICD = re.compile(r"\b(?P<code>(?:[A-TV-Z]\d[0-9AB]|U(?:07|09))(?:\.[0-9][0-9A-Z]{0,3})?)(?![0-9A-Za-z]|\.\d)")
_ICD_WORD = re.compile(
    r"\bICD(?:[- ]?10)?(?:[- ]?CM)?\b\W{0,6}(?:codes?\W{0,4})?(?:[A-Z]\d[0-9AB][0-9A-Z.]{0,5}[,;/ ]{1,3}){0,8}$", re.I
)
_ANATOMY = re.compile(
    r"\b(?:vitamin|vertebra\w{0,3}|level|disc|disk|lead|grade|stage|type|nerve|root|factor|room|bed)\W{1,3}$", re.I
)
_SENTENCE_END = re.compile(r"[.;]\s|\n")


def find_codes(text: str) -> tuple[DiagnosisCode, ...]:
    """Return ICD-10-CM codes written in the text.

    A code without a dot counts only in brackets or after "ICD": B12, T4, L5, C5, A1c are a vitamin, a hormone,
    vertebrae and a laboratory value.
    """
    found = []
    for match in _ICD.finditer(text):
        code, start, end = match["code"], match.start(), match.end()
        before, after = text[max(0, start - 60) : start], text[end : end + 1]
        opened = before[-1:] in ("(", "[") and after in (")", "]", ",", ";", " ")
        bracketed = opened or _listed_in_brackets(before, after)
        named = bool(_ICD_WORD.search(before))
        if ("." not in code and not bracketed and not named) or _ANATOMY.search(before):
            continue
        found.append(DiagnosisCode(code, start, _sentence(text, start, end), cue_before(text, start)))
    return tuple(found)


def _listed_in_brackets(before: str, after: str) -> bool:
    """Tell whether the code is a later one of a bracket such as (E11.9, I10)."""
    opened = before.rfind("(")
    inside = before[opened + 1 :] if opened >= 0 else ""
    return (
        bool(inside)
        and ")" not in inside
        and after in (")", ",", ";")
        and all(_ICD.fullmatch(part.strip()) or not part.strip() for part in re.split(r"[,;/]", inside))
    )


def _sentence(text: str, start: int, end: int) -> str:
    head = text[max(0, start - 160) : start]
    cuts = [m.end() for m in _SENTENCE_END.finditer(head)]
    tail = text[end : end + 160]
    stop = _SENTENCE_END.search(tail)
    return (head[cuts[-1] :] if cuts else head).casefold() + (tail[: stop.start()] if stop else tail).casefold()


_DRUG = re.compile(
    r"\b(?P<drug>[A-Za-z][A-Za-z-]{2,40})\s{1,3}(?P<dose>\d{1,5}(?:\.\d{1,3})?\s?(?:mg|mcg|g|mL|units?|%))(?![A-Za-z])",
    re.I,
)
_NO_DRUG = frozenset({"from", "about", "over", "under", "with", "take", "takes", "taking", "the", "and", "dose",
                      "doses", "than", "least", "most", "additional", "another"})  # fmt: skip
_SIG = re.compile(
    r"\b(daily|BID|TID|QID|qHS|q\d{1,2}h|PRN|as needed|(?:once|twice|three times) (?:a day|daily|weekly|a week)|nightly"
    r"|weekly|every \d{1,2} hours|at bedtime)\b",
    re.I,
)
_VERBS = {
    "start": "start|started|initiate|begin|add|prescribe|prescribed",
    "continue": "continue|continued|maintain|refill|refilled",
    "increase": "increase|increased|uptitrate",
    "decrease": "decrease|decreased|reduce|taper",
    "stop": "stop|stopped|discontinue|discontinued|hold",
}
_VERB_OF = {word: verb for verb, words in _VERBS.items() for word in words.split("|")}
_VERB = re.compile(r"\b(" + "|".join(_VERB_OF) + r")\b", re.I)


def find_medications(text: str) -> tuple[MedicationMention, ...]:
    """Return drugs with a dose that are followed by how to take them or led by what to do with them."""
    found = []
    for match in _DRUG.finditer(text):
        if match["drug"].casefold() in _NO_DRUG:
            continue
        sig = _SIG.search(text, match.end(), match.end() + 60)
        lead = text[max(0, match.start() - 30) : match.start()].rsplit(".", 1)[-1]
        verbs = _VERB.findall(lead)
        if sig is None and not verbs:
            continue
        verb = _VERB_OF[verbs[-1].casefold()] if verbs else ""
        cue = cue_before(text, match.start())
        found.append(MedicationMention(match["drug"], match["dose"], sig[0] if sig else "", verb, match.start(), cue))
    return tuple(found)


_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_RETURN = re.compile(
    r"\b(?:follow[- ]?up|followup|F/?U|RTC|return|recheck)\b[^\n]{0,30}?\b(\d{1,3}|" + "|".join(_NUMBERS) + r")"
    r"(?:\s{0,2}(?:-|to)\s{0,2}\d{1,3})?\s{0,2}-?(day|week|wk|month|mo|year)s?\b",
    re.I,
)
_AS_NEEDED = re.compile(r"\b(?:follow[- ]?up|F/?U|RTC|return)\b[^\n.]{0,30}?\b(?:PRN|as needed)\b", re.I)
_DAYS = {"day": 1, "week": 7, "wk": 7, "month": 30, "mo": 30, "year": 365}


def find_follow_ups(text: str) -> tuple[FollowUp, ...]:
    """Return agreed returns between a day and two years, and those only as needed."""
    found = []
    for match in _RETURN.finditer(text):
        count = int(match[1]) if match[1].isdigit() else _NUMBERS.index(match[1].casefold()) + 1
        days = count * _DAYS[match[2].casefold()]
        if 1 <= days <= 731:
            found.append(FollowUp(match.start(), days, match[0]))
    found += [FollowUp(match.start(), None, match[0]) for match in _AS_NEEDED.finditer(text)]
    return tuple(sorted(found, key=lambda one: one.offset))


def cue_before(text: str, offset: int) -> str:
    """Return the words of the same sentence within five words before an offset that make it no current fact."""
    before = text[max(0, offset - _WINDOW) : offset]
    before = re.split(r"[.;\n]", before)[-1]
    last = " ".join(before.split()[-_WORDS_BEFORE:])
    matches = [m for m in _CUES.finditer(last) if _whole_word(last, m)]
    return matches[-1][0].casefold() if matches else _cue_after(text, offset)


# words behind a find that put it into the past, or into somebody else's hands
_LATER_CUES = re.compile(
    r"\b(?:at (?:the )?(?:last|prior|previous) visit|at home|last (?:week|month|year)|yesterday)\b", re.I
)


def _cue_after(text: str, offset: int) -> str:
    """Return what follows in the same sentence and makes a find no current fact."""
    after = re.split(r"[;\n]|\.(?!\d)", text[offset : offset + _WINDOW])[0]
    match = _LATER_CUES.search(after)
    return match[0].casefold() if match else ""


def _whole_word(text: str, match: re.Match[str]) -> bool:
    return not (text[match.start() - 1 : match.start()].isalnum() or text[match.end() : match.end() + 1].isalnum())
