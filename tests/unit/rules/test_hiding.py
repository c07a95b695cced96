"""Replayed signals are hidden as live ones are (siem.md §5.2)."""

import pytest

from tocsin.evaluate.decision import Decision, MatchRow, opening
from tocsin.evaluate.method import decide
from tocsin.evaluate.threshold import plan
from tocsin.event import Event
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.rules.hiding import Hidden, HiddenBy, HiddenCount, hidden
from tocsin.signals.projection import project
from tocsin.signals.suppression import Suppression, Suppressions

BORN = 1_767_225_600_000

RULE = Rule(
    id="aaa-bbb-001",
    name="Guessing",
    message="",
    queries=(RuleQuery("a", "*", group_by_fields=("@usr.id",)),),
    cases=(RuleCase("high", "a > 3"), RuleCase("low", "a > 1")),
    options=RuleOptions(evaluation_window=60, keep_alive=300, max_signal_duration=3600),
)


def event(number: int, host: str = "web-1") -> Event:
    return Event(f"e{number}", BORN + number * 1000, host=host, source="sshd", attributes={"usr": {"id": "bob"}})


def suppression(query: str, **more: object) -> Suppression:
    named = {"id": "sup-001", "version": 1, "name": "agreed", "is_enabled": True, "rule_query": "*"}
    rest = {"suppression_query": query, "data_exclusion_query": "", "start": None, "expires": None}
    return Suppression(**{**named, **rest, **more})  # type: ignore[arg-type]


def decided(events: list[Event]) -> Decision:
    (decision,) = decide(plan(RULE), [MatchRow(e.timestamp, e.id, ("bob",), 0) for e in events])
    return decision


def judged(events: list[Event], *versions: Suppression) -> Hidden | None:
    decision = decided(events)
    prepared = plan(RULE)
    projection = project(prepared, decision, events, BORN)
    return hidden(prepared, decision, projection, events, Suppressions(versions), BORN)


def test_the_opening_knows_nothing_of_what_came_later() -> None:
    whole = decided([event(1), event(2), event(3), event(4)])
    early = opening(whole)
    assert (early.events_matched, early.last_seen, len(early.verdicts)) == (2, BORN + 2000, 1)
    assert [ref.event_id for ref in early.first_events] == ["e1", "e2"]
    assert opening(early) is early


@pytest.mark.parametrize(
    ("query", "is_hidden", "is_update"),
    [
        ("host:web-1", True, False),
        ("host:db-1", True, True),
        ("status:high", True, True),
        ("status:low", False, False),
        ("host:mail-1", False, False),
    ],
)
def test_a_signal_is_judged_as_it_opened_and_as_it_ended(query: str, is_hidden: bool, is_update: bool) -> None:
    found = judged([event(1), event(2), event(3, "db-1"), event(4)], suppression(query))
    assert (found is not None) is is_hidden
    assert (found is not None and found.is_update) is is_update


def test_all_suppressions_that_hide_are_named() -> None:
    first = suppression("host:web-1", id="sup-002")
    found = judged([event(1), event(2)], first, suppression("status:low"), suppression("status:high", id="sup-003"))
    assert found is not None
    assert [one.id for one in found.by] == ["sup-001", "sup-002"]


def test_what_is_not_in_force_hides_nothing() -> None:
    assert judged([event(1), event(2)], suppression("*", expires=BORN)) is None
    assert not Suppressions([suppression("*", expires=BORN)]).may_hide(RULE, BORN)
    assert Suppressions([suppression("host:x")]).may_hide(RULE, BORN)


def test_counts_tell_signals_from_updates_and_name_each_suppression() -> None:
    one, two = suppression("*", id="sup-001"), suppression("*", id="sup-002", name="agreed later")
    found = HiddenCount.of([Hidden((one, two)), None, Hidden((two,), is_update=True), Hidden((one,))])
    assert found == HiddenCount(4, 2, 1, (HiddenBy("sup-001", "agreed", 2), HiddenBy("sup-002", "agreed later", 2)))
    assert HiddenCount.of([None]) == HiddenCount(1)
