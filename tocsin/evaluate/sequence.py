"""The sequence method: steps that follow one another, each a condition over queries (siem.md §2.19).

Pure, as every method. What the words mean here (decision 0087):

- The steps form one chain. The first *completes* at an event of its queries at which its condition holds over the
  events of its window, as in `threshold`. A later step completes likewise, but counts only events later than the
  completion of its parent, and at most the transition's window after it.
- Every completion waits for the next step beside earlier ones (a *partial*); at most 20 wait for one step with one key,
  the oldest gives way. A completion uses none of them up.
- The *key* of a step are the values of its queries' group-by fields. A field that an earlier step had keeps its value;
  another one takes its values from the event that completed the parent, which has to carry them.
- The rule's case holds when the last step completes: a hit. A signal lives as in `threshold`. Its evidence are the last
  50 events of each step.

Where all steps group by the same fields, a sequence is decided scope by scope. Otherwise the whole rule is decided
together, and each combination of values has signals of its own.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice, pairwise, product
from typing import Any, NamedTuple

import orjson

from tocsin.errors import BadRequest
from tocsin.evaluate.aggregates import AGGREGATIONS, GrowingTally
from tocsin.evaluate.condition import Condition, check_labels, parse_condition
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.evidence import Entry, Evidence, Life
from tocsin.evaluate.machine import events_of
from tocsin.evaluate.method import FIRST_EVENTS, MAX_ENTRIES, Plan, ScopeTooLarge, kept_positions
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import Window, parts_of, row_order
from tocsin.rule import Rule

MAX_STEPS = 10
MAX_TOTAL_SECONDS = 86_400
MAX_PARTIALS = 20

MAX_KEYS = 50
"""That one completion can wait with, where a linked field has several values."""

EVIDENCE = 50

Group = tuple[str, ...]


class SequenceError(BadRequest):
    """What is wrong with `sequenceDetectionOptions`; `target` is the member, `code` one of a few words."""

    def __init__(self, target: str, message: str, code: str, start: int | None = None, end: int | None = None) -> None:
        super().__init__(message)
        self.target = target
        self.code = code
        self.start = start
        self.end = end


@dataclass(frozen=True)
class Step:
    """`wait_ms`: so long after its parent it may complete. `fields`: what its queries group by."""

    name: str
    condition: Condition
    queries: frozenset[int]
    fields: Group
    window_ms: int
    wait_ms: int


def read_steps(rule: Rule) -> tuple[Step, ...]:
    """The chain of steps. Raises `SequenceError` for the first thing that is wrong with it."""
    options: Mapping[str, Any] = rule.options.method_options.get("sequenceDetectionOptions") or {}
    given = options.get("steps") or ()
    place = "options.sequenceDetectionOptions"
    if not 2 <= len(given) <= MAX_STEPS:
        raise SequenceError(f"{place}.steps", f"A sequence has 2 to {MAX_STEPS} steps, {len(given)} given", "arity")
    labels = tuple(query.label for query in rule.queries)
    steps: dict[str, Step] = {}
    for i, body in enumerate(given):
        step = _step(f"{place}.steps[{i}]", body, rule, labels)
        if step.name in steps:
            raise SequenceError(f"{place}.steps[{i}].name", f"Two steps are named '{step.name}'", "label_taken")
        steps[step.name] = step
    chain = _chain(f"{place}.stepTransitions", options.get("stepTransitions") or (), steps)
    total = sum(step.window_ms + step.wait_ms for step in chain) // 1000
    if total > MAX_TOTAL_SECONDS:
        message = f"All windows together are {total} s, {MAX_TOTAL_SECONDS} are allowed"
        raise SequenceError(place, message, "too_long")
    return chain


def _step(place: str, body: Mapping[str, Any], rule: Rule, labels: Sequence[str]) -> Step:
    name = body.get("name") or ""
    if not name.strip():
        raise SequenceError(f"{place}.name", "A step needs a name", "empty")
    text = body.get("condition") or ""
    if not text.strip():
        raise SequenceError(f"{place}.condition", "A step needs a condition, as in a > 0", "empty")
    try:
        condition = parse_condition(text)
        check_labels(condition, tuple(labels))
    except BadRequest as error:
        span = (getattr(error, "start", None), getattr(error, "end", None))
        code = getattr(error, "code", "unexpected")
        raise SequenceError(
            f"{place}.condition", f"Condition '{text}' of step '{name}': {error}", code, *span
        ) from error
    if condition.is_sequence:
        raise SequenceError(f"{place}.condition", "'then' does not go within a step: make two steps of it", "then")
    queries = frozenset(labels.index(label) for label in condition.labels)
    several = {rule.queries[index].group_by_fields for index in queries}
    if len(several) > 1:
        message = f"The queries of step '{name}' must group by the same fields"
        raise SequenceError(f"{place}.condition", message, "grouping")
    return Step(name, condition, queries, next(iter(several)), (body.get("evaluationWindow") or 0) * 1000, 0)


def _chain(place: str, transitions: Sequence[Mapping[str, Any]], steps: Mapping[str, Step]) -> tuple[Step, ...]:
    child_of: dict[str, tuple[str, int]] = {}
    children = set()
    for i, body in enumerate(transitions):
        for member in ("parent", "child"):
            if body.get(member) not in steps:
                message = f"No step is named '{body.get(member) or ''}'; there are {', '.join(steps)}"
                raise SequenceError(f"{place}[{i}].{member}", message, "unknown_step")
        parent, child = str(body["parent"]), str(body["child"])
        if parent in child_of or child in children:
            message = f"Steps form one line: '{parent if parent in child_of else child}' stands in two transitions"
            raise SequenceError(f"{place}[{i}]", message, "not_linear")
        child_of[parent] = (child, (body.get("evaluationWindow") or 0) * 1000)
        children.add(child)
    first = [name for name in steps if name not in children]
    chain = [steps[name] for name in first[:1]]
    while chain and chain[-1].name in child_of:
        child, wait_ms = child_of[chain[-1].name]
        chain.append(replace(steps[child], wait_ms=wait_ms))
    if len(chain) != len(steps):
        message = f"{len(steps)} steps in one line need {len(steps) - 1} transitions, each from a step to the next"
        raise SequenceError(place, message, "not_linear")
    return tuple(chain)


def check_case(rule: Rule, last: Step) -> None:
    """The one case says that the last step completes. Raises `SequenceError`."""
    if len(rule.cases) != 1:
        raise SequenceError("cases", f"A sequence has exactly one case, {len(rule.cases)} given", "arity")
    text = rule.cases[0].condition
    fix = f"write {last.name} > 0: the case holds when the last step completes"
    try:
        stage = parse_condition(text).comparisons
    except BadRequest as error:
        raise SequenceError("cases[0].condition", f"Case condition '{text}': {error}; {fix}", "unexpected") from error
    if [(part.label, part.operator, part.number) for part in stage] not in (
        [(last.name, ">", 0.0)],
        [(last.name, ">=", 1.0)],
    ):
        raise SequenceError("cases[0].condition", f"Case condition '{text}': {fix}", "last_step")


@dataclass(frozen=True)
class SequencePlan(Plan):
    """`fields` are what all steps group by together, each once; `is_linked`: not all by the same."""

    steps: tuple[Step, ...]
    fields: Group
    is_linked: bool

    @property
    def lookback_ms(self) -> int:
        return sum(step.window_ms + step.wait_ms for step in self.steps)

    @property
    def overlaps(self) -> bool:
        return self.is_linked

    def group_by(self, decision: Decision) -> Group:
        return self.fields

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "SequenceMachine":
        return SequenceMachine(self, start, named)


def plan(rule: Rule) -> SequencePlan:
    """Read a rule's `sequenceDetectionOptions`; raises `BadRequest` for what this method cannot decide."""
    for query in rule.queries:
        if query.aggregation not in AGGREGATIONS:
            reason = f"query '{query.label}' has the aggregation '{query.aggregation}'"
            raise BadRequest(f"{reason}; sequences know {', '.join(AGGREGATIONS)}")
    steps = read_steps(rule)
    check_case(rule, steps[-1])
    fields = tuple(dict.fromkeys(field for step in steps for field in step.fields))
    is_linked = any(step.fields != steps[0].fields for step in steps)
    if is_linked and rule.group_signals_by:
        raise BadRequest("groupSignalsBy does not go with steps that group by different fields")
    for step, child in pairwise(steps):
        for index in step.queries:
            if rule.queries[index].aggregation == "cardinality" and not set(child.fields) <= set(step.fields):
                raise BadRequest(
                    f"query '{rule.queries[index].label}' counts different values and cannot hand on those of another "
                    f"field to step '{child.name}'; add the field to its groupByFields"
                )
    # The evaluation window has no meaning here: each step has its own.
    windowless = replace(rule, options=replace(rule.options, evaluation_window=0))
    return SequencePlan(windowless, () if is_linked else kept_positions(rule), steps, fields, is_linked)


class Partial(NamedTuple):
    """A step that has completed. `bound` are the values of the plan's fields, as far as they are known."""

    at: int
    bound: tuple[str | None, ...]
    evidence: tuple[Entry, ...]


class SequenceMachine:
    """For each match O(1) in the first step; in a later one as much as came since the oldest parent that waits.

    `watch_step` is told whether a step's condition holds for values (`nearest.py`).
    """

    def __init__(self, prepared: SequencePlan, start: int | None, named: int) -> None:
        self.plan = prepared
        self.start = start
        self.watch_step: Callable[[Step, Sequence[float | None], bool], None] | None = None
        self.position: tuple[int, str] | None = None
        self.entries = 0
        self._serial = 0
        self._named = named
        self._aggregations = tuple(query.aggregation for query in prepared.rule.queries)
        self._labels = tuple(query.label for query in prepared.rule.queries)
        self._columns = [tuple(prepared.fields.index(field) for field in step.fields) for step in prepared.steps]
        self._windows: dict[Group, Window] = {}
        self._waiting: dict[tuple[int, Group], list[Partial]] = {}
        self._since: dict[tuple[int, Group], list[Entry]] = {}
        self._lives: dict[Group, Life] = {}
        self._taken: dict[Group, set[int]] = {}
        self._done: list[Decision] = []
        self._sweep_at = 1_000
        self._close_at = 64

    def copy(self) -> "SequenceMachine":
        twin = SequenceMachine(self.plan, self.start, self._named)
        twin.position = self.position
        twin.entries = self.entries
        twin._serial = self._serial
        twin._sweep_at, twin._close_at = self._sweep_at, self._close_at
        twin._windows = {key: window.copy() for key, window in self._windows.items()}
        twin._waiting = {key: partials.copy() for key, partials in self._waiting.items()}
        twin._since = {key: entries.copy() for key, entries in self._since.items()}
        twin._lives = {key: life.copy() for key, life in self._lives.items()}
        twin._done = self._done.copy()
        twin._taken = {key: taken.copy() for key, taken in self._taken.items()}
        return twin

    def feed(self, rows: Iterable[MatchRow]) -> None:
        for together in events_of(rows):
            at = position(together[0])
            self._event(at, sorted(set(together), key=row_order))

    def decisions(self) -> list[Decision]:
        return self._ordered(Life.decisions)

    def closed(self) -> list[Decision]:
        return self._ordered(Life.closed)

    def forget(self) -> None:
        self._done.clear()
        for life in self._lives.values():
            life.forget()

    def _ordered(self, of: Callable[[Life], list[Decision]]) -> list[Decision]:
        found = (decision for life in self._lives.values() for decision in of(life))
        return sorted([*self._done, *found], key=lambda decision: (decision.timestamp, decision.opened_by))

    def _event(self, at: tuple[int, str], rows: list[MatchRow]) -> None:
        self.position = at
        met: list[tuple[Entry, Group, list[MatchRow]]] = []
        for group, of_scope in groupby(rows, key=lambda row: row.group):
            several = list(of_scope)
            self._serial += 1
            # A link is no value that an aggregation counts.
            counted = [row._replace(distinct=None) if self._is_link(row) else row for row in several]
            met.append((Entry(self._serial, at[0], packed(at[1]), parts_of(counted)), group, several))
        opened: Evidence | None = None
        # From the last step back, so that no event serves as a step and as the one before it.
        for number in reversed(range(len(self.plan.steps))):
            step = self.plan.steps[number]
            for entry, group, of_event in met:
                if len(group) != len(step.fields) or not any(part.query_index in step.queries for part in entry.parts):
                    continue
                found = self._first(step, entry, group) if number == 0 else self._later(number, entry, group)
                for partial in found:
                    if number < len(self.plan.steps) - 1:
                        self._wait(number + 1, partial, of_event)
                    elif self.start is None or entry.timestamp >= self.start:
                        opened = self._hit(entry, partial, opened)
        if self.entries > self._sweep_at:
            self._sweep(at[0])
        if len(self._lives) > self._close_at:
            self._close(at[0])

    def _first(self, step: Step, entry: Entry, group: Group) -> Iterator[Partial]:
        window = self._windows.get(group)
        if window is None:
            window = self._windows[group] = Window(group, self._aggregations)
        entry = _of_step(entry, step)
        self.entries += window.enter(entry, step.window_ms)
        if self._holds(step, [tally.value for tally in window.tallies]):
            bound: list[str | None] = [None] * len(self.plan.fields)
            for column, value in zip(self._columns[0], group, strict=True):
                bound[column] = value
            yield Partial(entry.timestamp, tuple(bound), window.last(EVIDENCE))

    def _later(self, number: int, entry: Entry, group: Group) -> Iterator[Partial]:
        """The completions of a step at this event: one for each combination of values that its parents carry."""
        step, key, now = self.plan.steps[number], (number, group), entry.timestamp
        waiting = [partial for partial in self._waiting.get(key, ()) if now - partial.at <= step.wait_ms]
        self.entries -= len(self._waiting.get(key, ())) - len(waiting)
        if not waiting:
            self.entries -= len(self._since.pop(key, ()))
            self._waiting.pop(key, None)
            return
        self._waiting[key] = waiting
        since = self._since.setdefault(key, [])
        since.append(_of_step(entry, step))
        oldest = max(waiting[0].at, now - step.window_ms if step.window_ms else now - 1)
        stale = bisect_right(since, oldest, key=lambda other: other.timestamp)
        del since[:stale]
        self.entries += 1 - stale
        yield from self._completed(step, waiting, since, entry)

    def _completed(
        self, step: Step, waiting: Sequence[Partial], since: Sequence[Entry], entry: Entry
    ) -> Iterator[Partial]:
        tallies = [GrowingTally(aggregation) for aggregation in self._aggregations]
        asked = {partial.bound for partial in waiting}
        reached = len(since)
        horizon = entry.timestamp - step.window_ms
        for partial in reversed(waiting):
            if not asked:
                return
            if partial.at >= entry.timestamp:
                continue
            while reached and since[reached - 1].timestamp > max(partial.at, horizon if step.window_ms else partial.at):
                if not step.window_ms and since[reached - 1].identity != entry.identity:
                    break
                reached -= 1
                for part in since[reached].parts:
                    tallies[part.query_index].enter(part.distinct, part.value)
            if partial.bound in asked and self._holds(step, [tally.value for tally in tallies]):
                asked.remove(partial.bound)
                evidence = (*partial.evidence, *since[max(reached, len(since) - EVIDENCE) :])
                yield Partial(entry.timestamp, partial.bound, evidence)

    def _holds(self, step: Step, values: Sequence[float | None]) -> bool:
        found = step.condition.holds(dict(zip(self._labels, values, strict=True)))
        if self.watch_step is not None:
            self.watch_step(step, values, found)
        return found

    def _wait(self, number: int, partial: Partial, of_event: Sequence[MatchRow]) -> None:
        """Let a completed step wait for the next one, with every key that it may have."""
        columns = self._columns[number]
        choices: list[Sequence[str]] = []
        links = _links(row for row in of_event if self._is_link(row))
        for column, field in zip(columns, self.plan.steps[number].fields, strict=True):
            known = partial.bound[column]
            choices.append([known] if known is not None else links.get(field, ()))
        for group in islice(product(*choices), MAX_KEYS):
            bound = list(partial.bound)
            for column, value in zip(columns, group, strict=True):
                bound[column] = value
            partials = self._waiting.setdefault((number, group), [])
            partials.append(partial._replace(bound=tuple(bound)))
            self.entries += 1
            if len(partials) > MAX_PARTIALS:
                del partials[0]
                self.entries -= 1

    def _hit(self, entry: Entry, partial: Partial, opened: Evidence | None) -> Evidence | None:
        """The signal that is opened at this event, by this hit or an earlier one: it opens one at most, which has all
        values that it concerns."""
        group = tuple(value or "" for value in partial.bound)
        key = group if self.plan.is_linked else ()
        life = self._lives.get(key)
        if opened is not None and (life is None or life.opens_at(entry.timestamp)):
            opened.take(group, partial.evidence)
            return opened
        if life is None:
            life = self._lives[key] = Life(self.plan, self._named)
        values = (None,) * len(self._labels)
        facts = {"sequence": {"steps": [step.name for step in self.plan.steps]}}
        signal, is_new = life.hit(entry, group, 0, values, len(partial.evidence), facts)
        if is_new:
            self._taken[key] = set()
        taken = self._taken[key]
        signal.take(group, [each for each in partial.evidence if each.serial not in taken])
        taken.update(each.serial for each in partial.evidence)
        return signal if is_new else opened

    def _is_link(self, row: MatchRow) -> bool:
        """Only a query that counts no values has place for one; the plan sees to it."""
        return row.distinct is not None and self._aggregations[row.query_index] != "cardinality"

    def _close(self, now: int) -> None:
        """Put away the signals that nothing later can change, and what kept them."""
        for key, life in list(self._lives.items()):
            if life.opens_at(now):
                self._done += life.decisions()
                del self._lives[key], self._taken[key]
        self._close_at = max(64, 2 * len(self._lives))

    def _sweep(self, now: int) -> None:
        first = self.plan.steps[0]
        for group, window in list(self._windows.items()):
            if window.latest <= now - first.window_ms:
                del self._windows[group]
        for key, partials in list(self._waiting.items()):
            if now - partials[-1].at > self.plan.steps[key[0]].wait_ms:
                del self._waiting[key]
                self._since.pop(key, None)
        self.entries = (
            sum(map(len, self._windows.values()))
            + sum(map(len, self._waiting.values()))
            + sum(map(len, self._since.values()))
        )
        self._sweep_at = max(1_000, 2 * self.entries)
        if self.entries > MAX_ENTRIES:
            raise ScopeTooLarge(
                f"more than {MAX_ENTRIES} matches lie in the windows of one sequence; narrow the queries, group by "
                "more fields or shorten the windows"
            )


def _of_step(entry: Entry, step: Step) -> Entry:
    parts = tuple(part for part in entry.parts if part.query_index in step.queries)
    return entry if parts == entry.parts else Entry(entry.serial, entry.timestamp, entry.identity, parts)


def _links(rows: Iterable[MatchRow]) -> dict[str, list[str]]:
    """What `match.texts.links` wrote: the values of the next step's fields."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for field, values in orjson.loads(row.distinct or "{}").items():
            found.setdefault(field, {}).update(dict.fromkeys(values))
    return {field: list(values) for field, values in found.items()}
