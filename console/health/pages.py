"""The page of one integration: how it is, what changed, what is set, whom to ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import pages as diagnosis
from console.diagnoses import words
from console.diagnoses.baselines import is_good
from console.diagnoses.models import Run
from console.diagnoses.segments import segments_with_workers
from console.diagnoses.verdict import Verdict, verdict
from console.health import queries
from console.health.health import Health, health_of
from console.health.places import Places, places_of
from console.health.settings_shown import shown
from console.health.without_note import without_note
from console.integrations.models import Baseline, Contact, Integration, MaintenanceWindow, Segment, Source
from console.integrations.segments import MOST, WAYS, segments_of
from console.integrations.settings_fields import SECRET_WORDS
from console.monitoring.models import Alert, AuditPull
from console.monitoring.queries import open_alerts
from console.shared.work import OPEN_STATES, WorkState
from console.tickets.access import visible as visible_tickets
from console.tickets.models import Ticket

QUICK_S, QUICK_MS, SLOW_MS = 10, 500, 2000
PAST_WINDOWS = 5


@dataclass(frozen=True)
class Quiet:
    """Answer the templates of the six steps where a ticket's actions make no sense."""

    running: bool
    run: Run | None
    may_run: bool = False
    may_work: bool = False


@dataclass(frozen=True)
class Windows:
    """Be the maintenance windows by when they are."""

    now: tuple[MaintenanceWindow, ...]
    coming: tuple[MaintenanceWindow, ...]
    past: tuple[MaintenanceWindow, ...]

    @property
    def any(self) -> bool:
        """Tell whether there is one."""
        return bool(self.now or self.coming or self.past)


class IntegrationPage:
    """Read once for a request; parts the template does not ask for cost nothing."""

    def __init__(self, integration: Integration, user: User, *, polled: int = 0) -> None:
        self.integration, self.user, self.polled = integration, user, polled
        held, place = grants(user), integration.facility_id
        self.may_run = held.has(Right.RUN_DIAGNOSIS, place)
        self.may_manage = held.has(Right.MANAGE_INTEGRATIONS, place)
        self.sees_tickets = held.has(Right.SEE_TICKETS, place)
        self.made_token = ""
        self.wrong: Mapping[str, Any] = {}

    # -- health ----------------------------------------------------------------------------------------------------

    @cached_property
    def run(self) -> Run | None:
        """Give the newest test: a run of this integration without a note."""
        return queries.last_test(self.user, self.integration.pk)

    @property
    def running(self) -> bool:
        """Tell whether a test is under way or waits for a worker."""
        return self.run is not None and self.run.state in OPEN_STATES

    @property
    def waits_for_worker(self) -> bool:
        """Tell whether no worker has begun yet."""
        return self.run is not None and self.run.state == WorkState.QUEUED and self.run.attempt == 0

    @property
    def may_test(self) -> bool:
        """Tell whether a test may be asked for now: one that waits for a segment's worker holds no other up."""
        waits_there = self.run is not None and self.run.segment != "" and self.waits_for_worker
        return self.may_run and (not self.running or waits_there)

    @cached_property
    def test_from(self) -> list[Segment]:
        """Give the segments a test may be made from by a worker that stands there."""
        return segments_with_workers(self.integration) if self.may_test else []

    @cached_property
    def run_from(self) -> str:
        """Name the segment whose worker makes or made the newest test; empty for this place."""
        if self.run is None or not self.run.segment:
            return ""
        row = Segment.objects.filter(facility=self.integration.facility_id, slug=self.run.segment).first()
        return row.name if row else self.run.segment

    @property
    def gave_up(self) -> bool:
        """Tell whether the test ended without an answer."""
        return self.run is not None and self.run.state in (WorkState.FAILED, WorkState.GAVE_UP)

    @property
    def delay_ms(self) -> int:
        """Choose when the page asks again: often at first, when most facts arrive."""
        began = (self.run.started_at or self.run.created_at) if self.run else timezone.now()
        return QUICK_MS if (timezone.now() - began).total_seconds() < QUICK_S else SLOW_MS

    @property
    def next_poll(self) -> int:
        """Count polls: each fragment brings a poller of its own."""
        return self.polled + 1

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """Give the document of the newest test, or of what a running one knows so far."""
        if self.run is None:
            return None
        document: dict[str, Any] | None = self.run.progress if self.running else self.run.document
        return without_note(document) if document else None

    @cached_property
    def verdict(self) -> Verdict:
        """Give the conclusion of the newest test."""
        return verdict(self.document, running=self.running, gave_up=self.gave_up)

    @property
    def good(self) -> bool:
        """Tell whether the newest test found nothing wrong."""
        return self.document is not None and not self.running and is_good(self.document)

    @cached_property
    def steps(self) -> tuple[diagnosis.StepLine, ...]:
        """Give the six steps."""
        return diagnosis.steps(self.document, running=self.running)

    @property
    def quiet(self) -> Quiet:
        """Give what the templates of the steps ask of a page."""
        return Quiet(self.running, self.run)

    @cached_property
    def latest(self) -> Run | None:
        """Give the newest finished run, a ticket's or a test."""
        return queries.newest_runs(self.user, [self.integration.pk]).get(self.integration.pk)

    @cached_property
    def health(self) -> Health:
        """Say how it is, in a word."""
        if self.latest is None:
            return health_of(None, queries.Counter())
        return health_of(self.latest, queries.statuses([self.latest])[self.latest.pk])

    @cached_property
    def latest_ticket(self) -> Ticket | None:
        """Give the ticket whose diagnosis looked at it last, where that was no test and the person sees it."""
        if self.latest is None or self.latest.ticket_id is None:
            return None
        return visible_tickets(self.user).filter(pk=self.latest.ticket_id).first()

    @cached_property
    def open_tickets(self) -> int:
        """Count the open tickets that the person sees."""
        return queries.open_tickets(self.user, [self.integration.pk]).get(self.integration.pk, 0)

    @cached_property
    def alerts(self) -> list[Alert]:
        """Give the open alerts about it."""
        return list(open_alerts([self.integration.facility_id]).filter(integration=self.integration))

    @property
    def changes(self) -> tuple[Any, ...]:
        """Give what differs between the baseline and the newest test."""
        return verdict(self.document).changes if self.document else ()

    @cached_property
    def baselines(self) -> list[Baseline]:
        """Give the baselines that are in force, one for each place probes run from."""
        rows = Baseline.objects.filter(integration=self.integration)
        return list(rows.order_by("segment", "-pinned", "-created_at", "-id").distinct("segment"))

    @property
    def baseline_facts(self) -> list[tuple[str, str]]:
        """Say what was good, of the first baseline."""
        return _flat(self.baselines[0].facts) if self.baselines else []

    @cached_property
    def places(self) -> Places | None:
        """Lay side by side what the newest run from several places saw."""
        return places_of(self.integration, queries.runs_seen_by(self.user))

    # -- what is set -----------------------------------------------------------------------------------------------

    @property
    def vendor(self) -> str:
        """Name the vendor."""
        return words.VENDORS.get(self.integration.vendor, self.integration.vendor)

    @property
    def protocol(self) -> str:
        """Name the protocol."""
        return words.PROTOCOLS.get(self.integration.protocol, self.integration.protocol)

    @property
    def settings(self) -> list[tuple[str, str]]:
        """Give the settings worth a look as names and values; secrets are not among them."""
        return shown(self.integration)

    @property
    def secrets(self) -> list[tuple[str, bool]]:
        """Say which secrets are set; those that play no part in this integration and are not set are left out."""
        held = set(self.integration.secrets or {})
        asked = _ASKED.get((self.integration.settings.get("auth") or {}).get("flow", "none"), ())
        return [(name, dotted in held) for dotted, name in SECRET_WORDS.items() if dotted in held or dotted in asked]

    @property
    def canary(self) -> bool:
        """Tell whether a test may write, where somebody allows it."""
        settings = self.integration.settings
        return bool((settings.get("canary") or {}).get("patient") or (settings.get("hl7") or {}).get("canary_message"))

    @property
    def segments(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Give the further places probes leave from, each with how it leaves."""
        return [
            (str(each["name"]), [(words, str(each[way])) for way, words in WAYS.items() if each.get(way)])
            for each in segments_of(self.integration)
        ]

    @property
    def may_add_segment(self) -> bool:
        """Tell whether a further segment may be added."""
        return self.may_manage and len(self.segments) < MOST

    # -- people and times ------------------------------------------------------------------------------------------

    @cached_property
    def contacts(self) -> list[Contact]:
        """Give whom to reach."""
        return list(self.integration.contacts.order_by("name", "id"))

    @cached_property
    def windows(self) -> Windows:
        """Give the maintenance windows."""
        now = timezone.now()
        rows = list(self.integration.maintenance_windows.order_by("start_at", "id"))
        past = [row for row in reversed(rows) if row.end_at <= now]
        return Windows(
            tuple(row for row in rows if row.start_at <= now < row.end_at),
            tuple(row for row in rows if row.start_at > now),
            tuple(past[:PAST_WINDOWS]),
        )

    @property
    def zone(self) -> str:
        """Name the facility's time zone, in which windows are entered."""
        return self.integration.facility.time_zone

    @property
    def next_hour(self) -> str:
        """Give a start to begin with, as the form's field wants it."""
        at = timezone.now().astimezone(ZoneInfo(self.zone)) + timedelta(hours=1)
        return at.replace(minute=0).strftime("%Y-%m-%dT%H:%M")

    @cached_property
    def sources(self) -> list[Source]:
        """Give the systems that hand in log rows, with their tokens."""
        rows = Source.objects.filter(integration=self.integration).prefetch_related("tokens")
        return list(rows.order_by("name", "id"))

    @cached_property
    def pull(self) -> AuditPull | None:
        """Give the standing order to ask the EHR for its audit events."""
        return AuditPull.objects.filter(integration=self.integration).first()


_ASKED = {
    "backend-services": ("auth.private_key",),
    "client-secret": ("auth.client_secret",),
    "provider-context": ("auth.refresh_token", "auth.client_secret"),
    "api-key": ("auth.api_key",),
}


def _flat(facts: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in facts.items():
        name = f"{path}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            rows.append((name, ", ".join(diagnosis.plain(each) for each in value) or "none"))
        else:
            rows.append((name, diagnosis.plain(value)))
    return rows
