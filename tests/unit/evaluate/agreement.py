"""What holds for every method, whatever happens to the matches on their way: a live evaluation of one signal group,
with a store that survives restarts, ends with the decisions that the plain reference makes of the sorted events.

`agrees` drives a method through `Plan`, `Machine` and `Group` as `evaluate/evaluator.py` does, without its stores:
matches come in any order, in parts, late and repeated; at any moment the process is killed and a group is built again
from what is stored, the long past from sums (`evaluate/history.py`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from tocsin.evaluate import group as group_module
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.group import Group, Outcome, StoredSignal
from tocsin.evaluate.history import summarise
from tocsin.evaluate.method import Plan, decide
from tocsin.evaluate.nearest import nearest
from tocsin.evaluate.repository import GroupKey
from tocsin.evaluate.sequence import SequencePlan

Reference = Callable[[list[MatchRow]], list[Any]]
"""From the different matches, sorted by event time and id, to what `view` shows of each signal, in order."""

View = Callable[[Decision], Any]


class Live:
    """One signal group under live evaluation. `matches` and `signals` are what is stored; the rest a kill takes."""

    def __init__(self, prepared: Plan) -> None:
        self.plan = prepared
        self.key = GroupKey(prepared.rule.id, prepared.rule.version, ())
        self.matches: set[MatchRow] = set()
        self.signals: dict[str, Decision] = {}
        self.rebuilt = 0
        self._group: Group | None = None
        self._quiet_after: int | None = None
        self._resting: list[MatchRow] = []

    def kill(self) -> None:
        """The heir reads again what was not decided."""
        self._group = self._quiet_after = None
        if self._resting:
            self.receive(self._resting)

    def receive(self, rows: Sequence[MatchRow], *, may_rest: bool = False) -> None:
        """Store new matches and decide them; those that can only add to a signal may rest."""
        self.matches.update(rows)
        if self._group is None or not self._group.add(rows):
            self._group = self._built(min(row.timestamp for row in rows))
        elif may_rest and self._group.only_grows(rows):
            self._group.rest()
            self._resting += rows
            return
        self._decide(self._group)

    def refresh(self) -> None:
        """Decide what rests."""
        if self._group is not None and self._resting:
            outcome = self._decide(self._group)
            assert outcome.is_growth or not outcome.changed

    def forget(self) -> None:
        """As a group that has been quiet for long is forgotten: what comes after its last is decided alone."""
        if self._group is not None and not self._resting:
            self._quiet_after = self._group.quiet_after
            self._group = None

    def _decide(self, group: Group) -> Outcome:
        outcome = group.outcome()
        self._store(outcome)
        group.accept(outcome, {decision.opened_by: _id(decision) for decision in outcome.decisions})
        self._resting = []
        return outcome

    def _built(self, earliest: int) -> Group:
        """A group read from what is stored, from where its decisions can have changed; or what is past is left out."""
        self.rebuilt += 1
        quiet_after, self._quiet_after = self._quiet_after, None
        if quiet_after is not None and earliest > quiet_after:
            return self._anew(earliest)
        restart = self._opening(earliest)
        while self.plan.overlaps and self._opening(restart) < restart:
            restart = self._opening(restart)
        known = {_id(signal): _stored(signal) for signal in self.signals.values() if signal.timestamp >= restart}
        group = Group(self.key, self.plan, restart, known)
        exact, since = self.plan.exact_since(restart), restart - self.plan.lookback_ms
        if self.plan.history is not None:
            before = [row for row in self.matches if since <= row.timestamp < exact]
            group.remember(summarise(before, self.plan.history))
        group.load(sorted((row for row in self.matches if row.timestamp >= exact), key=position))
        return group

    def _anew(self, earliest: int) -> Group:
        group = Group(self.key, self.plan, earliest, {})
        if self.plan.history is not None:
            group.remember(())
        group.load(sorted((row for row in self.matches if row.timestamp >= earliest), key=position))
        return group

    def _opening(self, moment: int) -> int:
        longest = self.plan.rule.max_signal_duration_ms
        stored = [signal.timestamp for signal in self.signals.values() if signal.timestamp <= moment < signal.closes_at]
        return min((timestamp for timestamp in stored if timestamp >= moment - longest - 1), default=moment)

    def _store(self, outcome: Outcome) -> None:
        current = {_id(decision) for decision in outcome.decisions}
        for identity in set(outcome.known) - current:
            del self.signals[identity]
            del outcome.known[identity]
        for decision in outcome.changed:
            self.signals[_id(decision)] = decision
            outcome.known[_id(decision)] = _stored(decision)


def agrees(
    prepared: Plan,
    rows: Sequence[MatchRow],
    data: st.DataObject,
    reference: Reference | None = None,
    view: View = lambda decision: decision,
) -> Live:
    """Feed the matches of one signal group anyhow, and compare what is stored in the end with the pure decision of all
    of them, and with the reference, where there is one. Returns what is left, for further questions."""
    wanted = decide(prepared, data.draw(st.permutations([*rows, *rows])))
    _misses_agree(prepared, rows, wanted)
    if reference is not None:
        assert [view(decision) for decision in wanted] == reference(sorted(set(rows), key=position))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_module, "RESTING_TAIL", data.draw(st.sampled_from([0, 200])))
        patch.setattr(group_module, "FEW", data.draw(st.sampled_from([0, 16])))
        live = _lived(prepared, rows, data)
    for each in (live, _forgetful(prepared, rows)):
        assert sorted(each.signals.values(), key=_order) == sorted(wanted, key=_order)
    return live


def _lived(prepared: Plan, rows: Sequence[MatchRow], data: st.DataObject) -> Live:
    live = Live(prepared)
    events = sorted({position(row) for row in rows})
    arriving = data.draw(st.one_of(st.just(events), nearly_sorted(events), st.permutations(events)))
    while arriving:
        size = data.draw(st.integers(1, 6))
        batch, arriving = arriving[:size], arriving[size:]
        repeated = data.draw(st.sampled_from([[], batch, events[:2]])) if live.matches else []
        now = {*batch, *(event for event in repeated if any(position(row) == event for row in live.matches))}
        live.receive([row for row in rows if position(row) in now], may_rest=data.draw(st.booleans()))
        match data.draw(st.integers(0, 6)):
            case 0:
                live.kill()
            case 1:
                live.refresh()
            case 2:
                live.forget()
    live.refresh()
    return live


def _forgetful(prepared: Plan, rows: Sequence[MatchRow]) -> Live:
    """Each event comes to a group that was forgotten after the one before."""
    live = Live(prepared)
    for event in sorted({position(row) for row in rows}):
        live.receive([row for row in rows if position(row) == event])
        live.forget()
    return live


def _misses_agree(prepared: Plan, rows: Sequence[MatchRow], wanted: Sequence[Decision]) -> None:
    """Nothing lacks exactly where the rule fires, as far as the method is watched."""
    best = nearest(prepared, rows, -(10**15), 10**15)
    if best is not None:
        assert (best.distance == 0) == bool(wanted), best
    elif wanted:
        assert isinstance(prepared, SequencePlan) and prepared.is_linked


def nearly_sorted(events: list[Any]) -> st.SearchStrategy[list[Any]]:
    """In order, but for some that come later than they should."""
    return st.lists(st.integers(0, 5), min_size=len(events), max_size=len(events)).map(
        lambda delays: [events[i] for i in sorted(range(len(events)), key=lambda i: i + delays[i])]
    )


def _id(decision: Decision) -> str:
    return f"{decision.timestamp}-{decision.opened_by}"


def _stored(decision: Decision) -> StoredSignal:
    return StoredSignal(_id(decision), decision.timestamp, decision.closes_at, "", 0, 0)


def _order(decision: Decision) -> tuple[int, str]:
    return (decision.timestamp, decision.opened_by)
