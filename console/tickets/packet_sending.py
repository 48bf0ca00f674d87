"""Sending a packet: mailed to a contact of the integration, or taken along as a file. Each sending is kept whole."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from console.accounts.access import require
from console.accounts.mail import send
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.integrations.models import Contact
from console.tickets.models import PacketSending, Ticket, TicketEvent, TicketState, WaitingFor
from console.tickets.moves import TicketError, move, write_event
from console.tickets.packet import as_json, packet
from console.tickets.packet_paper import pdf_of
from console.tickets.packet_text import text_of
from console.tickets.states import NEXT
from console.tickets.ticking import tick_by_packet

MAIL = "mail"
FORMS = {"pdf": "PDF", "text": "text", "json": "JSON", "zip": "PDF, text and JSON"}
_TYPES = {
    "pdf": ("application/pdf", "pdf"),
    "text": ("text/plain; charset=utf-8", "txt"),
    "json": ("application/json", "json"),
    "zip": ("application/zip", "zip"),
}


@transaction.atomic
def take_along(
    *, ticket: Ticket, how: str, by: User, contact: Contact | None = None, wait: bool = False
) -> tuple[bytes, str, str]:
    """Give the packet as a file (content, media type, name), and keep that it was taken along.

    `how` is one of FORMS. With `wait` the ticket waits on the vendor from now on.
    """
    if how not in FORMS:
        raise TicketError("A packet can be taken along as PDF, text, JSON, or all three.")
    sending = _keep(ticket, how=how, contact=contact, by=by, wait=wait)
    record(by=by, action="packet.taken", subject=ticket, facility=ticket.facility_id, detail={"ticket": ticket.number})
    media, extension = _TYPES[how]
    return file_of(content_of(sending), how), media, f"notetrace-ticket-{ticket.number}.{extension}"


@transaction.atomic
def mail_packet(*, ticket: Ticket, contact: Contact, by: User, wait: bool = False) -> PacketSending:
    """Mail the packet to one of the integration's contacts; to nobody else."""
    if contact.integration_id != ticket.integration_id or not contact.email:
        raise TicketError("This contact has no mail address. Add one to the integration first.")
    sending = _keep(ticket, how=MAIL, contact=contact, by=by, wait=wait)
    data = content_of(sending)
    subject = f"NoteTrace ticket {ticket.number}: {data['failure_mode']}, {data['integration']}"
    send(facility=ticket.facility, to=[contact.email], subject=subject, body=text_of(data), about="packet")
    record(
        by=by, action="packet.mailed", subject=ticket, facility=ticket.facility_id,
        detail={"ticket": ticket.number, "contact": str(contact.id)},
    )  # fmt: skip
    return sending


def content_of(sending: PacketSending) -> dict[str, Any]:
    """Read what a sending said."""
    content: dict[str, Any] = json.loads(bytes(sending.content))
    return content


def file_of(data: Mapping[str, Any], how: str) -> bytes:
    """Write a packet's data in one of FORMS."""
    if how == "pdf":
        return pdf_of(data)
    if how == "text":
        return text_of(data).encode()
    if how == "json":
        return json.dumps(data, ensure_ascii=False, indent=2).encode()
    name, out = f"notetrace-ticket-{data['ticket']}", io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in ("pdf", "text", "json"):
            archive.writestr(f"{name}.{_TYPES[one][1]}", file_of(data, one))
    return out.getvalue()


def may_wait(ticket: Ticket) -> bool:
    """Tell whether sending a packet may leave the ticket waiting on the vendor."""
    if ticket.state == TicketState.WAITING:
        return ticket.waiting_for != WaitingFor.VENDOR
    return TicketState.WAITING in NEXT[ticket.state]


def _keep(ticket: Ticket, *, how: str, contact: Contact | None, by: User, wait: bool) -> PacketSending:
    """Keep a sending with exactly what it says; its checklist items tick themselves."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    content = as_json(packet(locked, contact=contact, by=by))
    sending = PacketSending.objects.create(
        facility_id=ticket.facility_id,
        ticket=ticket,
        by=by,
        how=how,
        to=content["addressed_to"][:200] if contact else "",
        content=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
    )
    whom = str(contact)[:120] if contact and how == MAIL else ""
    write_event(ticket, TicketEvent.Kind.PACKET_SENT, by, after=whom, reference=sending.id)
    tick_by_packet(ticket, sending)
    if wait and may_wait(locked):
        move(locked, TicketState.WAITING, by, waiting_for=WaitingFor.VENDOR)
        ticket.refresh_from_db()
    return sending
