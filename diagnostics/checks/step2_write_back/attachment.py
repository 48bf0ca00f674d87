"""Judge the text inside the FHIR payload: its encoding, its stated size, its content type."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.payload import SHOWN, over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, offence, weigh_fhir
from diagnostics.evidence.case_parts import Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
from diagnostics.parsing.fhir_types import base64_bytes
from diagnostics.vendors.model import VendorProfile
from diagnostics.vocabulary import Step, Strength


@dataclass(frozen=True)
class _Fault:
    path: str
    says: str
    strength: Strength = Strength.DECISIVE


@check(
    id="fhir.payload.attachment",
    step=Step.WRITE_BACK,
    title="The text inside the note can be decoded as it is declared",
    proves=causes.PAYLOAD_ATTACHMENT,
    checklist=("WRITE.2", "WRITE.6"),
    applies=over_fhir,
)
def readable(note: FhirNote, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """A note whose attachment cannot be decoded arrives empty, or not at all."""
    held = list(attachments(note))
    if not held:
        return not_applicable("The payload holds no attachment.")
    faults = [fault for attachment, path in held for fault in _faults(attachment, path, vendor.profile)]
    if not faults:
        return passed("Every attachment decodes as declared.", attachments=len(held))
    worst = max(faults, key=lambda fault: fault.strength)
    places = [fault.path for fault in faults]
    weight = weigh_fhir(trace, FORM_CODES, [worst.path])
    more = f" There are {len(faults) - 1} more." if len(faults) > 1 else ""
    return offence(
        f"{worst.path} {worst.says}{more}",
        weight,
        at_most=worst.strength,
        count=len(faults),
        places=places[:SHOWN],
        faults=[f"{fault.path} {fault.says}" for fault in faults][:SHOWN],
    )


# where a resource may hold an attachment; the empty path: the resource is one itself
_HOLDERS = {
    "Binary": ("",),
    "Communication": ("payload.contentAttachment",),
    "CommunicationRequest": ("payload.contentAttachment",),
    "Consent": ("sourceAttachment",),
    "DiagnosticReport": ("presentedForm",),
    "DocumentReference": ("content.attachment",),
    "Media": ("content",),
}


def attachments(note: FhirNote) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield every attachment that holds data or an address, those of contained resources too, with its FHIRPath."""
    for resource, path in _with_contained(note):
        for steps in _HOLDERS.get(str(resource.get("resourceType")), ()):
            for value, at in values_at(resource, steps, path) if steps else [(resource, path)]:
                if isinstance(value, Mapping) and (value.get("data") or value.get("url")):
                    yield value, at


def _with_contained(note: FhirNote) -> Iterator[tuple[Mapping[str, Any], str]]:
    for resource, path in note.resources():
        yield resource, path
        for inner, at in values_at(resource, "contained", path):
            if isinstance(inner, Mapping):
                yield inner, at


def _faults(attachment: Mapping[str, Any], path: str, vendor: VendorProfile) -> Iterator[_Fault]:
    declared = attachment.get("contentType")
    declared = declared if isinstance(declared, str) else ""
    data = attachment.get("data")
    if not isinstance(data, str) or not data.strip():
        if vendor.inline_data_only:
            yield _Fault(
                path, "holds only an address, and this EHR does not fetch the text from there.", Strength.STRONG
            )
        return
    raw = base64_bytes(data)
    if raw is None:
        yield _Fault(f"{path}.data", "is not valid base64.")
        return
    if not raw.strip():
        yield _Fault(f"{path}.data", "holds no text once it is decoded.")
        return
    if not declared:
        yield _Fault(path, "has data and no content type, which FHIR requires together.")
    size = attachment.get("size")
    if size is not None and size != len(raw):
        yield _Fault(f"{path}.size", f"does not fit the decoded text, which has {len(raw)} bytes.")
    yield from _hash_fault(attachment.get("hash"), raw, path)
    yield from _type_faults(declared, raw, path, vendor)


def _type_faults(declared: str, raw: bytes, path: str, vendor: VendorProfile) -> Iterator[_Fault]:
    kind = declared.split(";")[0].strip().lower()
    charset = re.search(r"charset\s?=\s?\"?([\w.:-]{1,40})", declared, re.IGNORECASE)
    text = kind.startswith("text/") or kind in ("application/xml", "application/xhtml+xml")
    if kind and vendor.content_types and kind not in vendor.content_types:
        yield _Fault(f"{path}.contentType", f"is {kind[:60]}, which this EHR does not list.", Strength.STRONG)
    if text and charset is None and vendor.charset_required:
        yield _Fault(f"{path}.contentType", "does not name the character set, which this EHR requires.")
    if text and not _fits(raw, charset.group(1) if charset else "utf-8"):
        yield _Fault(f"{path}.data", "is not text in the declared character set.", Strength.STRONG)
    yield from _form_faults(kind, raw, path)


# what data of a kind begin with, and how to call the kind
_MAGIC = (
    (b"%PDF-", "a PDF", ("application/pdf",)),
    (b"{\\rtf", "RTF", ("text/rtf", "application/rtf", "text/richtext")),
    (
        b"PK\x03\x04",
        "a ZIP archive or an Office document",
        ("application/zip", "application/vnd.", "application/x-zip"),
    ),
    (b"\xd0\xcf\x11\xe0", "an old Office document", ("application/msword", "application/vnd.", "application/x-ole")),
    (b"\x89PNG\r\n", "a PNG image", ("image/png",)),
    (b"\xff\xd8\xff", "a JPEG image", ("image/jpeg", "image/jpg")),
    (b"GIF8", "a GIF image", ("image/gif",)),
    (b"\x1f\x8b", "compressed with gzip", ("application/gzip", "application/x-gzip")),
)
_MUST_BEGIN = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n", "image/jpeg": b"\xff\xd8\xff"}
_MARKUP = ("application/xml", "application/xhtml+xml", "text/xml")


def _form_faults(kind: str, raw: bytes, path: str) -> Iterator[_Fault]:
    """Hold the data's first bytes against the stated type: they need no charset and no opinion to be told apart."""
    if not kind or kind == "application/octet-stream":
        return
    head = raw[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, name, kinds in _MAGIC:
        if head.startswith(magic):
            if not kind.startswith(kinds):
                yield _Fault(f"{path}.contentType", f"says {kind[:60]}, and the data are {name}.")
            return
    wanted = _MUST_BEGIN.get(kind)
    if wanted is not None and wanted not in raw[:1024]:
        yield _Fault(f"{path}.contentType", f"says {kind[:60]}, and the data are none.")
    elif kind in ("text/rtf", "application/rtf") and not head.startswith(b"{\\rtf"):
        yield _Fault(f"{path}.contentType", f"says {kind[:60]}, and the data are not RTF.", Strength.STRONG)
    elif kind in _MARKUP and not head.startswith(b"<") and b"\0" not in head:
        yield _Fault(f"{path}.contentType", f"says {kind[:60]}, and the data are no markup.", Strength.STRONG)
    elif kind.startswith("text/") and b"\0" in raw and raw[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        yield _Fault(f"{path}.data", "holds zero bytes, which no text does.", Strength.STRONG)


def _hash_fault(stated: object, raw: bytes, path: str) -> Iterator[_Fault]:
    """Compare the stated SHA-1, which FHIR R4 writes in base64; a hash of another kind is no proof of anything."""
    if not isinstance(stated, str) or not stated:
        return
    known = base64_bytes(stated)
    if known is None or len(known) != 20:
        yield _Fault(f"{path}.hash", "is not a SHA-1 in base64, as FHIR R4 writes it.", Strength.MODERATE)
    elif known != hashlib.sha1(raw, usedforsecurity=False).digest():
        yield _Fault(f"{path}.hash", "is not the hash of the decoded text.")


def _fits(raw: bytes, charset: str) -> bool:
    try:
        raw.decode(charset)
    except UnicodeDecodeError:
        return False
    except LookupError:
        return True
    return True
