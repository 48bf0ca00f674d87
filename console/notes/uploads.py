"""Keep an uploaded file, sealed in pieces in the database, until a worker has brought it in.

Each upload has a key of its own. It lives in memory while the file arrives and then, sealed for the facility, in the
import's row: pieces of an upload that broke off, and of one that was dropped, can never be opened again.
"""

import io
import secrets
import uuid
from datetime import datetime, timedelta
from typing import BinaryIO, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction
from django.utils import timezone

from console.accounts.models import User
from console.integrations.models import Source
from console.notes.models import ImportJob, LogImport, LogUploadPart
from console.shared.identifiers import new_id
from console.shared.sealing import NONCE_BYTES, SealError
from console.shared.work import ring
from diagnostics.parsing.log_formats import open_stream
from diagnostics.parsing.log_formats.packing import ahead

PART_BYTES = 1024 * 1024
HEAD_BYTES = 64 * 1024
BROKEN_OFF = timedelta(hours=6)
LEFT = timedelta(days=7)


class Upload:
    """A file that is arriving: write its bytes in order, then `close` it."""

    def __init__(self) -> None:
        self.id = new_id()
        self.key = AESGCM.generate_key(bit_length=256)
        self.size = 0
        self._waiting = bytearray()
        self._parts = 0

    def write(self, data: bytes) -> None:
        """Seal and store what fills whole pieces; the rest waits in memory."""
        self.size += len(data)
        self._waiting += data
        while len(self._waiting) >= PART_BYTES:
            self._store(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]

    def close(self) -> None:
        """Store the last piece."""
        if self._waiting:
            self._store(bytes(self._waiting))
            self._waiting.clear()

    def _store(self, data: bytes) -> None:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(self.key).encrypt(nonce, data, _place(self.id, self._parts))
        LogUploadPart.objects.create(upload=self.id, number=self._parts, sealed=sealed)
        self._parts += 1


class UploadedFile(io.RawIOBase):
    """The bytes of an upload, read from its start; one piece is held at a time."""

    def __init__(self, upload: uuid.UUID, key: bytes) -> None:
        self._upload, self._cipher = upload, AESGCM(key)
        self._part, self._next = b"", 0

    def readable(self) -> bool:
        """Tell that it may be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Give the next bytes, at most to the end of a piece; nothing at the end of the file."""
        if not self._part:
            row = LogUploadPart.objects.filter(upload=self._upload, number=self._next).first()
            if row is None:
                return b""
            sealed = bytes(row.sealed)
            try:
                place = _place(self._upload, self._next)
                self._part = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
            except InvalidTag:
                raise SealError("A piece of an uploaded file was changed or moved since it was sealed.") from None
            self._next += 1
        size = len(self._part) if size is None or size < 0 else size
        given, self._part = self._part[:size], self._part[size:]
        return given


def keep_upload(*, upload: Upload, source: Source, log: str, name: str, by: User | None) -> LogImport:
    """Make the import of a file that has arrived; it waits until `begin`."""
    return LogImport.objects.create(
        id=upload.id, facility_id=source.facility_id, source=source, log=log, via=LogImport.Via.UPLOAD, by=by,
        name=name or None, size=upload.size, upload_key=upload.key, state=LogImport.State.WAITING,
    )  # fmt: skip


def stream_of(made: LogImport) -> BinaryIO:
    """Give the bytes of an import's file as they were uploaded."""
    return cast(BinaryIO, UploadedFile(made.id, made.upload_key))


def head_of(made: LogImport) -> bytes:
    """Give the beginning of an import's file, unpacked; raise BadPacking where it cannot be."""
    return cast(bytes, ahead(open_stream(stream_of(made))).peek(HEAD_BYTES))  # type: ignore[attr-defined]


@transaction.atomic
def begin(*, made: LogImport, mapping: dict[str, str] | None = None) -> ImportJob:
    """Hand an import to the workers, or hand it to them again; a mapping is remembered for the source's next file."""
    if mapping is not None:
        made.mapping = mapping
        made.save(update_fields=["mapping"])
        source = Source.objects.select_for_update().get(pk=made.source_id)
        source.mappings = {**source.mappings, made.log: mapping}
        source.save(update_fields=["mappings"])
    LogImport.objects.filter(pk=made.pk, state=LogImport.State.FAILED).update(state=LogImport.State.WAITING, reason="")
    job, _ = ImportJob.objects.get_or_create(log_import=made, state__in=("queued", "running"))
    ring(job)
    return job


def drop_parts(upload: uuid.UUID) -> None:
    """Delete the pieces of an upload."""
    LogUploadPart.objects.filter(upload=upload).delete()


def drop_left_uploads(*, now: datetime | None = None) -> int:
    """Delete the pieces of uploads that broke off, and of those that nobody went on with; give how many uploads."""
    now = now or timezone.now()
    known = LogImport.objects.filter(upload_key__isnull=False)
    old = set(
        LogUploadPart.objects.filter(created_at__lt=now - BROKEN_OFF, number=0)
        .exclude(upload__in=known.values("pk"))
        .values_list("upload", flat=True)
    )
    waiting = known.filter(at__lt=now - LEFT).exclude(jobs__state__in=("queued", "running"))
    for made in waiting:
        forget_upload(made, "It was not brought in within a week, so its file was deleted. Upload it again.")
        old.add(made.pk)
    for upload in old:
        drop_parts(upload)
    return len(old)


@transaction.atomic
def forget_upload(made: LogImport, reason: str = "") -> None:
    """Delete an import's file and its key; a `reason` says why an import that is not done ends without it."""
    drop_parts(made.pk)
    made.upload_key = None
    changed = ["upload_key"]
    if reason and made.state != LogImport.State.DONE:
        made.state, made.reason = LogImport.State.FAILED, reason
        changed += ["state", "reason"]
    made.save(update_fields=changed)


def _place(upload: uuid.UUID, number: int) -> bytes:
    return b"log-upload\0" + upload.bytes + number.to_bytes(8, "big")
