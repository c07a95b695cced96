"""Where a threshold rule can fire at all: an upper bound that the event store computes without reading the matches.

A replay over millions of logs spends its time on scopes that never come near a threshold. A window that ends at time t
lies in the bucket of t and the one before it, if buckets are as long as the window. So the matches of these two bound
every count in the window, and a case whose comparisons do not even hold for the bounds holds nowhere in the bucket.
Pure; `logs_repository.py` writes the bound as SQL, and a property test holds both to the method itself.
"""

import math
from dataclasses import dataclass

from tocsin.evaluate.condition import All, Comparison, Part
from tocsin.evaluate.method import Plan
from tocsin.evaluate.threshold import ThresholdPlan

BOUNDED = ("count", "cardinality")
"""Aggregations whose value is at most the number of what they count; a sum or maximum may be anything."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The query has at least this many (matches, or distinct values) in the two buckets."""

    query_index: int
    number: float
    is_strict: bool


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple["Bound", ...]


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple["Bound", ...]


Bound = AtLeast | Every | Some
"""`Every(())` is always true."""

ALWAYS = Every(())


def bound(prepared: Plan) -> Bound | None:
    """What two buckets must hold for the rule to fire in the later one; None where that says nothing.

    It says nothing for other methods, for windows of length 0, and where a single match may be enough.
    """
    if not isinstance(prepared, ThresholdPlan) or prepared.rule.window_ms == 0:
        return None
    by_label = {query.label: index for index, query in enumerate(prepared.rule.queries)}
    is_bounded = [query.aggregation in BOUNDED for query in prepared.rule.queries]

    def of(part: Part) -> Bound:
        if isinstance(part, Comparison):
            index = by_label[part.label]
            if not is_bounded[index] or part.operator not in (">", ">=", "=="):
                return ALWAYS
            return AtLeast(index, part.number, part.operator == ">")
        parts = tuple(of(inner) for inner in part.parts)
        return Every(parts) if isinstance(part, All) else Some(parts)

    found = Some(tuple(Every(tuple(of(stage) for stage in case.stages)) for case in prepared.conditions))
    one_each = [1.0] * len(prepared.rule.queries)
    return None if holds(found, one_each) else found


def holds(needed: Bound, numbers: list[float]) -> bool:
    """Whether these numbers, one for each query, reach the bound."""
    if isinstance(needed, AtLeast):
        number = numbers[needed.query_index]
        return number > needed.number if needed.is_strict else number >= needed.number
    if isinstance(needed, Every):
        return all(holds(part, numbers) for part in needed.parts)
    return any(holds(part, numbers) for part in needed.parts)


def least(needed: Bound, query_index: int) -> float:
    """The least whole number of one query with which the bound can be reached, whatever the others have; infinite where
    none does."""
    if isinstance(needed, AtLeast):
        if needed.query_index != query_index:
            return 0
        return math.floor(needed.number) + 1 if needed.is_strict else math.ceil(needed.number)
    numbers = [least(part, query_index) for part in needed.parts]
    return max(numbers, default=0) if isinstance(needed, Every) else min(numbers, default=math.inf)
