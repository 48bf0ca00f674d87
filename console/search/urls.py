"""The address of the search; what is searched for never stands in it."""

from django.urls import path

from console.search import views

app_name = "search"

urlpatterns = [path("search/", views.search, name="search")]
