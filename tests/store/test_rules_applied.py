"""Rules brought from files: the plan, what is done, and that doing it twice changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.config import Config
from tocsin.event import Event
from tocsin.rules.service import RulesService
from tocsin.rules.shape import rule_from_api, rule_to_api, writable
from tocsin.rules.shipped import ShippedRule
from tocsin.store.state import open_state_store

ANA = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())


def rule(rule_id: str = "abc-def-001", **changes: Any) -> dict[str, Any]:
    return {
        "id": rule_id,
        "name": "Door rattled",
        "message": "m",
        "queries": [{"query": "source:sshd failed"}],
        "cases": [{"status": "high", "condition": "a > 5"}],
        "options": {},
        **changes,
    }


@pytest.fixture
def rules(tmp_path: Path) -> Iterator[RulesService]:
    state = open_state_store(Config(data=tmp_path))
    yield RulesService(state, AuditTrail(lambda: 5), lambda: 5, to_event=lambda _: Event("", 0))
    state.close()


def actions(rules: RulesService, *bodies: Any, dry_run: bool = False) -> list[str]:
    return [each.action for each in rules.apply(bodies, ANA, dry_run=dry_run)]


def test_a_dry_run_changes_nothing_and_twice_is_once(rules: RulesService) -> None:
    assert actions(rules, rule(), dry_run=True) == ["create"]
    assert rules.enabled_rules() == ()
    assert actions(rules, rule()) == ["create"]
    assert actions(rules, rule()) == ["unchanged"]
    changed = rule(cases=[{"status": "low", "condition": "a > 5"}])
    (planned,) = rules.apply([changed], ANA, dry_run=True)
    assert (planned.action, [change["field"] for change in planned.changes]) == ("update", ["cases"])
    assert rules.get("abc-def-001").version == 1
    assert actions(rules, changed) == ["update"]
    assert rules.get("abc-def-001").version == 2


def test_what_a_file_has_no_more_the_rule_has_no_more(rules: RulesService) -> None:
    more = {
        "tags": ["team:blue"],
        "groupSignalsBy": ["host"],
        "queries": [{"query": "#slow:true", "groupByFields": ["host"]}],
        "schedulingOptions": {"rrule": "FREQ=DAILY", "start": "2026-01-01T00:00:00", "timezone": "UTC"},
        "calculatedFields": [{"name": "slow", "expression": "@duration > 5"}],
        "referenceTables": [{"tableName": "t", "columnName": "c", "logFieldPath": "host", "checkPresence": True}],
        "filters": [{"action": "suppress", "query": "env:test"}],
        "tests": {"no_match": [{"query": 0, "event": {"message": "m"}}]},
        "customName": "Ours",
        "options": {"evaluationWindow": 60, "reopenOnUpdate": True},
    }
    rules.apply([rule(**more)], ANA)
    assert actions(rules, rule(**more)) == ["unchanged"]
    (planned,) = rules.apply([rule()], ANA)
    assert {change["field"] for change in planned.changes} == {*more}
    assert actions(rules, rule()) == ["unchanged"]
    kept, plain = rules.get("abc-def-001"), rule_from_api(rule())
    assert writable(rule_to_api(kept)) == writable(rule_to_api(plain))
    (planned,) = rules.apply([{"id": "abc-def-001", "name": "n"}], ANA)
    assert planned.action == "refused"


def test_the_refused_have_reasons_and_the_others_are_applied(rules: RulesService) -> None:
    bad = rule("abc-def-002", queries=[{"query": "@a:("}])
    plan = rules.apply([bad, rule(), rule("no id"), "text"], ANA)
    assert [each.action for each in plan] == ["refused", "create", "refused", "refused"]
    assert any("Invalid query" in reason for reason in plan[0].reasons)
    assert "needs an id" in plan[2].reasons[0]
    assert [found.id for found in rules.enabled_rules()] == ["abc-def-001"]


def test_who_enabled_it_here_is_not_overruled_unless_the_file_says(rules: RulesService) -> None:
    rules.apply([rule()], ANA)
    rules.update("abc-def-001", {"isEnabled": False}, ANA)
    assert actions(rules, rule()) == ["unchanged"]
    assert not rules.get("abc-def-001").is_enabled
    assert actions(rules, rule(isEnabled=True)) == ["update"]


def test_one_that_was_deleted_comes_back_under_its_id(rules: RulesService) -> None:
    rules.apply([rule()], ANA)
    rules.delete("abc-def-001", ANA)
    assert actions(rules, rule()) == ["create"]
    assert rules.get("abc-def-001").version == 2


def test_a_default_rule_keeps_what_is_its_own(rules: RulesService) -> None:
    body = writable(rule_to_api(rule_from_api({**rule(), "isEnabled": True})))
    rules.load_shipped([ShippedRule("abc-def-001", body)])
    (planned,) = rules.apply([rule(name="Mine")], ANA)
    assert planned.action == "refused"
    assert "default rule" in planned.reasons[0]
