"""3,000 generated texts, bodies and circumstances: no exception, the public shape, the same twice, bounded work."""

import json
import re
import string

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from diagnostics import explain as explaining
from diagnostics.causes.model import declared
from diagnostics.explain import explain, explain_lines
from diagnostics.parsing.answers import read_answer
from diagnostics.signatures import load
from diagnostics.vocabulary import Category, Certainty

_EXAMPLES = [example.text for row in load() for example in row.examples]
_CATEGORIES = {category.value for category in Category}
_CERTAINTIES = {certainty.value for certainty in Certainty}

_words = st.text(alphabet=string.printable, max_size=200) | st.text(max_size=120)
_statuses = st.none() | st.integers(-5, 700) | st.sampled_from(["401", "x", True, 4.5])
_protocols = st.none() | st.sampled_from(["fhir", "hl7v2", "oauth", "tls", "net", "", "smtp"])
_contexts = (
    st.none()
    | _words
    | st.sampled_from(
        ["behind nginx", "after the upgrade", "only from the satellite clinic", "works on VPN", "no proxy"]
    )
    | st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=12), max_size=3)
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_oauth = st.fixed_dictionaries(
    {"error": st.sampled_from(["invalid_client", "invalid_grant", "access_denied", "invalid_scope", "x_y"]) | _values},
    optional={"error_description": _values, "error_uri": _values, "message": _values, "status": _values},
)
_issue = st.fixed_dictionaries(
    {"severity": st.sampled_from(["fatal", "error", "warning", "information"]) | _values},
    optional={
        "code": st.text(max_size=14) | _values,
        "details": _values,
        "diagnostics": _values,
        "expression": _values,
    },
)
_outcome = st.fixed_dictionaries(
    {"resourceType": st.just("OperationOutcome"), "issue": st.lists(_issue | _values, max_size=4) | _values}
)
_vendor = st.dictionaries(
    st.sampled_from(
        ["error", "errors", "fault", "status", "code", "message", "success", "detail", "extensions", "title"]
    ),
    _values | _oauth,
    max_size=6,
)
_bodies = (_oauth | _outcome | _vendor).map(json.dumps)
_certificates = st.builds(
    "{}: certificate {} for {} ({})".format,
    st.sampled_from(["SSLError", "x509", "PKIX path building failed", "schannel", "verify error:num=20", "curl: (60)"]),
    st.sampled_from(["has expired", "is not yet valid", "revoked", "unknown ca", "self-signed", "verify failed"]),
    st.text(max_size=30),
    st.integers(),
)
_acks = st.builds(
    "MSH|^~\\&|E|F|S|F|{}||ACK|1|P|2.5.1\r{}|{}|{}|{}\rERR||{}|{}|{}".format,
    st.integers(),
    st.sampled_from(["MSA", "MSB", "msa"]),
    st.sampled_from(["AA", "AE", "AR", "CE", "??"]),
    *(st.text(max_size=20) for _ in range(5)),
)
_pages = st.builds("<html><head><title>{}</title></head><body {}>{}</body>".format, _words, _words, _words)
_faults = st.builds("<s:Fault><faultcode>{}</faultcode><faultstring>{}</faultstring></s:Fault>".format, _words, _words)
_known = st.builds(lambda text, cut, more: text[:cut] + more, st.sampled_from(_EXAMPLES), st.integers(0, 400), _words)
_texts = _words | _bodies | _certificates | _acks | _pages | _faults | _known | st.sampled_from(_EXAMPLES)


def _many(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def _check_shape(answer: dict[str, str | None]) -> None:
    assert set(answer) == {"category", "cause", "certainty", "says"}
    assert answer["category"] is None or answer["category"] in _CATEGORIES
    assert answer["cause"] is None or answer["cause"] in declared()
    assert answer["certainty"] is None or answer["certainty"] in _CERTAINTIES
    assert isinstance(answer["says"], str) and 0 < len(answer["says"]) < 400
    assert (answer["category"] is None) == (answer["certainty"] is None)
    assert answer["category"] is not None or answer["cause"] is None
    assert answer["cause"] is not None or answer["certainty"] != "proven"


@_many(2000)
@given(_texts, _statuses, _protocols, _contexts)
def test_every_text_is_explained_in_the_public_shape_and_twice_alike(text, status, protocol, context) -> None:
    first = explain(text, status=status, protocol=protocol, context=context).as_dict()
    _check_shape(first)
    assert explain(text, status=status, protocol=protocol, context=context).as_dict() == first


@_many(500)
@given(st.lists(st.fixed_dictionaries({"text": st.none() | _texts}, optional={"status": _values}), max_size=3), _words)
def test_every_line_is_answered_by_one_line(rows, broken) -> None:
    assume("\n" not in broken and broken.strip())
    lines = [*(json.dumps(row) for row in rows), broken]
    answers = [json.loads(line) for line in explain_lines(lines)]
    assert len(answers) == len(lines)
    for answer in answers:
        _check_shape(answer)


@_many(400)
@given(_texts, _texts, st.sampled_from(["\n", "\r\n", " | ", "\n--batch_1\r\n", " Caused by: "]))
def test_concatenated_texts_are_survived(first, second, between) -> None:
    _check_shape(explain(first + between + second).as_dict())


@_many(80)
@given(_texts, st.sampled_from([65_536, 300_000, 1_000_000]))
def test_a_long_text_is_cut_before_it_is_read(text, size) -> None:
    """Bound the work, not the seconds: no reader and no signature sees more than the limit."""
    long = (text + " ") * (size // (len(text) + 1) + 1)
    answer = read_answer(long)
    assert len(answer.text) <= 65_536
    seen: list[int] = []
    original = explaining.best

    def counting(searched, **asked):
        seen.append(len(searched))
        return original(searched, **asked)

    explaining.best = counting
    try:
        _check_shape(explain(long).as_dict())
    finally:
        explaining.best = original
    assert all(length <= 3 * 16_384 + 16 for length in seen)


@_many(100)
@given(st.from_regex(re.compile(r"[A-Z][a-z]{2,9}(?: [A-Z][a-z]{2,9}){0,2}"), fullmatch=True))
def test_names_are_no_errors(name) -> None:
    found = explain(name)
    assert found.category is None or any(
        word in name.lower() for word in ("error", "fail", "denied", "forbid", "refus")
    )
