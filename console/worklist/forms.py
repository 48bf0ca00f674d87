"""What people say of notes that wait."""

import uuid

from django import forms

from console.notes.models import End

MOST_AT_ONCE = 1050  # a page of encounters with all the further notes that it names


class EndForm(forms.Form):
    """How the chosen notes ended; leaving one without documentation needs a reason."""

    how = forms.ChoiceField(
        choices=[(how.value, how.label) for how in End if how != End.OPEN],
        error_messages={"required": "Choose how they ended.", "invalid_choice": "Choose how they ended."},
    )
    reason = forms.CharField(max_length=500, required=False)
    step = forms.ChoiceField(choices=[("ask", "ask"), ("do", "do")])

    def clean(self) -> dict[str, object]:
        """Ask for the reason only where the notes are to be ended, not where they are shown once more."""
        said = super().clean() or {}
        if said.get("step") == "do" and said.get("how") == End.NOT_NEEDED and not str(said.get("reason", "")).strip():
            self.add_error("reason", "Say why no documentation is needed.")
        return said


def chosen_notes(values: list[str]) -> list[uuid.UUID]:
    """Read the ids of the chosen notes; what is no id chooses nothing."""
    found = []
    for value in values[:MOST_AT_ONCE]:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return list(dict.fromkeys(found))
