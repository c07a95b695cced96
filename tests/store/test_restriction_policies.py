"""Restriction policies over real state stores: nobody but its editors changes a rule or a suppression, by no way."""

import copy
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import config_in, services_over

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.restrictions import RULE, SUPPRESSION, Restricted, StalePolicy
from tocsin.errors import BadRequest, Forbidden, NotFound
from tocsin.event import Event
from tocsin.rules.service import RulesService
from tocsin.rules.shape import rule_to_api
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import StateStore, open_state_store
from tocsin.suppressions.service import SuppressionsService

BODY: dict[str, Any] = {
    "name": "Door rattled",
    "message": "m",
    "isEnabled": True,
    "queries": [{"query": "source:sshd failed", "groupByFields": ["@usr.id"]}],
    "cases": [{"status": "high", "condition": "a > 5"}],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400},
}
HIDING = {"name": "Agreed", "enabled": True, "rule_query": "*", "suppression_query": "@usr.id:bob"}
WRITERS = (
    "security_monitoring_rules_read",
    "security_monitoring_rules_write",
    "security_monitoring_suppressions_read",
    "security_monitoring_suppressions_write",
)


class World:
    """Ana, of the role Owners, and Ben, of the role Guests, may both write rules; Mia manages people as well."""

    def __init__(self, state: StateStore, folder: Path) -> None:
        self.now = 1_767_225_600_000
        self.services = services_over(state, config_in(folder), self.clock)
        self.access = self.services.access
        self.rules = RulesService(state, self.services.audit, self.clock, to_event=lambda _: Event("", 0))
        ids = (f"sup-{number:03}-aaa" for number in itertools.count())
        self.suppressions = SuppressionsService(
            state, self.services.audit, self.clock, self.rules, new_id=lambda: next(ids)
        )
        self.policies = self.access.restrictions
        self.policies.protect(RULE, self.rules.name)
        self.policies.protect(SUPPRESSION, self.suppressions.name)
        self.owners = self.access.roles.create("Owners", WRITERS, SYSTEM).uuid
        self.guests = self.access.roles.create("Guests", WRITERS, SYSTEM).uuid
        managers = self.access.roles.create("Managers", [*WRITERS, "user_access_manage"], SYSTEM).uuid
        self.ana, self.ben = self.person("ana", self.owners), self.person("ben", self.guests)
        self.mia = self.person("mia", managers)
        self.outbox = Outbox(state, self.clock, "test")
        self.audited()

    def clock(self) -> int:
        self.now += 1
        return self.now

    def person(self, name: str, *role_ids: str) -> Actor:
        user = self.access.users.create(f"{name}@example.com", SYSTEM, name=name.title(), role_ids=role_ids)
        held = self.access.users.permissions(user.uuid)
        return Actor(user.uuid, user.number, user.email, user.name, held)

    def rule(self, by: Actor, *editors: str) -> str:
        """A new rule, restricted to these."""
        rule_id = self.rules.create(copy.deepcopy(BODY), by).id
        if editors:
            self.policies.put(f"security-rule:{rule_id}", [("editor", editors)], by)
        return rule_id

    def suppression(self, by: Actor, *editors: str) -> str:
        suppression_id = self.suppressions.create(HIDING, by).id
        self.policies.put(f"security-suppression:{suppression_id}", [("editor", editors)], by)
        return suppression_id

    def audited(self) -> list[dict[str, Any]]:
        heard: list[Message] = []
        self.outbox.drain("audit", heard.extend)
        return [message.payload for message in heard]

    def audited_policies(self) -> list[Any]:
        """What happened to policies: action, status, editors before and after."""
        found = []
        for entry in self.audited():
            about = entry["attributes"]
            if about["asset"]["type"] == "restriction_policy":
                old, new = (about["asset"].get(name, {}).get("editors") for name in ("prev_value", "new_value"))
                found.append((about["action"], entry["status"], old, new))
        return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = str(request.getfixturevalue("postgres_url")) if request.param == "postgres" else ""
    state = open_state_store(config_in(tmp_path, url))
    yield World(state, tmp_path)
    state.close()


WAYS: dict[str, Callable[[World, str, Actor], object]] = {
    "edit": lambda world, rule, by: world.rules.update(rule, {"name": "Mine"}, by),
    "disable": lambda world, rule, by: world.rules.update(rule, {"isEnabled": False}, by),
    "edit with a wrong body": lambda world, rule, by: world.rules.update(rule, {"queries": 7}, by),
    "edit an old version": lambda world, rule, by: world.rules.update(rule, {"version": 1}, by),
    "delete": lambda world, rule, by: world.rules.delete(rule, by),
    "restore": lambda world, rule, by: world.rules.restore(rule, 1, by),
}


@pytest.mark.parametrize("way", WAYS)
def test_others_change_a_rule_by_no_way(world: World, way: str) -> None:
    rule = world.rule(world.ana, f"role:{world.owners}")
    world.rules.update(rule, {"name": "Door rattled twice"}, world.ana)
    before = world.rules.get(rule)
    with pytest.raises(Restricted) as refused:
        WAYS[way](world, rule, world.ben)
    told = "The rule 'Door rattled twice' is restricted: only the role Owners may change it"
    assert refused.value.reasons == ("Forbidden", told)
    assert world.rules.get(rule) == before


def test_applying_files_refuses_others_before_anything_is_done(world: World) -> None:
    rule = world.rule(world.ana, f"role:{world.owners}")
    changed, same = {**BODY, "id": rule, "name": "Mine"}, {**BODY, "id": rule}
    for dry_run in (True, False):
        (planned,) = world.rules.apply([changed], world.ben, dry_run=dry_run)
        assert planned.action == "refused"
        assert planned.reasons == ("The rule 'Door rattled' is restricted: only the role Owners may change it",)
    assert world.rules.apply([same], world.ben)[0].action == "unchanged"
    assert world.rules.apply([changed], world.ana)[0].action == "update"


def test_bulk_deletes_what_is_ones_own(world: World) -> None:
    theirs, free = world.rule(world.ana, f"role:{world.owners}"), world.rule(world.ana)
    assert world.rules.delete_all([theirs, free], world.ben) == ([free], [theirs])


def test_a_switch_of_many_names_all_that_are_others(world: World) -> None:
    theirs = [world.rule(world.ana, f"role:{world.owners}") for _ in range(7)]
    free = world.rule(world.ana)
    with world.services.state.transaction() as session, pytest.raises(Restricted) as refused:
        world.rules.switch(session, [free, *theirs], False, world.ben)
    assert len(refused.value.reasons) == 1 + 5 + 1
    assert refused.value.reasons[-1] == "2 more are restricted as well"
    assert all(rule.is_enabled for rule in world.rules.all_rules()), "all or nothing"
    with world.services.state.transaction() as session:
        assert world.rules.switch(session, theirs, True, world.ben) == {}, "nothing to change, nothing to refuse"
        assert len(world.rules.switch(session, theirs, False, SYSTEM)) == 7


def test_others_do_not_change_a_suppression(world: World) -> None:
    made = world.suppression(world.ana, f"user:{world.ana.user_uuid}")
    told = "The suppression 'Agreed' is restricted: only ana@example.com may change it"
    with pytest.raises(Restricted, match=told):
        world.suppressions.update(made, {"enabled": False}, world.ben)
    with pytest.raises(Restricted, match=told):
        world.suppressions.delete(made, world.ben)
    assert world.suppressions.closed_to(world.ben) == {made}
    assert world.suppressions.closed_to(world.ana) == frozenset()
    assert world.suppressions.update(made, {"enabled": False}, world.ana).version == 2


def test_roles_are_asked_at_each_change(world: World) -> None:
    rule = world.rule(world.ana, f"role:{world.owners}")
    world.access.roles.add_user(world.owners, world.ben.user_uuid, SYSTEM)
    assert world.rules.update(rule, {"name": "Ours"}, world.ben).version == 2
    world.access.roles.remove_user(world.owners, world.ben.user_uuid, SYSTEM)
    with pytest.raises(Restricted):
        world.rules.update(rule, {"name": "Mine"}, world.ben)


def test_who_may_not_change_the_thing_may_not_change_its_policy(world: World) -> None:
    rule = f"security-rule:{world.rule(world.ana, f'role:{world.owners}')}"
    for change in (
        lambda: world.policies.put(rule, [("editor", [f"user:{world.ben.user_uuid}"])], world.ben),
        lambda: world.policies.delete(rule, world.ben),
    ):
        with pytest.raises(Restricted):
            change()
    seen = world.policies.get(rule, world.ben)
    assert (seen.is_editable, seen.names) == (False, {f"role:{world.owners}": "Owners"})
    world.policies.delete(rule, world.ana)
    world.policies.delete(rule, world.ana)
    assert world.policies.get(rule, world.ben).is_editable


def test_permissions_still_count(world: World) -> None:
    rule = f"security-rule:{world.rule(world.ana)}"
    reader = world.person("rob", world.access.roles.create("R", ["security_monitoring_rules_read"], SYSTEM).uuid)
    nobody = world.person("nan", world.access.roles.create("N", [], SYSTEM).uuid)
    with pytest.raises(Forbidden, match="needs the permission security_monitoring_rules_read"):
        world.policies.get(rule, nobody)
    with pytest.raises(Forbidden, match="needs the permission security_monitoring_rules_write"):
        world.policies.put(rule, [("editor", [f"user:{reader.user_uuid}"])], reader)
    world.policies.put(rule, [("editor", [f"user:{one.user_uuid}" for one in (reader, world.ana)])], world.ana)
    assert not world.policies.get(rule, reader).is_editable, "a policy only narrows"


def test_nobody_locks_themselves_out_unseen(world: World) -> None:
    rule = f"security-rule:{world.rule(world.ana)}"
    others = [("editor", [f"role:{world.guests}"])]
    with pytest.raises(BadRequest, match=r"name yourself or one of your roles as an editor$"):
        world.policies.put(rule, others, world.ana)
    with pytest.raises(Forbidden, match="allow_self_lockout needs the permission user_access_manage"):
        world.policies.put(rule, others, world.ana, allow_self_lockout=True)
    with pytest.raises(BadRequest, match=r"or send allow_self_lockout=true$"):
        world.policies.put(rule, others, world.mia)
    assert not world.policies.put(rule, others, world.mia, allow_self_lockout=True).is_editable


def test_principals_must_be_there(world: World) -> None:
    rule = f"security-rule:{world.rule(world.ana)}"
    absent = "99999999-0000-4000-8000-000000000009"
    for kind in ("role", "user"):
        with pytest.raises(BadRequest, match=f"there is no {kind} {absent}"):
            world.policies.put(rule, [("editor", [f"user:{world.ana.user_uuid}", f"{kind}:{absent}"])], world.ana)
    with pytest.raises(NotFound):
        world.policies.get("security-rule:abc-d1e-2fg", world.ana)
    with pytest.raises(NotFound):
        world.policies.put("security-suppression:abc-d1e-2fg", [], world.ana)


def test_two_people_change_a_policy(world: World) -> None:
    rule = f"security-rule:{world.rule(world.ana)}"
    seen = world.policies.get(rule, world.ana).policy.version
    ours = [("editor", [f"role:{world.owners}", f"role:{world.guests}"])]
    changed = world.policies.put(rule, ours, world.ana, version=seen)
    with pytest.raises(StalePolicy, match="Read it again"):
        world.policies.put(rule, [("editor", [f"role:{world.guests}"])], world.ben, version=seen)
    world.policies.put(rule, [], world.ben, version=changed.policy.version)


def test_every_change_is_audited_with_names(world: World) -> None:
    rule = f"security-rule:{world.rule(world.ana, f'role:{world.owners}')}"
    both = [("editor", [f"role:{world.owners}", f"user:{world.ana.user_uuid}"])]
    for _ in range(2):  # the second time nothing changes
        world.policies.put(rule, both, world.ana)
    world.policies.delete(rule, world.ana)
    assert world.audited_policies() == [
        ("created", "info", None, ["Owners"]),
        ("modified", "info", ["Owners"], ["Owners", "ana@example.com"]),
        ("deleted", "info", ["Owners", "ana@example.com"], None),
    ]


def test_who_manages_people_elevates_themselves(world: World) -> None:
    rule = world.rule(world.ana, f"role:{world.owners}")
    resource = f"security-rule:{rule}"
    with pytest.raises(Restricted, match="As you manage people, you can make yourself an editor"):
        world.rules.update(rule, {"name": "Mia's"}, world.mia)
    with pytest.raises(Forbidden, match="needs the permission user_access_manage"):
        world.policies.elevate(resource, world.ben)
    world.audited()
    for _ in range(2):
        assert world.policies.elevate(resource, world.mia).is_editable
    assert world.audited_policies() == [("modified", "warn", ["Owners"], ["Owners", "mia@example.com"])]
    assert world.rules.update(rule, {"name": "Mia's"}, world.mia).version == 2
    with pytest.raises(BadRequest, match="is not restricted"):
        world.policies.elevate(f"security-rule:{world.rule(world.ana)}", world.mia)


def test_a_deleted_role_opens_nothing(world: World) -> None:
    alone = world.rule(world.ana, f"role:{world.owners}")
    shared = world.rule(world.ana, f"role:{world.owners}", f"user:{world.ana.user_uuid}")
    world.audited()
    world.access.roles.delete(world.owners, world.mia)
    assert sorted(world.audited_policies()) == [
        ("modified", "info", ["Owners"], []),
        ("modified", "info", ["Owners", "ana@example.com"], ["ana@example.com"]),
    ]
    with pytest.raises(Restricted, match="it has no editor any more, until somebody who holds user_access_manage"):
        world.rules.update(alone, {"name": "Mine"}, world.ben)
    assert world.policies.get(f"security-rule:{alone}", world.ana).policy.written() == [
        {"relation": "editor", "principals": []}
    ]
    assert world.rules.update(shared, {"name": "Ana's"}, world.ana).version == 2
    world.policies.elevate(f"security-rule:{alone}", world.mia)
    world.policies.delete(f"security-rule:{alone}", world.mia)
    assert world.rules.update(alone, {"name": "Anybody's"}, world.ben).version == 2


def test_a_disabled_person_keeps_the_thing_closed(world: World) -> None:
    rule = world.rule(world.ana, f"user:{world.ana.user_uuid}")
    world.access.users.disable(world.ana.user_uuid, SYSTEM)
    with pytest.raises(Restricted, match=r"only ana@example.com \(disabled\) may change it"):
        world.rules.update(rule, {"name": "Mine"}, world.ben)


def test_what_is_deleted_takes_its_policy_along(world: World) -> None:
    rule = world.rule(world.ana, f"role:{world.owners}")
    suppression = world.suppression(world.ana, f"role:{world.owners}")
    world.audited()
    world.rules.delete(rule, world.ana)
    world.suppressions.delete(suppression, world.ana)
    assert world.audited_policies() == [("deleted", "info", ["Owners"], None)] * 2
    assert world.policies.all_of("security-rule", world.ana) == []
    (planned,) = world.rules.apply([{**BODY, "id": rule}], world.ben)
    assert planned.action == "create"
    assert world.rules.update(rule, {"name": "Ben's now"}, world.ben).name == "Ben's now"


def test_who_may_not_know_people_is_told_no_names(world: World) -> None:
    rule = world.rule(world.ana, f"role:{world.owners}")
    scoped = Actor(
        world.ben.user_uuid, 2, "ben@example.com", "Ben", frozenset({"security_monitoring_rules_write"}), kind="api_key"
    )
    with pytest.raises(Restricted) as refused:
        world.rules.delete(rule, scoped)
    assert refused.value.reasons[1] == "The rule 'Door rattled' is restricted: only its editors may change it"


def test_the_list_has_what_is_restricted(world: World) -> None:
    theirs, mine = world.rule(world.ana, f"role:{world.owners}"), world.rule(world.ben, f"role:{world.guests}")
    world.rule(world.ana)
    seen = {one.resource.id: (one.is_editable, dict(one.names)) for one in world.policies.all_of(RULE.name, world.ben)}
    assert seen == {
        theirs: (False, {f"role:{world.owners}": "Owners"}),
        mine: (True, {f"role:{world.guests}": "Guests"}),
    }


def test_a_copy_begins_unrestricted(world: World) -> None:
    original = world.rules.get(world.rule(world.ana, f"role:{world.owners}"))
    copy_id = world.rules.create({**rule_to_api(original), "name": "Copy"}, world.ben).id
    assert world.policies.get(f"security-rule:{copy_id}", world.ben).policy.bindings == ()
