"""A group in memory decides what the pure decision of all its matches is, whatever the order in which they come."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pytest
from agreement import Live, nearly_sorted
from hypothesis import given, settings
from hypothesis import strategies as st
from test_threshold import matches, of_scope, rule, rules

from tocsin.evaluate import group as group_module
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.group import Group
from tocsin.evaluate.method import decide
from tocsin.evaluate.repository import GroupKey
from tocsin.evaluate.threshold import plan
from tocsin.rule import Rule


@pytest.fixture(params=[4, 4_000], scope="module", autouse=True)
def max_tail(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_module, "MAX_TAIL", request.param)
        patch.setattr(group_module, "FEW", group_module.FEW)  # examples change it
        yield


@settings(max_examples=80, deadline=None)
@given(rules(), matches(), st.data())
def test_group_equals_decision(a_rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    prepared = plan(a_rule)
    rows = of_scope(a_rule, rows)
    events = sorted({row[:2] for row in rows})
    order = data.draw(st.permutations(events)) if data.draw(st.booleans()) else events
    key = GroupKey(a_rule.id, 1, ())
    arrived: list[MatchRow] = []
    group: Any = None
    group_module.FEW = data.draw(st.sampled_from([0, 16]))
    while order:
        size = data.draw(st.integers(1, 6))
        fresh = [row for row in rows if row[:2] in order[:size]]
        order = order[size:]
        arrived += fresh
        if group is None or not group.add(fresh):
            group = Group(key, prepared, min(row.timestamp for row in arrived), {})
            group.load(sorted(arrived, key=lambda row: row[:2]))
        wanted = decide(prepared, arrived)
        outcome = group.outcome()
        # What is settled has been told before; the rest must be the end of all decisions.
        assert outcome.decisions == wanted[len(wanted) - len(outcome.decisions) :]
        assert all(decision in outcome.decisions for decision in outcome.changed)
        group.accept(outcome, {decision.opened_by: decision.opened_by for decision in outcome.decisions})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4_000), min_size=20, max_size=60), st.data())
def test_what_rests_has_only_grown(gaps: list[int], data: st.DataObject) -> None:
    """A busy scope: what can only join its open signal is decided later, or by an heir, and is the same then."""
    cases = data.draw(st.sampled_from([[("low", "a > 3")], [("high", "a > 8"), ("low", "a > 3")]]))
    keep_alive, maximum = data.draw(st.sampled_from([(60, 3600), (10, 70), (60, 60)]))
    prepared = plan(rule(*cases, window=30, keep_alive=keep_alive, maximum=maximum))
    rows = [MatchRow(at, f"{n}", ("ann",), 0) for n, at in enumerate(accumulate(gaps, initial=10**6))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_module, "RESTING_TAIL", data.draw(st.sampled_from([0, 200])))
        patch.setattr(group_module, "FEW", data.draw(st.sampled_from([0, 16])))
        live, wanted = Live(prepared), decide(prepared, rows)
        arriving = data.draw(nearly_sorted(rows))
        for start in range(0, len(arriving), 4):
            live.receive(arriving[start : start + 4], may_rest=data.draw(st.integers(0, 4)) > 0)
            match data.draw(st.integers(0, 15)):
                case 0:
                    live.kill()
                case 1:
                    live.refresh()
        live.refresh()
    assert sorted(live.signals.values(), key=lambda found: found.timestamp) == wanted


def test_what_a_signal_will_name_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first events while there is room, and the last: what is read when the signal is stored next."""
    monkeypatch.setattr(group_module, "FIRST_EVENTS", 6)
    monkeypatch.setattr(group_module, "LAST_EVENTS", 2)
    rows = [MatchRow(10**6 + at, f"{at:02}", ("ann",), 0) for at in range(30)]
    group = Group(GroupKey("aaa-bbb-ccc", 1, ("ann",)), plan(rule(("low", "a > 0"))), 10**6, {})

    def store() -> None:
        outcome = group.outcome()
        group.accept(outcome, {decision.opened_by: decision.opened_by for decision in outcome.decisions})

    def awaited(start: int, end: int) -> list[str]:
        assert group.add(rows[start:end])
        return sorted(row.event_id for row in group.awaited(rows[start:end]))

    group.load(rows[:2])
    store()
    assert awaited(2, 5) == ["02", "03", "04"]
    assert awaited(5, 10) == ["05", "08", "09"], "there is room for one, and the last two are named"
    assert awaited(10, 20) == ["18", "19"]
    store()
    assert awaited(20, 22) == ["20", "21"], "no more than are named at last"
