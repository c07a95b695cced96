"""The engine: one at a time, errors counted and repeated, a triage change never fails for the explorer's sake."""

import threading
from typing import Any

from prometheus_client import CollectorRegistry

from tocsin.errors import Unavailable
from tocsin.signals.engine import SignalEngine


class FakePart:
    """Evaluator, writer and leases in one; `fails` is how many calls still fail."""

    def __init__(self) -> None:
        self.fails = 0
        self.steps = 0
        self.drained = 0
        self.forgotten = 0
        self.is_behind = False
        self.held_by: str | None = None
        self.stop = threading.Event()

    def step(self) -> bool:
        self._maybe_fail()
        self.steps += 1
        if self.steps == 3:
            self.stop.set()
        return False

    def drain(self) -> int:
        self._maybe_fail()
        self.drained += 1
        return 0

    def close_due(self) -> int:
        return 0

    def forget(self) -> None:
        self.forgotten += 1

    def acquire(self, name: str, holder: str, seconds: float) -> bool:
        if self.held_by not in (None, holder):
            return False
        self.held_by = holder
        return True

    def release(self, name: str, holder: str) -> None:
        self.held_by = None

    def _maybe_fail(self) -> None:
        if self.fails:
            self.fails -= 1
            raise Unavailable("the disk is full")


class Turned:
    now = 1_767_225_600_000

    def __call__(self) -> int:
        return self.now


def engine(part: Any, clock: Turned, registry: CollectorRegistry, holder: str = "me") -> SignalEngine:
    return SignalEngine(part, part, part, clock, holder, registry)


def test_failed_rounds_are_counted_and_repeated(monkeypatch: Any) -> None:
    monkeypatch.setattr("tocsin.signals.engine.RETRY_SECONDS", 0.0)
    part, registry = FakePart(), CollectorRegistry()
    part.fails = 2
    engine(part, Turned(), registry).run(part.stop)
    assert part.steps == 3
    assert registry.get_sample_value("tocsin_evaluator_errors_total") == 2
    assert part.held_by is None


def test_stands_by_while_another_holds_the_lease_and_trusts_no_memory_after() -> None:
    part, registry, clock = FakePart(), CollectorRegistry(), Turned()
    part.held_by = "other"
    standby = engine(part, clock, registry)
    assert not standby.step()
    standby.project(["s"])
    assert (part.steps, part.drained) == (0, 0)
    part.held_by = None
    standby.step()
    assert (part.steps, part.forgotten) == (1, 2)
    standby.step()
    assert part.forgotten == 2
    clock.now += 60_000  # longer than the lease: another may have worked
    standby.step()
    assert part.forgotten == 4


def test_projecting_never_fails_the_decision() -> None:
    part, registry = FakePart(), CollectorRegistry()
    mine = engine(part, Turned(), registry)
    part.fails = 1
    mine.project(["s"])
    assert registry.get_sample_value("tocsin_evaluator_errors_total") == 1
    mine.project(["s"])
    assert part.drained == 1


def test_the_intake_is_held_while_a_round_takes_long_but_not_for_ever(monkeypatch: Any) -> None:
    monkeypatch.setattr("tocsin.signals.engine.LONG_ROUND_SECONDS", 0.0)
    monkeypatch.setattr("tocsin.signals.engine.MOST_HOLD_SECONDS", 600.0)
    part = FakePart()
    mine = engine(part, Turned(), CollectorRegistry())
    mine.hold()  # no round, nothing to wait for
    begun, may_end, is_held = threading.Event(), threading.Event(), threading.Event()
    part.step = lambda: begun.set() or not may_end.wait(60)
    evaluation = threading.Thread(target=mine.step)
    evaluation.start()
    assert begun.wait(60)

    def store() -> None:
        mine.hold()
        is_held.set()

    intake = threading.Thread(target=store)
    intake.start()
    assert not is_held.wait(0.05)
    monkeypatch.setattr("tocsin.signals.engine.MOST_HOLD_SECONDS", 0.0)
    mine.hold()
    may_end.set()
    assert is_held.wait(60)
    evaluation.join()
    intake.join()
