"""Declare the FHIR causes of step 2; the HL7 v2 causes are in interface_configuration.py."""

from diagnostics.causes.model import RUN_AGAIN, Kind, declare
from diagnostics.vocabulary import Category, Layer, WhoActs

_REFUSED = ("fhir.outcome.issue",)

BASE_NOT_FHIR = declare(
    "fhir.base.not_fhir",
    "The configured base URL is not a FHIR server",
    layer=Layer.GATEWAY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Take the base URL from the vendor's published list of endpoints; never guess a path",
        "Open it with /metadata at the end: the answer must be a CapabilityStatement",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3", "WRITE.1"),
    standard="FHIR R4 http, capabilities",
    caution="An answer of 401 or 403 means protected, not wrong.",
    explains=(*_REFUSED, "fhir.request.method_path", "auth.discovery.unreachable", "fhir.readback.absent"),
)
BASE_ENVIRONMENT = declare(
    "fhir.base.environment",
    "The note goes to a test system instead of the production system, or the other way round",
    layer=Layer.CONFIGURATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Set the base URL of the right environment from the vendor's endpoint list",
        "Check client id, key and token URL too: they belong to one environment",
        "Enter the notes that went astray in the right system",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3",),
    caution="Host names can mislead: one vendor's sandbox has “prod” in its name.",
    explains=(
        "fhir.readback.absent",
        "auth.client.wrong_environment",
        "fhir.payload.references",
        "auth.client.invalid",
    ),
)
BASE_PATH_REWRITTEN = declare(
    "fhir.base.path_rewritten",
    "The server names itself by another address than the one it is called by",
    layer=Layer.GATEWAY,
    who=WhoActs.NETWORK_TEAM,
    remedy=(
        "Set the server's own base address, or have the proxy in front of it pass on host, scheme and path",
        "Until then, have the scribe build a document's address from the base URL and the id alone",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3", "NET.4"),
    standard="FHIR R4 CapabilityStatement.implementation.url; http, create (Location)",
    caution="A second name for the same server may be intended; ask before changing anything.",
)
VERSION_MISMATCH = declare(
    "fhir.version.mismatch",
    "The server speaks another FHIR version than the note is written in",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Use the vendor's R4 base URL; notes are sent as FHIR R4", RUN_AGAIN),
    checklist=("WRITE.1", "WRITE.7"),
    standard="FHIR R4 CapabilityStatement.fhirVersion",
    explains=(*_REFUSED, "fhir.payload.structure", "fhir.request.method_path"),
)
CAPABILITY_CREATE_MISSING = declare(
    "fhir.capability.create_missing",
    "The server does not accept new notes of this kind",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Ask the EHR team whether writing was switched off, for instance by an upgrade",
        "Use the vendor's own route for notes, or HL7 v2 MDM, where FHIR writing is not offered",
        RUN_AGAIN,
    ),
    checklist=("WRITE.1", "WRITE.7"),
    standard="FHIR R4 CapabilityStatement.rest.resource.interaction",
    caution="Some vendors take notes by a separate route that this statement does not list.",
    explains=(*_REFUSED, "fhir.request.method_path", "fhir.capability.changed", "perm.read_ok_write_denied"),
)
CAPABILITY_UPDATE_MISSING = declare(
    "fhir.capability.update_missing",
    "The scribe changes notes in place, and the server does not offer that",
    layer=Layer.DISCOVERY,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Create a new document that replaces the old one (relatesTo with code replaces) instead of a PUT or PATCH",
        "If changes in place are wanted, ask the EHR team whether they can be switched on",
        RUN_AGAIN,
    ),
    checklist=("WRITE.1",),
    standard="FHIR R4 CapabilityStatement.rest.resource.interaction; DocumentReference.relatesTo",
    caution="Some vendors take notes by a separate route that this statement does not list.",
    explains=(*_REFUSED, "fhir.request.method_path"),
)
CAPABILITY_READBACK = declare(
    "fhir.capability.readback",
    "The server cannot be searched for the notes that were written",
    kind=Kind.WARNING,
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Have the scribe keep the Location of every created note and read it back from there",
        "Ask the EHR team which searches over documents they can offer",
    ),
    checklist=("WRITE.1", "DONE.1"),
    standard="FHIR R4 CapabilityStatement.rest.resource.searchParam",
)
CAPABILITY_COND_CREATE = declare(
    "fhir.capability.cond_create",
    "The scribe relies on conditional creates, which the server does not promise",
    layer=Layer.DISCOVERY,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Search for the note's identifier before each create, and create only where nothing is found",
        "Look for doubled notes: a server that does not know the header ignores it without a word",
        RUN_AGAIN,
    ),
    checklist=("WRITE.1", "DONE.1"),
    standard="FHIR R4 http, conditional create",
    caution="The statement may be silent about what the server does support.",
)
CAPABILITY_CHANGED = declare(
    "fhir.capability.changed",
    "The server offers something else than when notes last arrived",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Read the vendor's release notes of the past 90 days for the named difference",
        "Send a note to the test patient and compare what is asked for now",
        RUN_AGAIN,
    ),
    checklist=("WRITE.1", "WRITE.7"),
    standard="FHIR R4 CapabilityStatement",
)
CAPABILITY_PROFILE = declare(
    "fhir.capability.profile",
    "The note names a profile that the server does not list",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Use a profile that the capability statement lists for this resource", RUN_AGAIN),
    checklist=("WRITE.1", "WRITE.2"),
    standard="FHIR R4 CapabilityStatement.rest.resource.supportedProfile",
    caution="The list is optional.",
)
REQUEST_CONTENT_TYPE = declare(
    "fhir.request.content_type",
    "The request announces another content type than the EHR accepts",
    layer=Layer.REQUEST,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Send FHIR as application/fhir+json (or application/fhir+xml where the body is XML)",
        "Check that no proxy or library replaces the header",
        RUN_AGAIN,
    ),
    checklist=("WRITE.6",),
    standard="FHIR R4 http, content types; RFC 9110 section 15.5.16",
    caution="Many servers also accept application/json.",
    explains=(*_REFUSED, "fhir.payload.structure"),
)
REQUEST_ACCEPT = declare(
    "fhir.request.accept",
    "The scribe asks for an answer in a format the EHR does not give",
    layer=Layer.REQUEST,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=("Send Accept: application/fhir+json with every request", RUN_AGAIN),
    checklist=("WRITE.6",),
    standard="RFC 9110 section 15.5.7",
    explains=_REFUSED,
)
REQUEST_SIZE = declare(
    "fhir.request.size",
    "The note is larger than the EHR or a device in between accepts",
    layer=Layer.REQUEST,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Leave images and styling out of the note; text instead of PDF is a tenth of the size",
        "Ask the EHR team for the limit: base64 makes an attachment a third larger than the file",
        "If a proxy sets the limit, ask the network team to raise it for this host",
        RUN_AGAIN,
    ),
    checklist=("WRITE.2",),
    standard="RFC 9110 section 15.5.14",
    caution="Common web servers stop at 1 MB unless told otherwise; then the network team acts.",
    explains=_REFUSED,
)
REQUEST_METHOD_PATH = declare(
    "fhir.request.method_path",
    "The note is sent to an address or with a method the server does not serve",
    layer=Layer.GATEWAY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare method and address with the vendor's guide: a create is a POST to the base URL and resource type",
        "Check the resource type's spelling, including capitals",
        RUN_AGAIN,
    ),
    checklist=("WRITE.1", "WRITE.3"),
    standard="FHIR R4 http, create; RFC 9110 section 15.5.6",
    caution="Reading an id that does not exist gives 404 as well; that is no wrong address.",
    explains=_REFUSED,
)
PAYLOAD_STRUCTURE = declare(
    "fhir.payload.structure",
    "The note is not a valid FHIR resource",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Give the scribe vendor the named element and what is wrong with it",
        "Run a FHIR R4 validator over the corrected note before resending",
        RUN_AGAIN,
    ),
    checklist=("WRITE.2",),
    standard="FHIR R4 (4.0.1), resource definitions; http, create (400)",
    caution="An EHR may answer 400 for a business rule too.",
    explains=_REFUSED,
)
PAYLOAD_REQUIRED = declare(
    "fhir.payload.required",
    "The note lacks an element that the EHR requires",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Have the named element added to every note of this integration",
        "Compare the rest of the note with the vendor's list of required elements",
        RUN_AGAIN,
    ),
    checklist=("WRITE.2", "WRITE.4"),
    standard="US Core 6.1 DocumentReference; the vendor's create guide",
    caution="Some vendors fill in a missing element themselves.",
    explains=_REFUSED,
)
PAYLOAD_TYPE_CODE = declare(
    "fhir.payload.type_code",
    "The note's type is coded in a way the EHR does not know",
    layer=Layer.CONTENT,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Use a LOINC document code that the EHR has mapped to one of its note types",
        "Ask the EHR team to map the code if the note type is wanted",
        RUN_AGAIN,
    ),
    checklist=("WRITE.4",),
    standard="US Core 6.1 DocumentReference.type",
    explains=_REFUSED,
)
PAYLOAD_ATTACHMENT = declare(
    "fhir.payload.attachment",
    "The text inside the note cannot be read by the EHR",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Have the attachment encoded as base64 and its content type named with the character set",
        "Check that stated size and hash are those of the decoded text",
        "Send the text itself where the EHR cannot fetch an address",
        RUN_AGAIN,
    ),
    checklist=("WRITE.2",),
    standard="FHIR R4 Attachment",
    caution="White space inside base64 is tolerated.",
    explains=_REFUSED,
)
PAYLOAD_XHTML = declare(
    "fhir.payload.xhtml",
    "The note's XHTML is not well formed, or holds what the EHR takes out",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Emit strict XHTML: every element closed, characters instead of entities such as &nbsp;",
        "Leave out script, style, iframe and images from other places; the EHR drops them without a word",
        "Send plain text where the layout does not matter",
        RUN_AGAIN,
    ),
    checklist=("WRITE.2", "WRITE.6"),
    standard="FHIR R4 narrative (txt-1, txt-2); XHTML 1.0",
    caution="Plain text and HTML are not XHTML: text/plain and text/html need not be well-formed XML.",
    explains=_REFUSED,
)
PAYLOAD_REFERENCES = declare(
    "fhir.payload.references",
    "The note points to a patient, encounter or author that this EHR does not know",
    category=Category.FIELD_MAPPING,
    layer=Layer.ACCEPTANCE,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Look up patient, encounter and author in this EHR and compare the ids with those in the note",
        "Check that the scribe does not carry ids over from another tenant or a test system",
        RUN_AGAIN,
    ),
    checklist=("MAP.5", "WRITE.2"),
    standard="FHIR R4 references",
    caution="Contained resources are no outside references; 403 on reading one is about permission.",
    explains=_REFUSED,
)
PAYLOAD_EXTENSION = declare(
    "fhir.payload.extension",
    "The note carries or lacks an extension and the EHR insists on it",
    layer=Layer.CONTENT,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=("Add or remove the named extension as the vendor's guide asks", RUN_AGAIN),
    checklist=("WRITE.4",),
    standard="FHIR R4 extensibility",
    explains=_REFUSED,
)
OUTCOME_ISSUE = declare(
    "fhir.outcome.issue",
    "The EHR refused the note and said why in its answer",
    kind=Kind.CLASSIFIER,
    layer=Layer.CONTENT,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Read the issue's code, expression and vendor code; the text alone never decides",),
    checklist=("WRITE.2",),
    standard="FHIR R4 OperationOutcome, issue-type",
)
OUTCOME_WARNING_IN_2XX = declare(
    "fhir.outcome.warning_in_2xx",
    "The EHR took the note but says that it left something out",
    layer=Layer.FILING,
    who=WhoActs.INFORMATICS,
    remedy=(
        "Compare the filed note with what was sent, at the elements the warning names",
        "Have the scribe send those elements in a form the EHR files, or leave them out",
        RUN_AGAIN,
    ),
    checklist=("MAP.1",),
    standard="FHIR R4 OperationOutcome.issue.severity",
    caution="Some servers add an issue such as “All OK” to every good answer.",
)
OUTCOME_DUPLICATE = declare(
    "fhir.outcome.duplicate",
    "The EHR already holds this note and did not file it again",
    layer=Layer.OUTCOME,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Find the note that is already there and confirm that its text is complete",
        "If it is an older version, send the new text as an addendum or a replacement",
        "Give every note its own identifier and keep it over retries",
        RUN_AGAIN,
    ),
    checklist=("DONE.1",),
    standard="FHIR R4 http, conditional create",
    caution="An addendum is not a duplicate.",
    # the filed row under the same identifier is another note's: it says nothing of this one's patient or visit
    explains=(*_REFUSED, "map.patient.mismatch", "map.encounter.mismatch"),
)
OUTCOME_ACCEPTED_202 = declare(
    "fhir.outcome.accepted_202",
    "The EHR has taken the note for later processing and has not filed it",
    layer=Layer.OUTCOME,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask the EHR team for the queue of received documents; someone may have to release the note",
        "Have the scribe ask for the result until the note is filed, instead of taking 202 for success",
        RUN_AGAIN,
    ),
    checklist=("DONE.1",),
    standard="RFC 9110 section 15.3.3",
    caution="Overnight batches are normal at some sites.",
    explains=("fhir.readback.absent",),
)
READBACK_ABSENT = declare(
    "fhir.readback.absent",
    "The EHR said the note was created, but it cannot be read back",
    layer=Layer.OUTCOME,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Look for the note among unsigned or pending documents, and in other tabs of the chart",
        "Ask the EHR team whether a security filter hides it from the account",
        RUN_AGAIN,
    ),
    checklist=("DONE.1", "WRITE.5"),
    standard="FHIR R4 http, create and read",
    caution="Indexing takes minutes at some vendors; a missing read permission looks alike.",
)
