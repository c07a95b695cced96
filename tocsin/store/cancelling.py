"""Ends statements in the engine when nobody waits for their answers any more.

The engine, in this process or elsewhere, goes on with a statement whose client is gone or waits for something else. So
who may lose interest runs it under a name, and a thread beside it looks whether it is still wanted.
"""

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from clickhouse_connect.driver.exceptions import ClickHouseError

from tocsin.errors import TocsinError
from tocsin.query import Sql

LOOK_SECONDS = 0.1

_KILL = "KILL QUERY WHERE Settings['log_comment'] = {name:String} ASYNC"


class Cancelling:
    """`command` runs a statement beside those that are to be ended. Safe to use from many threads."""

    def __init__(self, command: Callable[[Sql], None]) -> None:
        self._command = command
        self._store = secrets.token_hex(8)
        self._numbers = itertools.count()

    @contextmanager
    def when_unwanted(self, is_wanted: Callable[[], bool] | None) -> Iterator[Mapping[str, str | int]]:
        """Around one statement: the settings to run it with. None: it is wanted until it ends."""
        if is_wanted is None:
            yield {}
            return
        name = f"{self._store} {next(self._numbers)}"
        ended = threading.Event()
        threading.Thread(target=self._look, args=(name, is_wanted, ended), name="cancelling", daemon=True).start()
        try:
            yield {"log_comment": name}
        finally:
            ended.set()

    def _look(self, name: str, is_wanted: Callable[[], bool], ended: threading.Event) -> None:
        """Again and again, as the statement may not have begun. One that cannot be ended has its limit of time."""
        while not ended.wait(LOOK_SECONDS):
            with suppress(TocsinError, ClickHouseError):
                if not is_wanted():
                    self._command(Sql(_KILL, {"name": name}))
