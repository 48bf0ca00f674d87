"""The addresses of notes. No id of a note, patient or encounter stands in one: only rows' own random ids do."""

from django.urls import path

from console.worklist import failures_views, find_views, note_views, waiting_views

app_name = "worklist"

urlpatterns = [
    path("notes/", find_views.find, name="find"),
    path("notes/worklist/", waiting_views.waiting, name="waiting"),
    path("notes/worklist/csv/", waiting_views.sheet, name="sheet"),
    path("notes/worklist/end/", waiting_views.end, name="end"),
    path("notes/worklist/reopen/", waiting_views.reopen, name="reopen"),
    path("notes/failures/", failures_views.failures, name="failures"),
    path("notes/failures/<uuid:integration_id>/<slug:mode>/<slug:digest>/", failures_views.group, name="group"),
    path(
        "notes/failures/<uuid:integration_id>/<slug:mode>/<slug:digest>/ticket/",
        failures_views.group_ticket,
        name="group_ticket",
    ),
    path("notes/only-at-the-ehr/<uuid:trace_id>/rows/", note_views.orphan_rows, name="orphan_rows"),
    path("notes/<uuid:note_id>/", note_views.note, name="note"),
    path("notes/<uuid:note_id>/rows/", note_views.rows, name="rows"),
    path("notes/<uuid:note_id>/compare/", note_views.compare, name="compare"),
    path("notes/<uuid:note_id>/ticket/", note_views.open_ticket, name="open_ticket"),
]
