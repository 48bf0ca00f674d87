"""What people may enter: log rows, alert rules, tokens."""

import zlib

from django import forms
from django.core.files.uploadedfile import UploadedFile

from console.integrations.models import Integration
from console.monitoring.models import RuleKind
from console.notes.packed import BadPacking, unpack

LIMIT_BYTES = 10 * 1024 * 1024
_TOO_MUCH = "Up to 10 MB of rows, unpacked, are taken at once. Split the file and send the parts one after another."


class LogForm(forms.Form):
    """Rows of one log: pasted or a file, plain or packed."""

    integration = forms.ModelChoiceField(Integration.objects.none(), empty_label="Choose an integration")
    log = forms.ChoiceField(choices=(("scribe", "AI scribe"), ("ehr", "EHR")))
    pasted = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    file = forms.FileField(required=False)

    def clean(self) -> dict:
        """Bring either into one body."""
        data = super().clean()
        file, pasted = data.get("file"), data.get("pasted") or ""
        if file is not None:
            data["body"] = self._read(file)
        else:
            data["body"] = pasted.encode("utf-8", "surrogatepass")
        if not self.errors and not data["body"].strip():
            self.add_error("pasted", "Paste the rows, one JSON object a line, or choose a file.")
        if len(data["body"]) > LIMIT_BYTES:
            self.add_error("file" if file is not None else "pasted", _TOO_MUCH)
        return data

    def _read(self, file: UploadedFile) -> bytes:
        if file.size > LIMIT_BYTES:
            self.add_error("file", _TOO_MUCH)
            return b""
        raw = file.read()
        if raw[:2] != b"\x1f\x8b":
            return raw
        try:
            return unpack(raw, LIMIT_BYTES)
        except (BadPacking, zlib.error):
            self.add_error("file", "This gzip file is damaged. Pack it again and send it once more.")
            return b""


class RuleForm(forms.Form):
    """One alert rule."""

    threshold = forms.FloatField(min_value=0.1)
    min_sample = forms.IntegerField(min_value=1, max_value=10_000, required=False)
    active = forms.BooleanField(required=False)
    integration = forms.ModelChoiceField(Integration.objects.none(), required=False)

    def __init__(self, *args: object, kind: RuleKind, integrations: object, **more: object) -> None:
        super().__init__(*args, **more)
        self.kind = kind
        self.fields["integration"].queryset = integrations

    def clean_threshold(self) -> float:
        """Refuse what cannot be a share, a count or a number of days."""
        value = self.cleaned_data["threshold"]
        most = {RuleKind.SUCCESS_RATE: 100, RuleKind.CERTIFICATE: 365}.get(self.kind, 1000)
        if value > most:
            raise forms.ValidationError(f"At most {most}.")
        if self.kind in (RuleKind.TOKEN, RuleKind.EHR_5XX) and value != int(value):
            raise forms.ValidationError("A whole number.")
        return float(value)


class TokenForm(forms.Form):
    """A token for an integration's source."""

    integration = forms.ModelChoiceField(Integration.objects.none(), empty_label="Choose an integration")
    name = forms.CharField(max_length=80)
