"""What people say of many notes at once."""

from django import forms

from console.tickets.models import TicketNote

_CHANGED = "The page was incomplete. Look again, then say how the notes ended."


class EndAllForm(forms.Form):
    """How all notes ended that waited when the page was made: how many those were, and up to when they came."""

    end = forms.ChoiceField(
        choices=[choice for choice in TicketNote.End.choices if choice[0] != TicketNote.End.WAITING],
        error_messages={"required": "Say how these notes ended: in chart, entered by hand, or not needed."},
    )
    count = forms.IntegerField(min_value=1, error_messages={"required": _CHANGED, "invalid": _CHANGED})
    until = forms.DateTimeField(error_messages={"required": _CHANGED, "invalid": _CHANGED})
