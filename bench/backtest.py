"""A threshold rule over millions of stored logs, against the SQL that somebody writes by hand who knows the data.

Both find where a user or an address fails more often than the threshold within the window: fifty bursts among a week of
ordinary traffic, and once what a threshold amid the noise finds. The SQL by hand says when and how often; a replay also
says which signals that makes, with their evidence, and is right whatever the data hold.
`BENCH_BACKTEST_LOGS` (default ten million) and `BENCH_BACKTEST_DATA` (a directory to keep them in) may be set.
"""

import os
import statistics
import time
from collections.abc import Callable

from bench.explorer_data import END, LOG_SPAN, load
from bench.kept import kept_logs
from bench.table import Row
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.event import Event, event_id
from tocsin.query import Sql
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.store.events import EventStore
from tocsin.store.limits import Limits
from tocsin.store.rows import encode_event

LOGS = int(os.environ.get("BENCH_BACKTEST_LOGS", "10000000"))
ROUNDS = 3
TARGET_SECONDS = 10
TARGET_RATIO = 1.5
WINDOW = 300

_BY_HAND = """
SELECT {fields}, timestamp, n FROM (
  SELECT {fields}, timestamp, count() OVER (
    PARTITION BY {fields} ORDER BY toUnixTimestamp64Milli(timestamp) RANGE BETWEEN 299999 PRECEDING AND CURRENT ROW
  ) AS n
  FROM (
    SELECT timestamp, {columns} FROM logs
    WHERE timestamp >= fromUnixTimestamp64Milli({start}) AND timestamp < fromUnixTimestamp64Milli({end}) AND {where}
  )
) WHERE n > {threshold} ORDER BY timestamp
"""

_COUNTED_DISTINCT = _BY_HAND.replace("count() OVER", "uniqExact(user) OVER").replace(
    "SELECT timestamp, {columns}", "SELECT timestamp, attributes.usr.id.:String AS user, {columns}"
)

FAILED = "status = 'warn' AND attributes.evt.outcome.:String = 'failure'"


def run() -> list[Row]:
    started = time.monotonic()
    with kept_logs("BENCH_BACKTEST_DATA", _fill) as store:
        note = f"{LOGS / 1_000_000:g} M logs, loaded in {time.monotonic() - started:.0f} s"
        return [Row(note, ""), *_measured(store)]


def _fill(store: EventStore) -> None:
    load(store, LOGS, 0)
    burst(store)


def _measured(store: EventStore) -> list[Row]:
    scale = LOGS / 10_000_000
    user, address = (("attributes.usr.id.:String AS u", "u"), ("attributes.network.client.ip.:String AS ip", "ip"))
    noisy = round(85 * scale) + 4
    cases = [
        ("failures of one user", "@usr.id", user, FAILED, round(120 * scale) + 30, "count"),
        ("failures from one address", "@network.client.ip", address, FAILED, 40, "count"),
        ("any logs from one address", "@network.client.ip", address, "true", 60, "count"),
        ("users of one address that fail", "@network.client.ip", address, FAILED, 30, "cardinality"),
        ("failures of one user, amid the noise", "@usr.id", user, FAILED, noisy, "count"),
    ]
    rows = []
    for name, field, (columns, fields), where, threshold, aggregation in cases:
        rule = _rule("*" if where == "true" else "status:warn @evt.outcome:failure", field, threshold, aggregation)
        template = _BY_HAND if aggregation == "count" else _COUNTED_DISTINCT
        sql = template.format(
            fields=fields, columns=columns, start=END - LOG_SPAN, end=END + 1, where=where, threshold=threshold
        )
        rows.append(_row(name, store, rule, sql))
    return rows


def burst(store: EventStore) -> None:
    """An address tries 400 users in four minutes, and each third time the same one."""
    for number in range(50):
        start = END - LOG_SPAN + (number + 1) * LOG_SPAN // 52
        lines = []
        for step in range(400):
            at = start + step * 600
            person = "admin" if step % 3 == 0 else f"user{step}"
            attributes = {
                "evt": {"name": "failed", "outcome": "failure"},
                "usr": {"id": f"{person}-{number}"},
                "network": {"client": {"ip": f"198.51.100.{number}"}},
            }
            lines.append(
                encode_event(
                    Event(
                        event_id(at, person.encode(), step),
                        at,
                        "login failed",
                        "warn",
                        "bastion-1",
                        "ssh",
                        "sshd",
                        attributes=attributes,
                        ingested_at=at + 1500,
                    )
                )
            )
        store.insert("logs", b"\n".join(lines), len(lines))


def _rule(query: str, field: str, threshold: int, aggregation: str) -> Rule:
    return Rule(
        id="ben-chm-ark",
        name="Benchmark",
        message="",
        queries=(
            RuleQuery(
                "a",
                query,
                aggregation=aggregation,
                group_by_fields=(field,),
                distinct_fields=("@usr.id",) if aggregation == "cardinality" else (),
            ),
        ),
        cases=(RuleCase("high", f"a > {threshold}"),),
        options=RuleOptions(evaluation_window=WINDOW, keep_alive=3600, max_signal_duration=86400),
    )


def _row(name: str, store: EventStore, rule: Rule, by_hand: str) -> Row:
    engine = Replay(StoredLogs(store), Matches(store))
    mine, theirs = [], []
    found, hits = 0, 0

    def ours() -> None:
        nonlocal found
        found = len(engine.run(rule, END - LOG_SPAN, END + 1, Budget(600)).decisions)

    def hand() -> None:
        nonlocal hits
        hits = len(store.query(Sql(by_hand), Limits(seconds=600, rows=0, memory_bytes=4_000_000_000)))

    for _ in range(ROUNDS):
        mine.append(_seconds(ours))
        theirs.append(_seconds(hand))
    measure, baseline = statistics.median(mine), statistics.median(theirs)
    return Row(
        name,
        f"{measure:.2f} s",
        f"{baseline:.2f} s",
        measure / baseline,
        f"≤ {TARGET_SECONDS} s, ≤ {TARGET_RATIO}",
        f"{found:,} signals of {hits:,} hits",
        is_met=measure <= TARGET_SECONDS and measure / baseline <= TARGET_RATIO,
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
