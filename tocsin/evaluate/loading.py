"""Reads signal groups from what is stored: the sums of what they learned long ago, then the matches themselves.

Groups that begin at about the same time are read together: a statement costs more than the matches of one group.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.history import HistoryRow
from tocsin.evaluate.interface import Learner, Machine
from tocsin.evaluate.lineage import Taught, row_for
from tocsin.evaluate.method import FIRST_EVENTS, Plan
from tocsin.evaluate.repository import LATE_MS, GroupKey, Matches, StoredMatch

TOGETHER = 400
"""Groups whose matches are read by one statement."""

LEARNED_TOGETHER = 50
"""Groups whose history is summed up by one statement: it compares each match with the moment of its group."""

SPAN_MS = 6 * 3600 * 1000
"""They begin within this time of one another, since the statement reads all from where the first begins."""


class Loadable(Protocol):
    """A group to be read, from `restart` on (Unix milliseconds)."""

    plan: Plan
    restart: int

    def remember(self, history: Iterable[HistoryRow]) -> None: ...
    def load(self, rows: Iterable[MatchRow]) -> None: ...


Teachers = Callable[[GroupKey], Sequence[int]]
"""The versions whose matches are history to a group's own (`lineage.py`)."""

Guard = Callable[[GroupKey], AbstractContextManager[object] | None]
"""What goes wrong with one group, and only with it, ends here; None for a group that is given up already."""


def load(matches: Matches, groups: Mapping[GroupKey, Loadable], teachers: Teachers, guard: Guard) -> None:
    """Fill these groups, which are empty, each in event time."""
    learning = _by_version(key for key, group in groups.items() if group.plan.history is not None)
    for keys in learning:
        _remember(matches, {key: groups[key] for key in keys}, teachers(keys[0]), guard)
    starts = {key: group.plan.exact_since(group.restart) for key, group in groups.items()}
    for part in _together((key for key in groups if groups[key].plan.kept is None), starts, TOGETHER):
        readers: dict[GroupKey, list[GroupKey]] = {}
        for key in part:
            for version in (key.rule_version, *teachers(key)):
                readers.setdefault(key._replace(rule_version=version), []).append(key)
        for page in matches.of_groups(list(readers), starts[part[0]]):
            found = ((key, match) for match in eligible(page) for key in readers.get(_scope(match), ()))
            _deliver(found, groups, starts, guard)
    for keys in _by_version(key for key, group in groups.items() if group.plan.kept is not None):
        first, prepared = keys[0], groups[keys[0]].plan
        since, merged = min(starts[key] for key in keys), [key.group for key in keys]
        kept = prepared.kept or ()
        for page in matches.of_merged(first.rule_id, first.rule_version, kept, merged, since, teachers(first)):
            found = ((first._replace(group=prepared.signal_group(match.row.group)), match) for match in eligible(page))
            _deliver(found, groups, starts, guard)


def machine_of(
    matches: Matches, found: Taught, group: tuple[str, ...], restart: int, named: int = FIRST_EVENTS
) -> tuple[Machine, Iterator[list[MatchRow]]]:
    """The machine of one signal group as it stands before `restart`, and pages of the matches to feed it with."""
    prepared, rule = found.plan, found.plan.rule
    machine, start = prepared.machine(restart, named), prepared.exact_since(restart)
    if prepared.history is not None and isinstance(machine, Learner):
        since, versions = restart - prepared.lookback_ms, (rule.version, *found.teachers)
        machine.remember(matches.history(rule.id, versions, prepared.kept, {group: start}, since, prepared.history))
    if prepared.kept is None:
        keys = [GroupKey(rule.id, version, group) for version in (rule.version, *found.teachers)]
        pages = matches.of_groups(keys, start)
    else:
        pages = matches.of_merged(rule.id, rule.version, prepared.kept, [group], start, found.teachers)
    return machine, ([row_for(match, rule.version) for match in eligible(page)] for page in pages)


def is_eligible(match: StoredMatch) -> bool:
    """Whether it is evaluated: its event did not come too late, or was sent as backfill (decision 0071)."""
    return match.is_backfill or match.ingested_at - match.row.timestamp <= LATE_MS


def eligible(matches: Iterable[StoredMatch]) -> list[StoredMatch]:
    """Those that are evaluated."""
    return [match for match in matches if is_eligible(match)]


def _remember(matches: Matches, groups: Mapping[GroupKey, Loadable], teachers: Sequence[int], guard: Guard) -> None:
    """Give groups of one version what was before the matches that they are loaded with."""
    restarts = {key: group.restart for key, group in groups.items()}
    for part in _together(groups, restarts, LEARNED_TOGETHER):
        first, prepared = part[0], groups[part[0]].plan
        if prepared.history is None:
            continue
        found: dict[tuple[str, ...], list[HistoryRow]] = {key.group: [] for key in part}
        until = {key.group: prepared.exact_since(restarts[key]) for key in part}
        since = restarts[first] - prepared.lookback_ms
        versions = (first.rule_version, *teachers)
        for row in matches.history(first.rule_id, versions, prepared.kept, until, since, prepared.history):
            found[prepared.signal_group(row.group)].append(row)
        for key in part:
            if (guarded := guard(key)) is not None:
                with guarded:
                    groups[key].remember(found[key.group])


def _deliver(
    found: Iterable[tuple[GroupKey, StoredMatch]],
    groups: Mapping[GroupKey, Loadable],
    starts: Mapping[GroupKey, int],
    guard: Guard,
) -> None:
    rows: dict[GroupKey, list[MatchRow]] = {}
    for key, match in found:
        if key in groups and match.row.timestamp >= starts[key]:
            rows.setdefault(key, []).append(row_for(match, key.rule_version))
    for key, of_group in rows.items():
        if (guarded := guard(key)) is not None:
            with guarded:
                groups[key].load(of_group)


def _by_version(keys: Iterable[GroupKey]) -> list[list[GroupKey]]:
    """The keys of each version of each rule."""
    found: dict[tuple[str, int], list[GroupKey]] = {}
    for key in keys:
        found.setdefault((key.rule_id, key.rule_version), []).append(key)
    return list(found.values())


def _together(keys: Iterable[GroupKey], starts: Mapping[GroupKey, int], limit: int) -> Iterator[list[GroupKey]]:
    """Keys in the order of their starts, in parts that begin at about the same time."""
    part: list[GroupKey] = []
    for key in sorted(keys, key=starts.__getitem__):
        if part and (len(part) == limit or starts[key] - starts[part[0]] > SPAN_MS):
            yield part
            part = []
        part.append(key)
    if part:
        yield part


def _scope(match: StoredMatch) -> GroupKey:
    return GroupKey(match.rule_id, match.rule_version, match.row.group)
