"""The roles of a facility and what each may do: the one table behind every permission question."""

from enum import StrEnum


class Right(StrEnum):
    """What somebody may do in a facility: codenames of the permissions of Facility."""

    SEE_TICKETS = "see_tickets"
    WORK_TICKETS = "work_tickets"
    RUN_DIAGNOSIS = "run_diagnosis"
    OPEN_PAYLOAD = "open_payload"
    RESEND_NOTES = "resend_notes"
    APPROVE_RESEND = "approve_resend"
    SEE_INTEGRATIONS = "see_integrations"
    MANAGE_INTEGRATIONS = "manage_integrations"
    REVIEW_KNOWLEDGE = "review_knowledge"
    SEE_REPORTS = "see_reports"
    RELEASE_PHI = "release_phi"
    SEE_AUDIT = "see_audit"
    ADMINISTER = "administer"


ENTER_DEPARTMENT = "enter_department"


class Role(StrEnum):
    """A group of people at one facility."""

    HELP_DESK = "help-desk"
    INTEGRATION_ENGINEER = "integration-engineer"
    INFORMATICS = "informatics"
    MANAGER = "manager"
    PRIVACY_OFFICER = "privacy-officer"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """Give the role's name for pages."""
        return _LABELS[self]

    @property
    def says(self) -> str:
        """Say what the role is for, in a line for the page that gives it."""
        return _SAYS[self]


_LABELS = {
    Role.HELP_DESK: "Help desk",
    Role.INTEGRATION_ENGINEER: "Integration engineer",
    Role.INFORMATICS: "Clinical informatics",
    Role.MANAGER: "Manager",
    Role.PRIVACY_OFFICER: "Privacy officer",
    Role.ADMINISTRATOR: "Administrator",
}

_SAYS = {
    Role.HELP_DESK: "Opens and works on tickets, runs diagnoses, sees notes.",
    Role.INTEGRATION_ENGINEER: "As the help desk, and changes integrations, secrets and alert rules.",
    Role.INFORMATICS: "As the help desk, and reviews articles and template changes; sees reports.",
    Role.MANAGER: "Reads tickets, reports and integrations' health; never a note's content.",
    Role.PRIVACY_OFFICER: "Reads tickets and the audit trail; releases articles of restricted departments.",
    Role.ADMINISTRATOR: "Lets people in and sets up integrations; sees no ticket and no note.",
}

_STAFF = frozenset({Right.SEE_TICKETS, Right.WORK_TICKETS, Right.RUN_DIAGNOSIS, Right.SEE_INTEGRATIONS})

RIGHTS: dict[Role, frozenset[Right]] = {
    # The help desk prepares a resend; whether it goes out into a production chart, a second person decides.
    Role.HELP_DESK: _STAFF | {Right.OPEN_PAYLOAD, Right.RESEND_NOTES},
    Role.INTEGRATION_ENGINEER: _STAFF
    | {Right.OPEN_PAYLOAD, Right.MANAGE_INTEGRATIONS, Right.RESEND_NOTES, Right.APPROVE_RESEND},
    Role.INFORMATICS: _STAFF
    | {Right.OPEN_PAYLOAD, Right.REVIEW_KNOWLEDGE, Right.SEE_REPORTS, Right.RESEND_NOTES, Right.APPROVE_RESEND},
    # A manager answers for numbers, not for patients: no payload, no hand on the EHR.
    Role.MANAGER: frozenset({Right.SEE_TICKETS, Right.SEE_INTEGRATIONS, Right.SEE_REPORTS}),
    Role.PRIVACY_OFFICER: frozenset({Right.SEE_TICKETS, Right.OPEN_PAYLOAD, Right.RELEASE_PHI, Right.SEE_AUDIT}),
    # Lets people in and sets connections up; what a note says is none of the job.
    Role.ADMINISTRATOR: frozenset({Right.ADMINISTER, Right.SEE_INTEGRATIONS, Right.MANAGE_INTEGRATIONS}),
}
