"""The ATT&CK map: which rules look for which technique of which tactic, and where none does (siem.md §10.3).

A rule stands in a tile when it carries the tag of the tactic and one of the technique or of a sub-technique of it, and
ATT&CK knows the pair. Tags that lead nowhere are told, so that nothing is missing from the map unseen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tocsin.query.rules import facts_of
from tocsin.rule import Rule
from tocsin.rules.attack import TACTICS, Technique, tactics_of, techniques
from tocsin.rules.hints import attack_hints, attack_id
from tocsin.rules.listing import EVERY_RULE
from tocsin.rules.problems import Problem
from tocsin.rules.service import RulesService
from tocsin.signals.ledger_repository import MINUTE_MS, LedgerRows


@dataclass(frozen=True, slots=True)
class Tile:
    """A technique under one of its tactics, the rules that look for it, and how many of them name a sub-technique."""

    technique: Technique
    rules: tuple[Rule, ...]
    sub_techniques: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stray:
    """A rule with tags that lead nowhere, or with none of a technique (no problems)."""

    rule: Rule
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class AttackMap:
    """Tiles by tactic, in the order of the matrix; `query` finds in the list of rules those that are on it or astray.

    `active_sources` sent logs in the time asked for. `sourceless`: rules that were left out since they name no source.
    """

    tactics: Mapping[str, tuple[Tile, ...]]
    strays: tuple[Stray, ...]
    rules: int
    query: str
    active_sources: tuple[str, ...]
    sourceless: int = 0


class AttackMaps:
    """Draws the map of the rules as they are now; for any thread of any process."""

    def __init__(self, rules: RulesService, ledger: LedgerRows) -> None:
        self._rules = rules
        self._ledger = ledger

    def read(self, start: int, end: int, query: str = "", *, only_active: bool = True) -> AttackMap:
        """The map of the rules that a query finds; `only_active`: of those whose tags name a source that sent logs
        between two moments (Unix milliseconds). Raises `QueryError`."""
        active = self._ledger.active_sources(start // MINUTE_MS, -(-end // MINUTE_MS))
        found = self._rules.page(query, size=EVERY_RULE).rules
        if not only_active:
            return _map(found, query, active)
        sourceless = sum("source" not in facts_of(rule) for rule in found)
        if not active:
            return _map((), query, active, sourceless)
        names = " OR ".join(_quoted(source.lower()) for source in active)
        narrowed = f"{f'({query}) ' if query.strip() else ''}source:({names})"
        return _map(self._rules.page(narrowed, size=EVERY_RULE).rules, narrowed, active, sourceless)


def place(rules: Iterable[Rule]) -> dict[str, tuple[Tile, ...]]:
    """Every technique under every tactic that it belongs to, with its rules in the order given."""
    found: dict[tuple[str, str], dict[str, Rule]] = {}
    named: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for rule in rules:
        ids = [(tag.partition(":")[0], attack_id(tag)) for tag in rule.tags]
        tactics = {name for kind, name in ids if kind == "tactic"}
        for name in {name for kind, name in ids if kind == "technique"}:
            for tactic in tactics.intersection(tactics_of(name)):
                tile = tactic, name.partition(".")[0]
                found.setdefault(tile, {})[rule.id] = rule
                if "." in name and name in techniques():
                    named.setdefault(tile, set()).add((rule.id, name))
    return {
        tactic: tuple(
            Tile(technique, tuple(found.get((tactic, technique.id), {}).values()), _count(named, tactic, technique))
            for technique in techniques().values()
            if technique.parent == technique.id and tactic in technique.tactics
        )
        for tactic in TACTICS
    }


def strays(rules: Iterable[Rule]) -> tuple[Stray, ...]:
    """The rules that are not on the map, or not wherever their tags would have them."""
    found = ((rule, tuple(attack_hints(rule))) for rule in rules)
    return tuple(Stray(rule, problems) for rule, problems in found if problems or not _is_tagged(rule))


def _map(rules: Sequence[Rule], query: str, active: Sequence[str], sourceless: int = 0) -> AttackMap:
    return AttackMap(place(rules), strays(rules), len(rules), query, tuple(active), sourceless)


def _is_tagged(rule: Rule) -> bool:
    return any(tag.startswith("technique:") for tag in rule.tags)


def _count(named: Mapping[tuple[str, str], set[tuple[str, str]]], tactic: str, technique: Technique) -> dict[str, int]:
    """Rules by sub-technique; those that no rule names have none."""
    subs = [name for _, name in named.get((tactic, technique.id), ())]
    return {name: subs.count(name) for name in sorted(set(subs))}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
