"""The addresses of integrations and their health."""

from django.urls import path

from console.health import actions, audit_events, editing, profile, resending, segments, views

app_name = "integrations"
_ONE = "integrations/<uuid:integration_id>/"

urlpatterns = [
    path("integrations/", views.integrations, name="list"),
    path("integrations/new/", editing.new, name="new"),
    path(_ONE, views.integration, name="integration"),
    path(f"{_ONE}live/", views.live, name="live"),
    path(f"{_ONE}test/", actions.test, name="test"),
    path(f"{_ONE}settings/", editing.settings, name="settings"),
    path(f"{_ONE}profile/", profile.profile, name="profile"),
    path(f"{_ONE}profile/<slug:fact>/", profile.change_fact, name="change_fact"),
    path(f"{_ONE}profile/<slug:fact>/back/", profile.put_back, name="put_fact_back"),
    path(f"{_ONE}baseline/", actions.baseline, name="baseline"),
    path(f"{_ONE}guide/", actions.guide, name="guide"),
    path(f"{_ONE}contacts/add/", actions.add_contact, name="add_contact"),
    path(f"{_ONE}contacts/<uuid:contact_id>/", actions.change_contact, name="change_contact"),
    path(f"{_ONE}contacts/<uuid:contact_id>/remove/", actions.remove_contact, name="remove_contact"),
    path(f"{_ONE}windows/add/", actions.add_window, name="add_window"),
    path(f"{_ONE}windows/<uuid:window_id>/remove/", actions.remove_window, name="remove_window"),
    path(f"{_ONE}segments/add/", segments.add, name="add_segment"),
    path(f"{_ONE}segments/remove/", segments.remove, name="remove_segment"),
    path(f"{_ONE}audit-events/", audit_events.audit_events, name="audit_events"),
    path(f"{_ONE}resend/", resending.resend, name="resend"),
    path(f"{_ONE}sources/add/", actions.add_source, name="add_source"),
    path(f"{_ONE}sources/<uuid:source_id>/token/", actions.make_token, name="make_token"),
    path(f"{_ONE}tokens/<uuid:token_id>/revoke/", actions.revoke_token, name="revoke_token"),
]
