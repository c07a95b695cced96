"""Signals that are there, as a replay of a rule over signals reads them (siem.md §2.20, §2.22; decision 0170).

What live detection wrote into the row of a signal when it was raised, a replay makes now, of any rule: the same matcher
looks at the same signal, as far as its row says what the rule knows of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.logs_repository import LimitsOf
from tocsin.evaluate.method import Plan
from tocsin.evaluate.methods import plan
from tocsin.evaluate.replay import row_of
from tocsin.evaluate.signals_repository import SignalMatches
from tocsin.event import Event
from tocsin.query import parse
from tocsin.query.tree import All, FieldKind, Node, leaves
from tocsin.rule import Rule, RuleQuery
from tocsin.signals.matching import SignalMatcher
from tocsin.signals.repository import SignalRows

RuleAt = Callable[[str, int], Rule | None]
"""A rule as it was at a version, as detection runs it."""


class StoredSignals:
    """Reads only; safe to use from many threads. Times in Unix milliseconds."""

    def __init__(self, rows: SignalRows, members: SignalMatches, rule_at: RuleAt) -> None:
        self._rows = rows
        self._members = members
        self._rule_at = rule_at

    def pages(
        self, rule: Rule, start: int, end: int, limits: LimitsOf, raised_since: int | None = None
    ) -> Iterator[list[MatchRow]]:
        """Pages of the matches that the queries over signals of a rule make of the signals in `[start, end)`, in the
        order of (timestamp, id); with `raised_since`, only of those that scheduled rules have raised from then on.
        Raises `BadRequest` for a rule that cannot be run, `LimitExceeded`."""
        matcher = SignalMatcher([replace(rule, is_enabled=True, is_deleted=False, schedule=None)])
        if matcher.problems:
            raise BadRequest(*(f"a query cannot be run: {problem}" for problem in matcher.problems))
        asked = [(query.correlated_rule, _storable(query)) for query in rule.queries if query.reads_signals]
        sources: dict[tuple[str, int], Plan | None] = {}
        for rows in self._rows.stretch(asked, start, end, limits, raised_since):
            page = []
            for row in rows:
                event, source = event_of(row), self._source(row, sources)
                if raised_since is not None and (source is None or source.rule.schedule is None):
                    continue
                page += [row_of(match, event) for match in matcher.find(event, row["rule_id"], source, _values(row))]
            yield page

    def events(self, refs: Iterable[tuple[int, str]]) -> dict[str, Event]:
        """The signals (timestamp, id) in the shape of events, by id, as `SignalMatches.events`."""
        return self._members.events(refs)

    def _source(self, row: Mapping[str, Any], known: dict[tuple[str, int], Plan | None]) -> Plan | None:
        """The rule that raised a signal; None if it is gone."""
        key = (row["rule_id"], orjson.loads(row["document"])["workflow"]["rule"]["version"])
        if key not in known:
            rule = self._rule_at(*key)
            known[key] = None if rule is None else plan(rule)
        return known[key]


def _storable(query: RuleQuery) -> Node:
    """What the store can say of the query. All texts of a row include what people wrote: it is not asked for them."""
    node = parse(query.full_query)
    is_plain = all(isinstance(leaf, All) or leaf.field.kind is not FieldKind.FULL for leaf in leaves(node))
    return node if is_plain else All()


def event_of(row: Mapping[str, Any]) -> Event:
    """A row as `matching.signal_event` makes it of the signal, without what people and the clock did since."""
    custom = orjson.loads(row["document"])
    workflow = custom["workflow"]
    engine = {name: value for name, value in workflow["engine"].items() if name != "seen"}
    raised = {name: value for name, value in workflow.items() if name != "triage"}
    custom["workflow"] = {**raised, "engine": engine, "window": {"closes_at": workflow["window"]["closes_at"]}}
    return Event(
        id=row["id"],
        timestamp=row["timestamp"],
        message=row["message"],
        status=row["status"],
        host=list(row["host"]),  # type: ignore[arg-type]
        service=list(row["service"]),  # type: ignore[arg-type]
        source=list(row["source"]),  # type: ignore[arg-type]
        tags=[tag.lower() for tag in row["tags"]],
        attributes=custom,
    )


def _values(row: Mapping[str, Any]) -> Callable[[Plan, int], list[str]]:
    """What `matching.supplied` asks: the values at a position of what the rule of the signal groups by."""
    group = orjson.loads(row["detail"])["engine"]["group"]

    def at(source: Plan, position: int) -> list[str]:
        if source.kept is None:
            return list(group[position : position + 1])
        if position in source.kept:
            return [group[source.kept.index(position)]]
        fields = max((query.group_by_fields for query in source.rule.queries), key=len)
        values = orjson.loads(row["document"])["groupByValues"].get(fields[position], [])
        return values if isinstance(values, list) else [values]

    return at
