"""Judge the text inside the FHIR payload: its encoding, its stated size, its content type."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, offence, weigh_fhir
from diagnostics.evidence.case_parts import Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
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
    attachments = list(_attachments(note))
    if not attachments:
        return not_applicable("The payload holds no attachment.")
    faults = [fault for attachment, path in attachments for fault in _faults(attachment, path, vendor.profile)]
    if not faults:
        return passed("Every attachment decodes as declared.", attachments=len(attachments))
    worst = max(faults, key=lambda fault: fault.strength)
    weight = weigh_fhir(trace, FORM_CODES, [worst.path])
    return offence(f"{worst.path} {worst.says}", weight, at_most=worst.strength, places=[f.path for f in faults][:5])


def _attachments(note: FhirNote) -> Iterator[tuple[Mapping[str, Any], str]]:
    for resource, path in note.resources():
        for steps in ("content.attachment", "presentedForm"):
            for value, at in values_at(resource, steps, path):
                if isinstance(value, Mapping) and (value.get("data") or value.get("url")):
                    yield value, at


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
    raw = _decoded(data)
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
    if _hash_differs(attachment.get("hash"), raw):
        yield _Fault(f"{path}.hash", "is not the hash of the decoded text.")
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
    if raw[:5] == b"%PDF-" and kind and kind != "application/pdf":
        yield _Fault(f"{path}.contentType", f"says {kind[:60]}, and the data are a PDF.")


def _decoded(data: str) -> bytes | None:
    """Decode base64; white space inside is tolerated, as receivers do."""
    compact = re.sub(r"\s+", "", data)
    try:
        return base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return None


def _hash_differs(stated: object, raw: bytes) -> bool:
    """Compare a stated SHA-1; whatever is no SHA-1 in base64 says nothing."""
    if not isinstance(stated, str):
        return False
    known = _decoded(stated)
    return known is not None and len(known) == 20 and known != hashlib.sha1(raw, usedforsecurity=False).digest()


def _fits(raw: bytes, charset: str) -> bool:
    try:
        raw.decode(charset)
    except UnicodeDecodeError:
        return False
    except LookupError:
        return True
    return True
