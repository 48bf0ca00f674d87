"""Run one practice EHR for all tests of the resend, play a note's failure on it, and heal it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diagnostics.case import Auth, Case
from diagnostics.case_folder import load
from diagnostics.net import Door
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import PracticeEhr, running_practice
from diagnostics.probes.vantage import door_for
from diagnostics.resend import ResendPlan, Sent, plan, resend, survey

Failed = Callable[..., Case]
REFUSED_ONCE = "perm-write-denied"  # the note was refused, and is in no chart
NACKED_ONCE = "hl7-internal-error"


@pytest.fixture(scope="session")
def ehr() -> Iterator[PracticeEhr]:
    """Run the practice EHR."""
    with running_practice(("north",)) as running:
        yield running


@pytest.fixture
def failed(ehr: PracticeEhr, tmp_path: Path) -> Failed:
    """Play a note that failed, set how the EHR behaves now, and return the case; words change the integration."""

    def play(fault: str | None = REFUSED_ONCE, now: tuple[str, ...] = (), **changes: Any) -> Case:
        build_case(ehr, "north", fault, tmp_path / "case")
        case = load(tmp_path / "case")
        ehr.set_faults("north", now)
        return replace(case, integration=replace(case.integration, **changes)) if changes else case

    return play


def readable(ehr: PracticeEhr, case: Case, folder: Path) -> Case:
    """Give an HL7 v2 case the FHIR side of its EHR to read at."""
    with_fhir = build_case(ehr, "north", None, folder).folder
    other = load(with_fhir).integration
    return replace(case, integration=replace(case.integration, fhir_base_url=other.fhir_base_url, auth=other.auth))


class Once:
    """Remember acts as the console does, and count how often each was asked for."""

    def __init__(self) -> None:
        self.acts: set[str] = set()

    def __call__(self, act: str) -> bool:
        first = act not in self.acts
        self.acts.add(act)
        return first


def planned(case: Case, door: Door | None = None) -> ResendPlan:
    """Survey and plan, as a dry run does."""
    return plan(case, asyncio.run(survey(case, door=door or door_for(case))))


def sent(case: Case, how: ResendPlan | None = None, **more: Any) -> Sent:
    """Plan and send through a door of its own, without waits after a lost answer."""
    chosen = how or planned(case)
    asked = {"approved": chosen.digest, "once": Once(), "settle_s": (0.0,), "write_s": 0.0, "door": door_for(case)}
    return asyncio.run(resend(case, chosen, **{**asked, **more}))


def documents(ehr: PracticeEhr, how: ResendPlan) -> int:
    """Count the documents that the EHR stored under the note's identifiers."""
    counted = ehr.ledger.documents("north")
    return max((counted[value] for _system, value in how.lookup.identifiers), default=0)


def no_auth(case: Case) -> Case:
    """Return the case of an integration that forgot how to sign in."""
    return replace(case, integration=replace(case.integration, auth=Auth(flow="client-secret", client_id="nobody")))
