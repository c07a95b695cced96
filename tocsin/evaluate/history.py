"""What a method that learns reads of the matches before a moment: sums instead of each match (siem.md §2.14, §2.15).

New value looks 60 days back and anomaly 28. A group that is built again reads that span in spans of time and in values,
and the matches themselves only from the moment on from which each counts by itself. `summarise` is the reference for
what the repository computes in SQL; a test in the store holds the two together.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from tocsin.evaluate.decision import MatchRow
from tocsin.rule import Rule

DAY_MS = 86_400_000


class HistoryRow(NamedTuple):
    """All matches of one query in one scope within one span, or with one value. Times in Unix milliseconds.

    `distinct` is the value; None for a row of a span. `events` and `values` count the span's different events and
    values, where the shape asks for counts.
    """

    group: tuple[str, ...]
    query_index: int
    distinct: str | None
    first: int
    last: int
    events: int
    values: int


@dataclass(frozen=True, slots=True)
class HistoryShape:
    """A row for each span of `span_ms`, from the epoch on: with counts, or `by_value`, with a row for each value."""

    span_ms: int
    by_value: bool = False


def summarise(rows: Iterable[MatchRow], shape: HistoryShape) -> list[HistoryRow]:
    """The history that these matches are, sorted."""
    found: dict[tuple[tuple[str, ...], int, str | None, int], list[MatchRow]] = {}
    for row in set(rows):
        found.setdefault((row.group, row.query_index, None, row.timestamp // shape.span_ms), []).append(row)
        if shape.by_value and row.distinct is not None:
            found.setdefault((row.group, row.query_index, row.distinct, 0), []).append(row)
    made = [
        HistoryRow(
            group,
            query_index,
            distinct,
            min(row.timestamp for row in of_span),
            max(row.timestamp for row in of_span),
            0 if shape.by_value else len({row.event_id for row in of_span}),
            0 if shape.by_value else len({row.distinct for row in of_span if row.distinct is not None}),
        )
        for (group, query_index, distinct, _), of_span in found.items()
    ]
    return sorted(made, key=lambda row: (row.group, row.query_index, row.first, row.last, row.distinct or ""))


def baseline(rule: Rule) -> str:
    """The identity of what a rule learns from: equal for two versions whose matches are the same (decision 0080)."""
    queries = [
        [
            query.full_query,
            query.data_source,
            query.aggregation,
            query.group_by_fields,
            query.has_optional_group_by_fields,
            query.distinct_fields,
            query.metrics,
        ]
        for query in rule.queries
    ]
    content: list[object] = [rule.type, rule.options.detection_method, queries, rule.extra.get("referenceTables")]
    if rule.calculated_fields:
        content.append([[field.name, field.expression] for field in rule.calculated_fields])
    return hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()
