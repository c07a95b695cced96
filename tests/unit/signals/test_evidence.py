"""What a signal says is a function of the events that it names, whatever was read of it before."""

from collections.abc import Iterable
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory import held_bytes
from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.threshold import plan
from tocsin.event import Event
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.signals import evidence
from tocsin.signals.evidence import Asked, Evidence
from tocsin.signals.gathering import Gathered, gathered

BORN = 1_767_225_600_000

RULE = Rule(
    id="aaa-bbb-001",
    name="Any",
    message="",
    queries=(RuleQuery("a", "*"),),
    cases=(RuleCase("low", "a > 0"),),
    options=RuleOptions(evaluation_window=0, keep_alive=3600, max_signal_duration=86400),
)


class Stored:
    """The events that are there; counts what is read."""

    def __init__(self) -> None:
        self.there: dict[str, Event] = {}
        self.read: list[str] = []

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        ids = [event_id for _, event_id in refs]
        self.read += ids
        return {event_id: self.there[event_id] for event_id in ids if event_id in self.there}


def event(number: int) -> Event:
    attributes = {"n": number, "pair": number // 2, "user": f"u{number % 3}"}
    return Event(id=f"e{number:03d}", timestamp=BORN + 1000 * number, message=f"event {number}", attributes=attributes)


def decided(numbers: Iterable[int], named: int = 500) -> Decision:
    machine = plan(RULE).machine(named=named)
    machine.feed(MatchRow(BORN + 1000 * number, f"e{number:03d}", (), 0) for number in sorted(numbers))
    (decision,) = machine.decisions()
    return decision


def said(found: Gathered) -> bytes:
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS)


def plainly(decision: Decision, stored: Stored) -> bytes:
    refs = dict.fromkeys([*decision.first_events, *decision.last_events])
    return said(gathered(decision, [stored.there[ref.event_id] for ref in refs if ref.event_id in stored.there]))


def asked(decision: Decision) -> list[Asked]:
    return [Asked("signal", RULE, decision)]


@given(
    batches=st.lists(st.sets(st.integers(0, 60), min_size=1, max_size=15), min_size=1, max_size=6),
    hidden=st.sets(st.integers(0, 60), max_size=10),
    named=st.sampled_from([3, 12, 500]),
)
def test_a_signal_that_grows_says_what_all_its_events_say(
    batches: list[set[int]], hidden: set[int], named: int
) -> None:
    stored, numbers = Stored(), set[int]()
    reader = Evidence(stored)  # type: ignore[arg-type]
    for batch in batches:
        numbers |= batch
        for number in batch - hidden:
            stored.there[f"e{number:03d}"] = event(number)
        decision = decided(numbers, named)
        (found,) = reader.gathered(asked(decision))
        assert said(found) == plainly(decision, stored)
        hidden = set(sorted(hidden)[1:])  # what was not there may come
        for number in numbers - hidden:
            stored.there[f"e{number:03d}"] = event(number)


def test_only_what_is_new_is_read() -> None:
    stored = Stored()
    stored.there = {f"e{number:03d}": event(number) for number in range(700)}
    reader = Evidence(stored)  # type: ignore[arg-type]
    reader.gathered(asked(decided(range(100))))
    assert len(stored.read) == 100
    reader.gathered(asked(decided(range(107))))
    assert sorted(stored.read[100:]) == [f"e{number:03d}" for number in range(100, 107)]
    reader.gathered(asked(decided(range(650))))
    before = len(stored.read)
    decision = decided(range(660))
    (found,) = reader.gathered(asked(decision))
    assert sorted(stored.read[before:]) == [f"e{number:03d}" for number in range(650, 660)]
    assert said(found) == plainly(decision, stored)


def test_sums_take_what_they_are_counted_with() -> None:
    stored = Stored()
    stored.there = {f"e{number:03d}": event(number) for number in range(60)}
    decision = decided(range(60))
    made: list[Evidence] = []

    def reader() -> Evidence:
        made.append(Evidence(stored))  # type: ignore[arg-type]
        for number in range(200):
            made[-1].gathered([Asked(f"s{number}", RULE, decision)])
        return made.pop()

    counted = reader().size
    assert 0.5 * counted < held_bytes(reader) < counted


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "KEPT_BYTES", 100_000)
    monkeypatch.setattr(evidence, "KEPT_EVENTS", 10)
    stored = Stored()
    stored.there = {f"e{number:03d}": event(number) for number in range(200)}
    reader = Evidence(stored)  # type: ignore[arg-type]
    decision = decided(range(200))
    for number in range(20):
        (found,) = reader.gathered([Asked(f"s{number}", RULE, decision)])
        assert said(found) == plainly(decision, stored)
    assert 0 < reader.size <= 100_000
    stored.read.clear()
    reader.gathered([Asked("s0", RULE, decision)])  # dropped long ago
    assert len(stored.read) >= 190


def test_nothing_is_kept_of_a_signal_that_cannot_grow() -> None:
    stored = Stored()
    stored.there = {"e001": event(1)}
    reader = Evidence(stored)  # type: ignore[arg-type]
    decision = decided([1])
    reader.gathered(asked(replace(decision, closes_at=decision.last_hit)))
    assert reader.size == 0
