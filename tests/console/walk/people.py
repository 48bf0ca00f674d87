"""People: the own profile, passwords, administration, the audit trail."""

from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tests.console.builders import a_person
from tests.console.walk import Place, Row, everyone, only

OPEN = {"anonymous": 200, "administrator": 200}

ROWS = {
    "accounts:profile": everyone(),
    "accounts:end_sessions": Row(302, 302, 302, 302, method="post", administrator=302),
    "accounts:forgotten": Row(200, 200, 200, 200, **OPEN),
    # The link moves its token out of the address first.
    "accounts:choose_password": Row(302, 302, 302, 302, anonymous=302, administrator=302),
    "accounts:people": only(administrator=200),
    "accounts:invite": only(administrator=200),
    "accounts:person": only(administrator=200),
    "accounts:act": only(administrator=302, method="post", data=(("act", "sign_out"),)),
    "accounts:grants": only(administrator=302, method="post", data=(("roles", "help-desk"),)),
    "accounts:audit": only(privacy=200),
}


def furnish(place: Place) -> dict[str, Any]:
    person = a_person(place.facility)
    return {
        "person_id": person.id,
        "slug": place.facility.slug,
        "uidb64": urlsafe_base64_encode(force_bytes(person.pk)),
        "token": default_token_generator.make_token(person),
    }
