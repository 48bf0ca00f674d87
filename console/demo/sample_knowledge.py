"""The demo's knowledge: what its long-mended tickets taught, in every state an article may have."""

from datetime import timedelta

from django.db.models import F

from console.accounts.access import grants
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.knowledge import services
from console.knowledge.models import Article, ArticleState, ArticleUse, ArticleVersion
from console.knowledge.services import About
from console.tickets.access import visible
from console.tickets.models import Ticket, TicketEvent, TicketState

INFORMATICS, PRIVACY = "informatics@northcampus.example", "privacy@northcampus.example"
DONE = (TicketState.RESOLVED, TicketState.CLOSED)
AFTER_RESOLUTION = timedelta(hours=4)
NOT_YET_DECIDED = 3  # of the newest: two drafts and one in review

WRITTEN = (
    (
        "Sign-in refused after the signing key was replaced",
        About("authentication", "auth.assertion.kid", "epic"),
        """## Symptoms

No note leaves the scribe since a certain minute; the token server answers `invalid_client`.

## Cause

The scribe signs with a new key, but the key set the EHR reads still holds the old one only.

## Steps taken

- Compared the key id in the sign-in request with the ids in the published key set
- Looked up when the key was replaced

## Resolution

1. Publish the public half of the new key beside the old one.
2. Wait until the EHR has read the key set again; its cache headers say how long that takes.
3. Write to the test patient, then resend the notes that wait.
""",
    ),
    (
        "Certificate chain without its intermediate",
        About("network", "net.tls.chain_incomplete", "eclinicalworks"),
        """## Symptoms

Some machines connect and others refuse the certificate, although it is valid.

## Cause

The server sends its own certificate alone. Browsers fetch the missing one themselves; the scribe does not.

## Steps taken

- Looked at the chain as the server sends it, from each segment

## Resolution

1. Have the intermediate certificate installed on the EHR's gateway, after the server's own.
2. Do not switch the check of certificates off, not even for a test.
""",
    ),
    (
        "Write scope lost after the app was registered again",
        About("permissions", "perm.scope.write_missing", "epic"),
        """## Symptoms

Reading works, every write is refused with 403 although a token is granted.

## Cause

The app was registered again with read scopes only; the token holds what the registration allows, whatever is asked.

## Steps taken

- Compared the scopes asked for with those in the granted token

## Resolution

1. Have the EHR team add the write scope for DocumentReference to the registration.
2. Fetch a new token: a running one does not change.
""",
    ),
    (
        "Field renamed in the template, so a section lands nowhere",
        About("template_conflict", "tmpl.field.unknown", "athenahealth"),
        """## Symptoms

One section of each note is missing from the chart since a template change; the write itself succeeds.

## Cause

The template has a new version in which the field has another name, and the mapping still writes to the old one.

## Steps taken

- Compared the mapping with the fields of the template's present version

## Resolution

1. Ask who changed the template which field took over, and map the section to it.
2. Enter the lost text of the notes since the change by hand.
""",
    ),
    (
        "Long notes end in the middle of a sentence",
        About("endpoint_configuration", "hl7.note.truncated", "generic"),
        """## Symptoms

Short notes arrive whole, long ones only in part, all cut at the same length.

## Cause

The interface engine keeps a limit on the length of OBX-5 and cuts without a word.

## Resolution

1. Have the limit raised, or the text split over several OBX segments with the same OBX-3.
2. Add the missing part to the chart now.
""",
    ),
)


def make_knowledge(users: dict[str, User]) -> int:
    """Draft, review and publish through the services as people do; give how many articles there are then."""
    reviewer = users[INFORMATICS]
    _write(reviewer)
    tickets = list(
        Ticket.objects.filter(state__in=DONE, article=None, run__isnull=False)  # the past years keep no diagnosis
        .exclude(confirmed_category="")
        .select_related("owner", "facility")
        .order_by("-resolved_at", "-id")
    )
    reviews_at = grants(reviewer).where(Right.REVIEW_KNOWLEDGE)
    mine = set(visible(reviewer).values_list("pk", flat=True))
    undecided = 0
    for ticket in tickets:
        if ticket.owner is None or ticket.facility_id not in reviews_at:
            continue
        article = services.draft(ticket=ticket, by=ticket.owner)
        _date(article, ticket)
        if ticket.pk not in mine:
            continue  # of a restricted department: its draft waits for a reviewer who may enter it
        open_end = ticket.state == TicketState.RESOLVED and not article.restricted
        if open_end and undecided < NOT_YET_DECIDED:
            undecided += 1
            if undecided == 1:
                services.submit(article=article, by=ticket.owner)
            continue
        services.publish(article=article, by=reviewer)
        _date(article, ticket, published=True)
    _mark_oldest_stale(reviewer)
    _use(users)
    return Article.objects.count()


def _write(reviewer: User) -> None:
    facility = Facility.objects.get(slug="northcampus")
    for title, about, body in WRITTEN:
        article = services.write(facility=facility, by=reviewer, title=title, body=body, about=about)
        services.publish(article=article, by=reviewer)


def _date(article: Article, ticket: Ticket, *, published: bool = False) -> None:
    """Date what was just made to when it is said to have happened."""
    assert ticket.resolved_at is not None
    at = ticket.resolved_at
    ArticleVersion.objects.filter(article=article).update(at=at)
    TicketEvent.objects.filter(ticket=ticket, kind=TicketEvent.Kind.ARTICLE, after="drafted").update(at=at)
    dates = {"created_at": at, "changed_at": at}
    if published:
        later = at + AFTER_RESOLUTION
        dates |= {"changed_at": later, "published_at": later, "reviewed_at": later}
        # The tale closed its ticket before there were articles; now it has one.
        decided = TicketEvent.objects.filter(ticket=ticket, kind=TicketEvent.Kind.ARTICLE).exclude(after="drafted")
        decided.update(after="published", at=later)
    Article.objects.filter(pk=article.pk).update(**dates)


def _mark_oldest_stale(reviewer: User) -> None:
    oldest = (
        Article.objects.filter(state=ArticleState.PUBLISHED, ticket__isnull=False, author__isnull=False)
        .order_by(F("published_at").asc(), "id")
        .first()
    )
    if oldest is not None:
        services.mark_stale(
            article=oldest,
            by=reviewer,
            reason="The vendor's next version answers otherwise; see whether it still holds.",
        )


def _use(users: dict[str, User]) -> None:
    """Let earlier tickets of the same cause or category have used what was written."""
    for article in Article.objects.filter(state=ArticleState.PUBLISHED, ticket=None):
        alike = Ticket.objects.filter(state__in=DONE, confirmed_category=article.category).exclude(owner=None)
        for ticket in alike.select_related("owner").order_by("-resolved_at", "-id")[:3]:
            ArticleUse.objects.get_or_create(article=article, ticket=ticket, defaults={"by": ticket.owner})
