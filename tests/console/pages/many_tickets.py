"""Many tickets made by SQL, most of them long finished: for plans and prices, not for what pages say."""

import os
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from console.accounts.models import Facility, User
from console.accounts.roles import Role
from console.accounts.services import give_role
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration

FACILITIES, INTEGRATIONS, NOTES = 4, 3, 40
MOST_OPEN = 8000  # a desk's open tickets stay about as many while its past grows

_TICKETS = """
INSERT INTO tickets_ticket (id, number, facility_id, integration_id, title, state, waiting_for, waiting_since, severity,
                            owner_id, opened_at, target_at, resolved_at, reopened, failure_mode, category, cause,
                            certainty, verdict, journey, confirmed_category, confirmed_cause, idempotency_key,
                            departments)
SELECT md5('t' || g)::uuid, nextval('tickets_number'), (%(facilities)s::uuid[])[1 + g %% %(places)s],
       (%(integrations)s::uuid[])[1 + g %% %(places)s + %(places)s * (g / %(places)s %% %(each)s)],
       (ARRAY['Note missing from chart', 'Progress note missing', 'Plan section empty', 'Filed under the wrong visit'])
           [1 + g %% 4] || CASE WHEN g %% 5000 = 7 THEN ' since the cutover' ELSE '' END,
       s.state,
       CASE s.state WHEN 'waiting' THEN (ARRAY['vendor', 'ehr_team', 'network_team'])[1 + g / 7 %% 3] ELSE '' END,
       CASE s.state WHEN 'waiting' THEN %(now)s END,
       (ARRAY['a_wrong_patient', 'b_undocumented', 'c_misplaced', 'd_delayed', 'e_none'])
           [1 + CASE WHEN g %% 200 = 3 THEN 0 ELSE 1 + g / 3 %% 4 END],
       CASE WHEN g / 11 %% 3 = 0 AND g > %(new)s THEN (%(people)s::uuid[])[1 + g / 13 %% %(colleagues)s] END,
       %(now)s - g * interval '90 seconds', %(now)s - g * interval '90 seconds' + interval '4 hours',
       CASE WHEN s.state IN ('resolved', 'closed') THEN %(now)s - g * interval '90 seconds' + interval '3 hours' END, 0,
       (ARRAY['rejected', 'never_sent', 'misplaced', 'partial', 'delayed'])[1 + g / 5 %% 5], 'authentication',
       CASE WHEN g / 3 %% 4 = 0 THEN '' ELSE (%(causes)s::text[])[1 + g / 17 %% cardinality(%(causes)s::text[])] END,
       'proven', 'A cause', '[{"stage": "generated", "state": "ok"}, {"stage": "sent", "state": "broken"}]', '', '',
       md5('k' || g), ARRAY[CASE WHEN g / 4 %% 10 = 0 THEN (%(shut)s::uuid[])[1 + g %% %(places)s]
                           ELSE (%(departments)s::uuid[])[1 + g %% %(places)s] END]
  FROM generate_series(%(first)s, %(last)s) AS g
 CROSS JOIN LATERAL (SELECT CASE
       WHEN g <= %(open)s THEN (ARRAY['new', 'diagnosed', 'in_progress', 'waiting', 'fixed'])[1 + g / 19 %% 5]
       WHEN g %% 20 = 0 THEN 'resolved' ELSE 'closed' END AS state) AS s
"""
_HELD = """
INSERT INTO tickets_ticketnote (id, ticket_id, note_id, department_id, "end", added_at)
SELECT md5('h' || g)::uuid, md5('t' || g)::uuid,
       (%(notes)s::uuid[])[1 + g %% %(places)s + %(places)s * (g / %(places)s %% %(notes_each)s)],
       CASE WHEN g / 4 %% 10 = 0 THEN (%(shut)s::uuid[])[1 + g %% %(places)s]
            ELSE (%(departments)s::uuid[])[1 + g %% %(places)s] END, 'waiting', %(now)s
  FROM generate_series(%(first)s, %(last)s) AS g
"""
_CAUSES = (
    "auth.assertion.kid", "auth.token.expired", "net.tls.expired", "fhir.profile.unknown", "map.section.unmapped",
)  # fmt: skip


@dataclass
class Crowd:
    """Be some facilities with many tickets; `person` works at two of them and may not enter one department of each."""

    facilities: list[Facility]
    person: User
    params: dict[str, Any]
    made: int = 0

    def grow(self, to: int, most_open: int = MOST_OPEN) -> None:
        """Make tickets until there are `to`; of few a quarter is open, of many the rest is past."""
        if not self.made:
            self.params["open"] = min(to // 4, most_open)
        told = {**self.params, "now": timezone.now(), "new": 20}
        with connection.cursor() as cursor:
            for first in range(self.made + 1, to + 1, 100_000):
                told |= {"first": first, "last": min(to, first + 99_999)}
                cursor.execute(_TICKETS, told)
                cursor.execute(_HELD, told)
        self.made = to


def a_crowd() -> Crowd:
    """Make the world around the tickets, not yet any of them."""
    facilities = [a_facility() for _ in range(FACILITIES)]
    integrations = [an_integration(place) for _ in range(INTEGRATIONS) for place in facilities]
    open_ = [a_department(place) for place in facilities]
    shut = [a_department(place, restricted=True) for place in facilities]
    notes = [a_note(integrations[n]) for _ in range(NOTES // FACILITIES) for n in range(FACILITIES)]
    person = a_person(facilities[0])
    give_role(user=person, facility=facilities[1], role=Role.HELP_DESK, by=None)
    people = [person, *(a_person(facilities[n % FACILITIES]) for n in range(7))]
    params = {
        "facilities": [one.id for one in facilities], "integrations": [one.id for one in integrations],
        "departments": [one.id for one in open_], "shut": [one.id for one in shut],
        "notes": [one.id for one in notes], "people": [one.pk for one in people],
        "places": FACILITIES, "each": INTEGRATIONS, "colleagues": len(people), "causes": list(_CAUSES),
        "notes_each": len(notes) // FACILITIES,
    }  # fmt: skip
    return Crowd(facilities, person, params)


def analyze() -> None:
    """Let the planner know the tables, as autovacuum does in life; only their owner may."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE tickets_ticket, tickets_ticketnote")
