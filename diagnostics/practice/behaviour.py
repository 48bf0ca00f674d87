"""List every knob of the practice EHR; a fault is nothing but a few of them turned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Behaviour:
    """How one tenant answers; the defaults are the healthy EHR."""

    # names: ok nxdomain servfail refused timeout, per role
    dns_fhir: str = "ok"
    dns_auth: str = "ok"
    dns_mllp: str = "ok"
    # sockets: open refused silent
    socket_fhir: str = "open"
    socket_auth: str = "open"
    socket_mllp: str = "open"
    # certificates: a variant of authority.py
    tls_fhir: str = "good"
    tls_auth: str = "good"
    tls_mllp: str = "good"
    tls_keys: str = "good"
    # forward proxy: pass credentials block strip
    proxy: str = "pass"
    # gateway before the FHIR server: none bad_gateway unavailable throttle timeout_after_filing
    gateway: str = "none"
    clock_offset_s: float = 0.0
    # discovery and token server
    discovery: str = "ok"  # ok down
    token_moved: bool = False
    token_ttl_s: int = 300
    token_opaque: bool = False
    client: str = "active"  # active unknown inactive
    secret_rotated: bool = False
    refresh: str = "ok"  # ok used keep (keep: may be used again)
    token_door: str = "open"  # open redirect page interaction
    registered_scopes: tuple[str, ...] | None = None  # None: all a scribe needs
    granted_scopes: tuple[str, ...] | None = None  # None: as asked
    jwks: str = "ok"  # ok key_gone key_replaced not_found page two_keys
    api_key_needed: bool = False
    step_up: bool = False
    practice_moved: bool = False
    # FHIR
    base: str = "ok"  # ok sandbox stu3
    metadata_protected: bool = False
    create_advertised: bool = True
    create_refused: bool = False
    write_route: bool = False  # notes are created at a route of their own
    metadata: str = "ok"  # ok huge deep endless stalled torn garbage
    strict_media_type: bool = True
    body_limit: int = 2_000_000
    duplicate_refused: bool = False
    accept_later: str = "no"  # no filed lost
    readback: str = "ok"  # ok absent
    search: str = "all"  # all no_identifier (the parameter is not heeded) none
    conditional_create: bool = True  # If-None-Exist is heeded
    keeps_identifiers: bool = True
    cut: str = "none"  # none request (lost before the write) answer (lost after it): of documents and messages
    server_error: bool = False
    answer_delay_s: float = 0.0
    processing_s: float = 0.0  # how long the story says that accepting took
    permission: str = "all"  # all no_write nothing
    encounter_rule: str = "none"  # none owner department
    audit: str = "ok"  # ok none forbidden breaks busy unsorted elsewhere circle
    # HL7 v2
    ack: str = "ok"  # ok none other_id internal_error unknown_key locked
    obx_limit: int | None = None
    obx_silent_cut: int | None = None
    hl7_versions: tuple[str, ...] = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1")
    # filing
    filing: str = "ok"  # ok misrouted collapsed catch_all drop_section other_patient other_encounter service_author
    template: str = "ok"  # ok renamed_field required_added


BEHAVIOUR_KNOBS = frozenset(f.name for f in fields(Behaviour))


def behaviour_of(overrides: Iterable[Mapping[str, Any]]) -> Behaviour:
    """Turn the knobs of several faults at once; where two turn the same one, the later wins."""
    behaviour = Behaviour()
    for override in overrides:
        behaviour = replace(behaviour, **override)
    return behaviour
