"""What two runs of a rule over the same logs conclude differently: new, gone and changed signals. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tocsin.evaluate.decision import Decision
from tocsin.rule import Rule


@dataclass(frozen=True, slots=True)
class Outline:
    """A signal as far as two runs are compared by it. Times in Unix milliseconds."""

    group: tuple[str, ...]
    opened_by: str
    timestamp: int
    first_seen: int
    last_seen: int
    closes_at: int
    severity: str
    case: str
    events_matched: int

    @classmethod
    def of(cls, rule: Rule, decision: Decision) -> "Outline":
        case = rule.cases[decision.verdict.case_index]
        return cls(
            decision.group,
            decision.opened_by,
            decision.timestamp,
            decision.first_seen,
            decision.last_seen,
            decision.closes_at,
            case.severity,
            case.name,
            decision.events_matched,
        )


COMPARED = ("timestamp", "first_seen", "last_seen", "severity", "case", "events_matched")


@dataclass(frozen=True, slots=True)
class Difference:
    """Positions in the list before and in the list after."""

    new: tuple[int, ...]
    gone: tuple[int, ...]
    changed: tuple[tuple[int, int], ...]
    same: tuple[tuple[int, int], ...]


def difference(before: Sequence[Outline], after: Sequence[Outline]) -> Difference:
    """Signals are one if the same event opened them in the same group, else if their times overlap in it."""
    opened = {(signal.group, signal.opened_by): place for place, signal in enumerate(before)}
    pairs: dict[int, int] = {}
    for place, signal in enumerate(after):
        if (found := opened.get((signal.group, signal.opened_by))) is not None:
            pairs[place] = found
    left = _by_group(before, set(range(len(before))) - set(pairs.values()))
    for place, signal in enumerate(after):
        if place not in pairs and (twin := _overlapping(left.get(signal.group, []), before, signal)) is not None:
            pairs[place] = twin
            left[signal.group].remove(twin)
    changed: list[tuple[int, int]] = []
    same: list[tuple[int, int]] = []
    for place, found in sorted(pairs.items()):
        (changed if changes(before[found], after[place]) else same).append((found, place))
    return Difference(
        new=tuple(place for place in range(len(after)) if place not in pairs),
        gone=tuple(sorted(set(range(len(before))) - set(pairs.values()))),
        changed=tuple(changed),
        same=tuple(same),
    )


def changes(before: Outline, after: Outline) -> tuple[str, ...]:
    """The members in which two outlines of one signal differ."""
    return tuple(name for name in COMPARED if getattr(before, name) != getattr(after, name))


def _by_group(signals: Sequence[Outline], places: Iterable[int]) -> dict[tuple[str, ...], list[int]]:
    grouped: dict[tuple[str, ...], list[int]] = {}
    for place in sorted(places, key=lambda place: signals[place].first_seen):
        grouped.setdefault(signals[place].group, []).append(place)
    return grouped


def _overlapping(places: list[int], signals: Sequence[Outline], wanted: Outline) -> int | None:
    """Of signals of a group in order of time the last that begins before the wanted one ends, if it reaches it."""
    at = bisect_right(places, wanted.last_seen, key=lambda place: signals[place].first_seen) - 1
    if at < 0 or signals[places[at]].closes_at <= wanted.first_seen:
        return None
    return places[at]
