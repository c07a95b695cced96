"""What detection looked at: for every rule and minute one status, and nothing that cannot be known (design §9.2).

The ledger (`signals/ledger.py`) holds what nothing else tells: which minutes were evaluated, how many logs each source
sent in them, and what was skipped. With the rules' history and the matches it gives the status of each minute, the
first that applies (decision 0090):

- `failed`, `skipped`: matches that arrived then were not evaluated, because the rule failed, or for the reason given;
- `off`, while the rule was not enabled, or not there yet;
- `pending`: too early to say, or its matches wait for the rule's baseline (`awaited.py`);
- `not_evaluated`: nobody looked, which is a hole;
- `no_data`: no log of a source that the rule asks for arrived. Of a rule that asks for no source by name it is only
  known whether any log arrived at all;
- `late`: evaluated more than a minute after its end; `evaluated`: in time.

All is counted by what rules share and what befell each, without a look at every minute of every rule.

Minutes are of arrival, in whole minutes since 1970. Those of a scheduled rule are of its logs' own time, and say what
became of the runs that were for them (`scheduled/coverage.py`).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from tocsin.clock import Clock
from tocsin.errors import BadRequest
from tocsin.evaluate.repository import Progress
from tocsin.query import QueryError, parse
from tocsin.query.tree import And, Equals, FieldKind, Node, Or, fold_up
from tocsin.rule import Rule
from tocsin.rules import repository
from tocsin.rules.awaited import awaited
from tocsin.rules.listing import EVERY_RULE
from tocsin.rules.scheduled import coverage as scheduled_coverage
from tocsin.rules.scheduled import repository as scheduled_repository
from tocsin.rules.scheduled.coverage import SETTLED_MS
from tocsin.rules.scheduled.repository import Run
from tocsin.rules.scheduled.runs import State
from tocsin.rules.scheduled.service import load
from tocsin.rules.service import RulesService
from tocsin.signals.ledger import BEAT_MS
from tocsin.signals.ledger_repository import MINUTE_MS, LedgerRows, Skipped
from tocsin.store.state import StateStore

OFF = "off"
STATUSES = ("failed", "not_evaluated", "skipped", "late", "pending", "no_data", "evaluated", OFF)
"""Worst first: a cell of several minutes has the worst of theirs."""

MISSED = ("failed", "not_evaluated", "skipped", "late")
"""What was to be evaluated and was not in time."""

SORTS = ("name", "-name", "missed", "-missed")

STALLED_MS = 3 * BEAT_MS
"""An engine that was not heard of for so long does not work."""

MAX_MINUTES = 30 * 1440
MAX_CELLS = 1500
DEFAULT_CELLS = 120
NOT_ENABLED = "not enabled"
NO_BASELINE = "its matches wait: the rule's baseline is being made of stored logs"


@dataclass(frozen=True, slots=True)
class Span:
    """The minutes `[start, end)`, shown in cells of `step` minutes."""

    start: int
    end: int
    step: int


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a span: minutes with when they were evaluated, and logs by source and minute."""

    span: Span
    now: int
    evaluated: Mapping[int, int]
    sources: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Cell:
    """Some minutes of one rule. `reasons` say why matches were skipped or failed, each once."""

    start: int
    status: str
    minutes: Mapping[str, int]
    matches: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """One rule: its cells, the minutes of each status, and the sources that it asks for (None: any)."""

    rule: Rule
    sources: tuple[str, ...] | None
    minutes: Mapping[str, int]
    matches: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """How detection fares. Times in Unix milliseconds, None before the first round.

    `covered_until`: all that arrived before was evaluated. `status` is `working`, `stalled`, or `never`.
    """

    status: str
    last_round_at: int | None
    covered_until: int | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A page of rules. `total` and `minutes` are of all rules that were asked for, `found` counts those of them that
    have a minute of a wanted status."""

    span: Span
    engine: Engine
    rules: tuple[RuleCoverage, ...]
    total: int
    found: int
    minutes: Mapping[str, int]


class Base:
    """The status of each minute of a span as long as nothing befell a rule: one for all rules that ask for the same."""

    def __init__(self, statuses: Sequence[str]) -> None:
        self.statuses = statuses
        self._counts: dict[tuple[int, int], Counter[str]] = {}

    def counts(self, first: int, stop: int) -> Counter[str]:
        """How many minutes have each status in `[first, stop)`, counted from the beginning of the span."""
        found = self._counts.get((first, stop))
        if found is None:
            found = self._counts[first, stop] = Counter(self.statuses[first:stop])
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one rule: `base` with the `reasons` of some minutes, from when on (Unix milliseconds) it was
    enabled or not, and what was skipped of it."""

    rule: Rule
    asked: frozenset[str] | None
    base: Base
    switches: Sequence[tuple[int, bool]] = ()
    skipped: Sequence[Skipped] = ()
    reasons: Mapping[int, str] = field(default_factory=dict)


class CoverageService:
    """Reads the ledger; for any thread of any process."""

    def __init__(self, rows: LedgerRows, beat: Progress, rules: RulesService, state: StateStore, clock: Clock) -> None:
        self._rows = rows
        self._beat = beat
        self._rules = rules
        self._state = state
        self._clock = clock
        self._began_at = clock()

    def engine(self) -> Engine:
        """Whether the evaluator works, as far as the state store knows: within half a minute.

        After a restart of everything it has half a minute to be heard of again.
        """
        now = self._clock()
        heard, covered = self._beat.saved_at(), self._beat.watermark()
        if heard is None or covered is None:
            return Engine("never", None, None, None)
        status = "stalled" if now - max(heard, self._began_at) > STALLED_MS else "working"
        return Engine(status, heard, covered, max(now - covered, 0) / 1000)

    def read(
        self,
        start: int,
        end: int,
        *,
        query: str = "",
        rule_id: str = "",
        statuses: Collection[str] = (),
        sort: str = "name",
        step: int = 0,
        size: int = 10,
        number: int = 0,
    ) -> Coverage:
        """A page of the rules that a query finds, or one of them, between two moments (Unix milliseconds).

        `statuses`: only rules with a minute of one of these; `sort`: one of `SORTS`; `step`: minutes in a cell, 0
        chooses. Raises `BadRequest`, `QueryError`, or `RuleNotFound`.
        """
        span = span_of(start, end, step)
        if unknown := sorted(set(statuses) - set(STATUSES)):
            raise BadRequest(f"Unknown status '{unknown[0]}'; use some of {', '.join(STATUSES)}")
        if sort not in SORTS:
            raise BadRequest(f"Unknown sort '{sort}'; use one of {', '.join(SORTS)}")
        every = [self._rules.get(rule_id)] if rule_id else self._rules.page(query, size=EVERY_RULE).rules
        told = self._told(span, every)
        counted = [(minutes, minutes.counts(span.start, span.end)) for minutes in (Minutes(span, one) for one in told)]
        whole = Counter[str]()
        for _, minutes in counted:
            whole.update(minutes)
        wanted = [(one, minutes) for one, minutes in counted if not statuses or any(minutes[s] for s in statuses)]
        if sort.endswith("missed"):
            wanted.sort(key=lambda item: sum(item[1][status] for status in MISSED), reverse=sort.startswith("-"))
        elif sort.startswith("-"):
            wanted.reverse()
        shown = [one for one, _ in wanted[number * size : (number + 1) * size]]
        matched: dict[str, dict[int, int]] = {}
        ids = [one.told.rule.id for one in shown]
        for (of_rule, minute), matches in self._rows.matched(span.start, span.end, ids).items():
            matched.setdefault(of_rule, {})[minute] = matches
        found = tuple(coverage_of(one, matched.get(one.told.rule.id, {})) for one in shown)
        return Coverage(span, self.engine(), found, len(every), len(wanted), dict(whole))

    def _told(self, span: Span, rules: Sequence[Rule]) -> list[Told]:
        ids = [rule.id for rule in rules]
        now = self._clock()
        known = Known(span, now, self._rows.evaluated(span.start, span.end), self._rows.sources(span.start, span.end))
        skipped: dict[str, list[Skipped]] = {}
        for item in self._rows.skipped(span.start, span.end, ids):
            skipped.setdefault(item.rule_id, []).append(item)
        with self._state.reading() as session:
            switched = repository.switches(session, ids)
            runs: dict[str, list[Run]] = {}
            for run in scheduled_repository.within(session, ids, span.start * MINUTE_MS, span.end * MINUTE_MS):
                runs.setdefault(run.rule_id, []).append(run)
            states: dict[str, State | None] = {rule.id: load(session, rule) for rule in rules if rule.schedule}
        bases: dict[frozenset[str] | None, Base] = {}
        waiting = self._waiting(span, rules)
        told = []
        for rule in rules:
            asked = sources_of(rule)
            if asked not in bases:
                bases[asked] = Base(statuses_of(known, asked))
            base, reasons = bases[asked], dict[int, str]()
            if rule.schedule is not None:
                minutes = range(span.start, span.end)
                own, reasons = scheduled_coverage.statuses(
                    minutes, base.statuses, rule.schedule, states[rule.id], runs.get(rule.id, ()), now
                )
                base = Base(own)
            elif minutes_waiting := waiting.get(rule.id):
                base, reasons = waiting_base(span, base, minutes_waiting)
            told.append(Told(rule, asked, base, switched[rule.id], skipped.get(rule.id, ()), reasons))
        return told

    def _waiting(self, span: Span, rules: Sequence[Rule]) -> dict[str, list[int]]:
        """The minutes of whose matches nothing is concluded before there is a baseline, by rule."""
        since = awaited(rules, self._rules.rule_at, self._state)
        found: dict[str, list[int]] = {}
        if since:
            for rule_id, minute in self._rows.matched(span.start, span.end, list(since)):
                if minute >= since[rule_id] // MINUTE_MS:
                    found.setdefault(rule_id, []).append(minute)
        return found


def waiting_base(span: Span, base: Base, minutes: Iterable[int]) -> tuple[Base, dict[int, str]]:
    """What is told of a rule whose matches of these minutes wait for its baseline, with the reason."""
    statuses, reasons = list(base.statuses), dict[int, str]()
    for minute in minutes:
        if statuses[minute - span.start] in ("evaluated", "late"):
            statuses[minute - span.start] = "pending"
            reasons[minute] = NO_BASELINE
    return Base(statuses), reasons


def span_of(start: int, end: int, step: int = 0) -> Span:
    """Whole minutes from one moment to another. Raises `BadRequest`."""
    first, last = start // MINUTE_MS, -(-end // MINUTE_MS)
    if last <= first:
        raise BadRequest("'from' must be before 'to'")
    if last - first > MAX_MINUTES + 1:  # thirty days up to now begin and end within a minute
        raise BadRequest(f"The ledger is kept for 30 days; {(last - first) // 1440} days were asked for")
    step = step or max(-(-(last - first) // DEFAULT_CELLS), 1)
    if (last - first) / step > MAX_CELLS:
        raise BadRequest(f"More than {MAX_CELLS} cells: ask for a shorter time or a longer interval")
    return Span(first, last, step)


def statuses_of(known: Known, asked: frozenset[str] | None) -> list[str]:
    """The status of each minute for all rules that ask for these sources, as long as nothing befell one of them."""
    sources = known.sources if asked is None else asked
    heard = {minute for source in sources for minute, logs in known.sources.get(source, {}).items() if logs}
    return [_status(minute, known, minute in heard) for minute in range(known.span.start, known.span.end)]


class Minutes:
    """The minutes of one rule, counted without going through them: a page may show a hundred rules over 43,200."""

    def __init__(self, span: Span, told: Told) -> None:
        self.span = span
        self.told = told
        self._off = _off(span, told.switches)
        self._befallen = dict(sorted(_befallen(told.skipped).items()))
        self._befallen_at = list(self._befallen)
        said: dict[int, list[str]] = {m: [reason] for m, reason in told.reasons.items() if not self._is_off(m)}
        for item in told.skipped:
            why = f"{item.reason}: {item.message}" if item.message else f"{item.reason}: {item.matches} matches"
            said.setdefault(item.minute, []).append(why)
        self._said = dict(sorted(said.items()))
        self._said_at = list(self._said)

    def counts(self, first: int, stop: int) -> Counter[str]:
        """How many of the minutes `[first, stop)` have each status."""
        minutes = Counter(self.told.base.counts(first - self.span.start, stop - self.span.start))
        for part in self._off_within(first, stop):
            minutes.subtract(self.told.base.counts(part.start - self.span.start, part.stop - self.span.start))
            minutes[OFF] += len(part)
        for minute in _within(self._befallen_at, first, stop):
            minutes[OFF if self._is_off(minute) else self.told.base.statuses[minute - self.span.start]] -= 1
            minutes[self._befallen[minute]] += 1
        return +minutes

    def reasons(self, first: int, stop: int) -> tuple[str, ...]:
        """What is said of these minutes, each once, in the order of time."""
        found = [(part.start, NOT_ENABLED) for part in self._off_within(first, stop)]
        found += [(minute, why) for minute in _within(self._said_at, first, stop) for why in self._said[minute]]
        return tuple(dict.fromkeys(why for _, why in sorted(found, key=itemgetter(0))))

    def _off_within(self, first: int, stop: int) -> Iterator[range]:
        for part in self._off:
            if within := range(max(part.start, first), min(part.stop, stop)):
                yield within

    def _is_off(self, minute: int) -> bool:
        return any(minute in part for part in self._off)


def coverage_of(minutes: Minutes, matched: Mapping[int, int]) -> RuleCoverage:
    """The coverage of one rule; `matched`: the matches that arrived in each minute."""
    span, told = minutes.span, minutes.told
    arrived = Counter[int]()
    for minute, matches in matched.items():
        arrived[(minute - span.start) // span.step] += matches
    cells = []
    for index, begin in enumerate(range(span.start, span.end, span.step)):
        stop = min(begin + span.step, span.end)
        counts = minutes.counts(begin, stop)
        worst = next(status for status in STATUSES if counts[status])
        cells.append(Cell(begin * MINUTE_MS, worst, dict(counts), arrived[index], minutes.reasons(begin, stop)[:5]))
    shown = None if told.asked is None else tuple(sorted(told.asked))
    whole = dict(minutes.counts(span.start, span.end))
    return RuleCoverage(told.rule, shown, whole, sum(matched.values()), tuple(cells))


def _status(minute: int, known: Known, is_heard: bool) -> str:
    end = (minute + 1) * MINUTE_MS
    at = known.evaluated.get(minute)
    if at is None:
        return "not_evaluated" if known.now > end + SETTLED_MS else "pending"
    if not is_heard:
        return "no_data"
    return "late" if at > end + SETTLED_MS else "evaluated"


def _befallen(skipped: Iterable[Skipped]) -> dict[int, str]:
    """The minutes of which a rule's matches were not evaluated."""
    found: dict[int, str] = {}
    for item in skipped:
        if found.get(item.minute) != "failed":
            found[item.minute] = "failed" if item.reason == "failed" else "skipped"
    return found


def _within(moments: Sequence[int], first: int, stop: int) -> Sequence[int]:
    """Those of rising numbers that are in `[first, stop)`."""
    return moments[bisect_left(moments, first) : bisect_left(moments, stop)]


def _off(span: Span, switches: Sequence[tuple[int, bool]]) -> list[range]:
    """The minutes in which a rule was never enabled, in order and apart."""
    found, off_since = list[range](), span.start * MINUTE_MS
    was_enabled = False
    for at, is_enabled in [*switches, (span.end * MINUTE_MS, True)]:
        if is_enabled and not was_enabled:
            found.append(range(max(-(-off_since // MINUTE_MS), span.start), min(at // MINUTE_MS, span.end)))
        elif was_enabled and not is_enabled:
            off_since = at
        was_enabled = is_enabled
    return [part for part in found if part]


def sources_of(rule: Rule) -> frozenset[str] | None:
    """The sources that the queries of a rule ask for by name; None if one of them may find logs of any.

    A query over signals rests on the logs of other rules: any.
    """
    found: set[str] = set()
    for query in rule.queries:
        try:
            asked = None if query.reads_signals else fold_up(parse(query.full_query), _asked)
        except QueryError:
            asked = None
        if asked is None:
            return None
        found |= asked
    return frozenset(found) if found else None


def _asked(node: Node, below: Sequence[frozenset[str] | None]) -> frozenset[str] | None:
    """The sources one of which an event must have for a clause to hold; None: it may have any."""
    if isinstance(node, Equals) and node.field.kind is FieldKind.NAME and node.field.name == "source":
        return frozenset((node.text,))
    if isinstance(node, And):
        return min((asked for asked in below if asked is not None), key=len, default=None)
    if isinstance(node, Or):
        return None if any(asked is None for asked in below) else frozenset().union(*(a for a in below if a))
    return None
