"""The addresses that other systems call."""

from django.urls import path

from console.api import tickets, views

app_name = "api"

urlpatterns = [
    path("logs/scribe", views.take_log, {"kind": "scribe"}, name="scribe_log"),
    path("logs/ehr", views.take_log, {"kind": "ehr"}, name="ehr_log"),
    path("logs/firewall", views.take_log, {"kind": "firewall"}, name="firewall_log"),
    path("logs/proxy", views.take_log, {"kind": "proxy"}, name="proxy_log"),
    path("imports/<uuid:import_id>", views.outcome, name="import"),
    path("tickets", tickets.open_ticket, name="tickets"),
    path("tickets/<int:number>", tickets.ticket, name="ticket"),
]
