"""Know what the logs of an integration are like as a whole: which are at hand, from when to when, what they tell of.

These few facts bear on every note, so they are kept: where one changes, all notes are asked again.
"""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from console.integrations.models import Integration
from console.notes.models import CorrelationState
from diagnostics.tracing.triage import USUAL_DELAY
from diagnostics.vendors import profile
from diagnostics.vendors.facts import merged

RULES = 2  # raise where the rules of correlation change: every note is then asked again by itself
DAY = timedelta(days=1)
_LOCKS = 0x6E6F7465  # "note", the first half of the advisory locks' numbers

# One index probe each: the newest batch of a log, and the ends of what waits.
LOOK = """
SELECT
  (SELECT max(last_at) FROM notes_logbatch WHERE integration_id = %(id)s AND log = 'scribe'),
  (SELECT max(last_at) FROM notes_logbatch WHERE integration_id = %(id)s AND log = 'ehr'),
  (SELECT min(first_at) FROM notes_logbatch
    WHERE integration_id = %(id)s AND log = 'ehr' AND (%(all)s OR correlated_at IS NULL)),
  (SELECT min(first_at) FROM notes_logbatch
    WHERE integration_id = %(id)s AND log IN ('scribe', 'ehr') AND (%(all)s OR correlated_at IS NULL)),
  (SELECT max(last_at) FROM notes_logbatch
    WHERE integration_id = %(id)s AND log IN ('scribe', 'ehr') AND (%(all)s OR correlated_at IS NULL))
"""
TELLS_OF_FILING = """
SELECT (
  SELECT at FROM notes_logentry WHERE integration_id = %s AND at >= %s AND at <= %s AND log = 'ehr' AND what & 63 = 23
   ORDER BY at LIMIT 1
) IS NOT NULL
"""
SHARES_IDS = """
SELECT EXISTS (
  SELECT FROM (
    SELECT transaction_hash, at FROM notes_logentry
     WHERE integration_id = %(id)s AND at >= %(first)s AND at <= %(last)s AND log = 'ehr'
       AND transaction_hash IS NOT NULL
     ORDER BY at DESC LIMIT 2000
  ) AS newest, LATERAL (
    SELECT FROM notes_logentry AS own
     WHERE own.transaction_hash = newest.transaction_hash AND own.log = 'scribe'
       AND own.at >= newest.at - interval '1 day' AND own.at <= newest.at + interval '1 day'
       AND own.at >= %(first)s AND own.at <= %(last)s LIMIT 1
  ) AS sent
)
"""


@dataclass(frozen=True)
class Scope:
    """Be an integration and what is known of its logs as a whole; `reach` is from when to when the EHR's log goes."""

    integration: uuid.UUID
    facility: uuid.UUID
    now: datetime
    has_scribe: bool
    has_ehr: bool
    logs_filing: bool
    shares_ids: bool
    reach: tuple[datetime, datetime] | None
    usual_delay: timedelta

    def differs(self, other: "Scope") -> bool:
        """Tell whether every note must be asked again."""
        return (self.has_scribe, self.has_ehr, self.logs_filing, self.shares_ids, self.usual_delay) != (
            (other.has_scribe, other.has_ehr, other.logs_filing, other.shares_ids, other.usual_delay)
        )


def known(integration: Integration) -> tuple[CorrelationState, Scope | None]:
    """Give what the last correlation knew; None where there was none, or one by other rules."""
    state = CorrelationState.objects.filter(pk=integration.pk).first() or CorrelationState(integration=integration)
    if state.rules != RULES or state.newest_at is None:
        return state, None
    return state, _scope(integration, state)


def look(integration: Integration, state: CorrelationState, *, anew: bool = False) -> Scope | None:
    """Find out what holds now, and put it into `state` (not saved); None where there is no row at all.

    With `anew` nothing of before is believed: retention may have taken the rows away.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"id": integration.pk, "all": anew or state.newest_at is None})
        scribe_last, ehr_last, ehr_first, first, last = cursor.fetchone()
    ends = [moment for moment in (scribe_last, ehr_last) if moment is not None]
    if not ends:
        return None
    state.has_scribe, state.has_ehr = scribe_last is not None, ehr_last is not None
    state.newest_at, state.ehr_last = max(ends), ehr_last
    firsts = [moment for moment in (None if anew else state.ehr_first, ehr_first) if moment is not None]
    state.ehr_first = min(firsts, default=None)
    if anew:
        state.logs_filing = state.shares_ids = False
    if state.has_ehr and first is not None:
        _look_at_rows(integration, state, first, last)
    return _scope(integration, state)


def _look_at_rows(integration: Integration, state: CorrelationState, first: datetime, last: datetime) -> None:
    """Look among the rows of a stretch of time, the new ones, for what was not known to be there."""
    with connection.cursor() as cursor:
        if not state.logs_filing:
            cursor.execute(TELLS_OF_FILING, (integration.pk, first, last))
            state.logs_filing = cursor.fetchone()[0]
        if state.has_scribe and not state.shares_ids:
            cursor.execute(SHARES_IDS, {"id": integration.pk, "first": first - DAY, "last": last + DAY})
            state.shares_ids = cursor.fetchone()[0]


def save(state: CorrelationState, *, rebuilt: bool) -> None:
    """Keep what this correlation knew."""
    state.rules = RULES
    state.correlated_at = timezone.now()
    if rebuilt:
        state.rebuilt_at = state.correlated_at
    CorrelationState.objects.bulk_create(
        [state],
        update_conflicts=True,
        unique_fields=["integration"],
        update_fields=[f.name for f in CorrelationState._meta.concrete_fields if not f.primary_key],
    )


@contextlib.contextmanager
def alone(integration: Integration, *, wait: bool = True) -> Iterator[bool]:
    """Let one process at a time correlate an integration; without `wait` yield False where another does."""
    key = int.from_bytes(integration.pk.bytes[-4:], signed=True)
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, key))
            held = True
        else:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCKS, key))
            held = cursor.fetchone()[0]
    try:
        yield held
    finally:
        if held and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", (_LOCKS, key))


def _scope(integration: Integration, state: CorrelationState) -> Scope:
    vendor = merged(profile(integration.vendor), integration.settings.get("vendor_profile") or {})
    minutes = getattr(vendor, "usual_filing_minutes", None)
    reach = (state.ehr_first, state.ehr_last) if state.ehr_first and state.ehr_last else None
    return Scope(
        integration=integration.pk,
        facility=integration.facility_id,
        now=state.newest_at,
        has_scribe=state.has_scribe,
        has_ehr=state.has_ehr,
        logs_filing=state.logs_filing,
        shares_ids=state.shares_ids,
        reach=reach,
        usual_delay=timedelta(minutes=float(minutes)) if minutes else USUAL_DELAY,
    )
