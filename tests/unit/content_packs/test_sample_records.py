"""Sample logs follow from the seed and the time alone, however the time is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tocsin.demo.samples import _SOURCES, QUARTER_MS, between

START = 1_700_000_123_456
HOUR = 4 * QUARTER_MS
AN_HOUR = {source: between(source, "seed", START, START, START + HOUR) for source in sorted(_SOURCES)}


def test_each_source_has_background_and_an_intrusion() -> None:
    for source, records in AN_HOUR.items():
        assert {record.source for record in records} == {source}
        assert 300 < len(records) < 1500
        assert all(START < record.at <= START + HOUR for record in records)


@given(st.sampled_from(sorted(_SOURCES)), st.lists(st.integers(0, HOUR), max_size=6))
def test_the_same_records_come_in_any_portions(source: str, cuts: list[int]) -> None:
    moments = [START + at for at in sorted({0, *cuts, HOUR})]
    portions = [between(source, "seed", START, after, until) for after, until in pairwise(moments)]
    assert [one.payload("sample:true") for portion in portions for one in portion] == [
        one.payload("sample:true") for one in AN_HOUR[source]
    ]


def test_another_subscription_has_other_records() -> None:
    assert between("okta", "other", START, START, START + HOUR) != AN_HOUR["okta"]


def test_samples_are_marked_and_not_as_the_demonstration() -> None:
    tags = {record.payload("sample:true")["ddtags"] for records in AN_HOUR.values() for record in records}
    assert all(tag.endswith(",sample:true") and "demo" not in tag for tag in tags)
