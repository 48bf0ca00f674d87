"""Every address of the console. Each app brings its own; a new page is one line in its app's urls.py."""

from allauth.account.views import login, logout
from django.urls import path

from console.shared.ready import ready

urlpatterns = [
    path("ready", ready, name="ready"),
    path("login/", login, name="account_login"),
    path("logout/", logout, name="account_logout"),
]
