"""Waiting work is counted as it is, and not at all while nobody knows."""

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from tocsin.errors import Unavailable
from tocsin.signals.gauges import StateGauges


class State:
    """Outbox and progress in one."""

    broken = False

    def waiting(self) -> dict[str, tuple[int, int, str | None]]:
        if self.broken:
            raise Unavailable("the state store does not answer")
        return {"audit": (3, 10_000, None), "signals": (1, 14_000, "Unavailable: full")}

    def saved_at(self) -> int | None:
        return 12_000

    def watermark(self) -> int | None:
        return 11_000


def told(state: Any) -> str:
    registry = CollectorRegistry()
    registry.register(StateGauges(state, state, lambda: 15_000))
    return generate_latest(registry).decode()


def test_what_waits_and_since_when() -> None:
    text = told(State())
    for line in (
        'tocsin_outbox_waiting{topic="audit"} 3.0',
        'tocsin_outbox_oldest_seconds{topic="audit"} 5.0',
        'tocsin_outbox_failing{topic="audit"} 0.0',
        'tocsin_outbox_failing{topic="signals"} 1.0',
        "tocsin_engine_silent_seconds 3.0",
        "tocsin_engine_behind_seconds 4.0",
    ):
        assert line in text.splitlines()


def test_nothing_is_said_that_is_not_known() -> None:
    state = State()
    state.broken = True
    assert "outbox" not in told(state)
