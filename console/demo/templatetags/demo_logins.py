"""The logins that the demo names on its login page, and nowhere else."""

from dataclasses import dataclass

from django import template
from django.conf import settings

from console.demo.models import Seeding
from console.launch.demo import LOGINS, PASSWORD_FOR_THE_DEMO

register = template.Library()


@dataclass(frozen=True)
class Login:
    """Be one login of the demo."""

    role: str
    email: str
    password: str


@register.simple_tag
def demo_logins() -> tuple[Login, ...]:
    """Name the logins of the sample data; elsewhere there is none to name."""
    if not settings.DEMO or not Seeding.objects.exists():
        return ()
    return tuple(Login(role, email, PASSWORD_FOR_THE_DEMO) for email, role in LOGINS)
