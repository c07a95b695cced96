"""What was stored last is at hand, within its bounds, as the store gives it."""

import orjson
from zstandard import ZstdCompressor

from tocsin.evaluate.latest import LINE_BYTES, SHOWN, Latest
from tocsin.event import Event
from tocsin.rule import Match
from tocsin.store.rows import encode_event

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
    size = len(lines["e0"]) + LINE_BYTES
    shown = orjson.dumps({name: orjson.loads(lines["e0"] + b"}")[name] for name in SHOWN})[:-1]
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
