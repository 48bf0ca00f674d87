"""Whether the workers keep up: what the banner on every page says."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from console.diagnoses.models import Heartbeat

BEHIND_S = 45


@dataclass(frozen=True)
class Workers:
    """The state of a queue's workers for pages."""

    state: str  # "well" | "starting" | "behind"
    seen_at: datetime | None

    @property
    def are_well(self) -> bool:
        """Tell whether there is nothing to say."""
        return self.state == "well"


def note_heartbeat(queue: str) -> None:
    """Write the sign of life."""
    Heartbeat.objects.update_or_create(queue=queue, defaults={"at": timezone.now()})


def workers(queue: str = "default") -> Workers:
    """Judge the last sign of life of a queue; none at all means that nothing ever started."""
    row = Heartbeat.objects.filter(queue=queue).first()
    if row is None:
        return Workers("starting", None)
    silent = timezone.now() - row.at
    return Workers("well" if silent < timedelta(seconds=BEHIND_S) else "behind", row.at)
