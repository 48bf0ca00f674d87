"""Own the checklist items: ids and wording, that checks tick and database templates refer to.

The items follow the guide's lists: the token questions of step 1, the write-back verification list, the quick
network diagnostics, the permission audit, the post-upgrade list; in our own words.
"""

from dataclasses import dataclass
from enum import StrEnum


class ChecklistName(StrEnum):
    """Name the lists an item belongs to."""

    TOKEN = "Token lifecycle"
    WRITE_BACK = "Write-back verification"
    MAPPING = "Mapping and template review"
    NETWORK = "Network quick checks"
    PERMISSIONS = "Permission audit"
    TEMPLATE = "Template change"
    EHR = "EHR vendor"
    SCRIBE = "AI scribe"
    UPGRADE = "After an upgrade"
    FOLLOW_UP = "Follow-up"


@dataclass(frozen=True)
class ChecklistItem:
    """Be one thing to look at, as an instruction."""

    id: str
    text: str
    list: ChecklistName


ITEMS: dict[str, ChecklistItem] = {}


def _list(name: ChecklistName, *items: tuple[str, str]) -> None:
    for id, text in items:
        ITEMS[id] = ChecklistItem(id, text, name)


_list(
    ChecklistName.TOKEN,
    ("TOKEN.1", "Compare the last good token with the first failure"),
    ("TOKEN.2", "Check that the token lifetime has not changed"),
    ("TOKEN.3", "Check that the refresh token still works"),
    ("TOKEN.4", "Confirm that the token endpoint has not moved"),
    ("TOKEN.5", "Check that the signing key is published and current"),
    ("TOKEN.6", "Find out whether a credential was replaced before the failure"),
    ("TOKEN.7", "Check that the account is active and nobody is asked for a second factor"),
)
_list(
    ChecklistName.WRITE_BACK,
    ("WRITE.1", "Read the capability statement and confirm that notes can be created"),
    ("WRITE.2", "Validate the payload against what the EHR requires"),
    ("WRITE.3", "Confirm the base URL: production, staging or sandbox"),
    ("WRITE.4", "Confirm required extensions and coding systems"),
    ("WRITE.5", "Write to the test patient and see it in the chart"),
    ("WRITE.6", "Compare the content type with what the EHR expects"),
    ("WRITE.7", "Read the EHR's release notes of the past 90 days"),
    ("WRITE.8", "Check the HL7 segment order and required fields"),
    ("WRITE.9", "Check the declared character set against the bytes"),
    ("WRITE.10", "Check field lengths against the interface's limits"),
    ("WRITE.11", "Check that an acknowledgement came, and what it says"),
)
_list(
    ChecklistName.MAPPING,
    ("MAP.1", "Compare each section sent with the field it was filed in"),
    ("MAP.2", "Compare the template version with the one the mapping was written for"),
    ("MAP.3", "Look for sections without a mapping and text in the catch-all field"),
    ("MAP.4", "Check that discrete data reached its structured fields"),
    ("MAP.5", "Confirm patient and encounter of the filed note"),
)
_list(
    ChecklistName.NETWORK,
    ("NET.1", "Reach the endpoint from the scribe's network"),
    ("NET.2", "Check the certificate's validity and its chain"),
    ("NET.3", "Look for dropped connections in the firewall's log"),
    ("NET.4", "Read the proxy's access log for the hour of the failure"),
    ("NET.5", "Resolve the endpoint's name from the scribe's network"),
    ("NET.6", "Test from every network segment"),
    ("NET.7", "Compare the send rate with the EHR's rate limit"),
)
_list(
    ChecklistName.PERMISSIONS,
    ("PERM.1", "Check the write grant for clinical documents"),
    ("PERM.2", "Check the grant for encounter records"),
    ("PERM.3", "Check the grant for the problem list, if diagnoses are sent"),
    ("PERM.4", "Check the grant for orders, if orders are sent"),
    ("PERM.5", "Check that the encounter is open and not owned by someone else"),
    ("PERM.6", "Check whether the department is restricted"),
    ("PERM.7", "Compare the grants with those before the last upgrade or access review"),
    ("PERM.8", "Check who is recorded as the author"),
)
_list(
    ChecklistName.TEMPLATE,
    ("TMPL.1", "Find the template change that came before the first failure"),
    ("TMPL.2", "List every mapping that writes into the changed template"),
    ("TMPL.3", "Correct the mapping to the new fields and send one note through it"),
    ("TMPL.4", "Enter the change in the template register, so that the next one is reviewed first"),
)
_list(
    ChecklistName.EHR,
    ("EHR.1", "Collect request ids, UTC times and statuses of the failed requests"),
    ("EHR.2", "Compare the hour of the failure with the vendor's maintenance windows and status page"),
    ("EHR.3", "Send the packet to the vendor's integration engineers and note their case number"),
    ("EHR.4", "Ask whether other customers are affected"),
)
_list(
    ChecklistName.SCRIBE,
    ("SCRIBE.1", "Ask the scribe's vendor for the note's generation record"),
    ("SCRIBE.2", "Check how the scribe repeats a request whose answer was lost"),
    ("SCRIBE.3", "Compare the scribe's version with the one before the first failure"),
    ("SCRIBE.4", "Send the packet to the vendor's integration engineers and note their case number"),
)
_list(
    ChecklistName.UPGRADE,
    ("UPGRADE.1", "Compare the granted scopes with those registered before the upgrade"),
    ("UPGRADE.2", "Run the six steps from every segment and keep the result as the baseline"),
    ("UPGRADE.3", "Tell the help desk what changed and what to look for"),
)
_list(
    ChecklistName.FOLLOW_UP,
    ("DONE.1", "Confirm that the note is in the chart, or was entered by hand"),
    ("DONE.2", "Look for further notes that failed alike"),
)
