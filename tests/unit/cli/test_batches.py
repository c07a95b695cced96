"""Batches keep the intake's limits, lose nothing, and are the same each time."""

from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.cli.batches import BATCH_BYTES, BATCH_EVENTS, MAX_RECORD_BYTES, Copies, batches
from tocsin.cli.files import Line, Record, UnreadableFile


def lines(records: list[Record]) -> Iterator[Line]:
    return (Line(record, number) for number, record in enumerate(records, 1))


@given(st.lists(st.sampled_from(["a", "b", "c"]) | st.fixed_dictionaries({"n": st.integers(0, 3)}), max_size=30))
def test_equal_records_are_told_apart_and_stay_so(records: list[Record]) -> None:
    first = [body for batch in batches(lines(records)) for body in orjson.loads(batch.body)]
    assert first == [body for batch in batches(lines(records)) for body in orjson.loads(batch.body)]
    assert len({orjson.dumps(body) for body in first}) == len(records)
    without_tags = [
        (body["message"] if "message" in body else {"n": body["n"]}) if isinstance(body, dict) else body
        for body in first
    ]
    assert without_tags == records


def test_more_lines_at_the_end_change_nothing_before() -> None:
    copies, again = Copies(), Copies()
    before = [copies.told_apart(text) for text in ("a", "a", "b")]
    assert [again.told_apart(text) for text in ("a", "a", "b", "a")][:3] == before
    assert orjson.loads(before[1]) == {"message": "a", "ddtags": "copy:2"}


@pytest.mark.parametrize(
    ("tags", "expected"), [("env:prod", "env:prod,copy:2"), (["env:prod"], ["env:prod", "copy:2"]), (None, "copy:2")]
)
def test_a_copy_keeps_its_tags(tags: object, expected: object) -> None:
    copies = Copies()
    copies.told_apart({"ddtags": tags})
    assert orjson.loads(copies.told_apart({"ddtags": tags}))["ddtags"] == expected


def test_copies_are_remembered_for_a_while_only() -> None:
    copies = Copies(remembered=10)
    copies.told_apart("a")
    for number in range(9):
        copies.told_apart(str(number))
    assert b"copy:2" in copies.told_apart("a")
    for number in range(100, 125):
        copies.told_apart(str(number))
    assert copies.told_apart("a") == b'"a"'


def test_limits_of_events_and_bytes() -> None:
    many = list(batches(lines([str(n) for n in range(2 * BATCH_EVENTS + 1)])))
    assert [batch.events for batch in many] == [BATCH_EVENTS, BATCH_EVENTS, 1]
    large = list(batches(lines(["x" * 1_000_000 + str(n) for n in range(10)])))
    assert sum(batch.events for batch in large) == 10
    assert all(len(batch.body) <= BATCH_BYTES + 1_000_100 for batch in large)
    assert large[-1].position == 10


def test_what_fits_into_no_request_is_counted() -> None:
    found = list(batches(lines(["a", "x" * (MAX_RECORD_BYTES + 1), "b"])))
    assert [(batch.events, batch.too_long) for batch in found] == [(2, 1)]
    alone = list(batches(lines(["x" * (MAX_RECORD_BYTES + 1)])))
    assert [(batch.events, batch.too_long) for batch in alone] == [(0, 1)]


def test_what_was_read_before_a_failure_is_given() -> None:
    def failing() -> Iterator[Line]:
        yield Line("a", 1)
        raise UnreadableFile("broken")

    found = batches(failing())
    assert next(found).body == b'["a"]'
    with pytest.raises(UnreadableFile, match="broken"):
        next(found)
