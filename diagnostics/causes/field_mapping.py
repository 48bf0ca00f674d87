"""Declare the mapping causes of step 3: which section goes where, and what was meant to be discrete."""

from diagnostics.causes.model import RUN_AGAIN, Kind, declare
from diagnostics.vocabulary import Layer, WhoActs

SECTION_UNMAPPED = declare(
    "map.section.unmapped",
    "A section of the note has no field to go to",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Add a mapping rule for the named section and this template",
        "Copy the missing text into the chart for the notes already sent",
        RUN_AGAIN,
    ),
    checklist=("MAP.3", "MAP.1"),
    caution="A section may be left out on purpose; then mark it so.",
    explains=("tmpl.catchall", "tmpl.silent_drop"),
)
SECTION_MISROUTED = declare(
    "map.section.misrouted",
    "A section of the note was filed in the wrong field",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Correct the mapping rule of the named section",
        "Have the provider move the text in the charts that are already wrong",
        RUN_AGAIN,
    ),
    checklist=("MAP.1", "DONE.2"),
    caution="A field for assessment and plan together is no fault.",
    explains=("tmpl.silent_drop",),
)
SECTION_COLLAPSED = declare(
    "map.section.collapsed",
    "Several sections were filed together in one field and the others stayed empty",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Split the mapping so that history, review of systems and the rest have fields of their own",
        "Tell billing compliance: an empty review of systems changes what can be billed",
        RUN_AGAIN,
    ),
    checklist=("MAP.1",),
    caution="Some EHRs have one subjective block by design.",
    explains=("map.section.misrouted", "tmpl.silent_drop"),
)
SECTION_OVERWRITTEN = declare(
    "map.section.overwritten",
    "Two sections are written to the same field and the second replaces the first",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=("Set the mapping rule to append, or give each section its own field", RUN_AGAIN),
    checklist=("MAP.1",),
    explains=("tmpl.silent_drop", "map.section.misrouted"),
)
DISCRETE_VITALS_NARRATIVE = declare(
    "map.discrete.vitals_narrative",
    "Vital signs are in the note's text only, not in the flowsheet",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Have the scribe send vital signs as Observations or ORU messages",
        "Map each to its flowsheet row",
        RUN_AGAIN,
    ),
    checklist=("MAP.4",),
    standard="US Core 6.1 vital signs",
    caution="Values of an earlier visit, or values a device already filed, need no second entry.",
)
DISCRETE_ICD_IN_TEXT = declare(
    "map.discrete.icd_in_text",
    "Diagnosis codes are in the note's text only, not on the problem list",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Have the scribe send diagnoses as coded Conditions or DG1 segments",
        "Check that the account may write to the problem list",
        RUN_AGAIN,
    ),
    checklist=("MAP.4", "PERM.3"),
    caution="Codes that are ruled out, or belong to history, stay in the text.",
)
DISCRETE_ICD_INCONGRUENT = declare(
    "map.discrete.icd_incongruent",
    "A diagnosis code and the words beside it contradict each other",
    kind=Kind.WARNING,
    layer=Layer.FILING,
    who=WhoActs.PROVIDER,
    remedy=("Have a coder or the provider look at the code; nothing is corrected automatically",),
    checklist=("MAP.4",),
    standard="ICD-10-CM",
)
OUTPUT_NARRATIVE_ONLY = declare(
    "map.output.narrative_only",
    "The scribe is set to send text only, while structured data are expected",
    layer=Layer.CONFIGURATION,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Have structured output switched on for this integration",
        "Check that the licence includes it",
        RUN_AGAIN,
    ),
    checklist=("MAP.4",),
    explains=("map.discrete.",),
)
CODE_LOCAL_MISSING = declare(
    "map.code.local_missing",
    "The EHR has no entry for a code that the note uses",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.EHR_TEAM,
    remedy=("Ask the EHR team to map the named code to a note type, flowsheet row or local value", RUN_AGAIN),
    checklist=("WRITE.4",),
    standard="HL7 v2 table 0357 code 103; the vendor's own codes",
    explains=("fhir.outcome.issue", "hl7.ack.negative"),
)
PATIENT_MISMATCH = declare(
    "map.patient.mismatch",
    "The note was filed to, or sent for, another patient",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Stop the scribe's queue for this provider now",
        "Have the note removed from the wrong chart and entered in the right one",
        "Report it as a patient safety event",
        RUN_AGAIN,
    ),
    checklist=("MAP.5", "DONE.2"),
    caution="Two records of one person may have been merged: follow the link first.",
    explains=("map.encounter.mismatch", "fhir.outcome.issue", "hl7.ack.negative", "fhir.payload.references"),
)
ENCOUNTER_MISMATCH = declare(
    "map.encounter.mismatch",
    "The note was filed to, or sent for, another encounter",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Move the note to the right encounter, or add it there as an addendum",
        "Have the scribe take the encounter from the launch or the visit number, not from the date",
        RUN_AGAIN,
    ),
    checklist=("MAP.5", "DONE.2"),
    caution="Two visits on one day, and visits in the evening, are the usual trap.",
    explains=("fhir.outcome.issue", "hl7.ack.negative"),
)
NOTETYPE_WRONG = declare(
    "map.notetype.wrong",
    "The note was filed under another document type than intended",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=("Set the document type by the vendor's rule, and refile the note", RUN_AGAIN),
    checklist=("MAP.1", "WRITE.4"),
)
