"""Rules in a real state store: versions, conflicts, default rules, news for detection."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.errors import BadRequest, Conflict
from tocsin.event import Event
from tocsin.rule import Rule
from tocsin.rules.problems import InvalidRule
from tocsin.rules.service import DefaultRuleKept, RuleNotFound, RulesService, StaleRule, VersionNotFound
from tocsin.rules.shape import rule_from_api, rule_to_api, writable
from tocsin.rules.shipped import BrokenContent, ShippedRule, read_shipped
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import StateStore

ANA = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())
BEN = Actor("22222222-0000-4000-8000-000000000002", 2, "ben@example.com", "Ben", frozenset())

BODY: dict[str, Any] = {
    "name": "Door rattled",
    "message": "m",
    "isEnabled": True,
    "tags": ["source:sshd", "tactic:TA0006-credential-access"],
    "queries": [{"query": "source:sshd failed", "groupByFields": ["@usr.id"]}],
    "cases": [{"status": "high", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
}


def rule(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BODY), **changes}


def shipped(rule_id: str, **changes: Any) -> ShippedRule:
    return ShippedRule(rule_id, writable(rule_to_api(rule_from_api(rule(**changes)))))


def to_event(payload: Mapping[str, Any]) -> Event:
    attributes = {name: value for name, value in payload.items() if name not in ("message", "ddsource")}
    return Event("e", 0, message=payload.get("message", ""), source=payload.get("ddsource"), attributes=attributes)


class World:
    def __init__(self, state: StateStore) -> None:
        self.state = state
        self.now = 1_767_225_600_000
        self.service = self.another_process()

    def another_process(self) -> RulesService:
        return RulesService(self.state, AuditTrail(self.clock), self.clock, to_event=to_event)

    def clock(self) -> int:
        self.now += 1
        return self.now

    def audited(self) -> list[tuple[str, str]]:
        heard: list[Message] = []
        Outbox(self.state, self.clock, "test").drain("audit", heard.extend)
        return [(m.payload["attributes"]["action"], m.payload["attributes"]["asset"].get("id", "")) for m in heard]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "postgres":
        state = StateStore(str(request.getfixturevalue("postgres_url")))
    else:
        state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.migrate()
    yield World(state)
    state.close()


def test_life_of_a_rule(world: World) -> None:
    made = world.service.create(rule(), ANA)
    assert (made.version, made.creator, made.is_default, made.created_at) == (
        1,
        "ana@example.com",
        False,
        made.updated_at,
    )
    assert world.service.get(made.id) == made
    changed = world.service.update(made.id, {"tags": ["b", "a"], "isEnabled": False, "version": 1}, BEN)
    assert (changed.version, changed.tags, changed.is_enabled) == (2, ("b", "a"), False)
    assert (changed.creator, changed.updater, changed.created_at) == (made.creator, "ben@example.com", made.created_at)
    world.service.delete(made.id, ANA)
    with pytest.raises(RuleNotFound):
        world.service.get(made.id)
    assert world.audited() == [("created", made.id), ("modified", made.id), ("deleted", made.id)]
    old = world.service.rule_at(made.id, 1)
    assert old is not None and old.name == "Door rattled"


def test_update_replaces_whole_members_and_keeps_the_others(world: World) -> None:
    made = world.service.create(rule(), ANA)
    changed = world.service.update(made.id, {"options": {"evaluationWindow": 60}}, ANA)
    assert rule_to_api(changed)["options"] == {"detectionMethod": "threshold", "evaluationWindow": 60}
    assert changed.queries == made.queries


def test_two_people_editing(world: World) -> None:
    made = world.service.create(rule(), ANA)
    world.service.update(made.id, {"name": "Ben's", "version": 1}, BEN)
    with pytest.raises(StaleRule, match=r"you saw version 1, it is at version 2 \(by Ben\)"):
        world.service.update(made.id, {"name": "Ana's", "version": 1}, ANA)
    assert world.service.get(made.id).name == "Ben's"


@pytest.mark.parametrize(
    ("change", "target"),
    [
        ({"options": {"detectionMethod": "hardcoded"}}, "options.detectionMethod"),
        ({"type": "api_security"}, "type"),
        ({"queries": [{"query": ""}]}, "queries[0].query"),
        ({"version": "one"}, "version"),
        ([], ""),
    ],
)
def test_bad_update_changes_nothing(world: World, change: Any, target: str) -> None:
    made = world.service.create(rule(), ANA)
    with pytest.raises(InvalidRule) as refused:
        world.service.update(made.id, change, ANA)
    assert target in [problem.target for problem in refused.value.problems]
    assert world.service.get(made.id) == made


def test_history_and_restore(world: World) -> None:
    made = world.service.create(rule(), ANA)
    world.service.update(made.id, {"name": "Second"}, BEN)
    with pytest.raises(Conflict):
        world.service.restore(made.id, 2, ANA)
    with pytest.raises(VersionNotFound):
        world.service.restore(made.id, 9, ANA)
    with pytest.raises(RuleNotFound):
        world.service.restore("no-suc-hxx", 1, ANA)
    restored = world.service.restore(made.id, 1, ANA)
    assert (restored.version, restored.name) == (3, "Door rattled")
    count, versions = world.service.history(made.id, size=2)
    assert (count, [version.version for version in versions]) == (3, [3, 2])
    assert versions[1].changes == [{"type": "update", "field": "name", "change": "Door rattled → Second"}]
    assert [version.version for version in world.service.history(made.id, size=2, number=1)[1]] == [1]


def test_bulk_delete_says_what_is_gone_and_what_not(world: World) -> None:
    world.service.load_shipped([shipped("aaa-aaa-aaa")])
    made = world.service.create(rule(), ANA)
    deleted, failed = world.service.delete_all([made.id, "no-suc-hxx", "aaa-aaa-aaa", made.id], ANA)
    assert (deleted, failed) == ([made.id], ["no-suc-hxx", "aaa-aaa-aaa"])


def test_list_searches_sorts_and_pages(world: World) -> None:
    for name, status, source in (("b", "low", "okta"), ("a", "critical", "sshd"), ("c", "high", "okta")):
        world.service.create(
            rule(name=name, tags=[f"source:{source}"], cases=[{"status": status, "condition": "a > 0"}]), ANA
        )
    names = lambda **asked: [found.name for found in world.service.page(**asked).rules]  # noqa: E731
    assert names() == ["a", "b", "c"]
    assert names(sort="-highest_severity") == ["a", "c", "b"]
    assert names(sort="source") == ["b", "c", "a"]
    assert names(sort="-creation_date") == ["c", "a", "b"]
    assert names(size=2, number=1) == ["c"]
    assert names(query="source:okta") == ["b", "c"]
    assert names(query="severity:(critical OR high) -source:okta") == ["a"]
    assert names(query="type:log_detection enabled:true origin:custom author:ana@example.com") == ["a", "b", "c"]
    assert names(query="c") == ["c"]
    page = world.service.page(query="source:okta", size=1)
    assert (page.total, page.found, len(page.rules)) == (3, 2, 1)
    assert [(value.value, value.count) for value in page.facets["severity"]] == [("high", 1), ("low", 1)]
    assert [(value.value, value.count) for value in page.facets["source"]] == [("okta", 2)]
    with pytest.raises(BadRequest, match="Unknown sort"):
        world.service.page(sort="colour")


def test_detection_hears_of_every_change_in_every_process(world: World) -> None:
    other = world.another_process()
    here: list[Sequence[Rule]] = []
    there: list[Sequence[Rule]] = []
    world.service.on_change(here.append)
    other.on_change(there.append)
    made = world.service.create(rule(), ANA)
    assert [found.id for found in here[-1]] == [made.id]
    assert there[-1] == ()
    assert other.poll() and [found.id for found in there[-1]] == [made.id]
    assert not other.poll()
    world.service.update(made.id, {"isEnabled": False}, ANA)
    assert here[-1] == () == world.service.enabled_rules()


def test_filters_decide_what_is_detected(world: World) -> None:
    filters = [{"action": "require", "query": "env:prod"}, {"action": "suppress", "query": "@usr.id:robot OR host:x"}]
    world.service.create(rule(filters=filters), ANA)
    (enabled,) = world.service.enabled_rules()
    assert enabled.queries[0].full_query == ("(source:sshd failed) AND ((env:prod) AND NOT (@usr.id:robot OR host:x))")


def test_unit_tests_of_a_rule(world: World) -> None:
    log = {"ddsource": "sshd", "message": "failed password"}
    payloads = [
        {"index": 0, "expectedResult": True, "payload": log},
        {"index": 0, "expectedResult": False, "payload": log},
        {"index": 0, "expectedResult": False, "payload": {**log, "ddsource": "nginx"}},
    ]
    assert world.service.test(rule(), payloads) == [True, False, True]
    made = world.service.create(rule(), ANA)
    assert world.service.test_stored(made.id, payloads) == [True, False, True]
    with pytest.raises(BadRequest, match="position of a query, 0 to 0"):
        world.service.test(rule(), [{"index": 1, "expectedResult": True, "payload": log}])


def test_validation_stores_nothing_but_its_audit_event(world: World) -> None:
    world.service.validate(rule(), ANA)
    with pytest.raises(InvalidRule):
        world.service.validate(rule(name=""), ANA)
    assert world.service.page().total == 0
    assert [action for action, _ in world.audited()] == ["validated", "validated"]


def test_shipped_rules_are_brought_up_to_date(world: World) -> None:
    first, second = shipped("aaa-aaa-aaa"), shipped("bbb-bbb-bbb", name="Other")
    assert world.service.load_shipped([first, second]) == ["aaa-aaa-aaa", "bbb-bbb-bbb"]
    assert world.service.load_shipped([first, second]) == []
    changed = world.service.update("aaa-aaa-aaa", {"isEnabled": False, "tags": ["team:blue"]}, ANA)
    assert changed.tags == ("source:sshd", "tactic:TA0006-credential-access", "team:blue")
    upgraded = shipped("aaa-aaa-aaa", message="better")
    assert world.service.load_shipped([upgraded]) == ["aaa-aaa-aaa", "bbb-bbb-bbb"]
    now = world.service.get("aaa-aaa-aaa")
    assert (now.message, now.is_enabled, now.tags, now.version, now.is_default) == (
        "better",
        False,
        changed.tags,
        3,
        True,
    )
    gone = world.service.get("bbb-bbb-bbb")
    assert (gone.is_enabled, gone.extra["isDeprecated"]) == (False, True)
    with pytest.raises(DefaultRuleKept, match="deprecated"):
        world.service.update("bbb-bbb-bbb", {"isEnabled": True}, ANA)
    assert world.service.load_shipped([upgraded, second]) == ["bbb-bbb-bbb"]
    back = world.service.get("bbb-bbb-bbb")
    assert back.is_enabled and "isDeprecated" not in back.extra


def test_default_rule_keeps_what_it_is(world: World) -> None:
    world.service.load_shipped([shipped("aaa-aaa-aaa")])
    with pytest.raises(DefaultRuleKept, match="name"):
        world.service.update("aaa-aaa-aaa", {"name": "Mine"}, ANA)
    with pytest.raises(DefaultRuleKept, match="only disabled"):
        world.service.delete("aaa-aaa-aaa", ANA)
    with pytest.raises(DefaultRuleKept, match="restored"):
        world.service.restore("aaa-aaa-aaa", 1, ANA)
    body = writable(rule_to_api(world.service.get("aaa-aaa-aaa")))
    assert world.service.update("aaa-aaa-aaa", {**body, "customName": "Ours"}, ANA).custom_name == "Ours"


def test_unknown_rules_are_not_exported(world: World) -> None:
    made = world.service.create(rule(), ANA)
    assert [found.id for found in world.service.pick([made.id, made.id])] == [made.id]
    with pytest.raises(RuleNotFound):
        world.service.pick([made.id, "no-suc-hxx"])


def test_broken_content_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: abc-def-123\nname: x\nqueries: []\n")
    with pytest.raises(BrokenContent, match=r"bad\.yaml: message: message is missing"):
        read_shipped(tmp_path)
    (tmp_path / "bad.yaml").write_text("id: [")
    with pytest.raises(BrokenContent, match=r"bad\.yaml: cannot be read"):
        read_shipped(tmp_path)
