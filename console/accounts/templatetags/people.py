"""Words for the audit trail."""

from django import template

from console.accounts.audit import object_words, words
from console.accounts.models import Facility

register = template.Library()


@register.simple_tag
def nothing_set_up() -> bool:
    """Tell whether the installation has no facility yet, so that nobody can log in."""
    return not Facility.objects.exists()


register.filter("object_words", object_words)


@register.filter
def action_words(action: str) -> str:
    """Say an action's name as people read it."""
    return words(action)
