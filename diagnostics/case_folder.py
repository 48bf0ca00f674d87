"""Read a case folder into a `Case`: the engine's door that needs no browser (public format, schema 1).

Everything that makes a case unreadable raises `CaseError` naming file, key and what was expected. A payload that
does not parse is no such thing: that is a finding.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from diagnostics import case_format as fmt
from diagnostics.case import (
    Auth,
    CanaryTarget,
    Case,
    Hl7Interface,
    Integration,
    Logs,
    MaintenanceWindow,
    Note,
    Segment,
    utc_now,
)
from diagnostics.errors import CaseError
from diagnostics.parsing import logs as log_files
from diagnostics.vendors.facts import ProfileError, read_overrides

T = TypeVar("T")
MAX_FILE = 64 * 1024 * 1024


def load(folder: Path, *, offline: bool = False, allow_writes: bool = True) -> Case:
    """Return the case in a folder; raise CaseError where it cannot be read."""
    reader = _Reader(Path(folder))
    form = reader.structure("case.json", fmt.CaseFormat)
    now = form.now.astimezone(UTC) if form.now else utc_now()
    return Case(
        integration=_integration(reader, form.integration),
        now=now,
        note=_note(reader, form.note) if form.note else None,
        logs=_logs(reader, form.logs),
        filed=reader.snapshot(form.filed, fmt.FiledFormat, "filed"),
        template=reader.snapshot(form.template, fmt.TemplateFormat, "template"),
        mapping=reader.snapshot(form.mapping, fmt.MappingFormat, "mapping"),
        roles=reader.snapshot(form.roles, fmt.RolesFormat, "roles"),
        encounters=_encounters(reader, form.encounter),
        baseline=_baseline(reader, form.baseline),
        offline=offline,
        allow_writes=allow_writes,
        now_is_fixed=form.now is not None,
    )


class _Reader:
    """Read the files of one folder, naming the key that asked for each."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise CaseError(str(folder), "", "expected a folder that holds case.json")
        self.folder = folder

    def content(self, name: str, key: str) -> bytes:
        path = self.folder / name
        if not name or len(name.encode(errors="replace")) > 255 or "\x00" in name or Path(name).is_absolute():
            raise CaseError("case.json", key, "expected a file name relative to the folder")
        if not path.is_file():
            raise CaseError("case.json", key, f"names the file {name!r}, which is not in the folder")
        try:
            if path.stat().st_size > MAX_FILE:
                raise CaseError(name, "", f"is larger than {MAX_FILE // 1024 // 1024} MB")
            return path.read_bytes()
        except OSError as error:
            raise CaseError(name, "", f"could not be read ({error.strerror})") from error

    def maybe(self, name: str | None, key: str) -> bytes | None:
        return None if name is None else self.content(name, key)

    def text(self, name: str, key: str) -> str:
        return self.content(name, key).decode("utf-8-sig", errors="replace")

    def structure(self, name: str, kind: type[T]) -> T:
        return parse(self.content(name, name), kind, name)

    def snapshot(self, name: str | None, kind: type[Any], key: str) -> Mapping[str, Any] | None:
        if name is None:
            return None
        raw = self.content(name, key)
        parse(raw, kind, name)
        data: Mapping[str, Any] = _json(raw, name)
        return data


def parse(raw: bytes, kind: type[T], name: str) -> T:
    """Decode strictly; raise CaseError with the key's path and what was expected."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    try:
        decoded = msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        text = str(error)
        expected, _, path = text.partition(" - at `")
        where = path.rstrip("`").removeprefix("$").lstrip(".")
        if "unknown field" in expected:
            unknown = expected.split("`")[1]
            where = f"{where}.{unknown}" if where else unknown
            expected = "is not a key of this format"
        elif expected.startswith("Invalid enum value"):
            expected = f"expected {' or '.join(_allowed(kind, where))}, found {expected.rpartition(' ')[2]}"
        raise CaseError(name, where, _plain(expected)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise CaseError(name, "", f"is not valid JSON ({error})") from None
    except UnicodeDecodeError:
        raise CaseError(name, "", "is not UTF-8 text") from None
    far = next(_far_times(decoded, ""), None)
    if far is not None:
        raise CaseError(name, far, "expected a time between 1970 and 2199")
    return decoded


def _far_times(value: Any, path: str) -> Iterator[str]:
    """Yield the paths of times that no log or chart could be from; time windows around them cannot be computed."""
    if isinstance(value, datetime) and value.year not in log_files.YEARS:
        yield path
    elif isinstance(value, msgspec.Struct):
        for key in value.__struct_fields__:
            yield from _far_times(getattr(value, key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _far_times(item, f"{path}[{index}]")


def _allowed(kind: Any, path: str) -> list[str]:
    """Return the values that the format allows at a path such as `integration.auth.flow`."""
    for name in path.replace("[...]", "").split("."):
        hints = get_type_hints(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else {}
        kind = hints.get(name, kind)
        for part in get_args(kind):  # look through `X | None`, `list[X]`
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                kind = part
    options = [kind, *get_args(kind)]
    return [str(value) for option in options if get_origin(option) is Literal for value in get_args(option)]


def _plain(expected: str) -> str:
    expected = expected.replace("`", "").replace("datetime with a timezone component", "a time with its UTC offset")
    return expected[:1].lower() + expected[1:]


def _json(raw: bytes, name: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise CaseError(name, "", f"is not valid JSON ({error})") from None


def _integration(reader: _Reader, form: fmt.IntegrationFormat) -> Integration:
    auth = form.auth
    assertion = reader.text(auth.assertion_file, "integration.auth.assertion_file") if auth.assertion_file else None
    return Integration(
        name=form.name,
        protocol=form.protocol,
        vendor=form.vendor,
        environment=form.environment,
        fhir_base_url=_url(form.fhir_base_url, "integration.fhir_base_url"),
        write_url=_url(form.write_url, "integration.write_url"),
        fhir_format=form.fhir_format,
        profile=form.profile,
        auth=Auth(
            flow=auth.flow,
            token_url=_url(auth.token_url, "integration.auth.token_url"),
            authorization_server=_url(auth.authorization_server, "integration.auth.authorization_server"),
            auth_method=auth.auth_method,
            client_id=auth.client_id,
            client_secret=auth.client_secret,
            refresh_token=auth.refresh_token,
            api_key=auth.api_key,
            api_key_header=auth.api_key_header,
            private_key=reader.maybe(auth.private_key_file, "integration.auth.private_key_file"),
            key_id=auth.key_id,
            algorithm=auth.algorithm,
            jwks_url=_url(auth.jwks_url, "integration.auth.jwks_url"),
            assertion=assertion.strip() if assertion else None,
            scopes=tuple(auth.scopes),
            audience=auth.audience,
            practice_id=None if auth.practice_id is None else str(auth.practice_id),
        ),
        hl7=Hl7Interface(**msgspec.structs.asdict(form.hl7)),
        ca_bundle=reader.maybe(form.ca_bundle, "integration.ca_bundle"),
        client_cert=reader.maybe(form.client_cert_file, "integration.client_cert_file"),
        client_key=reader.maybe(form.client_key_file, "integration.client_key_file"),
        tls_pins=tuple(form.tls_pins),
        proxy=_proxy(form.proxy, "integration.proxy"),
        resolver=form.resolver,
        timeout_s=form.timeout_s,
        resources_needed=tuple(form.resources_needed),
        rate_limit_per_minute=form.rate_limit_per_minute,
        maintenance=tuple(MaintenanceWindow(w.start, w.end) for w in form.maintenance),
        segments=tuple(_segment(s, f"integration.segments[{n}]") for n, s in enumerate(form.segments)),
        canary=CanaryTarget(form.canary.patient, form.canary.encounter) if form.canary else None,
        vendor_profile=_profile(form.vendor_profile),
    )


def _profile(overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse what is no fact of a vendor profile, by name."""
    try:
        read_overrides(overrides)
    except ProfileError as error:
        raise CaseError("case.json", f"integration.vendor_profile.{error.fact}", error.expected) from None
    return overrides


def _url(value: str | None, key: str) -> str | None:
    """Refuse what is no absolute http(s) URL, because a probe could only misreport it."""
    if value is None:
        return None
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise CaseError("case.json", key, "expected an absolute http or https URL")
    return value


def _proxy(value: str | None, key: str) -> str | None:
    """Refuse a proxy that is not spoken to over http: no way out could be opened through it."""
    if value is None:
        return None
    if _url(value, key) and not value.lower().startswith("http://"):
        raise CaseError("case.json", key, "expected an http URL: what goes through it to https stays encrypted")
    return value


def _segment(form: fmt.SegmentFormat, key: str) -> Segment:
    _proxy(form.proxy, f"{key}.proxy")
    return Segment(**msgspec.structs.asdict(form))


def _note(reader: _Reader, form: fmt.NoteFormat) -> Note:
    plain = msgspec.structs.asdict(form)
    payload = plain.pop("payload")
    narrative = plain.pop("narrative")
    note = Note(**plain)
    if payload is not None:
        note = replace(note, payload=reader.content(payload, "note.payload"), payload_name=payload)
    if narrative is not None:
        note = replace(note, narrative=reader.text(narrative, "note.narrative"))
    return note


def _logs(reader: _Reader, form: fmt.LogsFormat | None) -> Logs:
    if form is None:
        return Logs()
    rows: dict[str, tuple[Mapping[str, Any], ...] | None] = {}
    for kind in ("scribe", "ehr", "firewall", "proxy"):
        name = getattr(form, kind)
        rows[kind] = None if name is None else log_files.read_file(reader.content(name, f"logs.{kind}"), kind, name)
    return Logs(**rows)


def _encounters(reader: _Reader, name: str | None) -> tuple[Mapping[str, Any], ...] | None:
    if name is None:
        return None
    raw = reader.content(name, "encounter")
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        parse(raw, list[fmt.EncounterFormat], name)
        return tuple(_json(raw, name))
    parse(raw, fmt.EncounterFormat, name)
    return (_json(raw, name),)


def _baseline(reader: _Reader, name: str | None) -> Mapping[str, Any] | None:
    if name is None:
        return None
    data = _json(reader.content(name, "baseline"), name)
    if not isinstance(data, dict):
        raise CaseError(name, "", "expected the facts object of an earlier run")
    return data


def vendor_slugs() -> tuple[str, ...]:
    """Return the vendors the format knows."""
    return tuple(get_args(fmt.Slug))
