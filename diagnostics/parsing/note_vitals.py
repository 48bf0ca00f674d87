"""Find vital signs in a note's text: name, value, unit, plausible range, LOINC codes, offset (domain.md section 4).

Every pattern is bounded, so that the time grows with the text's length only. A value outside its range is no find.
`amounts` are in one unit a kind (mm[Hg], /min, Cel, %, kg, cm, kg/m2), so that they can be compared with what a
flowsheet holds.
"""

import re
from dataclasses import dataclass

from diagnostics.parsing.note_cues import cue_before


@dataclass(frozen=True)
class Vital:
    """Be one vital sign: `kind` is bp hr rr temp spo2 weight height bmi head; `codes` are its LOINC codes.

    `value` is as written; `amounts` are systolic and diastolic for a blood pressure, one number for the rest, and
    two readings of one number where the note names no unit and either would be plausible.
    """

    kind: str
    value: str
    unit: str
    offset: int
    codes: tuple[str, ...]
    cue: str = ""
    amounts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Measure:
    """Be a finding of a specialty that is no vital sign: `kind` is ef, rhythm or weight_for_age."""

    kind: str
    value: str
    offset: int
    cue: str = ""


KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "bp": ("mm[Hg]", ("85354-9", "8480-6", "8462-4", "55284-4")),
    "hr": ("/min", ("8867-4", "8889-8", "68999-2")),
    "rr": ("/min", ("9279-1",)),
    "temp": ("Cel", ("8310-5", "8331-1", "8332-9")),
    "spo2": ("%", ("59408-5", "2708-6")),
    "weight": ("kg", ("29463-7", "3141-9")),
    "height": ("cm", ("8302-2", "8306-3")),
    "bmi": ("kg/m2", ("39156-5",)),
    "head": ("cm", ("9843-4",)),
}
_RANGES = {
    "hr": (30, 220),
    "rr": (6, 60),
    "temp": (33.8, 42.3),  # 93 to 108 F
    "spo2": (60, 100),
    "weight": (1, 350),
    "height": (40, 230),
    "bmi": (8, 90),
    "head": (25, 70),
}


def _named(names: str, value: str) -> re.Pattern[str]:
    """Build name, at most twelve marks, perhaps "is", "was" or "of", then the value."""
    return re.compile(rf"\b(?:{names})\W{{0,12}}(?:(?:is|was|of|today|at|to)\W{{1,3}}){{0,2}}{value}", re.I)


_NUMBER = r"(\d{1,3}(?:\.\d{1,2})?)\s{0,2}"
_PAIR = r"(\d{2,3})\s{0,2}/\s{0,2}(\d{2,3})\b"
_MARK = "\u00b0"
_PATTERNS = {
    "bp": _named("BP|blood pressure", _PAIR),
    "hr": _named("HR|pulse(?: rate)?|heart rate", r"(\d{2,3})\b(?!\s?%|[/.]\d)"),
    "rr": _named("RR|resp(?:iratory)? rate|respirations?", r"(\d{1,2})\b(?![/.]\d)"),
    "temp": _named("T|temp(?:erature)?", _NUMBER + rf"{_MARK}?\s{{0,2}}(F|C|Fahrenheit|Celsius)?(?![A-Za-z\d])"),
    "spo2": _named("SpO2|SaO2|O2 sats?|oxygen saturation|sat(?:uration)?s?", r"(\d{2,3})\s{0,2}%"),
    "weight": _named("wt|weight", _NUMBER + r"(kg|kilograms?|lbs?|pounds)\b"),
    "height": _named("ht|height", _NUMBER + r"(cm|inches|in\b|m\b|'|\u2032|\u2019|ft|feet)(?:\s{0,2}(\d{1,2}))?"),
    "bmi": _named("BMI", r"(\d{1,2}(?:\.\d{1,2})?)"),
    "head": _named("head circumference|HC|OFC", _NUMBER + r"(cm|inches|in\b)"),
}
# a second reading behind the first: "142/88, repeat 128/80"
_AGAIN = re.compile(r"[\s,;]{1,4}(?:(?:and|then|repeat(?:ed)?|rechecked?|recheck|on)\s){0,3}" + _PAIR, re.I)
_SERIES = 6


def find_vitals(text: str) -> tuple[Vital, ...]:
    """Return the vital signs in the text, in its order; a series of blood pressures one by one."""
    found: list[Vital] = []
    for kind, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            found.extend(_read(kind, match, text))
    unique = {(vital.kind, vital.offset): vital for vital in sorted(found, key=lambda v: v.offset)}
    return tuple(unique.values())


def _read(kind: str, match: re.Match[str], text: str) -> list[Vital]:
    unit, codes = KINDS[kind]
    cue = cue_before(text, match.start())
    if kind == "bp":
        pairs, place = [match], match.end()
        while len(pairs) < _SERIES and (more := _AGAIN.match(text, place)):
            pairs.append(more)
            place = more.end()
        return [
            Vital(kind, f"{m[1]}/{m[2]}", unit, match.start() if m is match else m.start(1), codes, cue, amounts)
            for m in pairs
            if (amounts := _pressure(m[1], m[2]))
        ]
    if kind == "temp" and match[0][:1] in "tT" and match[0][1:2].isdigit():
        return []  # "T4" is a hormone or a vertebra
    inches = match[3] if kind == "height" else None
    written = match[2] if match.re.groups > 1 else ""
    amounts = tuple(a for a in _amounts(kind, float(match[1]), written or "", inches) if _plausible(kind, a))
    return [Vital(kind, match[1], unit, match.start(), codes, cue, amounts)] if amounts else []


def _pressure(high: str, low: str) -> tuple[float, ...]:
    systolic, diastolic = int(high), int(low)
    good = 60 <= systolic <= 260 and 30 <= diastolic <= 160 and diastolic < systolic
    return (float(systolic), float(diastolic)) if good else ()


def _plausible(kind: str, amount: float) -> bool:
    low, high = _RANGES[kind]
    return low <= amount <= high


def _amounts(kind: str, value: float, unit: str, inches: str | None) -> list[float]:
    """Return a value in the kind's own unit; a temperature without a unit may be either."""
    short = unit.strip("'\u2032\u2019. ").casefold()
    if kind == "temp":
        scale = short[:1] or ("f" if value > 60 else "c")
        return [(value - 32) / 1.8 if scale == "f" else value]
    if kind == "weight":
        return [value if short.startswith("k") else value * 0.45359237]
    if kind in ("height", "head"):
        if short == "cm":
            return [value]
        if short.startswith("in"):
            return [value * 2.54]
        if short == "m":
            return [value * 100]
        return [value * 30.48 + (float(inches) if inches else 0.0) * 2.54]
    return [value]


_UNITS = {
    "temp": ({"cel", "c", "\u00b0c"}, {"[degf]", "f", "degf", "\u00b0f"}),
    "weight": ({"kg"}, {"[lb_av]", "lb", "lbs", "lb_av", "pounds"}),
    "height": ({"cm"}, {"[in_i]", "in", "in_i", "inches"}),
    "head": ({"cm"}, {"[in_i]", "in", "in_i", "inches"}),
}


def readings(kind: str, value: str) -> tuple[tuple[float, ...], ...]:
    """Return how a flowsheet's value may be read, in the kind's own unit: once, or both ways where it has no unit."""
    numbers = [float(n) for n in re.findall(r"(?<![\d.])\d{1,4}(?:\.\d{1,3})?", value[:60])]
    if not numbers:
        return ()
    if kind == "bp":
        return (tuple(numbers[:2]),)
    # a number may itself be part of the unit's name (m2), so the first one is the value
    unit = re.sub(r"^[\s\d.,]{1,20}", "", value[:60]).strip().casefold()
    own, other = _UNITS.get(kind, (set(), set()))
    first = numbers[0]
    converted = _amounts(kind, first, {"temp": "f", "weight": "lb"}.get(kind, "in"), None)[0]
    if not other or unit in own:
        return ((first,),)
    if unit in other:
        return ((converted,),)
    return ((first,), (converted,))


_EJECTION = re.compile(
    r"\b(?:LVEF|EF|ejection fraction)\W{0,8}(?:(?:is|was|of|at|estimated|about)\W{1,3}){0,3}"
    r"(\d{1,2})(?:\s{0,2}(?:-|to)\s{0,2}(\d{1,2}))?\s{0,2}%",
    re.I,
)
_RHYTHM = re.compile(
    r"\b(normal sinus rhythm|sinus (?:rhythm|tachycardia|bradycardia|arrhythmia)|atrial (?:fibrillation|flutter)"
    r"|paced rhythm|junctional rhythm|irregularly irregular|ventricular tachycardia)\b",
    re.I,
)
_FOR_AGE = re.compile(
    r"\bweight[- ]for[- ]age\W{0,8}(?:(?:is|was|at)\W{1,3}){0,2}(?:the\W)?(\d{1,3})(?:st|nd|rd|th)?\s{0,2}"
    r"(?:percentile|%ile|%)",
    re.I,
)


def find_measures(text: str) -> tuple[Measure, ...]:
    """Return what cardiology and pediatrics measure beside the vital signs."""
    found = []
    for match in _EJECTION.finditer(text):
        if 5 <= int(match[1]) <= 85:
            value = f"{match[1]}-{match[2]}" if match[2] else match[1]
            found.append(Measure("ef", value, match.start(), cue_before(text, match.start())))
    for match in _RHYTHM.finditer(text):
        found.append(Measure("rhythm", match[1].casefold(), match.start(), cue_before(text, match.start())))
    for match in _FOR_AGE.finditer(text):
        if int(match[1]) <= 100:
            found.append(Measure("weight_for_age", match[1], match.start(), cue_before(text, match.start())))
    return tuple(sorted(found, key=lambda one: one.offset))
