"""Words for the audit trail."""

from django import template

from console.accounts.audit import words

register = template.Library()


@register.filter
def action_words(action: str) -> str:
    """Say an action's name as people read it."""
    return words(action)
