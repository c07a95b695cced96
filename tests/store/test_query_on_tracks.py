"""Queries on the real tables of the tracks, with their index and codecs, on the embedded engine and on the cluster."""

import itertools
import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_reference import all_paths
from query_strategies import attributes, queries, queries_about, strings

from tocsin.event import Event
from tocsin.query import (
    LOGS,
    SIGNALS,
    QueryError,
    Sql,
    field_number_sql,
    field_several_sql,
    field_single_sql,
    field_sql,
    field_values,
    parse,
    to_predicate,
    to_sql,
)
from tocsin.query.units import convert
from tocsin.query.values import fold, number_of, text_of
from tocsin.store.events import EventStore
from tocsin.store.rows import encode_event, encode_signal

names = st.sampled_from([None, "", "a", "Abc", "web-7", "5", "10.0.0.1"])
events = st.builds(
    Event,
    id=st.just(""),
    timestamp=st.integers(0, 4 * 10**12),
    message=strings,
    status=st.sampled_from(["info", "Error", "ΣΣ"]),
    host=names,
    service=names,
    source=names,
    trace_id=names,
    tags=st.lists(st.sampled_from(["env:prod", "Env:Staging:east", "crown_jewel", "n:5", "σ:ΟΔΟΣ"]), max_size=3),
    # As they come from the intake: numbers beyond 64 bits are doubles there.
    attributes=attributes.map(lambda document: orjson.loads(json.dumps(document))),
)
FIELDS = ["@k", "@a.b", "@Data.Name", "@title", "host", "status", "message", "tags", "env", "timestamp", "#x", "none"]
_batches = itertools.count()


def is_runnable(text: str) -> bool:
    try:
        convert(parse(text), lambda field: None)
    except QueryError:
        return False
    return True


def described(event: Event) -> dict[str, Any]:
    return {"message": event.message, "host": event.host, "tags": event.tags, "status": event.status}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_logs(event_store: EventStore, data: st.DataObject) -> None:
    batch = f"b{next(_batches)}-"
    found = data.draw(st.lists(events, min_size=1, max_size=5))
    for number, event in enumerate(found):
        event.id = f"{batch}{number}"
    texts = data.draw(st.lists(queries.filter(is_runnable), min_size=1, max_size=6))
    for event in found:
        about = queries_about(described(event), all_paths({"attributes": event.attributes}))
        texts += data.draw(st.lists(about.filter(is_runnable), max_size=6))
    event_store.insert("logs", b"\n".join(map(encode_event, found)), len(found))
    conditions = Sql.join(", ", [to_sql(parse(text), LOGS) for text in texts])
    rows = event_store.query(
        Sql.of("SELECT id, [{found}] AS found FROM logs WHERE startsWith(id, {b:String})", found=conditions, b=batch)
    )
    by_id = {row["id"]: row["found"] for row in rows}
    for event in found:
        expected = [to_predicate(parse(text), LOGS)(event) for text in texts]
        assert list(map(bool, by_id[event.id])) == expected, [
            text for text, one, two in zip(texts, by_id[event.id], expected, strict=True) if bool(one) != two
        ]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_values_of_fields(event_store: EventStore, data: st.DataObject) -> None:
    """`field_sql` finds the values that `field_values` does, as text, each by one of its two halves."""
    batch = f"b{next(_batches)}-"
    found = data.draw(st.lists(events, min_size=1, max_size=4))
    for number, event in enumerate(found):
        event.id = f"{batch}{number}"
    event_store.insert("logs", b"\n".join(map(encode_event, found)), len(found))
    for field in FIELDS:
        sql = Sql.of(
            "SELECT id, {every} AS every, {single} AS single, {several} AS several, {numbers} AS numbers "
            "FROM logs WHERE startsWith(id, {b:String})",
            every=field_sql(field),
            single=field_single_sql(field),
            several=field_several_sql(field),
            numbers=field_number_sql(field),
            b=batch,
        )
        rows = {row["id"]: row for row in event_store.query(sql)}
        for event in found:
            row = rows[event.id]
            values = field_values(event, field)
            texts = {text_of(value) for value in values}
            if field in ("status", "tags"):
                texts = {fold(text) for text in texts}
            assert sorted(row["every"]) == sorted(texts), field
            halves = row["several"] if row["single"] is None else [row["single"]]
            assert row["single"] is None or not row["several"]
            assert sorted(halves) == sorted(texts), field
            numbers = [
                float(number) for text in texts if (number := number_of(text)) is not None and number - number == 0
            ]
            assert sorted(row["numbers"]) == pytest.approx(sorted(numbers), rel=1e-15), field


def test_signals_with_their_lists(event_store: EventStore) -> None:
    custom = {"title": "Brute force", "workflow": {"triage": {"state": "open"}}, "usr": {"id": ["bob", "eve"]}}
    line = encode_signal(
        id="s1",
        timestamp=1735689600000,
        ingested_at=1735689600000,
        row_version=1,
        rule_id="r",
        title="Brute force",
        message="Many failed logins",
        status="high",
        host=["web-7", "web-8"],
        source=["okta"],
        tags=["env:prod"],
        custom=custom,
    )
    event_store.insert("signals", line, 1)

    def count(text: str) -> int:
        sql = Sql.of("SELECT count() AS n FROM signals FINAL WHERE {where}", where=to_sql(parse(text), SIGNALS))
        return int(event_store.query(sql)[0]["n"])

    for text in (
        "status:(high OR critical) @workflow.triage.state:(open OR under_review)",
        "host:web-8 -host:web-9 -service:*",
        "brute logins",
        '"failed logins"',
        "@usr.id:(bob eve)",
        "*:eve *:okta",
        "*:ev?",
        "fail* *ogin*",
        "env:prod timestamp:>=1735689600000",
    ):
        assert count(text) == 1, text
    for text in ("high", "@usr.id:mallory", '"force many"', "web-7", "-brute"):
        assert count(text) == 0, text


def test_the_text_index_is_used(event_store: EventStore) -> None:
    if event_store.is_distributed:
        pytest.skip("a distributed table shows only its own plan")
    event = Event("1", 1735689600000, message="alpha beta")
    event_store.insert("logs", encode_event(event), 1)
    where = to_sql(parse("beta"))
    rows = event_store.query(Sql.of("EXPLAIN indexes = 1 SELECT id FROM logs WHERE {where}", where=where))
    assert any("text_words_index" in str(row) for row in rows), rows


NASTY = [
    "`", "a`b", "a`; DROP TABLE logs", "'", "a' OR '1'='1", '"', "\\", "\\\\", "\\'", "a\\", "{q0:String}", "{", "}",
    "--", "/* x */", ";", "a.:`Int64`", ":`String`", "^a", "a.^b", "@a", "$x", "\0", "\n", "\u2028", "%60", "%",
    "size0", "null", "a b", "é`", "😀", "(select 1)", "x" * 300,
]  # fmt: skip


def test_no_path_and_no_value_escapes_its_place(event_store: EventStore) -> None:
    """Keys and values are in the hands of attackers: each finds its own event, and nothing else happens."""
    found = [
        Event(f"n{number}", 1735689600000, message="m", attributes={"k": {key: key}, "v": key})
        for number, key in enumerate(NASTY)
    ]
    event_store.insert("logs", b"\n".join(map(encode_event, found)), len(found))
    from tocsin.query.printer import print_query
    from tocsin.query.tree import Equals, Exists, Field, FieldKind

    for event, key in zip(found, NASTY, strict=True):
        if not all(key.split(".")):
            continue
        for node in (
            Equals(Field(FieldKind.ATTRIBUTE, f"k.{key}"), key),
            Equals(Field(FieldKind.ATTRIBUTE, "v"), key),
            Exists(Field(FieldKind.ATTRIBUTE, f"k.{key}")),
        ):
            tree = parse(print_query(node))
            sql = Sql.of("SELECT id FROM logs WHERE {where}", where=to_sql(tree))
            expected = {other.id for other in found if to_predicate(tree)(other)}
            assert {row["id"] for row in event_store.query(sql)} == expected
            assert event.id in expected
