"""Before a suppression is saved: what it would have hidden, and what to think about (siem.md §5.3, design §9.6)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.clock import Clock
from tocsin.event import Json
from tocsin.query import parse_cached
from tocsin.query.rules import title_of
from tocsin.rule import Rule
from tocsin.signals.resource import signal_resource
from tocsin.store.events import EventStore
from tocsin.suppressions import preview_repository
from tocsin.suppressions.preview_repository import HiddenCount, SignalCount

DAY_MS = 86_400_000

EXAMPLES = 10

NEARLY_ALL = 0.9
"""A suppression that hides more of a rule's signals than this is a rule switched off in disguise."""

TRUE_POSITIVES = ("true_positive_malicious", "true_positive_benign")

FindRules = Callable[[str], Sequence[Rule]]
"""The rules, enabled or not, that a query finds. Raises `QueryError`."""


@dataclass(frozen=True, slots=True)
class RuleShare:
    """How many of one rule's signals would have been hidden."""

    rule_id: str
    rule_name: str
    hidden: int
    total: int


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to think about; `code` is one of a few words."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a suppression would have done in `[start, end)` (Unix milliseconds).

    `hidden` of `total` signals of the scoped rules; `archived` says for which reasons people had archived those that
    would have been hidden. `excluded_events` of `matched_events` that the scoped rules matched would have been
    ignored; how many signals less that makes needs a backtest and is not counted here.
    """

    start: int
    end: int
    rules_in_scope: int
    hidden: int
    total: int
    true_positives: int
    archived: Mapping[str, int]
    by_rule: tuple[RuleShare, ...]
    examples: tuple[dict[str, Json], ...]
    excluded_events: int | None
    matched_events: int | None
    warnings: tuple[Caution, ...]


class Previews:
    """Looks at what is stored; changes nothing. Safe to use from many threads."""

    def __init__(self, events: EventStore, clock: Clock, find_rules: FindRules) -> None:
        self._events = events
        self._clock = clock
        self._find_rules = find_rules

    def preview(self, attributes: Mapping[str, Any], days: int = 30) -> Preview:
        """What a suppression with these (valid) attributes would have hidden in the last days.

        Its own dates and whether it is enabled do not count: it is about what it would do while in force. Raises
        `LimitExceeded` when the signals or events are too many to look at.
        """
        end = self._clock() + 1
        start = end - days * DAY_MS
        rules = {rule.id: rule for rule in self._find_rules(attributes["rule_query"])}
        counts: list[SignalCount] = []
        examples: tuple[dict[str, Json], ...] = ()
        excluded = matched = None
        ids = list(rules)
        if (text := attributes.get("suppression_query") or "").strip():
            query = parse_cached(text)
            counts = preview_repository.signals(self._events, ids, query, start, end)
            rows = preview_repository.examples(self._events, ids, query, start, end, EXAMPLES)
            examples = tuple(signal_resource(row) for row in rows)
        if (text := attributes.get("data_exclusion_query") or "").strip():
            excluded, matched = preview_repository.matched_events(self._events, ids, parse_cached(text), start, end)
        shares = _shares(counts, rules)
        archived: dict[str, int] = {}
        for count in counts:
            if count.is_hidden and count.reason:
                archived[count.reason] = archived.get(count.reason, 0) + count.count
        made = Preview(
            start=start,
            end=end,
            rules_in_scope=len(rules),
            hidden=sum(share.hidden for share in shares),
            total=sum(share.total for share in shares),
            true_positives=sum(archived.get(reason, 0) for reason in TRUE_POSITIVES),
            archived=archived,
            by_rule=shares,
            examples=examples,
            excluded_events=excluded,
            matched_events=matched,
            warnings=(),
        )
        return _warned(made, attributes, days)

    def hidden(self, suppression_id: str, days: int = 30) -> list[HiddenCount]:
        """What a suppression has hidden in the last days, by rule and hour of discovery."""
        end = self._clock() + 1
        return preview_repository.hidden(self._events, suppression_id, end - days * DAY_MS, end)


def _shares(counts: Sequence[SignalCount], rules: Mapping[str, Rule]) -> tuple[RuleShare, ...]:
    """By rule, those that would lose most first; rules without signals are left out."""
    hidden: dict[str, int] = {}
    total: dict[str, int] = {}
    for count in counts:
        total[count.rule_id] = total.get(count.rule_id, 0) + count.count
        hidden[count.rule_id] = hidden.get(count.rule_id, 0) + count.count * count.is_hidden
    shares = [RuleShare(rule_id, title_of(rules[rule_id]), hidden[rule_id], total[rule_id]) for rule_id in total]
    return tuple(sorted(shares, key=lambda share: (-share.hidden, -share.total, share.rule_id)))


def _warned(preview: Preview, attributes: Mapping[str, Any], days: int) -> Preview:
    values = {name: getattr(preview, name) for name in preview.__slots__}
    return Preview(**{**values, "warnings": tuple(_warnings(preview, attributes, days))})


def _warnings(preview: Preview, attributes: Mapping[str, Any], days: int) -> Iterator[Caution]:
    if not preview.rules_in_scope:
        yield Caution("no_rules", "The rule query finds no rule: nothing would be suppressed")
    for share in preview.by_rule:
        if share.hidden > NEARLY_ALL * share.total:
            yield Caution(
                "nearly_all",
                f"It would have hidden {share.hidden} of {share.total} signals of '{share.rule_name}': "
                "narrow the query, or change or disable the rule",
            )
    if preview.true_positives:
        yield Caution(
            "true_positives",
            f"{preview.true_positives} of the {preview.hidden} signals that it would have hidden "
            "were archived as true positives",
        )
    excluded, matched = preview.excluded_events or 0, preview.matched_events or 0
    if excluded > NEARLY_ALL * matched:
        message = f"The rules would not have seen {excluded} of the {matched} events that they matched"
        yield Caution("nearly_all_events", message)
    if preview.rules_in_scope and preview.hidden == 0 and not preview.excluded_events:
        yield Caution("hides_nothing", f"It would have hidden nothing in {days} days")
    if attributes.get("expiration_date") is None:
        yield Caution("no_expiry", "It has no expiration date: nobody will be asked whether it is still needed")
