"""Vendor profiles are data that hang together: slugs, causes, patterns, sources."""

import dataclasses
import re
from pathlib import Path

import pytest

from diagnostics import catalog, vendors
from diagnostics.errors import DeclarationError
from diagnostics.vendors.model import Surface, VendorProfile

SLUGS = (
    "athenahealth", "athenapractice", "eclinicalworks", "epic", "generic", "meditech", "nextgen", "oracle-health",
    "veradigm",
)  # fmt: skip


def test_the_slugs_are_those_of_the_case_format() -> None:
    assert vendors.slugs() == SLUGS
    with pytest.raises(DeclarationError, match="nobody"):
        vendors.profile("nobody")


@pytest.mark.parametrize("slug", SLUGS)
def test_a_profile_says_where_its_facts_come_from(slug: str) -> None:
    profile = vendors.profile(slug)
    assert profile.sources
    for source in profile.sources:
        assert re.fullmatch(r"20\d\d-\d\d", source.as_of)
    for meaning in profile.codes.values():
        assert meaning.says
        assert meaning.cause is None or catalog.cause(meaning.cause)
        assert meaning.cause or not meaning.decisive


def test_every_trait_is_asked_by_somebody() -> None:
    root = Path(vendors.__file__).parents[1]
    told = "".join(
        p.read_text(encoding="utf-8") for p in root.rglob("*.py") if p.parent != Path(vendors.__file__).parent
    )
    traits = [f.name for f in dataclasses.fields(VendorProfile) if f.type in ("bool", bool)]
    assert len(traits) >= 8
    assert [t for t in traits if f".{t}" not in told] == []


@pytest.mark.parametrize(
    ("slug", "url", "environment"),
    [
        ("epic", "https://fhir.epic.com/interconnect-fhir-oauth/api/FHIR/R4", "sandbox"),
        ("epic", "https://ehr.hospital.example/FHIRProxy/api/FHIR/R4", None),
        ("meditech", "https://greenfield-prod-apis.meditech.com/v2/uscore/STU6", "sandbox"),
        ("oracle-health", "https://fhir-ehr.cerner.com/r4/0000", "production"),
        ("athenahealth", "https://api.preview.platform.athenahealth.com/fhir/r4", "sandbox"),
        ("athenahealth", "https://api.platform.athenahealth.com/fhir/r4", "production"),
        ("generic", "https://127.0.0.1:9443/fhir/R4", None),
    ],
)
def test_published_addresses_tell_their_environment(slug: str, url: str, environment: str | None) -> None:
    assert vendors.profile(slug).environment_of(url) == environment


def test_the_same_number_means_different_things_on_different_surfaces() -> None:
    ecw = vendors.profile("eclinicalworks")
    writeback, hl7 = ecw.code(Surface.WRITEBACK, "304"), ecw.code(Surface.HL7, "304")
    assert writeback is not None
    assert hl7 is not None
    assert writeback.cause != hl7.cause
    found = ecw.code_of_answer("hl7v2", "304")
    assert found is not None
    assert found[1] is hl7
    assert ecw.code_of_answer("fhir", "999") is None
