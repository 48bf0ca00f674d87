"""Judge the signed client assertion (RFC 7523; SMART, asymmetric client authentication): claims, key, signature.

A rule is only broken where it mattered: an assertion for which a token was issued was good, whatever it says. Two
assertions are judged: the captured one that the scribe sent, and what the integration's settings would sign.
"""

from datetime import datetime, timedelta
from typing import Any

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, passed, unknown
from diagnostics.checks.step1_authentication.refused_tokens import live_refusal, proof_was_taken, refusal
from diagnostics.evidence.auth import ClientAssertion, ClientKeySet, Discovery, TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_TOLERANCE = timedelta(seconds=5)  # by which two good clocks may differ


def signs(case: Case) -> bool:
    """Tell whether this integration signs in with a client assertion."""
    return case.integration.auth.flow == "backend-services"


def closed(token: TokenAnswer | None) -> tuple[Evidence, ...]:
    """Return the refused token answer, for `condemns`."""
    return (token,) if token is not None and not token.granted else ()


@check(
    id="auth.assertion.exp",
    step=Step.AUTHENTICATION,
    title="The assertion's end time is at most five minutes ahead",
    proves=causes.ASSERTION_EXP,
    applies=signs,
)
def assertion_ends_in_time(
    assertion: ClientAssertion, vendor: Vendor, trace: NoteTrace | None, token: TokenAnswer | None
) -> Result:
    """Servers refuse an assertion that has ended, never ends, or lives too long."""
    if proof_was_taken(trace, None):
        return passed("The token endpoint took the scribe's assertion.")
    if not assertion.readable:
        return failed("The captured assertion is not a JSON Web Token.", conclusive=False, condemns=closed(token))
    ends, sent = assertion.when("exp"), sent_at(assertion, trace)
    if "exp" not in assertion.claims or ends is None:
        says = (
            "has no end time (exp)" if "exp" not in assertion.claims else "has an end time that is no number of seconds"
        )
        return failed(f"The assertion {says}.", condemns=closed(token))
    if sent is None:
        return unknown("When the assertion was sent is not recorded.", get="the scribe's token rows")
    if ends <= sent:
        sure = sent - ends > _TOLERANCE
        return failed("The assertion had ended before it was sent.", conclusive=sure, condemns=closed(token),
                      exp=ends, sent_at=sent)  # fmt: skip
    allowed: int = vendor.profile.assertion_life_s
    if ends - sent > timedelta(seconds=allowed) + _TOLERANCE:
        return failed(
            f"The assertion ends {int((ends - sent).total_seconds())} seconds ahead; {allowed} are allowed.",
            condemns=closed(token), exp=ends, sent_at=sent,
        )  # fmt: skip
    return passed("The assertion ends in time.", exp=ends, sent_at=sent)


def sent_at(assertion: ClientAssertion, trace: NoteTrace | None) -> datetime | None:
    """Return when the captured assertion was sent, by the scribe's clock; else when it says that it was made."""
    recorded = trace.tokens[-1].at if trace is not None and trace.tokens else None
    return recorded or assertion.when("iat")


@check(
    id="auth.assertion.aud",
    step=Step.AUTHENTICATION,
    title="The assertion's audience is the token endpoint",
    proves=causes.ASSERTION_AUD,
    applies=signs,
)
def audience_is_the_token_endpoint(
    assertion: ClientAssertion,
    settings: Settings,
    trace: NoteTrace | None,
    token: TokenAnswer | None,
    discovery: Discovery | None,
    log: ScribeLog | None,
) -> Result:
    """The audience is compared letter by letter; a near miss is a miss."""
    if proof_was_taken(trace, None):
        return passed("The token endpoint took the scribe's assertion.")
    posted = _posted_to(trace) or settings.integration.auth.token_url
    audience = assertion.claims.get("aud")
    if posted is None or not assertion.readable:
        return unknown("Where the assertion was sent is not known.", get="the token URL of the integration")
    if audience == posted:
        return passed("The audience is the URL the request was posted to.", aud=audience)
    if isinstance(audience, list) and audience == [posted]:
        return failed(
            "The assertion names its audience as a list of one, not as a single text.",
            conclusive=False, condemns=closed(token), aud=audience, token_url=posted,
        )  # fmt: skip
    return failed(
        "The assertion names another audience than the token endpoint.",
        strength=_weight_of_audience(audience, settings, discovery, log),
        condemns=closed(token), aud=audience, token_url=posted,
    )  # fmt: skip


def _weight_of_audience(
    audience: object, settings: Settings, discovery: Discovery | None, log: ScribeLog | None
) -> Strength:
    """Weigh an audience that is not the token endpoint: some servers take their issuer, or what they agreed on."""
    if any(audience == document.issuer for document in (discovery.documents if discovery else ())):
        return Strength.MODERATE
    came = any(r.event == "token" and r.error is None and (r.status or 200) < 300 for r in (log.rows if log else ()))
    worked = came and audience == settings.integration.auth.audience
    return Strength.STRONG if worked else Strength.DECISIVE


def _posted_to(trace: NoteTrace | None) -> str | None:
    return trace.tokens[-1].asked.url if trace is not None and trace.tokens else None


@check(
    id="auth.assertion.aud.settings",
    step=Step.AUTHENTICATION,
    title="The configured audience is the token endpoint",
    proves=causes.ASSERTION_AUD,
    strength=Strength.STRONG,
    applies=signs,
)
def configured_audience_is_the_token_endpoint(
    settings: Settings, token: TokenAnswer, keys: ClientKeySet | None, discovery: Discovery | None
) -> Result:
    """A configured audience wins over the token URL, so it must be that URL or what this EHR asks for instead."""
    auth = settings.integration.auth
    if auth.audience is None or auth.audience == auth.token_url:
        return passed("The assertion is signed for the token endpoint.", token_url=auth.token_url)
    if token.granted:
        return passed("The EHR issues tokens for the configured audience.", audience=auth.audience)
    refused = live_refusal(token)
    if refused is None or refused.error not in ("invalid_client", "invalid_grant", "invalid_request"):
        return unknown("The token endpoint was not refusing for its audience.")
    announced = any(auth.audience == document.issuer for document in (discovery.documents if discovery else ()))
    return failed(
        "The configured audience differs from the token endpoint, and no token is issued.",
        strength=Strength.DECISIVE if not announced and _key_is_good(settings, keys) else Strength.STRONG,
        condemns=(token,), audience=auth.audience, token_url=auth.token_url,
    )  # fmt: skip


def _key_is_good(settings: Settings, keys: ClientKeySet | None) -> bool:
    """Tell whether the key that signs is published: then a refusal of our own fresh assertion is not its fault."""
    if keys is None or not keys.readable or not keys.own_key:
        return False
    auth = settings.integration.auth
    found = keys.with_id(auth.key_id, auth.algorithm or "RS384")
    return len(found) == 1 and found[0].thumbprint == keys.own_key


@check(
    id="auth.assertion.iss_sub",
    step=Step.AUTHENTICATION,
    title="Issuer and subject of the assertion are the client id",
    proves=causes.ASSERTION_ISS_SUB,
    applies=signs,
)
def issuer_is_the_client(
    assertion: ClientAssertion, settings: Settings, trace: NoteTrace | None, token: TokenAnswer | None
) -> Result:
    """The server looks the client up by these two claims and believes neither when they differ."""
    if proof_was_taken(trace, None):
        return passed("The token endpoint took the scribe's assertion.")
    if not assertion.readable:
        return unknown("The captured assertion cannot be read.", get=ClientAssertion.how_to_get)
    issuer, subject, client = assertion.text("iss"), assertion.text("sub"), settings.integration.auth.client_id
    facts = {"issuer": issuer, "subject": subject, "client_id": client}
    if issuer is None or issuer != subject:
        return failed("Issuer and subject of the assertion differ.", condemns=closed(token), **_plain(facts))
    if client is not None and issuer != client:
        return failed("The assertion was signed for another client id.", condemns=closed(token), **_plain(facts))
    return passed("Issuer and subject are the client id.", **facts)


def _plain(facts: dict[str, str | None]) -> dict[str, Any]:
    return dict(facts)


@check(
    id="auth.assertion.alg_typ",
    step=Step.AUTHENTICATION,
    title="The assertion is signed with an algorithm the EHR takes",
    proves=causes.ASSERTION_ALG_TYP,
    applies=signs,
)
def algorithm_is_taken(
    settings: Settings,
    vendor: Vendor,
    assertion: ClientAssertion | None,
    discovery: Discovery | None,
    trace: NoteTrace | None,
    token: TokenAnswer | None,
) -> Result:
    """SMART asks for RS384 or ES384; many servers take nothing else, and say only invalid_client."""
    if proof_was_taken(trace, token):
        return passed("The token endpoint took an assertion of this algorithm.")
    header = dict(assertion.header) if assertion is not None and assertion.readable else {}
    algorithm = header.get("alg") or settings.integration.auth.algorithm
    if algorithm is None:
        return unknown("With which algorithm the scribe signs is not known.", get=ClientAssertion.how_to_get)
    listed = discovery.signing_algorithms if discovery is not None else None
    accepted = listed or vendor.profile.algorithms
    facts: dict[str, Any] = {"alg": algorithm, "accepted": accepted, "typ": header.get("typ")}
    if algorithm not in accepted:
        source = "the EHR lists" if listed else "this vendor takes"
        # a server may take more than it lists: only its refusal settles it
        sure = Strength.DECISIVE if listed and refusal(trace, token) is not None else Strength.STRONG
        return failed(f"The assertion is signed with {algorithm}; {source} {', '.join(accepted)}.", strength=sure,
                      condemns=closed(token), **facts)  # fmt: skip
    if header and str(header.get("typ", "JWT")).upper() != "JWT":
        return failed("The assertion's type (typ) is not JWT.", conclusive=False, condemns=closed(token), **facts)
    return passed("The algorithm is one the EHR takes.", **facts)
