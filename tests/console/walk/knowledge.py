"""The knowledge base and the resolve page.

The article asked for is published: it belongs to every facility, unless it comes from a restricted department.
"""

from typing import Any

from django.utils import timezone

from console.knowledge.models import Article, ArticleState, ArticleVersion
from tests.console.walk import Place, Row


def reviewing(informatics: int = 200, method: str = "get", **data: str) -> Row:
    """Give the row of what reviewers of the article's facility do; who may only read is refused."""
    return Row(403, 403, 404, 403, method=method, data=tuple(data.items()), engineer=403, informatics=informatics)


ROWS = {
    "knowledge:resolve": Row(200, 404, 404, 403),
    "knowledge:seen_before": Row(200, 404, 404, 200),
    "knowledge:search": Row(200, 200, 200, 200, administrator=403),
    "knowledge:review": Row(403, 403, 403, 403, engineer=403, informatics=200, administrator=403),
    "knowledge:write": Row(403, 403, 403, 403, engineer=403, informatics=200, administrator=403),
    "knowledge:article": Row(200, 200, 404, 200),
    "knowledge:edit": reviewing(),
    "knowledge:versions": reviewing(),
    "knowledge:publish": reviewing(302, "post", seen="1"),
    "knowledge:stale": reviewing(302, "post", reason="The vendor moved the endpoint."),
    # It is published already: 422 is the page that says so, to whom the act is open at all.
    "knowledge:submit": reviewing(422, "post"),
    "knowledge:discard": reviewing(422, "post"),
    "knowledge:release": Row(403, 403, 404, 403, method="post", data=(("seen", "1"),), privacy=422),
}


def furnish(place: Place) -> dict[str, Any]:
    text = "## Cause\n\nThe key was replaced."
    article = Article.objects.create(
        facility=place.facility, ticket=place.ticket, state=ArticleState.PUBLISHED, title="The key was replaced",
        body=text, text=text, category="authentication", cause="auth.assertion.kid", author=place.person,
        published_at=timezone.now(), restricted=place.department.restricted,
    )  # fmt: skip
    ArticleVersion.objects.create(
        facility=place.facility, article=article, number=1, title=article.title, body=text, by=place.person
    )
    return {"article_id": article.id}
