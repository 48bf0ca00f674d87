"""Say where a diagnosis code contradicts the words it stands for: a short list, to ask a coder to look.

What a code fixes (side, with or without, type, trimester …) comes from the code set's own titles. Nothing here
proposes a code; E11.65 beside "well controlled" is the standing example (domain.md section 0, trap 7).
"""

import re

from diagnostics.parsing import icd10cm

_SIDES = {"right": r"\bright\b", "left": r"\bleft\b(?! (?:the|untreated|without|against|ama|a message|alone|early)\b)"}
_BOTH = re.compile(r"\bbilateral|\bboth\b")
_PAIRS = (
    ("type 1 diabetes", r"\btype (?:2|ii)\b|\bt2dm\b", r"\btype (?:1|i)\b|\bt1dm\b", "type 1 diabetes", "type 2"),
    ("type 2 diabetes", r"\btype (?:1|i)\b|\bt1dm\b", r"\btype (?:2|ii)\b|\bt2dm\b", "type 2 diabetes", "type 1"),
    ("acute", r"\bchronic\b", r"\bacute\b|\bexacerbat|\bflare", "acute", "chronic"),
    ("chronic", r"\bacute\b", r"\bchronic\b|\bacute on\b", "chronic", "acute"),
    ("initial encounter", r"\bsubsequent encounter\b|\bsequelae?\b", r"\binitial encounter\b", "an initial encounter",
     "a later one"),
    ("subsequent encounter", r"\binitial encounter\b|\bsequelae?\b", r"\bsubsequent encounter\b",
     "a subsequent encounter", "another one"),
    ("not intractable", r"(?<!not )(?<!non)(?<!non-)\bintractable\b", r"\bnot intractable\b", "not intractable",
     "intractable"),
    ("intractable", r"\b(?:not |non-?)intractable\b", r"(?<!not )(?<!non-)\bintractable\b", "intractable",
     "not intractable"),
)  # fmt: skip
_TRIMESTERS = {
    "first trimester": r"\b(?:1st|first) trimester\b",
    "second trimester": r"\b(?:2nd|second) trimester\b",
    "third trimester": r"\b(?:3rd|third) trimester\b",
}
# a condition a title may name → its words in a note
_WORDS = {
    "hyperglycemia": r"hyperglyc(?:a)?emi[ac]",
    "hypoglycemia": r"hypoglyc(?:a)?emi[ac]",
    "ketoacidosis": r"(?:diabetic )?ketoacidosis|dka",
    "hyperosmolarity": r"hyperosmol\w{3,8}",
    "coma": r"coma",
    "complication": r"complications?",
    "bleeding": r"(?:active )?(?:bleed(?:ing|s)?|ha?emorrhag(?:e|ic)|bloody stools?)",
    "perforation": r"perforat(?:ion|ed)",
    "obstruction": r"obstruct(?:ion|ed)",
    "exacerbation": r"(?:acute )?exacerbation",
    "status asthmaticus": r"status asthmaticus",
    "status migrainosus": r"status migrainosus",
    "status epilepticus": r"status epilepticus",
    "aura": r"aura",
    "gangrene": r"gangren(?:e|ous)",
    "abscess": r"abscess",
    "ulcer": r"(?:foot |skin )?ulcers?(?:ation)?",
    "neuropathy": r"(?:peripheral |diabetic |autonomic )?(?:poly)?neuropathy",
    "nephropathy": r"(?:diabetic )?(?:nephropathy|kidney disease)",
    "retinopathy": r"(?:diabetic |proliferative )?retinopathy",
    "heart failure": r"(?:congestive )?heart failure",
    "foreign body": r"(?:retained )?foreign body",
    "loss of consciousness": r"loss of consciousness",
    "psychotic features": r"psychotic (?:features|symptoms)",
    "agitation": r"agitation",
}
_WITHOUT = r"\b(?:without|no|denies|negative for|no evidence of|no signs? of|absence of)\s{1,2}(?:any )?"
_WITH = r"(?<!not )\b(?:with|complicated by|and|has|due to)\s{1,2}(?:an? |active |acute )?"
_DIABETIC = ("neuropathy", "nephropathy", "retinopathy", "hyperglycemia", "ketoacidosis", "gangrene", "ulcer")
_OF_ASTHMA = ("exacerbation", "status asthmaticus")
_CONTROLLED = re.compile(r"(?<!not )(?<!poorly )(?<!un)\b(?:well|good|adequately)[- ]control(?:led)?\b|\bat goal\b")


def contradiction(code: str, words: str) -> str:
    """Return in a few words how a code contradicts the lower-case words it stands for; empty where it does not."""
    known = icd10cm.look_up(code)
    if known is None or not words:
        return ""
    text = words[:400]
    return _of_side(known.traits, text) or _of_condition(known.traits, text) or _of_kind(known.traits, text)


def _of_side(traits: frozenset[str], text: str) -> str:
    if "bilateral" in traits or _BOTH.search(text):
        return ""
    for side, other in (("right", "left"), ("left", "right")):
        if side in traits and re.search(_SIDES[other], text) and not re.search(_SIDES[side], text):
            return f"is the {side} side, the text says {other}"
    return ""


def _of_condition(traits: frozenset[str], text: str) -> str:
    if "with hyperglycemia" in traits and _CONTROLLED.search(text):
        return "says with hyperglycemia, the text says well controlled"
    for trait in sorted(traits):
        kind, _, name = trait.partition(" ")
        if kind == "with" and name in _WORDS and re.search(rf"{_WITHOUT}(?:{_WORDS[name]})\b", text):
            return f"says with {name}, the text says without"
        if kind == "without" and name in _WORDS and _says_with(name, text):
            return f"says without {name}, the text says with"
    if "without complication" in traits:
        named = next((name for name in _DIABETIC if _says_with(name, text)), None)
        return f"says without complications, the text names {named}" if named else ""
    if "uncomplicated" in traits and any(_says_with(name, text) for name in _OF_ASTHMA):
        return "says uncomplicated, the text names an exacerbation"
    return ""


def _says_with(name: str, text: str) -> bool:
    found = re.search(rf"{_WITH}(?:{_WORDS[name]})\b", text)
    return found is not None and not re.search(rf"{_WITHOUT}(?:[\w ,]{{0,40}}?(?:or|and) )?(?:{_WORDS[name]})\b", text)


def _of_kind(traits: frozenset[str], text: str) -> str:
    for trait, against, for_it, is_, says in _PAIRS:
        if trait in traits and re.search(against, text) and not re.search(for_it, text):
            return f"is {is_}, the text says {says}"
    stated = [name for name, shape in _TRIMESTERS.items() if re.search(shape, text)]
    fixed = [name for name in _TRIMESTERS if name in traits]
    if stated and fixed and not set(stated) & set(fixed):
        return f"is the {fixed[0]}, the text says {stated[0]}"
    return ""
