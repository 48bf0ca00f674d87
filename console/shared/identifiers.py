"""Primary keys made by the application: ciphertext is bound to its row's id before the row exists."""

import uuid

import uuid_utils


def new_id() -> uuid.UUID:
    """Make a UUIDv7 (RFC 9562): ordered by time, so that indexes grow at their end."""
    return uuid.UUID(int=uuid_utils.uuid7().int)
