"""The parser at its limits: length, depth, any text at all."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_strategies import KEYS, STRINGS, queries

from tocsin.query import Code, Field, QueryError, parse, parse_field, print_query, to_predicate
from tocsin.query.parser import MAX_BYTES
from tocsin.query.tree import And, Equals, FieldKind, Or, leaves


def code_of(text: str) -> Code:
    with pytest.raises(QueryError) as caught:
        parse(text)
    return caught.value.code


def test_the_longest_query_is_64_kib() -> None:
    parse("a" * MAX_BYTES)
    assert code_of("a" * (MAX_BYTES + 1)) is Code.TOO_LONG
    parse("ä" * (MAX_BYTES // 2))
    assert code_of("ä" * (MAX_BYTES // 2) + "a") is Code.TOO_LONG


def test_five_thousand_values_in_a_group() -> None:
    tree = parse(f"@k:({' OR '.join(f'v{number}' for number in range(5000))})")
    assert isinstance(tree, Or)
    assert len(tree.parts) == 5000


@pytest.mark.parametrize("inner", ["a b", "-a", "a OR b"])
def test_200_nested_parentheses(inner: str) -> None:
    parse("(" * 200 + inner + ")" * 200)
    assert code_of("(" * 201 + inner + ")" * 201) is Code.TOO_DEEP
    text = inner
    for depth in range(199):
        text = f"-({text} {'OR' if depth % 2 else 'AND'} c{depth})"
    tree = parse(text)
    assert parse(print_query(tree)) == tree
    assert hash(parse(print_query(tree))) == hash(tree)
    to_predicate(tree)


def test_too_many_wildcards_in_a_word() -> None:
    parse("a*" * 500)
    assert code_of("a*" * 501) is Code.TOO_LONG


UNITS = [
    "a ", "a OR ", "-", "(a) ", "@a.b:c ", '"a b" ', "a\\:b ", '@"a', '@\\"a', '@\\"a\\".', "@a.", "[",
    "@a:[1 TO 2] ", "“", "* ", "a:", "CIDR(@a,1.2.3.4) ", "@k:>5 ", "\\", '"', "a*?", "a:b:", "((", "))",
    "_exists_:a ", "[1 ", "@d:[1 ", "µ",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear_in_the_length(unit: str) -> None:
    """Four times the text takes about four times as long, also to fail: far from the sixteen of the square."""

    def seconds(size: int) -> float:
        text = (unit * size)[:size]
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            with contextlib.suppress(QueryError):
                parse(text)
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(3_000), seconds(12_000)
    assert large < 0.05 + 9 * small, (small, large)


ALPHABET = [
    *'@#:()[]{}<>="*?\\-!+&|“”. \t\n,/',
    "AND",
    "OR",
    "NOT",
    "TO",
    "CIDR(",
    "_exists_:",
    "_missing_:",
    "a",
    "b1",
    "10.0.0.0/8",
    "é",
]


@given(st.one_of(st.lists(st.sampled_from(ALPHABET), max_size=25).map("".join), st.text()))
def test_any_text_parses_or_is_refused_with_a_place(text: str) -> None:
    try:
        tree = parse(text)
    except QueryError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.message
        if error.fix is not None:
            parse(error.fix)
        return
    for leaf in leaves(tree):
        start, end = leaf.span
        assert 0 <= start <= end <= len(text)
    assert parse(print_query(tree)) == tree


@given(queries)
def test_printing_and_parsing_gives_the_same_tree(text: str) -> None:
    try:
        tree = parse(text)
    except QueryError:
        return
    assert parse(print_query(tree)) == tree


@given(st.sampled_from(STRINGS), st.sampled_from([key for key in KEYS if all(key.split("."))]))
def test_any_value_of_any_attribute_can_be_written(value: str, key: str) -> None:
    leaf = Equals(Field(FieldKind.ATTRIBUTE, key), value)
    assert parse(print_query(leaf)) == leaf
    pair = And((leaf, Equals(Field(FieldKind.ATTRIBUTE, key), "other")))
    assert parse(print_query(pair)) == pair


def test_a_lone_surrogate_is_replaced() -> None:
    assert parse("@k:\ud800") == parse("@k:\ufffd")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("@usr.id", Field(FieldKind.ATTRIBUTE, "usr.id")),
        ('@"last name"', Field(FieldKind.ATTRIBUTE, "last name")),
        ("host", Field(FieldKind.NAME, "host")),
        ("env", Field(FieldKind.NAME, "env")),
        ("instance-id", Field(FieldKind.NAME, "instance-id")),
    ],
)
def test_fields_as_text(text: str, field: Field) -> None:
    assert parse_field(text) == field


@pytest.mark.parametrize("text", ["", "a b", "@a:b", "*", "@", "a) OR (b", "-a"])
def test_what_is_no_field(text: str) -> None:
    if text == "-a":
        assert parse_field(text) == Field(FieldKind.NAME, "-a")
        return
    with pytest.raises(QueryError) as caught:
        parse_field(text)
    assert 0 <= caught.value.start <= caught.value.end <= len(text)


def test_offsets_of_errors_count_curly_quotes() -> None:
    with pytest.raises(QueryError) as caught:
        parse("“a” @url:http://x")
    assert (caught.value.start, caught.value.end) == (13, 14)
    assert "“a” @url:http://x"[13] == ":"
