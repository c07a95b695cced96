"""Plays the demonstration: a story through the ordinary intake, over HTTP, like any shipper."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import orjson
import structlog

from tocsin.clock import Clock
from tocsin.demo import feed, settled
from tocsin.demo.formats import Record
from tocsin.demo.story import WEEK_MS, afterwards, week

SEED = 7
BATCH = 500
FEEDS = "/api/v2/security/siem/threat-intel/feeds"
TABLES = "/api/v2/reference-tables"
PIPELINES = "/api/v1/logs/config/pipelines"
RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
JOBS = "/api/v2/siem-threat-hunting/jobs"
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

    def load_feed(self, app_key: str) -> bool:
        """Upload the feed of the story's indicators over the API, like anybody; harmless when repeated."""
        headers = {"DD-APPLICATION-KEY": app_key}
        body = {"data": {"type": "threat_intel_feed", "attributes": feed.settings()}}
        while not self._should_stop():
            try:
                answer = self._http.post(FEEDS, json=body, headers=headers)
                if answer.status_code not in (201, 409):
                    log.error(
                        "the demonstration's feed was refused", status=answer.status_code, answer=answer.text[:300]
                    )
                    return False
                listed = self._http.get(FEEDS, headers=headers).json()["data"]
                own = next(item["id"] for item in listed if item["attributes"]["name"] == feed.NAME)
                self._http.put(f"{FEEDS}/{own}/content", content=feed.content(), headers=headers).raise_for_status()
                return True
            except httpx.TransportError:
                time.sleep(0.2)
        return False

    def set_up(self, app_key: str) -> bool:
        """Make over the API what the company's analysts have set up, as far as it is not there by its name."""
        headers = {"DD-APPLICATION-KEY": app_key}
        return all(
            self._persist(make, headers)
            for make in (self._make_table, self._make_pipeline, self._make_rule, self._make_suppressions)
        )

    def run_job(self, app_key: str, began_at: int) -> bool:
        """Run the analysts' historical job over the week, which is stored, if there is none of its name."""
        return self._persist(lambda headers: self._make_job(headers, began_at), {"DD-APPLICATION-KEY": app_key})

    def _persist(self, make: Callable[[dict[str, str]], None], headers: dict[str, str]) -> bool:
        """Try until the server can be reached. What it refuses is told; the story goes on without."""
        while not self._should_stop():
            try:
                make(headers)
                return True
            except httpx.TransportError:
                time.sleep(0.2)
            except httpx.HTTPStatusError as error:
                answer = error.response
                log.error("the demonstration was refused", status=answer.status_code, answer=answer.text[:300])
                return False
        return False

    def _make_table(self, headers: dict[str, str]) -> None:
        listed = self._ask("GET", f"{TABLES}/tables?filter[table_name][exact]={settled.TABLE}", headers)
        if listed["data"]:
            return
        begun = {"table_name": settled.TABLE, "headers": settled.COLUMNS, "part_count": 1, "part_size": 1_000_000}
        upload = self._ask("POST", f"{TABLES}/uploads", headers, {"data": {"type": "upload", "attributes": begun}})
        (address,) = upload["data"]["attributes"]["part_urls"]
        self._http.put(address, content=settled.table_content()).raise_for_status()
        attributes = settled.table(upload["data"]["id"])
        self._ask("POST", f"{TABLES}/tables", headers, {"data": {"type": "reference_table", "attributes": attributes}})

    def _make_pipeline(self, headers: dict[str, str]) -> None:
        made = settled.pipeline()
        if all(there["name"] != made["name"] for there in self._ask("GET", PIPELINES, headers)):
            self._ask("POST", PIPELINES, headers, made)

    def _make_rule(self, headers: dict[str, str]) -> None:
        made = settled.rule()
        query = {"query": f'"{made["name"]}"', "page[size]": "100"}
        listed = self._http.get(RULES, params=query, headers=headers).raise_for_status().json()
        if all(there["name"] != made["name"] for there in listed["data"]):
            self._ask("POST", RULES, headers, made)

    def _make_suppressions(self, headers: dict[str, str]) -> None:
        listed = self._ask("GET", SUPPRESSIONS, headers)
        there = {item["attributes"]["name"] for item in listed["data"]}
        for made, changed in settled.suppressions(self._clock()):
            if made["name"] in there:
                continue
            body = {"data": {"type": "suppressions", "attributes": made}}
            answer = self._ask("POST", SUPPRESSIONS, headers, body)
            if changed:
                body = {"data": {"type": "suppressions", "attributes": changed}}
                self._ask("PATCH", f"{SUPPRESSIONS}/{answer['data']['id']}", headers, body)

    def _make_job(self, headers: dict[str, str], began_at: int) -> None:
        listed = self._ask("GET", f"{JOBS}?page[size]=100", headers)
        if all(there["attributes"]["jobName"] != settled.JOB for there in listed["data"]):
            attributes = {"jobDefinition": settled.job(began_at - WEEK_MS, began_at)}
            body = {"data": {"type": "historicalDetectionsJobCreate", "attributes": attributes}}
            self._ask("POST", JOBS, headers, body)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body, headers=headers)
        return answer.raise_for_status().json()

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
