"""Predicate, SQL on the real engine and the plain reference give the same answers (search-syntax §15)."""

import ipaddress
import json
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_cases import asked
from query_reference import address_of_text, all_paths, matches
from query_strategies import events, queries, queries_about

from tocsin.config import Config
from tocsin.query import AUDIT, LOGS, SIGNALS, QueryError, parse, to_predicate, to_sql
from tocsin.query.evaluate import evaluate_lines, event_of, row_of
from tocsin.query.sql import Sql
from tocsin.query.to_sql import drop_table, scratch_table
from tocsin.query.track import Track, eval_track
from tocsin.query.units import convert
from tocsin.query.values import number_of
from tocsin.store.events import EventStore, open_event_store

EXAMPLES = int(os.environ.get("TOCSIN_QUERY_EXAMPLES", "60"))
TRACK = eval_track(LOGS)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    store = open_event_store(Config(data=tmp_path_factory.mktemp("engine")))
    yield store
    store.close()


def answers(engine: EventStore, texts: list[str], found: list[dict[str, Any]], track: Track) -> list[list[bool]]:
    """For every event the answer of every query, by SQL."""
    engine.command(drop_table(track))
    engine.command(scratch_table(track))
    rows = [{**row_of(event_of(event, track), track), "n": number} for number, event in enumerate(found)]
    engine.insert(track.table, b"\n".join(map(orjson.dumps, rows)), len(rows))
    conditions = Sql.join(", ", [to_sql(parse(text), track) for text in texts])
    sql = Sql.of(f"SELECT n, [{{conditions}}] AS answers FROM {track.table} ORDER BY n", conditions=conditions)
    return [[bool(answer) for answer in row["answers"]] for row in engine.query(sql)]


def parsed(text: str) -> bool:
    try:
        convert(parse(text), lambda field: None)
    except QueryError:
        return False
    return True


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[str]]:
    """Several events and queries, some of them about what the events hold."""
    found = draw(st.lists(events, min_size=1, max_size=6))
    texts = draw(st.lists(queries.filter(parsed), min_size=1, max_size=8))
    for event in found:
        texts += draw(st.lists(queries_about(event, all_paths(event)).filter(parsed), max_size=8))
    return found, texts


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=batches())
def test_predicate_sql_and_reference_agree(engine: EventStore, batch: tuple[list[dict[str, Any]], list[str]]) -> None:
    found, texts = batch
    by_sql = answers(engine, texts, found, TRACK)
    for event, row in zip(found, by_sql, strict=True):
        for text, answer in zip(texts, row, strict=True):
            node = parse(text)
            expected = matches(node, event)
            assert to_predicate(node, TRACK)(event_of(event, TRACK)) == expected, (text, event)
            assert answer == expected, (text, event)


def series(size: int, word: str, joint: str) -> str:
    """Words and phrases of which no event holds one, but for the one given, joined."""
    return joint.join([*(f"none{n}" for n in range(size - 2)), '"none at all"', word])


@pytest.mark.parametrize("size", [3, 9, 40, 600])
def test_many_words_are_as_few(engine: EventStore, size: int) -> None:
    """From some on, words are asked for together: in one pass, then in a set."""
    found = [
        {"message": "alpha beta gamma"},
        {"message": "gamma\nalpha"},
        {"message": "Beta, alpha-GAMMA!"},
        {"message": "alphabet gammas", "attributes": {"error": {"message": "beta gamma alpha"}, "roles": ["gamma"]}},
        {"message": "none", "attributes": {"a": "alpha", "title": "gamma", "n": 5}},
        {"message": "", "attributes": {"deep": [{"x": "beta gamma"}]}},
    ]
    words = ("alpha", "gamma", '"alpha beta"', '"beta gamma"', "5")
    texts = []
    for field in ("{}", "message:({})", "*:({})"):
        texts += [field.format(f"({series(size, word, ' OR ')})") for word in words]
        texts += [f"-{field.format(f'({series(size, word, chr(32))})')}" for word in words]
        # all of them: what an event has, often
        texts += [field.format(f"({' '.join([word, 'gamma'] * (size // 2))})") for word in words]
    for track in (TRACK, eval_track(SIGNALS), eval_track(AUDIT)):
        by_sql = answers(engine, texts, found, track)
        for event, row in zip(found, by_sql, strict=True):
            for text, answer in zip(texts, row, strict=True):
                assert answer == to_predicate(parse(text), track)(event_of(event, track)), (text[-60:], event)
        assert any(map(any, by_sql)) and not all(map(all, by_sql))


def test_many_words_need_no_more_memory_than_few(engine: EventStore) -> None:
    found = [{"message": f"{'lorem ipsum dolor sit amet ' * 10} {n}"} for n in range(3000)]
    wanted = " OR ".join(f"none{n}" for n in range(4990))
    by_sql = answers(engine, [f"({wanted} OR 7)", f"message:({wanted} OR 8)"], found, TRACK)
    assert [n for n, row in enumerate(by_sql) if any(row)] == [7, 8]


def test_the_cases_by_sql(engine: EventStore) -> None:
    """The text pairs of `cases/query` through the SQL back end of `tocsin query eval`."""
    found = [*asked("examples.txt"), *asked("answers.txt")]
    lines = [
        json.dumps({"id": number, "query": query, "event": event, "track": track})
        for number, (_, query, event, track, _, _) in enumerate(found)
    ]
    for answer, (comment, query, _, _, result, code) in zip(evaluate_lines(lines, "sql", engine), found, strict=True):
        read = orjson.loads(answer)
        assert (read["result"], read.get("error", {}).get("code", "")) == (result, code), (comment, query)


def test_lines_by_sql_that_are_not_answered_by_it(engine: EventStore) -> None:
    many = " OR ".join(f"@f{number}:x" for number in range(3000))
    asked_of = [{"id": 1, "query": ")", "event": {}}, {"id": 2, "query": "a"}, {"id": 3, "query": many, "event": {}}]
    lines = [b"{", *map(orjson.dumps, asked_of)]
    results = [orjson.loads(answer)["result"] for answer in evaluate_lines(lines, "sql", engine)]
    assert results == ["error", "parse_error", "parse_ok", "error"]


def mutated(random: Random, texts: list[str], alphabet: str) -> list[str]:
    """The texts, and each with one character taken out, put in or changed."""
    found = list(texts)
    for text in texts:
        at = random.randrange(len(text) + 1)
        found.append(text[:at] + random.choice(["", random.choice(alphabet)]) + text[at + random.randrange(2) :])
    return list(dict.fromkeys(found))


def test_the_engine_reads_numbers_as_we_do(engine: EventStore) -> None:
    """Decision 0014: three functions in this order give the number of a text, or none."""
    random = Random(1)
    texts = [
        "",
        "+",
        "-.",
        "1e",
        "1.e5",
        "inf",
        "nan",
        " 1",
        "1\n",
        "1e400",
        "0" * 30 + "5",
        "-0",
        "9" * 25,
        "4.9e-324",
    ]
    texts += [str(random.getrandbits(random.randrange(1, 70)) * random.choice([1, -1])) for _ in range(1500)]
    texts += [repr(random.uniform(-1, 1) * 10.0 ** random.randrange(-300, 300)) for _ in range(1500)]
    texts = mutated(random, texts, "0123456789.eE+- x")
    number = "coalesce(toString(toInt64OrNull(x)), toString(toUInt64OrNull(x)), toString(toFloat64OrNull(x)), '')"
    sql = Sql(f"SELECT arrayMap(x -> {number}, {{texts:Array(String)}}) AS read", {"texts": texts})
    for text, read in zip(texts, engine.query(sql)[0]["read"], strict=True):
        value = number_of(text)
        is_number = read not in ("", "inf", "-inf", "nan")
        assert is_number == (value is not None and value - value == 0), text
        assert not is_number or (int if isinstance(value, int) else float)(read) == value, text


def test_the_engine_and_our_pattern_read_addresses_as_we_do(engine: EventStore) -> None:
    random = Random(1)
    texts = ["1.2.3.04", "::1.2.3.04", "1:2:3:4::5:6:7:8", ":::1", "1::2::3", "::", "0::0", "::ffff:1.2.3.4", "1.2.3"]
    for _ in range(3000):
        bits = random.getrandbits(128) >> random.randrange(128) << random.randrange(20)
        address = ipaddress.IPv6Address(bits & 2**128 - 1)
        texts.append(random.choice([str(address), address.exploded, str(address).upper()]))
        dotted = str(ipaddress.IPv4Address(random.getrandbits(32)))
        texts.append(random.choice(["", "::", "1::", "::ffff:", "1:2:3:4:5:6:"]) + dotted)
    texts = mutated(random, texts, "0123456789abcdefF:. %")
    events_of_texts = [{"attributes": {"k": text}} for text in texts]
    everything = parse("CIDR(@k, 0.0.0.0/0, ::/0)")
    found = answers(engine, ["CIDR(@k, 0.0.0.0/0, ::/0)"], events_of_texts, TRACK)
    for text, event, (answer,) in zip(texts, events_of_texts, found, strict=True):
        by_predicate = to_predicate(everything, TRACK)(event_of(event, TRACK))
        assert answer == by_predicate == (address_of_text(text) is not None), text
