"""A help-desk system that sends every report many times at once, over HTTP, to the real web server: one ticket a key.

`ONE_TICKET_KEYS=100` makes it the full run: 100 threads, 100 keys, 10,000 posts.
"""

import json
import os
import threading
import time
from collections import Counter, defaultdict
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from console.diagnoses.models import Run
from console.integrations.tokens import make_token, source_of
from console.notes.models import Note
from console.tickets.models import Ticket, TicketEvent, TicketNote, TicketReport
from tests.console.builders import a_facility, an_integration
from tests.faults.stack import web_server

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
THREADS = 100
KEYS = int(os.environ.get("ONE_TICKET_KEYS", "10"))


class Senders:
    """A hundred threads that each send the report of every key, all of them the same key at a time."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token
        self.answers: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        self.took: list[float] = []
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._start = threading.Barrier(THREADS)

    def send_all(self) -> None:
        """Send; return once every thread has its answers."""
        threads = [threading.Thread(target=self._one, name=f"sender-{number}") for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _one(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            self._start.wait(60)
            for key in range(KEYS):
                began = time.monotonic()
                status, body = self._post(connection, key)
                with self._lock:
                    self.answers[key].append((status, body))
                    self.took.append(time.monotonic() - began)
        except Exception as problem:
            self.problems.append(repr(problem))
        finally:
            connection.close()

    def _post(self, connection: HTTPConnection, key: int) -> tuple[int, bytes]:
        report = {"note_id": f"N-{key}", "error": "the server answered 500", "reference": f"INC-{key}"}
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"report-{key}",
        }
        connection.request("POST", "/api/v1/tickets", json.dumps(report), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_ten_thousand_posts_with_a_hundred_keys_are_a_hundred_tickets(tmp_path: Path, capsys: Any) -> None:
    token = make_token(source=source_of(an_integration(a_facility())), name="help desk", by=None, opens_tickets=True)
    with web_server(tmp_path, TICKETS_API_PER_MINUTE="100000") as port:
        senders = Senders(port, token)
        began = time.monotonic()
        senders.send_all()
        took = time.monotonic() - began
    assert senders.problems == []
    statuses = Counter(status for answers in senders.answers.values() for status, _ in answers)
    assert statuses == {201: KEYS, 200: KEYS * (THREADS - 1)}
    for answers in senders.answers.values():
        assert len(answers) == THREADS
        assert len({body for _, body in answers}) == 1
        assert [status for status, _ in answers].count(201) == 1
    assert Ticket.objects.count() == Note.objects.count() == TicketNote.objects.count() == KEYS
    assert TicketReport.objects.count() == Run.objects.count() == KEYS
    assert TicketEvent.objects.filter(kind=TicketEvent.Kind.OPENED).count() == KEYS
    waits = sorted(senders.took)
    with capsys.disabled():
        print(
            f"\n{len(waits)} posts from {THREADS} threads with {KEYS} keys: {Ticket.objects.count()} tickets; "
            f"{len(waits) / took:.0f} posts/s, p50 {waits[len(waits) // 2]:.2f} s, "
            f"p95 {waits[len(waits) * 95 // 100]:.2f} s"
        )
