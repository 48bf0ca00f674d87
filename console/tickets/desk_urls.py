"""The addresses of what people do around a ticket, included by console/tickets/urls.py."""

from django.urls import path

from console.tickets import actions, calendar_views, desk_views

urlpatterns = [
    path("tickets/handover/", desk_views.hand_over_shift, name="shift"),
    path("tickets/drafts/", desk_views.keep_draft, name="keep_draft_of_none"),
    path("tickets/drafts/discard/", desk_views.discard_draft, name="discard_draft_of_none"),
    path("tickets/<int:number>/reopen/", actions.reopen, name="reopen"),
    path("tickets/<int:number>/title/", actions.title, name="title"),
    path("tickets/<int:number>/watch/", desk_views.watch, name="watch"),
    path("tickets/<int:number>/present/", desk_views.present, name="present"),
    path("tickets/<int:number>/handover/", desk_views.hand_over, name="handover"),
    path("tickets/<int:number>/provider/", desk_views.tell_provider, name="provider"),
    path("tickets/<int:number>/drafts/", desk_views.keep_draft, name="keep_draft"),
    path("tickets/<int:number>/drafts/discard/", desk_views.discard_draft, name="discard_draft"),
    path("targets/", calendar_views.calendars, name="calendars"),
    path("targets/<slug:facility_slug>/", calendar_views.calendar, name="calendar"),
]
