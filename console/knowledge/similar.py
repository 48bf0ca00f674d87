"""Published articles that may help with a ticket, and in words why each was found."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Case, Q, Value, When

from console.accounts.models import User
from console.knowledge.access import readable
from console.knowledge.models import Article, ArticleState
from console.knowledge.queries import LIKE_ERROR, Seen, seen
from console.knowledge.signatures import signature_of
from console.tickets.models import Ticket

MOST = 3

# Best first; the weights are powers of two, so that a better reason always beats all lesser ones together.
SAME_SIGNATURE, SAME_CAUSE, SAME_VENDOR, LIKE_TEXT = (
    "same error signature",
    "same cause",
    "same vendor and category",
    "similar error text",
)
_WEIGHTS = {SAME_SIGNATURE: 8, SAME_CAUSE: 4, SAME_VENDOR: 2, LIKE_TEXT: 1}


@dataclass(frozen=True)
class Match:
    """Be one article that may help."""

    article: Article
    reasons: tuple[str, ...]
    times: int
    median: timedelta | None

    @property
    def why(self) -> str:
        """Say why it was found."""
        return ", ".join(self.reasons)


def seen_before(user: User, ticket: Ticket) -> tuple[Match, ...]:
    """Give up to three published articles for a ticket, best first; a fixed number of queries."""
    signature = signature_of(ticket)
    vendor = ticket.integration.vendor
    # What a person confirmed stands above what the diagnosis said.
    cause, category = ticket.confirmed_cause or ticket.cause, ticket.confirmed_category or ticket.category
    match = Q(pk=None)
    if signature:
        match |= Q(signature=signature) | Q(signature__trigram_similar=signature)
    if cause:
        match |= Q(cause=cause)
    if category:
        match |= Q(category=category, vendor=vendor)
    best = list(
        readable(user)
        .filter(match, state=ArticleState.PUBLISHED)
        .exclude(ticket=ticket)
        .annotate(likeness=TrigramSimilarity("signature", signature))
        .annotate(weight=_weight(signature, cause, category, vendor))
        .filter(weight__gt=0)
        .order_by("-weight", "-likeness", "-published_at", "-id")
        .defer("body", "text", "vector", "words")[:MOST]
    )
    figures = seen(user, [article.cause for article in best])
    return tuple(
        _match(article, _reasons(article, signature, cause, category, vendor), figures.get(article.cause))
        for article in best
    )


def _weight(signature: str, cause: str, category: str, vendor: str) -> Any:
    """Add up the reasons in the database, as `_reasons` names them."""
    none = Q(pk=None)
    same = Q(signature=signature) if signature else none
    tests = {
        SAME_SIGNATURE: same,
        SAME_CAUSE: Q(cause=cause) if cause else none,
        SAME_VENDOR: Q(category=category, vendor=vendor) if category else none,
        LIKE_TEXT: Q(likeness__gte=LIKE_ERROR) & ~same if signature else none,
    }
    parts = [Case(When(test, then=Value(_WEIGHTS[reason])), default=Value(0)) for reason, test in tests.items()]
    return sum(parts[1:], parts[0])


def _reasons(article: Article, signature: str, cause: str, category: str, vendor: str) -> tuple[str, ...]:
    same = bool(signature) and article.signature == signature
    tests = {
        SAME_SIGNATURE: same,
        SAME_CAUSE: bool(cause) and article.cause == cause,
        SAME_VENDOR: bool(category) and (article.category, article.vendor) == (category, vendor),
        LIKE_TEXT: bool(signature) and not same and article.likeness >= LIKE_ERROR,
    }
    return tuple(reason for reason, holds in tests.items() if holds)


def _match(article: Article, reasons: tuple[str, ...], figures: Seen | None) -> Match:
    if figures is None:
        return Match(article, reasons, 0, article.time_to_resolution)
    return Match(article, reasons, figures.times, figures.median)
