"""List the facts of a vendor profile one by one: what each is called, how it is shown, read and overridden.

One list serves the case format, the console's page and the merge of an integration's own copy, so that none of them
can know a fact the others do not. A fact's name is public (`integration.vendor_profile`, docs/case-additions.md).
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from diagnostics.vendors.model import RequiredElement, Source, Surface, VendorCode, VendorProfile

_LONG, _MANY = 200, 100


class Kind(StrEnum):
    """Say what form a fact's value has."""

    NUMBER = "number"  # a whole number, or nothing where it is not known
    FLAG = "flag"
    WORDS = "words"  # a list of short texts
    ELEMENTS = "elements"  # required elements: path → what it is
    CODES = "codes"  # the vendor's codes by surface
    RULE = "rule"  # shown, not editable


class Group(StrEnum):
    """Name the part of a profile a fact stands in."""

    SIGN_IN = "Sign-in"
    ADDRESSES = "Addresses"
    TAKES = "What the EHR takes"
    DOCUMENT = "Rules for a document"
    LIMITS = "Limits and delays"
    ANSWERS = "Answers"


class ProfileError(ValueError):
    """Tell that an override is not one; `fact` is its name, the message says what was expected."""

    def __init__(self, fact: str, expected: str) -> None:
        self.fact, self.expected = fact, expected
        super().__init__(f"{fact}: {expected}")


@dataclass(frozen=True)
class Fact:
    """Be one fact of a profile. `least` and `most` bound a number; `within` names the rule a number is part of."""

    name: str
    label: str
    group: Group
    kind: Kind
    unit: str = ""
    least: int = 1
    most: int = 0
    within: str = ""

    @property
    def editable(self) -> bool:
        """Tell whether an integration may have its own value."""
        return self.kind is not Kind.RULE

    @property
    def field(self) -> str:
        """Return the name of the profile's field that holds it."""
        return self.within or self.name

    def of(self, profile: VendorProfile) -> Any:
        """Return the fact's value in a profile."""
        held = getattr(profile, self.field)
        return getattr(held, self.name.removeprefix(f"{self.within}_")) if self.within else held

    def read(self, value: Any) -> Any:
        """Return a JSON value as the profile holds it; raise ProfileError saying what was expected."""
        return _READERS[self.kind](self, value)

    def plain(self, value: Any) -> Any:
        """Return a profile's value as JSON holds it; `read` takes it back. Only for editable facts."""
        if self.kind is Kind.WORDS:
            return list(value)
        if self.kind is Kind.ELEMENTS:
            return {element.path: element.says for element in value}
        if self.kind is Kind.CODES:
            return [
                {"surface": surface.value, "code": code, "says": known.says}
                | ({"cause": known.cause} if known.cause else {})
                for (surface, code), known in value.items()
            ]
        return value


def _number(fact: Fact, value: Any) -> int | None:
    if value is None and fact.name not in _ALWAYS:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not fact.least <= value <= fact.most:
        raise ProfileError(fact.name, f"expected a whole number from {fact.least} to {fact.most}")
    return value


def _flag(fact: Fact, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ProfileError(fact.name, "expected true or false")
    return value


def _words(fact: Fact, value: Any) -> tuple[str, ...]:
    good = isinstance(value, list | tuple) and len(value) <= _MANY
    if not good or any(not isinstance(word, str) or not 0 < len(word.strip()) <= _LONG for word in value):
        raise ProfileError(fact.name, f"expected a list of at most {_MANY} short texts")
    words = (word.strip() for word in value)
    return tuple(dict.fromkeys(word.lower() if fact.name in _LOWER else word for word in words))


def _elements(fact: Fact, value: Any) -> tuple[RequiredElement, ...]:
    if not isinstance(value, Mapping) or len(value) > _MANY:
        raise ProfileError(fact.name, "expected elements and what they are, such as context.encounter: the encounter")
    for path, says in value.items():
        steps = path.split(".") if isinstance(path, str) else []
        if not steps or not all(step.isascii() and step.isalnum() for step in steps) or len(path) > _LONG:
            raise ProfileError(fact.name, f"{str(path)[:60]!r} is no path of plain steps, such as context.encounter")
        if not isinstance(says, str) or len(says) > _LONG:
            raise ProfileError(fact.name, "expected a short text for each element")
    return tuple(RequiredElement(path, says.strip() or path) for path, says in value.items())


def _codes(fact: Fact, value: Any) -> dict[tuple[Surface, str], VendorCode]:
    from diagnostics import catalog

    if not isinstance(value, list | tuple) or len(value) > _MANY:
        raise ProfileError(fact.name, f"expected a list of at most {_MANY} codes")
    found = {}
    for row in value:
        if not isinstance(row, Mapping) or set(row) - {"surface", "code", "says", "cause"}:
            raise ProfileError(fact.name, "expected surface, code, says and perhaps cause for each code")
        surface, code, says, cause = (row.get(key) for key in ("surface", "code", "says", "cause"))
        if surface not in tuple(Surface):
            raise ProfileError(fact.name, f"a surface is one of {', '.join(Surface)}")
        if not isinstance(code, str) or not 0 < len(code.strip()) <= 60:
            raise ProfileError(fact.name, "a code is a short text")
        if not isinstance(says, str) or not 0 < len(says.strip()) <= _LONG:
            raise ProfileError(fact.name, f"say in a few words what {code.strip()} means")
        if cause is not None and (not isinstance(cause, str) or cause not in catalog.causes()):
            raise ProfileError(fact.name, f"{str(cause)[:60]!r} is no cause of the catalogue")
        found[(Surface(surface), code.strip())] = VendorCode(says.strip(), cause)
    return found


def _rule(fact: Fact, value: Any) -> Any:
    raise ProfileError(fact.name, "is shown, and cannot be changed for one integration")


_READERS = {
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.WORDS: _words,
    Kind.ELEMENTS: _elements,
    Kind.CODES: _codes,
    Kind.RULE: _rule,
}
_ALWAYS = ("assertion_life_s", "usual_filing_minutes")  # numbers that are always known
_LOWER = ("sandbox_bases", "production_bases", "request_id_headers", "content_types")

_S, _A, _T, _D, _L, _W = Group
FACTS: tuple[Fact, ...] = (
    Fact("grants", "Grants the token server offers", _S, Kind.WORDS),
    Fact("restricted_grants", "Grants opened for a client only when it goes live", _S, Kind.WORDS),
    Fact("auth_methods", "Ways to prove the client", _S, Kind.WORDS),
    Fact("algorithms", "Signing algorithms", _S, Kind.WORDS),
    Fact("assertion_life_s", "Longest life of a signed assertion", _S, Kind.NUMBER, "seconds", 1, 86_400),
    Fact("token_ttl_s", "Usual life of an access token", _S, Kind.NUMBER, "seconds", 1, 2_592_000),
    Fact("refresh_within_hours", "A refresh token must be exchanged within", _S, Kind.NUMBER, "hours", 1, 8_760),
    Fact("refresh_ends_with_session", "With online_access, sign-out ends the refresh token", _S, Kind.FLAG),
    Fact("client_ids_by_environment", "Separate client ids for testing and production", _S, Kind.FLAG),
    Fact("client_sync_hours", "A newly enabled client works after", _S, Kind.NUMBER, "hours", 1, 720),
    Fact("key_rule", "Key sets instead of uploaded keys", _S, Kind.RULE),
    Fact("key_set_allow_listed", "Key sets are fetched from listed addresses only", _S, Kind.FLAG),
    Fact("has_api_key_layer", "An API key beside the token", _S, Kind.FLAG),
    Fact("sandbox_bases", "Addresses of sandboxes begin with", _A, Kind.WORDS),
    Fact("production_bases", "Addresses of production begin with", _A, Kind.WORDS),
    Fact("tenant", "Tenant in the address", _A, Kind.RULE),
    Fact("request_id_headers", "Headers that carry the request id", _A, Kind.WORDS),
    Fact("advertises_create", "Metadata list the create of documents", _T, Kind.FLAG),
    Fact("separate_write_route", "Notes go by a route of their own", _T, Kind.FLAG),
    Fact("write_routes", "Routes for notes", _T, Kind.RULE),
    Fact("creates", "Resource types it creates", _T, Kind.WORDS),
    Fact("no_creates", "Resource types it does not create", _T, Kind.WORDS),
    Fact("version_floor", "Oldest build that takes notes", _T, Kind.RULE),
    Fact("conditional_create", "Honours If-None-Exist", _T, Kind.FLAG),
    Fact("files_unsigned", "Files notes unsigned, in a queue", _T, Kind.FLAG),
    Fact("required", "Required elements", _D, Kind.ELEMENTS),
    Fact("allowed", "Values it takes", _D, Kind.RULE),
    Fact("refused", "Elements it does not take", _D, Kind.RULE),
    Fact("single", "Elements that hold one entry", _D, Kind.WORDS),
    Fact("timed", "Dates that need a time", _D, Kind.WORDS),
    Fact("content_types", "Content types of the text", _D, Kind.WORDS),
    Fact("charset_required", "The content type names the character set", _D, Kind.FLAG),
    Fact("inline_data_only", "The text travels inside, not as an address", _D, Kind.FLAG),
    Fact("note_types", "Note types mapped at the site", _D, Kind.WORDS),
    Fact("type_system_exclusive", "LOINC or the vendor's codes, never both", _D, Kind.FLAG),
    Fact("standard_types_only", "Note types of the standard lists only", _D, Kind.FLAG),
    Fact("rejects_modifier_extensions", "Refuses modifier extensions", _D, Kind.FLAG),
    Fact("ignores_unsupported", "Drops what it does not know without a word", _D, Kind.FLAG),
    Fact("rate_per_minute", "Requests a minute", _L, Kind.NUMBER, "", 1, 1_000_000, "rate"),
    Fact("rate_calendar", "Counted by the calendar minute", _L, Kind.FLAG, within="rate"),
    Fact("rate_retry_after", "Sends Retry-After", _L, Kind.FLAG, within="rate"),
    Fact("rate_token_requests_per_minute", "Token requests a minute", _L, Kind.NUMBER, "", 1, 1_000_000, "rate"),
    Fact("rate_counts_tokens", "Token requests count as well", _L, Kind.FLAG, within="rate"),
    Fact("rate_daily_reset_utc", "The daily quota starts anew at", _L, Kind.NUMBER, "o'clock UTC", 0, 23, "rate"),
    Fact("daily_limit_codes", "Codes that mean a daily limit", _L, Kind.WORDS),
    Fact("usual_filing_minutes", "Usual time from a good answer to the chart", _L, Kind.NUMBER, "minutes", 1, 10_080),
    Fact("codes", "Error codes", _W, Kind.CODES),
    Fact("answers", "Answers known without a number", _W, Kind.RULE),
)
BY_NAME = {fact.name: fact for fact in FACTS}


def read_overrides(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return an integration's own facts as a profile holds them; raise ProfileError naming the first that is wrong."""
    if not isinstance(overrides, Mapping):
        raise ProfileError("vendor_profile", "expected an object of facts")
    for name in overrides:
        if name not in BY_NAME:
            raise ProfileError(str(name)[:60], "is no fact of a vendor profile")
    return {name: BY_NAME[name].read(value) for name, value in overrides.items()}


def merged(profile: VendorProfile, overrides: Mapping[str, Any] | None) -> VendorProfile:
    """Return the profile as it holds for one integration: its own facts in place of the vendor's.

    Codes are added to the vendor's, a code of the same surface and number taking its place. The site's own word
    counts as verified. What is no override is left out: `read_overrides` refuses it where it comes in, and a stored
    one of another release must not stop a diagnosis.
    """
    if not overrides:
        return profile
    return _merged(profile.slug, msgspec.json.encode(overrides, order="sorted"))


@lru_cache(maxsize=256)
def _merged(slug: str, encoded: bytes) -> VendorProfile:
    from diagnostics.vendors import profile as profile_of

    profile = profile_of(slug)
    values = dict(_readable(msgspec.json.decode(encoded)))
    changed: dict[str, Any] = {}
    for name, value in values.items():
        fact = BY_NAME[name]
        if fact.within:
            held = changed.get(fact.within, getattr(profile, fact.within))
            changed[fact.within] = replace(held, **{name.removeprefix(f"{fact.within}_"): value})
        else:
            changed[name] = {**profile.codes, **value} if fact.kind is Kind.CODES else value
    here = Source("set for this integration", "this integration", "", True, tuple(values))
    return replace(profile, sources=(here, *profile.sources), **changed)


def _readable(overrides: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in overrides.items():
        if name in BY_NAME:
            with suppress(ProfileError):
                yield name, BY_NAME[name].read(value)


def source_of(profile: VendorProfile, fact: Fact) -> Source | None:
    """Return where a fact comes from: of itself, else of the rule it is part of."""
    return profile.source_of(fact.name) or (profile.source_of(fact.within) if fact.within else None)


def words_of(fact: Fact, value: Any) -> str:
    """Say a fact's value in words for a page; empty where nothing is known or set."""
    if fact.kind is Kind.NUMBER:
        return "" if value is None else f"{value} {fact.unit}".strip()
    if fact.kind is Kind.FLAG:
        return "yes" if value else "no"
    if fact.kind is Kind.WORDS:
        return "all" if tuple(value) == ("*",) else ", ".join(value)
    if fact.kind is Kind.ELEMENTS:
        return ", ".join(element.path + (f" ({element.persona})" if element.persona else "") for element in value)
    if fact.kind is Kind.CODES:
        return f"{len(value)} code{'' if len(value) == 1 else 's'}" if value else ""
    return _rule_words(value)


def _rule_words(value: Any) -> str:
    if value is None:
        return ""
    return "; ".join(dict.fromkeys(each.says for each in value)) if isinstance(value, tuple) else str(value.says)
