"""Filters give the answers of the search language, whatever shortcut they take."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.filters import compile_filter
from tocsin.query import parse, to_predicate

QUERIES = [
    "*", "", "@a:*", "-@a:*", "@a.b:*", "@a.b.c:*", "@a.b:* @c:*", "service:*", "-service:*", "host:*", "source:x",
    "@a:1 OR -@a.b:*", "NOT (@a:* service:*)", "_missing_:@a.b", "_exists_:@c",
]  # fmt: skip
KEYS = st.sampled_from(["a", "b", "c", "a.b", "b.c", "a.b.c", "ab", "d"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=True) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sampled_from([None, "", "s"]), st.sampled_from(QUERIES))
def test_a_filter_agrees_with_the_predicate(attributes: dict[str, Any], service: str | None, query: str) -> None:
    event = Event("", 0, service=service, source="x", attributes=attributes)
    assert compile_filter(query, "here")(event) is to_predicate(parse(query))(event)


def test_a_query_that_does_not_parse_says_so() -> None:
    with pytest.raises(BadPipeline, match=r"filter\.query: the query does not parse"):
        compile_filter("service:", "filter.query")
