"""Which alerts, integrations and imports a person sees: those of the facilities in which he has the right."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404

from console.accounts.access import grants, require
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.integrations.models import Integration, Source, SourceToken
from console.monitoring.models import Alert, AlertRule
from console.notes.models import LogImport

Person = User | AnonymousUser


def integration_or_404(user: Person, integration_id: uuid.UUID) -> Integration:
    """Give an integration whose health a person may see."""
    return _one(
        user,
        Integration.objects.select_related("facility"),
        integration_id,
        Right.SEE_INTEGRATIONS,
        "There is no such integration.",
    )


def alert_or_404(user: Person, alert_id: uuid.UUID, right: Right | None = None) -> Alert:
    """Give an alert; 403 where the person sees it but lacks `right`."""
    rows = Alert.objects.select_related("integration", "facility", "ticket", "acknowledged_by")
    alert: Alert = _one(user, rows, alert_id, Right.SEE_INTEGRATIONS, "There is no such alert.")
    if right is not None:
        require(user, right, alert.facility_id)
    return alert


def facility_or_404(user: Person, facility_id: uuid.UUID) -> Facility:
    """Give a facility whose rules a person may change: 404 where he sees none of it, 403 where he only sees."""
    facility = Facility.objects.filter(pk=facility_id, id__in=grants(user).where(Right.SEE_INTEGRATIONS)).first()
    if facility is None:
        raise Http404("There is no such facility.")
    require(user, Right.MANAGE_INTEGRATIONS, facility.id)
    return facility


def rule_or_404(user: Person, rule_id: uuid.UUID) -> AlertRule:
    """Give a rule that a person may change."""
    rule: AlertRule = _one(user, AlertRule.objects.all(), rule_id, Right.SEE_INTEGRATIONS, "There is no such rule.")
    require(user, Right.MANAGE_INTEGRATIONS, rule.facility_id)
    return rule


def token_or_404(user: Person, token_id: uuid.UUID) -> SourceToken:
    """Give a token that a person may revoke."""
    token = SourceToken.objects.select_related("source").filter(pk=token_id).first()
    if token is None or not grants(user).has(Right.SEE_INTEGRATIONS, token.source.facility_id):
        raise Http404("There is no such token.")
    require(user, Right.MANAGE_INTEGRATIONS, token.source.facility_id)
    return token


def source_or_404(user: Person, source_id: uuid.UUID) -> Source:
    """Give a source that a person may look after: 404 where he sees none of its facility, 403 where he only sees."""
    rows = Source.objects.select_related("integration", "facility")
    source: Source = _one(user, rows, source_id, Right.SEE_INTEGRATIONS, "There is no such source.")
    require(user, Right.MANAGE_INTEGRATIONS, source.facility_id)
    return source


def brought_in_or_404(user: Person, import_id: uuid.UUID) -> LogImport:
    """Give an import for those who bring logs in at its facility."""
    rows = LogImport.objects.select_related("source__integration", "by")
    made: LogImport = _one(user, rows, import_id, Right.SEE_INTEGRATIONS, "There is no such import.")
    require(user, Right.WORK_TICKETS, made.facility_id)
    return made


def import_or_404(user: Person, import_id: uuid.UUID) -> LogImport:
    """Give an import, whose lines may hold patient data: for those who work there and may open payloads."""
    rows = LogImport.objects.select_related("source")
    made: LogImport = _one(user, rows, import_id, Right.SEE_INTEGRATIONS, "There is no such import.")
    require(user, Right.OPEN_PAYLOAD, made.facility_id)
    return made


def _one(user: Person, rows: QuerySet, id: uuid.UUID, right: Right, sorry: str):
    found = rows.filter(pk=id, facility__in=grants(user).where(right)).first()
    if found is None:
        raise Http404(sorry)
    return found
