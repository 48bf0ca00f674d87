"""Markdown to HTML that is safe to show, whoever wrote it."""

from functools import cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_TAGS = {
    "h2", "h3", "h4", "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}, "ol": {"start"}}
_SCHEMES = {"http", "https"}


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")


def to_html(text: str) -> SafeString:
    """Render an article's text; raw HTML shows as text, images and other schemes than http(s) do not survive."""
    tokens = _markdown().parse(text)
    for token in tokens:
        if token.tag == "h1":  # the page has its own first heading
            token.tag = "h2"
    html = _markdown().renderer.render(tokens, _markdown().options, {})
    clean = nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow"
    )
    # A wide table scrolls by itself; the cleaner has left no attribute on it, so this finds every one and only those.
    clean = clean.replace(
        "<table>", '<div class="scroll-x" tabindex="0" role="region" aria-label="Table"><table class="data">'
    ).replace("</table>", "</table></div>")
    return mark_safe(clean)
