"""Tell a clinical note from an error text: its words ("certificate expired", "refused") must not be read as an error's.

Cues of a note are counted and signs of a technical text looked for; a text with both is read as an error.
"""

import re

_LIMIT = 8192
_CUES = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"(?:^|[\s.;])(?:HPI|ROS|CC|PMH|PSH|SOAP|MSE|A/P|A&P)\s?[:\-]", 0),
        (r"\b(?:subjective|objective|chief complaint|history of present illness|review of systems)\b", re.I),
        (r"\b(?:assessment|impression|plan|physical exam|medications|allergies|vitals|social history)\s?:", re.I),
        (r"(?:^|[\s.;])S:\s[^\n]{0,400}[\s.;]O:\s", 0),
        (r"[\s.;]A:\s[^\n]{0,400}[\s.;]P:\s", 0),
        (r"\b(?:BP|blood pressure)\b[^\n]{0,12}[0-9]{2,3} ?/ ?[0-9]{2,3}", re.I),
        (r"\b(?:HR|RR|SpO2|BMI|pulse)\b[^\n]{0,6}[0-9]{2,3}\b", 0),
        (r"\b(?:[0-9]{1,3}[ -]?(?:year|month|week)s?[ -]old|[0-9]{1,3} ?y/?o)\b", re.I),
        (
            r"\b(?:patient|pt|he|she|mother|father) (?:reports|denies|states|presents|complains|carries|was told)\b",
            re.I,
        ),
        (r"\b(?:the patient|pt\.?) (?:has|had|is|was)\b", re.I),
        (r"\bdenies\b|\bc/o\b|\bs/p\b|\bh/o\b|\bw/o\b", re.I),
        (r"\b[0-9]{1,4} ?(?:mg|mcg|mL|units)\b|\b(?:BID|TID|QID|QHS|PRN|q[0-9]{1,2}h)\b", 0),
        (r"\bfollow[- ]?up (?:in|with)\b|\bRTC\b|\breturn (?:in|if|to clinic)\b", re.I),
        (
            r"\b(?:headaches?|cough|fever|nausea|rash|dyspnea|hypertension|diabetes|asthma|migraine|wheez(?:e|ing))\b",
            re.I,
        ),
        (r"\b(?:lungs|heart|abdomen|neuro)\b[^\n.]{0,20}\b(?:clear|regular|soft|intact)\b", re.I),
        (r"\b(?:counsel(?:ed|l?ing)|prescribed|supportive care|continue (?:current )?medications?)\b", re.I),
    )
)
_SYNTAX = re.compile(
    r"https?://|\bHTTP\b|[a-z]Exception\b|\b[A-Za-z]{2,40}Error\b|\{\s{0,4}[\"']|<[A-Za-z!/?]|\bMS[HA]\||\bERR\|"
    r"|\b[A-Z]{2,20}_[A-Z_]{3,40}|\b[45][0-9]{2}\b ?(?::|[A-Z][a-z])|\bstatus(?: code)? ?[=:]|\berror ?[:=#]"
    r"|\bE(?:CONN|NOT|TIMED|HOST|NET)[A-Z]{2,12}\b"
    r"|\b(?:AADSTS|HAPI-)[0-9]|\bx509\b|\berrno\b"
)
_SPEECH = re.compile(
    r"\b(?:oauth|jwt|tls|ssl|dns|tcp|proxy|gateway|upstream|access token|refresh token|nginx|curl|socket|api|server"
    r"|endpoint|fhir|hl7|firewall|scope|write-?back|could not be (?:saved|filed|stored)|payload|interface)\b",
    re.I,
)


def reads_like_a_note(text: str) -> bool:
    """Tell whether the text is clinical: two cues and nothing technical, or four cues and no syntax of an error."""
    head = text[:_LIMIT]
    if _SYNTAX.search(head):
        return False
    cues = sum(1 for cue in _CUES if cue.search(head))
    return cues >= 4 or (cues >= 2 and not _SPEECH.search(head))
