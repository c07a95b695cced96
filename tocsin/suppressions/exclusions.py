"""How many events a suppression keeps from rules (siem.md §5.2), told from the stored logs.

An excluded event leaves no match, but it is stored: it is one that came in while the exclusion was in force and that
its query finds. So the count needs no book-keeping, and each number is a search of the logs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tocsin.clock import Clock
from tocsin.match.conditions import uncalculated
from tocsin.query import Node, QueryError, parse_cached
from tocsin.query.rules import title_of
from tocsin.query.track import LOGS
from tocsin.query.tree import disjunction
from tocsin.rule import Rule
from tocsin.signals.suppression import Suppression, Suppressions
from tocsin.store.events import EventStore
from tocsin.suppressions import exclusions_repository

DAY_MS = 86_400_000

MAX_RULES = 20
"""Of so many rules in scope it is told what they would have found; each is one more condition on every event."""


@dataclass(frozen=True, slots=True)
class Period:
    """A span of time, `[start, end)` in Unix milliseconds, in which a query kept events from rules."""

    rule_query: str
    query: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RuleLoss:
    """How many of the excluded events a rule in scope would have found."""

    rule_id: str
    rule_name: str
    events: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """What was excluded of the events of `[start, end)`: in all, and in each hour (its first Unix millisecond) of
    arrival that has any. `by_rule` is None where more than `MAX_RULES` rules are in scope."""

    start: int
    end: int
    periods: tuple[Period, ...]
    rules_in_scope: int
    events: int
    hours: tuple[tuple[int, int], ...]
    by_rule: tuple[RuleLoss, ...] | None


def periods(versions: Iterable[Suppression], start: int, end: int) -> tuple[Period, ...]:
    """When the versions of one suppression kept events from rules, within `[start, end)`, in order of time; versions
    that exclude the same make one period."""
    found: list[Period] = []
    for version in sorted(versions, key=lambda version: version.version):
        if not version.is_enabled or not version.data_exclusion_query.strip():
            continue
        since = max(version.since, version.start or 0, start)
        until = min(*(at for at in (version.until, version.expires) if at is not None), end, end)
        if since >= until:
            continue
        made = Period(version.rule_query, version.data_exclusion_query, since, until)
        last = found[-1] if found else None
        if last is not None and last.end == since and (last.rule_query, last.query) == (made.rule_query, made.query):
            found[-1] = replace(last, end=until)
        else:
            found.append(made)
    return tuple(found)


class Exclusions:
    """Looks at what is stored; changes nothing. Safe to use from many threads."""

    def __init__(
        self,
        events: EventStore,
        clock: Clock,
        present: Callable[[], Suppressions],
        find_rules: Callable[[str], Sequence[Rule]],
    ) -> None:
        """`find_rules` gives the rules over logs that a query finds, as they would run without suppressions."""
        self._events = events
        self._clock = clock
        self._present = present
        self._find_rules = find_rules

    def excluded(self, suppression_id: str, days: int = 30) -> Excluded:
        """What a suppression has kept from rules in the last days. Raises `LimitExceeded`."""
        end = self._clock() + 1
        start = end - days * DAY_MS
        spans = periods(self._present().versions_excluding(suppression_id), start, end)
        scoped = {period: self._find_rules(period.rule_query) for period in spans}
        rules = {rule.id: rule for found in scoped.values() for rule in found}
        is_told = len(rules) <= MAX_RULES
        asked = [
            (parse_cached(period.query), period.start, period.end, [rule.id for rule in scoped[period]])
            for period in spans
        ]
        finds = {rule.id: node for rule in rules.values() if is_told and (node := _finding(rule)) is not None}
        hours, losses = exclusions_repository.excluded(self._events, asked, finds, start, end) if asked else ([], {})
        by_rule = [RuleLoss(rule_id, title_of(rules[rule_id]), losses.get(rule_id, 0)) for rule_id in rules]
        return Excluded(
            start=start,
            end=end,
            periods=spans,
            rules_in_scope=len(rules),
            events=sum(count for _, count in hours),
            hours=tuple(hours),
            by_rule=tuple(sorted(by_rule, key=lambda loss: (-loss.events, loss.rule_id))) if is_told else None,
        )


def _finding(rule: Rule) -> Node | None:
    """What any query of a rule finds; None if that cannot be told."""
    try:
        nodes = [uncalculated(parse_cached(one.full_query)) for one in rule.queries if one.data_source == LOGS.name]
    except QueryError:
        return None
    return disjunction(nodes) if nodes else None
