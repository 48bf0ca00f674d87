"""The addresses of monitoring."""

from django.urls import path

from console.monitoring import alert_views, log_views, source_views, views

app_name = "monitoring"

urlpatterns = [
    path("monitoring/", views.overview, name="overview"),
    path("monitoring/rules/", views.rules, name="rules"),
    path("monitoring/rules/<uuid:alert_rule_id>/drop/", views.drop_rule, name="drop_rule"),
    path("monitoring/rules/<uuid:facility_id>/<slug:rule_kind>/", views.set_rule, name="set_rule"),
    path("monitoring/alerts/<uuid:alert_id>/", alert_views.alert, name="alert"),
    path("monitoring/alerts/<uuid:alert_id>/acknowledge/", alert_views.acknowledge, name="acknowledge"),
    path("monitoring/alerts/<uuid:alert_id>/ticket/", alert_views.open_ticket, name="alert_ticket"),
    path("monitoring/logs/", log_views.logs, name="logs"),
    path("monitoring/logs/<uuid:import_id>/", log_views.log_import, name="log_import"),
    path("monitoring/logs/<uuid:import_id>/live/", log_views.log_import_live, name="log_import_live"),
    path("monitoring/logs/<uuid:import_id>/columns/", log_views.log_columns, name="log_columns"),
    path("monitoring/logs/<uuid:import_id>/again/", log_views.log_again, name="log_again"),
    path("monitoring/logs/<uuid:import_id>/drop/", log_views.log_drop, name="log_drop"),
    path("monitoring/logs/<uuid:import_id>/lines/", log_views.quarantined, name="quarantined"),
    path("monitoring/sources/", source_views.sources, name="sources"),
    path("monitoring/sources/<uuid:source_id>/", source_views.source, name="source"),
    path("monitoring/sources/<uuid:source_id>/zone/", source_views.set_source_zone, name="set_source_zone"),
    path("monitoring/sources/<uuid:source_id>/columns/forget/", source_views.forget_columns, name="forget_columns"),
    path("monitoring/sources/<uuid:token_id>/revoke/", source_views.revoke_token, name="revoke_token"),
    path("monitoring/<uuid:integration_id>/", views.integration, name="integration"),
]
