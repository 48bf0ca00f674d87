"""The addresses of templates and change reviews."""

from django.urls import path

from console.changes import views

app_name = "changes"

urlpatterns = [
    path("templates/", views.register, name="register"),
    path("templates/propose/", views.propose, name="propose"),
    path("templates/versions/<uuid:version_id>/", views.version, name="version"),
    path("templates/reviews/<uuid:review_id>/", views.review, name="review"),
    path("templates/reviews/<uuid:review_id>/decide/", views.decide, name="decide"),
    path("templates/mappings/<uuid:integration_id>/", views.mapping, name="mapping"),
]
