"""The addresses of other systems: no person's session opens them, only a token does."""

from tests.console.walk import Row

_TOKEN_ONLY = Row(401, 401, 401, 401, anonymous=401, administrator=401, method="post")

_TOKEN_ONLY_GET = Row(401, 401, 401, 401, anonymous=401, administrator=401)

ROWS = {
    "api:scribe_log": _TOKEN_ONLY,
    "api:ehr_log": _TOKEN_ONLY,
    "api:firewall_log": _TOKEN_ONLY,
    "api:proxy_log": _TOKEN_ONLY,
    "api:import": _TOKEN_ONLY_GET,
    "api:tickets": _TOKEN_ONLY,
    "api:ticket": _TOKEN_ONLY_GET,
}
