"""The review queue: what waits for a reviewer, under which filter, with the counts beside the filters."""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count

from console.accounts.models import User
from console.knowledge import queries
from console.knowledge.models import Article, ArticleState
from console.knowledge.pages import ICONS, TONES, where_words

PAGE_SIZE = 50


@dataclass(frozen=True)
class ReviewRow:
    """Be one article of the review queue."""

    article: Article
    where: str
    state: str
    tone: str
    icon: str
    why: str
    used: int
    since: datetime


@dataclass(frozen=True)
class Chip:
    """Be one filter with its count."""

    name: str
    count: int
    query: str
    current: bool


_VIEWS = {
    "waiting": "Waiting",
    "in_review": "In review",
    "drafts": "Drafts",
    "stale": "Stale",
    "due": "Due again",
    "published": "Published",
}


class ReviewPage:
    """The review queue; a fixed number of queries, however many rows."""

    def __init__(self, user: User, places: Collection[uuid.UUID], asked: Mapping[str, str]) -> None:
        conditions = queries.waiting()
        view = asked.get("view", "waiting")
        self.view = view if view in conditions else "waiting"
        mine = queries.to_review(user, places)
        counts = mine.aggregate(**{name: Count("id", filter=condition) for name, condition in conditions.items()})
        self.chips = tuple(
            Chip(name, counts[slug], urlencode({"view": slug}), slug == self.view) for slug, name in _VIEWS.items()
        )
        found = (
            mine.filter(conditions[self.view])
            .select_related("ticket", "author", "facility")
            .annotate(used=Count("uses", distinct=True))
            .defer("body", "text", "vector", "words")
            .order_by("changed_at", "id")
        )
        self.page: Page[Article] = Paginator(found, PAGE_SIZE).get_page(asked.get("page"))
        self.rows = tuple(self._row(article) for article in self.page)
        self.query = urlencode({"view": self.view})
        self.waiting = counts["waiting"]
        self.counted = Counter(counts)

    @staticmethod
    def _row(article: Article) -> ReviewRow:
        state = ArticleState(article.state)
        return ReviewRow(
            article=article,
            where=where_words(article),
            state="Due again" if article.is_due else str(article.get_state_display()),
            tone="warn" if article.is_due else TONES[state],
            icon="hourglass" if article.is_due else ICONS[state],
            why=article.stale_reason if state == ArticleState.STALE else "",
            used=getattr(article, "used", 0),
            since=article.changed_at,
        )

    @property
    def summary(self) -> str:
        """Say in one line what waits."""
        if not self.waiting:
            return "Nothing waits for review"
        parts = [
            (self.counted["in_review"], "in review", "in review"),
            (self.counted["drafts"], "draft", "drafts"),
            (self.counted["stale"], "stale", "stale"),
            (self.counted["due"], "due again", "due again"),
        ]
        return " · ".join(f"{count} {one if count == 1 else many}" for count, one, many in parts if count)
