"""Every known error text is explained as its row says, rows cannot hide each other, and disguises change nothing."""

import json
import re
from collections.abc import Callable

import pytest

from diagnostics.causes.model import declared
from diagnostics.explain import Explanation, explain
from diagnostics.signatures import Example, Signature, load
from diagnostics.vocabulary import Category, Certainty

_ROWS = [(signature, example) for signature in load() for example in signature.examples]


def test_there_are_many_rows_and_each_has_an_example_and_a_source() -> None:
    assert len(load()) >= 600
    for signature in load():
        assert signature.examples, signature.id
        assert signature.source, signature.id
        assert signature.says.endswith("."), signature.id


def test_every_category_of_the_product_is_covered() -> None:
    assert {signature.category for signature in load()} == set(Category)


def test_every_family_of_product_is_covered() -> None:
    sources = " ".join(signature.source for signature in load()).lower()
    for product in (
        *("okta", "keycloak", "entra", "auth0", "ping", "duende", "openiddict", "spring", "oracle health", "athena"),
        *("hapi fhir", "microsoft fhir", "google cloud healthcare", "healthlake", "aidbox", "firely", "linuxforhealth"),
        *(
            "nginx",
            "apache",
            "iis",
            "envoy",
            "istio",
            "haproxy",
            "kong",
            "apigee",
            "api gateway",
            "cloudfront",
            "azure",
        ),
        *("cloudflare", "akamai", "f5", "traefik", "mirth", "rhapsody", "cloverleaf", "iguana", "corepoint"),
        *("intersystems", "hapi hl7v2", "epic bridges", "python", "java", ".net", "node.js", "go ", "openssl", "curl"),
        *("schannel", "winhttp", "gnutls", "macos", "squid", "zscaler", "blue coat", "netskope", "palo alto"),
        *("fortigate", "forcepoint", "mcafee", "imperva", "modsecurity", "aws waf"),
    ):
        assert product in sources, product


@pytest.mark.parametrize(
    ("signature", "example"), _ROWS, ids=[f"{row.id}-{row.examples.index(example)}" for row, example in _ROWS]
)
def test_the_example_is_explained_as_its_row_says(signature: Signature, example: Example) -> None:
    found = _explain(example, example.text)
    assert (found.category, found.cause) == (signature.category, signature.cause)
    assert found.certainty is not None
    if found.certainty is Certainty.PROVEN and not _coded(example):
        assert any(row.certainty is Certainty.PROVEN and row.cause == found.cause for _, _, row in _fitting(example))


@pytest.mark.parametrize(("signature", "example"), _ROWS, ids=range(len(_ROWS)))
def test_no_row_of_another_category_fits_an_example_better(signature: Signature, example: Example) -> None:
    """Each example against every row: the row itself fits it, and the best of all that fit is of its category."""
    fits = _fitting(example, signature)
    assert signature in {row for _, _, row in fits}
    best = max((weight, length) for weight, length, _ in fits)
    assert {row.category for weight, length, row in fits if (weight, length) == best} == {signature.category}


def test_a_row_never_claims_proof_without_naming_a_cause_of_the_catalogue() -> None:
    for signature in load():
        if signature.cause is None:
            assert signature.certainty is not Certainty.PROVEN, signature.id
        else:
            assert signature.cause in declared(), signature.id


def test_words_of_no_product_never_claim_proof() -> None:
    assert not [row.id for row in load() if row.area == "phrases" and row.certainty is Certainty.PROVEN]


def test_error_names_stand_alone_and_are_not_found_inside_words() -> None:
    assert explain("The patient carries an EpiPen and asked about the recipe.").cause is None
    assert explain("write EPIPE").cause == "net.tcp.reset"


def _other_ids(text: str) -> str:
    text = re.sub(r"\bexample\.(?:org|net)\b", "hospital.example", text)
    text = re.sub(r"\b(?:10|203)\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\b", "198.51.100.77", text)
    text = re.sub(r"(Patient|Encounter|Practitioner)/[A-Za-z0-9-]{1,20}", r"\1/0a9b-77", text)
    text = re.sub(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}Z\b", "2027-01-05T08:09:10Z", text)
    return re.sub(r"\b[0-9a-f]{8}\b", "0b5e55ed", text)


_DISGUISES: dict[str, Callable[[str], str]] = {
    "in capitals": str.upper,
    "in a log line": lambda text: f"2026-11-22 17:00:03,412 ERROR [worker-3] scribe.sync: send failed: {text}",
    "cut at 300 characters": lambda text: text[:300],
    "with CRLF": lambda text: re.sub(r"\r\n|\r|\n", "\r\n", text),
    "as a JSON string": json.dumps,
    "inside a JSON log row": lambda text: json.dumps({"level": "error", "msg": "write failed", "body": text}),
    "with other ids": _other_ids,
}


@pytest.mark.parametrize("disguise", _DISGUISES)
def test_99_percent_of_disguised_examples_keep_their_category_and_none_proves_another(disguise: str) -> None:
    other = []
    for signature, example in _ROWS:
        found = _explain(example, _DISGUISES[disguise](example.text))
        if found.category is not signature.category:
            assert found.certainty is not Certainty.PROVEN, (signature.id, found)
            other.append(signature.id)
    assert len(other) <= len(_ROWS) / 100, other


def _fitting(example: Example, own: Signature | None = None) -> list[tuple[int, int, Signature]]:
    """Return (weight, length of the match, row) of every row that fits; `own` tells whether HL7 v2 is spoken."""
    lowered, context = example.text.lower(), f"{example.context or ''} {example.text}".lower()
    spoken = example.protocol
    if spoken is None and own is not None and not own.fit(example.text, lowered, example.status, None, context):
        spoken = "hl7v2"
    return [
        (row.weight, length, row)
        for row in load()
        if (length := row.fit(example.text, lowered, example.status, spoken, context))
    ]


def _explain(example: Example, text: str) -> Explanation:
    return explain(text, status=example.status, protocol=example.protocol, context=example.context)


def _coded(example: Example) -> bool:
    """Tell an example that carries a registered code as well, which may prove what the row's words only make likely."""
    form = re.search(r"\"error\"|error=|\"issue\"|ERR\||WWW-Authenticate|<input", example.text)
    return form is not None or example.status in (407, 415, 429)
