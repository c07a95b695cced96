"""How much memory something holds, or needs."""

import tracemalloc
from collections.abc import Callable


def held_bytes(make: Callable[[], object]) -> int:
    """What is allocated and still there when it is made, in bytes; more than its length where it holds room."""
    tracemalloc.start()
    try:
        kept = make()
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    del kept
    return size


def most_bytes(do: Callable[[], object]) -> int:
    """The most that is allocated at once while it is done, in bytes."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
