"""Load for system tests: requests that are fixed beforehand, and a sender that repeats what was not acknowledged."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import orjson
from server import API_KEY
from waiting import PATIENCE, PLAIN

from tocsin.demo.story import HOUR, intrusions_of_week, usual_week

Requests = list[bytes]
ATTACKED = 5 * HOUR


def story_requests(end: int, events: int, per_request: int, seed: int = 11) -> Requests:
    """`events` records of the demonstration's story that ends at `end`, as bodies of the log intake: the intrusions of
    its last five hours, and what was usual last. The last records as they come would hold an intrusion or not by the
    hour at which the tests run, since more happens at noon than at night.
    """
    attacks = [record for record in intrusions_of_week(seed, end) if record.at >= end - ATTACKED]
    usual = list(usual_week(seed, end))[len(attacks) - events :]
    records = sorted([*usual, *attacks], key=lambda record: record.at)
    starts = range(0, len(records), per_request)
    return [orjson.dumps([record.payload() for record in records[i : i + per_request]]) for i in starts]


def shuffled(requests: Sequence[bytes], seed: int) -> Requests:
    copy = list(requests)
    random.Random(seed).shuffle(copy)
    return copy


@dataclass
class Sender:
    """Sends requests from several threads; each is repeated until the server acknowledges it."""

    url: str
    threads: int = 3
    acknowledged: int = 0
    repeated: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, requests: Sequence[bytes], on_progress: Callable[[int], None] = lambda _: None) -> None:
        queue: Iterator[bytes] = iter(requests)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                with httpx.Client(base_url=self.url, headers={"DD-API-KEY": API_KEY}, **PLAIN) as http:
                    while True:
                        with self._lock:
                            body = next(queue, None)
                        if body is None:
                            return
                        self._until_acknowledged(http, body)
                        with self._lock:
                            self.acknowledged += 1
                            on_progress(self.acknowledged)
            except BaseException as error:
                failures.append(error)
                raise

        workers = [threading.Thread(target=work) for _ in range(self.threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert not failures, failures

    def _until_acknowledged(self, http: httpx.Client, body: bytes) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = http.post(
                    "/api/v2/logs",
                    content=body,
                    headers={"Content-Type": "application/json"},
                    params={"ddtags": "backfill:true"},
                )
                if answer.status_code == 202:
                    return
                assert answer.status_code in (408, 429, 500, 502, 503), answer.text
            except httpx.TransportError:
                pass
            with self._lock:
                self.repeated += 1
            time.sleep(0.1)
        raise AssertionError("a request was not acknowledged in time")
