"""All enabled rules' queries at once, kept up to date as rules change (design §4.5).

A matcher is made of segments. A changed rule goes into a small one beside the large one, where its old version is
switched off; so a change costs milliseconds, and what is known of the values seen so far stays.
"""

from collections.abc import Iterable, Mapping, Sequence

from tocsin.event import Event
from tocsin.match.segment import Problem, Segment
from tocsin.query.track import LOGS, Track
from tocsin.query.values import Scalar, flatten
from tocsin.rule import Match, Rule
from tocsin.tables import ColumnOf, no_column

__all__ = ["Matcher", "Problem"]

SMALL = 50
"""Rules that the segment of changed ones may hold at least; it is compiled anew with each change."""

SMALL_SHARE = 20
"""Or the share of all rules: one in so many."""


class Matcher:
    """Immutable but for what it remembers; may be used by several threads. Change rules by `with_rules`."""

    def __init__(self, rules: Iterable[Rule], track: Track = LOGS, column: ColumnOf = no_column) -> None:
        """Only enabled rules and their queries on `track` are compiled; what cannot be is told in `problems`.

        `column` gives the columns of reference tables that rules filter by.
        """
        rules = list(rules)
        self._track = track
        self._column = column
        self._set(rules, [Segment(rules, track, column)])

    def with_rules(self, rules: Iterable[Rule]) -> "Matcher":
        """The matcher of other rules; cheap where few of them changed. Reference tables must be the same."""
        rules = list(rules)
        large = self._segments[0]
        wanted = {rule.id: rule for rule in rules}
        gone = [rule_id for rule_id, rule in large.alive().items() if wanted.get(rule_id) != rule]
        base = large.without(gone) if gone else large
        kept = base.alive()
        changed = [rule for rule in rules if rule.id not in kept]
        if len(changed) > max(SMALL, len(rules) // SMALL_SHARE):
            return Matcher(rules, self._track, self._column)
        made = Matcher((), self._track, self._column)
        made._set(rules, [base, Segment(changed, self._track, self._column)] if changed else [base])
        return made

    def _set(self, rules: Sequence[Rule], segments: list[Segment]) -> None:
        self._segments = segments
        self._order = {rule.id: number for number, rule in enumerate(rules)}
        self.problems: list[Problem] = [
            problem for segment in segments for problem in segment.problems if problem.rule_id in segment.alive()
        ]

    def match(
        self, event: Event, found: Mapping[str, list[Scalar]] | None = None, document: bytes = b""
    ) -> list[Match]:
        """What every rule finds in the event, in the order of the rules.

        `found` is `flatten(event.attributes)`, `document` the attributes as JSON, each if it is at hand.
        """
        if found is None:
            found = flatten(event.attributes)
        emissions = self._segments[0].emissions(event, found, document)
        for segment in self._segments[1:]:
            if more := segment.emissions(event, found, document):
                emissions = emissions + more
                emissions.sort(key=lambda one: (self._order[one.rule_id], one.query_index))
        return [match for emission in emissions for match in emission.matches(event, found)]
