"""Find articles: by words, by words spelled about so, by a pasted error; and how often and how fast they helped."""

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.postgres.search import (
    SearchHeadline,
    SearchQuery,
    SearchRank,
    TrigramSimilarity,
    TrigramWordSimilarity,
)
from django.db import connection, models, transaction
from django.db.models import Aggregate, Case, Count, ExpressionWrapper, F, FloatField, Q, QuerySet, Value, When
from django.utils import timezone

from console.accounts.models import User
from console.knowledge.access import readable, reviewable
from console.knowledge.models import UNPUBLISHED, Article, ArticleState
from console.knowledge.signatures import signature_of_text
from console.tickets.access import visible as visible_tickets
from diagnostics.explain import explain

MOST = 30
MOST_WORDS = 8
ABOUT_SO, LONG_SO, SHORT = 0.3, 0.45, 5  # pg_trgm's word similarity: two letters swapped in a word still pass
LIKE_ERROR = 0.5
_WORD = re.compile(r"[^\W_]{3,40}")
_BEGIN, _END = "\x02", "\x03"  # never typed, so that a text cannot pretend to be highlighted
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SIGNS = re.compile(r"^#+ |[*`|]+|-{3,}|^\s*(?:[->]|\d+\.)\s", re.MULTILINE)


class Median(Aggregate):
    """Give the median of a length of time."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = models.DurationField()


@dataclass(frozen=True)
class Seen:
    """Be how often a cause was resolved, in what this person sees, and how long that took."""

    times: int
    median: timedelta | None


def search(user: User, text: str, *, category: str = "", vendor: str = "") -> tuple[list[Article], int]:
    """Give the best published articles and how many match in all; without a text the newest.

    Words spelled about so are tried only where nothing holds them as typed. Each article carries `fragment`, a part of
    its text in which control characters enclose what matched.
    """
    found = readable(user).select_related("ticket").annotate(used=Count("uses", distinct=True))
    if category:
        found = found.filter(category=category)
    if vendor:
        found = found.filter(vendor=vendor)
    text = re.sub(r"[\x00-\x08]", "", text).strip()[:20_000]
    if not text:
        return _page(found.order_by(*_STALE_LAST, "-published_at", "-id"))
    query = SearchQuery(text[:500], config="english", search_type="websearch")
    typed = list(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    signature = signature_of_text(text)
    named = (explain(text).cause if len(typed) > 1 else None) or ""
    found = _scored(found, text, query, signature, named)
    exact = Q(vector=query)
    if signature:
        exact |= Q(signature=signature) | Q(signature__trigram_similar=signature)
    if named:
        exact |= Q(cause=named)
    results, count = _page(found.filter(exact))
    if count or not 0 < len(typed) <= MOST_WORDS:
        return results, count
    with transaction.atomic():
        _allow_typos()
        return _page(_about_so(found, typed))


_STALE_LAST = (Case(When(state=ArticleState.STALE, then=1), default=0),)


def _page(found: QuerySet[Article]) -> tuple[list[Article], int]:
    return list(found.defer("body", "vector", "words")[:MOST]), found.count()


def _scored(
    articles: QuerySet[Article], text: str, query: SearchQuery, signature: str, named: str
) -> QuerySet[Article]:
    score = (
        SearchRank(F("vector"), query)
        + TrigramWordSimilarity(text[:200], "title")
        + TrigramSimilarity("signature", signature)
        + Case(When(cause=named or "-", then=Value(0.5)), default=Value(0.0))
    )
    headline = SearchHeadline(
        "text", query, config="english", start_sel=_BEGIN, stop_sel=_END, max_words=32, min_words=16, max_fragments=1
    )
    return articles.annotate(fragment=headline, score=ExpressionWrapper(score, output_field=FloatField())).order_by(
        *_STALE_LAST, "-score", "-id"
    )


def _about_so(articles: QuerySet[Article], typed: list[str]) -> QuerySet[Article]:
    """Match where every word stands about as typed; short ones share few trigrams, so less is asked of them."""
    for number, word in enumerate(typed):
        articles = articles.filter(words__trigram_word_similar=word)  # the index answers this
        if len(word) > SHORT:
            name = f"like_{number}"
            articles = articles.alias(**{name: TrigramWordSimilarity(word, "words")}).filter(
                **{f"{name}__gte": LONG_SO}
            )
    return articles


def _allow_typos() -> None:
    """Lower the bar of the `words` index for this transaction only."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(ABOUT_SO)])


def pieces(article: Article) -> tuple[tuple[str, bool], ...]:
    """Give an article's fragment as (text, matched) pieces without signs of Markdown; templates escape each."""
    fragment = getattr(article, "fragment", "") or article.text[:300]
    fragment = _LINK.sub(r"\1", fragment)
    fragment = _SIGNS.sub(" ", _HEADING.sub(lambda m: m[0] if _BEGIN in m[0] else "", fragment))
    parts: list[tuple[str, bool]] = []
    for part in re.split(f"({_BEGIN}[^{_END}]*{_END})", fragment):
        plain = re.sub(r"\s+", " ", part.strip(_BEGIN + _END))
        if plain.strip():
            parts.append((plain, part.startswith(_BEGIN)))
    return tuple(parts)


def seen(user: User, causes: Iterable[str]) -> dict[str, Seen]:
    """Count the resolved tickets by confirmed cause, among those the person sees, with their median time."""
    wanted = {cause for cause in causes if cause}
    if not wanted:
        return {}
    rows = (
        visible_tickets(user)
        .filter(confirmed_cause__in=wanted, resolved_at__isnull=False)
        .order_by()
        .values("confirmed_cause")
        .annotate(times=Count("id"), median=Median(F("resolved_at") - F("opened_at")))
    )
    return {row["confirmed_cause"]: Seen(row["times"], row["median"]) for row in rows}


def vendors(user: User) -> list[str]:
    """Give the vendors that some readable article is about."""
    found = readable(user).exclude(vendor="").order_by("vendor").values_list("vendor", flat=True)
    return list(found.distinct())


# -- review --------------------------------------------------------------------------------------------------------


def waiting() -> dict[str, Q]:
    """Say what a reviewer is asked for, by the name of the filter."""
    due = Q(state=ArticleState.PUBLISHED, review_by__lte=timezone.localdate())
    return {
        "waiting": Q(state__in=(*UNPUBLISHED, ArticleState.STALE)) | due,
        "in_review": Q(state=ArticleState.IN_REVIEW),
        "drafts": Q(state=ArticleState.DRAFT),
        "stale": Q(state=ArticleState.STALE),
        "due": due,
        "published": Q(state=ArticleState.PUBLISHED),
    }


def to_review(user: User, places: Collection[uuid.UUID]) -> QuerySet[Article]:
    """Give what a person may review in some facilities."""
    return reviewable(user).filter(facility__in=places)


def count_waiting(user: User, places: Collection[uuid.UUID]) -> int:
    """Count what waits for a reviewer."""
    return to_review(user, places).filter(waiting()["waiting"]).count()
