"""The addresses of diagnoses."""

from django.urls import path

from console.diagnoses import checklist_pages, views

app_name = "diagnoses"

urlpatterns = [
    path("explain/", views.explain, name="explain"),
    path("checklists/", checklist_pages.checklists, name="checklists"),
    path("checklists/new/", checklist_pages.new, name="new_checklist"),
    path("checklists/<slug:name>/", checklist_pages.checklist, name="checklist"),
    path("checklists/<slug:name>/force/", checklist_pages.force, name="checklist_force"),
]
