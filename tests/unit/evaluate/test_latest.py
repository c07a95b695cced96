"""What was stored last is at hand, within its bounds, as the store gives it."""

from tocsin.evaluate.latest import LINE_BYTES, Latest
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
    latest = Latest(latest_bytes=3 * size, kept_bytes=2 * size)
    for identity in lines:
        latest.add(5_000, {identity: lines[identity]})
        latest.keep(["e0", "e2", "e4", "unknown"])
    everything = [ref(number) for number in range(10)]
    assert set(latest.events(everything)) == {"e2", "e4", "e7", "e8", "e9"}
    latest.add(5_000, {"e9": lines["e9"]})
    assert set(latest.events(everything)) == {"e2", "e4", "e7", "e8", "e9"}, "the same again takes no room"
