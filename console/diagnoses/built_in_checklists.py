"""The checklists that NoteTrace comes with: the guide's three, one for each category of root cause, the follow-up."""

from dataclasses import dataclass, field

FOLLOW_UP = "follow-up"


@dataclass(frozen=True)
class BuiltIn:
    """Be one list as it is delivered; `after` maps items to "question answer": shown only after that answer."""

    slug: str
    name: str
    about: str
    items: tuple[str, ...]
    category: str = ""
    after: dict[str, str] = field(default_factory=dict)

    @property
    def branches(self) -> dict[str, list[str]]:
        """Give the branches as templates keep them."""
        return {item: condition.split() for item, condition in self.after.items()}


def _list(slug: str, name: str, about: str, items: str, category: str = "", after: str = "") -> BuiltIn:
    """Read a list; `after` is lines of "question answer: items"."""
    conditions: dict[str, str] = {}
    for line in filter(None, map(str.strip, after.splitlines())):
        condition, _, following = line.partition(":")
        conditions |= dict.fromkeys(following.split(), condition)
    return BuiltIn(slug, name, about, tuple(items.split()), category, conditions)


# The write-back and the post-upgrade list are worked through whole (guide, steps 2 and 5): they do not branch.
BUILT_IN: tuple[BuiltIn, ...] = (
    _list(FOLLOW_UP, "Follow-up", "Before every ticket is resolved", "DONE.1 DONE.2"),
    _list(
        "write-back-verification",
        "Write-back verification",
        "That the EHR takes what the scribe sends, before trusting it to",
        "WRITE.1 WRITE.2 WRITE.3 WRITE.4 WRITE.5 WRITE.6 WRITE.7",
    ),
    _list(
        "network-quick-checks",
        "Network quick checks",
        "Six looks that tell the network from everything else",
        "NET.5 NET.1 NET.2 NET.4 NET.3 NET.6",
        after="""
            NET.1 yes: NET.2 NET.4
            NET.1 no: NET.3
        """,
    ),
    _list(
        "post-upgrade-validation",
        "Post-upgrade validation",
        "After every upgrade of the EHR, before the first failed note",
        "WRITE.5 UPGRADE.1 TOKEN.4 WRITE.1 WRITE.3 PERM.7 MAP.2 UPGRADE.2 UPGRADE.3",
    ),
    _list(
        "authentication",
        "Authentication",
        "Tokens, keys and accounts",
        "TOKEN.1 TOKEN.2 TOKEN.3 TOKEN.4 PERM.1 NET.4 TOKEN.6 TOKEN.5 TOKEN.8 TOKEN.7",
        "authentication",
        after="""
            TOKEN.1 no: TOKEN.2 TOKEN.3 TOKEN.4
            TOKEN.1 yes: PERM.1 NET.4
            TOKEN.6 yes: TOKEN.5 TOKEN.8
        """,
    ),
    _list(
        "endpoint-configuration",
        "Endpoint configuration",
        "Address, profile, message and character set",
        "WRITE.3 WRITE.13 WRITE.1 WRITE.12 WRITE.2 WRITE.4 WRITE.6 WRITE.11 WRITE.8 WRITE.9 WRITE.10 WRITE.5",
        "endpoint_configuration",
        after="""
            WRITE.13 no: WRITE.1 WRITE.2 WRITE.4 WRITE.6
            WRITE.13 yes: WRITE.11 WRITE.8 WRITE.9 WRITE.10
            WRITE.1 no: WRITE.12
        """,
    ),
    _list(
        "field-mapping",
        "Field mapping",
        "Sections, fields and discrete data",
        "MAP.5 MAP.2 TMPL.1 TMPL.2 MAP.1 MAP.3 MAP.4 MAP.6",
        "field_mapping",
        after="""
            MAP.2 no: TMPL.1 TMPL.2
            MAP.4 no: MAP.6
        """,
    ),
    _list(
        "template-conflict",
        "Template conflict",
        "A template that changed under its mappings",
        "TMPL.1 MAP.2 TMPL.2 MAP.3 TMPL.3 TMPL.4",
        "template_conflict",
    ),
    _list(
        "network",
        "Network",
        "Name, route, certificate, proxy and rate",
        "NET.5 NET.1 NET.3 NET.9 NET.2 NET.4 NET.7 NET.10 NET.6 NET.8",
        "network",
        after="""
            NET.1 no: NET.3
            NET.3 yes: NET.9
            NET.1 yes: NET.2 NET.4 NET.7
            NET.7 yes: NET.10
            NET.6 yes: NET.8
        """,
    ),
    _list(
        "permissions",
        "Permissions",
        "Grants, scopes, encounter and department",
        "PERM.1 PERM.2 PERM.3 PERM.4 PERM.5 PERM.9 PERM.6 PERM.10 PERM.7 PERM.11 PERM.8",
        "permissions",
        after="""
            PERM.5 no: PERM.9
            PERM.6 yes: PERM.10
            PERM.7 yes: PERM.11
        """,
    ),
    _list(
        "ehr-defect",
        "EHR",
        "What only the EHR's vendor can mend",
        "EHR.1 EHR.2 EHR.5 EHR.3 EHR.4",
        "ehr_defect",
        after="EHR.2 yes: EHR.5",
    ),
    _list(
        "scribe-defect",
        "AI scribe",
        "What only the scribe's vendor can mend",
        "SCRIBE.1 SCRIBE.2 SCRIBE.5 SCRIBE.3 SCRIBE.4",
        "scribe_defect",
        after="SCRIBE.2 yes: SCRIBE.5",
    ),
)
