"""Values: numbers, folding, words, addresses, layout of documents."""

import math
import sys
import unicodedata
from fractions import Fraction
from typing import Any

import orjson
import pytest
import query_reference as reference
from hypothesis import given
from hypothesis import strategies as st
from query_strategies import attributes, documents

from tocsin.event import values_at
from tocsin.query.columns import encode_path, search_columns, searchable, words_of
from tocsin.query.patterns import path_reader
from tocsin.query.track import LOGS, SPANS, TRACKS, eval_track
from tocsin.query.values import (
    NESTED,
    NumberRange,
    address_of,
    block_of,
    flatten,
    fold,
    is_word_character,
    number_of,
    number_text,
    scalar,
    words,
)

EVERY_CHARACTER = [
    chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) not in ("Cn", "Co", "Cs")
]
"""Every assigned code point but surrogates and private ones."""


def test_folding_of_every_code_point() -> None:
    """One code point to one, done once is done for good, and it never changes what a word is."""
    for character in EVERY_CHARACTER:
        folded = fold(character)
        assert len(folded) == 1, character
        if folded != character:
            assert fold(folded) == folded, character
            assert is_word_character(character) == is_word_character(folded), character
            assert folded == reference.simple_fold(character)


def test_words_of_every_code_point() -> None:
    for character in EVERY_CHARACTER:
        is_word = (
            unicodedata.category(character)[0] in "LM" or unicodedata.category(character) == "Nd" or character == "_"
        )
        assert bool(words(character)) == is_word, character


@given(st.text())
def test_words_are_those_of_the_reference(text: str) -> None:
    assert words(text) == reference.words(text)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_text_form_reads_back_as_the_same_number(value: float) -> None:
    normal = scalar(value)
    assert isinstance(normal, int | float)
    text = number_text(normal)
    assert number_of(text) == normal
    assert text == reference.text_form(value)


TEXTS: list[tuple[float, str]] = [
    (1.0, "1"),
    (-0.0, "0"),
    (1e15, "1000000000000000"),
    (1e20, "100000000000000000000"),
    (1e21, "1e21"),
    (1.5e300, "1.5e300"),
    (1e-6, "0.000001"),
    (1e-7, "1e-7"),
    (0.1, "0.1"),
    (2**64, "18446744073709552000"),
    (2**64 - 1, "18446744073709551615"),
    (-(2**63) - 1, "-9223372036854775808"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_text_form_of_numbers(value: float, text: str) -> None:
    normal = scalar(value)
    assert isinstance(normal, int | float)
    assert number_text(normal) == text


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**400, None, {}, []])
def test_what_is_no_value(value: Any) -> None:
    assert scalar(value) is None


numbers = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from([2**53, 2**53 + 1, 2**63, 2**64 - 1, -(2**63)]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5),
    st.integers(-5, 5).map(float),
)


@given(numbers, st.none() | numbers, st.booleans(), st.none() | numbers, st.booleans())
def test_intervals_are_exact(value: float, low: float | None, low_in: bool, high: float | None, high_in: bool) -> None:
    exact = Fraction(value)
    above = low is None or Fraction(low) < exact or (low_in and Fraction(low) == exact)
    below = high is None or exact < Fraction(high) or (high_in and exact == Fraction(high))
    assert (value in NumberRange.of(low, low_in, high, high_in)) == (above and below)


@given(st.one_of(st.ip_addresses().map(str), st.text("0123456789abcdefF:.%/ ", max_size=20)))
def test_addresses(text: str) -> None:
    expected = reference.address_of_text(text)
    found = address_of(text)
    assert (found is None) == (expected is None)
    if expected is not None:
        assert found == (int(expected) if expected.version == 6 else (0xFFFF << 32) | int(expected))


@pytest.mark.parametrize(
    "text", ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "a/8", "10.0.0.0/8/8", "1.2.3.04/8"]
)
def test_malformed_blocks(text: str) -> None:
    assert block_of(text) is None


@given(attributes)
def test_paths_mean_what_the_event_says(document: dict[str, Any]) -> None:
    """`flatten`, the reader of one path and the plain `values_at` of the event agree."""
    flat = flatten(document)
    for path in [*flat, "a", "a.b", "usr.id", "Data.Name"]:
        plain = [
            normal for value in values_at(document, tuple(path.split("."))) if (normal := scalar(value)) is not None
        ]
        assert sorted(map(repr, flat.get(path, []))) == sorted(map(repr, plain))
        assert sorted(map(repr, path_reader(path)(document))) == sorted(map(repr, plain))


@given(st.dictionaries(st.text(max_size=4), documents, max_size=4))
def test_layout_holds_every_value_once(document: dict[str, Any]) -> None:
    single, several = searchable(document)
    orjson.dumps([single, several])
    flat = {encode_path(path): values for path, values in flatten(document).items()}
    for path, values in flat.items():
        held = [single[path]] if path in single else []
        lists = several.get(f"s.{path}", []) + several.get(f"n.{path}", [])
        assert bool(held) != bool(lists)
        assert len(held) + len(lists) == len({(type(value), value) for value in values})
    assert set(single) <= set(flat)
    assert all(name.isascii() and not set(name) & set("`'\"\\:^@ \n\0") for name in [*single, *several])


@given(st.text(), st.text())
def test_encoded_paths_differ_where_paths_do(one: str, two: str) -> None:
    assert (encode_path(one) == encode_path(two)) == (one == two)


def test_a_deep_document_needs_no_recursion() -> None:
    document: dict[str, Any] = {}
    inner = document
    for _ in range(20_000):
        inner["k"] = {}
        inner = inner["k"]
    inner["k"] = [[[["x"]]]]
    (path,) = flatten(document)
    assert path.count(".") == 20_000
    assert path_reader(path)(document) == ["x"]


_TEXTS = st.lists(
    st.text(st.sampled_from("aB 0_-.\x01\x02\n\t\u0130\u00df\u03a3\u4e09\u0663\ud800\xa0"), max_size=6) | st.text(),
    max_size=5,
)


@given(st.lists(_TEXTS, min_size=1, max_size=3))
def test_words_are_laid_out_text_by_text(sections: list[list[str]]) -> None:
    found = [[cut for text in dict.fromkeys(texts) if (cut := words(text))] for texts in sections]
    assert words_of(*sections) == ["".join(f" {' '.join(cut)} \n" for cut in texts) for texts in found]


@given(st.dictionaries(st.text(st.sampled_from("ab.\u00df\ud800"), max_size=3), st.integers(), max_size=4))
def test_names_may_be_any(document: dict[str, Any]) -> None:
    nested: Any = document
    for _ in range(NESTED):
        nested = {"a": nested}
    below = "a." * NESTED
    assert flatten(nested) == {below + path: values for path, values in flatten(document).items()}
    assert [name for name in searchable(document)[0] if not name.isascii()] == []


def test_words_of_the_message_stand_apart() -> None:
    columns = search_columns(
        {"message": "A b", "status": "ERROR", "host": "h-1"}, {"title": "C", "x": ["d e", 1.5, True]}
    )
    assert columns["text_words"] == " a b \n\t c \n"
    assert columns["value_words"] == " h 1 \n error \n d e \n 1 5 \n true \n"
    assert columns["status"] == "error"
    assert columns["attributes"] == {"title": "C"}
    assert columns["in_lists"] == {"s.x": ["d e"], "n.x": ["1.5", "true"]}


def test_tracks_are_data() -> None:
    for track in [*TRACKS.values(), *map(eval_track, TRACKS.values())]:
        assert set(track.columns) <= set(track.ddl)
        assert all(text.path or text.name in track.columns for text in track.text_fields)
        assert set(track.full_text) <= set(track.columns)
    assert "env" in SPANS.columns
    assert "env" not in LOGS.columns
