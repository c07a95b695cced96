"""What people change about a default rule stays theirs when Tocsin ships the next version of it."""

import copy
from typing import Any

import pytest

from tocsin.rules.defaults import carry_over, forbidden_changes, with_default_tags
from tocsin.rules.shape import rule_from_api, rule_to_api, writable

BODY = {
    "name": "Root signs in",
    "message": "first",
    "isEnabled": True,
    "tags": ["source:cloudtrail", "security:attack"],
    "queries": [{"query": "source:cloudtrail"}],
    "cases": [{"status": "high", "condition": "a > 0"}],
    "options": {"evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
}


def complete(**changes: Any) -> dict[str, Any]:
    return writable(rule_to_api(rule_from_api({**copy.deepcopy(BODY), **changes})))


SHIPPED = complete()


@pytest.mark.parametrize(
    "change",
    [
        {"isEnabled": False},
        {"customName": "Ours"},
        {"customMessage": "call us"},
        {"tags": [*SHIPPED["tags"], "team:blue"]},
        {"options": {**SHIPPED["options"], "decreaseCriticalityBasedOnEnv": True}},
        {"cases": [{**SHIPPED["cases"][0], "notifications": ["@soc"], "customStatus": "critical"}]},
        {"queries": [{**SHIPPED["queries"][0], "customQueryExtension": "-@usr.id:robot"}]},
    ],
)
def test_allowed_change_passes_and_survives_an_upgrade(change: dict[str, Any]) -> None:
    changed = {**SHIPPED, **change}
    assert forbidden_changes(SHIPPED, changed) == []
    upgraded = complete(message="second", tags=["source:cloudtrail", "security:attack", "new:tag"])
    carried = carry_over(SHIPPED, changed, upgraded)
    assert carried["message"] == "second"
    assert "new:tag" in carried["tags"]
    for name, value in change.items():
        if name == "tags":
            assert "team:blue" in carried["tags"]
        else:
            assert carried[name] == value


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"name": "Mine"}, ["name"]),
        ({"groupSignalsBy": ["host"]}, ["groupSignalsBy"]),
        ({"cases": [{**SHIPPED["cases"][0], "condition": "a > 9"}]}, ["cases[0].condition"]),
        ({"cases": []}, ["cases"]),
        ({"queries": [{**SHIPPED["queries"][0], "query": "*"}]}, ["queries[0].query"]),
        ({"message": "x", "type": "api_security"}, ["message", "type"]),
    ],
)
def test_forbidden_change_is_named(change: dict[str, Any], places: list[str]) -> None:
    assert forbidden_changes(SHIPPED, {**SHIPPED, **change}) == places


def test_untouched_rule_becomes_what_is_shipped() -> None:
    upgraded = complete(isEnabled=False, message="second", options={"evaluationWindow": 60})
    assert carry_over(SHIPPED, SHIPPED, upgraded) == upgraded


def test_what_people_set_for_a_case_that_is_now_another_one_is_dropped() -> None:
    changed = {**SHIPPED, "cases": [{**SHIPPED["cases"][0], "notifications": ["@soc"]}]}
    upgraded = complete(cases=[{"name": "only then", "status": "low", "condition": "a > 5"}])
    assert carry_over(SHIPPED, changed, upgraded)["cases"] == upgraded["cases"]


def test_what_people_set_follows_cases_and_queries_to_their_new_places() -> None:
    queries = [{"name": name, "query": f"source:{name}"} for name in ("one", "two")]
    cases = [{"name": name, "status": "low", "condition": "one > 0"} for name in ("first", "", "")]
    shipped = complete(queries=queries, cases=cases)
    mine = copy.deepcopy(shipped)
    mine["queries"][1]["customQueryExtension"] = "-@usr.id:robot"
    for case, target in zip(mine["cases"], ("@first", "@second", "@third"), strict=True):
        case["notifications"] = [target]
    new = {"name": "new", "status": "high", "condition": "one > 9"}
    upgraded = complete(queries=[{"name": "zero", "query": "*"}, *queries], cases=[new, cases[1], cases[0], cases[2]])
    carried = carry_over(shipped, mine, upgraded)
    assert [query.get("customQueryExtension") for query in carried["queries"]] == [None, None, "-@usr.id:robot"]
    assert [case["notifications"] for case in carried["cases"]] == [[], ["@second"], ["@first"], ["@third"]]


def test_default_tags_cannot_be_removed() -> None:
    assert with_default_tags(["mine", "b", "mine"], ["a", "b"]) == ["a", "b", "mine"]
