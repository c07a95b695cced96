"""One engine over stored logs: the signals that a rule would have raised (siem.md §2.24, §2.27; design §9.4).

What live detection decides from the matches that were written when an event came in, a replay decides from matches made
now, of any rule, stored or not, at any version: the rule's queries find the candidates among the stored logs, and from
these the matcher makes the matches. The rest is the very same: plan, machine, decisions. Preview, backtest, historical
jobs and scheduled rules are uses of it. A rule over signals is replayed over the signals that are there.

Signals open from `start` on; the logs before it, as far back as the plan says, only fill what the method remembers. So
a replay says what a rule would have raised that had been enabled at `start`.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain, groupby, product
from typing import Protocol

from tocsin.errors import Abandoned, BadRequest, LimitExceeded
from tocsin.evaluate.correlation import mixes, reads_signals
from tocsin.evaluate.decision import Decision, MatchRow, look, position
from tocsin.evaluate.interface import Machine
from tocsin.evaluate.logs_repository import Asked, LimitsOf, Prospects, StoredLogs, Stretch, Values, columns
from tocsin.evaluate.method import FIRST_EVENTS, Plan, ScopeTooLarge
from tocsin.evaluate.methods import plan
from tocsin.evaluate.prospects import bound
from tocsin.evaluate.repository import Matches
from tocsin.event import Event
from tocsin.match.conditions import uncalculated
from tocsin.match.emission import MAX_MATCHES
from tocsin.match.log4shell import recognise, recognises
from tocsin.match.matcher import Matcher
from tocsin.match.texts import making
from tocsin.query import LOGS, parse, to_predicate
from tocsin.query.calculate import with_calculated
from tocsin.rule import CONTENT_ANOMALY, MISSING_GROUP_VALUE, Match, Rule, RuleQuery
from tocsin.store.limits import Limits
from tocsin.tables import ColumnOf, no_column

WIDE = "sum"
"""The aggregation whose matches are not made of values alone: `[5, 5]` is stored as one value."""

MAX_SIGNALS = 100_000
"""Of one replay: what memory holds, and more than anybody would triage."""

MAX_GROUPS = 300_000
"""Signal groups in memory at once, about 600 MB."""

SWEEP_GROUPS = 20_000
"""From so many on, groups that are idle for longer than they remember are let go."""

MERGED_TOGETHER = 10_000
"""Matches of logs and of signals that make a page."""

MIN_SECONDS = 0.05
"""With less time left no statement is begun."""

OnPage = Callable[[int], None]

Monotonic = Callable[[], float]


class Budget:
    """How long a replay may take altogether, and whether anybody still waits for it.

    `instead` tells what else to do when that is not enough. `is_wanted` is asked before each statement, and while it
    runs, on another thread.
    """

    def __init__(
        self,
        seconds: float,
        monotonic: Monotonic = time.monotonic,
        is_wanted: Callable[[], bool] | None = None,
        instead: str = "",
    ) -> None:
        self.seconds = seconds
        self._instead = instead
        self._monotonic = monotonic
        self._is_wanted = is_wanted
        self._end = monotonic() + seconds

    def limits(self) -> Limits:
        """What the next statement may take. Raises `LimitExceeded`, or `Abandoned`."""
        if self._is_wanted is not None and not self._is_wanted():
            raise Abandoned("nobody waits for the replay any more")
        left = self._end - self._monotonic()
        if left < MIN_SECONDS:
            raise self._used_up()
        return Limits(seconds=round(left, 3), rows=0, is_wanted=self._is_wanted)

    @contextmanager
    def told(self) -> Iterator[None]:
        """A statement that ran out of time says no more than that it did: say what it was part of."""
        try:
            yield
        except LimitExceeded as error:
            if self._end - self._monotonic() < MIN_SECONDS:
                raise self._used_up() from error
            raise

    def _used_up(self) -> LimitExceeded:
        narrow = "shorten the time range or add a clause to the query"
        instead = f", or {self._instead}" if self._instead else ""
        return LimitExceeded(f"this takes longer than the {self.seconds:g} s that it may take: {narrow}{instead}")


@dataclass(frozen=True, slots=True)
class Replayed:
    """`decisions` in order of time. `matches` are those that were read: fewer than there are where a bound has shown
    that the others cannot matter. `failures` name groups that could not be decided, with the reason."""

    plan: Plan
    decisions: tuple[Decision, ...]
    matches: int
    failures: Mapping[tuple[str, ...], str]


class Signals(Protocol):
    """The signals that are there."""

    def pages(
        self, rule: Rule, start: int, end: int, limits: LimitsOf, raised_since: int | None = None
    ) -> Iterator[list[MatchRow]]:
        """Pages of the matches that a rule over signals makes of those in `[start, end)`, in event time; with
        `raised_since`, only of those that scheduled rules have raised from then on."""

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """Those of these (timestamp, id) in the shape of events, by id."""


class Replay:
    """Reads stored logs and signals; safe to use from many threads."""

    def __init__(
        self, logs: StoredLogs, matches: Matches, column: ColumnOf = no_column, signals: Signals | None = None
    ) -> None:
        """`column` gives the columns of reference tables that rules filter by. `signals` is needed for rules that read
        signals."""
        self._logs = logs
        self._matches = matches
        self._column = column
        self._signals = signals

    def run(
        self,
        rule: Rule,
        start: int,
        end: int,
        budget: Budget,
        *,
        is_live: bool = True,
        named: int = FIRST_EVENTS,
        ends: Sequence[int] = (),
        on_page: OnPage = lambda _at: None,
    ) -> Replayed:
        """The signals that the rule opens in `[start, end)` (Unix milliseconds, event time).

        The rule is as detection runs it (`rules.executable`). `is_live` leaves out what live detection would have
        ignored as too late; `named` events of each signal are named; `ends` are when a scheduled rule's runs would have
        ended in the range, in order; `on_page` hears the time of the event up to which
        the logs are read, and may raise to end the replay. Raises `BadRequest` for a rule that cannot be
        replayed, `LimitExceeded` when the budget is used up or there are more than `MAX_SIGNALS`.
        """
        prepared = plan(rule)
        whole = Stretch(start - prepared.lookback_ms, end, is_live)
        groups = Groups(prepared, start, named)
        looks = [look(at) for at in ends] if prepared.asks_at_ends else []
        with budget.told():
            pages = self._pages(rule, whole, budget, prepared)
            for page in _merged(pages, iter([looks])) if looks else pages:
                groups.feed(page)
                if page:
                    on_page(page[-1].timestamp)
        return Replayed(prepared, groups.finish(), groups.matches - len(looks), groups.failures)

    def matches(
        self, rule: Rule, start: int, end: int, budget: Budget, *, is_live: bool = True
    ) -> Iterator[list[MatchRow]]:
        """Pages of all matches of the rule in `[start, end)`, as `match/emission.py` writes them, in event time; those
        of one event stand on one page. Raises as `run` does."""
        with budget.told():
            yield from self._pages(rule, Stretch(start, end, is_live), budget)

    def late_signals(
        self, rule: Rule, start: int, end: int, raised_since: int, budget: Budget
    ) -> Iterator[list[MatchRow]]:
        """What `matches` gives, of signals alone, and only of those that scheduled rules have raised from a moment on:
        a signal that takes the place of another after late logs would be counted beside it."""
        with budget.told():
            yield from self._over(rule).pages(rule, start, end, budget.limits, raised_since)

    def series(
        self, rule: Rule, start: int, end: int, interval: int, budget: Budget, *, is_live: bool = True
    ) -> list[tuple[int, tuple[int, ...]]]:
        """For each interval (ms) of the range that has any: its number from 0, and how many events each query finds."""
        stretch = Stretch(start, end, is_live)
        with budget.told():
            if reads_signals(rule):
                return self._counted_signals(rule, stretch, interval, budget)
            if rule.calculated_fields or recognises(rule):
                return self._counted(rule, stretch, interval, budget)
            return self._logs.series([query.node for query in _asked(rule)], stretch, interval, budget.limits)

    def events(self, rule: Rule, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """What decisions of a rule name (timestamp, id), as far as it is still stored, by id."""
        return self._over(rule).events(refs) if reads_signals(rule) else self._matches.events(refs)

    def _over(self, rule: Rule) -> Signals:
        if self._signals is None:
            raise BadRequest(f"the rule '{rule.name}' reads signals, and there are none here")
        return self._signals

    def _counted_signals(
        self, rule: Rule, stretch: Stretch, interval: int, budget: Budget
    ) -> list[tuple[int, tuple[int, ...]]]:
        """What `series` says, of signals: they are few enough to be counted one by one. A query that groups and
        computes nothing matches each that it finds once. The logs of a rule that mixes both are counted beside them."""
        plain = tuple(_ungrouped(query) for query in rule.queries)
        bars: dict[int, list[int]] = {}
        pages = self._over(rule).pages(replace(rule, queries=plain), stretch.start, stretch.end, budget.limits)
        for row in (row for page in pages for row in page):
            bar = bars.setdefault((row.timestamp - stretch.start) // interval, [0] * len(plain))
            bar[row.query_index] += 1
        if mixes(rule):
            over_logs = [index for index, query in enumerate(rule.queries) if not query.reads_signals]
            found = self._logs.series([query.node for query in _asked(rule)], stretch, interval, budget.limits)
            for number, counts in found:
                bar = bars.setdefault(number, [0] * len(plain))
                for index, count in zip(over_logs, counts, strict=True):
                    bar[index] = count
        return [(number, tuple(counts)) for number, counts in sorted(bars.items())]

    def _counted(
        self, rule: Rule, stretch: Stretch, interval: int, budget: Budget
    ) -> list[tuple[int, tuple[int, ...]]]:
        """What `series` says, of a rule whose queries no SQL can decide."""
        track = with_calculated(LOGS, rule.calculated_fields)
        finds = [to_predicate(parse(query.full_query), track) for query in rule.queries]
        bars: dict[int, list[int]] = {}
        for events in self._logs.events([query.node for query in _asked(rule)], stretch, budget.limits):
            for event in events:
                met = [find(event) for find in finds]
                if any(met) and (not recognises(rule) or recognise(event)):
                    bar = bars.setdefault((event.timestamp - stretch.start) // interval, [0] * len(finds))
                    bar[:] = (count + is_met for count, is_met in zip(bar, met, strict=True))
        return [(number, tuple(counts)) for number, counts in sorted(bars.items())]

    def _pages(
        self, rule: Rule, stretch: Stretch, budget: Budget, prepared: Plan | None = None
    ) -> Iterator[list[MatchRow]]:
        """With a plan, matches that cannot matter may be left out."""
        if reads_signals(rule):
            signals = self._over(rule).pages(rule, stretch.start, stretch.end, budget.limits)
            yield from _merged(self._log_pages(rule, stretch, budget), signals) if mixes(rule) else signals
        else:
            yield from self._log_pages(rule, stretch, budget, prepared)

    def _log_pages(
        self, rule: Rule, stretch: Stretch, budget: Budget, prepared: Plan | None = None
    ) -> Iterator[list[MatchRow]]:
        asked = _asked(rule)
        matcher = _matcher(rule, self._column)
        if not is_narrow(rule):
            for events in self._logs.events([query.node for query in asked], stretch, budget.limits):
                yield [row for event in events for row in _rows(matcher, event)]
            return
        only: Prospects | None = None
        if prepared is not None and (needed := bound(prepared)) is not None:
            only = self._logs.prospects(asked, needed, rule.window_ms, stretch, budget.limits)
            if not only.ranges:
                return
        scopes = only.scopes if only is not None else None
        narrow = _Narrow(rule, asked)
        for page in self._logs.values(asked, stretch, budget.limits, only):
            wide = {values["id"]: values["timestamp"] for values in page if narrow.needs_event(values)}
            whole = self._matches.events((at, event_id) for event_id, at in wide.items()) if wide else {}
            rows: list[MatchRow] = []
            for values in page:
                if values["id"] not in wide:
                    rows += narrow.rows(values)
                elif values["id"] in whole:
                    rows += _rows(matcher, whole[values["id"]])
            yield rows if scopes is None else [row for row in rows if row.group in scopes]


def is_narrow(rule: Rule) -> bool:
    """Whether the rule's matches consist of nothing but values of fields, which SQL gives as the matcher does."""
    if rule.calculated_fields or rule.extra.get("referenceTables") or recognises(rule) or reads_signals(rule):
        return False
    return all(query.aggregation != WIDE for query in rule.queries)


def _ungrouped(query: RuleQuery) -> RuleQuery:
    aggregation = "event_count" if query.correlated_rule is not None else "count"
    return replace(query, aggregation=aggregation, group_by_fields=(), distinct_fields=(), metrics=())


def _merged(*sources: Iterator[list[MatchRow]]) -> Iterator[list[MatchRow]]:
    """Pages of what several sources have, each in event time; an event is in one of them."""
    page: list[MatchRow] = []
    for _, of_event in groupby(merge(*map(chain.from_iterable, sources), key=position), key=position):
        page += of_event
        if len(page) >= MERGED_TOGETHER:
            yield page
            page = []
    if page:
        yield page


def _asked(rule: Rule) -> list[Asked]:
    """The queries over logs."""
    asked = []
    for query in rule.queries:
        if query.reads_signals:
            continue
        if query.data_source != LOGS.name:
            raise BadRequest(
                f"query '{query.label}' reads '{query.data_source}': only queries over logs can be run over stored logs"
            )
        asked.append(
            Asked(
                node=uncalculated(parse(query.full_query)),
                group_by=query.group_by_fields,
                is_group_optional=query.has_optional_group_by_fields,
                distinct=query.distinct_fields if query.aggregation == "cardinality" else (),
                texts=made.fields if (made := making(rule, query)) else (),
                has_contents=rule.options.detection_method == CONTENT_ANOMALY,
                metric=query.metrics[0] if query.aggregation == "max" and query.metrics else None,
            )
        )
    return asked


def _matcher(rule: Rule, column: ColumnOf) -> Matcher:
    matcher = Matcher([replace(rule, is_enabled=True, is_deleted=False)], column=column)
    if matcher.problems:
        problem = matcher.problems[0]
        raise BadRequest(f"query '{rule.queries[problem.query_index].label}' cannot be run: {problem.message}")
    return matcher


def _rows(matcher: Matcher, event: Event) -> list[MatchRow]:
    return [row_of(match, event) for match in matcher.match(event)]


def row_of(match: Match, event: Event) -> MatchRow:
    """A match as methods read it."""
    return MatchRow(event.timestamp, event.id, match.group, match.query_index, match.distinct, match.value)


class _Narrow:
    """Matches of a rule from the values of an event, as `Emission.matches` makes them."""

    def __init__(self, rule: Rule, asked: Sequence[Asked]) -> None:
        texts, numbers = columns(asked)
        self._queries = [
            (
                index,
                [texts[name] for name in of.group_by],
                of.is_group_optional,
                making(rule, query),
                [texts[name] for name in of.texts],
                query.aggregation == "new_value",  # without a text there is no match
                numbers[of.metric] if of.metric is not None else None,
            )
            for index, (query, of) in enumerate(zip(rule.queries, asked, strict=True))
        ]

    def needs_event(self, values: Values) -> bool:
        """Whether the order of several values in the event matters: for what is made of them, or since there are so
        many that the cap of matches decides."""
        for index, grouped, is_optional, made, of, _, _ in self._queries:
            if values["met"][index]:
                if made is not None and made.is_ordered and any(len(values[at]) > 1 for at in of):
                    return True
                groups = math.prod(len(values[at]) or is_optional for at in grouped)
                if groups * max(math.prod(len(values[at]) for at in of), 1) > MAX_MATCHES:
                    return True
        return False

    def rows(self, values: Values) -> list[MatchRow]:
        timestamp, event_id, met = values["timestamp"], values["id"], values["met"]
        rows = []
        for index, grouped, is_optional, made, of, needs_text, metric in self._queries:
            if not met[index]:
                continue
            groups = [values[at] for at in grouped]
            if is_optional:
                groups = [found or (MISSING_GROUP_VALUE,) for found in groups]
            parts: list[str] | list[None] = [None]
            if made is not None:
                parts = made.of([values[at] for at in of]) or ([] if needs_text else [None])
            value = None if metric is None else max(map(float, values[metric]), default=None)
            rows += [
                MatchRow(timestamp, event_id, group, index, part, value) for group in product(*groups) for part in parts
            ]
        return rows


class Groups:
    """All signal groups of one rule, each with its machine: from matches to decisions, whoever made the matches."""

    def __init__(self, prepared: Plan, start: int, named: int = FIRST_EVENTS) -> None:
        self._plan = prepared
        self._start = start
        self._named = named
        self._machines: dict[tuple[str, ...], Machine] = {}
        self._found: list[Decision] = []
        self._sweep_at = SWEEP_GROUPS
        self.matches = 0
        self.failures: dict[tuple[str, ...], str] = {}

    def feed(self, rows: Sequence[MatchRow]) -> None:
        """Matches in event time, later than all before."""
        self.matches += len(rows)
        by_group: dict[tuple[str, ...], list[MatchRow]] = {}
        for row in rows:
            by_group.setdefault(self._plan.signal_group(row.group), []).append(row)
        for group, of_group in by_group.items():
            if group not in self.failures:
                self._feed(group, of_group)
        if len(self._machines) > self._sweep_at:
            self._sweep(rows[-1].timestamp)
        if len(self._found) > MAX_SIGNALS:
            raise LimitExceeded(
                f"the rule raises more than {MAX_SIGNALS:,} signals in this range: shorten the range or narrow the rule"
            )

    def finish(self) -> tuple[Decision, ...]:
        for machine in self._machines.values():
            self._found += machine.decisions()
        return tuple(sorted(self._found, key=lambda decision: (decision.timestamp, decision.group)))

    def _feed(self, group: tuple[str, ...], rows: list[MatchRow]) -> None:
        machine = self._machines.get(group)
        if machine is None:
            machine = self._machines[group] = self._plan.machine(self._start, self._named)
        try:
            machine.feed(rows)
        except ScopeTooLarge as error:
            self.failures[group] = str(error)
            del self._machines[group]
            return
        if closed := machine.closed():
            self._found += closed
            machine.forget()

    def _sweep(self, now: int) -> None:
        """Let groups go that have no open signal and remember nothing that a later match could need."""
        horizon = now - self._plan.lookback_ms - max(self._plan.rule.max_signal_duration_ms, 1)
        for group, machine in list(self._machines.items()):
            if machine.position is not None and machine.position[0] < horizon:
                self._found += machine.decisions()
                del self._machines[group]
        if len(self._machines) > MAX_GROUPS:
            raise LimitExceeded(
                f"more than {MAX_GROUPS:,} groups are active at once: group by fewer fields or narrow the query"
            )
        self._sweep_at = max(SWEEP_GROUPS, 2 * len(self._machines))
