"""Own the checklist items: ids and wording, that checks tick and database templates refer to.

The items follow the guide's lists: the token questions of step 1, the write-back verification list, the quick
network diagnostics, the permission audit, the post-upgrade list; in our own words.
An item may ask: what a list shows after a yes and after a no is the list's own affair (database templates), which
finding answers it stands in `checklist_answers.py`.
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
    """Be one thing to look at, as an instruction; `asks` is the question of one that is settled by a yes or a no."""

    id: str
    text: str
    list: ChecklistName
    asks: str = ""


ITEMS: dict[str, ChecklistItem] = {}


def _list(name: ChecklistName, *items: tuple[str, str] | tuple[str, str, str]) -> None:
    for id, text, *asks in items:
        ITEMS[id] = ChecklistItem(id, text, name, "".join(asks))


_list(
    ChecklistName.TOKEN,
    (
        "TOKEN.1",
        "Compare the last good token with the first failure",
        "Was the token still good at the first failure?",
    ),
    ("TOKEN.2", "Check that the token lifetime has not changed"),
    ("TOKEN.3", "Check that the refresh token still works"),
    ("TOKEN.4", "Confirm that the token endpoint has not moved"),
    ("TOKEN.5", "Check that the signing key is published and current"),
    (
        "TOKEN.6",
        "Find out whether a credential was replaced before the failure",
        "Was a credential replaced before the first failure?",
    ),
    ("TOKEN.7", "Check that the account is active and nobody is asked for a second factor"),
    ("TOKEN.8", "Enter the new credential on both sides and ask for a token with it"),
)
_list(
    ChecklistName.WRITE_BACK,
    (
        "WRITE.1",
        "Read the capability statement and confirm that notes can be created",
        "Does the server offer to create what the scribe sends?",
    ),
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
    ("WRITE.12", "Find the way in which this EHR takes notes: its own interface, another resource, or HL7 v2"),
    ("WRITE.13", "Find out by which standard the note is sent", "Is the note sent as an HL7 v2 message?"),
)
_list(
    ChecklistName.MAPPING,
    ("MAP.1", "Compare each section sent with the field it was filed in"),
    (
        "MAP.2",
        "Compare the template version with the one the mapping was written for",
        "Is the template still the one the mapping was written for?",
    ),
    ("MAP.3", "Look for sections without a mapping and text in the catch-all field"),
    ("MAP.4", "Check that discrete data reached its structured fields", "Did all of it reach its fields?"),
    ("MAP.5", "Confirm patient and encounter of the filed note"),
    ("MAP.6", "Check that the scribe sends discrete data beside the text, and that the interface takes both"),
)
_list(
    ChecklistName.NETWORK,
    ("NET.1", "Reach the endpoint from the scribe's network", "Does a connection come about?"),
    ("NET.2", "Check the certificate's validity and its chain"),
    ("NET.3", "Look for dropped connections in the firewall's log", "Were the scribe's connections dropped?"),
    ("NET.4", "Read the proxy's access log for the hour of the failure"),
    ("NET.5", "Resolve the endpoint's name from the scribe's network"),
    ("NET.6", "Test from every network segment", "Does it fail from some segments only?"),
    ("NET.7", "Compare the send rate with the EHR's rate limit", "Did the EHR limit the scribe's requests?"),
    ("NET.8", "Compare route, tunnel and firewall rules of a segment that fails with one that works"),
    ("NET.9", "Have the network team let the scribe's addresses through; ask its vendor whether they changed"),
    ("NET.10", "Have the scribe queue its notes and repeat with growing pauses, or agree on a higher limit"),
)
_list(
    ChecklistName.PERMISSIONS,
    ("PERM.1", "Check the write grant for clinical documents"),
    ("PERM.2", "Check the grant for encounter records"),
    ("PERM.3", "Check the grant for the problem list, if diagnoses are sent"),
    ("PERM.4", "Check the grant for orders, if orders are sent"),
    (
        "PERM.5",
        "Check that the encounter is open and not owned by someone else",
        "Was the encounter open, and the note's provider its owner?",
    ),
    ("PERM.6", "Check whether the department is restricted", "Is the department closed to the account?"),
    (
        "PERM.7",
        "Compare the grants with those before the last upgrade or access review",
        "Is a grant missing that the account had before?",
    ),
    ("PERM.8", "Check who is recorded as the author"),
    ("PERM.9", "Agree on the way in: an addendum where the encounter is closed, else a release by its owner"),
    ("PERM.10", "Have whoever answers for the department decide on a grant for the account"),
    ("PERM.11", "Have the EHR team give the missing grants back, and add them to the post-upgrade list"),
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
    (
        "EHR.2",
        "Compare the hour of the failure with the vendor's maintenance windows and status page",
        "Did it fail in a maintenance window or a known outage?",
    ),
    ("EHR.3", "Send the packet to the vendor's integration engineers and note their case number"),
    ("EHR.4", "Ask whether other customers are affected"),
    ("EHR.5", "Wait for its end, then see to the notes that wait"),
)
_list(
    ChecklistName.SCRIBE,
    ("SCRIBE.1", "Ask the scribe's vendor for the note's generation record"),
    (
        "SCRIBE.2",
        "Check how the scribe repeats a request whose answer was lost",
        "Does it repeat the request as a new note?",
    ),
    ("SCRIBE.3", "Compare the scribe's version with the one before the first failure"),
    ("SCRIBE.4", "Send the packet to the vendor's integration engineers and note their case number"),
    ("SCRIBE.5", "Look for notes filed twice, and have the scribe repeat under the same identifier"),
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
