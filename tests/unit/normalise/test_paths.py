"""Reading, writing and removing at dotted paths."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.normalise.paths import copied, getter, offerer, remover, setter


@pytest.mark.parametrize(
    ("attributes", "path", "value"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a.b": 1}, "a.b", 1),
        ({"a": {"b.c": 1}}, "a.b.c", 1),
        ({"a": [{"b": 1}, {"b": 2}]}, "a.1.b", 2),
        ({"a": [1]}, "a.1", None),
        ({"a": {"b": None}}, "a.b", None),
        ({"a": 1}, "a.b", None),
        ({}, "a", None),
    ],
)
def test_get(attributes: dict[str, Any], path: str, value: Any) -> None:
    assert getter(path)(attributes) == value


def test_set_makes_objects_but_does_not_replace_scalars() -> None:
    attributes: dict[str, Any] = {"x": 1, "n": None}
    assert setter("a.b.c")(attributes, 1) is True
    assert setter("n.b")(attributes, 2) is True
    assert setter("x.y")(attributes, 3) is False
    assert attributes == {"x": 1, "a": {"b": {"c": 1}}, "n": {"b": 2}}


PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(".".join)
NODES = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    max_leaves=6,
).filter(lambda node: isinstance(node, dict))


@given(NODES, PATHS)
def test_an_offer_is_taken_where_there_is_nothing(attributes: dict[str, Any], path: str) -> None:
    there = getter(path)(attributes)
    expected = copied(attributes)
    if there is None:
        setter(path)(expected, 9)
    offerer(path)(attributes, 9)
    assert attributes == expected


@given(NODES, PATHS)
def test_what_is_removed_is_gone_and_nothing_else(attributes: dict[str, Any], path: str) -> None:
    remover(path)(attributes)
    value = getter(path)(attributes)
    assert value is None or path.count(".") > 0, "only a second spelling of the path may be left"
    if value is None:
        remover(path)(attributes)
        assert getter(path)(attributes) is None
