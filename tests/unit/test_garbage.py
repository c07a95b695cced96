"""What outlives a collection is set aside, and what of it is in a cycle is found by looking at everything."""

import gc
import subprocess
import sys
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


_GAPS = """
from pathlib import Path
from tocsin import garbage

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096

garbage.collect_seldom()
held = b"x" * 20_000_000  # once it is gone, the C library would take a megabyte for small
del held
before = resident()
pieces = [(b"x" * (1_000_000 + number), b"y" * (2_000 + number)) for number in range(40)]
kept = [small for _, small in pieces]
del pieces
print(resident() - before)
"""


@pytest.mark.skipif(garbage._TRIM is None, reason="only glibc moves the bound between small and large by itself")
def test_large_pieces_leave_no_gaps_between_small_ones() -> None:
    found = subprocess.run([sys.executable, "-c", _GAPS], check=True, capture_output=True, text=True)
    assert int(found.stdout) < 4_000_000, "of 40 MB"


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096
