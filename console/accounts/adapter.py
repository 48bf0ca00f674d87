"""What allauth may do here: people are entered by an administrator, never by themselves."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class NoSignUp(DefaultAccountAdapter):
    """Close the sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False
