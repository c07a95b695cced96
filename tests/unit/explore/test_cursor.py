"""Cursors come back as they went out, and nothing else passes for one."""

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.explore.cursor import Cursor, parse_cursor
from tocsin.explore.sorting import Sort

KEYS = st.one_of(
    st.tuples(st.integers(0, 2**50), st.text(max_size=5)),
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
        st.integers(0, 2**50),
        st.text(max_size=5),
    ),
)


@given(KEYS, st.booleans(), st.one_of(st.none(), st.integers(0, 2**50)))
def test_round_trip(key: tuple[object, ...], descending: bool, snapshot: int | None) -> None:
    cursor = Cursor(Sort("@a", descending), 1, 2, snapshot, key)
    assert parse_cursor(cursor.text()) == cursor
    assert set(cursor.text()) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "values",
    [None, [], {}, ["timestamp", True, 1, 2, 3], ["timestamp", 1, 1, 2, None, 5, "x"], ["a", True, 1, 2, 3, "x", 5]],
)
def test_other_texts_are_refused(values: object) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        parse_cursor(base64.urlsafe_b64encode(orjson.dumps(values)).decode())


@given(st.text(max_size=20))
def test_no_text_is_a_crash(text: str) -> None:
    with pytest.raises(BadRequest):
        parse_cursor(text)
