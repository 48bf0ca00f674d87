"""What people may enter: log rows, alert rules, tokens."""

from django import forms

from console.integrations.models import Integration
from console.monitoring.models import RuleKind
from console.notes.models import Log

LIMIT_BYTES = 10 * 1024 * 1024


class LogForm(forms.Form):
    """Rows of one log: pasted, or a file of any known format."""

    integration = forms.ChoiceField()
    log = forms.ChoiceField(choices=Log.choices)
    pasted = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    file = forms.FileField(required=False)

    def clean(self) -> dict:
        """Ask for one of the two."""
        data = super().clean()
        data["body"] = (data.get("pasted") or "").encode("utf-8", "surrogatepass")
        if not self.errors and data.get("file") is None and not data["body"].strip():
            self.add_error("pasted", "Paste the rows, one JSON object a line, or choose a file.")
        if len(data["body"]) > LIMIT_BYTES:
            self.add_error("pasted", "Up to 10 MB may be pasted. Choose the file instead: it may be of any size.")
        return data


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
    opens_tickets = forms.BooleanField(required=False)
