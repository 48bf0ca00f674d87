"""What people may send to the knowledge base, and what is wrong with it in plain words."""

import uuid

from django import forms

from console.diagnoses import words
from console.knowledge.causes import by_category, category_of
from console.knowledge.services import About
from console.tickets.confirming import proof_of
from console.tickets.models import Ticket, TicketNote

OTHER, NONE = "other", "none"
ENDS = [choice for choice in TicketNote.End.choices if choice[0] != TicketNote.End.WAITING]
TEXT_LIMIT = 40_000


class SearchForm(forms.Form):
    """Words or a pasted error, and what to narrow the answer to."""

    q = forms.CharField(max_length=20_000, required=False)
    category = forms.ChoiceField(choices=[("", "Every category"), *words.CATEGORIES.items()], required=False)
    vendor = forms.ChoiceField(choices=(), required=False)

    def __init__(self, *args: object, vendors: list[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        named = [(slug, words.VENDORS.get(slug, slug)) for slug in vendors]
        self.fields["vendor"].choices = [("", "Every vendor"), *named]  # type: ignore[attr-defined]


class ArticleForm(forms.Form):
    """An article's text and what it is about; `seen` is the version the person began from."""

    title = forms.CharField(max_length=160, error_messages={"required": "Give the article a title."})
    category = forms.ChoiceField(
        choices=[("", "Choose…"), *words.CATEGORIES.items()], error_messages={"required": "Choose a category."}
    )
    cause = forms.ChoiceField(choices=(), required=False)
    vendor = forms.ChoiceField(choices=[("", "Every vendor"), *words.VENDORS.items()], required=False)
    body = forms.CharField(
        max_length=TEXT_LIMIT,
        strip=False,
        error_messages={
            "required": "Write something first.",
            "max_length": "This is too long: an article may have up to 40,000 characters.",
        },
    )
    seen = forms.IntegerField(required=False, min_value=0)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["cause"].choices = [("", "None of the catalogue"), *by_category()]  # type: ignore[attr-defined]

    def clean_body(self) -> str:
        """Use one kind of line end, as everywhere else; browsers send two characters."""
        return str(self.cleaned_data["body"]).replace("\r\n", "\n").replace("\r", "\n")

    @property
    def about(self) -> About:
        """Give what the article is about."""
        data = self.cleaned_data
        return About(category=data["category"], cause=data["cause"], vendor=data["vendor"])


class StaleForm(forms.Form):
    """Why an article no longer holds."""

    reason = forms.CharField(max_length=300, error_messages={"required": "Say why it no longer holds."})


class SeenForm(forms.Form):
    """The version that somebody decides about."""

    seen = forms.IntegerField(min_value=1)


class DiscardForm(forms.Form):
    """Which article covers the ticket already, if any."""

    covered_by = forms.UUIDField(required=False)


class ResolveForm(forms.Form):
    """The confirmed cause and how every note ended.

    `cause` is the id of a proposed cause, `other` (then `other_cause` counts) or `none` (then `category` counts).
    A note without an end of its own ends as `all` says.
    """

    cause = forms.ChoiceField(choices=(), error_messages={"required": "Confirm the root cause, or choose another."})
    other_cause = forms.ChoiceField(choices=(), required=False)
    category = forms.ChoiceField(choices=[("", "Choose…"), *words.CATEGORIES.items()], required=False)
    all = forms.ChoiceField(choices=ENDS, required=False)
    what_was_done = forms.CharField(
        max_length=5000, required=False, error_messages={"max_length": "This is too long: at most 5,000 characters."}
    )
    unconfirmed_because = forms.CharField(
        max_length=1000, required=False, error_messages={"max_length": "This is too long: at most 1,000 characters."}
    )
    seen = forms.CharField(max_length=12)

    def __init__(
        self, *args: object, ticket: Ticket, proposed: dict[str, str], waiting: list[TicketNote], **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.proposed = proposed
        self.waiting = waiting
        self.proof = proof_of(ticket)
        self.asks_outcome = not ticket.ticket_notes.exists()
        choices = [*((cause, cause) for cause in proposed), (OTHER, OTHER), (NONE, NONE)]
        self.fields["cause"].choices = choices  # type: ignore[attr-defined]
        self.fields["other_cause"].choices = [("", "Choose…"), *by_category()]  # type: ignore[attr-defined]
        for row in waiting:
            choice = forms.ChoiceField(choices=[("", "As above"), *ENDS], required=False)
            self.fields[end_name(row.note_id)] = choice

    def clean(self) -> dict[str, object]:
        """Ask for what the choices made need."""
        cleaned = super().clean() or {}
        if cleaned.get("cause") == OTHER and not cleaned.get("other_cause"):
            self.add_error("other_cause", "Choose the cause.")
        if cleaned.get("cause") == NONE and not cleaned.get("category"):
            self.add_error("category", "Choose at least the category.")
        ends = self.ends
        open_ends = [row for row in self.waiting if not ends.get(row.note_id)]
        if (open_ends or self.asks_outcome) and not cleaned.get("all") and "all" not in self.errors:
            self.add_error("all", "Say how it ended: in chart, entered by hand, or not needed.")
        seen = TicketNote.End.IN_CHART in (*ends.values(), cleaned.get("all"))
        if self.proof is None and not seen and not cleaned.get("unconfirmed_because"):
            self.add_error(
                "unconfirmed_because",
                "Nothing confirms the fix yet. Confirm it on the ticket first, or say why it is resolved all the same.",
            )
        return cleaned

    @property
    def confirmed(self) -> tuple[str, str]:
        """Give (category, cause); a proposed cause keeps the category that the evidence gave it."""
        chosen = self.cleaned_data["cause"]
        if chosen == NONE:
            return self.cleaned_data["category"], ""
        if chosen == OTHER:
            other = self.cleaned_data["other_cause"]
            return category_of(other), other
        return self.proposed[chosen], chosen

    @property
    def ends(self) -> dict[uuid.UUID, str]:
        """Give how each waiting note ended, empty where nobody said."""
        data = self.cleaned_data
        return {row.note_id: data.get(end_name(row.note_id)) or data.get("all") or "" for row in self.waiting}

    @property
    def end_lines(self) -> list[tuple[TicketNote, forms.BoundField]]:
        """Pair each waiting note with its field."""
        return [(row, self[end_name(row.note_id)]) for row in self.waiting]


def end_name(note_id: uuid.UUID) -> str:
    """Name the field of one note's end."""
    return f"end-{note_id}"
