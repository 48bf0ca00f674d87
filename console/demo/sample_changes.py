"""Sample contacts, windows and change reviews for the sample's integrations."""

import copy
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from console.accounts.models import User
from console.changes.access import reviewers
from console.changes.models import ChangeReview
from console.changes.queries import in_force, mappings
from console.changes.services import decide, propose
from console.integrations.models import Contact, Integration, TemplateVersion
from console.integrations.services import add_window, set_guide

_ENGINEER, _PROPOSER = "engineer@northcampus.example", "informatics@northcampus.example"
_CONTACTS = (
    ("Scribe vendor on call", "AI scribe's integration desk", "oncall@scribe.example", "+1 555 0140"),
    ("Interface team", "Hospital's own, weekdays 7 to 18", "interfaces@hospital.example", "+1 555 0151"),
)
_ESCALATION = (
    "1. EHR vendor's support desk, by ticket; severity 1 by telephone.\n"
    "2. Scribe vendor on call, any hour.\n"
    "3. Integration lead of the hospital, when no answer came within 60 minutes."
)


def make_changes(users: dict[str, User], now: datetime) -> int:
    """Make what surrounds the sample's integrations; give the number of change reviews."""
    rows = list(Integration.objects.select_related("facility").order_by("name", "id"))
    for row in rows:
        _surround(row, users[_ENGINEER], now)
    return _reviews([row for row in rows if row.facility.slug in ("northcampus", "lakeside")], users[_PROPOSER], now)


def _surround(row: Integration, by: User, now: datetime) -> None:
    Contact.objects.bulk_create(
        Contact(integration=row, name=name, role=role, email=email, phone=phone)
        for name, role, email, phone in _CONTACTS
    )
    set_guide(
        integration=row, runbook_url=f"https://runbooks.scribe.example/{row.vendor}", escalation=_ESCALATION, by=by
    )
    night = now.astimezone(ZoneInfo(row.facility.time_zone)).replace(hour=23, minute=0, second=0, microsecond=0)
    for days, hours, note in ((-24, 3, "Monthly patches of the interface servers"), (6, 5, "EHR upgrade")):
        start = night + timedelta(days=days)
        add_window(integration=row, start=start, end=start + timedelta(hours=hours), note=note, by=None)


def _reviews(rows: list[Integration], by: User, now: datetime) -> int:
    """Make one approved, one sent back and one waiting review, each for a template that somebody maps to."""
    held, ruled = in_force([row.id for row in rows]), mappings([row.id for row in rows])
    by_template: dict[tuple[Any, str], list[Integration]] = {}
    for row in rows:
        version = held.get(row.id)
        if version is not None and row.id in ruled and version.content.get("fields"):
            by_template.setdefault((row.facility_id, version.template_id), []).append(row)
    groups = sorted(by_template.values(), key=lambda group: (-len(group), group[0].name))
    made = 0
    for group, make in zip(groups * 3, (_wait, _send_back, _approve), strict=False):
        base = max((held[row.id] for row in group), key=lambda version: version.version)
        make(group, base, ruled[group[0].id].content, by, now)
        made += 1
    return made


def _wait(group: list[Integration], base: TemplateVersion, mapping: dict[str, Any], by: User, now: datetime) -> None:
    """Propose a version that renames a mapped field, shortens another and demands a new one."""
    content = _next(base, 3)
    mapped = [rule["field"] for rule in mapping.get("rules", ())]
    fields = [field for field in content["fields"] if field["id"] in mapped]
    fields[0].setdefault("label", fields[0]["id"].replace("_", " ").title())
    base_field = next(field for field in base.content["fields"] if field["id"] == fields[0]["id"])
    fields[0]["label"] = base_field.get("label") or fields[0]["label"]
    fields[0]["id"] += "_2"
    for field in fields[1:2]:
        field["max_length"] = 500
    content["fields"].append({"id": "SDOH_TXT", "label": "Social needs", "required": True, "kind": "text"})
    _propose(group, content, "New page for social needs; the EHR team tidies field names with it.", by, now, 6)


def _send_back(
    group: list[Integration], base: TemplateVersion, mapping: dict[str, Any], by: User, now: datetime
) -> None:
    """Propose a version without a mapped field, and send it back."""
    content = _next(base, 1)
    gone = mapping["rules"][-1]["field"]
    content["fields"] = [field for field in content["fields"] if field["id"] != gone]
    review = _propose(group, content, "Shorter page for follow-up visits.", by, now - timedelta(days=9), 16)
    reason = f"{gone} is still mapped. Keep it until the scribe vendor has moved the section, then propose it again."
    _date(decide(review=review, approve=False, reason=reason, by=by), now - timedelta(days=8))


def _approve(group: list[Integration], base: TemplateVersion, _: dict[str, Any], by: User, now: datetime) -> None:
    """Propose a version that only adds a field, and approve it for the day of the upgrade."""
    content = _next(base, 2)
    content["fields"].append({"id": "INTERP_TXT", "label": "Interpreter used", "kind": "text"})
    review = _propose(group, content, "Adds a field that no note fills yet.", by, now - timedelta(days=4), 11)
    colleague = reviewers(review.facility).exclude(pk=by.pk).first()
    _date(decide(review=review, approve=True, reason="", by=colleague or by), now - timedelta(days=3))


def _next(base: TemplateVersion, by: int) -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(dict(base.content))
    content.pop("changed_at", None)
    content |= {"template_id": base.template_id, "version": base.version + by}
    return content


def _propose(
    group: list[Integration], content: dict[str, Any], note: str, by: User, at: datetime, days: int
) -> ChangeReview:
    day = (at + timedelta(days=days)).astimezone(ZoneInfo(group[0].facility.time_zone)).date()
    review = propose(integrations=group, content=content, goes_live_on=day, note=note, by=by)
    ChangeReview.objects.filter(pk=review.pk).update(proposed_at=at - timedelta(hours=3))
    review.refresh_from_db()
    return review


def _date(review: ChangeReview, at: datetime) -> None:
    ChangeReview.objects.filter(pk=review.pk).update(decided_at=at)
