"""Preview and backtest: what a rule would have raised on stored logs (siem.md §2.27; design §9.4).

Both run the replay engine in the request, so both are bounded: by time, by how many run at once, and by how many
signals are shown; the totals are those of all. A preview is for somebody who types, a backtest compares as well.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tocsin.clock import Clock
from tocsin.errors import Abandoned, BadRequest, TooManyRequests
from tocsin.evaluate.decision import Decision
from tocsin.evaluate.method import FIRST_EVENTS
from tocsin.evaluate.refs import EventRef
from tocsin.evaluate.replay import Budget, Replay, Replayed
from tocsin.rule import Rule
from tocsin.rules.difference import Outline, changes, difference
from tocsin.rules.executable import executable
from tocsin.rules.hiding import Hidden, HiddenCount, hidden
from tocsin.rules.scheduled.recurrence import recurrence
from tocsin.rules.scheduled.service import SHOWN_TIMES
from tocsin.rules.service import RulesService, VersionNotFound
from tocsin.signals.projection import Projection, project
from tocsin.signals.severity import Assets
from tocsin.signals.suppression import NO_SUPPRESSIONS, Suppressions

PREVIEW_SECONDS = 15
BACKTEST_SECONDS = 300
AT_ONCE = 2
WAIT_SECONDS = 10
LOOK_SECONDS = 0.1

INSTEAD = "run it as a historical job, which may take as long as it needs"

BARS = 60
"""Bars of a preview's charts, about."""

NAMED_IN_PREVIEW = 20
"""Events that a previewed signal's title and severity are made from, besides the last ten: its counts are of all."""

MAX_SHOWN = 1_000

MAX_JUDGED = 5_000
"""Signals of which it is asked whether suppressions would hide them: each is made from its events for that."""

JUDGED_TOGETHER = 200

MINUTE_MS = 60_000
_STEPS = [MINUTE_MS * step for step in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)]

IsWanted = Callable[[], bool]
"""Whether anybody still waits for the answer; may be asked on any thread."""

Seeing = Callable[[Rule], Rule]
"""A rule as it is when live detection runs it at present, such as without the events that suppressions keep from it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A signal that a replay found, projected as a live one would be. `hidden`: by suppressions that are there now."""

    decision: Decision
    projection: Projection
    hidden: Hidden | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A group that could not be decided."""

    group: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class QuerySeries:
    """How many events a query finds: in all, and in each interval that has any (Unix milliseconds)."""

    label: str
    query: str
    total: int
    counts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """`signals` counts all, hidden ones too, `shown` are the first; `series` counts those that open in each interval.
    `next_times`: when a scheduled rule would run from now on."""

    interval: int
    queries: tuple[QuerySeries, ...]
    signals: int
    hidden: HiddenCount
    series: tuple[tuple[int, int], ...]
    shown: tuple[Shown, ...]
    failed: tuple[Failed, ...]
    next_times: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """One signal as both runs see it, and the members in which they differ."""

    before: Outline
    after: Outline
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the rule raises that the version it is compared with does not, and the reverse. The numbers are of all."""

    rule_id: str
    version: int
    signals: int
    new: int
    gone: int
    changed: int
    same: int
    shown_new: tuple[Outline, ...]
    shown_gone: tuple[Outline, ...]
    shown_changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """`matches` are those that were read: scopes that cannot come near a threshold are not."""

    rule: Rule
    signals: int
    hidden: HiddenCount
    matches: int
    shown: tuple[Shown, ...]
    failed: tuple[Failed, ...]
    comparison: Comparison | None


class Backtests:
    """Safe to use from many threads. All times are Unix milliseconds, ranges `[start, end)` in event time."""

    def __init__(
        self,
        rules: RulesService,
        replay: Replay,
        clock: Clock,
        seeing: Seeing = lambda rule: rule,
        assets: Callable[[], Assets | None] = lambda: None,
        suppressions: Callable[[], Suppressions] = lambda: NO_SUPPRESSIONS,
    ) -> None:
        """`assets` gives the critical assets, which change severities, `suppressions` what hides signals."""
        self._rules = rules
        self._replay = replay
        self._clock = clock
        self._seeing = seeing
        self._assets = assets
        self._suppressions = suppressions
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def preview(
        self, body: Any, start: int, end: int, limit: int, is_wanted: IsWanted | None = None, rule_id: str = ""
    ) -> Preview:
        """What the queries of a rule that is not stored find, and the signals that it would have raised.

        `rule_id` names the stored rule that it is to become: suppressions may be about that.
        Ends with `Abandoned` soon after `is_wanted` has become false: somebody who types asks again and again.
        Raises `InvalidRule`, `BadRequest` for a rule or range that cannot be run, `LimitExceeded`,
        `TooManyRequests`.
        """
        rule = self._seeing(replace(executable(self._rules.check_unsaved(body)), id=rule_id))
        interval = _interval(start, end)
        with self._slot(is_wanted):
            budget = Budget(PREVIEW_SECONDS, is_wanted=is_wanted, instead=INSTEAD)
            series = self._replay.series(rule, start, end, interval, budget)
            is_judged = self._suppressions().may_hide(rule, self._clock())
            named = FIRST_EVENTS if is_judged else NAMED_IN_PREVIEW
            found = self._replayed(rule, start, end, budget, named)
            shown, hidden_count = self._shown(found, limit, budget)
        queries = tuple(
            QuerySeries(
                query.label,
                query.full_query,
                sum(counts[index] for _, counts in series),
                tuple((start + bar * interval, counts[index]) for bar, counts in series if counts[index]),
            )
            for index, query in enumerate(rule.queries)
        )
        opened: dict[int, int] = {}
        for decision in found.decisions:
            bar = start + (decision.timestamp - start) // interval * interval
            opened[bar] = opened.get(bar, 0) + 1
        times = recurrence(rule.schedule).following(self._clock(), SHOWN_TIMES) if rule.schedule else ()
        bars = tuple(sorted(opened.items()))
        return Preview(interval, queries, len(found.decisions), hidden_count, bars, shown, _failed(found), tuple(times))

    def backtest_stored(
        self, rule_id: str, version: int | None, start: int, end: int, limit: int, is_wanted: IsWanted | None = None
    ) -> Backtest:
        """A stored rule at a version, compared with its current one, or at its current one.

        Ends and raises as `preview`; also `RuleNotFound` or `VersionNotFound`.
        """
        current = self._rules.get(rule_id)
        wanted = current if version is None or version == current.version else self._rules.rule_at(rule_id, version)
        if wanted is None:
            raise VersionNotFound(rule_id, version or 0)
        chosen = executable(wanted) if wanted is current else wanted
        other = executable(current) if wanted is not current else None
        return self._backtest(chosen, other, start, end, limit, is_wanted)

    def backtest_unsaved(
        self, body: Any, against: str | None, start: int, end: int, limit: int, is_wanted: IsWanted | None = None
    ) -> Backtest:
        """A rule that is not stored, compared with a stored one at its current version if there is one."""
        rule = executable(self._rules.check_unsaved(body))
        current = executable(self._rules.get(against)) if against else None
        return self._backtest(rule, current, start, end, limit, is_wanted)

    def _backtest(
        self, rule: Rule, other: Rule | None, start: int, end: int, limit: int, is_wanted: IsWanted | None
    ) -> Backtest:
        _check_range(start, end)
        with self._slot(is_wanted):
            budget = Budget(BACKTEST_SECONDS, is_wanted=is_wanted, instead=INSTEAD)
            seen = self._seeing(replace(rule, id=rule.id or (other.id if other is not None else "")))
            found = self._replayed(seen, start, end, budget)
            before = self._replayed(self._seeing(other), start, end, budget) if other is not None else None
            shown, hidden_count = self._shown(found, limit, budget)
        return Backtest(
            rule=rule,
            signals=len(found.decisions),
            hidden=hidden_count,
            matches=found.matches,
            shown=shown,
            failed=_failed(found),
            comparison=_compared(before, found, limit) if before is not None else None,
        )

    def _replayed(self, rule: Rule, start: int, end: int, budget: Budget, named: int = FIRST_EVENTS) -> Replayed:
        """With the ends that runs of a scheduled rule would have had."""
        ends = recurrence(rule.schedule).between(start - 1, end - 1) if rule.schedule else []
        return self._replay.run(rule, start, end, budget, named=named, ends=ends)

    def _shown(self, found: Replayed, limit: int, budget: Budget) -> tuple[tuple[Shown, ...], HiddenCount]:
        """The first signals as people would see them, and what suppressions would hide of all."""
        now, assets, suppressions = self._clock(), self._assets(), self._suppressions()
        may_hide = suppressions.may_hide(found.plan.rule, now)
        chosen = found.decisions[: max(limit, MAX_JUDGED) if may_hide else limit]
        made: list[Shown] = []
        judged: list[Hidden | None] = []
        for first in range(0, len(chosen), JUDGED_TOGETHER):
            part = chosen[first : first + JUDGED_TOGETHER]
            budget.limits()
            named = {(ref.timestamp, ref.event_id) for one in part for ref in _refs(one)}
            events = self._replay.events(found.plan.rule, named)
            for decision in part:
                of_signal = [events[ref.event_id] for ref in _refs(decision) if ref.event_id in events]
                projection = project(found.plan, decision, of_signal, now, assets=assets)
                hides = (found.plan, decision, projection, of_signal, suppressions, now, assets)
                judged.append(hidden(*hides) if may_hide else None)
                if len(made) < limit:
                    made.append(Shown(decision, projection, judged[-1]))
        return tuple(made), HiddenCount.of(judged) if may_hide else HiddenCount(len(found.decisions))

    @contextmanager
    def _slot(self, is_wanted: IsWanted | None) -> Iterator[None]:
        """A replay takes both cores of a small machine: few at once."""
        end = time.monotonic() + WAIT_SECONDS
        while not self._slots.acquire(timeout=LOOK_SECONDS):
            if is_wanted is not None and not is_wanted():
                raise Abandoned("nobody waits for it any more")
            if time.monotonic() > end:
                raise TooManyRequests(
                    f"{AT_ONCE} previews or backtests are running already: try again in a moment",
                    retry_after_seconds=5,
                )
        try:
            yield
        finally:
            self._slots.release()


def _refs(decision: Decision) -> list[EventRef]:
    return list(dict.fromkeys([*decision.first_events, *decision.last_events]))


def _failed(found: Replayed) -> tuple[Failed, ...]:
    return tuple(Failed(group, reason) for group, reason in sorted(found.failures.items()))


def _check_range(start: int, end: int) -> None:
    if end <= start:
        raise BadRequest("'to' must be later than 'from'")


def _interval(start: int, end: int) -> int:
    """The length of a bar, so that there are about `BARS`."""
    _check_range(start, end)
    wanted = (end - start) / BARS
    return next((step for step in _STEPS if step >= wanted), -(-int(wanted) // _STEPS[-1]) * _STEPS[-1])


def _compared(before: Replayed, after: Replayed, limit: int) -> Comparison:
    old = [Outline.of(before.plan.rule, decision) for decision in before.decisions]
    new = [Outline.of(after.plan.rule, decision) for decision in after.decisions]
    found = difference(old, new)
    return Comparison(
        rule_id=before.plan.rule.id,
        version=before.plan.rule.version,
        signals=len(old),
        new=len(found.new),
        gone=len(found.gone),
        changed=len(found.changed),
        same=len(found.same),
        shown_new=tuple(new[place] for place in found.new[:limit]),
        shown_gone=tuple(old[place] for place in found.gone[:limit]),
        shown_changed=tuple(
            Changed(old[one], new[other], changes(old[one], new[other])) for one, other in found.changed[:limit]
        ),
    )
