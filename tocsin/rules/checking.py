"""Runs the tests that a rule file carries (`samples.py`), by the very code that live detection runs.

Records go through the pipelines and the enrichment; single ones are matched, those of a timeline are put at their times
and decided as well (`rehearsal.py`), and what was raised is compared with what the test says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from tocsin.evaluate.correlation import reads_signals, source_rules
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.method import Plan
from tocsin.evaluate.nearest import Nearest, nearest
from tocsin.event import Event, Rejected, SignalEvent
from tocsin.fitting import fitted
from tocsin.query import LOGS, field_values
from tocsin.query.values import text_of
from tocsin.rule import THIRD_PARTY, Rule, RuleQuery
from tocsin.rules.evaluating import ToEvent, event_of
from tocsin.rules.rehearsal import Raised, Rehearsal
from tocsin.rules.samples import BadTest, Expected, RuleTests, Single, Timeline

MEMBERS = ("severity", "case", "title", "group", "at", "last", "events")
"""What an expected signal may say, in the order in which it is told."""


@dataclass(frozen=True, slots=True)
class SingleResult:
    """`queries` are those that the position names: several where a third-party rule has cases. `missing` are the
    group-by fields that the event lacks."""

    single: Single
    event: Event
    queries: tuple[RuleQuery, ...]
    matches: bool
    missing: tuple[str, ...]

    @property
    def name(self) -> str:
        return "match" if self.single.must_match else "no_match"

    @property
    def passed(self) -> bool:
        return self.matches is self.single.must_match


@dataclass(frozen=True, slots=True)
class Seen:
    """An event of a timeline, or a signal that the rule read, `at` ms after the start, and the positions of the queries
    that it matched."""

    at: int
    event: Event
    queries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unlike:
    """A signal that is nearest to the expected one, and the members in which it differs."""

    expected: Expected
    raised: Raised
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimelineResult:
    """`missing` signals were expected and not raised, each with what came nearest to it; `surplus` ones the reverse."""

    timeline: Timeline
    plan: Plan
    seen: tuple[Seen, ...]
    raised: tuple[Raised, ...]
    unlike: tuple[Unlike, ...]
    missing: tuple[tuple[Expected, Nearest | None], ...]
    surplus: tuple[Raised, ...]
    failures: Mapping[tuple[str, ...], str]

    @property
    def name(self) -> str:
        return self.timeline.name

    @property
    def passed(self) -> bool:
        return not (self.unlike or self.missing or self.surplus or self.failures)


Result = SingleResult | TimelineResult


class RuleTester:
    """`known` are the rules that others may read the signals of, by id."""

    def __init__(self, to_event: ToEvent, known: Mapping[str, Rule]) -> None:
        self._to_event = to_event
        self._known = known

    def run(self, rule: Rule, tests: RuleTests) -> list[Result]:
        """All tests of a rule. Raises `BadRequest` for a rule or a test that cannot be run."""
        other = [
            query.data_source for query in rule.queries if not query.reads_signals and query.data_source != LOGS.name
        ]
        if other:
            raise BadTest(f"the rule reads '{other[0]}': only rules over logs and signals can be tested")
        if any(query.reads_signals for query in _asked(rule, tests)):
            raise BadTest("tests.match: the query reads signals, not events: write timelines")
        events = _Events(self._to_event)
        rehearsals: dict[tuple[tuple[str, ...], int], Rehearsal] = {}

        def rehearsal(beside: Sequence[str], start: int) -> Rehearsal:
            key = (tuple(sorted(beside)), start)
            if key not in rehearsals:
                rehearsals[key] = Rehearsal(self._with(rule, beside), start, tests.column)
            return rehearsals[key]

        results: list[Result] = []
        for single in tests.singles:
            results.append(_single(rule, single, events, rehearsal((), 0)))
        for timeline in tests.timelines:
            results.append(_timeline(rule, timeline, events, rehearsal(timeline.rules, timeline.start)))
        return results

    def _with(self, rule: Rule, beside: Sequence[str]) -> list[Rule]:
        """The rule and all whose signals it reads, whether it names them or the test does."""
        found = {rule.id: rule}
        waiting = [*source_rules(rule), *beside]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            if name not in self._known:
                raise BadTest(f"the rule {name}, whose signals are read, is neither in these files nor shipped")
            found[name] = self._known[name]
            waiting += source_rules(found[name])
        return list(found.values())


def _asked(rule: Rule, tests: RuleTests) -> list[RuleQuery]:
    """The queries that single events are about."""
    return [rule.queries[single.query] for single in tests.singles if single.query < len(rule.queries)]


class _Events:
    """Records to events; equal records are normalised once."""

    def __init__(self, to_event: ToEvent) -> None:
        self._to_event = to_event
        self._known: dict[bytes, Event] = {}

    def of(self, place: str, record: Any) -> Event:
        key = fitted(orjson.dumps(record))
        if key not in self._known:
            try:
                self._known[key] = event_of(record, self._to_event)
            except Rejected as rejected:
                raise BadTest(f"{place}: the event would be rejected: {rejected.reason}") from rejected
        return self._known[key]

    def of_timeline(self, timeline: Timeline) -> list[tuple[int, Event]]:
        """All events in order of time, each with its time after the start. Of equal times the first stays first."""
        planned = sorted(
            (each for one in timeline.events for each in one.records()),
            key=lambda each: each[0],
        )
        return [
            (at, replace(self.of(timeline.name, record), id=f"{number:06}", timestamp=timeline.start + at))
            for number, (at, record) in enumerate(planned, 1)
        ]


def _single(rule: Rule, single: Single, events: _Events, rehearsal: Rehearsal) -> SingleResult:
    run = rehearsal.plans[rule.id].rule
    cases = len(run.cases) if rule.options.detection_method == THIRD_PARTY else 1
    positions = range(single.query * cases, (single.query + 1) * cases)
    if positions.stop > len(run.queries):
        last = len(run.queries) // cases - 1
        raise BadTest(f"tests: there is no query {single.query}; positions are 0 to {last}")
    event = events.of(f"tests.{'match' if single.must_match else 'no_match'}", single.record)
    matches = any(match.query_index in positions for match in rehearsal.matcher.match(event))
    queries = tuple(run.queries[position] for position in positions)
    fields = () if queries[0].has_optional_group_by_fields else queries[0].group_by_fields
    missing = tuple(field for field in fields if not list(field_values(event, field)))
    return SingleResult(single, event, queries, matches, missing)


def _timeline(rule: Rule, timeline: Timeline, events: _Events, rehearsal: Rehearsal) -> TimelineResult:
    timed = events.of_timeline(timeline)
    found = rehearsal.run([event for _, event in timed])
    prepared, rows, raised = rehearsal.plans[rule.id], found.rows[rule.id], found.raised[rule.id]
    matched: dict[str, set[int]] = {}
    for row in rows:
        matched.setdefault(row.event_id, set()).add(row.query_index)
    if reads_signals(prepared.rule):
        members = [found.named[name] for name in matched]
        timed += [(one.timestamp - timeline.start, one) for one in members if isinstance(one, SignalEvent)]
        timed.sort(key=lambda each: each[0])
    pairs, missing, surplus = _paired(timeline, raised)
    # One that is expected several times is looked for once.
    near = {id(each): _nearest(prepared, rows, each, timeline) for each in {id(one): one for one in missing}.values()}
    return TimelineResult(
        timeline,
        prepared,
        tuple(Seen(at, event, tuple(sorted(matched.get(event.id, ())))) for at, event in timed),
        tuple(raised),
        tuple(pairs),
        tuple((expected, near[id(expected)]) for expected in missing),
        tuple(surplus),
        found.failures.get(rule.id, {}),
    )


def _paired(timeline: Timeline, raised: Sequence[Raised]) -> tuple[list[Unlike], list[Expected], list[Raised]]:
    """Each expected signal with one that it describes, as many as can be; what is left is paired by likeness.

    Of the expected ones that say the same any may take a signal, so only those that differ are compared with it.
    """
    members = [[unlike(each, one, timeline.start) for one in raised] for each in timeline.signals]
    fits = [[at for at, differing in enumerate(row) if not differing] for row in members]
    taken: dict[int, int] = {}
    left = [each.count for each in timeline.signals]
    for number in range(len(timeline.signals)):
        while left[number] and _place(number, fits, taken):
            left[number] -= 1
    surplus = {at: one for at, one in enumerate(raised) if at not in taken}
    near = [(len(members[number][at]), number, at) for number, count in enumerate(left) if count for at in surplus]
    pairs = []
    for _, number, at in sorted(near):
        if left[number] and at in surplus:
            pairs.append(Unlike(timeline.signals[number], surplus.pop(at), members[number][at]))
            left[number] -= 1
    missing = [each for each, count in zip(timeline.signals, left, strict=True) for _ in range(count)]
    return pairs, missing, list(surplus.values())


def _place(number: int, fits: Sequence[Sequence[int]], taken: dict[int, int]) -> bool:
    """Give the expected signal of this number one that fits, if others that hold such can take another instead."""
    came: dict[int, tuple[int, int] | None] = {number: None}
    waiting = [number]
    for current in waiting:
        for at in fits[current]:
            holder = taken.get(at)
            if holder is None:
                taken[at] = current
                while (step := came[current]) is not None:
                    current, at = step  # back along the way: each takes what the next one held
                    taken[at] = current
                return True
            if holder not in came:
                came[holder] = (current, at)
                waiting.append(holder)
    return False


def unlike(expected: Expected, raised: Raised, start: int) -> tuple[str, ...]:
    """The members in which a signal is not as expected."""
    return tuple(name for name, wanted, got in compared(expected, raised, start) if wanted != got)


def compared(expected: Expected, raised: Raised, start: int) -> Iterator[tuple[str, Any, Any]]:
    """Each member that the expected signal says, with the signal's own."""
    got = described(raised, start)
    for name in MEMBERS:
        wanted = getattr(expected, name)
        if name == "group" and wanted is not None:
            yield name, _texts(wanted), {field: _texts(got["group"]).get(field) for field in wanted}
        elif wanted is not None:
            yield name, wanted, got[name]


def described(raised: Raised, start: int) -> dict[str, Any]:
    """A signal by the members of an expected one; times in milliseconds after `start`."""
    decision = raised.decision
    return {
        "severity": raised.signal.severity,
        "case": raised.plan.rule.cases[decision.verdict.case_index].name,
        "title": raised.signal.title,
        "group": dict(raised.signal.custom["groupByValues"]),
        "at": decision.timestamp - start,
        "last": decision.last_seen - start,
        "events": decision.events_matched,
    }


def _texts(group: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        field: sorted(map(text_of, value if isinstance(value, list) else [value])) for field, value in group.items()
    }


def _nearest(prepared: Plan, rows: Sequence[MatchRow], expected: Expected, timeline: Timeline) -> Nearest | None:
    """How near the rule came, in a group as it is expected if there is one."""
    fields = max((query.group_by_fields for query in prepared.rule.queries), key=len, default=())
    wanted = _texts(expected.group or {})
    groups: dict[tuple[str, ...], list[MatchRow]] = {}
    for row in rows:
        values = dict(zip(fields, row.group, strict=False))
        if all(field not in values or values[field] in texts for field, texts in wanted.items()):
            groups.setdefault(prepared.signal_group(row.group), []).append(row)
    end = max((row.timestamp for row in rows), default=timeline.start) + 1
    found = (nearest(prepared, of_group, timeline.start, end) for of_group in groups.values())
    return min((one for one in found if one is not None), key=lambda one: one.distance, default=None)
