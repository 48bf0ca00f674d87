"""Choose every free word the practice EHR says, so that no check can learn its strings.

Standard codes (OAuth errors, issue codes, HL7 table values) are never passed through here.
"""

from __future__ import annotations

import random
import re

_ONSETS = ("b", "br", "d", "dr", "f", "g", "gl", "k", "kl", "l", "m", "n", "pr", "r", "sk", "st", "t", "tr", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "eo", "ou")
_CODAS = ("", "n", "l", "r", "m", "sk", "nd", "rt", "v")
# Words that carry meaning for a reader of environments must not come up by chance.
_LOADED = re.compile(r"test|prod|sand|dev|stag|train|demo|log|auth|key", re.IGNORECASE)


class PracticeTexts:
    """Give texts, paths, host labels and ids: the plain ones, or (with a seed) invented ones."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def _random(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}|{what}")

    def _word(self, source: random.Random) -> str:
        while True:
            word = "".join(
                source.choice(_ONSETS) + source.choice(_VOWELS) + source.choice(_CODAS)
                for _ in range(source.choice((2, 2, 3)))
            )
            if not _LOADED.search(word):
                return word

    def say(self, text: str) -> str:
        """Give a sentence for people: the text itself, or as many invented words as it has."""
        if self.seed is None:
            return text
        source = self._random(f"say {text}")
        words = [self._word(source) for _ in range(max(3, len(text.split())))]
        return " ".join(words).capitalize() + "."

    def path(self, path: str) -> str:
        """Give a URL path with as many segments as the plain one."""
        if self.seed is None:
            return path
        return "".join(f"/{self._word(self._random(f'path {path} {n}'))}" for n, _ in enumerate(path.split("/")[1:]))

    def host(self, role: str, tenant: str, zone: str = "practice.test") -> str:
        """Give the host name of one of a tenant's services; `.test` is reserved (RFC 2606)."""
        if self.seed is None:
            return f"{role}.{tenant}.{zone}"
        labels = (f"host {role} {tenant}", f"tenant {tenant}", "zone")
        return ".".join(self._word(self._random(label)) for label in labels) + ".test"

    def ident(self, name: str) -> str:
        """Give an identifier such as a template field id."""
        if self.seed is None:
            return name
        return self._word(self._random(f"ident {name}")).upper() + f"_{self._random(name).randrange(10, 99)}"

    def number(self, what: str, low: int, high: int, plain: int) -> int:
        """Give a number from a range, or the plain one."""
        return plain if self.seed is None else self._random(f"number {what}").randint(low, high)
