"""People, the places they work in, what they may do there, and what they did."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from console.accounts.sealed import SealedTextField
from console.shared.identifiers import new_id
from console.shared.work import WorkRow


class UserManager(BaseUserManager["User"]):
    """Make users; the e-mail address is the login."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an ordinary person."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make the installation's own account; it sees no facility, because only grants show facilities."""
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        """Find by e-mail in any case."""
        return self.get(email=(email or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Empty: the facility's own.")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0, help_text="Counting up ends every session of this person.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_in_any_case"),)

    def __str__(self) -> str:
        return self.name or self.email

    def get_session_auth_hash(self) -> str:
        """Bind sessions to the password and to the epoch, so that either change ends them."""
        return self._session_hash()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Keep sessions over a change of SECRET_KEY while the old one is listed."""
        for secret in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(secret)

    def _session_hash(self, secret: str | None = None) -> str:
        salt = "console.accounts.models.User.session"
        return salted_hmac(salt, f"{self.session_epoch}:{self.password}", secret=secret, algorithm="sha256").hexdigest()

    @property
    def initials(self) -> str:
        """Give up to two letters for a small round picture."""
        words: Iterable[str] = (self.name or self.email).split()
        return "".join(word[0] for word in words)[:2].upper()


class Facility(models.Model):
    """A hospital."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        verbose_name_plural = "facilities"
        permissions = (
            ("see_tickets", "See tickets"),
            ("work_tickets", "Open and work on tickets"),
            ("run_diagnosis", "Run a diagnosis"),
            ("open_payload", "Open a note's payload"),
            ("resend_notes", "Prepare and start a resend"),
            ("approve_resend", "Approve another person's resend"),
            ("see_integrations", "See integrations"),
            ("manage_integrations", "Change integrations"),
            ("review_knowledge", "Review knowledge and template changes"),
            ("see_reports", "See reports"),
            ("release_phi", "Release articles from restricted tickets"),
            ("see_audit", "See the audit trail"),
            ("administer", "Administer people and facility"),
        )

    def __str__(self) -> str:
        return self.name


class Department(models.Model):
    """A unit of a facility. A restricted one (behavioral health, say) needs a grant of its own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="departments")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    restricted = models.BooleanField(default=False)

    class Meta:
        ordering = ("name", "id")
        permissions = (("enter_department", "See what belongs to a restricted department"),)
        constraints = (models.UniqueConstraint(fields=("facility", "slug"), name="department_once_a_facility"),)

    def __str__(self) -> str:
        return self.name


class FacilityKey(models.Model):
    """A facility's key, wrapped by the master key that the environment holds."""

    class Purpose(models.TextChoices):
        """What a key is for."""

        DATA = "data", "Sealing"
        HASH = "hash", "Looking up sealed ids"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="keys")
    purpose = models.CharField(max_length=8, choices=Purpose)
    master_id = models.CharField(max_length=40)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"{self.purpose} key {self.id}"


class AuditEntry(models.Model):
    """What somebody did to what. The database refuses to change or remove a row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, null=True, related_name="+")
    who = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    detail = models.JSONField(default=dict, help_text="Ids and state names only: no patient data.")

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=("facility", "-at"), name="audit_by_facility"),
            models.Index(fields=("object_type", "object_id", "-at"), name="audit_by_object"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class OutgoingMail(WorkRow):
    """One mail to one address. The text is sealed, for an invitation holds a link that lets somebody in.

    Write no patient data into one: mail leaves the house.
    """

    task_name: ClassVar[str] = "console.accounts.tasks.deliver_mail"

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = SealedTextField(null=True, help_text="Emptied once it was sent.")
    about = models.CharField(max_length=40, help_text="What kind of mail: invitation, reset, alert, packet.")

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=("state", "due_at"), name="mail_due", condition=models.Q(state__in=("queued", "running"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.about} mail {self.id}"
