"""A preview, as the rule editor asks for it while somebody types: chart and signals over a week of two million logs.

`BENCH_PREVIEW_DATA` may name a directory that keeps the logs.
"""

import statistics
import time
from typing import Any, cast

from bench.backtest import burst
from bench.explorer_data import END, LOG_SPAN, load
from bench.kept import kept_logs
from bench.table import Row
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.replay import Replay
from tocsin.evaluate.repository import Matches
from tocsin.rules.backtest import Backtests
from tocsin.rules.service import RulesService
from tocsin.rules.validation import read_rule
from tocsin.store.events import EventStore

LOGS = 2_000_000
ROUNDS = 5
TARGET_SECONDS = 2
SHOWN = 50

TIMES = {"evaluationWindow": 300, "keepAlive": 3600, "maxSignalDuration": 86400}


class _Rules:
    """As much of the rules as a preview needs."""

    check_unsaved = staticmethod(read_rule)


def run() -> list[Row]:
    with kept_logs("BENCH_PREVIEW_DATA", _fill) as store:
        return [_row(name, store, body) for name, body in _bodies().items()]


def _fill(store: EventStore) -> None:
    load(store, LOGS, 0)
    burst(store)


def _bodies() -> dict[str, dict[str, Any]]:
    failed = "status:warn @evt.outcome:failure"
    return {
        "failures from one address": _body(failed, "a > 40", groupByFields=["@network.client.ip"]),
        "users of one address that fail": _body(
            failed,
            "a > 30",
            groupByFields=["@network.client.ip"],
            aggregation="cardinality",
            distinctFields=["@usr.id"],
        ),
        "a word": _body("failed", "a > 100", groupByFields=["@network.client.ip"]),
        "two queries": {
            **_body(failed, "a > 40 && b > 0", groupByFields=["@network.client.ip"]),
            "queries": [
                {"query": failed, "groupByFields": ["@network.client.ip"]},
                {"query": "@evt.outcome:success", "groupByFields": ["@network.client.ip"]},
            ],
        },
        "each log of a rare kind": _body("@http.status_code:500 @usr.id:user7", "a > 0", groupByFields=["host"]),
    }


def _body(query: str, condition: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "Benchmark",
        "message": "",
        "isEnabled": True,
        "queries": [{"query": query, **more}],
        "cases": [{"status": "high", "condition": condition}],
        "options": TIMES,
    }


def _row(name: str, store: EventStore, body: dict[str, Any]) -> Row:
    matches = Matches(store)
    rules = cast(RulesService, _Rules())
    backtests = Backtests(rules, Replay(StoredLogs(store), matches), lambda: END)
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = backtests.preview(body, END - LOG_SPAN, END + 1, SHOWN)
        taken.append(time.perf_counter() - start)
    seconds = statistics.median(taken)
    return Row(
        name,
        f"{seconds:.2f} s",
        target=f"< {TARGET_SECONDS} s",
        note=f"{sum(query.total for query in found.queries):,} matches, {found.signals:,} signals",
        is_met=seconds < TARGET_SECONDS,
    )
