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
    explains=("tmpl.catchall", "tmpl.silent_drop", "map.content.lost"),
)
SECTION_UNRECOGNIZED = declare(
    "map.section.unrecognized",
    "The note has a section under a heading that nobody told the mapping about",
    layer=Layer.CONTENT,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Open the note beside the chart and look where the text under the named line went",
        "Ask the scribe vendor to use a known heading, or add the heading as a synonym of a section",
        RUN_AGAIN,
    ),
    checklist=("MAP.3",),
    caution="Specialties have headings of their own, and a short remark under a heading loses nothing.",
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
    explains=("tmpl.silent_drop", "map.content.lost"),
)
SECTION_COLLAPSED = declare(
    "map.section.collapsed",
    "Several sections were filed together in one field and the others stayed empty",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Split the mapping so that history, review of systems and the rest have fields of their own",
        "Tell billing compliance: an empty review of systems may break a local policy, though it sets no level now",
        RUN_AGAIN,
    ),
    checklist=("MAP.1",),
    caution="Some EHRs have one subjective block by design.",
    explains=("map.section.misrouted", "tmpl.silent_drop", "map.content.lost"),
)
SECTION_OVERWRITTEN = declare(
    "map.section.overwritten",
    "Two sections are written to the same field and the second replaces the first",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=("Set the mapping rule to append, or give each section its own field", RUN_AGAIN),
    checklist=("MAP.1",),
    caution="A site may let one section replace another on purpose; then mark the first one as left out.",
    explains=("tmpl.silent_drop", "map.section.misrouted", "map.content.lost"),
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
DISCRETE_VITALS_DISAGREE = declare(
    "map.discrete.vitals_disagree",
    "A vital sign in the note's text differs from the one in the flowsheet",
    layer=Layer.FILING,
    who=WhoActs.PROVIDER,
    remedy=(
        "Have the provider or the nurse say which value is right, and correct the other one",
        "Where the same kind differs in further notes, check the unit that the interface sends",
        RUN_AGAIN,
    ),
    checklist=("MAP.4", "DONE.2"),
    standard="US Core 6.1 vital signs; UCUM units",
    caution="It may have been measured twice: look for a second entry in the flowsheet.",
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
DISCRETE_ICD_INVALID = declare(
    "map.discrete.icd_invalid",
    "A diagnosis code does not exist, or is too short to be billed",
    kind=Kind.WARNING,
    layer=Layer.CONTENT,
    who=WhoActs.PROVIDER,
    remedy=("Have a coder or the provider pick the valid code; nothing is corrected automatically",),
    checklist=("MAP.4",),
    standard="ICD-10-CM",
    caution="A code that came into force after the release at hand is not in it.",
)
DISCRETE_MED_NO_ORDER = declare(
    "map.discrete.med_no_order",
    "The plan changes a medication, and no order or prescription was made of it",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Tell the provider today: the medication named in the plan still has to be ordered",
        "Have the scribe send medications as MedicationRequests or order messages, or write down that it does not",
        RUN_AGAIN,
    ),
    checklist=("MAP.4", "PERM.3"),
    standard="FHIR R4 MedicationRequest; HL7 v2 OMP_O09, RDE_O11",
    caution="A medication that is merely continued, or advice to buy one, needs no order; some EHRs take none by FHIR.",
)
DISCRETE_FOLLOWUP = declare(
    "map.discrete.followup",
    "The note agrees on a return visit, and nothing was scheduled or requested",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Have the front desk schedule the visit named in the note",
        "Map the return to a recall, an Appointment or a ServiceRequest, or agree that people schedule it",
        RUN_AGAIN,
    ),
    checklist=("MAP.4",),
    standard="FHIR R4 Appointment, ServiceRequest",
    caution="A return only as needed needs no appointment.",
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
INTERFACE_NO_DISCRETE = declare(
    "map.interface.no_discrete",
    "The EHR's interface takes the note but not the structured data that should come with it",
    layer=Layer.CONFIGURATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Ask the EHR team which second feed takes problems, vital signs and orders (ORU, PPR, OM messages, or FHIR)",
        "Set that feed up, or agree with the providers that they enter these data themselves",
        RUN_AGAIN,
    ),
    checklist=("MAP.4", "WRITE.1"),
    standard="FHIR R4 CapabilityStatement.rest.resource.interaction; HL7 v2.5.1 chapters 4, 7, 9, 12",
    caution="Some EHRs take them by a route of their own that no capability statement lists.",
    explains=("map.discrete.",),
)
CONTENT_LOST = declare(
    "map.content.lost",
    "Part of the note's text is missing from the chart",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Open the note beside the chart, find what is missing, and have the provider enter it",
        "Ask the EHR team what their import does to text of this kind (marks, macros, filters)",
        RUN_AGAIN,
    ),
    checklist=("MAP.1", "DONE.2"),
    standard="HL7 FHIR R4 Attachment; Millennium removes style, script and link elements",
    caution="A person may have edited the note: look at the author of the chart's version first.",
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
