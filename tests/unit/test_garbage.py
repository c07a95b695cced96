"""What outlives a collection is set aside, and what of it is in a cycle is found by looking at everything."""

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from zstandard import ZstdCompressor

from tests.memory import held_bytes
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


@pytest.mark.parametrize(
    "make", [lambda text: orjson.dumps([text]), lambda text: ZstdCompressor(level=1).compress(text.encode())]
)
def test_what_is_kept_takes_what_it_is_long(make: Callable[[str], bytes]) -> None:
    texts = [f"number {number} " * 10 for number in range(200)]
    assert [garbage.fitted(make(text)) for text in texts] == [make(text) for text in texts]
    length = sum(len(make(text)) for text in texts)
    assert held_bytes(lambda: [garbage.fitted(make(text)) for text in texts]) < length + 60 * len(texts)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096
