"""The form of a network segment: its name and how it leaves. Each message names the field it is about."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django import forms

from diagnostics.net.proxy import Proxy

_LEAVES = "Say how this segment leaves: give a source address, a proxy or a DNS server. Without one it is this place."


class SegmentForm(forms.Form):
    """A place to look from: the name people know it by, and what makes its way out another one."""

    name = forms.CharField(
        max_length=60,
        error_messages={"required": "Name: give the segment a name.", "max_length": "Name: at most 60 characters."},
    )
    source_address = forms.CharField(max_length=60, required=False)
    proxy = forms.CharField(max_length=300, required=False)
    resolver = forms.CharField(max_length=80, required=False)

    def clean_name(self) -> str:
        """Take a name on one line."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_source_address(self) -> str:
        """Take an address that a machine may have."""
        text = str(self.cleaned_data["source_address"])
        if not text:
            return ""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise forms.ValidationError("Source address: write an IP address, such as 10.20.0.5.") from None
        if address.is_unspecified or address.is_multicast or "%" in text or text == "255.255.255.255":
            raise forms.ValidationError("Source address: no machine can send from this address.")
        return str(address)

    def clean_proxy(self) -> str:
        """Take what the engine leaves through: a forward proxy spoken to over http, its password kept out."""
        text = str(self.cleaned_data["proxy"])
        if not text:
            return ""
        whole = text if "://" in text else f"http://{text}"
        try:
            parts = urlsplit(whole)
            _ = parts.port
        except ValueError:
            raise forms.ValidationError("Proxy: write an address such as http://proxy.example:3128.") from None
        if parts.username is not None or parts.password is not None:
            raise forms.ValidationError("Proxy: write no user or password into an address: it would be shown.")
        if parts.scheme == "https":
            raise forms.ValidationError(
                "Proxy: NoteTrace speaks http to a proxy; what goes through it to an https address stays encrypted. "
                "Write http://, with the port for that."
            )
        if parts.path.strip("/") or parts.query or parts.fragment or any(c.isspace() for c in text):
            raise forms.ValidationError("Proxy: write an address such as http://proxy.example:3128, without a path.")
        try:
            proxy = Proxy.of(whole)
        except ValueError:
            raise forms.ValidationError("Proxy: write an address such as http://proxy.example:3128.") from None
        host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
        return f"http://{host}:{proxy.port}"

    def clean_resolver(self) -> str:
        """Take the address of a name server, its port where that is not 53."""
        text = str(self.cleaned_data["resolver"])
        if not text:
            return ""
        wrong = "DNS server: write its IP address and port, such as 10.20.0.53:53. A name would have to be asked for."
        host, port = text, ""
        if text.startswith("[") or text.count(":") == 1:
            host, _, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
        try:
            address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        except ValueError:
            raise forms.ValidationError(wrong) from None
        if port and not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536):
            raise forms.ValidationError("DNS server: a port is a number from 1 to 65535.")
        if address.is_unspecified or address.is_multicast or "%" in host:
            raise forms.ValidationError(wrong)
        return f"[{address}]:{port or 53}" if address.version == 6 else f"{address}:{port or 53}"

    def clean(self) -> dict[str, Any]:
        """Ask for a way out of its own."""
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(name) for name in ("source_address", "proxy", "resolver")):
            self.add_error("source_address", _LEAVES)
        return cleaned
