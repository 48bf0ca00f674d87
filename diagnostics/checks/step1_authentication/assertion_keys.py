"""Judge the key of the client assertion: whether it is published, once, and whether it is the one that signed."""

from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.step1_authentication.assertions import closed, signs
from diagnostics.checks.step1_authentication.refused_tokens import proof_was_taken
from diagnostics.evidence.auth import ClientAssertion, ClientKeySet, TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step


@check(
    id="auth.assertion.kid",
    step=Step.AUTHENTICATION,
    title="The key the scribe signs with is in its published key set",
    proves=causes.ASSERTION_KID,
    checklist=("TOKEN.5",),
    applies=signs,
)
def key_is_published(
    keys: ClientKeySet,
    settings: Settings,
    assertion: ClientAssertion | None,
    trace: NoteTrace | None,
    token: TokenAnswer | None,
) -> Result:
    """The EHR finds the key by its id; a rotation that forgot to publish it stops every token."""
    if not keys.readable:
        return unknown("The key set could not be read.", get="the client's key set")
    header = assertion.header if assertion is not None and assertion.readable else {}
    kid = header.get("kid") if header else settings.integration.auth.key_id
    algorithm = str(header.get("alg") or settings.integration.auth.algorithm or "RS384")
    found = keys.with_id(kid if isinstance(kid, str) else None, algorithm)
    facts: dict[str, Any] = {"kid": kid, "alg": algorithm, "published": [key.kid for key in keys.keys]}
    if kid is not None and len(found) == 1:
        return passed("The key set holds exactly one key of this id.", **facts)
    if proof_was_taken(trace, token):
        return warned("The key set does not hold this key once, but the token endpoint takes it.", **facts)
    if kid is None:
        return failed("The assertion names no key id (kid).", condemns=closed(token), **facts)
    says = "no key" if not found else f"{len(found)} keys"
    return failed(f"The published key set holds {says} with the id the scribe signs with.", condemns=closed(token),
                  max_age_s=keys.max_age_s, **facts)  # fmt: skip


@check(
    id="auth.assertion.kid.header",
    step=Step.AUTHENTICATION,
    title="The captured assertion names its key",
    proves=causes.ASSERTION_KID,
    checklist=("TOKEN.5",),
    applies=signs,
)
def assertion_names_a_key(assertion: ClientAssertion, trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    """Without a key id in the header the EHR cannot choose among the published keys (SMART, asymmetric, step 3)."""
    if not assertion.readable:
        return unknown("The captured assertion could not be read.", get=ClientAssertion.how_to_get)
    kid = assertion.header.get("kid")
    if isinstance(kid, str) and kid:
        return passed("The assertion's header names a key.", kid=kid)
    if proof_was_taken(trace, token):
        return warned("The assertion's header names no key, but the token endpoint takes it.")
    return failed("The header of the captured assertion names no key id (kid).", condemns=closed(token))


@check(
    id="auth.assertion.signature",
    step=Step.AUTHENTICATION,
    title="The published key verifies the scribe's signature",
    proves=causes.ASSERTION_SIGNATURE,
    checklist=("TOKEN.5",),
    applies=signs,
)
def signature_verifies(
    keys: ClientKeySet,
    settings: Settings,
    assertion: ClientAssertion | None,
    trace: NoteTrace | None,
    token: TokenAnswer | None,
) -> Result:
    """The same id over another key is the rotation nobody sees: everything looks right and nothing verifies."""
    if not keys.readable:
        return unknown("The key set could not be read.", get="the client's key set")
    auth = settings.integration.auth
    kid = auth.key_id or (assertion.header.get("kid") if assertion is not None else None)
    same_id = [key for key in keys.keys if key.kid == kid]
    matches = any(key.thumbprint == keys.own_key for key in same_id)
    if keys.assertion_verifies is True:
        return passed("The published key verifies the captured assertion.", kid=kid)
    if keys.assertion_verifies is None and (not keys.own_key or not same_id):
        return unknown("There is neither a captured signature nor the signing key to compare with.",
                       get="the scribe's last assertion with its signature")  # fmt: skip
    if keys.assertion_verifies is None and matches:
        return passed("The published key is the one the integration signs with.", kid=kid)
    if proof_was_taken(trace, token):
        return warned("The published key differs, but the token endpoint takes it.", kid=kid)
    says = (
        "The published key of this id does not verify the scribe's signature."
        if keys.assertion_verifies is False
        else "The published key of this id is not the one the integration signs with."
    )
    return failed(says, condemns=closed(token), kid=kid, own_key=keys.own_key)
