"""Propose which column of a CSV file means which key of the contract, by the names that logs give their columns."""

import re
from collections.abc import Iterable, Mapping, Sequence

KEYS: dict[str, tuple[str, ...]] = {
    "scribe": (
        "at", "event", "note_id", "transaction_id", "request_id", "encounter_id", "patient_id", "provider_id", "site",
        "method", "url", "status", "ack", "ack_id", "latency_ms", "attempt", "error", "content_type",
        "response_headers", "expires_in", "scope", "token_id",
    ),
    "ehr": (
        "at", "event", "transaction_id", "request_id", "client_id", "resource", "encounter_id", "patient_id",
        "author_id", "fields", "status", "ack", "error", "change",
    ),
    "firewall": ("at", "action", "source", "destination", "port"),
    "proxy": ("at", "method", "url", "status", "result", "client"),
}  # fmt: skip
"""The keys of each log's rows, in the order of the contract."""

NEEDED = {"scribe": ("at", "event"), "ehr": ("at", "event"), "firewall": ("at", "action"), "proxy": ("at",)}
OBJECTS = ("fields", "change", "response_headers")
NUMBERS = ("latency_ms", "attempt", "expires_in")

_DATE = ("date", "log_date", "event_date", "day")
_TIME = ("time", "log_time", "event_time", "time_of_day")
_NAMES: dict[str, str] = {
    "at": (
        "timestamp time_stamp ts date_time datetime event_time event_timestamp logged_at log_time created_at "
        "occurred_at recorded time date event_date_time eventdatetime transaction_time receive_time generate_time "
        "start_time time_generated log_timestamp message_time utc_time"
    ),
    "event": "event_type event_name eventtype event_action activity type stage step message_event",
    "note_id": "note noteid external_note_id document_note_id scribe_note_id note_number note_uuid",
    "transaction_id": (
        "transaction transactionid txn_id tx_id message_control_id control_id msh10 msh_10 msh10_control_id "
        "message_id messageid correlation_id document_unique_id master_identifier txa12"
    ),
    "request_id": "request requestid x_request_id req_id trace_id traceparent opc_request_id correlationid",
    "encounter_id": (
        "encounter encounterid visit visit_id visit_number csn contact_serial_number pv1_19 encounter_number "
        "appointment_id"
    ),
    "patient_id": "patient patientid mrn medical_record_number pid_3 pid3 patient_mrn pat_id",
    "provider_id": "provider providerid npi clinician clinician_id author author_id physician physician_id user_id",
    "author_id": "author authorid provider provider_id clinician clinician_id user user_id practitioner_id",
    "client_id": "client clientid application app app_id application_id sending_application calling_app oauth_client",
    "site": "site_id location facility clinic practice sending_facility",
    "method": "http_method verb request_method cs_method",
    "url": "uri request_url request_uri endpoint target address path cs_uri cs_uri_stem",
    "status": "http_status status_code statuscode response_code http_status_code http_code sc_status response_status",
    "ack": "ack_code acknowledgment_code acknowledgement_code msa_1 msa1",
    "ack_id": "msa_2 msa2 ack_control_id acknowledged_id",
    "latency_ms": "latency duration_ms duration elapsed_ms elapsed response_time_ms response_time",
    "attempt": "attempt_number try retry retry_count attempts send_attempts",
    "error": (
        "error_message errormessage error_text message error_description failure_reason reason details "
        "response_body outcome_desc exception"
    ),
    "content_type": "contenttype mime_type media_type",
    "response_headers": "headers responseheaders",
    "expires_in": "expires token_expires_in",
    "scope": "scopes granted_scope granted_scopes",
    "token_id": "token token_fingerprint jti",
    "resource": "resource_reference resource_id document_id doc_id documentreference object entity target_resource",
    "fields": "field_values filed_fields sections",
    "change": "change_details configuration_change",
    "action": "disposition verdict decision fw_action rule_action policy_action",
    "source": "src src_ip source_ip source_address srcaddr src_addr sourceip client_ip srcip",
    "destination": "dst dst_ip dest dest_ip destination_ip destination_address dstaddr dst_addr destip dstip",
    "port": "dst_port dest_port destination_port dport dstport service_port server_port",
    "result": "cache_result result_code squid_result x_cache termination_state outcome s_action",
    "client": "client_ip c_ip clientip remote_addr remote_address src_ip source_ip client_address",
}  # fmt: skip


def suggest(headers: Sequence[str], log: str) -> dict[str, str]:
    """Propose a mapping {column: contract key} for a file's header; "" where a column seems to mean nothing here.

    A key is given once, to the first column that names it best; `at` also to a date column and its time column.
    """
    keys = KEYS[log]
    names = {header: plain(header) for header in headers}
    found = dict.fromkeys(headers, "")
    taken: set[str] = set()
    for header, name in names.items():  # the contract's own names first
        key = _dotted(header, keys) or (name if name in keys else "")
        if key and key not in taken:
            found[header] = key
            taken.add(key)
    if "at" not in taken and (pair := _pair(names)):
        found.update(dict.fromkeys(pair, "at"))
        taken.add("at")
    for key in keys:
        if key in taken:
            continue
        for synonym in _NAMES.get(key, "").split():
            column = next((h for h, name in names.items() if name == synonym and not found[h]), None)
            if column is not None:
                found[column] = key
                break
    return found


def missing(mapping: Mapping[str, str], log: str) -> list[str]:
    """Return the keys that every row of a log needs and no column is mapped to."""
    return [key for key in NEEDED[log] if key not in mapping.values()]


def plain(header: str) -> str:
    """Return a column's name as it is compared: small letters, digits and single underscores."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", header.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _pair(names: Mapping[str, str]) -> tuple[str, str] | None:
    """Find a date column and a time column."""
    date = _first(names, _DATE)
    time = _first(names, _TIME)
    return (date, time) if date is not None and time is not None else None


def _first(names: Mapping[str, str], wanted: Iterable[str]) -> str | None:
    return next((header for each in wanted for header, name in names.items() if name == each), None)


def _dotted(header: str, keys: Sequence[str]) -> str:
    """Return a key for one entry of an object, such as fields.HPI_TXT or change.kind."""
    head, dot, entry = header.strip().partition(".")
    return f"{head}.{entry}" if dot and entry and head in OBJECTS and head in keys else ""
