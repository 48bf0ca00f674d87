"""The monitoring app."""

from django.apps import AppConfig

from console.shared.navigation import Entry, add_entry, add_notices


class MonitoringConfig(AppConfig):
    """Name the app, show it in the top bar, and listen for what diagnoses meet."""

    name = "console.monitoring"

    def ready(self) -> None:
        """Register; an explicit call, not a signal."""
        from console.diagnoses.conclusions import listen
        from console.monitoring.certificates import take_certificates
        from console.monitoring.notices import badge, notices, shown
        from console.monitoring.source_notices import notices as source_notices
        from console.monitoring.ticketing import follow_merge
        from console.tickets.merging import follow

        listen(take_certificates)
        follow(follow_merge)
        add_entry(Entry(30, "Monitoring", "monitoring:overview", ("monitoring",), shown, badge))
        add_notices(notices)
        add_notices(source_notices)
