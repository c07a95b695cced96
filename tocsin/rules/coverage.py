"""What detection looked at: for every rule and minute one status, and nothing that cannot be known (design §9.2).

The ledger (`signals/ledger.py`) holds what nothing else tells: which minutes were evaluated, how many logs each source
sent in them, and what was skipped. With the rules' history and the matches it gives the status of each minute, the
first that applies (decision 0090):

- `failed`, `skipped`: matches that arrived then were not evaluated, because the rule failed, or for the reason given;
- `skipped` with the reason `not enabled`, while the rule was off, or not there yet;
- `pending`: too early to say; `not_evaluated`: nobody looked, which is a hole;
- `no_data`: no log of a source that the rule asks for arrived. Of a rule that asks for no source by name it is only
  known whether any log arrived at all;
- `late`: evaluated more than a minute after its end; `evaluated`: in time.

Minutes are of arrival, in whole minutes since 1970. Those of a scheduled rule are of its logs' own time, and say what
became of the runs that were for them (`scheduled/coverage.py`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tocsin.clock import Clock
from tocsin.errors import BadRequest
from tocsin.evaluate.repository import Progress
from tocsin.query import QueryError, parse
from tocsin.query.tree import And, Equals, FieldKind, Node, Or, fold_up
from tocsin.rule import Rule
from tocsin.rules import repository
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

STATUSES = ("failed", "not_evaluated", "skipped", "late", "pending", "no_data", "evaluated")
"""Worst first: a cell of several minutes has the worst of theirs."""

STALLED_MS = 3 * BEAT_MS
"""An engine that was not heard of for so long does not work."""

MAX_MINUTES = 30 * 1440
MAX_CELLS = 1500
DEFAULT_CELLS = 120
NOT_ENABLED = "not enabled"
NO_REASONS: Mapping[int, str] = {}


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
    span: Span
    engine: Engine
    rules: tuple[RuleCoverage, ...]
    total: int
    minutes: Mapping[str, int] = field(default_factory=dict)


class CoverageService:
    """Reads the ledger; for any thread of any process."""

    def __init__(self, rows: LedgerRows, beat: Progress, rules: RulesService, state: StateStore, clock: Clock) -> None:
        self._rows = rows
        self._beat = beat
        self._rules = rules
        self._state = state
        self._clock = clock

    def engine(self) -> Engine:
        """Whether the evaluator works, as far as the state store knows: within half a minute."""
        now = self._clock()
        heard, covered = self._beat.saved_at(), self._beat.watermark()
        if heard is None or covered is None:
            return Engine("never", None, None, None)
        status = "stalled" if now - heard > STALLED_MS else "working"
        return Engine(status, heard, covered, max(now - covered, 0) / 1000)

    def read(
        self, start: int, end: int, *, rule_id: str = "", step: int = 0, size: int = 10, number: int = 0
    ) -> Coverage:
        """The coverage of a page of rules, or of one, between two moments (Unix milliseconds).

        `step`: minutes in a cell, 0 chooses. Raises `BadRequest`, or `RuleNotFound`.
        """
        span = span_of(start, end, step)
        if rule_id:
            rules, total = [self._rules.get(rule_id)], 1
        else:
            page = self._rules.page(size=size, number=number)
            rules, total = list(page.rules), page.total
        ids = [rule.id for rule in rules]
        now = self._clock()
        known = Known(span, now, self._rows.evaluated(span.start, span.end), self._rows.sources(span.start, span.end))
        skipped: dict[str, list[Skipped]] = {}
        for item in self._rows.skipped(span.start, span.end, ids):
            skipped.setdefault(item.rule_id, []).append(item)
        matched: dict[str, dict[int, int]] = {}
        for (of_rule, minute), matches in self._rows.matched(span.start, span.end, ids).items():
            matched.setdefault(of_rule, {})[minute] = matches
        with self._state.reading() as session:
            switched = repository.switches(session, ids)
            runs: dict[str, list[Run]] = {}
            for run in scheduled_repository.within(session, ids, span.start * MINUTE_MS, span.end * MINUTE_MS):
                runs.setdefault(run.rule_id, []).append(run)
            states: dict[str, State | None] = {rule.id: load(session, rule) for rule in rules if rule.schedule}
        bases: dict[frozenset[str] | None, list[str]] = {}
        found = []
        for rule in rules:
            asked = sources_of(rule)
            if asked not in bases:
                bases[asked] = statuses_of(known, asked)
            base, reasons = bases[asked], dict[int, str]()
            if rule.schedule is not None:
                minutes = range(span.start, span.end)
                base, reasons = scheduled_coverage.statuses(
                    minutes, base, rule.schedule, states[rule.id], runs.get(rule.id, ()), now
                )
            more = (switched[rule.id], skipped.get(rule.id, ()), matched.get(rule.id, {}))
            found.append(coverage_of(rule, span, asked, base, *more, reasons))
        whole = Counter[str]()
        for one in found:
            whole.update(one.minutes)
        return Coverage(span, self.engine(), tuple(found), total, dict(whole))


def span_of(start: int, end: int, step: int = 0) -> Span:
    """Whole minutes from one moment to another. Raises `BadRequest`."""
    first, last = start // MINUTE_MS, -(-end // MINUTE_MS)
    if last <= first:
        raise BadRequest("'from' must be before 'to'")
    if last - first > MAX_MINUTES:
        raise BadRequest(f"The ledger is kept for 30 days; {(last - first) // 1440} days were asked for")
    step = step or max(-(-(last - first) // DEFAULT_CELLS), 1)
    if (last - first) / step > MAX_CELLS:
        raise BadRequest(f"More than {MAX_CELLS} cells: ask for a shorter time or a longer interval")
    return Span(first, last, step)


def statuses_of(known: Known, asked: frozenset[str] | None) -> list[str]:
    """The status of each minute for all rules that ask for these sources, as long as nothing befell one of them."""
    return [_status(minute, known, asked) for minute in range(known.span.start, known.span.end)]


def coverage_of(
    rule: Rule,
    span: Span,
    asked: frozenset[str] | None,
    base: Sequence[str],
    switches: Sequence[tuple[int, bool]],
    skipped: Iterable[Skipped],
    matched: Mapping[int, int],
    known_reasons: Mapping[int, str] = NO_REASONS,
) -> RuleCoverage:
    """The coverage of one rule. `base` is `statuses_of` the sources that it asks for, with `known_reasons`; `switches`:
    from when on (Unix milliseconds) it was enabled or not, in order."""
    statuses = list(base)
    reasons: dict[int, dict[str, None]] = {minute: {reason: None} for minute, reason in known_reasons.items()}
    for minute in _off(span, switches):
        statuses[minute - span.start] = "skipped"
        reasons[minute] = {NOT_ENABLED: None}
    for item in skipped:
        is_failed = item.reason == "failed"
        if is_failed or statuses[item.minute - span.start] != "failed":
            statuses[item.minute - span.start] = "failed" if is_failed else "skipped"
        said = f"{item.reason}: {item.message}" if item.message else f"{item.reason}: {item.matches} matches"
        reasons.setdefault(item.minute, {})[said] = None
    cells = []
    for begin in range(span.start, span.end, span.step):
        minutes = range(begin, min(begin + span.step, span.end))
        counts = Counter(statuses[begin - span.start : minutes.stop - span.start])
        why = dict.fromkeys(reason for minute in minutes for reason in reasons.get(minute, ()))
        worst = next(status for status in STATUSES if counts[status])
        matches = sum(matched.get(minute, 0) for minute in minutes)
        cells.append(Cell(begin * MINUTE_MS, worst, dict(counts), matches, tuple(why)[:5]))
    shown = None if asked is None else tuple(sorted(asked))
    return RuleCoverage(rule, shown, dict(Counter(statuses)), sum(matched.values()), tuple(cells))


def _status(minute: int, known: Known, asked: frozenset[str] | None) -> str:
    end = (minute + 1) * MINUTE_MS
    at = known.evaluated.get(minute)
    if at is None:
        return "not_evaluated" if known.now > end + SETTLED_MS else "pending"
    sources = known.sources if asked is None else asked
    if not any(known.sources.get(source, {}).get(minute) for source in sources):
        return "no_data"
    return "late" if at > end + SETTLED_MS else "evaluated"


def _off(span: Span, switches: Sequence[tuple[int, bool]]) -> Iterable[int]:
    """The minutes in which a rule was never enabled."""
    first = switches[0][0] // MINUTE_MS if switches else span.end
    yield from range(span.start, min(first, span.end))
    for i, (at, is_enabled) in enumerate(switches):
        if not is_enabled:
            begin = -(-at // MINUTE_MS)
            end = switches[i + 1][0] // MINUTE_MS if i + 1 < len(switches) else span.end
            yield from range(max(begin, span.start), min(end, span.end))


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
