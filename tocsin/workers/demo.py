"""Plays the demonstration: a story through the ordinary intake, over HTTP, like any shipper."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator

import httpx
import orjson
import structlog

from tocsin.clock import Clock
from tocsin.demo.formats import Record
from tocsin.demo.story import afterwards, week

SEED = 7
BATCH = 500
PAUSE_SECONDS = 1.0
"""How often the trickle sends what is due."""

log = structlog.get_logger("tocsin.demo")


class DemoPlayer:
    """Sends the week once, then what goes on happening until `should_stop` says so.

    The moment at which the week ends is remembered by the caller (`began_at`): a player that was killed
    sends the same records again, whose ids the intake knows already.
    """

    def __init__(self, url: str, api_key: str, clock: Clock, should_stop: Callable[[], bool]) -> None:
        self._clock = clock
        self._should_stop = should_stop
        self._http = httpx.Client(base_url=url, headers={"DD-API-KEY": api_key}, timeout=60)

    def play_week(self, began_at: int) -> int:
        """Send the week that ends at `began_at` (Unix milliseconds); returns the number of events sent."""
        sent = 0
        started = time.monotonic()
        # the last day first: what happened just now is what one looks for first
        records = sorted(week(SEED, began_at), key=lambda record: (record.at < began_at - 86_400_000, record.at))
        for batch in _batches(records, BATCH):
            if self._should_stop() or not self._send(batch, "?ddtags=backfill:true"):
                return sent
            sent += len(batch)
        log.info("the demonstration's week is loaded", events=sent, seconds=round(time.monotonic() - started, 1))
        return sent

    def play_afterwards(self, began_at: int) -> None:
        """Send the records that fall due, until asked to stop."""
        records = afterwards(SEED, began_at)
        upcoming = next(records)
        while not self._should_stop():
            due: list[Record] = []
            now = self._clock()
            while upcoming.at <= now:
                if upcoming.at > now - 60_000:  # after a pause of the process, do not send what is long past
                    due.append(upcoming)
                upcoming = next(records)
            for batch in _batches(due, BATCH):
                self._send(batch)
            time.sleep(PAUSE_SECONDS)

    def _send(self, batch: list[Record], query: str = "") -> bool:
        body = orjson.dumps([record.payload() for record in batch])
        headers = {"Content-Type": "application/json"}
        while not self._should_stop():
            try:
                answer = self._http.post(f"/api/v2/logs{query}", content=body, headers=headers)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code == 429:
                time.sleep(float(answer.headers.get("Retry-After", "1")))
                continue
            if not answer.is_success:
                log.error("the demonstration was refused", status=answer.status_code, answer=answer.text[:300])
                return False
            return True
        return False


def _batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    iterator = iter(records)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
