"""Find notes."""

from collections.abc import Mapping

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from console.accounts.access import closed_departments, grants
from console.accounts.keys import keyring
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.notes.correlation.asked import tell_asked
from console.notes.correlation.loading import Keys
from console.notes.models import Note
from console.notes.services import HASHED, external_hash, hashes_for


def visible(user: User | AnonymousUser, right: Right = Right.SEE_TICKETS) -> QuerySet[Note]:
    """Give the notes a person may know of."""
    return Note.objects.filter(facility__in=grants(user).where(right)).exclude(department__in=closed_departments(user))


def find(user: User | AnonymousUser, pasted: str) -> QuerySet[Note]:
    """Find notes by note id, transaction id or encounter id, in every facility the person sees; newest first.

    A note whose rows came a moment ago is told first, so that it is found like any other.
    """
    places = {facility_id: hashes_for(facility_id, pasted) for facility_id in grants(user).where(Right.SEE_TICKETS)}
    kinds = ("note", "transaction", "encounter")
    tell_asked(places, Keys(**{kind: {digests[kind] for digests in places.values()} for kind in kinds}))
    match = Q(pk=None)
    for facility_id, digests in places.items():
        match |= Q(facility_id=facility_id) & (
            Q(external_hash=digests["note"])
            | Q(transaction_hash=digests["transaction"])
            | Q(encounter_hash=digests["encounter"])
        )
    return (
        visible(user)
        .filter(match)
        .select_related("integration", "facility", "department")
        .order_by("-created_at", "-id")
    )


def find_in(integration: Integration, *, note_id: str = "", ids: Mapping[str, str]) -> list[Note]:
    """Find an integration's notes by what another system says of one: its own id, else transaction, else encounter.

    `ids` are named as in a case (transaction_id, encounter_id); newest first, 50 at most.
    """
    ring = keyring(integration.facility_id)
    wanted = {kind: ring.hash(ids[key], kind) for key, kind in HASHED.items() if kind != "patient" and ids.get(key)}
    keys = Keys(**{kind: {digest} for kind, digest in wanted.items()})
    rows = Note.objects.filter(integration=integration).select_related("integration", "facility", "department")
    matches = {f"{kind}_hash": digest for kind, digest in wanted.items()}
    if note_id:
        keys.note = {external_hash(integration, note_id)}
        matches = {"external_hash": external_hash(integration, note_id)} | matches
    tell_asked([integration.facility_id], keys)
    for field, digest in matches.items():
        found = list(rows.filter(**{field: digest}).order_by("-created_at", "-id")[:50])
        if found:
            return found
    return []
