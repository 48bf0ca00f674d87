"""A packet as PDF, made from its JSON."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from console.shared.typesetting import set_in_type
from console.tickets.packet import Packet, as_json
from console.tickets.packet_text import figure_words, header_words, payload_words, place_words

_TEMPLATE = Path(__file__).with_name("packet.typ")


def as_pdf(content: Packet) -> bytes:
    """Set a packet."""
    return pdf_of(as_json(content))


def pdf_of(data: Mapping[str, Any], form: str = "pdf") -> bytes:
    """Set a packet's data, as "pdf" or, to be read by a machine, as "html"."""
    return set_in_type(_TEMPLATE, _printed(data), at=datetime.fromisoformat(data["written_at"]), form=form)


def _printed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the template sets. All are texts, so that nothing can be taken for markup."""
    count = data["notes"]
    return {
        "title": f"NoteTrace ticket {data['ticket']}",
        "facility": data["facility"],
        "written": data["written_at"],
        "to": data["addressed_to"],
        "salutation": data["salutation"],
        "regards": data["written_by"],
        "about": [
            ["What happened", f"{data['failure_mode']}, {count} {'note' if count == 1 else 'notes'}"],
            [data["certainty"], data["cause"] or "see the checks"],
            *([["Category", data["category"]]] if data["category"] else []),
            ["Integration", f"{data['integration']} ({data['vendor']}, {data['protocol']})"],
            ["Environment", data["environment"]],
            ["Endpoints", ", ".join(data["endpoints"]) or "not entered"],
        ],
        "asks": list(data["asks"]),
        "journey": [[s["stage"], s["state"], s["at"]] for s in data["journey"]],
        "passed": str(data["checks_passed"]),
        "checks": [
            [c["status"], c["title"], c["says"], "; ".join(figure_words(figure) for figure in c["figures"])]
            for c in data["checks"]
        ],
        "left_out": str(data["left_out"]) if data["left_out"] else "",
        "requests": [
            {
                "line": [r["at"], f"{r['method']} {r['path']}", r["answer"]],
                "ids": f"request id {r['request_id'] or 'none'}, transaction id {r['transaction_id'] or 'none'}",
                "error": r["error"],
                "sent": "; ".join(header_words(header) for header in r["request_headers"]),
                "answered": "; ".join(header_words(header) for header in r["response_headers"]),
            }
            for r in data["requests"]
        ],
        "payload": payload_words(data) if data["payload"] else "",
        "places": [[p["path"], place_words(p)] for p in data["payload"]["places"]] if data["payload"] else [],
        "more_places": str(data["payload"]["left_out"]) if data["payload"] and data["payload"]["left_out"] else "",
    }
