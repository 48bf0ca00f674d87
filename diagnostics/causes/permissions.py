"""Declare the causes of step 5: what the account may do, where, and for whom."""

from diagnostics.causes.model import RUN_AGAIN, Action, Kind, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

_DENIED = ("perm.http403.classify", "perm.read_ok_write_denied", "fhir.outcome.issue", "hl7.ack.negative")

HTTP403_CLASSIFY = declare(
    "perm.http403.classify",
    "The EHR knows the scribe but does not allow this request",
    kind=Kind.CLASSIFIER,
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=("Find out which permission is missing: scope, role, encounter, department or tenant",),
    checklist=("PERM.1",),
    standard="RFC 6750 section 3.1 (insufficient_scope); RFC 9110 section 15.5.4",
)
SCOPE_WRITE_MISSING = declare(
    "perm.scope.write_missing",
    "The token does not include the right to write this kind of note",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=(
        RemedyStep("Ask the EHR team to approve the write scope for the named resource", Action.WRITE_CANARY),
        "Have the scribe ask for it, and fetch a new token: a running one does not change",
        RUN_AGAIN,
    ),
    checklist=("PERM.1",),
    standard="SMART App Launch 2.0, scopes; RFC 6749 section 3.3",
    caution="A token answer without a scope means: as requested.",
    explains=(*_DENIED, "perm.rbac.matrix", "perm.scope.query_constraint"),
)
SCOPE_CONTEXT = declare(
    "perm.scope.context",
    "The token's scopes are for another kind of account than the one that writes",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Register system/ scopes for an account that works without a person, and have the scribe ask for them",
        "Where patient/ scopes are meant, launch in the context of the note's own patient",
        RUN_AGAIN,
    ),
    checklist=("PERM.1",),
    standard="SMART App Launch 2.0, scopes (patient, user, system); SMART backend services",
    caution="Some servers arrange the context outside the token; a write that works shows that this one does.",
    explains=("perm.http403.classify", "fhir.outcome.issue"),
)
SCOPE_QUERY_CONSTRAINT = declare(
    "perm.scope.query_constraint",
    "The token may write notes of another category than this one only",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare the category in the note with the one that the scope's query names",
        "Send the category that the scope allows, or ask the EHR team to register the other one",
        RUN_AGAIN,
    ),
    checklist=("PERM.1", "WRITE.4"),
    standard="SMART App Launch 2.0, finer-grained resource constraints using search parameters",
    caution="Servers differ in which search parameters they honour in a scope.",
    explains=("perm.http403.classify", "fhir.outcome.issue"),
)
SCOPE_EXCESS = declare(
    "perm.scope.excess",
    "The token allows more than writing notes needs",
    kind=Kind.WARNING,
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=("Have the scopes that are not needed taken off the client's registration, deletion and wildcards first",),
    checklist=("PERM.1",),
    standard="SMART App Launch 2.0, scopes; HIPAA minimum necessary (45 CFR 164.502(b))",
)
READ_OK_WRITE_DENIED = declare(
    "perm.read_ok_write_denied",
    "The account may read but not write",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=(
        RemedyStep(
            "Ask the EHR team to grant creating and updating documents to the integration's account",
            Action.WRITE_CANARY,
        ),
        "Compare with what it could do before the last upgrade or access review",
        RUN_AGAIN,
    ),
    checklist=("PERM.1", "PERM.7"),
    caution="One encounter may be closed to writing: try a second one.",
    explains=("perm.http403.classify", "fhir.outcome.issue"),
)
RBAC_MATRIX = declare(
    "perm.rbac.matrix",
    "The account's role lacks a grant that this note needs",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=(
        RemedyStep("Ask the EHR team to add the named grant to the role", Action.WRITE_CANARY),
        "Check the other grants on the list at the same time: documents, encounters, problems, orders",
        RUN_AGAIN,
    ),
    checklist=("PERM.1", "PERM.2", "PERM.3", "PERM.4"),
    caution="The list of grants may be older than the failure.",
    explains=_DENIED,
)
ENCOUNTER_CLOSED = declare(
    "perm.encounter.closed",
    "The encounter was closed or signed before the note arrived",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.PROVIDER,
    remedy=(
        "Have the provider add the note as an addendum, or reopen the encounter",
        "Check why the note came so late: a queue or a late approval",
        RUN_AGAIN,
    ),
    checklist=("PERM.5",),
    caution="In many EHRs a finished encounter still takes late notes until it is signed.",
    explains=_DENIED,
)
ENCOUNTER_OWNER = declare(
    "perm.encounter.owner",
    "The encounter belongs to another provider",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Write the note in the name of the encounter's provider, or have the author added to the encounter",
        "Ask the EHR team for a grant that covers supervising pairs, if this happens often",
        RUN_AGAIN,
    ),
    checklist=("PERM.5", "PERM.8"),
    caution="A resident writes in the visits of a supervising provider by design.",
    explains=_DENIED,
)
DEPARTMENT_RESTRICTED = declare(
    "perm.department.restricted",
    "The note belongs to a restricted department that the account may not write to",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask compliance for a grant to this department; never break the glass automatically",
        "Until then, have the note entered by hand",
        RUN_AGAIN,
    ),
    checklist=("PERM.6",),
    standard="HL7 Confidentiality (R, V); 45 CFR 164.502(b)",
    caution="Epic's 4134 only informs that the glass could have been broken.",
    explains=_DENIED,
)
RELATIONSHIP = declare(
    "perm.relationship",
    "The provider has no active relationship with the patient in the EHR",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.PROVIDER,
    remedy=(
        "Have the provider open the patient's chart in the EHR and establish the relationship there",
        RemedyStep("Then have the note sent again", Action.RESEND),
        RUN_AGAIN,
    ),
    checklist=("PERM.5",),
    standard="Oracle Health Millennium Ignite APIs, provider access",
    caution="An account that works without a person needs no relationship.",
    explains=_DENIED,
)
DRIFT = declare(
    "perm.drift",
    "The account lost a grant that it had when notes last arrived",
    layer=Layer.CONFIGURATION,
    who=WhoActs.EHR_TEAM,
    remedy=(
        RemedyStep("Have the lost grant restored", Action.WRITE_CANARY),
        "Find the upgrade, access review or policy change that removed it",
        "Add the grant to the checklist after upgrades",
        RUN_AGAIN,
    ),
    checklist=("PERM.7",),
    caution="A reduction may have been planned.",
    explains=(*_DENIED, "perm.rbac.matrix", "perm.scope.write_missing"),
)
ACCOUNT_INACTIVE = declare(
    "perm.account.inactive",
    "The integration's account at the EHR is switched off",
    layer=Layer.TOKEN,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask the EHR team to switch the account on again and to check its password and licence",
        "Name an owner for the account so that the next access review asks first",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.7", "PERM.7"),
    caution="A token issued before may still work until it ends.",
    explains=(*_DENIED, "perm.rbac.matrix", "auth.client.invalid", "auth.http401.classify"),
)
ATTRIBUTION_WRONG = declare(
    "perm.attribution.wrong",
    "The note is recorded under another author than the responsible provider",
    layer=Layer.FILING,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Have the scribe name the responsible provider as author, and the service account only as transmitter",
        "Correct the author of the notes already filed",
        RUN_AGAIN,
    ),
    checklist=("PERM.8",),
    caution="Delegated authorship may be the site's policy.",
)
