"""Every address of the console. Each app brings its own; a new page is one line in its app's urls.py."""

from allauth.account.views import login, logout
from django.urls import include, path

from console.accounts.home import home
from console.accounts.place import choose_place
from console.shared.ready import ready
from console.shared.theme import choose_theme

urlpatterns = [
    path("ready", ready, name="ready"),
    path("login/", login, name="account_login"),
    path("logout/", logout, name="account_logout"),
    path("theme/", choose_theme, name="theme"),
    path("place/", choose_place, name="place"),
    path("", home, name="home"),
    path("", include("console.accounts.urls")),
    path("", include("console.tickets.urls")),
    path("", include("console.resends.urls")),
    path("", include("console.diagnoses.urls")),
    path("", include("console.knowledge.urls")),
    path("", include("console.monitoring.urls")),
    path("", include("console.worklist.urls")),
    path("", include("console.changes.urls")),
    path("", include("console.reports.urls")),
    path("", include("console.health.urls")),
    path("", include("console.search.urls")),
    path("api/v1/", include("console.api.urls")),
    path("", include("console.demo.urls")),
]
