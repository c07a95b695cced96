"""The contract of the event store, held by the embedded engine and by a real cluster alike."""

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import orjson
import pytest
from event_stores import Opener
from waiting import until

from tocsin.clock import now_ms
from tocsin.errors import LimitExceeded, Unavailable
from tocsin.event import Event
from tocsin.intake.batch import unstamped
from tocsin.query import Sql
from tocsin.rule import Match
from tocsin.store.events import DirectoryInUse, EventStore, Limits, SchemaTooNew
from tocsin.store.rows import decode_event, decode_line, encode_audit, encode_event, encode_signal

NOW = 1_795_000_000_123
DAY = 24 * 3600 * 1000


def an_event(number: int, at: int = NOW, **changes: object) -> Event:
    values: dict[str, object] = {
        "id": f"AwAAA{at:012x}{number:024x}",
        "timestamp": at,
        "ingested_at": at,
        "message": f"Failed password for user{number}",
        "host": "web-7",
        "source": "sshd",
        "tags": ["env:prod"],
        "attributes": {"usr": {"id": f"user{number}"}, "number": number},
    }
    return Event(**{**values, **changes})  # type: ignore[arg-type]


def a_signal(number: int, version: int, at: int = NOW, **changes: object) -> bytes:
    values: dict[str, object] = {
        "id": f"signal{number}",
        "timestamp": at,
        "ingested_at": at + version,
        "row_version": version,
        "rule_id": "aaa-bbb-ccc",
        "title": "Brute force",
        "message": "someone tries",
        "status": "high",
        "custom": {"workflow": {"triage": {"state": "open"}}},
    }
    return encode_signal(**{**values, **changes})  # type: ignore[arg-type]


def insert(store: EventStore, *events: Event, matches: tuple[Match, ...] = ()) -> None:
    store.insert("logs", b"\n".join(encode_event(event, matches) for event in events), len(events))


def count(store: EventStore, table: str) -> int:
    (row,) = store.query(Sql.of("SELECT count() AS n FROM {table}", table=Sql(table)))
    return int(row["n"])


def test_an_event_comes_back_as_it_went_in(event_store: EventStore) -> None:
    event = an_event(
        1,
        service="ssh",
        trace_id="t1",
        attributes={
            "usr": {"id": "bob", 'näme "q" \\ \'': "x\ty\nz\u0000ü😀"},
            "list": [{"a": 1}, {"a": [2, None, True]}],
            "large": 2**63,
            "small": -(2**63),
            "half": 0.5,
            "looks like": ["2020-01-01", "12", "true", ""],
            "empty": {},
        },
    )
    insert(event_store, event)
    (row,) = event_store.query(Sql("SELECT * FROM logs"))
    assert decode_event(row) == event
    line = unstamped(encode_event(event))
    assert decode_line(line, event.timestamp, event.ingested_at) == event, "without the store, it is the same"


@pytest.mark.parametrize("at", [0, 5, 999, 9_999_999, -5_500, NOW, 10_413_791_999_999])
def test_times_keep_their_milliseconds(event_store: EventStore, at: int) -> None:
    insert(event_store, an_event(1, at))
    assert event_store.query(Sql("SELECT timestamp, ingested_at FROM logs")) == [{"timestamp": at, "ingested_at": at}]


def test_parameters_are_values_never_sql(event_store: EventStore) -> None:
    for text in ("'; DROP TABLE logs; --", "\\", "a'b", "{x:String}", "%s", "tab\tline\nnul\x00", "ü😀", ""):
        (row,) = event_store.query(
            Sql("SELECT {text:String} AS text, {list:Array(String)} AS list", {"text": text, "list": [text]})
        )
        assert row == {"text": text, "list": [text]}


def test_numbers_come_back_as_numbers(event_store: EventStore) -> None:
    (row,) = event_store.query(Sql("SELECT toUInt64(18446744073709551615) AS u, toInt64(-5) AS i, nan AS n, NULL AS z"))
    assert row == {"u": 18446744073709551615, "i": -5, "n": None, "z": None}


def test_matches_fan_out_with_the_event(event_store: EventStore) -> None:
    found = (
        Match("rule-one", 3, 0, ("203.0.113.9", "root"), "sub", 1.5),
        Match("rule-one", 3, 1, ("203.0.113.9", "root")),
        Match("rule-two", 1, 0),
    )
    insert(event_store, an_event(1), matches=found)
    insert(event_store, an_event(2))
    rows = event_store.query(Sql("SELECT * FROM matches ORDER BY rule_id, query_index"))
    assert [
        Match(
            row["rule_id"], row["rule_version"], row["query_index"], tuple(row["group"]), row["distinct"], row["value"]
        )
        for row in rows
    ] == list(found)
    assert {(row["event_id"], row["timestamp"], row["ingested_at"]) for row in rows} == {(an_event(1).id, NOW, NOW)}


def test_all_matches_of_one_group_are_on_one_node(event_store: EventStore) -> None:
    if not event_store.is_distributed:
        pytest.skip("one node")
    groups = 40
    for start in range(0, 400, 100):
        lines = [
            encode_event(an_event(number), [Match("rule", 1, 0, (f"group{number % groups}",))])
            for number in range(start, start + 100)
        ]
        event_store.insert("logs", b"\n".join(lines), len(lines))
    rows = event_store.query(
        Sql("SELECT `group`, uniqExact(shardNum()) AS nodes, count() AS n FROM matches GROUP BY `group`")
    )
    assert [(row["nodes"], row["n"]) for row in rows] == [(1, 10)] * groups
    spread = event_store.query(Sql("SELECT shardNum() AS shard, count() AS n FROM logs GROUP BY shard"))
    assert len(spread) == 2
    assert sum(row["n"] for row in spread) == 400


def test_the_highest_version_of_a_signal_counts(event_store: EventStore) -> None:
    event_store.insert("signals", b"\n".join([a_signal(1, 1), a_signal(2, 1)]), 2)
    event_store.insert("signals", a_signal(1, 3, status="critical"), 1)
    event_store.insert("signals", a_signal(1, 2, status="low"), 1)
    rows = event_store.query(Sql("SELECT id, status, row_version FROM signals FINAL ORDER BY id"))
    assert rows == [
        {"id": "signal1", "status": "critical", "row_version": 3},
        {"id": "signal2", "status": "high", "row_version": 1},
    ]


def test_a_deleted_signal_is_gone(event_store: EventStore) -> None:
    event_store.insert("signals", a_signal(1, 1), 1)
    event_store.insert("signals", a_signal(1, 2, is_deleted=True), 1)
    assert event_store.query(Sql("SELECT id FROM signals FINAL")) == []


def test_an_audit_event_written_twice_is_one(event_store: EventStore) -> None:
    event_store.insert("audit", encode_audit(an_event(1)), 1)
    event_store.insert("audit", encode_audit(an_event(1, message="again")), 1)
    assert len(event_store.query(Sql("SELECT id FROM audit FINAL"))) == 1


def test_rejected_events_are_kept_and_marked(event_store: EventStore) -> None:
    row = {
        "id": "r1",
        "received_at": f"{NOW / 1000:.3f}",
        "code": "not_json",
        "reason": "why",
        "raw": "x",
        "context": "{}",
    }
    event_store.insert("rejected", orjson.dumps({**row, "version": 1}), 1)
    event_store.insert("rejected", orjson.dumps({**row, "version": 2, "replayed_at": f"{NOW / 1000:.3f}"}), 1)
    (found,) = event_store.query(Sql("SELECT * FROM rejected FINAL"))
    assert (found["received_at"], found["replayed_at"], found["version"]) == (NOW, NOW, 2)


def test_the_same_lines_sent_again_count_once(event_store: EventStore) -> None:
    lines = b"\n".join(encode_event(an_event(number), [Match("rule", 1, 0, (str(number),))]) for number in range(50))
    event_store.insert("logs", lines, 50)
    event_store.insert("logs", lines, 50)
    assert (count(event_store, "logs"), count(event_store, "matches")) == (50, 50)


def test_one_batch_may_span_many_days(event_store: EventStore) -> None:
    insert(event_store, *(an_event(number, NOW - number * DAY) for number in range(150)))
    assert count(event_store, "logs") == 150


def test_a_big_batch_is_whole(event_store: EventStore) -> None:
    total = 20_000
    insert(event_store, *(an_event(number, NOW + number) for number in range(total)), matches=(Match("rule", 1, 0),))
    (row,) = event_store.query(
        Sql("SELECT count() AS n, uniqExact(id) AS ids, sum(attributes.number.:Int64) AS s FROM logs")
    )
    assert row == {"n": total, "ids": total, "s": total * (total - 1) // 2}
    assert count(event_store, "matches") == total


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(seconds=0.2, rows=0), "longer"),
        (Limits(rows=1000), "rows"),
        (Limits(memory_bytes=60_000_000, rows=0), "memory"),
    ],
)
def test_a_query_without_bounds_is_stopped_with_a_reason(event_store: EventStore, limits: Limits, word: str) -> None:
    endless = (
        "SELECT groupArray(number) AS a FROM numbers(1000000000)"
        if word == "memory"
        else ("SELECT count() AS n FROM numbers(1000000000000) WHERE number % 7 = 1")
    )
    with pytest.raises(LimitExceeded, match=word):
        event_store.query(Sql(endless), limits)
    assert event_store.query(Sql("SELECT 1 AS one")) == [{"one": 1}]


def test_rows_of_a_failed_query_do_not_show_in_the_next(event_store: EventStore) -> None:
    failing = Sql("SELECT throwIf(number = 5, 'stop') AS a FROM numbers(10)")
    for _ in range(3):
        with pytest.raises(Exception, match="stop"):
            event_store.query(failing, settings={"max_block_size": 1, "max_threads": 1})
        assert event_store.query(Sql("SELECT 1 AS one")) == [{"one": 1}]


def test_a_query_as_large_as_the_search_language_allows_runs(event_store: EventStore) -> None:
    insert(event_store, an_event(1))
    deep = "(" * 250 + "1 = 1" + ")" * 250
    wide = " OR ".join(f"host = 'h{number}'" for number in range(5000))
    assert event_store.query(Sql(f"SELECT count() AS n FROM logs WHERE {deep} AND NOT ({wide})")) == [{"n": 1}]


def test_readers_and_writers_at_once(event_store: EventStore) -> None:
    batches, size, failures = 15, 100, []

    def work(action: object) -> None:
        try:
            action()  # type: ignore[operator]
        except Exception as error:
            failures.append(error)

    def write(writer: int) -> None:
        for batch in range(batches):
            first = (writer * batches + batch) * size
            insert(event_store, *(an_event(number, NOW + number) for number in range(first, first + size)))

    def read() -> None:
        seen = 0
        for _ in range(20):
            found = count(event_store, "logs")
            assert found >= seen
            assert found % size == 0 or event_store.is_distributed
            seen = found

    threads = [threading.Thread(target=work, args=(lambda writer=writer: write(writer),)) for writer in range(3)]
    threads += [threading.Thread(target=work, args=(read,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(event_store, "logs") == 3 * batches * size


def test_merges_keep_the_parts_few(event_store: EventStore) -> None:
    for batch in range(120):
        insert(event_store, *(an_event(batch * 20 + number) for number in range(20)))
    parts = Sql(
        "SELECT count() AS n FROM system.parts WHERE active AND database = currentDatabase() AND table LIKE 'logs%'"
    )
    until(lambda: event_store.query(parts)[0]["n"], lambda count: count < 60)
    assert count(event_store, "logs") == 2400


def test_the_newest_arrival_is_known_without_reading(event_store: EventStore) -> None:
    insert(event_store, *(an_event(number, NOW + number) for number in range(1000)))
    assert event_store.query(Sql("SELECT max(ingested_at) AS newest FROM logs"), Limits(rows=5)) == [
        {"newest": NOW + 999}
    ]


def test_migrating_again_changes_nothing(open_store: Opener) -> None:
    store = open_store()
    store.migrate()
    insert(store, an_event(1, now_ms()))
    store.migrate()
    store.close()
    again = open_store()
    again.migrate()
    assert count(again, "logs") == 1


def test_data_of_a_newer_version_are_refused(open_store: Opener) -> None:
    store = open_store()
    store.migrate()
    store.command(Sql("INSERT INTO schema_version (version) VALUES ({version:UInt32})", {"version": 999}))
    with pytest.raises(SchemaTooNew, match=r"version 999, this Tocsin knows \d+"):
        store.migrate()


def test_a_migration_killed_half_way_is_finished_by_the_next(open_store: Opener) -> None:
    store = open_store(logs_retention_days=0)
    store.migrate()
    for table in ("matches_of_logs", "rejected"):
        suffix = "_local" if store.is_distributed else ""
        store.command(Sql(f"DROP TABLE {table}{suffix} SYNC"))
    store.command(Sql("TRUNCATE TABLE schema_version"))
    store.migrate()
    insert(store, an_event(1), matches=(Match("rule", 1, 0),))
    assert count(store, "matches") == 1
    assert count(store, "rejected") == 0


def ids(store: EventStore) -> set[str]:
    return {row["id"] for row in store.query(Sql("SELECT id FROM logs"))}


def test_retention_drops_what_is_too_old_and_follows_the_setting(open_store: Opener) -> None:
    now = now_ms()
    old, older, recent, unlimited = (an_event(age, now - age * DAY) for age in (100, 50, 10, 60))
    store = open_store(logs_retention_days=0)
    store.migrate()
    insert(store, old)
    assert ids(store) == {old.id}
    store.close()
    store = open_store(logs_retention_days=30)
    store.migrate()
    insert(store, older, recent)
    until(lambda: ids(store), {recent.id}.__eq__)
    store.close()
    store = open_store(logs_retention_days=0)
    store.migrate()
    insert(store, unlimited)
    assert ids(store) == {recent.id, unlimited.id}


def test_old_events_that_arrive_today_are_kept(open_store: Opener) -> None:
    now = now_ms()
    arrived_today, arrived_then = an_event(1, now - 2000 * DAY, ingested_at=now), an_event(2, now - 2001 * DAY)
    store = open_store(logs_retention_days=30)
    store.migrate()
    insert(store, arrived_today, matches=(Match("rule", 1, 0),))
    insert(store, arrived_then)
    until(lambda: ids(store), {arrived_today.id}.__eq__)
    assert count(store, "matches") == 1


def test_matches_lost_by_a_kill_between_two_parts_come_back(open_store: Opener) -> None:
    store = open_store(logs_retention_days=0)
    store.migrate()
    suffix = "_local" if store.is_distributed else ""
    found = (Match("rule", 1, 0, ("a",)), Match("rule", 1, 1, ("a",)), Match("other", 1, 0))
    insert(store, an_event(1), matches=found)
    store.command(Sql(f"DETACH TABLE matches_of_logs{suffix}"))  # from here on the second part is never written
    insert(store, *(an_event(number) for number in range(2, 30)), matches=found)
    store.command(Sql(f"ATTACH TABLE matches_of_logs{suffix}"))
    store.migrate()
    store.migrate()
    rows = store.query(Sql("SELECT event_id, rule_id, query_index, count() AS n FROM matches GROUP BY ALL"))
    assert Counter(row["n"] for row in rows) == {1: 29 * 3}


_WRITER = """
import sys, pathlib
sys.path.insert(0, {tests!r})
from store_writer import write_for_ever
write_for_ever(pathlib.Path({data!r}))
"""


@pytest.mark.parametrize("after", [3, 11, 25])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, after: int) -> None:
    """The embedded engine's process is killed while it writes; every insert that had returned is there."""
    script = _WRITER.format(tests=str(Path(__file__).parent), data=str(tmp_path))
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(after)]
    writer.kill()
    acknowledged += [int(line) for line in writer.stdout.read().split() if line.isdigit()]
    writer.wait()
    check = (
        "import sys, pathlib\nsys.path.insert(0, {!r})\nfrom store_writer import batches\nbatches(pathlib.Path({!r}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", check.format(str(Path(__file__).parent), str(tmp_path))], capture_output=True, check=True
    )
    logs, matches = orjson.loads(found.stdout)
    assert {str(batch) for batch in acknowledged} <= logs.keys()
    assert set(logs.values()) == {50}
    assert logs == matches


def test_a_second_process_is_told_who_holds_the_directory(tmp_path: Path, open_store: Opener) -> None:
    store = open_store()
    if store.is_distributed:
        pytest.skip("servers are shared")
    script = (
        "import pathlib, sys\nfrom tocsin.config import Config\n"
        "from tocsin.store.events import DirectoryInUse, open_event_store\n"
        "try:\n    open_event_store(Config(data=pathlib.Path(sys.argv[1])))\n"
        "except DirectoryInUse as error:\n    print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "another tocsin (process " in answer.stdout
    with pytest.raises(DirectoryInUse):
        open_store()
    store.close()
    open_store().migrate()


def test_a_server_that_is_not_there_is_unavailable(open_store: Opener) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        open_store(events_url="clickhouse://127.0.0.1:9/default")
