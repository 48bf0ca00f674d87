"""People, the places they work in, what they may do there, and what they did."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from console.shared.identifiers import new_id


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
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(Lower("email"), name="user_email_in_any_case"),)

    def __str__(self) -> str:
        return self.name or self.email

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
