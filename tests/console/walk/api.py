"""The addresses of other systems: no person's session opens them, only a token does."""

from tests.console.walk import Row

_TOKEN_ONLY = Row(401, 401, 401, 401, anonymous=401, administrator=401, method="post")

ROWS = {"api:scribe_log": _TOKEN_ONLY, "api:ehr_log": _TOKEN_ONLY}
