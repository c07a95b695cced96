"""What holds for every method: the order of arrival, lateness and repetition of matches change no decision."""

from typing import Any

from hypothesis import strategies as st

from tocsin.evaluate.decision import MatchRow, position
from tocsin.evaluate.group import Group
from tocsin.evaluate.method import Plan, decide
from tocsin.evaluate.repository import GroupKey


def arrives_anyhow(prepared: Plan, rows: list[MatchRow], data: st.DataObject) -> None:
    """`rows` of one signal group come in any order, in parts, some of them twice; a live group keeps deciding."""
    events = sorted({row[:2] for row in rows})
    order = data.draw(st.permutations(events)) if data.draw(st.booleans()) else list(events)
    key = GroupKey(prepared.rule.id, prepared.rule.version, ())
    arrived: list[MatchRow] = []
    group: Any = None
    while order:
        size = data.draw(st.integers(1, 6))
        fresh = [row for row in rows if row[:2] in order[:size]]
        order = order[size:]
        arrived += fresh
        if data.draw(st.booleans()):
            fresh = [*fresh, *fresh]
        if group is None or not group.add(fresh):
            group = Group(key, prepared, min(row.timestamp for row in arrived), {})
            group.load(sorted(arrived, key=position))
        wanted = decide(prepared, [*arrived, *arrived])
        outcome = group.outcome()
        # What is settled has been told before; the rest must be the end of all decisions.
        assert outcome.decisions == wanted[len(wanted) - len(outcome.decisions) :]
        assert all(decision in outcome.decisions for decision in outcome.changed)
        group.accept(outcome, {decision.opened_by: decision.opened_by for decision in outcome.decisions})


def starts_anywhere(prepared: Plan, rows: list[MatchRow], data: st.DataObject) -> None:
    """A machine that starts at a moment when no signal is open, or at the opening of one, with the matches of the
    look-back only, decides the rest as one that saw everything."""
    if not rows:
        return
    wanted = decide(prepared, rows)
    times = sorted({row.timestamp for row in rows})
    start = data.draw(st.sampled_from(times))
    covering = [signal.timestamp for signal in wanted if signal.timestamp <= start < signal.closes_at]
    start = min(covering, default=start)
    machine = prepared.machine(start)
    machine.feed(sorted((row for row in rows if row.timestamp >= start - prepared.lookback_ms), key=position))
    assert machine.decisions() == [signal for signal in wanted if signal.timestamp >= start]
