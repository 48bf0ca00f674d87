"""Declare the template causes of step 3: what the EHR's template changed under the mapping."""

from diagnostics.causes.model import RUN_AGAIN, Action, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

_FOLLOWS = (
    "tmpl.version.changed",
    "tmpl.catchall",
    "tmpl.silent_drop",
    "map.section.misrouted",
    "map.section.unmapped",
    "map.section.collapsed",
    "map.content.lost",
    "tmpl.change.unreviewed",
)

VERSION_CHANGED = declare(
    "tmpl.version.changed",
    "The EHR's template was changed after the mapping was written",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        RemedyStep("Compare the template's fields with the mapping and remap what moved", Action.CHANGE_REVIEW),
        RemedyStep("Send a note to the test patient and look at every section", Action.WRITE_CANARY),
        RUN_AGAIN,
    ),
    checklist=("MAP.2",),
    caution="A change of wording alone breaks nothing.",
    explains=("tmpl.change.unreviewed",),
)
FIELD_UNKNOWN = declare(
    "tmpl.field.unknown",
    "The mapping writes to a field that the template no longer has",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        RemedyStep(
            "Find the field that took its place in the present template and map the section to it", Action.CHANGE_REVIEW
        ),
        "Enter the text that was lost since the change",
        "Have template changes reviewed against the mapping before they go live",
        RUN_AGAIN,
    ),
    checklist=("MAP.2", "MAP.3", "DONE.2"),
    caution="The EHR may keep the old id as an alias.",
    explains=_FOLLOWS,
)
REQUIRED_ADDED = declare(
    "tmpl.required.added",
    "The template now demands a section that the scribe does not supply",
    layer=Layer.CONTENT,
    who=WhoActs.INFORMATICS,
    remedy=(
        RemedyStep("Map a section of the note to the new required field, or give it a default", Action.CHANGE_REVIEW),
        "Or have the field made optional for notes that come through the interface",
        RUN_AGAIN,
    ),
    checklist=("MAP.2", "MAP.3"),
    caution="A field may be required only on screen.",
    explains=(
        "tmpl.version.changed",
        "fhir.outcome.issue",
        "fhir.payload.required",
        "hl7.ack.negative",
        "hl7.field.required",
    ),
)
CATCHALL = declare(
    "tmpl.catchall",
    "A section of the note landed in the template's catch-all field",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        RemedyStep("Map the section to its proper field and move the text in the chart", Action.CHANGE_REVIEW),
        RUN_AGAIN,
    ),
    checklist=("MAP.3",),
    caution="A site may use the comments field on purpose.",
    explains=("map.content.lost", "tmpl.change.unreviewed"),
)
SILENT_DROP = declare(
    "tmpl.silent_drop",
    "A section was sent and accepted, but is nowhere in the chart",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Ask the EHR team what the template does with the named section; it raised no error",
        "Enter the missing text in the chart",
        RUN_AGAIN,
    ),
    checklist=("MAP.1", "MAP.3", "DONE.2"),
    caution="A provider may have deleted it: look at the author of the version.",
    explains=("map.content.lost", "tmpl.change.unreviewed"),
)
CHANGE_UNREVIEWED = declare(
    "tmpl.change.unreviewed",
    "A template change that touches a mapped field went live without an approved review",
    layer=Layer.CONFIGURATION,
    who=WhoActs.INFORMATICS,
    remedy=(
        RemedyStep("Review the named change against the mapping now, and remap what it moved", Action.CHANGE_REVIEW),
        "Have the EHR build team and the integration team both approve template changes before they go live",
        RUN_AGAIN,
    ),
    checklist=("MAP.2",),
    caution="An emergency change may be reviewed afterwards; then record that review.",
)
