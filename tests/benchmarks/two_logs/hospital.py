"""The invented hospital group of both sets: sites where scribes listen, clients under which the EHR knows them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

HOURS = (1, 1, 1, 1, 1, 2, 8, 26, 60, 80, 88, 86, 62, 66, 84, 86, 92, 98, 42, 18, 10, 6, 4, 2)
NOTES_A_DAY = 33_000


@dataclass(frozen=True)
class Site:
    """One site: its protocol, the client its notes go out under, the addresses it speaks to."""

    name: str
    client: str
    protocol: str
    url: str
    token_url: str = ""


SITES = (
    Site("north", "scribe-north", "fhir", "https://fhir.north.example/r4/DocumentReference", "https://login.north.example/oauth2/token"),
    Site("harbor", "scribe-north", "fhir", "https://fhir.north.example/r4/DocumentReference", "https://login.north.example/oauth2/token"),
    Site("west", "scribe-west", "fhir", "https://ehr.west.example/api/FHIR/R4/DocumentReference", "https://ehr.west.example/oauth2/token"),
    Site("lakeside", "scribe-lake", "fhir", "https://fhir.lakeside.example/r4/DocumentReference", "https://fhir.lakeside.example/token"),
    Site("hill", "scribe-hill", "hl7", "mllps://engine.hill.example:2575"),
    Site("mill", "scribe-mill", "hl7", "mllp://engine.mill.example:2575"),
)  # fmt: skip
WEIGHTS = (30, 12, 22, 14, 14, 8)


def site(rng: random.Random) -> Site:
    """Draw the site of a note by the sites' sizes."""
    return rng.choices(SITES, WEIGHTS)[0]


def second_of_day(rng: random.Random) -> float:
    """Draw a time of day by the shape of a working day."""
    return (rng.choices(range(24), HOURS)[0] + rng.random()) * 3600


def stamp(moment: float) -> str:
    """Give an instant as a log writes it, in UTC with milliseconds."""
    return datetime.fromtimestamp(round(moment, 3), UTC).isoformat(timespec="milliseconds")
