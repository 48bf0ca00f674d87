"""Explain error codes of transports that are not FHIR's: SOAP and WS-Security faults, GraphQL, gRPC, cloud services.

The codes are standard or documented by their makers; each allows a category, a few allow a cause.
"""

from diagnostics.explaining.model import LIKELY, POSSIBLE, Explanation, Question, category_only, of_cause
from diagnostics.vocabulary import Category

_AUTHENTICATION = frozenset(
    {
        "unauthenticated",
        "unauthorized",
        "failedauthentication",
        "invalidsecuritytoken",
        "invalidsecurity",
        "failedcheck",
    }
    | {"unsupportedsecuritytoken", "securitytokenunavailable", "missingauthenticationtoken", "unrecognizedclient"}
    | {
        "invalidsignature",
        "incompletesignature",
        "signaturedoesnotmatch",
        "invalidclienttokenid",
        "authenticationfailed",
    }
    | {"notauthenticated", "invalidauthenticationtoken", "invalidtoken", "authenticationrequired"}
)
_PERMISSIONS = frozenset(
    {"forbidden", "permissiondenied", "accessdenied", "authorizationfailed", "insufficientpermissions"}
    | {"insufficientprivileges", "authorizationpermissionmismatch"}
)
_LIMITED = frozenset(
    {"resourceexhausted", "throttling", "throttled", "toomanyrequests", "ratelimitexceeded", "requestlimitexceeded"}
    | {"quotaexceeded", "slowdown", "ratelimited", "limitexceeded", "requestthrottled", "provisionedthroughputexceeded"}
)
_EXPIRED = frozenset({"expiredtoken", "tokenexpired", "expiredauthenticationtoken", "accesstokenexpired"})
_CLOCK = frozenset({"messageexpired", "requestexpired", "requesttimetooskewed"})
_FORM = frozenset(
    {"validation", "invalidargument", "baduserinput", "graphqlvalidationfailed", "graphqlparsefailed", "badrequest"}
    | {"mustunderstand", "versionmismatch", "dataencodingunknown", "invalidparameter", "failedprecondition"}
    | {
        "invalidparametervalue",
        "malformedrequest",
        "outofrange",
        "invalidinput",
        "serialization",
        "unsupportedoperation",
    }
)
_INSIDE = frozenset({"internalservererror", "internal", "internalserver", "internalfailure", "dataloss", "serverfault"})
_STOOD_STILL = frozenset({"deadlineexceeded", "gatewaytimeout", "requesttimeout"})
_AWAY = frozenset({"serviceunavailable", "unavailable"})
_SENDER = frozenset({"client", "sender"})
_RECEIVER = frozenset({"server", "receiver"})


def explain_fault(question: Question) -> Explanation | None:
    """Explain the first code that is known, or return None; SOAP's own sender and receiver count only where alone."""
    vendor = question.answer.vendor
    codes = [_plain(code) for code in vendor.codes] if vendor else []
    for code in codes:
        found = _of_code(code, question.status)
        if found is not None:
            return found
    if any(code in _SENDER for code in codes):
        says = "The receiver finds the fault in the request (SOAP Client or Sender); its detail would say where."
        return category_only(Category.ENDPOINT_CONFIGURATION, POSSIBLE, says)
    if any(code in _RECEIVER for code in codes):
        says = "The receiver finds the fault in itself (SOAP Server or Receiver); keep the request id and time."
        return category_only(Category.EHR_DEFECT, POSSIBLE, says)
    return None


def _of_code(code: str, status: int | None) -> Explanation | None:
    if code in _EXPIRED:
        return of_cause("auth.token.expired", LIKELY)
    if code in _CLOCK:
        return of_cause("auth.assertion.clock_skew", LIKELY, "The request counts as too old or too new: clocks differ.")
    if code in _LIMITED:
        return of_cause("net.rate.limited", LIKELY)
    if code in _AUTHENTICATION:
        return category_only(Category.AUTHENTICATION, LIKELY, "The server does not accept the proof of who is asking.")
    if code in _PERMISSIONS:
        says = "The server knows who asks and refuses; it does not say which right is missing."
        return category_only(Category.PERMISSIONS, POSSIBLE, says)
    if code == "unsupportedmediatype":
        return of_cause("fhir.request.content_type", LIKELY)
    if code == "alreadyexists":
        return of_cause("fhir.outcome.duplicate", POSSIBLE)
    if code in _STOOD_STILL and status != 408:
        return of_cause("net.timeout.gateway", POSSIBLE, firm=False)
    if code in _FORM:
        says = "The server refuses the request as it is formed; its words say what."
        return category_only(Category.ENDPOINT_CONFIGURATION, POSSIBLE, says)
    if code in _INSIDE and (status is None or status >= 500 or status == 200):
        return of_cause("ehr.server.error", LIKELY if status and status >= 500 else POSSIBLE, firm=False)
    if code in _AWAY:
        says = "The service, or a gateway before it, says it is unavailable."
        return category_only(Category.NETWORK, POSSIBLE, says)
    return None


def _plain(code: str) -> str:
    """Cut a code to its own name: `wsse:FailedAuthentication`, `urn:x:expired-token` and `ThrottlingException`."""
    tail = code.replace("/", ":").replace("#", ":").replace(".", ":").rsplit(":", 1)[-1]
    name = "".join(letter for letter in tail.lower() if letter.isalnum())
    return name.removesuffix("exception") or name
