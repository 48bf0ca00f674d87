"""The addresses of integrations and their health."""

app_name = "integrations"

urlpatterns: list = []
