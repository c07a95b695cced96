"""When Python looks for cycles of objects that nobody can reach, and how the system gets memory back."""

import ctypes
import gc
import threading
from collections.abc import Callable

_YOUNG_OBJECTS = 200_000
"""Objects between two collections: events and signals in the making hold no cycles, Python's own 700 are a few of them,
and cost the evaluator a tenth of its time. A step that reads 5,000 matches makes 50,000 of them, which are gone at its
end: looking at them took 60 ms of each."""

_WHOLE_SECONDS = 3600
"""Between two collections of everything, which stop the process for as long as it takes to look at all that it holds: 2
s at 600 MB."""

_KEPT_SECONDS = 30
"""For so long at most the C library keeps what was freed between what was not: a tenth of the memory of a server under
load. To give it back takes some milliseconds."""

_LIBC = ctypes.CDLL(None)
_TRIM = getattr(_LIBC, "malloc_trim", None)
"""Only glibc keeps pages that are free, and has a way to be told to give them back."""

_SET = getattr(_LIBC, "mallopt", None)
_OWN_PAGES_FROM = -3
"""`M_MMAP_THRESHOLD` of glibc."""

_LARGE_BYTES = 256 * 1024
"""What is larger has pages of its own, which the system gets back with it. By itself the C library soon takes megabytes
for small: what lives on settles in the gaps between buffers that came and went, and a server under load held a tenth
more."""

_ENDLESS = threading.Event()
"""Never set: nobody waits for the thread that collects everything when the process ends."""


def collect_nothing() -> None:
    """While a process sets itself up nearly everything stays: to look for what does not took a tenth of the start of a
    server. Until `collect_seldom`."""
    gc.disable()


def collect_seldom() -> None:
    """What is set up by now lives as long as the process: it is not looked at again but once an hour.

    Nor is what outlives one collection: what the evaluator and caches hold is counted, not looked for, and to look at
    it again and again took up to half a second each time. What is in a cycle then waits for the hour.
    """
    if _TRIM is not None and _SET is not None:
        _SET(_OWN_PAGES_FROM, _LARGE_BYTES)
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 5, 20)
    if _set_aside not in gc.callbacks:
        gc.callbacks.append(_set_aside)
        for seconds, work in ((_WHOLE_SECONDS, collect_all), (_KEPT_SECONDS, give_back)):
            threading.Thread(target=_every, args=(seconds, work), name="garbage", daemon=True).start()


def collect_all() -> None:
    """Look at everything, what was set aside as well."""
    gc.unfreeze()
    gc.collect()


def give_back() -> None:
    """Let the system have the pages that are free."""
    if _TRIM is not None:
        _TRIM(0)


def _set_aside(phase: str, info: dict[str, int]) -> None:
    del info
    if phase == "stop":
        gc.freeze()


def _every(seconds: int, work: Callable[[], None]) -> None:
    while not _ENDLESS.wait(seconds):
        work()
