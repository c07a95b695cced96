"""What outlives a collection is set aside, and what of it is in a cycle is found by looking at everything."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin import garbage


class Cycle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    garbage.collect_all()


def test_survivors_are_not_looked_at_again_until_everything_is() -> None:
    garbage.collect_seldom()
    kept = Cycle()
    found = weakref.ref(kept)
    gc.collect(0)
    assert gc.get_count()[1:] == (0, 0), "all that is older than a collection is set aside"
    del kept
    gc.collect()
    assert found() is not None
    garbage.collect_all()
    assert found() is None


def test_cycles_of_a_moment_are_found_at_once() -> None:
    garbage.collect_seldom()
    found = weakref.ref(Cycle())
    gc.collect(0)
    assert found() is None


def test_one_thread_looks_at_everything_however_often_it_is_called() -> None:
    for _ in range(3):
        garbage.collect_seldom()
    assert gc.callbacks.count(garbage._set_aside) == 1


@pytest.mark.skipif(garbage._TRIM is None, reason="only glibc keeps what was freed, and can be told to give it back")
def test_what_was_freed_between_what_was_not_is_given_back() -> None:
    kept = [bytes(2_000) for _ in range(40_000)]
    full = resident()
    kept = kept[::20]
    freed = resident()
    garbage.give_back()
    assert resident() < min(freed, full) - 20_000_000, "of 80 MB"
    assert len(kept) == 2_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096
