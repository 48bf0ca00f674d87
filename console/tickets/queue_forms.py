"""What people may send to the queue: a view to keep, and what to do with several tickets."""

from typing import Any

from django import forms

from console.accounts.access import facilities
from console.accounts.models import Facility, User
from console.accounts.roles import Right


class ViewForm(forms.Form):
    """A view's name, and with whose people it is shared."""

    name = forms.CharField(
        max_length=60,
        error_messages={"required": "Give the view a name.", "max_length": "A name may have up to 60 characters."},
    )
    facility = forms.ModelChoiceField(
        queryset=Facility.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose one of your facilities, or keep the view for yourself."},
    )
    query = forms.CharField(max_length=400, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["facility"].queryset = facilities(user, Right.WORK_TICKETS)

    def clean_name(self) -> str:
        """Keep a name in one line."""
        return " ".join(str(self.cleaned_data["name"]).split())
