"""What was stored last is at hand, within its bounds, as the store gives it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zstandard import ZstdCompressor

from tests.memory import held_bytes
from tocsin.evaluate import latest as module
from tocsin.evaluate.latest import LINE_BYTES, Latest
from tocsin.event import Event
from tocsin.rule import Match
from tocsin.store.rows import decode_line, encode_event, shown_line

MATCH = Match("abc-def-ghi", 1, 0, ("web-1",), None, None)


def line(event: Event, *matches: Match) -> bytes:
    encoded = encode_event(event, matches)
    return encoded[: encoded.rindex(b',"ingested_at":')]


def event(number: int) -> Event:
    return Event(
        id=f"e{number}",
        timestamp=1_000 + number,
        ingested_at=5_000,
        host="web-1",
        service=None,
        source="nginx",
        status="info",
        message=f'number {number} of "matched":[]',
        trace_id=None,
        tags=["env:prod"],
        attributes={"matched": [], "http": {"status_code": 404}},
    )


def ref(number: int) -> tuple[int, str]:
    return (1_000 + number, f"e{number}")


def test_a_log_that_matches_is_at_hand() -> None:
    latest = Latest()
    latest.add(5_000, {"e1": line(event(1), MATCH), "e2": line(event(2))})
    assert latest.events([ref(1), ref(2), ref(3)]) == {"e1": event(1)}


def test_the_first_ones_go_first_but_for_those_that_are_kept() -> None:
    lines = {f"e{number}": line(event(number), MATCH) for number in range(10)}
    shown = shown_line(lines["e0"])
    size = len(shown) + LINE_BYTES
    packed = len(ZstdCompressor(level=1).compress(shown)) + LINE_BYTES + 10
    assert packed < size
    latest = Latest(latest_bytes=3 * size, kept_bytes=2 * packed, window_bytes=packed)
    for identity in lines:
        latest.add(5_000, {identity: lines[identity]})
        latest.keep(["e0", "e2", "e4", "unknown"])
        latest.keep_window(["e1", "e3", "e5"])
    everything = [ref(number) for number in range(10)]
    found = latest.events(everything)
    assert set(found) == {"e2", "e4", "e5", "e7", "e8", "e9"}
    assert found == {f"e{number}": event(number) for number in (2, 4, 5, 7, 8, 9)}, "packed or not"
    latest.add(5_000, {"e9": lines["e9"]})
    assert set(latest.events(everything)) == set(found), "the same again takes no room"


def test_what_is_kept_takes_no_more_than_it_is_counted_with() -> None:
    latest = Latest()
    lines = {f"e{number}": line(event(number), MATCH) for number in range(500)}
    latest.add(5_000, lines)
    latest.keep(["e0"])  # how they are packed is known
    before = latest._kept._size
    assert held_bytes(lambda: latest.keep(lines)) < latest._kept._size - before


TEXTS = st.text(
    st.sampled_from('ab,"\\\\{}[]:é') | st.characters(exclude_categories=["Cs"]), max_size=12
) | st.sampled_from([',"attributes":{', ',"id":"', ',"matched":[', '"],"matched":[', "\\"])


@given(
    message=TEXTS,
    host=TEXTS,
    tags=st.lists(TEXTS, max_size=2),
    attributes=st.dictionaries(
        st.sampled_from(["id", "matched", "attributes", "a.b"]) | TEXTS, TEXTS | st.lists(TEXTS)
    ),
    group=TEXTS,
)
def test_what_is_shown_of_a_line_is_all_that_an_event_has(
    message: str, host: str, tags: list[str], attributes: dict[str, object], group: str
) -> None:
    event = Event("e1", 1_000, message, "info", host, tags=tags, attributes=attributes)
    encoded = line(event, Match("abc-def-ghi", 1, 0, (group,), group, None))
    shown = shown_line(encoded)
    assert decode_line(shown, 1_000, 5_000) == decode_line(encoded, 1_000, 5_000)
    assert len(shown) < len(encoded)


def test_lines_are_packed_with_what_they_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLES", 50)
    monkeypatch.setattr(module, "LEARNED_EVERY", 60)

    def held(first: int, text: str) -> Event:
        attributes = {"text": text, "number": first, "http": {"method": "GET", "path": f"/orders/{first}"}}
        return Event(f"e{first}", 1_000 + first, f"{text} {first}", ingested_at=5_000, attributes=attributes)

    latest, events = Latest(), [held(number, "An order was placed by" * (1 + number // 100)) for number in range(200)]
    for some in (events[:20], events[20:100], events[100:]):
        latest.add(5_000, {event.id: line(event, MATCH) for event in some})
        latest.keep(event.id for event in some)
    assert latest.events((event.timestamp, event.id) for event in events) == {event.id: event for event in events}
    texts = [kept.text for kept in latest._kept.lines.values()]
    assert len(texts) == 200
    assert len({id(kept.packing) for kept in latest._kept.lines.values()}) == 3, "learned anew, each is read by its own"
    assert sum(map(len, texts[20:])) / 180 < sum(map(len, texts[:20])) / 20 / 1.5
