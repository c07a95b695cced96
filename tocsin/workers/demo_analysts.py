"""Makes what the demonstration's analysts have set up, over the API, like anybody; harmless when repeated."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import structlog

from tocsin.clock import Clock
from tocsin.demo import feed, settled
from tocsin.demo.story import WEEK_MS

FEEDS = "/api/v2/security/siem/threat-intel/feeds"
TABLES = "/api/v2/reference-tables"
PIPELINES = "/api/v1/logs/config/pipelines"
RULES = "/api/v2/security_monitoring/rules"
SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions"
JOBS = "/api/v2/siem-threat-hunting/jobs"

log = structlog.get_logger("tocsin.demo")


class DemoAnalysts:
    """They make what is not there by its name, and try until the server can be reached, or `should_stop` says so.

    What the server refuses is told in the log; the story goes on without.
    """

    def __init__(self, url: str, api_key: str, app_key: str, clock: Clock, should_stop: Callable[[], bool]) -> None:
        self._clock = clock
        self._should_stop = should_stop
        headers = {"DD-API-KEY": api_key, "DD-APPLICATION-KEY": app_key}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60)

    def prepare(self) -> None:
        """Before the week is sent, so that its logs say what the feed knows, and its scans are hidden."""
        made = (self._make_table, self._make_pipeline, self._make_rule, self._make_suppressions, self._make_feed)
        for make in made:
            self._persist(make)

    def look_back(self, began_at: int) -> None:
        """Run a historical job over the week that ends at `began_at` (Unix milliseconds), once it is stored."""
        self._persist(lambda: self._make_job(began_at))

    def _persist(self, make: Callable[[], None]) -> None:
        while not self._should_stop():
            try:
                make()
                return
            except httpx.TransportError:
                time.sleep(0.2)
            except httpx.HTTPStatusError as error:
                answer = error.response
                log.error("the demonstration was refused", status=answer.status_code, answer=answer.text[:300])
                return

    def _make_feed(self) -> None:
        listed = self._ask("GET", FEEDS)["data"]
        own = next((item["id"] for item in listed if item["attributes"]["name"] == feed.NAME), None)
        if own is None:
            made = {"data": {"type": "threat_intel_feed", "attributes": feed.settings()}}
            own = self._ask("POST", FEEDS, made)["data"]["id"]
        self._http.put(f"{FEEDS}/{own}/content", content=feed.content()).raise_for_status()

    def _make_table(self) -> None:
        listed = self._ask("GET", f"{TABLES}/tables", params={"filter[table_name][exact]": settled.TABLE})
        if listed["data"]:
            return
        begun = {"table_name": settled.TABLE, "headers": settled.COLUMNS, "part_count": 1, "part_size": 1_000_000}
        upload = self._ask("POST", f"{TABLES}/uploads", {"data": {"type": "upload", "attributes": begun}})
        (address,) = upload["data"]["attributes"]["part_urls"]
        self._http.put(address, content=settled.table_content()).raise_for_status()
        attributes = settled.table(upload["data"]["id"])
        self._ask("POST", f"{TABLES}/tables", {"data": {"type": "reference_table", "attributes": attributes}})

    def _make_pipeline(self) -> None:
        made = settled.pipeline()
        if all(there["name"] != made["name"] for there in self._ask("GET", PIPELINES)):
            self._ask("POST", PIPELINES, made)

    def _make_rule(self) -> None:
        made = settled.rule()
        listed = self._ask("GET", RULES, params={"query": f'"{made["name"]}"', "page[size]": "100"})
        if all(there["name"] != made["name"] for there in listed["data"]):
            self._ask("POST", RULES, made)

    def _make_suppressions(self) -> None:
        there = {item["attributes"]["name"] for item in self._ask("GET", SUPPRESSIONS)["data"]}
        for made, changed in settled.suppressions(self._clock()):
            if made["name"] in there:
                continue
            answer = self._ask("POST", SUPPRESSIONS, {"data": {"type": "suppressions", "attributes": made}})
            if changed:
                body = {"data": {"type": "suppressions", "attributes": changed}}
                self._ask("PATCH", f"{SUPPRESSIONS}/{answer['data']['id']}", body)

    def _make_job(self, began_at: int) -> None:
        listed = self._ask("GET", JOBS, params={"page[size]": "100"})
        if all(there["attributes"]["jobName"] != settled.JOB for there in listed["data"]):
            attributes = {"jobDefinition": settled.job(began_at - WEEK_MS, began_at)}
            self._ask("POST", JOBS, {"data": {"type": "historicalDetectionsJobCreate", "attributes": attributes}})

    def _ask(self, method: str, path: str, body: Any = None, params: dict[str, str] | None = None) -> Any:
        return self._http.request(method, path, json=body, params=params).raise_for_status().json()
