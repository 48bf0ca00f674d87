"""Receive a file into sealed pieces in the database: nothing of it ever lies in the clear on a disk."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers, StopUpload

from console.notes.uploads import PART_BYTES, Upload, drop_parts


class Received(UploadedFile):
    """A file that lies sealed in the database."""

    def __init__(self, upload: Upload, name: str) -> None:
        super().__init__(name=name, size=upload.size)
        self.upload = upload


class SealingHandler(FileUploadHandler):
    """Take the file of one field; further files are passed by. Whatever is not kept in the end is deleted."""

    chunk_size = PART_BYTES

    def __init__(self, *, field: str, limit: int) -> None:
        super().__init__()
        self._field, self._limit = field, limit
        self._upload: Upload | None = None
        self.kept = False

    def new_file(self, *args: Any, **more: Any) -> None:
        """Begin with the wanted file."""
        super().new_file(*args, **more)
        if self.field_name != self._field or self._upload is not None:
            raise SkipFile
        self._upload = Upload()
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal what came; a sender who said nothing of the size is cut off at the limit."""
        assert self._upload is not None
        if start + len(raw_data) > self._limit:
            raise StopUpload(connection_reset=True)
        self._upload.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        """Give the file to the form."""
        if self._upload is None:
            return None
        self._upload.close()
        return Received(self._upload, self.file_name or "")

    def finish(self) -> None:
        """Delete what nobody kept."""
        if self._upload is not None and not self.kept:
            drop_parts(self._upload.id)
