"""What a processor works on: the event as it stands, and what was decided on its way."""

from collections.abc import Callable

from tocsin.event import Event

Failed = Callable[[str, Exception], None]
"""Told of a processor that failed: the name of its pipeline and the error."""


class Run:
    """One event on its way through the pipelines.

    `taken` holds the reserved attributes that a remapper has set: only the first applicable one of each kind
    takes effect (siem.md §1.8). `now` is the time of arrival in Unix milliseconds. `pipeline` is the one at work.
    """

    __slots__ = ("failed", "now", "pipeline", "taken")

    def __init__(self, now: int, failed: Failed | None = None) -> None:
        self.now = now
        self.failed = failed
        self.taken: set[str] = set()
        self.pipeline = ""

    def all_of(self, processes: "tuple[Process, ...]", event: Event) -> None:
        """Run processors in order. One that fails is told and left behind: it must never drop the log (§1.8)."""
        for process in processes:
            try:
                process(event, self)
            except Exception as error:  # noqa: BLE001
                if self.failed is not None:
                    self.failed(self.pipeline, error)


Process = Callable[[Event, Run], None]
"""One compiled processor: changes the event. What it cannot do it leaves undone."""

Predicate = Callable[[Event], bool]
