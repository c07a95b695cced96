"""Rules over signals: what they read, and why none may read itself (siem.md §2.4, §2.20). Pure.

A query reads signals when its data source is `security_signals`, or when it names a rule (`ruleId`). Signals are then
what events are to other rules, and the same machines decide: signal correlation is a threshold over signals.

A rule that reads signals raises signals too, so a query says whose it reads (decision 0089):

- a query that names a rule reads the signals of that rule;
- any other query reads the signals of all rules over events, and of those rules over signals that it names by
  `@workflow.rule.id:…`.

So the rules over signals form a graph that is known when a rule is saved, and a cycle in it is refused: signals that
raise one another would never come to rest.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from tocsin.errors import BadRequest
from tocsin.event import Json
from tocsin.query import QueryError, parse
from tocsin.query.tree import Equals, FieldKind, Node, Not, children
from tocsin.rule import Match, Rule, RuleQuery

MAX_CORRELATED_FIELDS = 3

KEPT_LISTS = frozenset(
    (
        "usr.id",
        "usr.email",
        "usr.name",
        "network.client.ip",
        "network.destination.ip",
        "network.ip.list",
        "userIdentity.arn",
        "userIdentity.accessKeyId",
        "dns.question.name",
        "entities",
        "correlation.signals",
        "correlation.rules",
    )
)
"""Of these a signal over signals shows all values, however many; and of all that begins so:"""

KEPT_BELOW = ("threat_intel.", "groupByPaths", "groupByValues.")

_RULE_PATHS = ("workflow.rule.id", "workflow.rule.defaultRuleId")


class Matched(NamedTuple):
    """What a signal matches, and what it matched once but does not now.

    `version` rises when detection writes the signal and what rules over signals know of it is not what it was, 0: no
    rule ever found anything in it. `seen` tells that apart: a digest of what they know (`as_member`).
    """

    current: tuple[Match, ...] = ()
    former: tuple[Match, ...] = ()
    version: int = 0
    seen: str = ""

    def gone(self, version: int) -> "Matched":
        """The same of a signal that is no more."""
        return Matched((), (*self.former, *self.current), version) if self.version else self


UNMATCHED = Matched()


def reads_signals(rule: Rule) -> bool:
    """Whether any query of the rule is over signals."""
    return any(query.reads_signals for query in rule.queries)


def mixes(rule: Rule) -> bool:
    """Whether the rule reads logs besides signals."""
    return reads_signals(rule) and not all(query.reads_signals for query in rule.queries)


def named_rules(query: RuleQuery) -> frozenset[str]:
    """The rules whose signals a query over signals asks for by name."""
    if query.correlated_rule is not None:
        return frozenset((query.correlated_rule,))
    try:
        return frozenset(_named(parse(query.full_query)))
    except QueryError:  # such a query finds nothing, and says so elsewhere
        return frozenset()


def source_rules(rule: Rule) -> frozenset[str]:
    """All rules whose signals a rule reads by name: the edges of the graph."""
    return frozenset(name for query in rule.queries if query.reads_signals for name in named_rules(query))


def as_member(custom: Mapping[str, Json]) -> dict[str, Json]:
    """What the signals of rules over signals take from the attributes of one that they consist of (decision 0148).

    Not what people or the clock have done to it since, not its counts, and of attributes that differ among its events
    only those by which it is found (`KEPT_LISTS`): what makes up a signal that grows and grows is to be read in it.
    """
    shown = {
        name: value for name, value in custom.items() if name not in ("queries", "discovery_timestamp", "workflow")
    }
    grouped = {path.removeprefix("@") for path in custom.get("groupByPaths") or ()}
    return {**_agreed(shown, "", grouped), "workflow": {"rule": custom["workflow"]["rule"]}}


def _agreed(node: Mapping[str, Json], above: str, grouped: Collection[str]) -> dict[str, Json]:
    kept: dict[str, Json] = {}
    for name, value in node.items():
        path = f"{above}{name}"
        if isinstance(value, dict):
            kept[name] = _agreed(value, f"{path}.", grouped)
        elif not isinstance(value, list) or path in KEPT_LISTS or path in grouped or path.startswith(KEPT_BELOW):
            kept[name] = value
    return kept


def cycle(rule_id: str, sources: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """A way from a rule through what it reads back to itself, both ends included; empty if there is none.

    `sources` are the edges of every rule that reads signals (`source_rules`).
    """
    came_from: dict[str, str] = {}
    waiting = [rule_id]
    while waiting:
        reader = waiting.pop(0)
        for source in sorted(sources.get(reader, ())):
            if source == rule_id:
                path = [rule_id]
                while reader != rule_id:
                    path.append(reader)
                    reader = came_from[reader]
                return (rule_id, *reversed(path))
            if source not in came_from:
                came_from[source] = reader
                waiting.append(source)
    return ()


def in_order(rules: Iterable[Rule]) -> list[Rule]:
    """Rules over events, then those over signals, each after those whose signals it reads by name. Raises `BadRequest`
    where rules read one another's."""
    ordered: list[Rule] = []
    left = sorted(rules, key=reads_signals)
    while left:
        names = {rule.id for rule in left}
        ready = [rule for rule in left if not source_rules(rule) & names]
        if not ready:
            raise BadRequest(f"the rules {', '.join(sorted(names))} read one another's signals")
        ordered += ready
        done = {rule.id for rule in ready}
        left = [rule for rule in left if rule.id not in done]
    return sorted(ordered, key=reads_signals)


def _named(node: Node) -> Iterator[str]:
    """Rule ids that a query asks for; what stands under NOT is not asked for."""
    waiting = [(node, True)]
    while waiting:
        current, is_asked = waiting.pop()
        if isinstance(current, Equals):
            if is_asked and current.field.kind is FieldKind.ATTRIBUTE and current.field.name in _RULE_PATHS:
                yield current.text
        else:
            is_asked_below = not is_asked if isinstance(current, Not) else is_asked
            waiting.extend((child, is_asked_below) for child in children(current))
