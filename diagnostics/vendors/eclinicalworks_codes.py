"""List the codes of eClinicalWorks' Error Code Reference Guide 1.0 (July 2026).

Write-back answers carry the number in `status`. The HL7 clinical-note interface uses some of the same numbers for
other things: the surface is part of the key.
"""

from diagnostics.vendors.model import VendorCode

_REFERENCES = "fhir.payload.references"
_STRUCTURE = "fhir.payload.structure"
_LOCAL = "map.code.local_missing"
_INSIDE = "ehr.server.error"
_ENCOUNTER = "map.encounter.mismatch"

WRITEBACK = {
    "1": VendorCode("success", harmless=True),
    "2": VendorCode("the request failed; the guide gives no reason for this number"),
    "100 207": VendorCode("the patient is not valid", _REFERENCES),
    "101 601": VendorCode("the provider is not valid", _REFERENCES),
    "102 105 111 120 121 122 141": VendorCode("a code or category is not valid", _LOCAL),
    "103 104 112 115 136 166 167 168 306 610 703 2025": VendorCode(
        "a transient error inside the EHR; retry once, then escalate", _INSIDE
    ),
    "106 138": VendorCode("the encounter's status or type is not one this operation takes", _STRUCTURE),
    "107": VendorCode("the facility is not valid", _REFERENCES),
    "108 614": VendorCode("the text contains characters the EHR does not take", "fhir.payload.attachment"),
    "109": VendorCode("the document is too large", "fhir.request.size", decisive=True),
    "110": VendorCode("the document's status is not accepted", _STRUCTURE),
    "113": VendorCode("the document type is not supported", "fhir.payload.type_code"),
    "114": VendorCode("the content type is not supported", "fhir.payload.attachment"),
    "116 142 204 617": VendorCode("a date or period is not valid", _STRUCTURE),
    "117 118 119": VendorCode("the patient's name, birth date or gender is not valid", _STRUCTURE),
    "123 164 608": VendorCode("the encounter does not belong to the patient", _ENCOUNTER, decisive=True),
    "124 143 161 165 605 607 616 619": VendorCode("an element is missing or not valid", _STRUCTURE),
    "132 151 152 606": VendorCode("an extension is missing or not valid", "fhir.payload.extension"),
    "133 134 135 137 609 615": VendorCode("a rule of pharmacies and organizations was not kept"),
    "139": VendorCode("the encounter is locked", "perm.encounter.closed", decisive=True),
    "201": VendorCode("more than one patient fits", "map.patient.mismatch"),
    "202": VendorCode("the patient is already there; use the one that exists"),
    "203": VendorCode("a value has the wrong data type", _STRUCTURE),
    "205 206 208": VendorCode("the insurance does not fit the patient"),
    "301 302 303 305 307": VendorCode("structured data do not have the form the EHR expects", _STRUCTURE),
    "304 611 613": VendorCode("a local code is not mapped", _LOCAL, decisive=True),
    "308": VendorCode("the default write-back user is not configured", "perm.rbac.matrix", decisive=True),
    "600 620": VendorCode("a reason or type is not one the EHR knows", _LOCAL),
    "602 604": VendorCode("an encounter or medication could not be added with these data; retry once", _INSIDE),
    "603": VendorCode("the order number is missing", _STRUCTURE),
    "612": VendorCode("a vital sign's value is not valid", _STRUCTURE),
    "618": VendorCode("the diagnosis belongs to another patient", "map.patient.mismatch", decisive=True),
    "621": VendorCode("the ICD code is not one the EHR can resolve", _LOCAL),
    "701": VendorCode("the charge's references do not fit patient and encounter", _REFERENCES),
    "702": VendorCode("the charge's data are not valid", _STRUCTURE),
    "2024 2026 2027": VendorCode("a medication lacks its RxNorm code or its type, or its codes contradict", _LOCAL),
}
HL7 = {
    "301": VendorCode("the header segment is missing or wrong", "hl7.msh.first"),
    "302 305 308": VendorCode("an error inside the EHR's interface; retry once, then escalate", _INSIDE),
    "303": VendorCode("the encounter does not belong to the patient", _ENCOUNTER, decisive=True),
    "304": VendorCode("the encounter is not known", _ENCOUNTER, decisive=True),
    "306": VendorCode("the progress-note identifier is missing", "hl7.grammar.missing"),
    "307": VendorCode("the OBR segment is missing", "hl7.grammar.missing", decisive=True),
}
