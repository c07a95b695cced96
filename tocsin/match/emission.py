"""What a query that holds writes beside the event: one match for each group it falls into (siem.md §2.4, §2.5)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, product

from tocsin.event import Event
from tocsin.match.log4shell import recognise, recognises
from tocsin.match.presence import Presence, presences
from tocsin.match.texts import SEPARATOR, Found, Read, Texts, making, readers, reading, texts
from tocsin.query.track import Track
from tocsin.query.values import Scalar, number_of
from tocsin.rule import MISSING_GROUP_VALUE, Match, Rule, RuleQuery
from tocsin.tables import ColumnOf, no_column

MAX_MATCHES = 50
"""Of one query on one event: multi-valued fields multiply, and an event must not become thousands of rows."""

DISTINCT_SEPARATOR = SEPARATOR


@dataclass(frozen=True, slots=True)
class Emission:
    """One query of a rule at a version, as far as it concerns what is written."""

    rule_id: str
    rule_version: int
    query_index: int
    group_by: tuple[Read, ...]
    is_group_optional: bool
    texts: Texts
    metric: Read | None = None
    is_maximum: bool = False
    presences: tuple[Presence, ...] = ()
    needs_text: bool = False

    @classmethod
    def of(
        cls, rule: Rule, query_index: int, query: RuleQuery, track: Track, column: ColumnOf = no_column
    ) -> "Emission":
        """`column` gives the columns of reference tables. Raises `QueryError` for what is not the name of a field."""
        metrics = query.metrics if query.aggregation in ("sum", "max") else ()
        return cls(
            rule_id=rule.id,
            rule_version=rule.version,
            query_index=query_index,
            group_by=readers(query.group_by_fields, track),
            is_group_optional=query.has_optional_group_by_fields,
            texts=recognise if recognises(rule) else reading(making(rule, query), track),
            metric=next(iter(readers(metrics, track)), None),
            is_maximum=query.aggregation == "max",
            presences=presences(rule, query, track, column),
            needs_text=query.aggregation == "new_value" or recognises(rule),
        )

    def matches(self, event: Event, found: Found | None = None) -> Sequence[Match]:
        """No match when a group-by field is missing and not optional. `found` is the flattened event, if it is at hand.

        An event without the distinct or metric field still matches: it is seen, and adds nothing to the number of
        values or to the sum. Only where new values are looked for, it does not (siem.md §2.14), nor where its rule
        recognises nothing in it (siem.md §2.21).
        """
        if self.presences and not all(presence.passes(event) for presence in self.presences):
            return ()
        groups = [texts(read(event, found)) for read in self.group_by]
        if self.is_group_optional:
            groups = [values or [MISSING_GROUP_VALUE] for values in groups]
        elif not all(groups):
            return ()
        parts: list[str] | list[None] = self.texts(event, found) or ([] if self.needs_text else [None])
        value = None if self.metric is None else self._value(self.metric(event, found))
        if len(parts) == 1 and sum(map(len, groups)) == len(groups):  # nearly always
            group = tuple([only for (only,) in groups])
            return (Match(self.rule_id, self.rule_version, self.query_index, group, parts[0], value),)
        return [
            Match(self.rule_id, self.rule_version, self.query_index, group, part, value)
            for group, part in islice(product(product(*groups), parts), MAX_MATCHES)
        ]

    def _value(self, metric: Iterable[Scalar]) -> float | None:
        """The metric of the event: of several values the sum or the highest, as the aggregation is."""
        numbers = [number for number in map(_number, metric) if number is not None]
        if not numbers:
            return None
        return max(numbers) if self.is_maximum else sum(numbers)


def _number(value: Scalar) -> float | None:
    number = number_of(value) if isinstance(value, str) else value
    if number is None or isinstance(number, bool) or not math.isfinite(number):
        return None
    return float(number)
