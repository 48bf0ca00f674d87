"""Parse WWW-Authenticate and Proxy-Authenticate values into challenges (RFC 9110 section 11.6.1).

Several challenges may share one header, separated by the same comma that separates parameters; a logged value may
also be cut or wrongly quoted. The parser takes what it can and never raises.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostics.remembering import remembered

_LIMIT = 8192
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}"
_PARAMETER = re.compile(rf"({_TOKEN})\s{{0,4}}=\s{{0,4}}(?:\"((?:[^\"\\]|\\.){{0,4000}})\"?|([^\s,\"]{{0,4000}}))")
_RUN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SCHEME = re.compile(rf"({_TOKEN})(?:\s{{1,4}}([A-Za-z0-9._~+/-]{{1,4000}}={{0,2}})(?=\s{{0,4}}(?:,|$)))?(?=\s|,|$)")


@dataclass(frozen=True)
class Challenge:
    """Be one challenge: `scheme` and the names in `params` are lower case; `token68` is a blob such as Negotiate's."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict)
    token68: str = ""


@remembered(64)
def parse_challenges(value: str) -> tuple[Challenge, ...]:
    """Return the challenges of a header value in their order; an empty value gives none.

    The last ones are kept: many checks of one run read the same header.
    """
    text = value[:_LIMIT]
    challenges: list[tuple[str, dict[str, str], str]] = []
    position = 0
    while position < len(text):
        if text[position] in ", \t\r\n;":
            position += 1
            continue
        parameter = _PARAMETER.match(text, position)
        if parameter and challenges:
            quoted, plain = parameter.group(2), parameter.group(3)
            written = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
            challenges[-1][1].setdefault(parameter.group(1).lower(), written)
            position = parameter.end()
            continue
        scheme = _SCHEME.match(text, position)
        if scheme is None:  # an unknown sign, or a word that is no scheme: step over all of it
            run = _RUN.match(text, position)
            position = run.end() if run else position + 1
            continue
        challenges.append((scheme.group(1).lower(), {}, scheme.group(2) or ""))
        position = scheme.end()
    return tuple(Challenge(name, params, token68) for name, params, token68 in challenges)
