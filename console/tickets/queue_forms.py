"""What people may send to the queue: a view to keep, and what to do with several tickets."""

from typing import Any

from django import forms
from django.db.models import Q

from console.accounts.access import facilities
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.tickets.bulk import Act
from console.tickets.models import Severity, WaitingFor
from console.tickets.people import working_beside


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


ACTS = {
    "take": "Take",
    "assign": "Give to a colleague…",
    "watch": "Add a watcher…",
    **{f"waiting:{value}": f"Waiting on {str(name) if str(name).startswith('EHR') else str(name).lower()}"
       for value, name in WaitingFor.choices},
    **{f"severity:{value}": f"Severity: {name}" for value, name in Severity.choices},
    "close": "Close without an article",
}  # fmt: skip
ABOUT_PEOPLE = ("assign", "watch")


class BulkForm(forms.Form):
    """What to do with several tickets; the person only where the act is about one."""

    act = forms.ChoiceField(
        choices=list(ACTS.items()),
        error_messages={
            "required": "Choose what to do with the tickets.", "invalid_choice": "Choose one of the actions listed.",
        },
    )  # fmt: skip
    person = forms.ModelChoiceField(
        queryset=User.objects.none(), required=False,
        error_messages={"invalid_choice": "Choose one of the people listed."},
    )  # fmt: skip

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if str(self.data.get("act", "")) in ABOUT_PEOPLE:
            others = working_beside(user).values("pk")
            self.fields["person"].queryset = User.objects.filter(Q(pk=user.pk) | Q(pk__in=others)).order_by(
                "name", "id"
            )

    def chosen(self) -> Act | None:
        """Give the act; None while it is still to be said for whom."""
        kind, _, value = str(self.cleaned_data["act"]).partition(":")
        person = self.cleaned_data.get("person")
        if kind in ABOUT_PEOPLE and person is None:
            return None
        return Act(kind, value, person if kind in ABOUT_PEOPLE else None)
