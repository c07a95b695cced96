"""What rules over signals find in a signal: written into its row, as matches are into that of a log (decision 0088).

A signal is matched as it was decided, before people touch it, so that what it matches is a function of its events.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from tocsin.errors import TocsinError
from tocsin.evaluate.correlation import UNMATCHED, Matched, as_member, named_rules, reads_signals
from tocsin.evaluate.decision import Decision
from tocsin.evaluate.method import Plan
from tocsin.event import Event, Json, SignalEvent
from tocsin.match import Matcher
from tocsin.match.emission import Emission
from tocsin.query import parse, to_predicate
from tocsin.query.to_predicate import Predicate
from tocsin.query.track import SIGNALS
from tocsin.rule import MISSING_GROUP_VALUE, Match, Rule, RuleQuery
from tocsin.signal import Signal


@dataclass(frozen=True, slots=True)
class _Correlated:
    """A query that names a rule. `index` is the query of that rule which supplies the values, None: any."""

    query: RuleQuery
    holds: Predicate
    emission: Emission
    index: int | None


ValuesAt = Callable[[Plan, int], list[str]]
"""The values of a signal at a position of what its rule groups by."""


class SignalMatcher:
    """The queries over signals of all rules. Immutable but for what it remembers."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        """Rules that are not enabled, or read no signals, or only those that are stored, are passed over."""
        read = [rule for rule in rules if rule.is_enabled and not rule.is_deleted and _looks(rule)]
        self.versions = frozenset((rule.id, rule.version) for rule in read)
        self._named: dict[tuple[str, int], frozenset[str]] = {}
        self._correlated: dict[str, list[_Correlated]] = {}
        searching = []
        for rule in read:
            queries = []
            for index, query in enumerate(rule.queries):
                is_search = query.reads_signals and query.correlated_rule is None
                queries.append(replace(query, data_source=SIGNALS.name if is_search else ""))
                if is_search:
                    self._named[rule.id, index] = named_rules(query)
                elif query.correlated_rule is not None:
                    self._add_correlated(rule, index, query)
            searching.append(replace(rule, queries=tuple(queries)))
        self._matcher = Matcher(searching, SIGNALS)

    def _add_correlated(self, rule: Rule, index: int, query: RuleQuery) -> None:
        try:
            holds = to_predicate(parse(query.full_query), SIGNALS)
            emission = Emission.of(rule, index, query, SIGNALS)
        except TocsinError:  # refused when a rule is saved; one that came by another way finds nothing
            return
        found = _Correlated(query, holds, emission, query.extra.get("correlatedQueryIndex"))
        self._correlated.setdefault(query.correlated_rule or "", []).append(found)

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps queries from finding anything."""
        return tuple(problem.message for problem in self._matcher.problems)

    def match(self, signal: Signal, plan: Plan, decision: Decision) -> tuple[Match, ...]:
        """What all rules find in the signal that a decision of `plan` became."""
        if not self.versions:
            return ()

        def values_at(source: Plan, position: int) -> list[str]:
            return _decided_values(source, decision, position)

        return self.find(signal_event(signal), signal.rule_id, plan, values_at)

    def find(self, event: Event, rule_id: str, source: Plan | None, values_at: ValuesAt) -> tuple[Match, ...]:
        """The same for a signal in the shape of an event, which a rule raised; `source` is None if that is gone."""
        found = self._matcher.match(event)
        if source is not None and reads_signals(source.rule):
            found = [match for match in found if rule_id in self._named[match.rule_id, match.query_index]]
        for correlated in self._correlated.get(rule_id, ()):
            if correlated.holds(event):
                seen = event
                for field in correlated.query.group_by_fields:
                    values = None if source is None else supplied(source, field, correlated.index, values_at)
                    seen = seen if values is None else with_values(seen, field, values)
                found += correlated.emission.matches(seen)
        return tuple(found)


class SignalMatching:
    """The matcher of the rules as they are now. `use` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._matcher = SignalMatcher()

    def use(self, rules: Sequence[Rule]) -> None:
        """Match by these rules from now on."""
        read = tuple(rule for rule in rules if _looks(rule))
        with self._lock:
            if read != self._rules:
                self._matcher = SignalMatcher(read)
                self._rules = read

    def of(self, signal: Signal, plan: Plan, decision: Decision, before: Matched, version: int) -> Matched:
        """What the signal matches now that it is written at this version, having matched `before`.

        What rules found at versions that are not enabled any more stays: an edited rule begins anew, and leaves alone
        what its earlier version concluded. A signal that only grew is the one that it was: its version does not rise.
        """
        matcher = self._matcher
        if not matcher.versions and not before.version:
            return UNMATCHED
        kept = [match for match in before.current if (match.rule_id, match.rule_version) not in matcher.versions]
        current = tuple(dict.fromkeys([*kept, *matcher.match(signal, plan, decision)]))
        former = tuple(match for match in dict.fromkeys([*before.former, *before.current]) if match not in current)
        if not current and not former:
            return UNMATCHED
        seen = _digest(raised_event(signal))
        is_known = seen == before.seen and set(current) == set(before.current) and set(former) == set(before.former)
        return before if is_known else Matched(current, former, version, seen)


def signal_event(signal: Signal) -> Event:
    """A signal in the shape of an event: what the track `signals` reads by name, lists where it has lists."""
    return SignalEvent(
        id=signal.id,
        timestamp=signal.timestamp,
        message=signal.message,
        status=signal.severity,
        host=list(signal.host),  # type: ignore[arg-type]
        service=list(signal.service),  # type: ignore[arg-type]
        source=list(signal.source),  # type: ignore[arg-type]
        tags=[tag.lower() for tag in signal.tags],
        attributes=dict(signal.custom),
    )


def raised_event(signal: Signal) -> Event:
    """A signal as the evidence of a rule over signals, like `SignalMatches.events` reads it from the store."""
    attributes = as_member(signal.custom)
    return replace(signal_event(signal), message=signal.title, tags=list(signal.tags), attributes=attributes)


def _digest(event: Event) -> str:
    """Of all that rules over signals can show of a signal."""
    shown = [event.message, event.status, event.host, event.service, event.source, event.tags, event.attributes]
    return hashlib.blake2b(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS), digest_size=10).hexdigest()


def supplied(source: Plan, field: str, index: int | None, values_at: ValuesAt) -> list[str] | None:
    """The values of a field by which a rule grouped, as they are in one of its signals; None if it did not.

    `index`: only that query of the rule supplies values (siem.md §2.20), None: the first that groups by the field. A
    field that `groupSignalsBy` drops has the values of all scopes that took part.
    """
    queries = source.rule.queries if index is None else source.rule.queries[index : index + 1]
    for query in queries:
        if field in query.group_by_fields:
            values = values_at(source, query.group_by_fields.index(field))
            return [value for value in values if value != MISSING_GROUP_VALUE]
    return None


def _decided_values(source: Plan, decision: Decision, position: int) -> list[str]:
    if source.kept is None:
        return list(decision.group[position : position + 1])
    if position in source.kept:
        return [decision.group[source.kept.index(position)]]
    return sorted({group[position] for group in decision.groups if position < len(group)})


def _looks(rule: Rule) -> bool:
    """Whether the rule looks at signals as they are raised."""
    return rule.schedule is None and reads_signals(rule)


def with_values(event: Event, field: str, values: list[str]) -> Event:
    """The event with these values in place of those that a field has."""
    if field.startswith("@"):
        return replace(event, attributes=_put(event.attributes, field[1:].split("."), values))
    if field in ("host", "service", "source"):
        return replace(event, **{field: values})  # type: ignore[arg-type]
    tags = [tag for tag in event.tags if not tag.startswith(f"{field}:")]
    return replace(event, tags=[*tags, *(f"{field}:{value}" for value in values)])


def _put(node: Mapping[str, Json], path: Sequence[str], values: list[str]) -> dict[str, Any]:
    below = node.get(path[0])
    if len(path) == 1:
        return {**node, path[0]: values}
    return {**node, path[0]: _put(below if isinstance(below, dict) else {}, path[1:], values)}
