"""The addresses of the queue: its saved views, several tickets at once, and undo."""

from django.urls import path

from console.tickets import bulk_views, queue_views

urlpatterns = [
    path("tickets/", queue_views.queue, name="queue"),
    path("tickets/views/", queue_views.save_view, name="save_view"),
    path("tickets/views/<uuid:view_id>/", queue_views.view, name="view"),
    path("tickets/views/<uuid:view_id>/change/", queue_views.change_view, name="change_view"),
    path("tickets/views/<uuid:view_id>/delete/", queue_views.delete_view, name="delete_view"),
    path("tickets/several/", bulk_views.several, name="several"),
    path("tickets/undo/", bulk_views.undo, name="undo"),
]
