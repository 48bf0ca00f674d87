"""The addresses of diagnoses."""

from django.urls import path

from console.diagnoses import views

app_name = "diagnoses"

urlpatterns = [path("explain/", views.explain, name="explain")]
