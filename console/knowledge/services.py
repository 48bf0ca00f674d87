"""Everything that changes articles. Each call is one transaction."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from console.accounts.access import grants, require
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.accounts.services import record
from console.knowledge import drafting
from console.knowledge.lint import Lint, Problem
from console.knowledge.models import READABLE, UNPUBLISHED, Article, ArticleState, ArticleUse, ArticleVersion
from console.knowledge.signatures import signature_of
from console.tickets import services as tickets
from console.tickets.models import Ticket, TicketEvent, TicketState
from console.tickets.moves import write_event
from console.tickets.states import NEXT

REVIEW_AFTER = timedelta(days=180)


class ArticleError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


class LintError(ArticleError):
    """The text holds what must not be published."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("This text may hold patient data or secrets. Take them out, then publish.")


class ChangedMeanwhileError(ArticleError):
    """Somebody else saved the article since the person opened it; `theirs` is what they saved."""

    def __init__(self, theirs: Article) -> None:
        self.theirs = theirs
        super().__init__("Somebody else saved this article meanwhile. Compare both texts, then save yours or leave it.")


@dataclass(frozen=True)
class About:
    """Be what an article is about, beside its text."""

    category: str
    cause: str = ""
    vendor: str = ""


# -- from a ticket -------------------------------------------------------------------------------------------------


@transaction.atomic
def resolve(
    *,
    ticket: Ticket,
    by: User,
    category: str,
    cause: str = "",
    ends: Mapping[uuid.UUID, str] | None = None,
    outcome: str = "",
    what_was_done: str = "",
    unconfirmed_because: str = "",
    expected: str | None = None,
) -> Article:
    """Resolve a ticket and draft its article; either both happen or neither does."""
    state = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk).state
    if state == expected and TicketState.RESOLVED not in NEXT[state]:
        raise tickets.TicketError(f"A ticket that is “{TicketState(state).label}” cannot be resolved.")
    tickets.resolve(
        ticket=ticket, by=by, category=category, cause=cause, ends=ends, outcome=outcome,
        unconfirmed_because=unconfirmed_because, expected=expected,
    )  # fmt: skip
    if what_was_done.strip():
        tickets.comment(ticket=ticket, text=what_was_done, by=by)
    return draft(ticket=ticket, by=by, what_was_done=what_was_done)


@transaction.atomic
def draft(*, ticket: Ticket, by: User, what_was_done: str = "") -> Article:
    """Draft the article of a resolved ticket, or write the one it has anew.

    A ticket that came back says that what its published article told did not hold: that article goes stale, keeps
    being read with a warning, and waits for a reviewer with the new text.
    """
    signature = signature_of(ticket)
    article = Article.objects.select_for_update(of=("self",)).filter(ticket=ticket).first()
    fresh = article is None
    if article is None:
        article = Article(facility_id=ticket.facility_id, ticket=ticket, version=0)
    article.title = drafting.title(ticket)
    article.body = drafting.body(ticket, signature=signature, what_was_done=what_was_done)
    article.signature = signature
    article.failure_mode = ticket.failure_mode
    article.category, article.cause = ticket.confirmed_category, ticket.confirmed_cause
    article.vendor, article.protocol = ticket.integration.vendor, ticket.integration.protocol
    article.time_to_resolution = drafting.time_to_resolution(ticket)
    article.restricted = article.restricted or _is_restricted(ticket)
    article.author = by
    if article.state in READABLE:
        article.state = ArticleState.STALE
        article.stale_reason = f"Ticket {ticket.number} came back after this was published. Does the resolution hold?"
    else:
        article.state = ArticleState.DRAFT
    _keep(article, by)
    if fresh:
        write_event(ticket, TicketEvent.Kind.ARTICLE, by, after="drafted", reference=article.id)
    return article


def _is_restricted(ticket: Ticket) -> bool:
    return bool(ticket.ticket_notes.filter(department__restricted=True).exists())


# -- writing -------------------------------------------------------------------------------------------------------


@transaction.atomic
def write(*, facility: Facility, by: User, title: str, body: str, about: About) -> Article:
    """Write an article that comes from no ticket."""
    require(by, Right.REVIEW_KNOWLEDGE, facility.id)
    _refuse_in_title(None, title)
    article = Article(facility=facility, title=title, body=body, author=by, version=0)
    article.category, article.cause, article.vendor = about.category, about.cause, about.vendor
    _keep(article, by)
    return article


@transaction.atomic
def save(*, article: Article, by: User, seen: int, title: str, body: str, about: About) -> Article:
    """Save a new text over version `seen`; raise ChangedMeanwhileError where a newer one stands there.

    The text of a published article must pass the lint at once, for it is read at once. One from a restricted
    department loses its release: what the officer read was another text.
    """
    require(by, Right.REVIEW_KNOWLEDGE, article.facility_id)
    locked = _locked(article)
    if locked.version != seen:
        raise ChangedMeanwhileError(locked)
    _refuse_in_title(locked, title)
    if locked.state in READABLE:
        _refuse_problems(locked, title, body)
        locked.text = body
    if locked.restricted and (body, title) != (locked.body, locked.title):
        locked.released_by = locked.released_at = None
    locked.title, locked.body = title, body
    locked.category, locked.cause, locked.vendor = about.category, about.cause, about.vendor
    _keep(locked, by)
    record(by=by, action="article.saved", subject=locked, facility=locked.facility_id, detail={"to": locked.version})
    return locked


def _keep(article: Article, by: User) -> None:
    """Store the article as its next version, and that version beside it."""
    article.version += 1
    article.changed_at = timezone.now()
    article.save()
    ArticleVersion.objects.create(
        facility_id=article.facility_id, article=article, number=article.version, title=article.title,
        body=article.body, by=by,
    )  # fmt: skip


# -- reviewing -----------------------------------------------------------------------------------------------------


@transaction.atomic
def submit(*, article: Article, by: User) -> None:
    """Send a draft to review: its author may, and every reviewer."""
    if article.author_id != by.pk:
        require(by, Right.REVIEW_KNOWLEDGE, article.facility_id)
    locked = _locked(article)
    if locked.state != ArticleState.DRAFT:
        raise ArticleError("Only a draft can be sent to review.")
    _move(locked, ArticleState.IN_REVIEW, by)


@transaction.atomic
def publish(*, article: Article, by: User, seen: int | None = None) -> None:
    """Publish the working text, or say of a published one that it still holds; its ticket is closed with it.

    `seen` is the version that the reviewer read: what somebody saved since is not published unread.
    """
    require(by, Right.REVIEW_KNOWLEDGE, article.facility_id)
    locked = _locked(article)
    if seen is not None and locked.version != seen:
        raise ChangedMeanwhileError(locked)
    _refuse_problems(locked, locked.title, locked.body)
    if not locked.body.strip():
        raise ArticleError("There is no text to publish yet.")
    now = timezone.now()
    if locked.ticket is not None and not locked.restricted:
        locked.restricted = _is_restricted(locked.ticket)
    if locked.restricted and locked.text != locked.body:
        locked.released_by = locked.released_at = None
    locked.text = locked.body
    locked.reviewer, locked.reviewed_at, locked.stale_reason = by, now, ""
    locked.published_at = locked.published_at or now
    locked.review_by = timezone.localdate() + REVIEW_AFTER
    _move(locked, ArticleState.PUBLISHED, by)
    if locked.ticket is not None:
        tickets.close(ticket=locked.ticket, by=by, article="published")


@transaction.atomic
def mark_stale(*, article: Article, by: User, reason: str) -> None:
    """Say that a published article no longer holds, and why; it is still found, but no longer suggested."""
    require(by, Right.REVIEW_KNOWLEDGE, article.facility_id)
    locked = _locked(article)
    if locked.state != ArticleState.PUBLISHED:
        raise ArticleError("Only a published article can become stale.")
    if not reason.strip():
        raise ArticleError("Say why it no longer holds.")
    if problems := Lint(locked.ticket).problems("", reason):
        raise ArticleError(f"The reason is read by everybody, and it seems to hold {problems[0].what}. Reword it.")
    locked.stale_reason = reason.strip()[:300]
    _move(locked, ArticleState.STALE, by)


@transaction.atomic
def discard(*, article: Article, by: User, covered_by: Article | None = None) -> None:
    """Decide that a ticket needs no article: remove the draft and close the ticket.

    Where another article covers it already, that one counts as used on the ticket.
    """
    require(by, Right.REVIEW_KNOWLEDGE, article.facility_id)
    locked = _locked(article)
    if locked.state not in UNPUBLISHED:
        raise ArticleError("A published article stays; mark it stale where it no longer holds.")
    ticket = locked.ticket
    detail = {"ticket": ticket.number if ticket else None}
    record(by=by, action="article.discarded", subject=locked, facility=locked.facility_id, detail=detail)
    locked.delete()
    if ticket is not None:
        if covered_by is not None:
            ArticleUse.objects.get_or_create(article=covered_by, ticket=ticket, defaults={"by": by})
        tickets.close(ticket=ticket, by=by, article="not_needed")


@transaction.atomic
def release(*, article: Article, by: User, seen: int) -> None:
    """Let everybody read a published article that comes from a restricted department."""
    require(by, Right.RELEASE_PHI, article.facility_id)
    locked = _locked(article)
    if locked.version != seen:
        raise ChangedMeanwhileError(locked)
    if locked.state not in READABLE or not locked.awaits_release:
        raise ArticleError("There is nothing to release: the article is not published, or everybody may read it.")
    locked.released_by, locked.released_at = by, timezone.now()
    locked.save(update_fields=["released_by", "released_at"])
    record(by=by, action="article.released", subject=locked, facility=locked.facility_id, detail={"to": locked.version})


@transaction.atomic
def note_use(*, article: Article, ticket: Ticket, by: User) -> None:
    """Count that an article was opened for a ticket, once a ticket, by somebody who works on it."""
    if article.ticket_id == ticket.id or not grants(by).has(Right.WORK_TICKETS, ticket.facility_id):
        return
    ArticleUse.objects.get_or_create(article=article, ticket=ticket, defaults={"by": by})


# -- parts ---------------------------------------------------------------------------------------------------------


def problems_of(article: Article) -> tuple[Problem, ...]:
    """Give what keeps the working text from being published."""
    return Lint(article.ticket, signature=article.signature).problems(article.title, article.body)


def _locked(article: Article) -> Article:
    found = (
        Article.objects.select_for_update(of=("self",))
        .select_related("ticket__integration", "ticket__run")
        .filter(pk=article.pk)
        .first()
    )
    if found is None:
        raise ArticleError("Somebody else has just removed this draft.")
    return found


def _move(article: Article, to: ArticleState, by: User) -> None:
    before, article.state = article.state, to
    article.changed_at = timezone.now()
    article.save()
    detail = {"from": before, "to": str(to)}
    record(by=by, action="article.state", subject=article, facility=article.facility_id, detail=detail)


def _refuse_problems(article: Article, title: str, body: str) -> None:
    problems = Lint(article.ticket, signature=article.signature).problems(title, body)
    if problems:
        raise LintError(problems)


def _refuse_in_title(article: Article | None, title: str) -> None:
    """Refuse a title with patient data even on a draft: lists show it, and it is stored in the clear."""
    lint = Lint(article.ticket, signature=article.signature) if article else Lint(None)
    problems = lint.problems(title, "")
    if problems:
        raise LintError(problems)
