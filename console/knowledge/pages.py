"""What the pages of the knowledge base show."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils.safestring import SafeString

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.knowledge import queries
from console.knowledge.access import readable, releasable
from console.knowledge.causes import title_of
from console.knowledge.forms import SearchForm
from console.knowledge.lint import Problem
from console.knowledge.models import UNPUBLISHED, Article, ArticleState, ArticleVersion
from console.knowledge.queries import Seen
from console.knowledge.rendering import to_html
from console.knowledge.services import problems_of
from console.tickets.access import visible as visible_tickets
from console.tickets.models import Ticket

TONES = {
    ArticleState.DRAFT: "",
    ArticleState.IN_REVIEW: "run",
    ArticleState.PUBLISHED: "ok",
    ArticleState.STALE: "warn",
}
ICONS = {
    ArticleState.DRAFT: "pencil",
    ArticleState.IN_REVIEW: "eye",
    ArticleState.PUBLISHED: "circle-check",
    ArticleState.STALE: "hourglass",
}


def where_words(article: Article) -> str:
    """Name category, vendor and protocol."""
    vendor = words.VENDORS.get(article.vendor, article.vendor)
    protocol = words.PROTOCOLS.get(article.protocol, "")
    return " · ".join(part for part in (words.CATEGORIES.get(article.category, ""), vendor, protocol) if part)


# -- search --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """Be one article that was found."""

    article: Article
    where: str
    pieces: tuple[tuple[str, bool], ...]
    used: int
    times: int
    median: timedelta | None

    @property
    def is_stale(self) -> bool:
        """Tell whether it is said no longer to hold."""
        return self.article.state == ArticleState.STALE


class SearchPage:
    """Read once for a request."""

    def __init__(self, user: User, data: Mapping[str, Any] | None = None) -> None:
        self.user = user
        self.form = SearchForm(data or {}, vendors=queries.vendors(user))
        self.form.is_valid()
        asked = self.form.cleaned_data
        self.text = asked.get("q", "").strip()
        self.narrowed = bool(asked.get("category") or asked.get("vendor"))
        found, self.count = queries.search(
            user, self.text, category=asked.get("category", ""), vendor=asked.get("vendor", "")
        )
        figures = queries.seen(user, [article.cause for article in found])
        self.results = tuple(self._result(article, figures.get(article.cause)) for article in found)

    @staticmethod
    def _result(article: Article, figures: Seen | None) -> Result:
        return Result(
            article=article,
            where=where_words(article),
            pieces=queries.pieces(article),
            used=getattr(article, "used", 0),
            times=figures.times if figures else 0,
            median=figures.median if figures else article.time_to_resolution,
        )

    @property
    def asked(self) -> bool:
        """Tell whether anything narrows the list."""
        return bool(self.text or self.narrowed)

    @cached_property
    def is_empty(self) -> bool:
        """Tell whether nothing was published yet."""
        return not self.results and not readable(self.user).exists()

    @property
    def may_review(self) -> bool:
        """Tell whether this person reviews anywhere."""
        return bool(grants(self.user).where(Right.REVIEW_KNOWLEDGE))

    @cached_property
    def to_release(self) -> list[Article]:
        """Give what waits for this person's release."""
        found = releasable(self.user).select_related("facility").order_by("changed_at", "id")
        return list(found.defer("body", "text", "vector", "words")[: queries.MOST])


# -- one article ---------------------------------------------------------------------------------------------------


class ArticlePage:
    """Read once for a request; parts the template does not ask for cost nothing."""

    def __init__(self, article: Article, user: User, *, problems: tuple[Problem, ...] | None = None) -> None:
        self.article = article
        self.user = user
        held = grants(user)
        self.may_review = held.has(Right.REVIEW_KNOWLEDGE, article.facility_id)
        self.may_submit = article.state == ArticleState.DRAFT and (self.may_review or article.author_id == user.pk)
        self.may_release = (
            held.has(Right.RELEASE_PHI, article.facility_id) and article.is_readable and article.awaits_release
        )
        self._problems = problems

    @cached_property
    def html(self) -> SafeString:
        """Give the text: the working one to reviewers and to its author, else the published one."""
        return to_html(self.article.body if self.sees_working_text else self.article.text)

    @property
    def sees_working_text(self) -> bool:
        """Tell whether this person reads what is being written rather than what is published."""
        return self.may_review or not self.article.is_readable

    @property
    def differs(self) -> bool:
        """Tell whether the working text is newer than what others read."""
        return self.may_review and self.article.is_readable and self.article.body != self.article.text

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Give what keeps it from being published, to those who may publish."""
        if self._problems is not None:
            return self._problems
        return problems_of(self.article) if self.may_review else ()

    @property
    def placed_problems(self) -> tuple[tuple[Problem, str], ...]:
        """Give each problem with the line it stands in."""
        return placed(self.problems, self.article.title, self.article.body)

    @property
    def state(self) -> str:
        """Name its state."""
        return str(self.article.get_state_display())

    @property
    def tone(self) -> str:
        """Give the colour class of its state."""
        return TONES[ArticleState(self.article.state)]

    @property
    def icon(self) -> str:
        """Give the icon of its state."""
        return ICONS[ArticleState(self.article.state)]

    @property
    def where(self) -> str:
        """Name category, vendor and protocol."""
        return where_words(self.article)

    @property
    def cause_title(self) -> str:
        """Name its cause."""
        return title_of(self.article.cause)

    @cached_property
    def used(self) -> int:
        """Count the tickets it was used on."""
        return self.article.uses.count()

    @cached_property
    def seen(self) -> Seen | None:
        """Give how often its cause was resolved, and how fast."""
        return queries.seen(self.user, [self.article.cause]).get(self.article.cause)

    @cached_property
    def ticket(self) -> Ticket | None:
        """Give the ticket it was learned from to those who may see it."""
        if self.article.ticket_id is None:
            return None
        return visible_tickets(self.user).filter(pk=self.article.ticket_id).first()

    @cached_property
    def alike(self) -> list[Article]:
        """Give published articles that may cover an unpublished one already."""
        one = self.article
        if one.state not in UNPUBLISHED or not one.cause:
            return []
        found = readable(self.user).filter(cause=one.cause, state=ArticleState.PUBLISHED).exclude(pk=one.pk)
        return list(found.order_by("-published_at", "-id").defer("body", "text", "vector", "words")[:5])

    @property
    def may_publish(self) -> bool:
        """Tell whether publishing, or confirming, is offered."""
        if not self.may_review:
            return False
        return self.article.state != ArticleState.PUBLISHED or self.differs or self.article.is_due

    @property
    def publish_words(self) -> str:
        """Name what publishing means now."""
        if self.article.is_due and not self.differs:
            return "Still true"
        return "Publish" if self.article.state in UNPUBLISHED else "Publish again"

    @property
    def unpublished(self) -> bool:
        """Tell whether nobody else reads it yet."""
        return self.article.state in UNPUBLISHED


def placed(problems: tuple[Problem, ...], title: str, body: str) -> tuple[tuple[Problem, str], ...]:
    """Pair each problem with its line, for those who read the text anyway."""
    lines = [title, *body.splitlines()]
    return tuple((problem, lines[problem.line].strip()) for problem in problems)


@dataclass(frozen=True)
class VersionLine:
    """Be one version with what it changed."""

    version: ArticleVersion
    lines: tuple[tuple[str, str], ...]
    is_first: bool


def versions(article: Article) -> tuple[VersionLine, ...]:
    """Give every version, newest first, each with its difference to the one before."""
    rows = list(article.versions.select_related("by").order_by("-number", "-id"))
    older = [*rows[1:], None]
    return tuple(
        VersionLine(row, _difference(before, row), before is None) for row, before in zip(rows, older, strict=True)
    )


def _difference(before: ArticleVersion | None, after: ArticleVersion) -> tuple[tuple[str, str], ...]:
    old = [] if before is None else [before.title, "", *before.body.splitlines()]
    new = [after.title, "", *after.body.splitlines()]
    if before is None:
        return tuple(("same", line) for line in new)
    kinds = {"+": "added", "-": "removed", " ": "same"}
    lines = list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
    return tuple(("gap", "…") if line.startswith("@@") else (kinds[line[0]], line[1:]) for line in lines)
