"""The addresses of people: the own profile, and what an administrator or a privacy officer sees."""

from django.urls import path

from console.accounts import views

app_name = "accounts"

urlpatterns = [path("profile/", views.profile, name="profile")]
