"""Scheduled rules on real stores: what a live rule would raise, run by run, however often they are killed."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry
from test_evaluator import BORN, SECOND, Killed, Sabotaged, World, all_signals, state

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.event import Event, event_id
from tocsin.match.matcher import Matcher
from tocsin.rule import CalculatedField, Rule, RuleCase, RuleOptions, RuleQuery, Schedule
from tocsin.rules import repository as rule_rows
from tocsin.rules.repository import RuleRow
from tocsin.rules.scheduled import repository
from tocsin.rules.scheduled.repository import Run
from tocsin.rules.scheduled.runner import ScheduledRunner
from tocsin.rules.scheduled.runs import LAG_MS
from tocsin.rules.shape import rule_to_api
from tocsin.store.events import EventStore
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore

__all__ = ["state"]

MINUTE = 60 * SECOND
TEN_MINUTES = Schedule("FREQ=MINUTELY;INTERVAL=10", "2026-01-01T00:00:00", "UTC")
"""`BORN` is the beginning of 2026."""

numbers = itertools.count(1)


class Server(World):
    """A live evaluator beside a runner of scheduled rules; a restart begins both anew."""

    def restart(self) -> None:
        super().restart()
        events: Any = Sabotaged(self.store, self.saboteur)
        state: Any = Sabotaged(self.state, self.saboteur)
        self.runner = ScheduledRunner(
            state,
            self.rules,
            Replay(StoredLogs(events), Matches(events)),
            Matches(events),
            Leases(state, self.clock),
            self.clock,
            "test",
            self.registry,
        )

    def save(self, rule: Rule, at: int) -> Rule:
        """A version of a rule, as the rules service keeps it."""
        made = replace(rule, updated_at=at, created_at=rule.created_at or at)
        with self.state.transaction() as session:
            rule_rows.save(session, RuleRow(made.id, made.version, rule_to_api(made)), [], at)
        self.rules.versions[made.id, made.version] = made
        self.rules.enabled.pop(made.id, None)
        if made.is_enabled:
            self.rules.enabled[made.id] = made
        return made

    def runs(self, rule: Rule) -> list[Run]:
        with self.state.reading() as session:
            return list(reversed(repository.latest(session, rule.id, 100)))

    def run_scheduled(self) -> int:
        count = 0
        while self.runner.step():
            count += 1
        self.run()
        return count

    def is_killed_in_a_round(self, chance: random.Random) -> bool:
        """Live rules go on, and perhaps the scheduled ones; a kill may come at any statement."""
        self.saboteur.left = chance.randint(0, 40)
        self.saboteur.after = chance.random() < 0.5
        try:
            if chance.random() < 0.6:
                self.run_scheduled()
            self.run()
        except Killed:
            self.restart()
            return True
        return False

    def send(self, *events: Event) -> None:
        """Logs as they come in; live rules find what they look for."""
        matcher = Matcher([rule for rule in self.rules.enabled_rules() if rule.schedule is None])
        self.ingest(*((event, matcher.match(event)) for event in events))


def rule(service: str, query: str = "", *, schedule: Schedule | None = TEN_MINUTES, **more: Any) -> Rule:
    number = next(numbers)
    method = more.pop("method", "threshold")
    options = {"evaluation_window": 120, "keep_alive": 900, "max_signal_duration": 3600, **more.pop("options", {})}
    given = {"group_by_fields": ("@usr.id",), **more.pop("asked", {})}
    return Rule(
        id=f"sch-{number:03}-aaa",
        name="Scheduled",
        message="{{@usr.id}}",
        queries=(RuleQuery("a", f"service:{service} {query}".strip(), **given),),
        cases=(RuleCase("high", more.pop("condition", "a > 2")),),
        options=RuleOptions(method, **options),
        schedule=schedule,
        **more,
    )


def event(service: str, minute: float, user: str = "bob", **attributes: Any) -> Event:
    timestamp = BORN + round(minute * MINUTE)
    content = orjson.dumps([service, minute, user, next(numbers)])
    return Event(
        event_id(timestamp, content),
        timestamp,
        message=f"{user} was here",
        host="web-1",
        service=service,
        attributes={"usr": {"id": user}, **attributes},
    )


def test_a_scheduled_rule_raises_what_a_live_one_does_however_often_it_is_killed(
    event_store: EventStore, state: StateStore
) -> None:
    service = f"sched-{next(numbers)}"
    chance = random.Random(0)
    countries = {"aggregation": "new_value", "metrics": ("@country",)}
    learning = {"newValueOptions": {"forgetAfter": 1, "learningMethod": "threshold", "learningThreshold": 1}}
    live = [
        rule(service, schedule=None),
        rule(service, schedule=None, asked={"aggregation": "cardinality", "distinct_fields": ("@country",)}),
        rule(
            service,
            schedule=None,
            method="new_value",
            asked=countries,
            condition="",
            options={"evaluation_window": 0, "method_options": learning},
        ),
        rule(service, schedule=None, asked={"group_by_fields": ("@usr.id", "host")}, group_signals_by=("host",)),
    ]
    server = Server(event_store, state, name=service)
    scheduled = [replace(one, id=one.id.replace("-aaa", "-bbb"), schedule=TEN_MINUTES) for one in live]
    for one in (*live, *scheduled):
        server.save(one, BORN - 1)
    minute, kills = 0.0, 0
    arriving = []
    for _ in range(90):
        minute += chance.choice([0, 0.001, 0.1, 0.5, 0.5, 1, 3, 7, 16])
        user, country = chance.choice(["ann", "bob"]), chance.choice(["DE", "DE", "FR", "US"])
        arriving.append(event(service, minute, user, country=country))
    while arriving:
        size = chance.randint(1, 6)
        part, arriving = arriving[:size], arriving[size:]
        server.now = max(server.now, part[-1].timestamp + chance.randint(0, 30) * SECOND)
        server.send(*chance.sample(part, len(part)))
        kills += server.is_killed_in_a_round(chance)
    server.restart()
    server.now += 2 * 3600 * SECOND
    server.run_scheduled()
    assert kills > 3
    wanted = all_signals(server, live)
    assert all(len(found) > 1 for found in wanted)
    assert all_signals(server, scheduled) == wanted
    for one in scheduled:
        runs = server.runs(one)
        assert [run.status for run in runs] == ["completed"] * len(runs)
        assert runs[0].since == BORN - 1
        assert [run.since for run in runs[1:]] == [run.until for run in runs[:-1]], "nothing is left out, nor twice"
        assert any(run.times > 1 for run in runs), "some were missed, and caught up together"


def test_that_nothing_came_is_told_at_the_end_of_runs_however_often_they_are_killed(
    event_store: EventStore, state: StateStore
) -> None:
    """Logs of some hours with gaps: a run every ten minutes asks whether any came in the fifteen before."""
    service = f"sched-{next(numbers)}"
    chance = random.Random(1)
    server = Server(event_store, state, name=service)
    options = {"evaluation_window": 900, "keep_alive": 900, "max_signal_duration": 86400}
    silent = rule(service, asked={"group_by_fields": ()}, condition="a < 1", options=options)
    server.save(silent, BORN - 1)
    minutes = [minute for minute in range(220) if not (20 <= minute < 58 or 100 <= minute < 121 or minute == 140)]
    ends = range(0, 190, 10)
    wanted = [end for end in ends if not any(end - 15 < minute <= end for minute in minutes)]
    assert wanted == [40, 50, 120]
    kills = 0
    for minute in range(4, 220, 5):
        server.now = BORN + minute * MINUTE
        server.send(*(event(service, now, n=now) for now in range(minute - 4, minute + 1) if now in minutes))
        kills += server.is_killed_in_a_round(chance)
    server.restart()
    server.run_scheduled()
    assert kills > 3
    found = [row["document"]["workflow"] for row in all_signals(server, [silent])[0]]
    assert [workflow["events_matched"] for workflow in found] == [0] * len(found)
    assert len(found) == 2, "those at 40 and 50 are one: it was kept alive"
    replayed = Replay(StoredLogs(event_store), Matches(event_store)).run(
        silent, BORN, BORN + 200 * MINUTE, Budget(60), ends=[BORN + end * MINUTE for end in ends], is_live=False
    )
    assert [(one.timestamp - BORN) // MINUTE for one in replayed.decisions] == [40, 120]
    assert [row["timestamp"] for row in server.signals(silent)] == [BORN + 40 * MINUTE, BORN + 120 * MINUTE]


def test_a_run_waits_for_logs_that_are_late_and_missed_ones_are_caught_up_together(
    event_store: EventStore, state: StateStore
) -> None:
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    ours = server.save(rule(service), BORN)
    server.now = BORN + 9 * MINUTE
    server.send(*(event(service, 9.5 + n / 100) for n in range(3)))
    server.now = BORN + 10 * MINUTE + LAG_MS - 1
    assert server.run_scheduled() == 0
    server.now += 1
    assert server.run_scheduled() == 1
    assert len(server.signals(ours)) == 1
    assert server.run_scheduled() == 0
    server.send(*(event(service, 25 + n / 100, "eve") for n in range(3)))
    server.now = BORN + 43 * MINUTE
    assert server.run_scheduled() == 1
    assert [(run.since, run.until, run.times, run.matches) for run in server.runs(ours)] == [
        (BORN, BORN + 10 * MINUTE, 1, 3),
        (BORN + 10 * MINUTE, BORN + 40 * MINUTE, 3, 3),
    ]
    assert len(server.signals(ours)) == 2


def test_a_new_version_looks_back_one_window_and_raises_nothing_in_it(
    event_store: EventStore, state: StateStore
) -> None:
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    server.now = BORN + 5 * MINUTE
    server.send(*(event(service, 1 + n / 100) for n in range(3)), *(event(service, 4.5, n=n) for n in range(3)))
    ours = server.save(rule(service, condition="a > 3"), BORN + 5 * MINUTE)
    server.send(event(service, 5.5), event(service, 8))
    server.now = BORN + 13 * MINUTE
    server.run_scheduled()
    (row,) = server.signals(ours)
    assert row["timestamp"] == BORN + round(5.5 * MINUTE)
    assert orjson.loads(row["document"])["workflow"]["events_matched"] == 4
    replayed = Replay(StoredLogs(event_store), Matches(event_store)).run(
        ours, BORN + 5 * MINUTE + 1, BORN + 10 * MINUTE + 1, Budget(60), is_live=False
    )
    assert [(found.timestamp, found.events_matched) for found in replayed.decisions] == [(row["timestamp"], 4)]
    # An edited rule goes on where it was, and knows what lay in its window.
    edited = server.save(replace(ours, version=2, cases=(RuleCase("low", "a > 4"),)), BORN + 13 * MINUTE)
    server.send(*(event(service, 9.5, n=n) for n in range(3)), *(event(service, 10.5, n=n) for n in range(2)))
    server.now = BORN + 23 * MINUTE
    server.run_scheduled()
    second = next(row for row in server.signals(edited) if row["status"] == "low")
    assert second["timestamp"] == BORN + round(10.5 * MINUTE)
    assert server.runs(ours)[-1].since == BORN + 10 * MINUTE


def test_a_failed_run_is_tried_again_with_the_next_time(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    ours = server.save(rule(service), BORN)
    server.now = BORN + 5 * MINUTE
    server.send(*(event(service, 4 + n / 100) for n in range(3)))
    server.now = BORN + 13 * MINUTE
    with monkeypatch.context() as patched:
        patched.setattr("tocsin.rules.scheduled.runner.SECONDS", 0)
        assert server.run_scheduled() == 1
        assert server.run_scheduled() == 0, "it would fail again"
    (failed,) = server.runs(ours)
    assert (failed.status, failed.ended_at) == ("failed", server.now)
    assert failed.error is not None
    assert "longer than the 0 s" in failed.error
    assert server.signals(ours) == []
    server.now = BORN + 23 * MINUTE
    assert server.run_scheduled() == 1
    assert [(run.since, run.status, run.times) for run in server.runs(ours)[1:]] == [(BORN, "completed", 2)]
    assert len(server.signals(ours)) == 1


def test_what_is_switched_off_does_not_run_and_is_not_caught_up(event_store: EventStore, state: StateStore) -> None:
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    ours = server.save(rule(service), BORN)
    server.now = BORN + 5 * MINUTE
    server.send(*(event(service, 4 + n / 100) for n in range(3)), *(event(service, 24 + n / 100) for n in range(3)))
    server.now = BORN + 13 * MINUTE
    server.saboteur.left = 12
    with pytest.raises(Killed):
        server.run_scheduled()
    server.restart()
    assert [run.status for run in server.runs(ours)] == ["running"]
    server.save(replace(ours, version=2, is_enabled=False), server.now)
    assert server.run_scheduled() == 1
    assert [(run.status, run.error) for run in server.runs(ours)] == [("skipped", "the rule was switched off")]
    server.now = BORN + 33 * MINUTE
    assert server.run_scheduled() == 0
    server.save(replace(ours, version=3), server.now)
    server.now = BORN + 43 * MINUTE
    assert server.run_scheduled() == 1
    assert (server.runs(ours)[-1].since, server.runs(ours)[-1].matches) == (BORN + 33 * MINUTE, 0)


def test_calculated_fields_search_group_and_count(event_store: EventStore, state: StateStore) -> None:
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    ours = server.save(
        rule(
            service,
            "#total:>=5",
            asked={"group_by_fields": ("#zone", "@usr.id"), "aggregation": "sum", "metrics": ("#total",)},
            condition="a >= 11",
            calculated_fields=(
                CalculatedField("total", "@client + @server"),
                CalculatedField("zone", 'if(#total > 5, "far", split_before(host, "-", 1))'),
            ),
        ),
        BORN,
    )
    server.now = BORN + 5 * MINUTE
    server.send(
        event(service, 3, client=2, server=3),  # 5: web
        event(service, 3.1, client=4, server=2),  # 6: far
        event(service, 3.2, client=1, server=2),  # 3
        event(service, 3.3, client=2.5, server="2.5"),  # 5: web
        event(service, 3.4, client=3, server=3),  # 6: far
        event(service, 3.5, client=9),  # nothing
    )
    server.now = BORN + 13 * MINUTE
    server.run_scheduled()
    (row,) = server.signals(ours)
    document = orjson.loads(row["document"])
    assert document["groupByValues"] == {"#zone": "far", "@usr.id": "bob"}
    assert document["groupByPaths"] == ["#zone", "@usr.id"]
    related = orjson.loads(row["detail"])["relatedQuery"]["query"]
    assert "#" not in related
    assert f"service:{service}" in related
    replay = Replay(StoredLogs(event_store), Matches(event_store))
    series = replay.series(ours, BORN, BORN + 5 * MINUTE, MINUTE, Budget(60))
    assert series == [(3, (4,))]


def test_a_long_run_lets_the_evaluator_come_along(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.rules.scheduled.runner.ADDED_TOGETHER", 2)
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    ours = server.save(rule(service), BORN)
    server.now = BORN + 5 * MINUTE
    server.send(*(event(service, 4 + n / 100) for n in range(5)))
    server.now = BORN + 13 * MINUTE
    asked: list[int] = []

    def is_evaluated(arrived_at: int) -> bool:
        asked.append(arrived_at)
        server.run()
        return (server.progress.watermark() or 0) > arrived_at - 100

    runner = ScheduledRunner(
        state,
        server.rules,
        Replay(StoredLogs(event_store), Matches(event_store)),
        Matches(event_store),
        Leases(state, server.clock),
        server.clock,
        "test",
        CollectorRegistry(),
        is_evaluated=is_evaluated,
    )
    assert runner.step()
    assert asked == [server.now] * 2, "after each part but the last"
    server.run()
    assert [run.matches for run in server.runs(ours)] == [5]
    assert len(server.signals(ours)) == 1


class Noting(Matches):
    """Notes whose matches are added together."""

    def __init__(self, events: EventStore) -> None:
        super().__init__(events)
        self.added: list[list[str]] = []

    def add(self, rule_id: str, version: int, rows: Sequence[MatchRow], now: int) -> None:
        self.added.append([row.group[0] for row in rows])
        super().add(rule_id, version, rows, now)


def test_what_a_run_finds_of_one_group_is_added_together(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.rules.scheduled.runner.ADDED_TOGETHER", 4)
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    ours = server.save(rule(service), BORN)
    server.now = BORN + 5 * MINUTE
    server.send(*(event(service, 4 + n / 100, "bob" if n % 2 else "ann") for n in range(8)))
    server.now = BORN + 13 * MINUTE
    matches, leases = Noting(event_store), Leases(state, server.clock)
    replay = Replay(StoredLogs(event_store), matches)
    made = ScheduledRunner(state, server.rules, replay, matches, leases, server.clock, "test", CollectorRegistry())
    assert made.step()
    assert matches.added == [["ann"] * 4, ["bob"] * 4]
    server.run()
    assert len(server.signals(ours)) == 2


def test_only_one_process_runs_them(event_store: EventStore, state: StateStore) -> None:
    service = f"sched-{next(numbers)}"
    server = Server(event_store, state, name=service)
    server.save(rule(service), BORN)
    server.now = BORN + 13 * MINUTE
    leases = Leases(state, server.clock)
    assert leases.acquire("scheduled rules", "another", 60)
    assert not server.runner.step()
    leases.release("scheduled rules", "another")
    assert server.runner.step()
    assert leases.holder("scheduled rules") is None
