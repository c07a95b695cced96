"""What events say together is a sum: added in any order, it is what a plain look at all of them finds."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.query.values import flatten
from tocsin.signals.gathering import KEPT_VALUES, MAX_TEXT, MAX_VALUES, Gathering

BORN = 1_767_225_600_000

SCALARS = st.one_of(st.sampled_from(["a", "b", "", "x" * (MAX_TEXT + 1)]), st.integers(0, 3), st.booleans())


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Events of few moments, some with many values."""
    events = []
    for number in range(draw(st.integers(0, 12))):
        attributes: dict[str, Any] = draw(st.dictionaries(st.sampled_from("pqr"), st.lists(SCALARS, max_size=4)))
        if draw(st.booleans()):
            first = draw(st.integers(0, 150))
            attributes["many"] = list(range(first, first + 60))
        events.append(
            Event(
                id=f"e{draw(st.integers(0, 9))}{number:02d}",
                timestamp=BORN + draw(st.integers(0, 3)),
                message="",
                host=draw(st.sampled_from([None, "h1", "h2"])),
                service="s",
                tags=draw(st.lists(st.sampled_from(["env:prod", "env:test", "team:a", "plain"]), max_size=3)),
                attributes=attributes,
            )
        )
    return events


def plainly(events: list[Event]) -> tuple[dict[str, list[Any]], list[str], list[str]]:
    """Attributes, tags and hosts, by looking at one event after the other."""
    ordered = sorted(events, key=lambda event: (event.timestamp, event.id))
    attributes: dict[str, list[Any]] = {}
    for event in ordered:
        for path, values in flatten(event.attributes).items():
            known = attributes.setdefault(path, [])
            for value in values:
                is_long = isinstance(value, str) and len(value) > MAX_TEXT
                if not is_long and (type(value), value) not in [(type(other), other) for other in known]:
                    known.append(value)
    tags = list(dict.fromkeys(tag for event in ordered for tag in event.tags))
    hosts = list(dict.fromkeys(event.host for event in ordered if event.host))
    return {path: values[:KEPT_VALUES] for path, values in attributes.items() if values}, tags, hosts


def encoded(attributes: dict[str, list[Any]]) -> bytes:
    """`1` and `true` are equal to Python, but not here."""
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)


@given(streams(), st.data())
def test_events_in_any_order_say_the_same(events: list[Event], data: st.DataObject) -> None:
    attributes, tags, hosts = plainly(events)
    gathering = Gathering()
    gathering.add(data.draw(st.permutations(events)))
    found = gathering.gathered([])
    assert encoded(found.attributes) == encoded(attributes)
    assert (found.tags, found.hosts, found.events) == (tags, hosts, len(events))


@given(streams(), st.integers(0, 12), st.data())
def test_the_last_ones_need_not_be_taken_in(events: list[Event], first: int, data: st.DataObject) -> None:
    ordered = sorted(events, key=lambda event: (event.timestamp, event.id))
    gathering = Gathering()
    gathering.add(data.draw(st.permutations(ordered[:first])))
    before = gathering.size
    found = gathering.gathered([], data.draw(st.permutations(ordered[first:])))
    attributes, tags, hosts = plainly(events)
    assert encoded(found.attributes) == encoded(attributes)
    assert (found.tags, found.hosts, found.events, gathering.size) == (tags, hosts, len(events), before)


def test_of_a_name_with_many_values_the_first_are_kept() -> None:
    events = [
        Event(id=f"e{number:03d}", timestamp=BORN + number, message="", attributes={"port": number})
        for number in range(300)
    ]
    gathering = Gathering()
    gathering.add(reversed(events))
    assert gathering.gathered([]).attributes == {"port": list(range(MAX_VALUES + 1))}
    assert gathering.size < 25_000


def test_long_texts_count_as_long() -> None:
    gathering = Gathering()
    for number in reversed(range(300)):
        text = f"{number:03d}" + "x" * 1_000
        gathering.add([Event(id=f"e{number:03d}", timestamp=BORN + number, message="", attributes={"cmd": text})])
    assert (MAX_VALUES + 1) * 1_003 < gathering.size < (MAX_VALUES + 1) * 1_303
