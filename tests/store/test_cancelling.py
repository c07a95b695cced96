"""A query ends in the engine itself when nobody waits for it any more."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import PATIENCE, until

from tocsin.errors import Abandoned
from tocsin.query import Sql
from tocsin.store.events import EventStore, Limits

SLOW = Sql("SELECT sum(sleepEachRow(0.02)) AS n FROM numbers(10000) -- minutes of waiting")
SLOWLY: dict[str, str | int] = {"max_block_size": 1, "function_sleep_max_microseconds_per_block": 10**8}

_RUNNING = """
SELECT query_id FROM system.processes WHERE query LIKE '%minutes of waiting%' AND query NOT LIKE '%processes%'
"""


def running(store: EventStore) -> int:
    return len(store.query(Sql(_RUNNING)))


def wait_until_running(store: EventStore, count: int) -> None:
    until(lambda: running(store), count.__eq__)


def test_only_the_query_that_nobody_wants_ends(event_store: EventStore) -> None:
    given_up, other = threading.Event(), threading.Event()

    def ask(is_over: threading.Event) -> None:
        event_store.query(SLOW, Limits(seconds=PATIENCE, is_wanted=lambda: not is_over.is_set()), SLOWLY)

    with ThreadPoolExecutor() as threads:
        first, second = threads.submit(ask, given_up), threads.submit(ask, other)
        wait_until_running(event_store, 2)
        given_up.set()
        with pytest.raises(Abandoned):
            first.result(PATIENCE)
        wait_until_running(event_store, 1)
        assert not second.done()
        other.set()
        with pytest.raises(Abandoned):
            second.result(PATIENCE)
    wait_until_running(event_store, 0)


def test_a_query_that_is_wanted_answers(event_store: EventStore) -> None:
    found = event_store.query(Sql("SELECT sleep(0.3) AS n"), Limits(is_wanted=lambda: True))
    assert found == [{"n": 0}]
