"""Where the cursor of a half-typed query stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.explore.completion import place_at


@pytest.mark.parametrize(
    ("text", "field", "typed", "replaced"),
    [
        ("|", None, "", ""),
        ("sta|", None, "sta", "sta"),
        ("a -sta|tus:x", None, "sta", "status"),
        ("status:|", "status", "", ""),
        ("status:err|or x", "status", "err", "error"),
        ("a status:e|", "status", "e", "e"),
        ("-@usr.id:b|", "@usr.id", "b", "b"),
        ("env:(a OR b|)", "env", "b", "b"),
        ("env:(a OR (b|", "env", "b", "b"),
        ("env:(a) b|", None, "b", "b"),
        ("(status:e|", "status", "e", "e"),
        ('host:"web s|erver" x', "host", '"web s', '"web server"'),
        ("host:web\\ s|", "host", "web\\ s", "web\\ s"),
        ("NOT @a|", None, "@a", "@a"),
    ],
)
def test_place(text: str, field: str | None, typed: str, replaced: str) -> None:
    cursor = text.index("|")
    whole = text.replace("|", "")
    place = place_at(whole, cursor)
    assert (place.field, place.typed, whole[place.start : place.end]) == (field, typed, replaced)


@given(st.text(alphabet='ab:()"\\ -@*', max_size=20), st.integers(-3, 25))
def test_any_text_has_a_place(text: str, cursor: int) -> None:
    place = place_at(text, cursor)
    assert 0 <= place.start <= place.end <= len(text)
