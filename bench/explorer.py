"""The explorer's queries over two million logs and a million signals, against SQL written by hand on the same engine.

The baseline is what somebody writes who knows the data: the one type of each attribute, no lists, no odd cases. Ours
besides says how many events have no value, and is right whatever the data hold.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.explorer_data import END, LOG_SPAN, SIGNAL_SPAN, load
from bench.table import Row
from tocsin.config import Config
from tocsin.explore.service import ExploreService, Filter
from tocsin.query import Sql
from tocsin.store.events import EventStore, open_event_store

ROUNDS = 9
TARGET_RATIO = 1.3
TARGET_MS = 300
PAGE = 50
BARS = 60

LOG_FACETS = {
    "status": "nullIf(status, '')",
    "host": "nullIf(host, '')",
    "service": "nullIf(service, '')",
    "source": "nullIf(source, '')",
    "env": "arrayJoin(arrayMap(x -> substring(x, 5), arrayFilter(x -> startsWith(x, 'env:'), tags)))",
    "@evt.name": "attributes.evt.name.:String",
    "@evt.outcome": "attributes.evt.outcome.:String",
    "@usr.id": "attributes.usr.id.:String",
    "@network.client.ip": "attributes.network.client.ip.:String",
    "@network.client.geoip.country.iso_code": "attributes.network.client.geoip.country.iso_code.:String",
    "@http.status_code": "attributes.http.status_code.:Int64",
    "@http.url_details.path": "attributes.http.url_details.path.:String",
}

SIGNAL_FACETS = {
    "status": "nullIf(status, '')",
    "source": "arrayJoin(source)",
    "service": "arrayJoin(service)",
    "host": "arrayJoin(host)",
    "tactic": "arrayJoin(arrayMap(x -> substring(x, 8), arrayFilter(x -> startsWith(x, 'tactic:'), tags)))",
    "@workflow.triage.state": "attributes.workflow.triage.state.:String",
    "@workflow.triage.assignee.name": "attributes.workflow.triage.assignee.name.:String",
    "@workflow.rule.name": "attributes.workflow.rule.name.:String",
    "@workflow.rule.type": "attributes.workflow.rule.type.:String",
    "@usr.id": "attributes.usr.id.:String",
    "@network.client.ip": "attributes.network.client.ip.:String",
    "@network.client.geoip.country.iso_code": "attributes.network.client.geoip.country.iso_code.:String",
}

_FACET = """SELECT {value} AS value, count() AS n, count() OVER () AS distinct FROM {table} WHERE {time}
GROUP BY value ORDER BY n DESC, value LIMIT 11"""
_TREND = """SELECT intDiv(toUnixTimestamp64Milli(timestamp), {step}) AS bucket, status, count() AS n FROM {table}
WHERE {time} GROUP BY bucket, status"""
_LIST = """SELECT id, timestamp, ingested_at, host, service, source, status, message, tags, document{more} FROM {table}
WHERE {time} ORDER BY timestamp DESC, id DESC LIMIT 51"""
_TIME = "timestamp >= fromUnixTimestamp64Milli({start}) AND timestamp < fromUnixTimestamp64Milli({end})"

_FINAL = {"do_not_merge_across_partitions_select_final": 1}


def run(directory: Path | None = None) -> list[Row]:
    """With a directory, the data stay there and serve again."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as temporary:
        config = Config(data=directory or Path(temporary), logs_retention_days=0, signals_retention_days=0)
        store = open_event_store(config)
        store.migrate()
        started = time.monotonic()
        if not store.query(Sql("SELECT 1 FROM logs LIMIT 1")):
            load(store)
        note = f"loaded in {time.monotonic() - started:.0f} s"
        try:
            return [Row("2 M logs, 1 M signals", "", note=note), *_measured(store)]
        finally:
            store.close()


def _measured(store: EventStore) -> list[Row]:
    explore = ExploreService(store, lambda: END + 1)
    rows = []
    for track, table, span, facets in (
        ("logs", "logs", LOG_SPAN, LOG_FACETS),
        ("signals", "signals FINAL", SIGNAL_SPAN, SIGNAL_FACETS),
    ):
        filter_ = Filter("*", END - span, END + 1)
        by_hand = _by_hand(store, table, span)
        rows.append(
            _row(
                f"{track}: list",
                lambda track=track, filter_=filter_: explore.search(explore.scope(track, filter_), None, PAGE),
                by_hand(_LIST, more="" if track == "logs" else ", title, rule_id, row_version"),
            )
        )
        rows.append(
            _row(
                f"{track}: trend by status",
                lambda track=track, filter_=filter_: explore.timeseries(
                    explore.scope(track, filter_), BARS, None, "status"
                ),
                by_hand(_TREND, step=str(span // BARS)),
            )
        )
        for facet, value in facets.items():
            rows.append(
                _row(
                    f"{track}: facet {facet}",
                    lambda track=track, filter_=filter_, facet=facet: explore.facets(
                        explore.scope(track, filter_), [facet]
                    ),
                    by_hand(_FACET, value=value),
                )
            )
        of_track = rows[-(len(facets) + 2) :]
        ours, theirs = (
            sum(float(getattr(row, side).split()[0]) for row in of_track) for side in ("measure", "baseline")
        )
        rows.append(
            Row(
                f"{track}: the whole set",
                f"{ours:.0f} ms",
                f"{theirs:.0f} ms",
                ours / theirs,
                f"≤ {TARGET_RATIO}",
                is_met=ours / theirs <= TARGET_RATIO,
            )
        )
    return rows


def _by_hand(store: EventStore, table: str, span: int) -> Callable[..., Callable[[], object]]:
    bounds = _TIME.format(start=END - span, end=END + 1)

    def query(template: str, **parts: str) -> Callable[[], object]:
        sql = Sql(template.format(table=table, time=bounds, **parts))
        return lambda: store.query(sql, settings=_FINAL)

    return query


def _row(name: str, ours: Callable[[], object], by_hand: Callable[[], object]) -> Row:
    """Medians of turns taken one after the other, so that a busy machine slows both."""
    mine, theirs = [], []
    ours(), by_hand()
    for _ in range(ROUNDS):
        mine.append(_milliseconds(ours))
        theirs.append(_milliseconds(by_hand))
    measure, baseline = statistics.median(mine), statistics.median(theirs)
    return Row(
        name,
        f"{measure:.0f} ms",
        f"{baseline:.0f} ms",
        measure / baseline,
        f"< {TARGET_MS} ms",
        is_met=measure < TARGET_MS,
    )


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
