"""The app of the pages about notes: find one, the note itself, failures alike, the worklist."""

from django.apps import AppConfig

from console.shared.navigation import Entry, add_entry, add_notices


class WorklistConfig(AppConfig):
    """Name the app, show it in the top bar, and say above its pages where a log went quiet."""

    name = "console.worklist"

    def ready(self) -> None:
        """Register; an explicit call, not a signal."""
        from console.worklist.badge import badge, shown
        from console.worklist.notices import notices

        add_entry(Entry(15, "Notes", "worklist:waiting", ("worklist",), shown, badge))
        add_notices(notices)
