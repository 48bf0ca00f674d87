"""Find articles, integrations, alerts and people, each as its own pages would show it."""

from django.db.models import Q
from django.urls import reverse

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.people import known
from console.accounts.roles import Right
from console.diagnoses import words
from console.integrations.models import Integration
from console.knowledge import queries as knowledge
from console.monitoring.models import Alert
from console.search.found import Group, Hit

MOST = 5
NEWEST = 2000  # alerts looked through


def articles(user: User, text: str) -> Group:
    """Find articles by words, by words spelled about so, by a pasted error."""
    hits: tuple[Hit, ...] = ()
    if grants(user).where(Right.SEE_TICKETS):
        found, _ = knowledge.search(user, text)
        hits = tuple(
            Hit(
                url=reverse("knowledge:article", args=[article.pk]),
                name=article.title,
                says=words.CATEGORIES.get(article.category, ""),
                pill=str(article.get_state_display()),
            )
            for article in found[:MOST]
        )
    return Group("Knowledge base", "book", hits, reverse("knowledge:search") if len(hits) == MOST else "", "Search it")


def integrations(user: User, text: str) -> Group:
    """Find integrations by name, vendor or facility."""
    vendors = [slug for slug, name in words.VENDORS.items() if text.lower() in name.lower()]
    match = Q(name__icontains=text) | Q(vendor__in=vendors) | Q(facility__name__icontains=text)
    rows = Integration.objects.filter(match, facility__in=grants(user).where(Right.SEE_INTEGRATIONS))
    hits = tuple(
        Hit(
            url=reverse("integrations:integration", args=[one.pk]),
            name=one.name,
            says=f"{words.VENDORS.get(one.vendor, one.vendor)} · {one.facility.name}",
            exact=one.name.lower() == text.lower(),
        )
        for one in rows.select_related("facility").order_by("name", "id")[:MOST]
    )
    return Group("Integrations", "plug-connected", hits)


def alerts(user: User, text: str) -> Group:
    """Find alerts, the open ones first, by what they say, their subject or their integration's name."""
    mine = Alert.objects.filter(facility__in=grants(user).where(Right.SEE_INTEGRATIONS))
    newest = mine.order_by("-opened_at", "-id").values("pk")[:NEWEST]
    match = Q(says__icontains=text) | Q(subject__icontains=text) | Q(integration__name__icontains=text)
    rows = Alert.objects.filter(match, pk__in=newest).select_related("integration")
    hits = tuple(
        Hit(
            url=reverse("monitoring:alert", args=[alert.pk]),
            name=f"{alert.get_kind_display()}: {alert.integration.name}",
            says=alert.says,
            pill="over" if alert.ended_at else "open",
            tone="" if alert.ended_at else "bad",
        )
        for alert in sorted(rows.order_by("-opened_at", "-id")[: 4 * MOST], key=lambda one: one.ended_at is not None)
    )[:MOST]
    return Group("Alerts", "bell-ringing", hits)


def people(user: User, text: str) -> Group:
    """Find people by name or e-mail, for those who administer them."""
    hits: tuple[Hit, ...] = ()
    if grants(user).where(Right.ADMINISTER):
        match = Q(name__icontains=text) | Q(email__icontains=text)
        hits = tuple(
            Hit(url=reverse("accounts:person", args=[one.pk]), name=str(one), says=one.email)
            for one in known(user).filter(match).order_by("name", "id")[:MOST]
        )
    return Group("People", "users", hits)
