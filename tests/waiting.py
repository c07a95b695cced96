"""Waiting for what other threads and processes do. No test sleeps for luck: it waits for a condition, patiently."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

Found = TypeVar("Found")

PATIENCE = 120.0
"""Seconds until a test gives up: many times what a slow machine needs, and free where all goes well."""

TIMEOUT = 60.0
"""Seconds that one request may take, likewise."""

PLAIN: dict[str, Any] = {"timeout": TIMEOUT, "verify": False}
"""For clients of the tests' own servers, which speak plain HTTP: each would read the certificates of all authorities
first, which costs 24 ms, more than most requests."""


def until(look: Callable[[], Found], holds: Callable[[Found], object] = bool, every: float = 0.05) -> Found:
    """What `look` returns as soon as it `holds`; the test fails with what was seen last if it never does.

    The caller uses what it gets and does not look again: a second look may see something else. `every` is the pause
    between two looks in seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while not holds(found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"it did not come about within {PATIENCE:.0f} s; seen last: {found!r}")
        time.sleep(every)
    return found
