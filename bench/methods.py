"""Backtests of the methods that read all their matches: a week of a million stored logs, a rule of each method.

What a threshold costs, whose groups are bounded first, is `backtest.py`. `BENCH_METHODS_DATA` may name a directory that
keeps the logs.
"""

import time
from typing import Any

from bench.explorer_data import END, LOG_SPAN, LOGS_SQL, load
from bench.kept import kept_logs
from bench.table import Row
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.rules.executable import executable
from tocsin.rules.validation import read_rule
from tocsin.store.events import EventStore

LOGS = 1_000_000
TARGET_SECONDS = 30

PLACES = """'network.client.geoip.location.latitude', toString(toInt32(c % 120) - 60),
      'network.client.geoip.location.longitude', toString(toInt32(c % 340) - 170), """
"""Attributes beside the address: people of this stream are everywhere at once."""

CLIENT = {"groupByFields": ["@network.client.ip"]}
PERSON = {"groupByFields": ["@usr.id"]}


def run() -> list[Row]:
    with kept_logs("BENCH_METHODS_DATA", _fill) as store:
        return [_row(name, store, body) for name, body in _bodies().items()]


def _fill(store: EventStore) -> None:
    load(store, LOGS, 0, LOGS_SQL.replace("'session.id'", f"{PLACES}'session.id'"))


def _bodies() -> dict[str, dict[str, Any]]:
    return {
        "threshold, a sum": _body(
            "threshold",
            {"query": "source:nginx", "aggregation": "sum", "metrics": ["@network.bytes_written"], **CLIENT},
        )
        | {"cases": [{"status": "high", "condition": "a > 2000000"}]},
        "threshold, a calculated field": _body(
            "threshold", {"query": "source:cloudtrail #spent:>900", **PERSON}, case={"condition": "a > 10"}
        )
        | {"calculatedFields": [{"name": "spent", "expression": "@duration / 1000"}]},
        "new value": _body(
            "new_value",
            {
                "query": "source:cloudtrail @evt.outcome:success",
                "aggregation": "new_value",
                "metrics": ["@network.client.geoip.country.iso_code"],
                **PERSON,
            },
            case={},
            newValueOptions={"learningMethod": "duration", "learningDuration": 2, "forgetAfter": 7},
        ),
        "anomaly": _body(
            "anomaly_detection",
            {"query": "source:sshd", **CLIENT},
            case={"condition": "a > 0.995"},
            anomalyDetectionOptions={"bucketDuration": 600, "learningDuration": 24, "detectionTolerance": 5},
        ),
        "content anomaly": _body(
            "content_anomaly",
            {"query": "source:nginx", "metrics": ["@http.url_details.path"], "groupByFields": ["host"]},
            contentAnomalyOptions={"learningDuration": 2, "forgetAfter": 7},
        ),
        "impossible travel": _body(
            "impossible_travel",
            {
                "query": "source:cloudtrail @evt.outcome:success",
                "aggregation": "geo_data",
                "metrics": ["@network.client.geoip"],
                **PERSON,
            },
            case={},
            impossibleTravelOptions={"baselineUserLocations": True, "baselineUserLocationsDuration": 1},
        ),
        "sequence": _sequence(CLIENT, CLIENT),
        "sequence of linked steps": _sequence(CLIENT, PERSON),
        "third party": _body("third_party", None)
        | {
            "cases": [],
            "thirdPartyCases": [{"status": "high", "query": "status:warn"}],
            "queries": [],
        },
    }


def _sequence(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    steps = [
        {"name": "tried", "condition": "failed > 4", "evaluationWindow": 600},
        {"name": "entered", "condition": "succeeded > 0", "evaluationWindow": 0},
    ]
    transitions = [{"parent": "tried", "child": "entered", "evaluationWindow": 600}]
    body = _body(
        "sequence_detection",
        {"query": "source:sshd @evt.outcome:failure", "name": "failed", **first},
        case={"condition": "entered > 0"},
        sequenceDetectionOptions={"steps": steps, "stepTransitions": transitions},
    )
    body["queries"].append({"query": "source:sshd @evt.outcome:success", "name": "succeeded", **second})
    return body


def _body(
    method: str, query: dict[str, Any] | None, case: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    if method == "third_party":
        roots = [{"query": "source:windows @evt.name:4672", "groupByFields": ["host"]}]
        options = {"thirdPartyRuleOptions": {"rootQueries": roots, "defaultStatus": "low"}}
    times = {"evaluationWindow": 3600, "keepAlive": 3600, "maxSignalDuration": 86400}
    return {
        "name": "Benchmark",
        "message": "",
        "isEnabled": True,
        "queries": [query],
        "cases": [{"status": "high", **({"condition": "a > 0"} if case is None else case)}],
        "options": {"detectionMethod": method, **times, **options},
    }


def _row(name: str, store: EventStore, body: dict[str, Any]) -> Row:
    rule = executable(read_rule(body, is_job=True))
    start = time.perf_counter()
    found = Replay(StoredLogs(store), Matches(store)).run(rule, END - LOG_SPAN, END + 1, Budget(600))
    seconds = time.perf_counter() - start
    return Row(
        name,
        f"{seconds:.1f} s",
        target=f"≤ {TARGET_SECONDS} s",
        note=f"{found.matches:,} matches, {len(found.decisions):,} signals",
        is_met=seconds <= TARGET_SECONDS,
    )
