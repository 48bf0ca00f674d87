"""The addresses that other systems call."""

app_name = "api"

urlpatterns: list = []
