"""What belongs to no app: login, theme, facility, landing."""

from tests.console.walk import Row

ROWS = {
    "ready": Row(200, 200, 200, 200, anonymous=200, administrator=200),
    "account_login": Row(302, 302, 302, 302, anonymous=200, administrator=302),
    "account_logout": Row(200, 200, 200, 200, anonymous=302, administrator=200),
    "theme": Row(302, 302, 302, 302, anonymous=302, method="post", data=(("theme", "dark"),), administrator=302),
    "home": Row(302, 302, 302, 302, administrator=302),
    "place": Row(302, 302, 302, 302, method="post", administrator=302),
}
