"""Conditions of rule cases: what they mean and how they fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.evaluate.condition import All, AnyOf, Comparison, ConditionError, Part, check_labels, parse_condition


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("a > 5", {"a": 5}, False),
        ("a > 5", {"a": 6}, True),
        ("a >= 5", {"a": 5}, True),
        ("a<5", {"a": 5}, False),
        ("a <= 5", {"a": 5}, True),
        ("a == 5", {"a": 5}, True),
        ("a != 5", {"a": 5}, False),
        ("a > 0.995", {"a": 1}, True),
        ("a > -1", {"a": 0}, True),
        ("a > 1e3", {"a": 1001}, True),
        ("a > 5 && b < 2 || c >= 1", {"a": 6, "b": 1, "c": 0}, True),
        ("a > 5 && b < 2 || c >= 1", {"a": 0, "b": 9, "c": 1}, True),
        ("a > 5 && (b < 2 || c >= 1)", {"a": 0, "b": 9, "c": 1}, False),
        ("c >= 1 || a > 5 && b < 2", {"a": 0, "b": 0, "c": 1}, True),
        ("failed_logins > 3 && ok.count>0", {"failed_logins": 4, "ok.count": 1}, True),
        ("a < 5", {"a": None}, False),
        ("a < 5", {}, False),
        ("a != 5", {"a": None}, False),
    ],
)
def test_holds(text: str, values: dict[str, float | None], expected: bool) -> None:
    assert parse_condition(text).holds(values) is expected


@pytest.mark.parametrize(
    ("text", "code", "start", "word"),
    [
        ("", "unexpected", 0, "the end"),
        ("3 < a", "label_left", 0, "left"),
        ("a >", "unexpected", 3, "a number"),
        ("a > b", "unexpected", 4, "a number"),
        ("a > 3x", "unexpected", 4, ""),
        ("a = 3", "unexpected", 2, "=="),
        ("a > 1e400", "too_large", 4, "no value"),
        ("a > 3 & b > 1", "unexpected", 6, "&&"),
        ("a > 3 and b > 1", "unexpected", 6, "&&"),
        ("a > 3 OR b > 1", "unexpected", 6, "||"),
        ("(a > 3", "unexpected", 6, "parenthesis"),
        ("a > 3)", "unexpected", 5, "the end"),
        ("a > 3 b > 1", "unexpected", 6, "'b'"),
        ("a > 3 then", "unexpected", 10, "label"),
        ("(a > 3 then b > 1)", "unexpected", 7, "parenthesis"),
        ("(" * 30 + "a > 1" + ")" * 30, "too_deep", 20, "deep"),
        ("a > 1 || " * 200 + "a > 1", "too_long", 1000, "longer"),
    ],
)
def test_errors_say_where_and_what_to_do(text: str, code: str, start: int, word: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    assert (caught.value.code, caught.value.start) == (code, start)
    assert word in str(caught.value)


def test_stages_and_labels() -> None:
    condition = parse_condition("a > 5 && b > 1 then c > 0 || a > 9")
    assert condition.is_sequence
    assert condition.labels == ("a", "b", "c")
    assert len(condition.stages) == 2


def test_unknown_label_is_named_with_its_place() -> None:
    said = r"no query is labelled 'x' \(at character 10\); the queries are labelled a, b"
    with pytest.raises(ConditionError, match=said):
        check_labels(parse_condition("a > 1 && x > 2"), ("a", "b"))


comparisons = st.builds(
    Comparison, st.sampled_from("abc"), st.sampled_from([">", ">=", "<", "<=", "==", "!="]), st.integers(-9, 9)
)
parts = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def written(part: Part) -> str:
    if isinstance(part, Comparison):
        return f"{part.label} {part.operator} {int(part.number)}"
    return "(" + (" && " if isinstance(part, All) else " || ").join(written(inner) for inner in part.parts) + ")"


@given(parts, st.fixed_dictionaries({name: st.none() | st.integers(-9, 9) for name in "abc"}))
def test_what_is_written_is_read(part: Part, values: dict[str, float | None]) -> None:
    assert parse_condition(written(part)).holds(values) == part.holds(values)
