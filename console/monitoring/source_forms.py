"""What people may say of a source."""

from django import forms

from console.integrations.sources import is_zone

_NO_ZONE = "This is no time zone: write one such as America/Chicago or UTC, or leave it empty."


class ZoneForm(forms.Form):
    """The time zone of a source's clock, and why it is another now."""

    time_zone = forms.CharField(max_length=64, required=False)
    why = forms.CharField(max_length=200, error_messages={"required": "Say why: others will wonder later."})

    def clean_time_zone(self) -> str:
        """Know the zone."""
        zone = str(self.cleaned_data["time_zone"])
        if zone and not is_zone(zone):
            raise forms.ValidationError(_NO_ZONE)
        return zone
