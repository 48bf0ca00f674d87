"""The addresses of resends."""

from django.urls import path

from console.resends import actions, views

app_name = "resends"
_ONE = "resends/<uuid:batch_id>/"

urlpatterns = [
    path("resends/waiting/", views.waiting, name="waiting"),
    path("tickets/<int:number>/resends/", views.of_ticket, name="of_ticket"),
    path("tickets/<int:number>/resends/prepare/", actions.prepare, name="prepare"),
    path("notes/<uuid:note_id>/resends/", views.of_note, name="of_note"),
    path(_ONE, views.batch, name="batch"),
    path(f"{_ONE}live/", views.live, name="live"),
    path(f"{_ONE}start/", actions.start, name="start"),
    path(f"{_ONE}decide/", actions.decide, name="decide"),
    path(f"{_ONE}steer/", actions.steer, name="steer"),
    path(f"{_ONE}notes/<uuid:item_id>/look/", actions.look, name="look"),
    path(f"{_ONE}notes/<uuid:item_id>/content/", actions.content, name="content"),
]
