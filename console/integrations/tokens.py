"""The tokens with which systems hand in log rows: made once, shown once, kept as a digest only."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console.accounts.models import User
from console.accounts.services import record
from console.integrations.models import Integration, Source, SourceToken

PREFIX = "nt_"
SECRET_BYTES = 32
NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def make_token(*, source: Source, name: str, by: User | None, opens_tickets: bool = False) -> str:
    """Make a token for a source and give it: this is the only time that anybody sees it."""
    token = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    row = SourceToken.objects.create(
        source=source, name=name.strip()[:80], digest=_digest(token), created_by=by, opens_tickets=opens_tickets
    )
    detail = {"name": row.name, **({"opens": "tickets"} if opens_tickets else {})}
    record(by=by, action="source_token.made", subject=row, facility=source.facility_id, detail=detail)
    return token


def source_for(token: str) -> Source | None:
    """Give the source whose token this is, or None for an unknown or revoked one."""
    row = token_for(token)
    return row.source if row is not None else None


def token_for(token: str) -> SourceToken | None:
    """Give the row of a token with its source, or None for an unknown or revoked one.

    The digest is looked up, never compared, so an answer's time tells nothing about a token's letters.
    """
    if not token.startswith(PREFIX):
        return None
    rows = SourceToken.objects.select_related("source__integration", "source__facility")
    row = rows.filter(digest=_digest(token), revoked_at=None).first()
    if row is None:
        return None
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    if row.last_used_at is None or row.last_used_at < now - NOTED_EVERY:
        SourceToken.objects.filter(stale, pk=row.pk).update(last_used_at=now)
    return row


@transaction.atomic
def revoke(*, token: SourceToken, by: User | None) -> None:
    """End a token at once; a second call changes nothing."""
    changed = SourceToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if changed:
        facility = token.source.facility_id
        record(by=by, action="source_token.revoked", subject=token, facility=facility, detail={"name": token.name})


@transaction.atomic
def source_of(integration: Integration) -> Source:
    """Give an integration's source, made on first use under a name that is not taken."""
    found = Source.objects.filter(integration=integration).order_by("name", "id").first()
    if found is not None:
        return found
    name = f"{integration.facility.slug}-{integration.name}"[:60]
    if Source.objects.filter(name=name).exists():
        name = f"{name}-{str(integration.id)[-8:]}"
    source, _ = Source.objects.get_or_create(
        name=name,
        defaults={
            "facility_id": integration.facility_id,
            "integration": integration,
            "time_zone": integration.facility.time_zone,
        },
    )
    return source


def _digest(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=32, person=b"notetrace-token").digest()
