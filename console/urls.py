"""Every address of the console. Each app brings its own; a new page is one line in its app's urls.py."""

from allauth.account.views import login, logout
from django.urls import include, path

from console.shared.ready import ready
from console.shared.theme import choose_theme

urlpatterns = [
    path("ready", ready, name="ready"),
    path("login/", login, name="account_login"),
    path("logout/", logout, name="account_logout"),
    path("theme/", choose_theme, name="theme"),
    path("", include("console.tickets.urls")),
    path("", include("console.diagnoses.urls")),
    path("", include("console.demo.urls")),
]
