"""Django system checks with ids: what an operator must know before the console serves anybody."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

NO_KEYS = (
    "SECRET_KEY and NOTETRACE_MASTER_KEY are not both set (or as files: SECRET_KEY_FILE, NOTETRACE_MASTER_KEY_FILE)."
)


def refuse_to_serve_without_keys() -> None:
    """Stop a web server whose keys would vanish with its process, and every sealed text with them."""
    if not settings.KEYS_ARE_GIVEN:
        raise ImproperlyConfigured(NO_KEYS)


@register(Tags.security, deploy=True)
def keys_are_given(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Report missing keys as console.E001."""
    if settings.KEYS_ARE_GIVEN:
        return []
    hint = "python -c 'import secrets; print(secrets.token_urlsafe(48))' makes one; docs in deploy/README.md."
    return [Error(NO_KEYS, hint=hint, id="console.E001")]


@register(Tags.database)
def role_owns_nothing(app_configs: Sequence[AppConfig] | None, databases: Any = None, **_: Any) -> list[CheckMessage]:
    """Report as console.W001 an application role that is a superuser or owns tables: its bugs could drop them."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relowner = r.oid AND n.nspname = 'public') FROM pg_roles r WHERE rolname = current_user"
            )
            row = cursor.fetchone()
        if row and row[0] and not _runs_as_owner():
            hint = "Give DATABASE_URL a role of its own and DATABASE_OWNER_URL the owner's; see deploy/roles.sql."
            messages.append(Warning("The application's database role owns tables.", hint=hint, id="console.W001"))
    return messages


def _runs_as_owner() -> bool:
    import os

    return os.environ.get("NOTETRACE_DATABASE_ROLE") == "owner"
