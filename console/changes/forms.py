"""What people may send about templates and mappings."""

import json
from typing import Any

from django import forms
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration
from diagnostics.case_folder import parse
from diagnostics.case_format import TemplateField, TemplateFormat
from diagnostics.checks.step3_mapping.looking import title
from diagnostics.errors import CaseError
from diagnostics.evidence.placement import section_of_rule
from diagnostics.parsing.note_headings import SECTIONS

TEMPLATE_LIMIT = 500_000
MOST_FIELDS = 2000


def read_template(raw: str) -> dict[str, Any]:
    """Read a pasted `template.json`; raise ValidationError that names the place."""
    try:
        parse(raw.encode(), TemplateFormat, "template.json")
        content: dict[str, Any] = json.loads(raw.lstrip("\ufeff"))
    except CaseError as error:
        raise forms.ValidationError(_numbered(error, raw) or _place(error, raw)) from None
    for key in ("template_id", "version", "fields"):
        if not content.get(key):
            raise forms.ValidationError(f"{key}: is missing. A template needs a template_id, a version and its fields.")
    if len(str(content["template_id"])) > 80:
        raise forms.ValidationError("template_id: at most 80 characters.")
    if not isinstance(content["version"], int) or not 0 < content["version"] < 2**31:
        raise forms.ValidationError("version: expected a whole number from 1 on, such as 8.")
    _read_fields(content["fields"])
    return content


def _read_fields(fields: list[dict[str, Any]]) -> None:
    if len(fields) > MOST_FIELDS:
        raise forms.ValidationError(f"fields: at most {MOST_FIELDS}; there are {len(fields)}.")
    seen: set[str] = set()
    for index, field in enumerate(fields):
        if not field["id"].strip():
            raise forms.ValidationError(f"fields[{index}].id: is empty.")
        if field["id"] in seen:
            raise forms.ValidationError(f"fields[{index}].id: {field['id']} stands in the list twice.")
        if field.get("max_length") is not None and field["max_length"] < 1:
            raise forms.ValidationError(f"fields[{index}].max_length: expected 1 or more.")
        if field.get("kind") not in (None, "text", "discrete"):
            raise forms.ValidationError(f"fields[{index}].kind: expected text or discrete, found {field['kind']}.")
        seen.add(field["id"])


def _numbered(error: CaseError, raw: str) -> str:
    """Name the first field of the list that is wrong by its number, which the whole's message leaves open."""
    if not error.key.startswith("fields[...]"):
        return ""
    for index, field in enumerate(json.loads(raw.lstrip("\ufeff"))["fields"]):
        try:
            parse(json.dumps(field).encode(), TemplateField, "template.json")
        except CaseError as wrong:
            key = f"fields[{index}]" + (f".{wrong.key}" if wrong.key else "")
            return f"{key}: {wrong.expected}."
    return ""


def _place(error: CaseError, raw: str) -> str:
    if not error.key:
        try:
            json.loads(raw)
        except json.JSONDecodeError as problem:
            return f"Line {problem.lineno}, column {problem.colno}: this is not valid JSON ({problem.msg.lower()})."
        except RecursionError:
            return "This is nested too deeply for a template."
    return f"{error.key}: {error.expected}." if error.key else f"template.json {error.expected}."


class TemplateForm(forms.Form):
    """A pasted or uploaded template."""

    text = forms.CharField(required=False, max_length=TEMPLATE_LIMIT, strip=False)
    file = forms.FileField(required=False)

    def clean(self) -> dict[str, Any]:
        """Read whichever is there; an uploaded file wins and is shown in the box."""
        cleaned = super().clean() or {}
        raw, file = cleaned.get("text") or "", cleaned.get("file")
        if file is not None:
            if file.size > TEMPLATE_LIMIT:
                raise forms.ValidationError({"file": "This file is larger than 500 kB: it is no template."})
            try:
                raw = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise forms.ValidationError({"file": "This file is not UTF-8 text."}) from None
        self.raw = raw
        if not raw.strip():
            if "text" not in self.errors:
                self.add_error("text", "Paste the template's JSON, or choose its file.")
            return cleaned
        try:
            cleaned["content"] = read_template(raw)
        except forms.ValidationError as problem:
            self.add_error("text", problem)
        return cleaned


class ProposeForm(TemplateForm):
    """A template with the integrations it concerns and its day."""

    integrations = forms.ModelMultipleChoiceField(
        queryset=Integration.objects.none(),
        error_messages={
            "required": "Choose at least one integration that uses this template.",
            "invalid_choice": "Choose from the integrations listed.",
        },
    )
    goes_live_on = forms.DateField(
        error_messages={"required": "Say on which day it goes live.", "invalid": "Write a day such as 2026-12-01."}
    )
    note = forms.CharField(max_length=2000, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["integrations"].queryset = concerned(user)  # type: ignore[attr-defined]

    def clean_goes_live_on(self) -> Any:
        """A day that has passed would claim that notes of yesterday met this version."""
        day = self.cleaned_data["goes_live_on"]
        if day < timezone.localdate():
            raise forms.ValidationError("This day has passed: choose today or a later one.")
        return day


def concerned(user: User) -> Any:
    """Give the active integrations for which a person may propose."""
    where = grants(user).where(Right.REVIEW_KNOWLEDGE) & grants(user).where(Right.SEE_INTEGRATIONS)
    rows = Integration.objects.filter(facility__in=where, active=True).select_related("facility")
    return rows.order_by("facility__name", "name", "id")


class DecideForm(forms.Form):
    """The decision."""

    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("send_back", "Send back")])
    reason = forms.CharField(max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        """Sending back needs a reason."""
        cleaned = super().clean() or {}
        if cleaned.get("decision") == "send_back" and not cleaned.get("reason"):
            self.add_error("reason", "Say why it goes back, so that its proposer knows what to change.")
        return cleaned


class RuleForm(forms.Form):
    """One rule; an empty line is no rule."""

    section = forms.ChoiceField(required=False)
    field = forms.CharField(max_length=120, required=False)
    mode = forms.ChoiceField(choices=[("append", "append"), ("replace", "replace")], required=False)

    def __init__(self, *args: Any, others: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [*SECTIONS, *(name for name in others if name not in SECTIONS)]
        self.fields["section"].choices = [("", "No section"), *((n, title(section_of_rule(n))) for n in names)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A rule has both ends."""
        cleaned = super().clean() or {}
        if cleaned.get("section") and not cleaned.get("field"):
            self.add_error("field", "Say to which field this section goes.")
        if cleaned.get("field") and not cleaned.get("section") and "section" not in self.errors:
            self.add_error("section", "Say which section goes there.")
        return cleaned


RuleFormSet = forms.formset_factory(RuleForm, extra=3, max_num=200, absolute_max=220)


class MappingForm(forms.Form):
    """What stands beside the rules."""

    output = forms.MultipleChoiceField(
        choices=[("narrative", "Narrative text"), ("discrete", "Discrete data")],
        error_messages={"required": "Choose what the AI scribe sends."},
    )
    adopt = forms.BooleanField(required=False)
    seen = forms.UUIDField(required=False)
