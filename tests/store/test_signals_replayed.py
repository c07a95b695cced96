"""Rules over signals that are stored: a replay raises what live correlation raised, and so do scheduled runs."""

import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry
from test_correlation import BOTH, DOOR, SAFE, Correlating, correlation, document, story
from test_evaluator import BORN, HOUR, SECOND, Sabotaged, event, state, threshold
from test_scheduled import TEN_MINUTES, Server, rule
from test_scheduled import event as log

from tocsin.access.actor import Actor
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.evaluate.signals_repository import SignalMatches
from tocsin.event import SignalEvent
from tocsin.rule import Rule, RuleQuery
from tocsin.rules.scheduled.runner import ScheduledRunner
from tocsin.signals.repository import SignalRows
from tocsin.signals.stored import StoredSignals
from tocsin.store.events import EventStore
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore
from tocsin.triage.transitions import Change

__all__ = ["state"]

MINUTE = 60 * SECOND

ANA = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())


class Stored(Server, Correlating):
    """A world whose runner of scheduled rules reads signals too."""

    def restart(self) -> None:
        super().restart()
        events: Any = Sabotaged(self.store, self.saboteur)
        state: Any = Sabotaged(self.state, self.saboteur)
        members = StoredSignals(SignalRows(events), SignalMatches(events), self.rules.rule_at)
        self.replay = Replay(StoredLogs(events), Matches(events), signals=members)
        self.runner = ScheduledRunner(
            state,
            self.rules,
            self.replay,
            Matches(events),
            Leases(state, self.clock),
            self.clock,
            "test",
            CollectorRegistry(),
            is_evaluated=self._evaluate,
        )

    def _evaluate(self, _arrived_at: int) -> bool:
        self.run()
        return True

    def told(self, rule: Rule) -> list[tuple[Any, ...]]:
        """What the signals of a rule say, but for who they are."""
        found = []
        for row in self.signals(rule):
            custom = document(row)
            workflow = custom["workflow"]
            found.append(
                (
                    *(row["timestamp"], row["status"], custom["groupByValues"], custom["correlation"]),
                    *(workflow["events_matched"], workflow["first_seen"], workflow["last_seen"]),
                )
            )
        return sorted(found, key=str)


def over_signals(rule_id: str, query: str, condition: str, **asked: Any) -> Rule:
    """A threshold over what a search of signals finds."""
    query_ = RuleQuery("a", query, data_source="security_signals", **{"group_by_fields": ("@usr.id",), **asked})
    return replace(threshold(rule_id, ("high", condition), evaluation_window=3600, keep_alive=3600), queries=(query_,))


MERGED = replace(
    threshold("aaa-mer-001", ("low", "a > 1"), keep_alive=60, max_signal_duration=600),
    queries=(RuleQuery("a", "*", group_by_fields=("@usr.id", "host")),),
    group_signals_by=("@usr.id",),
)
BY_HOST = correlation("ccc-hos-001", ("high", "a > 0"), a={"ruleId": MERGED.id, "correlatedByFields": ["host"]})
SEVERE = over_signals("ccc-sev-001", "status:(low OR medium) security:attack", "a > 1")
RULES = over_signals(
    "ccc-rul-001", "*", "a > 1", aggregation="cardinality", distinct_fields=("@workflow.rule.id",), group_by_fields=()
)
ABOVE = correlation(
    "ccc-abo-001", ("critical", "a > 0"), a={"ruleId": BOTH.id, "correlatedByFields": ["@usr.id"], "query": "bob"}
)


def arrivals(seed: int) -> list[Any]:
    chance = random.Random(seed)
    found = list(story())
    for _ in range(60):
        at, user = chance.randint(0, 7000), chance.choice(["bob", "eve", "ann"])
        found.append(event(at, user, rule=chance.choice([DOOR, DOOR, SAFE])))
    chance.shuffle(found)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_a_replay_over_signals_raises_what_live_correlation_did(
    event_store: EventStore, state: StateStore, seed: int
) -> None:
    readers = (BOTH, SEVERE, RULES, ABOVE)
    world = Stored(event_store, state, DOOR, SAFE, *readers, name=f"replayed-{seed}")
    world.now = BORN + 3 * HOUR
    arriving = arrivals(seed)
    for start in range(0, len(arriving), 7):
        world.ingest(*arriving[start : start + 7])
        world.run()
    archived, *_ = world.signals(DOOR)
    world.triage.decide(archived["id"], Change(state="archived", archive_reason="false_positive"), by=ANA)
    world.run()
    for reader in readers:
        found = world.replay.run(reader, BORN - HOUR, BORN + 4 * HOUR, Budget(60))
        live = world.signals(reader)
        assert live, reader.name
        assert sorted((one.timestamp, one.events_matched) for one in found.decisions) == sorted(
            (row["timestamp"], document(row)["workflow"]["events_matched"]) for row in live
        )
        members = world.replay.events(
            reader, [(ref.timestamp, ref.event_id) for ref in found.decisions[0].first_events]
        )
        assert set(members) <= {row["id"] for source in (DOOR, SAFE, BOTH) for row in world.signals(source)}
        ((_, counted),) = world.replay.series(reader, BORN, BORN + 3 * HOUR, 3 * HOUR, Budget(60))
        named = [query.correlated_rule for query in reader.queries]
        wanted = [len(world.signals(source)) for name in named for source in (DOOR, SAFE) if source.id == name]
        assert list(counted) == wanted if wanted else counted[0] > 0


def test_values_that_a_merged_signal_dropped_are_found_again(event_store: EventStore, state: StateStore) -> None:
    world = Stored(event_store, state, MERGED, BY_HOST, name="merged")
    world.now = BORN + HOUR
    world.ingest(*(event(at, rule=MERGED) for at in (0, 5, 9)))
    world.run()
    found = world.replay.run(BY_HOST, BORN, BORN + HOUR, Budget(60))
    assert [one.group for one in found.decisions] == [
        tuple(orjson.loads(row["detail"])["engine"]["group"]) for row in world.signals(BY_HOST)
    ]


def test_scheduled_correlation_raises_what_live_correlation_does(event_store: EventStore, state: StateStore) -> None:
    world = Stored(event_store, state, name="scheduled-signals")
    live = (BOTH, SEVERE)
    scheduled = [replace(one, id=one.id.replace("ccc-", "sss-"), schedule=TEN_MINUTES) for one in live]
    for one in (DOOR, SAFE, *live, *scheduled):
        world.save(one, BORN - 1)
    world.restart()
    arriving = sorted(arrivals(3), key=lambda each: each[0].timestamp)
    for start in range(0, len(arriving), 9):
        part = arriving[start : start + 9]
        world.now = max(world.now, part[-1][0].timestamp + SECOND)
        world.ingest(*part)
        world.run()
        world.run_scheduled()
    world.now = BORN + 5 * HOUR
    assert world.run_scheduled()
    for one, other in zip(live, scheduled, strict=True):
        assert world.told(one), one.name
        assert world.told(other) == world.told(one)
        page = world.service.events(world.signals(other)[0]["id"])
        assert all(isinstance(event, SignalEvent) for event in page.events)
        assert page.total == document(world.signals(other)[0])["workflow"]["events_matched"] == len(page.events)
    assert not world.run_scheduled()


def test_a_run_over_signals_finds_those_of_a_run_over_logs_that_was_due_with_it(
    event_store: EventStore, state: StateStore
) -> None:
    world = Stored(event_store, state, name="together")
    logs = rule("together", schedule=TEN_MINUTES)
    reader = correlation("aaa-fir-001", ("high", "a > 0"), a={"ruleId": logs.id, "correlatedByFields": ["@usr.id"]})
    ours = world.save(replace(reader, schedule=TEN_MINUTES), BORN)
    world.save(logs, BORN)
    world.restart()
    world.now = BORN + 5 * MINUTE
    world.send(*(log("together", 4 + n / 100) for n in range(3)))
    world.now = BORN + 13 * MINUTE
    assert world.run_scheduled() == 2
    assert [document(row)["correlation"]["rules"] for row in world.signals(ours)] == [[logs.id]]


def test_a_run_over_signals_finds_those_that_rarer_runs_raise_for_an_earlier_time(
    event_store: EventStore, state: StateStore
) -> None:
    world = Stored(event_store, state, name="late")
    logs = rule("late", schedule=replace(TEN_MINUTES, rrule="FREQ=MINUTELY;INTERVAL=30"))
    reader = correlation("aaa-lat-001", ("high", "a > 0"), a={"ruleId": logs.id, "correlatedByFields": ["@usr.id"]})
    ours = world.save(replace(reader, schedule=TEN_MINUTES), BORN)
    world.save(logs, BORN)
    world.restart()
    world.now = BORN + 5 * MINUTE
    world.send(*(log("late", 4 + n / 100) for n in range(3)))
    told = []
    for minute in (13, 23, 33, 43, 53):
        world.now = BORN + minute * MINUTE
        world.run_scheduled()
        told.append((len(world.signals(logs)), [document(row)["usr"]["id"] for row in world.signals(ours)]))
    assert told == [(0, []), (0, []), (1, ["bob"]), (1, ["bob"]), (1, ["bob"])]
    assert [run.matches for run in world.runs(ours)] == [0, 0, 1, 1, 0]  # again within two minutes: it is one
    assert not world.run_scheduled()
