"""The coverage ledger on a real store: a stalled or killed evaluator leaves a hole, and its heir fills it."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from test_correlation import Correlating
from test_evaluator import BORN, HOUR, event, state, threshold

from tocsin.evaluate.evaluator import Evaluator, EvaluatorMetrics
from tocsin.evaluate.repository import Progress
from tocsin.rule import Rule, RuleQuery
from tocsin.rules.coverage import CoverageService
from tocsin.signals.engine import SignalEngine
from tocsin.signals.ledger import Ledger
from tocsin.signals.ledger_repository import MINUTE_MS, LedgerRows
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore

__all__ = ["state"]

MINUTE = BORN // MINUTE_MS


class Kept(Correlating):
    """A world that keeps a ledger."""

    has_cities = True

    def restart(self) -> None:
        super().restart()
        self.writers = getattr(self, "writers", 0) + 1
        self.ledger_rows = LedgerRows(self.store)
        self.beat = Progress(self.state, "engine")
        nothing: Any = None
        self.coverage = CoverageService(self.ledger_rows, self.beat, nothing, self.state, self.clock)
        ledger = Ledger(self.ledger_rows, self.beat, self.clock, f"writer {self.writers}", CollectorRegistry())
        inner = self.engine
        evaluator = Evaluator(
            self.matches,
            self.progress,
            self.rules,
            inner._writer,
            self.clock,
            EvaluatorMetrics(CollectorRegistry()),
            notes=ledger,
            has_cities=self.has_cities,
        )
        self.engine = SignalEngine(
            evaluator,
            inner._writer,
            inner._leases,
            self.clock,
            f"writer {self.writers}",
            CollectorRegistry(),
            ledger=ledger,
        )
        inner._leases.clear()

    def evaluated(self) -> list[int]:
        """Minutes since the first."""
        return sorted(minute - MINUTE for minute in self.ledger_rows.evaluated(MINUTE, MINUTE + 10_000))

    def health(self) -> str:
        return self.coverage.engine().status

    def minutes_pass(self, minutes: int, *, working: bool = True) -> None:
        for _ in range(minutes):
            self.now += MINUTE_MS
            if working:
                self.run()


@pytest.fixture
def rule() -> Rule:
    return threshold("aaa-led-001", ("low", "a > 0"))


def test_a_stalled_evaluator_leaves_a_hole_until_it_works_again(
    event_store: EventStore, state: StateStore, rule: Rule
) -> None:
    world = Kept(event_store, state, rule)
    assert world.health() == "never"
    world.run()
    world.minutes_pass(3)
    assert world.evaluated() == [0, 1, 2]
    assert world.health() == "working"
    world.minutes_pass(1, working=False)
    assert world.health() == "stalled"
    world.minutes_pass(4, working=False)
    assert world.evaluated() == [0, 1, 2]
    world.restart()
    assert world.health() == "working", "it had no time to be heard of since the restart"
    world.run()
    assert world.evaluated() == list(range(8))
    late = {
        minute: at - (minute + 1) * MINUTE_MS for minute, at in world.ledger_rows.evaluated(MINUTE, MINUTE + 9).items()
    }
    assert [late[MINUTE + i] // MINUTE_MS for i in (2, 3, 7)] == [0, 4, 0]
    assert world.health() == "working"


def test_sources_are_counted_once_however_often_they_are_written(
    event_store: EventStore, state: StateStore, rule: Rule
) -> None:
    world = Kept(event_store, state, rule)
    world.run()
    world.ingest(event(1, rule=rule), event(2, rule=rule))
    world.ingest(event(3, rule=rule))
    world.minutes_pass(2)
    assert world.ledger_rows.sources(MINUTE, MINUTE + 5) == {"": {MINUTE: 3}}
    assert world.ledger_rows.matched(MINUTE, MINUTE + 5, [rule.id]) == {(rule.id, MINUTE): 3}
    world.ledger_rows.write([MINUTE], {(MINUTE, ""): 3, (MINUTE, "sshd"): 1}, (), "another", world.now)
    assert world.ledger_rows.sources(MINUTE, MINUTE + 5) == {"": {MINUTE: 3}, "sshd": {MINUTE: 1}}
    assert world.ledger_rows.active_sources(MINUTE, MINUTE + 5) == ["sshd"]
    assert world.ledger_rows.active_sources(MINUTE + 1, MINUTE + 5) == []
    assert world.evaluated() == [0, 1]


def test_what_is_not_evaluated_is_noted_with_its_reason(event_store: EventStore, state: StateStore, rule: Rule) -> None:
    broken = threshold("aaa-led-002", ("low", "nonsense > "))
    off = threshold("aaa-led-003", ("low", "a > 0"))
    world = Kept(event_store, state, rule, broken, off)
    del world.rules.enabled[off.id]
    world.now = BORN + 25 * HOUR
    world.run()
    world.ingest(event(1, rules=[rule]), event(25 * 3600, "eve", rules=[broken, off]))
    world.minutes_pass(2)
    first = MINUTE + 25 * 60
    noted = world.ledger_rows.skipped(first, first + 3, [rule.id, broken.id, off.id])
    assert {(item.rule_id, item.minute - first, item.reason, item.matches) for item in noted} == {
        (rule.id, 0, "late", 1),
        (broken.id, 0, "failed", 1),
        (off.id, 0, "rule disabled", 1),
    }
    assert any("expected a number" in item.message for item in noted)
    world.restart()
    world.run()  # the heir reads the last minutes again, and counts the same
    world.minutes_pass(2)
    again = world.ledger_rows.skipped(first, first + 3, [rule.id, broken.id, off.id])
    assert {(item.rule_id, item.matches) for item in again} == {(rule.id, 1), (broken.id, 1), (off.id, 1)}


@pytest.mark.parametrize("has_cities", [True, False])
def test_accesses_that_no_database_can_place_are_noted(
    event_store: EventStore, state: StateStore, has_cities: bool
) -> None:
    place = ("@network.client.geoip",)
    query = RuleQuery("a", "*", aggregation="geo_data", group_by_fields=("@usr.id",), metrics=place)
    rule = threshold(f"aaa-tra-00{has_cities:d}", ("low", ""), queries=(query,), detection_method="impossible_travel")
    world = Kept(event_store, state, rule)
    world.has_cities = has_cities
    world.restart()
    world.run()
    world.ingest(event(1, rule=rule), event(2, rule=rule))  # neither has coordinates
    world.minutes_pass(2)
    noted = world.ledger_rows.skipped(MINUTE, MINUTE + 5, [rule.id])
    assert [(item.reason, item.matches) for item in noted] == ([] if has_cities else [("no city database", 2)])
