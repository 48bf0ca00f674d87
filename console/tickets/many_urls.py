"""The addresses of many notes and several tickets, included by console/tickets/urls.py."""

from django.urls import path

from console.tickets import many_views, organise_views

urlpatterns = [
    path("tickets/<int:number>/alike/", many_views.alike, name="alike"),
    path("tickets/<int:number>/join/", many_views.join, name="join"),
    path("tickets/<int:number>/notes/end/", many_views.end_all, name="end_all"),
    path("tickets/<int:number>/organise/", organise_views.organise, name="organise"),
    path("tickets/<int:number>/merge/", organise_views.merge, name="merge"),
    path("tickets/<int:number>/split/", organise_views.split, name="split"),
    path("tickets/<int:number>/parent/", organise_views.parent, name="parent"),
    path("tickets/<int:number>/children/", organise_views.fix_children, name="fix_children"),
]
