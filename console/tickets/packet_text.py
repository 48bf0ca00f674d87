"""A packet as plain text, for a mail or a vendor's case form; made from its JSON, so that an old one reads the same."""

from collections.abc import Iterable, Mapping
from typing import Any

from console.tickets.packet import Packet, as_json

Data = Mapping[str, Any]


def as_text(content: Packet) -> str:
    """Write a packet."""
    return text_of(as_json(content))


def text_of(data: Data) -> str:
    """Write a packet's data."""
    category = f" ({data['category']})" if data["category"] else ""
    lines = [
        f"NoteTrace ticket {data['ticket']}, {data['facility']}",
        f"Written {data['written_at']}. All times are UTC. No patient data is in this text.",
        "",
        data["salutation"],
        "",
        f"we ask for your help with {_notes(data['notes'])}: {data['failure_mode'].lower()}.",
        "",
        f"Integration:   {data['integration']} ({data['vendor']}, {data['protocol']}, {data['environment'].lower()})",
        f"Endpoints:     {', '.join(data['endpoints']) or 'not entered'}",
        f"What happened: {data['failure_mode']}; {_notes(data['notes'])}",
        f"{data['certainty']}: {data['cause'] or 'see the checks'}{category}",
        "",
        "What we ask you for",
        *(f"{number}. {ask}" for number, ask in enumerate(data["asks"], 1)),
        "",
        "The way of the note",
        *(f"- {s['stage']}: {s['state']}{', ' + s['at'] if s['at'] else ''}" for s in data["journey"]),
        "",
        f"Checks that did not pass ({data['checks_passed']} passed)",
        *(line for check in data["checks"] for line in _check(check)),
        *([] if data["checks"] else ["- none"]),
        "",
        "Requests",
    ]
    shown = data["requests"]
    if data["left_out"]:
        lines.append(f"The newest {len(shown)} of {len(shown) + data['left_out']}.")
    for request in shown:
        lines += _request(request)
    if not shown:
        lines.append("- neither log has a request of these notes")
    lines += ["", *_payload(data), *(["", "Regards,", data["written_by"]] if data["written_by"] else []), ""]
    return "\n".join(lines)


def _notes(count: int) -> str:
    return "1 note" if count == 1 else f"{count} notes"


def _check(check: Data) -> Iterable[str]:
    yield f"- {check['status']}: {check['says']} (Checked was: {check['title']}.)"
    if check["figures"]:
        yield "  " + "; ".join(figure_words(figure) for figure in check["figures"])


def figure_words(figure: Data) -> str:
    """Write one figure of a check."""
    value = figure["value"]
    return f"{figure['name']}: {('yes' if value else 'no') if isinstance(value, bool) else value}"


def _request(request: Data) -> Iterable[str]:
    ids = f"request id {request['request_id'] or 'none'}, transaction id {request['transaction_id'] or 'none'}"
    error = f"  {request['error']}" if request["error"] else ""
    yield f"- {request['at']}  {request['method']} {request['path']}  {request['answer']}  {ids}{error}"
    timing = [f"{request['latency_ms']} ms"] if request["latency_ms"] is not None else []
    timing += [f"attempt {request['attempt']}"] if request["attempt"] else []
    if timing:
        yield f"  {', '.join(timing)}"
    for name, key in (("sent", "request_headers"), ("answered", "response_headers")):
        if request[key]:
            yield f"  headers {name}: " + "; ".join(header_words(header) for header in request[key])


def header_words(header: Data) -> str:
    """Write one header; of most only the name is sent along."""
    return header["name"] if header["value"] is None else f"{header['name']}: {header['value']}"


def _payload(data: Data) -> Iterable[str]:
    shape = data["payload"]
    if shape is None:
        yield "Payload: none is at hand"
        return
    yield f"Shape of the payload ({payload_words(data)}): places, types and lengths, no values"
    for place in shape["places"]:
        yield f"- {place['path']}  {place_words(place)}"
    if shape["left_out"]:
        yield f"- and {shape['left_out']} more places"


def payload_words(data: Data) -> str:
    """Say of which form and size the payload is, and how many others are like it."""
    shape = data["payload"]
    said = " ".join(part for part in (_FORMS.get(shape["form"], shape["form"]), shape["kind"]) if part)
    said += f", {shape['bytes']} bytes"
    if shape["problems"]:
        said += f", could not be read whole: {', '.join(shape['problems']).replace('_', ' ')}"
    return said + (f"; {data['payloads_alike']} more alike" if data["payloads_alike"] else "")


def place_words(place: Data) -> str:
    """Write what stands at one place of the payload."""
    times = f", {place['count']} times" if place["count"] > 1 else ""
    if place["longest"] is None:
        return f"{place['type']}{times}"
    longest = "longest " if place["count"] > 1 else ""
    return f"{place['type']}{times}, {longest}{place['longest']} characters"


_FORMS = {"json": "FHIR JSON", "xml": "FHIR XML", "hl7v2": "HL7 v2"}
