"""Declare causes of sign-in that lie in how the client was registered or enabled at the vendor (domain.md 2.1)."""

from diagnostics.causes.model import RUN_AGAIN, declare
from diagnostics.vocabulary import Layer, WhoActs

CLIENT_NOT_ACTIVATED = declare(
    "auth.client.not_activated",
    "The client was enabled so recently that the EHR's token server may not know it yet",
    layer=Layer.TOKEN,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Wait until the vendor's synchronization of new clients is over; asking again sooner cannot help",
        "If it is still refused after that, ask the EHR team whether the client was downloaded and enabled there",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.7",),
    standard="the vendor's documentation of client registration",
    caution="Twice the vendor's time after the client was enabled, this is no explanation any more.",
    explains=("auth.client.invalid", "auth.http401.classify", "auth.token.expired"),
)
