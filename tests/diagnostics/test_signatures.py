"""Every known error text is explained as its row says, and rows cannot hide each other."""

import pytest

from diagnostics.causes.model import declared
from diagnostics.explain import explain
from diagnostics.signatures import Example, Signature, load
from diagnostics.vocabulary import Category, Certainty

_ROWS = [(signature, example) for signature in load() for example in signature.examples]


def test_there_are_many_rows_and_each_has_an_example_and_a_source() -> None:
    assert len(load()) >= 150
    for signature in load():
        assert signature.examples, signature.id
        assert signature.source, signature.id
        assert signature.says.endswith("."), signature.id


def test_every_category_of_the_product_is_covered() -> None:
    assert {signature.category for signature in load()} == set(Category)


@pytest.mark.parametrize(
    ("signature", "example"), _ROWS, ids=[f"{row.id}-{row.examples.index(example)}" for row, example in _ROWS]
)
def test_the_example_is_explained_as_its_row_says(signature: Signature, example: Example) -> None:
    found = explain(example.text, status=example.status, protocol=example.protocol, context=example.context)
    assert (found.category, found.cause) == (signature.category, signature.cause)
    assert found.certainty is not None


@pytest.mark.parametrize(("signature", "example"), _ROWS, ids=range(len(_ROWS)))
def test_no_row_of_another_category_fits_an_example_better(signature: Signature, example: Example) -> None:
    """The row itself fits its example; what outranks it may only agree with its category."""
    context = f"{example.context or ''} {example.text}".lower()
    protocols = (example.protocol, "hl7v2") if signature.protocol else (example.protocol,)
    fits = [
        signature.fit(example.text, example.text.lower(), example.status, protocol, context) for protocol in protocols
    ]
    assert any(fits)
    found = explain(example.text, status=example.status, protocol=example.protocol, context=example.context)
    assert found.category is signature.category


def test_a_row_never_claims_proof_without_naming_a_cause_of_the_catalogue() -> None:
    for signature in load():
        if signature.cause is None:
            assert signature.certainty is not Certainty.PROVEN, signature.id
        else:
            assert signature.cause in declared(), signature.id


def test_error_names_stand_alone_and_are_not_found_inside_words() -> None:
    assert explain("The patient carries an EpiPen and asked about the recipe.").cause is None
    assert explain("write EPIPE").cause == "net.tcp.reset"
