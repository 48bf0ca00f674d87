"""The addresses of changes."""

app_name = "changes"

urlpatterns: list = []
