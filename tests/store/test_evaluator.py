"""The evaluator on real stores: same events, same signals, in whatever order, whenever it is killed (design §9.1)."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from event_stores import seeded
from prometheus_client import CollectorRegistry

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evaluator import REFRESH_MS, Baselines, Evaluator, EvaluatorMetrics
from tocsin.evaluate.latest import Latest
from tocsin.evaluate.method import decide
from tocsin.evaluate.newcomers import Newcomers
from tocsin.evaluate.repository import Matches, Progress
from tocsin.evaluate.threshold import plan
from tocsin.event import Event, event_id
from tocsin.intake.batch import stamped, unstamped
from tocsin.query import Sql
from tocsin.query.track import SUPPRESSED
from tocsin.rule import Match, Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.signal import Person
from tocsin.signals.engine import SignalEngine
from tocsin.signals.repository import SignalRows
from tocsin.signals.resource import signal_resource
from tocsin.signals.suppression import NO_SUPPRESSIONS
from tocsin.signals.writer import SignalMetrics, SignalWriter
from tocsin.store.events import EventStore
from tocsin.store.leases import Leases
from tocsin.store.outbox import Outbox
from tocsin.store.rows import encode_event
from tocsin.store.state import StateStore
from tocsin.triage import history
from tocsin.triage.service import TriageService
from tocsin.triage.transitions import Change

BORN = 1_767_225_600_000
SECOND = 1000
HOUR = 3_600_000


class Killed(BaseException):
    """What a SIGKILL is in these tests: nothing may handle it."""


class Saboteur:
    """Raises `Killed` before or after the n-th call that passes through it."""

    def __init__(self) -> None:
        self.left = -1
        self.after = False

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **keywords: Any) -> Any:
            if self.left == 0 and not self.after:
                self.left = -1
                raise Killed
            result = function(*arguments, **keywords)
            if self.left == 0:
                self.left = -1
                raise Killed
            self.left -= self.left > 0
            return result

        return wrapped


class Sabotaged:
    """An object whose methods pass through a saboteur."""

    def __init__(self, inner: Any, saboteur: Saboteur) -> None:
        self._inner = inner
        self._saboteur = saboteur

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return self._saboteur.wrap(value) if callable(value) else value


class FakeRules:
    """The rules that a test gives, at their versions."""

    def __init__(self, *rules: Rule) -> None:
        self.versions = {(rule.id, rule.version): rule for rule in rules}
        self.enabled = {rule.id: rule for rule in rules}

    def enabled_rules(self) -> Iterable[Rule]:
        return self.enabled.values()

    def rule_at(self, rule_id: str, version: int) -> Rule | None:
        return self.versions.get((rule_id, version))


class OwnMatches(Matches):
    """Tests share a store: new to the evaluator of one is who its own rules have no matches of."""

    def __init__(self, events: EventStore, latest: Latest, rules: FakeRules) -> None:
        super().__init__(events, latest)
        self._rules = rules

    def newcomers(self) -> Newcomers | None:
        own = {"rules": [rule_id for rule_id, _ in self._rules.versions]}
        last = "SELECT max(timestamp) AS last, count() AS matches FROM matches WHERE rule_id IN {rules:Array(String)}"
        (row,) = self._events.query(Sql(last, own))
        return Newcomers(row["last"] if row["matches"] else None)


class World:
    """A live evaluator with a clock to turn; `restart` is what a new process finds."""

    def __init__(self, events: EventStore, state: StateStore, *rules: Rule, name: str = "matches") -> None:
        self.store = events
        self.state = state
        self.now = BORN + 10 * SECOND
        self.rules = FakeRules(*rules)
        self.name = name
        self.saboteur = Saboteur()
        self.suppressions = NO_SUPPRESSIONS
        self.registry = CollectorRegistry()
        self.restart()

    def clock(self) -> int:
        return self.now

    def baselines(self, events: Any, state: Any) -> Baselines | None:
        """What makes instantaneous baselines."""
        del events, state
        return None

    def restart(self) -> None:
        self.saboteur.left = -1
        self.registry = CollectorRegistry()
        events: Any = Sabotaged(self.store, self.saboteur)
        state: Any = Sabotaged(self.state, self.saboteur)
        # So small that some of the events are at hand and others are read.
        self.latest = Latest(latest_bytes=3_000, kept_bytes=3_000)
        matches, rows = OwnMatches(events, self.latest, self.rules), SignalRows(events)
        self.rows, self.matches = SignalRows(self.store), Matches(self.store)
        self.triage = TriageService(
            state,
            AuditTrail(self.clock),
            self.clock,
            find_signals=self.rows.timestamps,
            find_person=lambda uuid: Person(uuid, "ana@example.com", "Ana", 1),
            project=lambda ids: self.engine.project(ids),
            lock_after_ms=0,
        )
        self.progress = Progress(state, self.name)
        writer = SignalWriter(
            rows,
            matches,
            state,
            Outbox(state, self.clock, "test"),
            self.clock,
            triage_of=self.triage.triage_of,
            hand_over=self.triage.hand_over,
            reopen=self.triage.reopen,
            history=history,
            metrics=SignalMetrics(self.registry),
            hidden_rows=SignalRows(events, SUPPRESSED),
            suppressions=lambda: self.suppressions,
        )
        evaluator = Evaluator(
            matches,
            self.progress,
            self.rules,
            writer,
            self.clock,
            EvaluatorMetrics(self.registry),
            baselines=self.baselines(events, state),
        )
        Leases(self.state, self.clock).clear()
        self.engine = SignalEngine(evaluator, writer, Leases(state, self.clock), self.clock, "test", self.registry)

    def run(self) -> None:
        while self.engine.step():
            pass

    def ingest(self, *sent: tuple[Event, Sequence[Match]]) -> None:
        """Store events with their matches, as the intake does; the clock goes on."""
        lines = [unstamped(encode_event(event, matches)) for event, matches in sent]
        self.store.insert("logs", stamped(lines, self.now), len(lines))
        self.latest.add(self.now, {event.id: line for (event, _), line in zip(sent, lines, strict=True)})
        self.now += 650

    def endure(
        self,
        sent: Iterable[tuple[Event, Sequence[Match]]],
        chance: random.Random,
        *,
        together: tuple[int, int],
        calls: tuple[int, int],
    ) -> int:
        """Take events in, so many `together`, and be killed after so many `calls`, if there are as many; how often."""
        arriving, kills = list(sent), 0
        while arriving:
            size = chance.randint(*together)
            self.ingest(*arriving[:size])
            arriving = arriving[size:]
            self.saboteur.left = chance.randint(*calls)
            self.saboteur.after = chance.random() < 0.5
            try:
                self.run()
            except Killed:
                kills += 1
                self.restart()
        self.restart()
        self.run()
        return kills

    def signals(self, rule: Rule) -> list[dict[str, Any]]:
        ids = self.store.query(Sql("SELECT id FROM signals FINAL WHERE rule_id = {rule:String}", {"rule": rule.id}))
        rows = self.rows.rows(row["id"] for row in ids)
        return [rows[name] for name in sorted(rows)]

    def users(self, rule: Rule) -> list[str]:
        """Whom the signals of a rule are about."""
        return [orjson.loads(row["document"])["usr"]["id"] for row in self.signals(rule)]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
def state(tmp_path: Path) -> StateStore:
    store = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    store.migrate()
    return store


def threshold(rule_id: str, *cases: tuple[str, str], **options: Any) -> Rule:
    group = options.pop("group", ("@usr.id",))
    merged = options.pop("group_signals_by", ())
    queries = options.pop("queries", None) or (RuleQuery("a", "*", group_by_fields=group),)
    return Rule(
        id=rule_id,
        name="Too many",
        message="{{@usr.id}} did it {{events_matched}} times",
        queries=queries,
        cases=tuple(RuleCase(status, condition, name=f"case {status}") for status, condition in cases),
        options=RuleOptions(**({"evaluation_window": 60, "keep_alive": 300, "max_signal_duration": 3600} | options)),
        group_signals_by=merged,
        tags=("security:attack",),
    )


def event(
    second: float, user: str = "bob", rule: Rule | None = None, index: int = 0, **more: Any
) -> tuple[Event, list[Match]]:
    """An event at this second, with its match."""
    timestamp = BORN + round(second * SECOND)
    rules = more.pop("rules", [rule] if rule else [])
    content = orjson.dumps([second, user, index, more.pop("salt", "")])
    made = Event(
        event_id(timestamp, content),
        timestamp,
        message=f"{user} at {second}",
        host="web-1",
        tags=more.pop("tags", ["env:prod"]),
        attributes={"usr": {"id": user}, "n": index},
    )
    groups = more.pop("groups", [(user,)])
    return made, [Match(rule.id, rule.version, index, group) for rule in rules for group in groups]


def comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A signal without what says when we ran rather than what we found, and without what only the rule's id decides."""
    kept = {name: value for name, value in row.items() if name not in ("id", "row_version", "ingested_at", "rule_id")}
    document = orjson.loads(row["document"].replace(row["rule_id"], "the rule"))
    del document["discovery_timestamp"], document["workflow"]["engine"]
    return kept | {"document": document, "detail": orjson.loads(row["detail"])}


def all_signals(world: "World", rules: Sequence[Rule]) -> list[list[dict[str, Any]]]:
    """The comparable signals of each rule, in the order of time and opening event."""
    return [
        sorted(
            (comparable(row) for row in world.signals(rule)),
            key=lambda row: (row["timestamp"], row["document"]["internal_id"]),
        )
        for rule in rules
    ]


def test_matches_become_a_signal_that_grows(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aaa", ("high", "a > 3"), ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule), event(2, rule=rule))
    world.run()
    (row,) = world.signals(rule)
    attributes = signal_resource(row)["attributes"]
    assert (attributes["status"], attributes["title"]) == ("low", "Too many - case low")
    assert attributes["message"] == "bob did it 2 times"
    assert attributes["custom"]["usr"] == {"id": "bob"}
    assert attributes["custom"]["workflow"]["window"] == {"state": "open", "closes_at": "2026-01-01T00:05:02.000Z"}
    assert attributes["custom"]["workflow"]["triage"]["state"] == "open"
    assert len(attributes["custom"]["samples"]) == 2
    world.ingest(event(3, rule=rule), event(4, rule=rule))
    world.run()
    (grown,) = world.signals(rule)
    assert (grown["id"], grown["timestamp"], grown["status"]) == (row["id"], row["timestamp"], "high")
    assert grown["row_version"] > row["row_version"]
    assert grown["ingested_at"] == row["ingested_at"]
    kinds = [(entry.kind, entry.before, entry.after) for entry in world.triage.history_of(row["id"])]
    assert kinds == [("created", "", "low"), ("severity", "low", "high")]


@pytest.mark.parametrize("number", range(5))
def test_history_tells_the_severity_that_the_signal_had(
    event_store: EventStore, state: StateStore, number: int
) -> None:
    rule = threshold(
        f"aaa-aba-00{number}", ("high", "a > 2"), ("medium", "a > 0"), decrease_criticality_based_on_env=True
    )
    world = World(event_store, state, rule)

    def history_of(identity: str) -> list[tuple[str, str, str]]:
        return [(entry.kind, entry.before, entry.after) for entry in world.triage.history_of(identity)]

    world.ingest(event(1, rule=rule, tags=["env:staging"]))
    world.run()
    (row,) = world.signals(rule)
    assert (row["status"], history_of(row["id"])) == ("low", [("created", "", "low")])
    (created,) = world.triage.history_of(row["id"])
    assert created.comment == "medium became low by the environment: env:staging"
    world.ingest(event(2, rule=rule, tags=["env:staging"]), event(3, rule=rule, tags=["env:staging"]))
    world.run()
    world.ingest(event(4, rule=rule, tags=["env:prod"]))
    world.now += REFRESH_MS
    world.saboteur.left, world.saboteur.after = number, True  # told, but perhaps not stored
    with pytest.raises(Killed):
        world.run()
    world.restart()
    world.run()
    (row,) = world.signals(rule)
    assert row["status"] == "high"
    assert history_of(row["id"]) == [
        ("created", "", "low"),
        ("severity", "low", "medium"),
        ("severity", "medium", "high"),
    ]


def counts(world: World, rule: Rule) -> list[int]:
    return [orjson.loads(row["document"])["workflow"]["events_matched"] for row in world.signals(rule)]


def test_a_signal_that_only_grows_waits_for_a_moment(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aab-aaa", ("high", "a > 4"), ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule), event(2, rule=rule))
    world.run()
    saved = world.progress.watermark()
    world.ingest(event(3, rule=rule))
    assert world.engine.step()  # there is more to do
    assert counts(world, rule) == [2]
    assert world.progress.watermark() == saved
    world.ingest(event(4, rule=rule))
    world.now += REFRESH_MS
    assert not world.engine.step()
    assert counts(world, rule) == [4]
    assert world.progress.watermark() != saved
    world.ingest(event(4.5, rule=rule))  # a higher severity does not wait
    world.engine.step()
    assert [row["status"] for row in world.signals(rule)] == ["high"]


def test_growth_that_waited_is_not_lost_with_the_process(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aab-aab", ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule), event(2, rule=rule))
    world.run()
    world.ingest(event(3, rule=rule))
    world.engine.step()
    assert counts(world, rule) == [2]
    world.restart()
    world.run()
    assert counts(world, rule) == [3]


def test_growth_of_one_group_does_not_hold_up_another(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aab-aac", ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule), event(2, rule=rule))
    world.run()
    world.ingest(event(3, rule=rule), event(3, "eve", rule=rule), event(4, "eve", rule=rule))
    world.engine.step()
    assert sorted(counts(world, rule)) == [2, 2]
    world.restart()  # the saved watermark stands before all of them: eve is decided again, and is the same
    before = {row["id"]: row["row_version"] for row in world.signals(rule)}
    world.run()
    assert sorted(counts(world, rule)) == [2, 3]
    unchanged = [row["id"] for row in world.signals(rule) if row["row_version"] == before[row["id"]]]
    assert len(unchanged) == 1


def test_nothing_new_writes_nothing(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aab", ("low", "a > 0"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule))
    world.run()
    (before,) = world.signals(rule)
    world.run()
    world.restart()
    world.run()
    assert world.signals(rule) == [before]


def test_clock_closes_the_window_also_after_a_restart(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aac", ("low", "a > 0"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule))
    world.run()
    world.restart()
    world.now = BORN + 301 * SECOND
    world.run()
    (row,) = world.signals(rule)
    assert orjson.loads(row["document"])["workflow"]["window"]["state"] == "closed"


def test_late_event_supersedes_and_triage_moves_on(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aad", ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.ingest(event(50, rule=rule), event(55, rule=rule))
    world.run()
    (first,) = world.signals(rule)
    ana = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())
    world.triage.decide(first["id"], Change(state="under_review"), ana)
    world.ingest(event(20, rule=rule))
    world.run()
    (second,) = world.signals(rule)
    assert second["id"] != first["id"]
    assert second["timestamp"] == BORN + 50 * SECOND
    assert orjson.loads(second["document"])["workflow"]["triage"]["state"] == "under_review"


def test_triage_is_projected_and_detection_keeps_it(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aae", ("low", "a > 0"))
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule))
    world.run()
    (row,) = world.signals(rule)
    ana = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())
    world.triage.decide(row["id"], Change(state="archived", archive_reason="false_positive"), ana)
    world.ingest(event(2, rule=rule))
    world.run()
    (row,) = world.signals(rule)
    workflow = orjson.loads(row["document"])["workflow"]
    assert workflow["triage"]["archive_reason"] == "false_positive"
    assert workflow["events_matched"] == 2


def test_what_is_archived_opens_again_where_the_rule_asks_for_it(event_store: EventStore, state: StateStore) -> None:
    """But only for events that come after it was archived; the decision is nobody's in the history."""
    rule = threshold("aaa-aab-aae", ("low", "a > 0"), method_options={"reopenOnUpdate": True})
    world = World(event_store, state, rule)
    world.ingest(event(1, rule=rule))
    world.run()
    (row,) = world.signals(rule)
    ana = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())
    world.triage.decide(row["id"], Change(state="archived", archive_reason="false_positive"), ana)
    world.restart()
    world.run()
    assert world.triage.triage_of([row["id"]])[row["id"]].state == "archived"
    world.ingest(event(2, rule=rule))
    world.run()
    (grown,) = world.signals(rule)
    assert orjson.loads(grown["document"])["workflow"]["triage"]["state"] == "open"
    assert world.triage.triage_of([row["id"]])[row["id"]].state == "open"
    last = world.triage.history_of(row["id"])[-1]
    assert (last.kind, last.by.name, last.before, last.after) == ("state", "Tocsin", "archived: false_positive", "open")


def test_old_events_fire_only_when_sent_as_backfill(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aaf", ("low", "a > 0"))
    world = World(event_store, state, rule)
    world.now = BORN + 25 * HOUR
    world.ingest(event(1, rule=rule), event(3600 + 1, "eve", rule=rule))
    world.run()
    assert world.users(rule) == ["eve"]
    assert world.metric("tocsin_evaluator_skipped_total", reason="late") == 1
    world.ingest(event(2, rule=rule, tags=["backfill:true"]))
    world.run()
    rows = {orjson.loads(row["document"])["usr"]["id"]: row for row in world.signals(rule)}
    assert set(rows) == {"bob", "eve"}
    # The late event that does not count stays out when the group is read from the store.
    assert orjson.loads(rows["bob"]["document"])["workflow"]["events_matched"] == 1


def test_disabled_rule_raises_nothing_and_versions_stay_apart(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aag", ("low", "a > 1"))
    newer = replace(rule, version=2, name="Newer")
    world = World(event_store, state, rule, newer)
    world.ingest(event(1, rule=rule), event(2, rule=newer))
    world.run()
    assert world.signals(rule) == []
    world.ingest(event(3, rule=newer))
    world.run()
    (row,) = world.signals(rule)
    assert row["title"] == "Newer - case low"
    del world.rules.enabled[rule.id]
    world.ingest(event(4, "eve", rule=newer), event(5, "eve", rule=newer))
    world.run()
    assert world.signals(rule) == [row]
    assert world.metric("tocsin_evaluator_skipped_total", reason="rule disabled") == 2


def test_broken_rule_is_noted_and_the_others_go_on(event_store: EventStore, state: StateStore) -> None:
    broken = threshold("aaa-aaa-aah", ("low", "nonsense > "))
    sound = threshold("aaa-aaa-aai", ("low", "a > 0"))
    world = World(event_store, state, broken, sound)
    world.ingest(event(1, rules=[broken, sound]))
    world.run()
    assert len(world.signals(sound)) == 1
    assert world.signals(broken) == []
    (failure,) = world.progress.failures()
    assert (failure.rule_id, failure.matches) == (broken.id, 1)
    assert "expected a number" in failure.message


def test_group_too_large_for_memory_fails_visibly_and_alone(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.evaluate.threshold.MAX_ENTRIES", 20)
    rule = threshold("aaa-aaa-aal", ("low", "a > 0"))
    world = World(event_store, state, rule)
    world.ingest(event(1, "eve", rule=rule), *(event(number, rule=rule) for number in range(30)))
    world.run()
    assert world.users(rule) == ["eve"]
    (failure,) = world.progress.failures()
    assert failure.matches == 30
    assert "['bob']" in failure.message
    rebuilt = world.metric("tocsin_evaluator_groups_rebuilt_total")
    world.ingest(event(31, rule=rule))
    world.run()
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == rebuilt  # not read again at once
    (failure,) = world.progress.failures()
    assert failure.matches == 31
    monkeypatch.undo()
    world.now += 60_000
    world.ingest(event(32, rule=rule))
    world.run()
    assert len(world.signals(rule)) == 2


def test_merged_groups(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aaj", ("low", "a > 1"), group=("@usr.id", "host"), group_signals_by=("host",))
    world = World(event_store, state, rule)
    both = {"groups": [("bob", "web-1"), ("eve", "web-1")]}
    world.ingest(event(1, rule=rule, **both), event(2, "bob", rule=rule, groups=[("bob", "web-1")]))
    world.run()
    world.restart()
    world.ingest(event(3, "eve", rule=rule, groups=[("eve", "web-1")]))
    world.run()
    (row,) = world.signals(rule)
    custom = orjson.loads(row["document"])
    assert custom["groupByValues"] == {"@usr.id": ["bob", "eve"], "host": "web-1"}
    assert custom["workflow"]["events_matched"] == 3


def test_memory_limits_change_nothing(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.evaluate.repository.PAGE", 7)
    monkeypatch.setattr("tocsin.evaluate.evaluator.CACHED_MATCHES", 0)
    monkeypatch.setattr("tocsin.evaluate.loading.TOGETHER", 2)
    monkeypatch.setattr("tocsin.evaluate.group.MAX_TAIL", 4)
    monkeypatch.setattr("tocsin.evaluate.feed.BATCH", 10)
    rule = threshold("aaa-aaa-aak", ("low", "a > 2"))
    world = World(event_store, state, rule)
    sent = [event(second, user, rule=rule) for second in range(0, 90, 3) for user in ("ann", "bob", "eve")]
    for start in range(0, len(sent), 25):
        world.ingest(*sent[start : start + 25])
        world.run()
    found = [orjson.loads(row["document"])["workflow"]["events_matched"] for row in world.signals(rule)]
    assert found == [30, 30, 30]


def test_groups_that_are_busy_are_not_read_again_in_each_step(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.evaluate.evaluator.CACHED_MATCHES", 60)
    rule = threshold("aaa-aaa-aas", ("low", "a > 50"))
    world = World(event_store, state, rule)
    users = ("ann", "bob", "eve")
    world.ingest(*[event(second, user, rule=rule) for second in range(20) for user in users])  # more than the bound
    world.run()
    for second in range(20, 26):
        world.ingest(*[event(second, user, rule=rule) for user in users])
        world.run()
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == 3
    world.ingest(*[event(30, "zoe", rule=rule)])  # now the others are idle
    world.run()
    world.ingest(*[event(31, user, rule=rule) for user in users])
    world.run()
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") > 4


def test_idle_groups_stay_however_much_busy_ones_hold(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.evaluate.evaluator.CACHED_MATCHES", 60)
    rule = threshold("aaa-aaa-aat", ("low", "a > 50"))
    world = World(event_store, state, rule)
    users = ("ann", "bob", "eve")
    world.ingest(event(0, "zoe", rule=rule))
    world.run()
    world.ingest(*[event(second, user, rule=rule) for second in range(20) for user in users])  # more than the bound
    world.run()
    for second in range(20, 23):
        world.ingest(*[event(second, user, rule=rule) for user in users])
        world.run()
    world.ingest(event(23, "zoe", rule=rule))
    world.run()
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == 4


def test_groups_of_which_nothing_was_heard_are_not_looked_for(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aau", ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.run()
    world.ingest(event(1, "ann", rule=rule), event(1, "bob", rule=rule))
    world.run()
    assert world.metric("tocsin_evaluator_groups_new_total") == 2
    assert world.signals(rule) == []
    world.restart()
    world.run()  # whoever begins knows that there are matches of that time, but not whose
    world.ingest(event(2, "ann", rule=rule), event(2, "eve", rule=rule), event(5000, "zoe", rule=rule))
    world.run()
    assert world.users(rule) == ["ann"]
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == 4  # bob's match is read again as well
    assert world.metric("tocsin_evaluator_groups_new_total") == 1  # an hour after the last of which there may be more
    world.ingest(event(5001, "zoe", rule=rule), event(3, "zoe", rule=rule))  # older than what is in memory
    world.run()
    assert world.metric("tocsin_evaluator_groups_new_total") == 1
    assert len(world.signals(rule)) == 2


def test_a_group_that_has_been_quiet_is_forgotten_and_not_looked_for(
    event_store: EventStore, state: StateStore
) -> None:
    rule = threshold("aaa-aaa-aaw", ("low", "a > 1"), keep_alive=100)
    world = World(event_store, state, rule)

    def wait_until(second: int) -> None:
        while world.now < BORN + second * SECOND:  # who does nothing for longer begins anew
            world.run()
            world.now += 5 * SECOND

    world.run()
    world.ingest(event(1, "ann", rule=rule), event(2, "ann", rule=rule), event(1, "bob", rule=rule))
    wait_until(120)  # bob's match has left the window for so long, ann's signal is closed, but not for long enough
    world.ingest(event(119, "zoe", rule=rule))
    world.run()
    world.ingest(event(120, "ann", rule=rule))
    wait_until(300)
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == 3
    world.ingest(event(299, "eve", rule=rule))
    world.run()
    world.ingest(event(300, "ann", rule=rule), event(301, "ann", rule=rule))
    world.run()
    assert world.metric("tocsin_evaluator_groups_new_total") == 5, "ann is as new"
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == 5
    world.ingest(event(3, "bob", rule=rule))  # before bob's match was past
    world.run()
    assert world.metric("tocsin_evaluator_groups_new_total") == 5
    assert world.metric("tocsin_evaluator_groups_rebuilt_total") == 6
    assert sorted(world.users(rule)) == ["ann", "ann", "bob"]


def test_who_was_heard_of_while_a_rule_was_disabled_is_looked_for(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aav", ("low", "a > 1"))
    world = World(event_store, state, rule)
    world.run()
    world.rules.enabled.clear()
    world.ingest(event(1, rule=rule))
    world.run()
    world.rules.enabled[rule.id] = rule
    world.ingest(event(2, rule=rule))
    world.run()
    assert len(world.signals(rule)) == 1


def test_signals_that_only_grow_are_stored_once_a_second(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.evaluate.evaluator.REFRESHED_TOGETHER", 1)
    rule = threshold("aaa-aaa-aaw", ("low", "a > 0"))
    world = World(event_store, state, rule)
    world.ingest(event(1, "ann", rule=rule), event(1, "bob", rule=rule))
    world.run()
    world.ingest(event(2, "ann", rule=rule), event(2, "bob", rule=rule))
    world.engine.step()
    world.now += REFRESH_MS
    stored = []
    for second in range(3, 7):
        world.ingest(event(second, "ann", rule=rule), event(second, "bob", rule=rule))  # the clock goes on by 0.65 s
        world.engine.step()
        stored.append(world.metric("tocsin_signals_updated_total"))
    assert stored == [1, 1, 2, 2]


def test_logs_that_a_signal_will_show_when_it_opens_stay_at_hand(event_store: EventStore, state: StateStore) -> None:
    rule = threshold("aaa-aaa-aax", ("low", "a > 30"))
    world = World(event_store, state, rule)
    sent = [event(second, rule=rule) for second in range(30)]
    for each in sent:
        world.ingest(each)
        world.run()
    asked = [(made.timestamp, made.id) for made, _ in sent]
    found = world.latest.events(asked)
    assert len(world.matches.events(asked)) == 30
    assert found == world.matches.events(asked)


# Same events, same signals, whatever happens


@dataclass(frozen=True)
class Day:
    rules: tuple[Rule, ...]
    sent: tuple[tuple[Event, list[Match]], ...]


def recorded_day(seed: int, prefix: str) -> Day:
    """Some hours of events of a few users, with bursts, over two rules: one joins two queries, one merges groups."""
    chance = random.Random(seed)
    joined = threshold(
        f"{prefix}{seed % 10}-aaa-aaa",
        ("critical", "failed > 1 && ok > 0"),
        ("medium", "failed > 1"),
        queries=(
            RuleQuery("failed", "*", group_by_fields=("@usr.id",)),
            RuleQuery("ok", "*", group_by_fields=("@usr.id",)),
        ),
        max_signal_duration=600,
    )
    instant = threshold(
        f"{prefix}{seed % 10}-bbb-bbb", ("low", "a > 0"), evaluation_window=0, keep_alive=0, max_signal_duration=0
    )
    merged = threshold(
        f"{prefix}{seed % 10}-ccc-ccc", ("high", "a > 1"), group=("@usr.id", "host"), group_signals_by=("host",)
    )
    sent = []
    second = 0.0
    for number in range(100):
        second += chance.choice([0, 0.001, 1, 1, 5, 5, 20, 20, 59.999, 60, 299.9, 300, 700])
        user = chance.choice(["ann", "bob", "eve"])
        index = chance.choice([0, 0, 0, 1])
        made, matches = event(second, user, rule=joined, index=index, salt=number)
        if chance.random() < 0.25:
            matches.append(Match(instant.id, 1, 0, (user,)))
        users = [user] if chance.random() < 0.8 else ["ann", "bob"]
        matches += [Match(merged.id, 1, 0, (name, "web-1")) for name in users]
        sent.append((made, matches))
    return Day((joined, instant, merged), tuple(sent))


def expected_openings(day: Day, rule: Rule) -> set[str]:
    """The opening events that the pure decision finds."""
    prepared = plan(rule)
    groups: dict[tuple[str, ...], list[MatchRow]] = {}
    for made, matches in day.sent:
        for match in matches:
            if match.rule_id == rule.id:
                row = MatchRow(made.timestamp, made.id, match.group, match.query_index)
                groups.setdefault(prepared.signal_group(match.group), []).append(row)
    return {f"-1-{signal.opened_by}" for rows in groups.values() for signal in decide(prepared, rows)}


@seeded(range(3))
def test_shuffled_arrival_and_kills_change_nothing(
    event_store: EventStore, state: StateStore, tmp_path: Path, seed: int
) -> None:
    end = BORN + 40 * HOUR
    day = recorded_day(seed, "bb")
    undisturbed = World(event_store, state, *day.rules, name="undisturbed")
    undisturbed.ingest(*day.sent)
    undisturbed.run()
    undisturbed.now = end
    undisturbed.run()
    wanted = all_signals(undisturbed, day.rules)
    for rule, found in zip(day.rules, wanted, strict=True):
        assert {row["document"]["internal_id"].removeprefix("the rule") for row in found} == expected_openings(
            day, rule
        )
        assert len(found) > 4

    # The same day again, for rules of other ids, as it comes and goes in a worse world.
    day = recorded_day(seed, "cc")
    chance = random.Random(seed)
    other = StateStore(f"sqlite:///{tmp_path / 'other.db'}")
    other.migrate()
    world = World(event_store, other, *day.rules, name="disturbed")
    arriving = list(day.sent)
    chance.shuffle(arriving)
    arriving += chance.sample(day.sent, 10)  # repeated requests
    kills = world.endure(arriving, chance, together=(1, 15), calls=(0, 25))
    world.now = end
    world.run()
    assert kills > 2
    assert all_signals(world, day.rules) == wanted
    other.close()
