"""Define what an entry of the cause catalogue is (domain.md section 2).

Each cause is a declared constant in the module of its category; its id is the public name of what went wrong.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from diagnostics.errors import DeclarationError
from diagnostics.vocabulary import Category, Layer, WhoActs


class Kind(StrEnum):
    """Tell causes from rows that only warn and rows that only route evidence (domain.md, conventions)."""

    CAUSE = "cause"
    WARNING = "warning"
    CLASSIFIER = "classifier"


class Action(StrEnum):
    """Name what the console can do for a remedy step with one button."""

    RUN_AGAIN = "run_again"
    TEST_TOKEN = "test_token"
    WRITE_CANARY = "write_canary"
    FROM_SEGMENT = "from_segment"
    CHANGE_REVIEW = "change_review"
    SEND_PACKET = "send_packet"
    RESEND = "resend"


@dataclass(frozen=True)
class RemedyStep:
    """Say one thing to do, as an instruction; `action` names the console's button for it, where there is one."""

    text: str
    action: Action | None = None


RUN_AGAIN = RemedyStep("Run the diagnosis again to confirm the fix", Action.RUN_AGAIN)


@dataclass(frozen=True)
class Cause:
    """Describe one way in which a note does not reach the chart.

    `title` is a statement a help desk understands ("The access token had expired").
    `explains` lists ids (or prefixes ending in a dot) of further causes that are mere consequences of this one.
    """

    id: str
    title: str
    layer: Layer
    who_acts: WhoActs
    remedy: tuple[RemedyStep, ...]
    category: Category
    kind: Kind = Kind.CAUSE
    checklist: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    standard: str = ""
    caution: str = ""
    explains: tuple[str, ...] = field(default=())

    def consequence(self, other: "Cause") -> bool:
        """Tell whether the other cause merely follows from this one."""
        return any(other.id == e or (e.endswith(".") and other.id.startswith(e)) for e in self.explains)


_CATEGORY_OF_PREFIX = {
    "auth": Category.AUTHENTICATION,
    "fhir": Category.ENDPOINT_CONFIGURATION,
    "hl7": Category.ENDPOINT_CONFIGURATION,
    "map": Category.FIELD_MAPPING,
    "tmpl": Category.TEMPLATE_CONFLICT,
    "net": Category.NETWORK,
    "perm": Category.PERMISSIONS,
    "ehr": Category.EHR_DEFECT,
    "ops": Category.EHR_DEFECT,
    "scribe": Category.SCRIBE_DEFECT,
}

_DECLARED: dict[str, Cause] = {}


def declare(
    id: str,
    title: str,
    *,
    layer: Layer,
    who: WhoActs,
    remedy: tuple[str | RemedyStep, ...],
    category: Category | None = None,
    kind: Kind = Kind.CAUSE,
    checklist: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    standard: str = "",
    caution: str = "",
    explains: tuple[str, ...] = (),
) -> Cause:
    """Declare a cause once; refuse duplicates, unknown prefixes and a cause without a remedy, at import."""
    prefix = id.split(".", 1)[0]
    if id in _DECLARED:
        raise DeclarationError(f"cause {id} is declared twice")
    if prefix not in _CATEGORY_OF_PREFIX:
        raise DeclarationError(f"cause {id}: unknown prefix {prefix}")
    if not remedy and kind is Kind.CAUSE:
        raise DeclarationError(f"cause {id} has no remedy")
    steps = tuple(RemedyStep(step) if isinstance(step, str) else step for step in remedy)
    cause = Cause(
        id=id,
        title=title,
        layer=layer,
        who_acts=who,
        remedy=steps,
        category=category or _CATEGORY_OF_PREFIX[prefix],
        kind=kind,
        checklist=checklist,
        tags=tags,
        standard=standard,
        caution=caution,
        explains=explains,
    )
    _DECLARED[id] = cause
    return cause


def declared() -> dict[str, Cause]:
    """Return every declared cause by id; import `diagnostics.causes` first so that all modules are loaded."""
    return dict(_DECLARED)
