"""The addresses of knowledge."""

app_name = "knowledge"

urlpatterns: list = []
