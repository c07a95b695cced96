"""Rules stand on the map where ATT&CK knows their tags; what leads nowhere is told."""

from collections.abc import Callable

import pytest

from tocsin.rule import Rule
from tocsin.rules.attack import TACTICS, techniques
from tocsin.rules.attack_map import AttackMaps, place, strays


def rule(name: str, *tags: str, enabled: bool = True) -> Rule:
    return Rule(name, name, "", (), (), tags=tags, is_enabled=enabled)


def tiles(*rules: Rule) -> dict[tuple[str, str], list[str]]:
    """The ids of the rules in each tile that has any."""
    return {
        (tactic, tile.technique.id): [rule.id for rule in tile.rules]
        for tactic, column in place(rules).items()
        for tile in column
        if tile.rules
    }


def test_every_technique_stands_under_each_of_its_tactics() -> None:
    columns = place([])
    assert list(columns) == list(TACTICS)
    assert all(not tile.rules for column in columns.values() for tile in column)
    assert "T1078" in {tile.technique.id for tile in columns["TA0005"]}
    assert "T1078" in {tile.technique.id for tile in columns["TA0001"]}
    assert not any("." in tile.technique.id for column in columns.values() for tile in column)


def test_a_rule_stands_where_both_its_tags_lead() -> None:
    both = rule("both", "tactic:TA0001-x", "tactic:TA0003-x", "technique:T1078-x", "technique:T1098-x")
    assert tiles(both) == {("TA0001", "T1078"): ["both"], ("TA0003", "T1078"): ["both"], ("TA0003", "T1098"): ["both"]}


def test_a_sub_technique_counts_for_its_technique_once() -> None:
    one = rule("one", "tactic:TA0006-x", "technique:T1552.001-x", "technique:T1552.005_x", "technique:T1552-x")
    two = rule("two", "tactic:TA0006-x", "technique:t1552.001-x", enabled=False)
    assert tiles(one, two) == {("TA0006", "T1552"): ["one", "two"]}
    tile = next(tile for tile in place([one, two])["TA0006"] if tile.technique.id == "T1552")
    assert tile.sub_techniques == {"T1552.001": 2, "T1552.005": 1}


@pytest.mark.parametrize(
    ("tags", "codes"),
    [
        (("tactic:TA0006-x", "technique:T1110-x"), None),
        (("tactic:TA0006-x", "technique:T1566-x"), ["wrong_pair"]),
        (("technique:T9999-x",), ["unknown_technique"]),
        (("source:sshd",), []),
        (("tactic:TA0006-x",), []),
    ],
)
def test_what_leads_nowhere_is_told(tags: tuple[str, ...], codes: list[str] | None) -> None:
    found = strays([rule("r", *tags)])
    assert [[problem.code for problem in stray.problems] for stray in found] == ([] if codes is None else [codes])


def test_techniques_are_named_without_citations() -> None:
    assert techniques()["T1110"].name == "Brute Force"
    assert techniques()["T1552.001"].parent == "T1552"
    assert [name for name, technique in techniques().items() if "(Citation" in technique.text] == []


class Rules:
    """Answers every query with the same rules, and remembers what it was asked."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.asked: list[str] = []

    def page(self, query: str, size: int) -> "Rules":
        self.asked.append(query)
        return self


class Ledger:
    def __init__(self, *active: str) -> None:
        self.active_sources: Callable[[int, int], list[str]] = lambda start, end: list(active)


def test_active_sources_narrow_the_search() -> None:
    rules = Rules(rule("a", "source:okta"), rule("b"))
    found = AttackMaps(rules, Ledger('o"kta', "sshd")).read(0, 1, "enabled:true OR severity:high")  # type: ignore[arg-type]
    assert rules.asked[-1] == found.query == r'(enabled:true OR severity:high) source:("o\"kta" OR "sshd")'
    assert found.sourceless == 1


def test_without_logs_no_source_is_active() -> None:
    rules = Rules(rule("a", "source:okta"))
    assert AttackMaps(rules, Ledger()).read(0, 1).rules == 0  # type: ignore[arg-type]
    assert AttackMaps(rules, Ledger()).read(0, 1, only_active=False).rules == 1  # type: ignore[arg-type]
