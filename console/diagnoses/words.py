"""The words that pages use for the engine's values."""

CATEGORIES = {
    "authentication": "Authentication",
    "endpoint_configuration": "Endpoint configuration",
    "field_mapping": "Field mapping",
    "template_conflict": "Template conflict",
    "network": "Network",
    "permissions": "Permissions",
    "ehr_defect": "EHR",
    "scribe_defect": "AI scribe",
}

CERTAINTIES = {"proven": "Cause", "likely": "Most likely cause", "possible": "Possible cause"}
NO_CAUSE = "No cause established"

STATUSES = {
    "failed": "failed",
    "warning": "warning",
    "error": "could not be checked",
    "unknown": "not known",
    "blocked": "blocked",
    "passed": "passed",
    "not_applicable": "does not apply",
    "running": "waiting for facts",
}

STAGES = {
    "generated": "Generated",
    "packaged": "Packaged",
    "sent": "Sent",
    "accepted": "Accepted",
    "filed": "Filed in chart",
}

STAGE_STATES = {"ok": "done", "broken": "stopped here", "unknown": "not known", "not_reached": "not reached"}

WHO_ACTS = {
    "help_desk": "Help desk",
    "integration_engineer": "Integration engineer",
    "ehr_team": "EHR team",
    "network_team": "Network team",
    "informatics": "Clinical informatics",
    "scribe_vendor": "AI scribe's vendor",
    "ehr_vendor": "EHR vendor",
    "provider": "Provider",
}

VENDORS = {
    "epic": "Epic",
    "oracle-health": "Oracle Health",
    "athenahealth": "athenahealth",
    "athenapractice": "athenaPractice",
    "eclinicalworks": "eClinicalWorks",
    "meditech": "MEDITECH",
    "nextgen": "NextGen",
    "veradigm": "Veradigm",
    "generic": "Other EHR",
}

PROTOCOLS = {"fhir": "FHIR R4", "hl7v2": "HL7 v2"}

# Shown as urgent: the note is not where a clinician looks for it at all.
BAD_MODES = ("not_generated", "never_sent", "rejected")
WARN_MODES = ("misplaced", "partial", "duplicate", "delayed")


def tone(failure_mode: str) -> str:
    """Give the colour class of a failure mode."""
    if failure_mode in BAD_MODES:
        return "bad"
    if failure_mode in WARN_MODES:
        return "warn"
    return "ok" if failure_mode == "delivered" else ""
