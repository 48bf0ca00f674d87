"""Searching, reading, reviewing and writing articles; and the card that suggests them on a ticket."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from console.accounts.access import facilities
from console.accounts.place import places
from console.accounts.roles import Right
from console.knowledge import services
from console.knowledge.access import article_or_404, require_anywhere
from console.knowledge.forms import ArticleForm
from console.knowledge.models import Article
from console.knowledge.pages import ArticlePage, SearchPage, placed, versions
from console.knowledge.review import ReviewPage
from console.knowledge.similar import seen_before as similar_articles
from console.shared.idle import polled
from console.tickets.access import ticket_or_404
from console.tickets.access import visible as visible_tickets


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """Search the published articles. The words come by POST: a pasted error must not stand in an address."""
    require_anywhere(request.user, Right.SEE_TICKETS)
    page = SearchPage(request.user, request.POST if request.method == "POST" else None)
    template = "knowledge/_results.html" if request.htmx else "knowledge/search.html"
    return render(request, template, {"page": page})


@login_required
@never_cache
@require_GET
def article(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Show one article; `from` names the ticket on which it was found, which then counts as a use."""
    shown = article_or_404(request.user, article_id)
    number = request.GET.get("from", "")
    if shown.is_readable and number.isdecimal() and len(number) < 10:
        ticket = visible_tickets(request.user).filter(number=int(number)).first()
        if ticket is not None:
            services.note_use(article=shown, ticket=ticket, by=request.user)
    return render(request, "knowledge/article.html", {"page": ArticlePage(shown, request.user)})


@login_required
@never_cache
@require_GET
def review(request: HttpRequest) -> HttpResponse:
    """Show what waits for a reviewer."""
    require_anywhere(request.user, Right.REVIEW_KNOWLEDGE)
    shown = ReviewPage(request.user, places(request, Right.REVIEW_KNOWLEDGE), request.GET)
    return render(request, "knowledge/review.html", {"page": shown})


@login_required
@never_cache
@require_GET
def history(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Show who wrote what, and when."""
    shown = article_or_404(request.user, article_id, Right.REVIEW_KNOWLEDGE)
    return render(request, "knowledge/versions.html", {"article": shown, "versions": versions(shown)})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Change an article. A text that somebody else saved meanwhile is shown beside one's own; neither is lost."""
    shown = article_or_404(request.user, article_id, Right.REVIEW_KNOWLEDGE)
    if request.method == "GET":
        fields = ("title", "category", "cause", "vendor", "body")
        form = ArticleForm(initial={name: getattr(shown, name) for name in fields} | {"seen": shown.version})
        return _editor(request, form, shown)
    form = ArticleForm(request.POST)
    if not form.is_valid():
        return _editor(request, form, shown, status=422)
    data = form.cleaned_data
    try:
        services.save(
            article=shown, by=request.user, seen=data["seen"] or 0, title=data["title"], body=data["body"],
            about=form.about,
        )  # fmt: skip
    except services.ChangedMeanwhileError as refusal:
        form.data = form.data.copy()
        form.data["seen"] = refusal.theirs.version  # sent once more, it goes over what the page now shows
        form.add_error(None, str(refusal))
        return _editor(request, form, refusal.theirs, theirs=refusal.theirs, status=422)
    except services.LintError as refusal:
        form.add_error(None, str(refusal))
        return _editor(request, form, shown, problems=placed(refusal.problems, data["title"], data["body"]), status=422)
    except services.ArticleError as refusal:
        form.add_error(None, str(refusal))
        return _editor(request, form, shown, status=422)
    messages.success(request, "The article is saved.")
    return redirect("knowledge:article", shown.pk)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """Write an article that comes from no ticket."""
    require_anywhere(request.user, Right.REVIEW_KNOWLEDGE)
    if request.method == "GET":
        return _editor(request, ArticleForm(initial={"body": BLANK}), None)
    form = ArticleForm(request.POST)
    if not form.is_valid():
        return _editor(request, form, None, status=422)
    data = form.cleaned_data
    where = facilities(request.user, Right.REVIEW_KNOWLEDGE)
    place = where.filter(id__in=places(request, Right.REVIEW_KNOWLEDGE)).first() or where.first()
    assert place is not None  # the right was asked for above
    try:
        made = services.write(facility=place, by=request.user, title=data["title"], body=data["body"], about=form.about)
    except services.LintError as refusal:
        form.add_error(None, str(refusal))
        return _editor(request, form, None, problems=placed(refusal.problems, data["title"], data["body"]), status=422)
    messages.success(request, "The draft is saved. Publish it once it is right.")
    return redirect("knowledge:article", made.pk)


BLANK = "## Symptoms\n\n\n## Cause\n\n\n## Steps taken\n\n\n## Resolution\n\n"


def _editor(
    request: HttpRequest, form: ArticleForm, shown: Article | None, *, status: int = 200, **more: object
) -> HttpResponse:
    return render(request, "knowledge/edit.html", {"form": form, "article": shown, **more}, status=status)


@polled
@login_required
@never_cache
@require_GET
def seen_before(request: HttpRequest, number: int) -> HttpResponse:
    """Give what the card on the ticket page shows; the page asks for it by itself."""
    ticket = ticket_or_404(request.user, number)
    matches = similar_articles(request.user, ticket)
    return render(request, "knowledge/_seen_before.html", {"matches": matches, "ticket": ticket})
