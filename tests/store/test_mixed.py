"""Rules that read logs and signals in one: whatever comes when, and whoever dies, what they conclude is what a plain
count of the logs and of the signals that remain concludes."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from event_stores import seeded
from test_correlation import Correlating, document
from test_evaluator import BORN, HOUR, state
from test_scheduled import MINUTE, Server
from test_scheduled import event as log

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.evaluate.replay import Budget, Replay
from tocsin.event import Event, SignalEvent
from tocsin.match.matcher import Matcher
from tocsin.rule import Rule
from tocsin.rules.shape import rule_from_api
from tocsin.rules.validation import check
from tocsin.signals.stored import StoredSignals
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore

__all__ = ["state"]


def made(rule_id: str, queries: Sequence[dict[str, Any]], condition: str, **options: Any) -> Rule:
    body = {
        "type": "log_detection",
        "name": f"Mixed {rule_id}",
        "message": "{{@usr.id}}",
        "isEnabled": True,
        "queries": queries,
        "cases": [{"status": "high", "condition": condition}],
        "options": {"evaluationWindow": 600, "keepAlive": 600, "maxSignalDuration": 3600, **options},
    }
    assert check(body) == []
    return rule_from_api(body, rule_id=rule_id)


BY_USER = {"groupByFields": ["@usr.id"]}
DOOR = made("mmm-doo-001", [{"query": "service:mixed-door", **BY_USER}], "a > 1", evaluationWindow=60, keepAlive=60)
GATE = {"query": "service:mixed-gate", **BY_USER}
FORCED = {"query": f"@workflow.rule.id:{DOOR.id}", "dataSource": "security_signals", **BY_USER}
COUNTED = made("mmm-cou-001", [GATE, FORCED], "a > 1 && b > 0")
ONE_AFTER_ANOTHER = made(
    "mmm-seq-001",
    [GATE, {"ruleId": DOOR.id, "correlatedByFields": ["@usr.id"]}, {"query": "service:mixed-safe", **BY_USER}],
    "out > 0",
    detectionMethod="sequence_detection",
    sequenceDetectionOptions={
        "steps": [
            {"name": name, "condition": f"{label} > 0", "evaluationWindow": 60}
            for name, label in (("in", "a"), ("within", "b"), ("out", "c"))
        ],
        "stepTransitions": [
            {"parent": one, "child": other, "evaluationWindow": 900}
            for one, other in (("in", "within"), ("within", "out"))
        ],
    },
)
MIXING = (COUNTED, ONE_AFTER_ANOTHER)


class Mixed(Server, Correlating):
    """A world that can replay what it has stored."""

    def restart(self) -> None:
        super().restart()
        stored = StoredSignals(self.rows, self.members, self.rules.rule_at)
        self.replay = Replay(StoredLogs(self.store), self.matches, signals=stored)

    def told(self, rule: Rule) -> list[tuple[str, int, int, list[str]]]:
        """Of each signal of a rule: the user, when it opened, how many events it has, and the signals among them."""
        found = []
        for row in self.signals(rule):
            custom = document(row)
            members = sorted(custom["correlation"]["signals"])
            found.append((custom["usr"]["id"], row["timestamp"], custom["workflow"]["events_matched"], members))
        return sorted(found)


def arrivals(chance: random.Random, count: int) -> list[Event]:
    services = ["mixed-gate", "mixed-gate", "mixed-door", "mixed-door", "mixed-door", "mixed-safe"]
    return [
        log(chance.choice(services), chance.randint(0, 90 * 60) / 60, chance.choice(["ann", "bob"]))
        for _ in range(count)
    ]


def plainly(world: Mixed, events: Sequence[Event]) -> list[tuple[str, int, int]]:
    """What `COUNTED` says of all logs and of the signals of the door that remain, seen at once and in order."""
    rows = []
    for user in ("ann", "bob"):
        of_user = [
            MatchRow(one.timestamp, one.id, (user,), 0)
            for one in events
            if one.service == "mixed-gate" and one.attributes["usr"]["id"] == user
        ]
        of_user += [
            MatchRow(row["timestamp"], row["id"], (user,), 1)
            for row in world.signals(DOOR)
            if document(row)["usr"]["id"] == user
        ]
        rows += [(user, found.timestamp, found.events_matched) for found in decide(plan(COUNTED), of_user)]
    return sorted(rows)


@seeded([1, 2, 3])
def test_what_is_concluded_is_a_function_of_logs_and_signals(
    event_store: EventStore, state: StateStore, seed: int
) -> None:
    chance = random.Random(seed)
    world = Mixed(event_store, state, name=f"mixed-{seed}")
    for one in (DOOR, *MIXING):
        world.save(one, BORN - 1)
    world.restart()
    world.now = BORN + 2 * HOUR
    events = arrivals(chance, 70)
    matcher = Matcher([DOOR, *MIXING])
    sent = [(one, matcher.match(one)) for one in events]
    assert world.endure(sent, chance, together=(1, 8), calls=(3, 60)) > 0
    assert [found[:3] for found in world.told(COUNTED)] == plainly(world, events)
    assert world.told(COUNTED) and world.told(ONE_AFTER_ANOTHER)
    for one in MIXING:
        found = world.replay.run(one, BORN - HOUR, BORN + 3 * HOUR, Budget(60))
        assert sorted((each.group[0], each.timestamp, each.events_matched) for each in found.decisions) == [
            told[:3] for told in world.told(one)
        ]
        ((_, counted),) = world.replay.series(one, BORN, BORN + 2 * HOUR, 2 * HOUR, Budget(60))
        services = [sum(event.service == name for event in events) for name in ("mixed-gate", "mixed-safe")]
        assert counted == tuple([services[0], len(world.signals(DOOR)), services[1]][: len(one.queries)])


def test_a_signal_of_both_shows_both(event_store: EventStore, state: StateStore) -> None:
    world = Mixed(event_store, state, name="mixed-shown")
    for one in (DOOR, ONE_AFTER_ANOTHER):
        world.save(one, BORN - 1)
    world.restart()
    world.now = BORN + 10 * MINUTE
    world.send(log("mixed-gate", 1), log("mixed-door", 2), log("mixed-door", 2.1))
    world.run()
    assert world.signals(ONE_AFTER_ANOTHER) == []
    world.send(log("mixed-safe", 4))
    world.run()
    (row,) = world.signals(ONE_AFTER_ANOTHER)
    (door,) = world.signals(DOOR)
    assert document(row)["correlation"] == {"signals": [door["id"]], "rules": [DOOR.id]}
    page = world.service.events(row["id"])
    assert [(isinstance(event, SignalEvent), event.service) for event in page.events] == [
        (False, "mixed-gate"),
        (True, ["mixed-door"]),
        (False, "mixed-safe"),
    ]


def test_a_rule_that_begins_or_ceases_to_mix_goes_on(event_store: EventStore, state: StateStore) -> None:
    world = Mixed(event_store, state, name="mixed-changed")
    world.save(DOOR, BORN - 1)
    world.now = BORN + 10 * MINUTE
    for version, queries in enumerate(([GATE], [GATE, FORCED], [GATE]), 1):
        one = made(COUNTED.id, queries, "a > 0" if len(queries) == 1 else "a > 0 && b > 0")
        saved = world.save(replace(one, version=version), world.now)
        world.restart()
        at = 10 * version
        world.now = BORN + (at + 5) * MINUTE
        world.send(
            log("mixed-gate", at, f"user{version}"), *(log("mixed-door", at + n, f"user{version}") for n in (1, 1.1))
        )
        world.run()
        found = [row for row in world.signals(saved) if document(row)["workflow"]["rule"]["version"] == version]
        assert [document(row)["usr"]["id"] for row in found] == [f"user{version}"]
        assert len(world.signals(saved)) == version
