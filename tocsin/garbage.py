"""When Python looks for cycles of objects that nobody can reach."""

import gc

_YOUNG_OBJECTS = 200_000
"""Objects between two collections: events and signals in the making hold no cycles, Python's own 700 are a few of them,
and cost the evaluator a tenth of its time. A step that reads 5,000 matches makes 50,000 of them, which are gone at its
end: looking at them took 60 ms of each."""


def collect_nothing() -> None:
    """While a process sets itself up nearly everything stays: to look for what does not took a tenth of the start of a
    server. Until `collect_seldom`."""
    gc.disable()


def collect_seldom() -> None:
    """What is set up by now lives as long as the process: it is not looked at again."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 5, 20)
