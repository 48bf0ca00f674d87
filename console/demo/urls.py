"""The addresses of the demo."""

from django.urls import path

from console.demo import views

app_name = "demo"

urlpatterns = [
    path("practice/", views.practice, name="practice"),
    path("practice/mailbox/", views.mailbox, name="mailbox"),
    path("practice/switch/", views.switch_fault, name="switch"),
]
