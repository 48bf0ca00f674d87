"""Tell a present fact in a note's text from one of the past, of somebody else, or of a plan (domain.md section 4).

A cue counts within five words before a find and in its own sentence; a few words behind it count as well.
"""

import re

WORDS_BEFORE = 5
_WINDOW = 70  # characters that hold the five words before a find
_CUES = re.compile(
    r"last visit|prior visit|previous(?:ly)?|prior|home (?:bp|blood pressure|readings?|log)|at home|goals?|target"
    r"|family history of|family history|fhx?|rule[- ]?out|r/o|denies|denied|no history of|history of|h/o|s/p"
    r"|no evidence of|no signs? of|negative for|mother|father|sibling|brother|sister|grandmother|grandfather"
    r"|if|unless|differential|ddx|versus|vs\.?|ruled out|unlikely|resolved",
    re.I,
)
_LATER_CUES = re.compile(
    r"\b(?:at (?:the )?(?:last|prior|previous) visit|at home|last (?:week|month|year)|yesterday|ruled out)\b", re.I
)
_BREAK = re.compile(r"[.;\n](?!\d)")


def cue_before(text: str, offset: int) -> str:
    """Return the words around an offset that make what stands there no current fact, or an empty string."""
    before = _BREAK.split(text[max(0, offset - _WINDOW) : offset])[-1]
    last = " ".join(before.split()[-WORDS_BEFORE:])
    matches = [m for m in _CUES.finditer(last) if _whole_word(last, m)]
    return matches[-1][0].casefold() if matches else _cue_after(text, offset)


def _cue_after(text: str, offset: int) -> str:
    after = re.split(r"[;\n]|,(?!\s(?:taken |measured )?at )|\.(?!\d)", text[offset : offset + _WINDOW])[0]
    match = _LATER_CUES.search(after)
    return match[0].casefold() if match else ""


def _whole_word(text: str, match: re.Match[str]) -> bool:
    return not (text[match.start() - 1 : match.start()].isalnum() or text[match.end() : match.end() + 1].isalnum())
