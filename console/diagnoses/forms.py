"""What people may paste into the page that explains an error."""

from django import forms

TEXT_LIMIT = 1_000_000


class ExplainForm(forms.Form):
    """An error text, with what is known of where it came from."""

    PROTOCOLS = (
        ("", "I do not know"),
        ("fhir", "FHIR"),
        ("hl7v2", "HL7 v2"),
        ("oauth", "Token server (OAuth)"),
        ("tls", "TLS"),
        ("net", "Network"),
    )

    text = forms.CharField(
        max_length=TEXT_LIMIT,
        error_messages={
            "required": "Paste an error text first: a message, a whole response body, an acknowledgement.",
            "max_length": "This is too long: at most 1 MB can be pasted.",
        },
    )
    status = forms.IntegerField(
        required=False,
        min_value=100,
        max_value=599,
        error_messages={
            "invalid": "An HTTP status is a number such as 401.",
            "min_value": "An HTTP status is a number from 100 to 599.",
            "max_value": "An HTTP status is a number from 100 to 599.",
        },
    )
    protocol = forms.ChoiceField(choices=PROTOCOLS, required=False)
