"""Define the small rules a vendor profile is made of: rates, routes, tenants, keys, version floors, rule packs.

Each is data. Where a rule can answer a question (how long to wait, which tenant an address names), the answer is a
pure function of its arguments; nothing here reads a clock.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit


@dataclass(frozen=True)
class RequiredElement:
    """Be one element this vendor requires in a DocumentReference, or refuses; `path` is a FHIRPath of plain steps.

    `persona` limits the rule to `provider` (a person signed in) or `system` (a service account); empty: to both.
    """

    path: str
    says: str
    persona: str = ""


@dataclass(frozen=True)
class AllowedValues:
    """Say which codes an element may hold where the vendor takes fewer than FHIR does."""

    path: str
    values: tuple[str, ...]
    persona: str = ""

    @property
    def says(self) -> str:
        """Say the rule in words."""
        whose = f" for a {self.persona}" if self.persona else ""
        return f"{self.path}: {' or '.join(self.values)}{whose}"


@dataclass(frozen=True)
class RateRule:
    """Say how the vendor limits requests; `per_minute` counts in calendar minutes where `calendar` is set.

    `counts_tokens`: requests for tokens and authorizations count as well. `daily_reset_utc`: the hour (UTC) at which a
    daily quota starts anew; None where no daily quota is known.
    """

    per_minute: int | None = None
    calendar: bool = False
    retry_after: bool = False
    token_requests_per_minute: int | None = None
    counts_tokens: bool = False
    daily_reset_utc: int | None = None

    def wait(self, at: datetime | None, retry_after: str = "", *, daily: bool = False) -> str:
        """Say how long to wait after a refusal at `at`; the server's own Retry-After goes before every rule.

        `daily` tells that a daily quota is used up. Times are given in UTC.
        """
        stated = retry_after.strip()[:40]
        if stated:
            return f"Wait as long as the server asks (Retry-After: {stated})."
        if daily and self.daily_reset_utc is not None:
            return f"Wait until the daily quota starts anew at {self.daily_reset_utc:02d}:00 UTC."
        if daily:
            return "Wait until tomorrow: the daily limit is used up, and trying again today cannot help."
        if self.calendar:
            next_minute = f" ({_next_minute(at):%H:%M:%S} UTC)" if at is not None else ""
            return f"Wait for the next calendar minute{next_minute}: until then every request is refused."
        return "Wait with growing pauses: a random time up to 1, 2, 4 … seconds, at most 60."


def _next_minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)


@dataclass(frozen=True)
class WriteRoute:
    """Be one way notes are written that the FHIR metadata does not describe.

    `surface` is the value of the Surface that answers there; `path` an expression for the address' path (empty: it
    cannot be told by its path); `form` the names of the form fields without which the route takes nothing.
    """

    surface: str
    says: str
    path: str = ""
    form: tuple[str, ...] = ()

    def holds(self, url: str) -> bool:
        """Tell whether an address is one of this route."""
        return bool(self.path) and re.search(self.path, _path(url)) is not None


@dataclass(frozen=True)
class TenantRule:
    """Say where an address names the tenant (practice, hospital), and how the server answers a wrong one.

    `path` is an expression whose first group is the tenant key; `statuses` and `words` recognise the refusal.
    """

    name: str
    path: str = ""
    statuses: tuple[int, ...] = ()
    words: str = ""

    @property
    def says(self) -> str:
        """Say the rule in words."""
        return f"the {self.name} stands in the address' path"

    def of(self, url: str) -> str | None:
        """Return the tenant an address names, or None."""
        found = re.search(self.path, _path(url)) if self.path else None
        return found[1] if found else None

    def refuses(self, status: int | None, text: str) -> bool:
        """Tell whether an answer says that the tenant is wrong."""
        return bool(self.words) and status in self.statuses and bool(re.search(self.words, text[:8192], re.IGNORECASE))


def _path(url: str) -> str:
    try:
        return urlsplit(url).path[:2000]
    except ValueError:
        return ""


@dataclass(frozen=True)
class KeyRule:
    """Say from which release a vendor wants a key set address instead of an uploaded key.

    Releases are (year, month); they count from each customer's own upgrade, not from a date. `conflict` tells where
    the vendor's texts contradict each other.
    """

    key_set_from: tuple[int, int]
    uploaded_keys_end: tuple[int, int]
    site_keys_from: tuple[int, int] | None = None
    conflict: str = ""

    @property
    def says(self) -> str:
        """Say the rule in words, with what is disputed of it."""
        here = (
            f", a site may register a key itself from {release_name(self.site_keys_from)}"
            if self.site_keys_from
            else ""
        )
        return (
            f"A key set is wanted from {release_name(self.key_set_from)}, uploaded keys end with "
            f"{release_name(self.uploaded_keys_end)}{here}. {self.conflict}"
        ).strip()

    def ended(self, release: tuple[int, int]) -> bool:
        """Tell whether uploaded keys have ended in this release."""
        return release >= self.uploaded_keys_end


_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
_RELEASE = re.compile(rf"\b({'|'.join(_MONTHS)})[ ,]{{1,3}}(20[0-9]{{2}})\b", re.IGNORECASE)


def release_of(text: str | None) -> tuple[int, int] | None:
    """Return the release that a text such as `May 2026` names, as (year, month); of several the last."""
    found = _RELEASE.findall((text or "")[:400])
    return (int(found[-1][1]), _MONTHS.index(found[-1][0].lower()) + 1) if found else None


def release_name(release: tuple[int, int]) -> str:
    """Return a release as its vendor writes it, such as `May 2026`."""
    return f"{_MONTHS[release[1] - 1].capitalize()} {release[0]}"


@dataclass(frozen=True)
class VersionFloor:
    """Say the oldest build that takes something; builds are compared number by number."""

    what: str
    build: str

    @property
    def says(self) -> str:
        """Say the rule in words."""
        return f"{self.build} for {self.what}"

    def reached(self, build: str) -> bool | None:
        """Tell whether a build is new enough; None where it is no number to compare."""
        mine, wanted = _numbers(build), _numbers(self.build)
        return None if mine is None or wanted is None else mine >= wanted


def _numbers(build: str) -> tuple[int, ...] | None:
    parts = re.findall(r"\d{1,12}", build[:60])
    return tuple(int(part) for part in parts) if len(parts) >= 2 else None


US_CORE_REQUIRED = (
    RequiredElement("status", "the document's status"),
    RequiredElement("type", "the kind of note"),
    RequiredElement("category", "the category, such as clinical-note"),
    RequiredElement("subject", "the patient"),
    RequiredElement("content", "the content"),
    RequiredElement("content.attachment", "the attachment"),
)
