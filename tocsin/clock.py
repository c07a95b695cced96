"""The only place that asks the system for the time, so that everything else can be told it."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the present moment in Unix milliseconds, UTC."""


def now_ms() -> int:
    """Unix milliseconds, UTC."""
    return time.time_ns() // 1_000_000
