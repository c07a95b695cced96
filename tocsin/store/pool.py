"""A bounded set of engine clients, lent to one thread at a time.

One embedded client runs one call at a time (two threads on one client took 9.9 s where two clients took 4.8 s), and a
client over HTTP keeps one session; so threads get clients of their own.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client

from tocsin.errors import Unavailable

WAIT_SECONDS = 30


class Pool:
    """At most `size` clients, opened when first needed, the last used first."""

    def __init__(self, connect: Callable[[], Client], size: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._connect = connect
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._slots = threading.Semaphore(size)
        self._wait_seconds = wait_seconds
        self._closed = False

    @contextmanager
    def client(self) -> Iterator[Client]:
        """Raises `Unavailable` when all clients stay busy for the waiting time."""
        if not self._slots.acquire(timeout=self._wait_seconds):
            raise Unavailable("the event store is busy: too many searches at once; try again in a moment")
        try:
            if self._closed:
                raise Unavailable("the event store is closed: Tocsin is shutting down")
            try:
                client = self._idle.get_nowait()
            except queue.Empty:
                client = self._connect()
            try:
                yield client
            except BaseException:
                # The embedded engine puts what a failed query had written so far before the answer of the next one on
                # the same client: never lend such a client again.
                client.close()
                raise
            self._idle.put(client)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the idle clients; a call that still runs keeps its own until the process ends."""
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except queue.Empty:
                return
