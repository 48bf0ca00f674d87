"""What people may send to a ticket, and what is wrong with it in plain words."""

import base64

from django import forms
from django.conf import settings

from console.accounts.models import User
from console.diagnoses import words
from console.diagnoses.models import ChecklistItemState
from console.integrations.models import Integration
from console.tickets.models import Severity, TicketNote, TicketState, WaitingFor
from console.tickets.states import CHOSEN_BY_PEOPLE
from diagnostics.checklists import ITEMS

PASTE_LIMIT = 2_000_000


class OpenForm(forms.Form):
    """The paste box and, where the note does not tell, the integration."""

    file = forms.FileField(required=False, error_messages={"empty": "This file is empty."})
    raw = forms.CharField(required=False, max_length=PASTE_LIMIT * 2)  # the bytes of a file, carried along as base64
    pasted = forms.CharField(
        max_length=PASTE_LIMIT,
        error_messages={
            "required": "Paste a note id, an encounter, a transaction id, an error text, an HL7 message or a payload.",
            "max_length": "This is too long: at most 2 MB of text can be pasted.",
        },
    )
    integration = forms.ModelChoiceField(
        queryset=Integration.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose one of the integrations listed."},
    )
    severity = forms.ChoiceField(choices=Severity.choices, required=False, initial=Severity.UNDOCUMENTED)
    key = forms.CharField(max_length=64, required=False)

    def clean_file(self) -> object:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file and file.size > PASTE_LIMIT:
            raise forms.ValidationError("This file is too large: a note may have up to 2 MB.")
        return file

    def clean(self) -> dict[str, object]:
        """Take a file for what is pasted; keep its bytes, because a character set is judged by bytes."""
        cleaned = super().clean() or {}
        file, content = cleaned.get("file"), b""
        if file:
            content = file.read()
            cleaned["pasted"] = as_text(content)
            self.errors.pop("pasted", None)
        elif cleaned.get("raw") and cleaned.get("pasted"):
            try:
                content = base64.b64decode(str(cleaned["raw"]), validate=True)
            except ValueError:
                content = b""
            if as_text(content).split() != str(cleaned["pasted"]).split():
                content = b""  # the text was changed since: what stands there counts
        cleaned["content"] = content
        return cleaned


def as_text(content: bytes) -> str:
    """Read bytes as text whatever their character set: an undeclared one is a finding, not a reason to refuse."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


class SeenForm(forms.Form):
    """What the person's page showed: the field's own value, and the ticket's version."""

    seen = forms.CharField(max_length=160, required=False, strip=False)
    seen_version = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)

    def saw(self) -> dict[str, object]:
        """Give `seen` and `version` for the service: what the form did not carry is None."""
        seen = self.cleaned_data["seen"] if "seen" in self.data else None
        return {"seen": seen, "version": self.cleaned_data["seen_version"]}


class CommentForm(forms.Form):
    """A comment."""

    text = forms.CharField(max_length=20_000, error_messages={"required": "Write something first."})


class AttachForm(forms.Form):
    """A file."""

    file = forms.FileField(
        max_length=200, error_messages={"required": "Choose a file first.", "empty": "This file is empty."}
    )

    def clean_file(self) -> object:
        """Refuse what is too large before it is sealed."""
        file = self.cleaned_data["file"]
        if file.size > settings.ATTACHMENT_LIMIT_BYTES:
            limit = settings.ATTACHMENT_LIMIT_BYTES // 1024**2
            raise forms.ValidationError(f"Files may have up to {limit} MB; this one is larger.")
        return file


class StateForm(SeenForm):
    """The next state; which may follow which is the service's to say, for the state may have changed meanwhile."""

    state = forms.ChoiceField(
        choices=[(s.value, s.label) for s in TicketState if s in CHOSEN_BY_PEOPLE],
        error_messages={"required": "Choose a state."},
    )
    waiting_for = forms.ChoiceField(choices=[("", ""), *WaitingFor.choices], required=False)

    def clean(self) -> dict[str, object]:
        """Waiting needs a whom."""
        cleaned = super().clean() or {}
        if cleaned.get("state") == TicketState.WAITING and not cleaned.get("waiting_for"):
            self.add_error("waiting_for", "Say for whom the ticket waits.")
        return cleaned


class ReopenForm(SeenForm):
    """Why a ticket comes back."""

    reason = forms.CharField(max_length=5000, error_messages={"required": "Say why the ticket is reopened."})


class AssignForm(SeenForm):
    """Somebody, or nobody."""

    owner = forms.ModelChoiceField(queryset=User.objects.none(), required=False)


class SeverityForm(SeenForm):
    """How grave it is."""

    severity = forms.ChoiceField(choices=Severity.choices)


class TitleForm(SeenForm):
    """What the ticket is called."""

    title = forms.CharField(
        max_length=160,
        error_messages={
            "required": "A ticket needs a title.",
            "max_length": "This title is too long: at most 160 characters.",
        },
    )


class NoteEndForm(SeenForm):
    """How a note ended."""

    end = forms.ChoiceField(choices=TicketNote.End.choices)


class ItemForm(SeenForm):
    """A checklist item's state."""

    item = forms.ChoiceField(choices=[(key, key) for key in ITEMS])
    state = forms.ChoiceField(choices=ChecklistItemState.State.choices)
    answer = forms.ChoiceField(choices=[("", ""), ("yes", "Yes"), ("no", "No")], required=False)
    note = forms.CharField(max_length=1000, required=False)

    def clean(self) -> dict[str, object]:
        """Setting an item aside needs a reason."""
        cleaned = super().clean() or {}
        if cleaned.get("state") == ChecklistItemState.State.NOT_APPLICABLE and not cleaned.get("note"):
            self.add_error("note", "Say why this item does not apply.")
        return cleaned


class ChecklistForm(forms.Form):
    """A further checklist."""

    checklist = forms.SlugField(max_length=60, error_messages={"required": "Choose a checklist first."})


class AnswerForm(forms.Form):
    """An answer to what the engine asks."""

    question = forms.CharField(max_length=120)
    value = forms.CharField(max_length=5000, error_messages={"required": "Write what you know first."})


class DisagreeForm(forms.Form):
    """An objection."""

    category = forms.ChoiceField(choices=[("", "I do not know"), *words.CATEGORIES.items()], required=False)
    text = forms.CharField(max_length=5000, error_messages={"required": "Say what speaks against the verdict."})


class RunForm(forms.Form):
    """All six steps, or one."""

    step = forms.TypedChoiceField(
        choices=[(str(n), str(n)) for n in range(1, 7)], coerce=int, required=False, empty_value=None
    )
