"""What is remembered has an end, in number and in length, whatever senders write."""

import sys

from tocsin.enrich.geo import Places
from tocsin.remembering import remembered


def test_short_texts_are_asked_once_and_long_ones_each_time() -> None:
    asked: list[str] = []

    @remembered(2, longest=3)
    def upper(text: str, end: str = "") -> str:
        """Says it loudly."""
        asked.append(text)
        return text.upper() + end

    assert [upper("abc"), upper("abc"), upper("abcd"), upper("abcd"), upper("abc", "!")] == [
        "ABC",
        "ABC",
        "ABCD",
        "ABCD",
        "ABC!",
    ]
    assert asked == ["abc", "abcd", "abcd", "abc"]
    assert upper.__doc__ == "Says it loudly."
    for text in ("a", "b", "c", "a"):
        upper(text)
    assert asked[4:] == ["a", "b", "c", "a"]  # the two newest are kept


def test_no_place_of_what_is_no_address_is_kept() -> None:
    places = Places()
    texts = [f"{number}" * 1000 for number in range(5)]
    before = [sys.getrefcount(text) for text in texts]
    assert [places.place(text) for text in texts] == [{}] * 5
    assert [sys.getrefcount(text) for text in texts] == before
