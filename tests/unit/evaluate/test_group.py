"""A group in memory decides what the pure decision of all its matches is, whatever the order in which they come."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_threshold import matches, of_scope, rules

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
