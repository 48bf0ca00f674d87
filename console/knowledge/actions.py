"""What people decide about an article: one plain form each, back to the article afterwards."""

import uuid
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from console.accounts.roles import Right
from console.knowledge import services
from console.knowledge.access import article_or_404, readable
from console.knowledge.forms import DiscardForm, SeenForm, StaleForm
from console.knowledge.models import Article
from console.knowledge.pages import ArticlePage


def _do(
    request: HttpRequest, article: Article, form: forms.Form, act: Callable[[dict[str, object]], object], *,
    done: str, back: str = "knowledge:article",
) -> HttpResponse:  # fmt: skip
    """Call one service with a valid form; show the article again, with what is wrong (422), where that is not so."""
    problems = None
    if form.is_valid():
        try:
            act(form.cleaned_data)
        except services.LintError as refusal:
            form.add_error(None, str(refusal))
            problems = refusal.problems
        except services.ArticleError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, done)
            return redirect(back, article.pk) if back == "knowledge:article" else redirect(back)
    page = ArticlePage(article_or_404(request.user, article.pk), request.user, problems=problems)
    return render(request, "knowledge/article.html", {"page": page, "wrong": form}, status=422)


@login_required
@never_cache
@require_POST
def submit(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Send a draft to review."""
    article = article_or_404(request.user, article_id)
    if article.author_id != request.user.pk:
        article = article_or_404(request.user, article_id, Right.REVIEW_KNOWLEDGE)
    return _do(
        request, article, forms.Form(request.POST),
        lambda _: services.submit(article=article, by=request.user), done="The draft is in review.",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def publish(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Publish an article, or say that it still holds."""
    article = article_or_404(request.user, article_id, Right.REVIEW_KNOWLEDGE)
    waits = article.awaits_release
    done = "The article is published; others read it once a privacy officer has released it." if waits else (
        "The article is published. Tickets like its own suggest it from now on."
    )  # fmt: skip
    return _do(
        request, article, SeenForm(request.POST),
        lambda data: services.publish(article=article, by=request.user, seen=data["seen"]), done=done,
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def stale(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Say that an article no longer holds."""
    article = article_or_404(request.user, article_id, Right.REVIEW_KNOWLEDGE)
    return _do(
        request, article, StaleForm(request.POST),
        lambda data: services.mark_stale(article=article, by=request.user, reason=data["reason"]),
        done="The article is marked stale; no ticket suggests it any more.",
    )  # fmt: skip


@login_required
@never_cache
@require_POST
def discard(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Decide that no article is needed."""
    article = article_or_404(request.user, article_id, Right.REVIEW_KNOWLEDGE)

    def act(data: dict[str, object]) -> None:
        covered_by = readable(request.user).filter(pk=data["covered_by"]).first() if data["covered_by"] else None
        services.discard(article=article, by=request.user, covered_by=covered_by)

    closes = f" Ticket {article.ticket.number} is closed without an article." if article.ticket else ""
    return _do(
        request, article, DiscardForm(request.POST), act, done=f"The draft is removed.{closes}", back="knowledge:review"
    )


@login_required
@never_cache
@require_POST
def release(request: HttpRequest, article_id: uuid.UUID) -> HttpResponse:
    """Let everybody read an article from a restricted department."""
    article = article_or_404(request.user, article_id, Right.RELEASE_PHI)
    return _do(
        request, article, SeenForm(request.POST),
        lambda data: services.release(article=article, by=request.user, seen=data["seen"]),
        done="The article is released: everybody may read it now.",
    )  # fmt: skip
