"""Explain answers that are no answers of an API: HTML pages, bare challenges, and bare HTTP statuses."""

from diagnostics.explaining.model import LIKELY, POSSIBLE, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.explaining.oauth import PROVIDER_CONTEXT, insufficient_scope, invalid_token
from diagnostics.parsing.answers import AnswerKind, HtmlPage
from diagnostics.vocabulary import Category, Certainty

_AUTH, _PERM, _PROTO, _NET, _EHR = (
    Category.AUTHENTICATION,
    Category.PERMISSIONS,
    Category.ENDPOINT_CONFIGURATION,
    Category.NETWORK,
    Category.EHR_DEFECT,
)
_PORTAL = ("captive", "accept the terms", "acceptable use", "guest wi-fi", "guest network", "wifi", "wi-fi")


def explain_page(question: Question) -> Explanation:
    """Explain an HTML page that came where a FHIR answer was asked for."""
    page = question.answer.page
    if page is None:
        return category_only(None, None, "")
    words = f"{page.title} {page.words}".lower()
    if any(word in words for word in _PORTAL) or question.status == 511:
        return of_cause("net.proxy.block_page", LIKELY, "A network login page stands between the scribe and the EHR.")
    if question.answer.kind is AnswerKind.HTML_LOGIN:
        sure = PROVEN if question.circumstance(*PROVIDER_CONTEXT) else LIKELY
        return of_cause("auth.mfa.challenge", sure, "A login page came instead of an answer: a person should sign in.")
    if question.answer.kind is AnswerKind.HTML_BLOCK and page.plain:
        says = "An ordinary web page came instead of an answer: the address does not lead to the FHIR server."
        return of_cause("fhir.base.not_fhir", POSSIBLE, says, firm=False)
    if question.answer.kind is AnswerKind.HTML_BLOCK:
        name = page.product or "a web filter"
        sure = LIKELY if page.product else POSSIBLE
        return of_cause("net.proxy.block_page", sure, f"The page was written by {name}, not by the EHR.")
    return _gateway(question, page)


def _gateway(question: Question, page: HtmlPage) -> Explanation:
    status = page.status or question.status
    name = page.product or "A gateway"
    if status in (502, 503, 504):
        sure = LIKELY if status == 504 or page.product else POSSIBLE
        return of_cause(
            "net.timeout.gateway", sure, f"{name} answered {status}: it did not get an answer from the EHR.", firm=False
        )
    if status == 500 and page.product and page.in_front_of_server:
        says = f"{name} answered 500 itself, not the EHR: its own error log says why."
        return category_only(_NET, POSSIBLE, says)
    if status == 403:
        says = f"{name} refused the request before it reached the EHR's API."
        return of_cause("net.proxy.block_page", POSSIBLE, says, firm=False)
    if status == 404:
        in_front = page.in_front_of_server and page.product != ""
        cause = "net.gateway.unrouted" if in_front else "fhir.base.not_fhir"
        says = f"{name} knows no such path: the address does not lead to the FHIR server."
        return of_cause(cause, LIKELY if in_front else POSSIBLE, says, firm=False)
    return (
        explain_status(question, status) if status is not None else category_only(_NET, POSSIBLE, f"{name} answered.")
    )


def explain_challenge(question: Question) -> Explanation | None:
    """Explain a WWW-Authenticate value (RFC 6750 section 3), or return None where it says nothing."""
    answer = question.answer
    error = answer.bearer_error
    if error == "insufficient_scope":
        return insufficient_scope(question)
    if error == "invalid_token":
        return invalid_token(question)
    if error == "insufficient_user_authentication":
        return of_cause("auth.mfa.challenge", PROVEN)
    if error == "invalid_request":
        return category_only(_AUTH, LIKELY, "The server could not read the Authorization header.")
    schemes = {challenge.scheme for challenge in answer.challenges}
    if question.status == 401 and schemes & {"bearer", "dpop"} and not error and answer.kind is not AnswerKind.OAUTH:
        passed = {"via", "x-cache", "x-forwarded-by"} & set(answer.headers)
        if passed or question.circumstance("proxy", "inspection", "token was sent", "authorization was sent"):
            return of_cause("net.proxy.auth_stripped", LIKELY)
        says = "The server asks for a token as if none had come: not sent, or lost on the way."
        return category_only(_AUTH, POSSIBLE, says)
    if question.status == 401 and schemes & {"ntlm", "negotiate", "basic", "digest"} and not schemes & {"bearer"}:
        says = "Something that wants another kind of login answered: a proxy, a gateway or a web server."
        return category_only(_AUTH, POSSIBLE, says)
    return None


_STATUS_CAUSES: dict[int, tuple[str, Certainty]] = {
    405: ("fhir.request.method_path", LIKELY),
    406: ("fhir.request.accept", LIKELY),
    407: ("net.proxy.407", PROVEN),
    413: ("fhir.request.size", LIKELY),
    415: ("fhir.request.content_type", PROVEN),
    425: ("net.rate.limited", POSSIBLE),
    429: ("net.rate.limited", PROVEN),
    500: ("ehr.server.error", POSSIBLE),
    504: ("net.timeout.gateway", LIKELY),
    440: ("auth.session.ended", LIKELY),
    495: ("net.tls.client_cert", LIKELY),
    496: ("net.tls.client_cert", LIKELY),
    499: ("scribe.timeout.short", POSSIBLE),
    509: ("net.rate.limited", POSSIBLE),
    511: ("net.proxy.block_page", LIKELY),
    522: ("net.timeout.gateway", LIKELY),
    524: ("net.timeout.gateway", LIKELY),
}
_STATUS_CATEGORIES: dict[int, tuple[Category, Certainty, str]] = {
    400: (_PROTO, POSSIBLE, "The server finds the request malformed; its body would say what."),
    401: (_AUTH, LIKELY, "The server does not accept the proof of who is asking."),
    403: (_PERM, POSSIBLE, "The server refuses; a firewall can answer the same, so look who wrote the body."),
    404: (_PROTO, POSSIBLE, "Nothing is at this address: a wrong base address, path or id."),
    408: (_NET, POSSIBLE, "The server gave up waiting for the request to arrive."),
    409: (_PROTO, POSSIBLE, "The record changed meanwhile or exists already."),
    410: (Category.FIELD_MAPPING, POSSIBLE, "The record the note refers to is gone."),
    412: (_PROTO, POSSIBLE, "A condition of the request does not hold: a version or a double match."),
    423: (_PERM, POSSIBLE, "The record is locked by someone else or by its state."),
    431: (_PROTO, POSSIBLE, "The request's headers are larger than the server takes."),
    497: (_PROTO, LIKELY, "The address says http where the server speaks https."),
    422: (_PROTO, POSSIBLE, "The EHR understood the resource and refuses its content."),
    501: (_PROTO, POSSIBLE, "The server does not offer this operation."),
    502: (_NET, POSSIBLE, "A gateway got no usable answer from the server behind it."),
    503: (_NET, POSSIBLE, "The service, or a gateway before it, says it is unavailable."),
}


def explain_status(question: Question, status: int) -> Explanation:
    """Explain a bare HTTP status: a category at most, unless the status itself is the cause (407, 415, 429)."""
    if status in _STATUS_CAUSES:
        cause, sure = _STATUS_CAUSES[status]
        return of_cause(cause, sure, firm=False)
    if question.protocol == "oauth" and status in (400, 404, 409, 422):
        return category_only(_AUTH, POSSIBLE, "The token server refused the request and gives no code that says why.")
    if status in _STATUS_CATEGORIES:
        return category_only(*_STATUS_CATEGORIES[status])
    if status in (301, 302, 303, 307, 308):
        return _redirect(question)
    if 500 < status < 600:
        return category_only(_NET, POSSIBLE, "A gateway or the server answered with a server error.")
    return category_only(None, None, "")


def _redirect(question: Question) -> Explanation:
    location = question.answer.headers.get("location", "").lower()
    if any(word in location for word in ("login", "signin", "sso", "saml", "authorize", "idp", "oauth2", "adfs")):
        return of_cause("auth.mfa.challenge", LIKELY, "The request was sent on to a login page.")
    if location:
        return of_cause("net.revproxy.rewrite", POSSIBLE, "The request was sent on to another address.")
    return category_only(None, None, "The server sent the request on; where to would say why.")
