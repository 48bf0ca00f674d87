"""What people enter for one fact of a vendor profile, as text, and what is wrong with it in plain words."""

from typing import Any

from django import forms

from diagnostics.vendors.facts import Fact, Kind, ProfileError
from diagnostics.vendors.model import Surface

_LONG = 8_000
_HELP = {
    Kind.NUMBER: "Empty: not known.",
    Kind.WORDS: "One a line. Empty: not known.",
    Kind.ELEMENTS: "One a line: the path, then what it is, such as context.encounter = the encounter.",
    Kind.CODES: (
        f"One a line: where it is answered ({', '.join(Surface)}), the code, what it means, and perhaps a cause of the "
        "guide: writeback 139 = the encounter is locked | perm.encounter.closed"
    ),
}


def text_of(fact: Fact, value: Any) -> str:
    """Give a JSON value as the form's text."""
    if value is None:
        return ""
    if fact.kind is Kind.FLAG:
        return "yes" if value else "no"
    if fact.kind is Kind.WORDS:
        return "\n".join(value)
    if fact.kind is Kind.ELEMENTS:
        return "\n".join(f"{path} = {says}" for path, says in value.items())
    if fact.kind is Kind.CODES:
        return "\n".join(
            f"{row['surface']} {row['code']} = {row['says']}" + (f" | {row['cause']}" if row.get("cause") else "")
            for row in value
        )
    return str(value)


def value_of(fact: Fact, text: str) -> Any:
    """Read the form's text as JSON; raise ValidationError naming the line that is wrong."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if fact.kind is Kind.FLAG:
        return text == "yes"
    if fact.kind is Kind.NUMBER:
        plain = text.strip()
        if plain and not (plain.isascii() and plain.isdecimal() and len(plain) <= 9):
            raise forms.ValidationError("Write a whole number.")
        return int(plain) if plain else None
    if fact.kind is Kind.ELEMENTS:
        return dict(_pair(number, line) for number, line in lines)
    if fact.kind is Kind.CODES:
        return [_code(number, line) for number, line in lines]
    return [line for _, line in lines]


def _pair(number: int, line: str) -> tuple[str, str]:
    path, equals, says = (part.strip() for part in line.partition("="))
    if not path or (equals and not says):
        raise forms.ValidationError(f"Line {number}: expected a path and what it is, such as subject = the patient.")
    return path, says or path


def _code(number: int, line: str) -> dict[str, str]:
    key, equals, meaning = line.partition("=")
    surface, _, code = key.strip().partition(" ")
    says, _, cause = (part.strip() for part in meaning.partition("|"))
    if not equals or not code.strip() or not says:
        raise forms.ValidationError(f"Line {number}: expected something like writeback 139 = the encounter is locked.")
    row = {"surface": surface.lower(), "code": code.strip(), "says": says}
    return row | ({"cause": cause} if cause else {})


class FactForm(forms.Form):
    """One fact: its value here, and why it is different."""

    why = forms.CharField(
        label="Why", max_length=300, error_messages={"required": "Say why it is different here, or who said so."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    field_order = ("value", "why")

    def __init__(self, data: Any = None, *, fact: Fact, value: Any, seen: str) -> None:
        super().__init__(data, auto_id=f"{fact.name}_%s", initial={"value": text_of(fact, value), "seen": seen})
        self.fact = fact
        self.fields["value"] = _field(fact)
        self.order_fields(self.field_order)

    def clean_value(self) -> Any:
        """Read the text, and let the engine judge it."""
        value = value_of(self.fact, str(self.cleaned_data.get("value") or ""))
        try:
            self.fact.read(value)
        except ProfileError as error:
            raise forms.ValidationError(f"{error.expected[:1].upper()}{error.expected[1:]}.") from None
        return value


def _field(fact: Fact) -> forms.Field:
    if fact.kind is Kind.FLAG:
        return forms.ChoiceField(label="Here", choices=(("yes", "Yes"), ("no", "No")))
    unit = f", in {fact.unit}" if fact.unit else ""
    if fact.kind is Kind.NUMBER:
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        return forms.CharField(
            label=f"Here{unit}", required=False, max_length=12, widget=widget, help_text=_HELP[fact.kind]
        )
    area = forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label="Here", required=False, max_length=_LONG, widget=area, help_text=_HELP[fact.kind])
