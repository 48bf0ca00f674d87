"""The addresses of reports."""

from django.urls import path

from console.reports import views

app_name = "reports"

urlpatterns = [
    path("reports/", views.mttr, name="mttr"),
    path("reports/tickets/", views.tickets, name="tickets"),
    path("reports/mttr.csv", views.mttr_csv, name="mttr_csv"),
    path("reports/mttr.pdf", views.mttr_pdf, name="mttr_pdf"),
]
