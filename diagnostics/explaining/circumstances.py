"""Let what is known beside an error speak where its text names no cause: place, time, what changed, what is before.

Circumstances never prove anything: they turn "authentication, no cause" into a cause that is at most likely, and leave
every cause that the text itself names alone.
"""

from diagnostics.explaining.model import LIKELY, POSSIBLE, Explanation, Question, of_cause
from diagnostics.parsing.answers import AnswerKind
from diagnostics.vocabulary import Category

DRIFT = (
    *("after the upgrade", "since the upgrade", "after upgrade", "access review", "worked until", "policy change"),
    *(
        "after an upgrade",
        "since an upgrade",
        "role change",
        "since the update",
        "after the update",
        "worked last month",
    ),
)
_PLACE = (
    *("only from", "only at the", "satellite", "other site", "other clinic", "one clinic", "one site", "works from"),
    *("works on vpn", "works over vpn", "works via vpn", "works through vpn", "works off vpn", "works at the hospital"),
    *("from the hospital it works", "other segment", "from outside", "works elsewhere", "from home", "branch office"),
)
_LOGOUT = ("logout", "logged out", "log out", "workstation switch", "switched workstation", "signed out", "idle")
_SECOND_FACTOR = ("mfa", "second factor", "step-up", "no prompt", "multi-factor", "2fa")
_ROTATED = ("rotat", "new secret", "changed secret", "replaced the secret", "renewed the secret")
_SWITCHED_OFF = ("deactivat", "disabled", "switched off the account", "suspended")
_ON_THE_WAY = (
    "inspection",
    "ssl decrypt",
    "new proxy",
    "behind a proxy",
    "through a proxy",
    "behind the proxy",
    "zscaler",
)
_SENT = (
    "token was sent",
    "authorization was sent",
    "authorization header was sent",
    "header was sent",
    "token is sent",
)
_WALL = ("waf", "firewall", "web application firewall", "f5", "imperva", "akamai", "cloudflare", "big-ip")
_BEFORE = ("reverse proxy", "behind nginx", "behind apache", "behind haproxy", "behind a gateway", "behind the gateway")
_TEMPLATE = ("template change", "template update", "template was", "new template", "template version", "template has")
_MAINTENANCE = ("maintenance", "planned downtime", "scheduled downtime")
_MOVED = ("upgrade", "migrat", "moved")
_PROVIDER = (
    *("provider session", "provider-context", "provider context", "provider's session", "user session", "user context"),
    *("clinician session", "interactive session", "ehr launch", "provider login", "signed-in provider"),
)


def narrow(question: Question, found: Explanation | None) -> Explanation | None:
    """Name the cause that the circumstances suggest for an explanation without one; else return it as it was."""
    if not question.aside or (found is not None and found.cause is not None):
        return found
    category = found.category if found else None
    status = question.status
    suggested = None
    if category is Category.AUTHENTICATION or status == 401:
        suggested = _who(question)
    elif category is Category.PERMISSIONS or status == 403:
        suggested = _right(question)
    elif status in (400, 422) and category in (Category.ENDPOINT_CONFIGURATION, None) and question.told(*_TEMPLATE):
        suggested = of_cause("tmpl.version.changed", POSSIBLE, firm=False)
    elif status == 404:
        suggested = _address(question)
    elif status in (500, 502, 503) and question.told(*_MAINTENANCE):
        suggested = of_cause("ops.vendor.maintenance", POSSIBLE, firm=False)
    elif category in (Category.NETWORK, None) and _is_failure(question) and question.told(*_PLACE):
        suggested = of_cause("net.segment.divergence", POSSIBLE, firm=False)
    return suggested or found


def _who(question: Question) -> Explanation | None:
    provider = question.told(*_PROVIDER)
    if question.told(*_LOGOUT):
        return of_cause("auth.session.ended", LIKELY if provider else POSSIBLE, firm=False)
    if question.told(*_SECOND_FACTOR):
        return of_cause("auth.mfa.challenge", LIKELY if provider else POSSIBLE, firm=False)
    if question.told(*_ROTATED):
        return of_cause("auth.credential.rotated", POSSIBLE, firm=False)
    if question.told(*_SENT) or (question.status == 401 and question.told(*_ON_THE_WAY)):
        return of_cause("net.proxy.auth_stripped", POSSIBLE, firm=False)  # a bare 401 may have other reasons
    if question.told(*_SWITCHED_OFF):
        return of_cause("auth.client.deactivated", POSSIBLE, firm=False)
    return None


def _right(question: Question) -> Explanation | None:
    if question.answer.kind is not AnswerKind.OPERATION_OUTCOME:  # a FHIR body was written by the EHR itself
        if question.told(*_PLACE):
            return of_cause("net.egress.ip_not_allowed", POSSIBLE, firm=False)
        if question.told(*_WALL):
            return of_cause("net.proxy.block_page", POSSIBLE, firm=False)
    if question.told(*_PROVIDER) and question.told(*_SECOND_FACTOR):
        return of_cause("auth.mfa.challenge", LIKELY, firm=False)
    if question.told(*DRIFT):
        return of_cause("perm.drift", POSSIBLE, firm=False)
    return None


def _address(question: Question) -> Explanation | None:
    if question.protocol == "oauth" and question.told(*_MOVED):
        return of_cause("auth.discovery.token_endpoint_changed", POSSIBLE, firm=False)
    if question.told(*_BEFORE):
        return of_cause("net.revproxy.rewrite", POSSIBLE, firm=False)
    return None


def _is_failure(question: Question) -> bool:
    """Tell whether anything failed: a place alone, beside an empty text or a success, says nothing."""
    if question.status is not None:
        return question.status >= 500
    words = question.answer.text.lower()
    return any(
        word in words for word in ("timeout", "timed out", "fail", "unreachable", "refused", "no answer", "cannot")
    )
