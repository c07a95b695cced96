"""The predicate against the plain reference; group values; units; hints; lines in and out."""

import json
import re
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_reference import all_paths, matches
from query_strategies import events, queries, queries_about

from tocsin.event import Event
from tocsin.query import (
    AUDIT,
    EVAL,
    LOGS,
    SIGNALS,
    Code,
    QueryError,
    Sql,
    Track,
    field_values,
    hints,
    parse,
    patterns,
    print_query,
    to_predicate,
    to_sql,
)
from tocsin.query.evaluate import evaluate_lines, event_of
from tocsin.query.units import convert


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(event=events, texts=st.lists(queries, min_size=1, max_size=3), data=st.data())
def test_predicate_and_reference_agree(event: dict[str, Any], texts: list[str], data: st.DataObject) -> None:
    texts = texts + data.draw(st.lists(queries_about(event, all_paths(event)), max_size=5))
    for text in texts:
        try:
            tree = convert(parse(text), lambda field: None)
        except QueryError:
            continue
        assert to_predicate(tree, EVAL)(event_of(event, EVAL)) == matches(tree, event), text


def test_an_empty_reserved_attribute_of_a_stored_event_is_absent() -> None:
    event = Event("1", 0, host="", service=None, source="x")
    assert [
        to_predicate(parse(text))(event) for text in ("host:*", "service:*", "source:*", "message:*", 'host:""')
    ] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_field_values() -> None:
    event = Event(
        "1", 5, host="h", tags=["Env:Prod", "env:prod", "team:a"], attributes={"usr": {"id": ["a", 1, "1", 1.0, True]}}
    )
    assert sorted(map(repr, field_values(event, "@usr.id"))) == ["'1'", "'a'", "1", "True"]
    assert field_values(event, "env") == ["prod"]
    assert field_values(event, "host") == ["h"]
    assert field_values(event, "timestamp") == [5]
    assert field_values(event, "@nothing") == []


def test_depth_leaves_room_on_the_stack() -> None:
    text = "a"
    for depth in range(199):
        text = f"-({text} {'OR' if depth % 2 else 'AND'} b)"
    predicate = to_predicate(parse(text))
    limit = sys.getrecursionlimit()
    frames, frame = 0, sys._getframe()
    while frame is not None:
        frames, frame = frames + 1, frame.f_back  # type: ignore[assignment]
    sys.setrecursionlimit(frames + 450)
    try:
        predicate(Event("1", 0, message="a b"))
    finally:
        sys.setrecursionlimit(limit)


# -- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unit", "printed"),
    [
        ("@d:>20ms", "ns", "@d:>20000000"),
        ("@d:>20ms", "s", "@d:>0.02"),
        ("@d:[1min TO 2h]", "s", "@d:[60 TO 7200]"),
        ("@d:[1 TO 1.5kib]", "b", "@d:[1 TO 1536]"),
        ("@d:<-1d x", "h", "@d:<-24 x"),
        ("-@d:>1µs", "ns", "-@d:>1000"),
    ],
)
def test_units_are_converted(text: str, unit: str, printed: str) -> None:
    assert print_query(convert(parse(text), lambda field: unit)) == printed


@pytest.mark.parametrize(("text", "unit"), [("@count:>5ms", None), ("x @count:>5ms", "b"), ("@n:<1gb", "ns")])
def test_a_unit_where_there_is_none(text: str, unit: str | None) -> None:
    tree = parse(text)
    for run in (lambda: convert(tree, lambda field: unit), lambda: to_predicate(tree), lambda: to_sql(tree)):
        with pytest.raises(QueryError) as caught:
            run()
        assert caught.value.code is Code.UNIT
        assert text[caught.value.start : caught.value.end].startswith("@")


# -- hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "part", "fix"),
    [
        ("“access denied”", "curly", '"access denied"'),
        ("login and failed", "'and'", "login AND failed"),
        ("a or b", "'or'", "a OR b"),
        ("not b", "'not'", "NOT b"),
        ("@host:web", "reserved", "host:web"),
        ("@k:*a", "leading wildcard", None),
        ("*ogi*", "leading wildcard", None),
        ("CIDR(@ip, 10.0.0.1/8)", "10.0.0.1/8", None),
        ('@k:"a*"', "in quotes", None),
        ('"a"b', "white space", None),
        ("error: timeout", "tag error", None),
    ],
)
def test_hints(text: str, part: str, fix: str | None) -> None:
    (hint,) = hints(text)
    assert part in hint.message
    assert hint.fix == fix
    assert 0 <= hint.start < hint.end <= len(text)


@pytest.mark.parametrize(
    "text", ["and", "a b", "host:web", "@k:a*", '"a b" c', "CIDR(@ip, 10.0.0.0/8)", "a AND", "service: sso"]
)
def test_nothing_to_hint_at(text: str) -> None:
    assert hints(text) == []


@pytest.mark.parametrize(
    ("track", "text", "message", "fix"),
    [
        (SIGNALS, "status:hihg", "unknown severity 'hihg': did you mean high?", "status:high"),
        (SIGNALS, "x -status:(Hihg OR low)", "unknown severity 'Hihg': did you mean high?", "x -status:(high OR low)"),
        (LOGS, "status:warning", "unknown status 'warning': did you mean warn?", "status:warn"),
        (SIGNALS, "status:5", "unknown severity '5': there are info, low, medium, high, critical", None),
    ],
)
def test_unknown_statuses_get_near_ones(track: Track, text: str, message: str, fix: str | None) -> None:
    (hint,) = hints(text, track)
    assert (hint.message, hint.fix) == (message, fix)
    assert hints("status:(High OR low OR c*) -status:*", SIGNALS) == []
    assert hints("status:anything", AUDIT) == []


def test_unknown_fields_get_near_names() -> None:
    known = ["@usr.id", "@usr.name", "env"]
    (hint,) = hints("@usr.di:bob", LOGS, known)
    assert hint.fix == "@usr.id:bob"
    assert hints("@usr.id:bob @usr:* env:prod host:x word", LOGS, known) == []


# -- lines ------------------------------------------------------------------------------------------------------------


def answers(*lines: Any) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in evaluate_lines(line if isinstance(line, str) else json.dumps(line) for line in lines)
    ]


def test_results() -> None:
    event = {"message": "a"}
    assert answers(
        {"id": 1, "query": "a", "event": event},
        {"id": "x", "query": "b", "event": event},
        {"id": None, "query": "a AND", "event": event},
        {"id": 4, "query": "a", "event": None},
        {"id": 5, "query": ")", "event": None},
        "",
        {"id": 6, "query": "@d:>5ms", "event": None},
        {"id": 7, "query": "@d:>5ms", "event": event},
    ) == [
        {"id": 1, "result": "match"},
        {"id": "x", "result": "no_match"},
        {
            "id": None,
            "result": "parse_error",
            "error": {"code": "MISSING_TERM", "position": 2, "message": "AND has nothing to work on"},
        },
        {"id": 4, "result": "parse_ok"},
        {
            "id": 5,
            "result": "parse_error",
            "error": {"code": "UNBALANCED_PAREN", "position": 0, "message": "this parenthesis was never opened"},
        },
        {"id": 6, "result": "parse_ok"},
        {
            "id": 7,
            "result": "parse_error",
            "error": {"code": "UNIT", "position": 0, "message": "the facet of d declares no unit to compare 5ms in"},
        },
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "nonsense",
        {"id": 1, "event": {}},
        {"id": 1, "query": 5, "event": {}},
        {"id": 1, "query": "a", "event": []},
        {"id": 1, "query": "a", "event": {"attributes": []}},
        {"id": 1, "query": "a", "event": {"message": {"x": 1}}},
        {"id": 1, "query": "a", "event": {"tags": [[]]}},
        {"id": 1, "query": "a", "event": {"timestamp": "yesterday"}},
        {"id": 1, "query": "a", "event": {"timestamp": True}},
        {"id": 1, "query": "a", "event": {}, "track": "nothing"},
        '{"id": 1, "query": "a", "event": {"attributes": ' + '{"a":' * 2000 + "1" + "}" * 2000 + "}}",
    ],
)
def test_what_cannot_be_read_is_said(line: Any) -> None:
    (answer,) = answers(line)
    assert answer["result"] == "error"
    assert answer["error"]["code"] == "BAD_LINE"


def test_odd_json_is_read() -> None:
    line = '{"id": 36893488147419103232, "query": "@k:\\ufffd", "event": {"attributes": {"k": "\\ud800", "n": NaN}}}'
    assert answers(line) == [{"id": 36893488147419103232, "result": "match"}]


# -- SQL as text ------------------------------------------------------------------------------------------------------


@given(queries)
def test_nothing_a_user_writes_stands_in_the_sql(text: str) -> None:
    """Only characters of our own templates and of encoded paths; all else is in parameters."""
    try:
        sql = to_sql(convert(parse(text), lambda field: None))
    except QueryError:
        return
    assert sql.text.isascii()
    outside = re.sub(r"`[A-Za-z0-9_.%-]+`|`Array\(Nullable\(String\)\)`", "", sql.text)
    assert "`" not in outside
    assert ";" not in outside
    assert "--" not in outside
    assert outside.count("'") % 2 == 0


def test_a_set_of_values_is_one_in() -> None:
    sql = to_sql(parse("service:(a OR b OR c)"))
    assert sql == Sql("service IN {q0:Array(String)}", {"q0": ["a", "b", "c"]})
    assert to_sql(parse("-service:a -service:b")).text == "NOT (service IN {q0:Array(String)})"


def test_pieces_of_sql_compose() -> None:
    one, two = to_sql(parse("host:a")), to_sql(parse("host:b"))
    sql = Sql.of(
        "SELECT {columns} FROM logs WHERE {where} LIMIT {n:UInt32}",
        columns=Sql("id"),
        where=Sql.join(" OR ", [one, two]),
        n=5,
    )
    assert (
        sql.text
        == "SELECT id FROM logs WHERE host = {where_p0_q0:String} OR host = {where_p1_q0:String} LIMIT {n:UInt32}"
    )
    assert sql.parameters == {"where_p0_q0": "a", "where_p1_q0": "b", "n": 5}
    with pytest.raises(TypeError):
        Sql.of("{where}", where="1 = 1")


@pytest.mark.parametrize("least", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    "text", ["", "\n", "a", "ab\ncde", "a\r\u2028bcd", "💥" * 5, "x" * 999 + "\n", "ß" * 999, "ß" * 1000, "\n" * 1000]
)
def test_a_length_is_counted_as_the_engine_would(least: int, text: str) -> None:
    pattern = f".{{{least},}}"
    assert patterns.regex(pattern)(text) == patterns.regex(f"(?:{pattern})")(text)
