"""The addresses that other systems call."""

from django.urls import path

from console.api import views

app_name = "api"

urlpatterns = [
    path("logs/scribe", views.take_log, {"kind": "scribe"}, name="scribe_log"),
    path("logs/ehr", views.take_log, {"kind": "ehr"}, name="ehr_log"),
]
