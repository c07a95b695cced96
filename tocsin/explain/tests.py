"""What a test of a rule says: what was expected and what came, event by event, and how near it was (design §9.4, §9.5).

Pure. Texts for people, and the same as data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from tocsin.evaluate.nearest import Nearest
from tocsin.event import Event, Json
from tocsin.explain.rules import near_event, nearest_json, terms_of, told
from tocsin.query import field_values, print_query, to_predicate
from tocsin.query.values import Scalar
from tocsin.rules.checking import MEMBERS, Result, Seen, SingleResult, TimelineResult, Unlike, compared, described
from tocsin.rules.rehearsal import Raised
from tocsin.rules.samples import Expected

T = TypeVar("T")

TIMES = ("at", "last")

SHOWN_EVENTS = 40
"""Lines of a timeline that are told; equal neighbours are one line."""

SHOWN_SIGNALS = 10
"""Signals of each kind that are told: unlike, missing, too many."""

SHOWN_MESSAGE = 100


def failure(result: Result) -> list[str]:
    """The lines that say why a test failed; none if it passed."""
    if result.passed:
        return []
    return list(_of_single(result) if isinstance(result, SingleResult) else _of_timeline(result))


def as_json(result: Result) -> dict[str, Json]:
    """A result as data."""
    shown: dict[str, Json] = {"name": result.name, "passed": result.passed}
    if isinstance(result, SingleResult):
        shown |= {"query": result.single.query, "expected": result.single.must_match, "matches": result.matches}
        if not result.passed:
            shown |= {"missing": list(result.missing), "excluded_by": _excluded_by(result)}
        return shown
    start, labels = result.timeline.start, [query.label for query in result.plan.rule.queries]
    shown["events"] = [
        {"at": seen.at / 1000, "queries": [labels[index] for index in seen.queries], "message": seen.event.message}
        for seen in result.seen
    ]
    shown["signals"] = [_seconds(described(raised, start)) for raised in result.raised]
    shown["unlike"] = [
        {
            "expected": _wanted(one.expected),
            "got": _seconds(described(one.raised, start)),
            "members": list(one.members),
        }
        for one in result.unlike
    ]
    shown["missing"] = [
        {"expected": _wanted(expected), "nearest": nearest_json(result.plan, near) if near is not None else None}
        for expected, near in result.missing
    ]
    shown["surplus"] = [_seconds(described(raised, start)) for raised in result.surplus]
    shown["failures"] = [{"group": list(group), "reason": reason} for group, reason in result.failures.items()]
    return shown


def offset(milliseconds: int) -> str:
    """A time after the start: `0s`, `1m40s`, `2d3h`."""
    rest, parts = milliseconds, []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def _of_single(result: SingleResult) -> Iterator[str]:
    event = result.event
    if result.matches:
        yield f"query {result.single.query} matches, and must not: {print_query(terms_of(result.queries[0])[0])} …"
    elif result.missing:
        lacking = ", ".join(result.missing)
        yield f"query {result.single.query} must match, but the event has no {lacking}, by which it is grouped"
    else:
        yield f"query {result.single.query} must match, and does not:"
    for one in _excluded_by(result):
        values = "; ".join(f"{field} is {value}" for field, value in one["values"].items())
        yield f"  {one['term']} does not hold" + (f": {values}" if values else "")
    yield f"  event: {_message(event)}"


def _excluded_by(result: SingleResult) -> list[dict[str, Json]]:
    """The terms of the query that do not hold; of several queries those of the one that is nearest."""
    nearest: list[dict[str, Json]] | None = None
    for query in result.queries:
        terms = terms_of(query)
        excluded = near_event(result.event, terms, [to_predicate(term)(result.event) for term in terms])["excluded_by"]
        if nearest is None or len(excluded) < len(nearest):
            nearest = excluded
    return nearest or []


def _of_timeline(result: TimelineResult) -> Iterator[str]:
    yield from _first(result.unlike, lambda one: _of_unlike(result, one), "are not as expected")
    yield from _first(result.missing, lambda one: _of_missing(result, *one), "are missing")
    yield from _first(result.surplus, lambda one: _of_surplus(result, one), "are too many")
    for number, (values_of_group, reason) in enumerate(result.failures.items()):
        if number == SHOWN_SIGNALS:
            yield f"… and {len(result.failures) - number:,} more could not be decided"
            break
        yield f"the group {', '.join(values_of_group) or '(all)'} could not be decided: {reason}"
    yield "events:"
    yield from _events(result)


def _first(found: Sequence[T], lines: Callable[[T], Iterator[str]], what: str) -> Iterator[str]:
    """The lines of the first few, and how many more there are."""
    for one in found[:SHOWN_SIGNALS]:
        yield from lines(one)
    if len(found) > SHOWN_SIGNALS:
        yield f"… and {len(found) - SHOWN_SIGNALS:,} more {what}"


def _of_unlike(result: TimelineResult, one: Unlike) -> Iterator[str]:
    start = result.timeline.start
    yield f"a signal is not as expected: {_told_signal(described(one.raised, start))}"
    for name, wanted, got in compared(one.expected, one.raised, start):
        if name in one.members:
            yield f"  {name}: expected {_value(name, wanted)}, got {_value(name, got)}"


def _of_missing(result: TimelineResult, expected: Expected, near: Nearest | None) -> Iterator[str]:
    yield f"a signal is missing: {_told_signal(_given(expected))}"
    if near is not None:
        group = f" for {', '.join(near.group)}" if near.group else ""
        what = "nearest" if near.distance else "it held"
        yield f"  {what}, at {offset(near.at - result.timeline.start)}{group}: {told(result.plan, near)}"
    else:
        yield "  no event came near: see below which of them the queries matched"


def _of_surplus(result: TimelineResult, raised: Raised) -> Iterator[str]:
    yield f"a signal too many: {_told_signal(described(raised, result.timeline.start))}"
    values = raised.decision.verdict.values
    labels = [query.label for query in result.plan.rule.queries]
    shown = [f"{label} {value:g}" for label, value in zip(labels, values, strict=False) if value is not None]
    if shown:
        yield f"  decided by {', '.join(shown)}"


def _events(result: TimelineResult) -> Iterator[str]:
    labels = [query.label for query in result.plan.rule.queries]
    opened = {one.decision.opened_by: one for one in result.raised}

    def alike(seen: Seen) -> tuple[tuple[int, ...], str, tuple[Scalar, ...]]:
        event = seen.event
        return seen.queries, event.id if event.id in opened else "", tuple(field_values(event, "@evt.name"))

    for number, ((queries, opens, _), several) in enumerate(groupby(result.seen, alike)):
        run = list(several)
        if number == SHOWN_EVENTS:
            yield "  …"
            return
        matched = ", ".join(labels[index] for index in queries) or "-"
        times = offset(run[0].at) if len(run) == 1 else f"{offset(run[0].at)}…{offset(run[-1].at)} ({len(run)})"
        ending = f"  => {opened[opens].signal.severity} signal" if opens else ""
        yield f"  {times:<22} {matched:<14} {_message(run[0].event)}{ending}"


def _told_signal(members: Mapping[str, Json]) -> str:
    said = [
        f"{name} {_value(name, members[name])}"
        for name in MEMBERS
        if members.get(name) not in (None, "") or name == "at"
    ]
    return ", ".join(part for part in said if not part.endswith(" None"))


def _value(name: str, value: Json) -> str:
    if name in TIMES and isinstance(value, int):
        return offset(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{field}={_joined(one)}" for field, one in value.items()) or "(no group)"
    return f"'{value}'" if name in ("case", "title") else str(value)


def _joined(value: Json) -> str:
    return " | ".join(map(str, value)) if isinstance(value, list) else str(value)


def _given(expected: Expected) -> dict[str, Json]:
    return {name: getattr(expected, name) for name in MEMBERS}


def _wanted(expected: Expected) -> dict[str, Json]:
    return _seconds({name: value for name, value in _given(expected).items() if value is not None})


def _seconds(members: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value / 1000 if name in TIMES else value for name, value in members.items()}


def _message(event: Event) -> str:
    text = " ".join(event.message.split())
    return text if len(text) <= SHOWN_MESSAGE else text[: SHOWN_MESSAGE - 1] + "…"


def summary(results: Sequence[Result]) -> str:
    """`5 events and 2 timelines`."""
    singles = sum(isinstance(result, SingleResult) for result in results)
    timelines = len(results) - singles
    parts = []
    if singles:
        parts.append(f"{singles} event{'s' if singles > 1 else ''}")
    if timelines:
        parts.append(f"{timelines} timeline{'s' if timelines > 1 else ''}")
    return " and ".join(parts)
