"""Look into the drop folder: queue what lies there for a source, set aside what belongs to none, forget what is old.

`<LOG_DROP_FOLDER>/<source name or id>/<scribe|ehr|firewall|proxy>/<file>`. A look reads names and times, never a file.
"""

import hashlib
import logging
import os
import stat
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from console.accounts.keys import keyring
from console.integrations.models import Source
from console.monitoring import drop_paths
from console.monitoring.models import DropFile, DropLook
from console.notes.import_models import Log
from console.shared.work import ENDED_STATES, OPEN_STATES, WorkState, ring

log = logging.getLogger(__name__)
ADVISORY_LOCK = 0x4E6F7466  # one look at a time, whoever asks for it
MOST_A_LOOK = 1000
REMEMBERED = timedelta(days=30)
_NO_SOURCE = (
    "This folder belongs to no source. A folder's name is a source's name (or its id): see the page Sources in the "
    "console. Make the source or rename the folder, then put the file there again. Nothing of it was read."
)
_NO_LOG = (
    "Files lie in a folder named after the log they are of: scribe, ehr, firewall or proxy, below the source's own. "
    "Put the file there. Nothing of it was read."
)
_NO_FILE = "This is no plain file. Only plain files are read, no links, no pipes, no folders. Nothing of it was read."
_CRASHED = "The worker that read this file ended in the middle of it, several times. Tell whoever runs NoteTrace."


@dataclass
class Looked:
    """What one look did."""

    queued: int = 0
    set_aside: int = 0
    troubles: list[str] = field(default_factory=list)


def look(*, now: datetime | None = None) -> Looked | None:
    """Look once; give None where the folder is not set up here or somebody else is looking."""
    if not settings.LOG_DROP_FOLDER:
        return None
    with transaction.atomic():
        if not _is_ours():
            return None
        done = _Look(settings.LOG_DROP_FOLDER, now or timezone.now())
        done.look()
    return done.result


def forget_taken(*, now: datetime | None = None) -> int:
    """Delete files that were taken LOG_DROP_KEEP_DAYS ago or earlier, and rows about files long gone."""
    now = now or timezone.now()
    DropFile.objects.filter(state__in=ENDED_STATES, finished_at__lt=now - REMEMBERED).exclude(
        end=DropFile.End.STUCK
    ).delete()
    if not settings.LOG_DROP_FOLDER:
        return 0
    before, gone = now - timedelta(days=settings.LOG_DROP_KEEP_DAYS), 0
    for place in _folders(settings.LOG_DROP_FOLDER):
        try:
            with drop_paths.opened(settings.LOG_DROP_FOLDER, *place) as folder:
                gone += drop_paths.forget(folder, before)
        except OSError as problem:
            log.warning("files that were taken cannot be deleted: %s", problem.strerror)
    return gone


def _is_ours() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])


def _folders(root: str) -> list[tuple[bytes, ...]]:
    """Give every folder of a log, as it can be reached; what cannot be opened is left out."""
    found: list[tuple[bytes, ...]] = []
    try:
        with drop_paths.opened(root) as folder:
            names = [name for name, seen in drop_paths.listed(folder) if stat.S_ISDIR(seen.st_mode)]
        for name in names:
            with drop_paths.opened(root, name) as folder:
                found += [(name, log.encode()) for log in Log.values if _is_folder(folder, log.encode())]
    except OSError:
        return found
    return found


def _is_folder(folder: int, name: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


class _Look:
    """One look: from the drop folder down to its files."""

    def __init__(self, root: str, now: datetime) -> None:
        self.root, self.now = root, now
        self.result = Looked()
        self.strangers = 0

    def look(self) -> None:
        """Walk the two levels of folders and keep what was met."""
        try:
            with drop_paths.opened(self.root) as folder:
                places = self._sort_out(folder, _NO_SOURCE)
        except OSError as problem:
            self.result.troubles.append(f"The drop folder cannot be opened: {_plain(problem)}.")
            places = []
        sources = _sources(places)
        for name in places:
            try:
                self._look_at(name, sources.get(name))
            except OSError as problem:
                whose = f"of {sources[name].name}" if name in sources else "of no source"
                self.result.troubles.append(f"A folder {whose} cannot be used: {_plain(problem)}.")
        self._keep()

    def _look_at(self, name: bytes, source: Source | None) -> None:
        with drop_paths.opened(self.root, name) as folder:
            logs = self._sort_out(folder, _NO_SOURCE if source is None else _NO_LOG)
        for log_name in logs:
            known = log_name.decode("ascii", "replace") in Log.values
            with drop_paths.opened(self.root, name, log_name) as folder:
                if source is None or not known:
                    self._sort_out(folder, _NO_SOURCE if source is None else _NO_LOG, files_only=True)
                else:
                    self._queue(folder, source, log_name.decode("ascii"), name + b"/" + log_name + b"/")

    def _sort_out(self, folder: int, reason: str, *, files_only: bool = False) -> list[bytes]:
        """Set aside what lies where no files belong; give the folders."""
        folders = []
        for name, seen in drop_paths.listed(folder):
            if stat.S_ISDIR(seen.st_mode):
                folders.append(name)
                if not files_only:
                    continue
            self._set_aside(folder, name, seen, reason)
        return folders

    def _set_aside(self, folder: int, name: bytes, seen: os.stat_result, reason: str) -> None:
        """Set aside what is nobody's, once it has lain there a while; what cannot be moved is told and left."""
        if self.now.timestamp() - max(seen.st_mtime, seen.st_ctime) < settings.LOG_DROP_STEADY_S:
            return
        if self.result.set_aside >= MOST_A_LOOK:
            return
        try:
            drop_paths.move(folder, name, drop_paths.SET_ASIDE, reason=reason, now=self.now)
        except OSError as problem:
            said = f"A file that belongs to no source cannot be set aside: {_plain(problem)}."
            if said not in self.result.troubles:
                self.result.troubles.append(said)
            return
        self.result.set_aside += 1
        self.strangers += 1

    def _queue(self, folder: int, source: Source, log_name: str, above: bytes) -> None:
        files: dict[bytes, tuple[bytes, os.stat_result]] = {}
        for name, seen in drop_paths.listed(folder):
            if stat.S_ISREG(seen.st_mode):
                files[_key(source, above + name)] = (name, seen)
            else:
                self._set_aside(folder, name, seen, _NO_FILE)
        known = _known(list(files))
        for key, (name, seen) in files.items():
            if self.result.queued >= MOST_A_LOOK:
                return
            whole = drop_paths.has_marker(folder, name)
            if key not in known:
                self._ring(_new(source, log_name, key, above + name, seen), whole)
            elif known[key].state not in OPEN_STATES:
                self._again(folder, known[key], name, seen, whole)

    def _again(self, folder: int, row: DropFile, name: bytes, seen: os.stat_result, whole: bool) -> None:
        """Meet a name that was dealt with: move what could not be moved, or begin anew."""
        as_it_was = (row.size, row.changed_ns) == (seen.st_size, seen.st_mtime_ns)
        if as_it_was and row.state == WorkState.GAVE_UP:
            self._put(folder, row, name, drop_paths.SET_ASIDE, row.says or _CRASHED)
        elif as_it_was and row.end == DropFile.End.STUCK:
            bad = row.log_import is not None and row.log_import.quarantined
            self._put(folder, row, name, drop_paths.SET_ASIDE if bad else drop_paths.TAKEN, row.says if bad else "")
        else:
            row.size, row.changed_ns, row.log_import = seen.st_size, seen.st_mtime_ns, None
            row.state, row.attempt, row.end, row.says, row.error = WorkState.QUEUED, 0, "", "", ""
            row.finished_at = row.rung_at = row.lease_until = None
            self._ring(row, whole)

    def _put(self, folder: int, row: DropFile, name: bytes, into: str, reason: str) -> None:
        try:
            drop_paths.move(folder, name, into, reason=reason, now=self.now)
        except OSError:
            return  # it is told already, and tried again with the next look
        end = DropFile.End.TAKEN if into == drop_paths.TAKEN else DropFile.End.SET_ASIDE
        DropFile.objects.filter(pk=row.pk).update(
            state=WorkState.DONE, end=end, says=reason[:300], finished_at=self.now
        )
        self.result.set_aside += end == DropFile.End.SET_ASIDE

    def _ring(self, row: DropFile, whole: bool) -> None:
        row.due_at = self.now if whole else self.now + timedelta(seconds=settings.LOG_DROP_STEADY_S)
        row.save()
        if whole:
            ring(row)
        self.result.queued += 1

    def _keep(self) -> None:
        said = " ".join(self.result.troubles)[:300]
        row, _ = DropLook.objects.select_for_update().get_or_create(pk=1, defaults={"at": self.now})
        row.at = self.now
        if said and not row.trouble:
            row.troubled_since = self.now
            log.warning("the drop folder cannot be used as it should: see the page Sources")
        row.trouble, row.troubled_since = said, row.troubled_since if said else None
        if self.strangers:
            row.strangers, row.stranger_at = F("strangers") + self.strangers, self.now
        row.save()


def _sources(names: list[bytes]) -> dict[bytes, Source]:
    """Give the sources that folders are named after, by their name or else by their id."""
    spelled = {name.decode("utf-8", "replace"): name for name in names}
    ids = {str(one): one for word in spelled if (one := _uuid(word)) is not None}
    found = {}
    for source in Source.objects.filter(pk__in=ids.values()).select_related("integration", "facility"):
        found[spelled.get(str(source.pk), b"")] = source
    for source in Source.objects.filter(name__in=spelled).select_related("integration", "facility"):
        found[spelled[source.name]] = source
    return found


def _uuid(word: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(word) if len(word) == 36 else None
    except ValueError:
        return None


def _known(keys: list[bytes]) -> dict[bytes, DropFile]:
    """Give the rows of files that were met before, asked for in blocks."""
    blocks = (keys[start : start + MOST_A_LOOK] for start in range(0, len(keys), MOST_A_LOOK))
    return {
        bytes(row.key): row
        for block in blocks
        for row in DropFile.objects.filter(key__in=block).select_related("log_import")
    }


def _key(source: Source, path: bytes) -> bytes:
    """Name a file without its name: people write names of patients into them."""
    key = keyring(source.facility_id).hash_key
    return hashlib.blake2b(source.id.bytes + path, key=key, digest_size=32, person=b"notetrace-drop").digest()


def _new(source: Source, log_name: str, key: bytes, path: bytes, seen: os.stat_result) -> DropFile:
    return DropFile(
        facility_id=source.facility_id, source=source, log=log_name, key=key, path=path,
        size=seen.st_size, changed_ns=seen.st_mtime_ns,
    )  # fmt: skip


def _plain(problem: OSError) -> str:
    """Give what the system says of a failure, without the name it says it of."""
    return (os.strerror(problem.errno) if problem.errno else "it failed").lower()
