"""The formulas of calculated fields, as pairs of texts; and what holds for all of them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.match.conditions import uncalculated
from tocsin.query import LOGS, field_values, parse, to_predicate
from tocsin.query.calculate import MAX_TEXT, with_calculated
from tocsin.query.expression import FUNCTIONS, MAX_DEPTH, ExpressionError, parse_expression
from tocsin.rule import CalculatedField
from tocsin.rules.scheduled.checks import MAX_FIELDS

EVENT = Event(
    "e",
    0,
    host="web-1",
    tags=["env:prod", "ci-job:nightly"],
    attributes={
        "latency": 2.5,
        "client": 2,
        "server": 0.5,
        "http": {"status_code": 404},
        "with-dash": "yes",
        "list": [-1, 1, 5, 5],
        "number_text": "42",
        "word": "apple",
        "ok": True,
        "url": "www.example.com",
        "empty": None,
    },
)
DOUBLE = CalculatedField("double", "@latency * 2")
LINES = [
    line for line in (Path(__file__).parent / "expressions.txt").read_text().splitlines() if not line.startswith("# ")
]
CASES = [tuple(line.split(" => ")) for line in LINES if " => " in line]
ERRORS = [tuple(line.split(" !! ")) for line in LINES if " !! " in line]


def value(expression: str, event: Any = EVENT) -> Any:
    track = with_calculated(LOGS, [DOUBLE, CalculatedField("x", expression)])
    found = field_values(event, "#x", track)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(("formula", "wanted"), CASES)
def test_a_formula_has_this_value(formula: str, wanted: str) -> None:
    found = value(formula)
    assert (found, type(found)) == (orjson.loads(wanted), type(orjson.loads(wanted)))


@pytest.mark.parametrize(("formula", "wanted"), ERRORS)
def test_a_formula_that_cannot_be_read_says_where(formula: str, wanted: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        value(formula)
    assert f"{caught.value.code} {caught.value.start} {caught.value.end}" == wanted


def test_every_line_of_the_cases_is_one_and_every_function_has_some() -> None:
    assert len(CASES) + len(ERRORS) == len([line for line in LINES if line])
    assert all(any(f"{name}(" in formula for formula, _ in CASES) for name in FUNCTIONS)


def test_depth_and_length_are_bounded_but_not_the_number_of_operators() -> None:
    assert value("+".join(["1"] * 1500)) == 1500
    assert value("(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH) == 1
    for formula, code in (("(" * 41 + "1", "too_deep"), ("-" * 41 + "1", "too_deep"), ("1" * 4001, "too_long")):
        with pytest.raises(ExpressionError) as caught:
            parse_expression(formula)
        assert caught.value.code == code
    with pytest.raises(ExpressionError, match="empty"):
        parse_expression("  ")


def test_fields_of_fields_are_computed_once_and_grow_to_a_bound() -> None:
    doubling = [CalculatedField("a0", "concat(@word, @word)")]
    doubling += [CalculatedField(f"a{i}", f"concat(#a{i - 1}, #a{i - 1})") for i in range(1, 60)]
    track = with_calculated(LOGS, doubling)
    assert len(str(field_values(EVENT, "#a5", track)[0])) == 5 * 2**6
    assert 5 * 2**13 <= MAX_TEXT < 5 * 2**14
    assert field_values(EVENT, "#a12", track) != [] == field_values(EVENT, "#a13", track)
    assert field_values(EVENT, "#a59", track) == []


def test_the_deepest_formulas_of_one_another_fit_on_the_stack() -> None:
    def deep(inner: str) -> str:
        return "concat(" * MAX_DEPTH + inner + ")" * MAX_DEPTH

    fields = [CalculatedField("a0", deep("@word"))]
    fields += [CalculatedField(f"a{i}", deep(f"#a{i - 1}")) for i in range(1, MAX_FIELDS)]
    assert field_values(EVENT, f"#a{MAX_FIELDS - 1}", with_calculated(LOGS, fields)) == ["apple"]


def test_a_query_reads_a_calculated_field_as_it_reads_an_attribute() -> None:
    track = with_calculated(LOGS, [DOUBLE, CalculatedField("word", "upper(@word)")])
    for query, holds in (
        ("#double:>4", True),
        ("#double:5", True),
        ("#double:[6 TO 9]", False),
        ("#word:APPLE", True),
        ("#word:apple", False),
        ("#word:AP*", True),
        ("#word:* -#double:6", True),
        ("-#nothing:*", True),
        ("host:web-1 #word:(PEAR OR APPLE)", True),
    ):
        assert to_predicate(parse(query), track)(EVENT) == holds, query
    assert not to_predicate(parse("#double:5"))(EVENT), "only where it is defined"


def _call(parts: tuple[str, ...]) -> str:
    name, *parameters = parts
    _, most = FUNCTIONS[name]
    return f"{name}({', '.join(parameters[: most or 3])})"


formulas = st.recursive(
    st.sampled_from(["1", "0", '"7"', '"x"', "@a", "@b", "host", "#double", "2.5"]),
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&&", "||"]), inner
        ).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda one: f"-{one}"),
        inner.map(lambda one: f"!{one}"),
        st.tuples(st.sampled_from(sorted(FUNCTIONS)), inner, inner, inner).map(_call),
    ),
    max_leaves=8,
)


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=3)
)


@given(formulas, values, values)
def test_every_formula_has_a_value_of_every_event(formula: str, a: Any, b: Any) -> None:
    event = Event("e", 0, host="h", attributes={"a": a, "b": b, "latency": a})
    found = value(formula, event)
    assert found is None or (isinstance(found, str | bool | int | float) and found == found)
    assert value(formula, event) == found


@given(st.text(alphabet='1a@#"\\().,+-*/!=<>&| ', max_size=20))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        parse_expression(text, ["a"])
    except ExpressionError as error:
        assert 0 <= error.start <= error.end <= len(text)


clauses = st.sampled_from(["#double:>3", "#double:5", "-#double:*", "@a:1", "host:h", "#x:*", "-@b:*"])
queries = st.recursive(
    clauses,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda one: f"NOT ({one})"),
    ),
    max_leaves=8,
)


@given(queries, values, values)
def test_what_a_query_asks_without_its_calculated_fields_finds_no_less(query: str, a: Any, b: Any) -> None:
    track = with_calculated(LOGS, [DOUBLE, CalculatedField("x", "@a / @b")])
    event = Event("e", 0, host="h", attributes={"a": a, "b": b, "latency": a})
    wider = uncalculated(parse(query))
    assert "CALCULATED" not in repr(wider)
    if to_predicate(parse(query), track)(event):
        assert to_predicate(wider)(event)
