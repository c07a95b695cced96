"""Reference-table filters of rules (siem.md §2.6)."""

from typing import Any

import pytest

from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.rule import Rule, RuleCase, RuleQuery

TABLES = {("staff", "user"): frozenset({"ana", "42", "tagged"}), ("staff", "ip"): frozenset({"203.0.113.9"})}


def matched(event: Event, *filters: dict[str, Any], names: tuple[str, ...] = ("",)) -> list[int]:
    """Indexes of the queries that match, with these table filters."""
    queries = tuple(RuleQuery(label=name or "a", query="*", name=name) for name in names)
    rule = Rule("r", "r", "m", queries, (RuleCase("low", "a > 0"),), extra={"referenceTables": list(filters)})
    matcher = Matcher([rule], column=lambda table, column: TABLES.get((table, column), frozenset()))
    assert matcher.problems == []
    return [match.query_index for match in matcher.match(event)]


def of(path: str, is_in: bool = True, table: str = "staff", column: str = "user", **more: Any) -> dict[str, Any]:
    return {"tableName": table, "columnName": column, "logFieldPath": path, "checkPresence": is_in} | more


def event(**attributes: Any) -> Event:
    return Event("", 0, host="ana", tags=["who:tagged"], attributes=attributes)


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        (of("usr.id"), True),
        (of("@usr.id"), True),
        (of("usr.id", False), False),
        (of("usr.name"), False),
        (of("usr.name", False), True),
        (of("number"), True),  # a number is compared by its text
        (of("several"), True),  # any of them
        (of("several", False), False),  # none of them
        (of("host"), True),
        (of("who"), True),  # a tag, where there is no such attribute
        (of("missing"), False),
        (of("missing", False), True),  # what is not there is in no column
        (of("usr.id", table="gone"), False),
        (of("usr.id", False, table="gone"), True),
        (of("usr.id", column="gone"), False),
    ],
)
def test_in_and_not_in(given: dict[str, Any], passes: bool) -> None:
    log = event(usr={"id": "ana", "name": "zoe"}, number=42, several=["zoe", "ana"])
    assert (matched(log, given) == [0]) is passes


def test_all_filters_of_a_query_must_pass() -> None:
    log = event(usr={"id": "ana"}, ip="203.0.113.9")
    assert matched(log, of("usr.id"), of("ip", column="ip")) == [0]
    assert matched(log, of("usr.id"), of("ip", False, column="ip")) == []


def test_a_filter_is_about_the_query_that_it_names() -> None:
    log = event(usr={"id": "zoe"})
    names = ("one", "two")
    assert matched(log, of("usr.id", ruleQueryName="one"), names=names) == [1]
    assert matched(log, of("usr.id"), names=names) == []
    assert matched(log, of("usr.id", ruleQueryName="a"), names=("", "two")) == [1]
