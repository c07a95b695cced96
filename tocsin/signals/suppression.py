"""Which suppressions hide a would-be signal, and which events they keep from a rule (siem.md §5.2). Pure.

A suppression is in force from the moment its version was saved until the next one, within its own dates. So what was
in force at any moment in the past can be told again: a signal that was hidden stays hidden when its group is decided
anew, however the suppression has changed since (decision 0110).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from tocsin.event import Json
from tocsin.query import QueryError, parse, to_predicate
from tocsin.query.rules import rule_predicate
from tocsin.query.track import SIGNALS
from tocsin.rule import Rule
from tocsin.signal import Signal
from tocsin.signals.projection import with_triage
from tocsin.signals.resource import iso

REMEMBERED_SCOPES = 20_000


@dataclass(frozen=True, slots=True)
class Suppression:
    """One version of a suppression. Times in Unix milliseconds, None is open.

    It was saved at `since` and replaced (or deleted) at `until`; `start` and `expires` are its own dates.
    """

    id: str
    version: int
    name: str
    is_enabled: bool
    rule_query: str
    suppression_query: str
    data_exclusion_query: str
    start: int | None
    expires: int | None
    since: int = 0
    until: int | None = None

    def may_have_judged(self, at: int) -> bool:
        """Whether it counted at a moment, or until then: who judged in the very millisecond of a change may have seen
        either version, and must be told the same again."""
        return self.is_in_force(at) or (self.until == at and self.is_in_force(at - 1))

    def is_in_force(self, at: int) -> bool:
        """Whether this version counted at a moment."""
        return (
            self.is_enabled
            and self.since <= at
            and (self.until is None or at < self.until)
            and (self.start is None or self.start <= at)
            and (self.expires is None or at < self.expires)
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A would-be signal as the query language sees it: the names of the track `signals`."""

    timestamp: int
    message: str
    status: str
    host: tuple[str, ...]
    service: tuple[str, ...]
    source: tuple[str, ...]
    tags: tuple[str, ...]
    attributes: Json

    @classmethod
    def of(cls, signal: Signal) -> "Candidate":
        """As it would be stored: nobody has triaged it yet."""
        return cls(
            timestamp=signal.timestamp,
            message=signal.message,
            status=signal.severity,
            host=signal.host,
            service=signal.service,
            source=signal.source,
            tags=signal.tags,
            attributes=with_triage(signal.custom, None),
        )


class Suppressions:
    """All versions of all suppressions. Immutable but for what it remembers; for any thread."""

    def __init__(self, versions: Iterable[Suppression] = ()) -> None:
        self._hiding = tuple(version for version in versions if version.suppression_query.strip())
        self._excluding = tuple(version for version in versions if version.data_exclusion_query.strip())
        self._scoped: dict[tuple[str, int], tuple[Suppression, ...]] = {}

    @property
    def may_have_hidden(self) -> bool:
        """Whether any suppression has ever been there that could hide signals."""
        return bool(self._hiding)

    def may_hide(self, rule: Rule, at: int) -> bool:
        """Whether any suppression could hide a signal of this rule at a moment (Unix milliseconds)."""
        return any(version.may_have_judged(at) for version in self._of_rule(rule))

    def hiding(self, rule: Rule, signal: Signal, at: int) -> tuple[Suppression, ...]:
        """The suppressions that hide a signal of this rule at a moment (Unix milliseconds); in no order that counts."""
        scoped = [version for version in self._of_rule(rule) if version.may_have_judged(at)]
        if not scoped:
            return ()
        candidate = Candidate.of(signal)
        return tuple(version for version in scoped if signal_predicate(version.suppression_query)(candidate))

    def exclusions(self, rule: Rule, at: int) -> tuple[str, ...]:
        """The queries of the events that a rule ignores at a moment, each once, in order of text."""
        found = {
            version.data_exclusion_query
            for version in self._excluding
            if version.is_in_force(at) and selects(version.rule_query, rule)
        }
        return tuple(sorted(found))

    def excluding(self, at: int) -> tuple[tuple[str, str], ...]:
        """(rule query, exclusion) of all that keep events from rules at a moment: equal tuples, equal exclusions."""
        return tuple(
            sorted({(v.rule_query, v.data_exclusion_query) for v in self._excluding if v.is_in_force(at)})
        )  # fmt: skip

    def excluding_for(self, rule: Rule, at: int) -> tuple[Suppression, ...]:
        """The suppressions that keep events from a rule at a moment."""
        return tuple(v for v in self._excluding if v.is_in_force(at) and selects(v.rule_query, rule))

    def versions_excluding(self, suppression_id: str) -> tuple[Suppression, ...]:
        """The versions of a suppression that ever kept events from rules."""
        return tuple(version for version in self._excluding if version.id == suppression_id)

    def _of_rule(self, rule: Rule) -> tuple[Suppression, ...]:
        key = (rule.id, rule.version)
        found = self._scoped.get(key)
        if found is None:
            if len(self._scoped) >= REMEMBERED_SCOPES:
                self._scoped.clear()
            found = self._scoped[key] = tuple(v for v in self._hiding if selects(v.rule_query, rule))
        return found


NO_SUPPRESSIONS = Suppressions()


def with_suppression(custom: Json, hidden_by: Iterable[Suppression], at: int, *, is_update: bool) -> dict[str, Json]:
    """The members of `custom` of a hidden signal: which suppressions hide it since when (Unix milliseconds).

    `is_update`: the signal itself is shown, hidden is what would have joined it.
    """
    ordered = sorted(hidden_by, key=lambda suppression: suppression.id)
    shown: dict[str, Json] = {
        "id": [suppression.id for suppression in ordered],
        "name": [suppression.name for suppression in ordered],
        "version": [suppression.version for suppression in ordered],
        "hides": "update" if is_update else "signal",
        "since": iso(at),
    }
    return {**custom, "workflow": {**custom["workflow"], "suppression": shown}}


def selects(rule_query: str, rule: Rule) -> bool:
    """Whether a suppression's `rule_query` is about a rule. One that no longer parses is about none."""
    return _rule_predicate(rule_query)(rule)


@lru_cache(maxsize=4096)
def signal_predicate(query: str) -> Callable[[Candidate], bool]:
    """A query over would-be signals. One that no longer parses hides nothing: what is shown can be seen to be wrong."""
    try:
        return to_predicate(parse(query), SIGNALS)
    except QueryError:
        return lambda candidate: False


@lru_cache(maxsize=4096)
def _rule_predicate(query: str) -> Callable[[Rule], bool]:
    try:
        return rule_predicate(query)
    except QueryError:
        return lambda rule: False
