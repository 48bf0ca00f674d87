"""What was learned: articles, their earlier texts, and which tickets used them."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedTextField
from console.integrations.models import Integration
from console.notes.models import FailureMode
from console.shared.identifiers import new_id
from console.tickets.models import Ticket


class ArticleState(models.TextChoices):
    """Where an article stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    PUBLISHED = "published", "Published"
    STALE = "stale", "Stale"


UNPUBLISHED = (ArticleState.DRAFT, ArticleState.IN_REVIEW)
READABLE = (ArticleState.PUBLISHED, ArticleState.STALE)

_WORDS = "english"


class Article(models.Model):
    """One thing that was learned. Published ones hold no patient data and are seen in every facility.

    `body` is the working text (Markdown). It is sealed, because what people type before a review may hold anything;
    `text` is the same once it passed the lint and was published, in the clear, for reading and searching.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(
        Facility, on_delete=models.PROTECT, related_name="+", help_text="Where it was learned."
    )
    ticket = models.OneToOneField(Ticket, on_delete=models.PROTECT, null=True, related_name="article")
    state = models.CharField(max_length=10, choices=ArticleState, default=ArticleState.DRAFT)
    title = models.CharField(max_length=160)
    body = SealedTextField()
    text = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    signature = models.CharField(max_length=300, blank=True, help_text="The error text, masked.")
    failure_mode = models.CharField(max_length=16, choices=FailureMode, default=FailureMode.UNKNOWN)
    category = models.CharField(max_length=32)
    cause = models.CharField(max_length=80, blank=True)
    vendor = models.SlugField(max_length=40, blank=True)
    protocol = models.CharField(max_length=8, choices=Integration.Protocol, blank=True)
    time_to_resolution = models.DurationField(null=True, help_text="Of the ticket it was learned from, wall clock.")
    restricted = models.BooleanField(default=False, help_text="Its ticket had a note of a restricted department.")
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    review_by = models.DateField(null=True, help_text="When somebody should ask whether it still holds.")
    stale_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    # Kept by the database itself, so that no path of writing can forget them.
    vector = models.GeneratedField(
        expression=SearchVector("title", weight="A", config=_WORDS)
        + SearchVector("signature", "cause", weight="B", config=_WORDS)
        + SearchVector("text", weight="C", config=_WORDS),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    words = models.GeneratedField(
        expression=Concat(
            "title", Value(" "), "vendor", Value(" "), "signature", Value(" "), "text", output_field=models.TextField()
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    class Meta:
        ordering = ("-changed_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=("draft", "in_review"), text="")
                | models.Q(state__in=("published", "stale"), published_at__isnull=False) & ~models.Q(text=""),
                name="article_text_is_published",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="stale") | ~models.Q(stale_reason=""), name="stale_article_says_why"
            ),
            models.CheckConstraint(
                condition=models.Q(released_at__isnull=True, released_by__isnull=True)
                | models.Q(released_at__isnull=False, released_by__isnull=False),
                name="article_release_has_a_name",
            ),
        )
        indexes = (
            GinIndex(fields=("vector",), name="article_words"),
            GinIndex(fields=("words",), opclasses=("gin_trgm_ops",), name="article_trigrams"),
            GinIndex(fields=("signature",), opclasses=("gin_trgm_ops",), name="article_signature"),
            models.Index(fields=("state", "cause"), name="article_by_cause"),
            models.Index(fields=("facility", "state", "-changed_at"), name="article_review"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_readable(self) -> bool:
        """Tell whether it was published, be it stale by now."""
        return self.state in READABLE

    @property
    def awaits_release(self) -> bool:
        """Tell whether only those who see its ticket may read it, until a privacy officer releases it."""
        return self.restricted and self.released_at is None

    @property
    def is_due(self) -> bool:
        """Tell whether somebody should ask whether it still holds."""
        due = self.review_by is not None and self.review_by <= timezone.localdate()
        return due and self.state == ArticleState.PUBLISHED


class ArticleVersion(models.Model):
    """One saved text of an article: who wrote it, and when. The newest is the article's own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=160)
    body = SealedTextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-number", "-id")
        constraints = (models.UniqueConstraint(fields=("article", "number"), name="version_once_an_article"),)

    def __str__(self) -> str:
        return f"version {self.number} of {self.article_id}"


class ArticleUse(models.Model):
    """A ticket on which an article was opened: counted once a ticket."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="uses")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="article_uses")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-at", "-id")
        constraints = (models.UniqueConstraint(fields=("article", "ticket"), name="use_once_a_ticket"),)

    def __str__(self) -> str:
        return f"{self.article_id} on {self.ticket_id}"
