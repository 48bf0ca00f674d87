"""Which articles a person gets.

Published ones are everybody's who sees tickets anywhere. What is not published belongs to the reviewers of the
facility where it was learned, and to who wrote it. What comes from a restricted department is seen by those who may
enter it, and once published by the officer who is to release it; by others only after that.
"""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404

from console.accounts.access import grants, require
from console.accounts.models import User
from console.accounts.roles import Right
from console.knowledge.models import READABLE, UNPUBLISHED, Article
from console.tickets.access import visible as visible_tickets

_OPEN = Q(restricted=False) | Q(released_at__isnull=False)


def _enters(user: User | AnonymousUser) -> Q:
    """Match what is not restricted, and what is where the person may enter."""
    return Q(restricted=False) | Q(ticket__in=visible_tickets(user))


def readable(user: User | AnonymousUser) -> QuerySet[Article]:
    """Give the published articles that a person may read."""
    held = grants(user)
    if not held.where(Right.SEE_TICKETS):
        return Article.objects.none()
    return Article.objects.filter(Q(state__in=READABLE) & (_OPEN | Q(ticket__in=visible_tickets(user))))


def reviewable(user: User | AnonymousUser) -> QuerySet[Article]:
    """Give the articles that a person may review, whatever their state."""
    return Article.objects.filter(facility__in=grants(user).where(Right.REVIEW_KNOWLEDGE)).filter(_enters(user))


def releasable(user: User | AnonymousUser) -> QuerySet[Article]:
    """Give the published articles of restricted departments that wait for this person's release."""
    places = grants(user).where(Right.RELEASE_PHI)
    return Article.objects.filter(facility__in=places, restricted=True, released_at=None, state__in=READABLE)


def visible(user: User | AnonymousUser) -> QuerySet[Article]:
    """Give every article a person may open."""
    held = grants(user)
    own = Q(author=user, facility__in=held.where(Right.SEE_TICKETS), state__in=UNPUBLISHED) & _enters(user)
    ids = [readable(user), reviewable(user), releasable(user), Article.objects.filter(own)]
    match = Q(pk=None)
    for part in ids:
        match |= Q(pk__in=part.order_by().values("pk"))
    return Article.objects.filter(match)


def article_or_404(user: User | AnonymousUser, article_id: uuid.UUID, right: Right | None = None) -> Article:
    """Give an article: 404 for what the person does not see, 403 where he sees it but lacks `right`."""
    article = (
        visible(user)
        .filter(pk=article_id)
        .select_related("facility", "ticket__integration", "ticket__run", "author", "reviewer", "released_by")
        .first()
    )
    if article is None:
        raise Http404("There is no such article.")
    if right is not None:
        require(user, right, article.facility_id)
    return article


def require_anywhere(user: User | AnonymousUser, right: Right) -> None:
    """Refuse with 403 a person who has a right in no facility."""
    if not grants(user).where(right):
        raise PermissionDenied("Your role does not allow this. Ask your facility's administrator.")
