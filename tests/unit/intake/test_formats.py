import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest, TooLarge
from tocsin.intake.formats import BadBody, Unreadable, load_json, read_records, split
from tocsin.intake.limits import Limits
from tocsin.intake.request import Request, request_of

JSON = "application/json"
FRAMES = (
    b"83 <40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed from starting to up\n"
    b"119 <40>1 2012-11-30T06:45:26+00:00 host app web.3 - Starting process with command `bundle exec rackup config.ru "
    b"-p 24405`\n"
)

SHAPES = [
    ("the Agent's probe", JSON, b"{}", []),
    ("an empty list", JSON, b"[]", []),
    ("nothing", JSON, b" \n", []),
    ("one object", JSON, b'{"message":"a"}', [{"message": "a"}]),
    ("a list", JSON, b'[{"a":1},{"b":2}]', [{"a": 1}, {"b": 2}]),
    ("texts in a list", JSON, b'["a",{"b":2}]', ["a", {"b": 2}]),
    ("a text", JSON, b'"a b"', ["a b"]),
    ("a charset", "application/json; charset=utf-8", b'{"a":1}', [{"a": 1}]),
    ("an object a line", JSON, b'{"a":1}\n\n{"b":2}\n', [{"a": 1}, {"b": 2}]),
    ("ndjson", "application/x-ndjson", b'{"a":1}\r\n{"b":2}', [{"a": 1}, {"b": 2}]),
    (
        "CloudTrail's file",
        JSON,
        b'{"Records":[{"eventName":"A"},{"eventName":"B"}]}',
        [{"eventName": "A"}, {"eventName": "B"}],
    ),
    ("an object that has Records", JSON, b'{"Records":[1],"x":1}', [{"Records": [1], "x": 1}]),
    ("lines of text", "text/plain", b"a b\r\n\nc\n", ["a b", "c"]),
    ("form feeds part no lines", "text/plain; charset=utf-8", b"a\x0cb\x85", ["a\x0cb\ufffd"]),
    ("text that is JSON stays text", "text/plain", b'{"a":1}', ['{"a":1}']),
    ("simple, whatever it holds", "application/json;simple", b'[{"a":1},2]', ['[{"a":1},2]']),
    ("simple, an object", "application/json;simple", b'{"a":1}', [{"a": 1}]),
    ("simple, no JSON", "application/json; simple", b"a\nb", ["a\nb"]),
    ("curl without a type, JSON", "application/x-www-form-urlencoded", b' {"a":1}', [{"a": 1}]),
    ("curl without a type, text", "", b"a\nb", ["a", "b"]),
    ("a lone surrogate", JSON, b'{"a":"x\\ud800"}', [{"a": "x\ufffd"}]),
    ("NaN", JSON, b'{"a":NaN,"b":1}', [{"a": None, "b": 1}]),
    ("a byte order mark", JSON, b'\xef\xbb\xbf[{"a":1}]', [{"a": 1}]),
    ("a byte order mark before text", "text/plain", b"\xef\xbb\xbfa\nb", ["a", "b"]),
    ("a byte that is no UTF-8", JSON, b'{"a":"\xff"}', [{"a": "\ufffd"}]),
    (
        "a number beyond 64 bits",
        JSON,
        b'{"a":123456789012345678901234567890}',
        [{"a": 123456789012345678901234567890.0}],
    ),
    (
        "logplex",
        "application/logplex-1",
        FRAMES,
        [
            {
                "message": "State changed from starting to up",
                "timestamp": "2012-11-30T06:45:29+00:00",
                "syslog": {
                    "severity": 0,
                    "facility": 5,
                    "timestamp": "2012-11-30T06:45:29+00:00",
                    "hostname": "host",
                    "appname": "app",
                    "procid": "web.3",
                },
            },
            {
                "message": "Starting process with command `bundle exec rackup config.ru -p 24405`",
                "timestamp": "2012-11-30T06:45:26+00:00",
                "syslog": {
                    "severity": 0,
                    "facility": 5,
                    "timestamp": "2012-11-30T06:45:26+00:00",
                    "hostname": "host",
                    "appname": "app",
                    "procid": "web.3",
                },
            },
        ],
    ),
]


@pytest.mark.parametrize(("name", "content_type", "body", "items"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_shape(name: str, content_type: str, body: bytes, items: list) -> None:
    assert split(body, content_type) == items


@pytest.mark.parametrize("body", [b"nope", b'{"a":', b"3", b"null", b"true", b'[{"a":1}', b"[" * 100_000])
def test_malformed_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody, match="Invalid JSON"):
        split(body, JSON)


@pytest.mark.parametrize("body", [b"no frames", b"99 too short", b"5 abcde and more"])
def test_malformed_frames_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="Invalid logplex"):
        split(body, "application/logplex-1")


def test_elements_that_are_no_events_are_kept_apart() -> None:
    items = split(b'[1,{},null,[2],"ok"]', JSON)
    assert [item.code for item in items if isinstance(item, Unreadable)] == [
        "not_an_object",
        "empty",
        "not_an_object",
        "not_an_object",
    ]
    assert items[-1] == "ok"


def test_a_bad_line_does_not_cost_the_good_ones() -> None:
    good, bad = read_records(Request(b'{"a":1}\n{"b":\n{"c":3}', 5))
    assert [record.body for record in good] == [{"a": 1}, {"c": 3}]
    assert [(record.raw, why.code) for record, why in bad] == [(b'{"b":', "bad_json")]


@pytest.mark.parametrize(("depth", "kept"), [(100, 2), (300, 1), (800, 1)])
def test_a_record_that_is_too_deep_does_not_cost_the_others(depth: int, kept: int) -> None:
    """It is read, but cannot be written: with an answer to send it again nobody would ever be done."""
    deep = b'{"a":' * depth + b"1" + b"}" * depth
    good, bad = read_records(Request(b"[" + deep + b',{"message":"good"}]', 5))
    assert len(good) == kept
    assert good[-1].body == {"message": "good"}
    assert [why.code for _, why in bad] == ["too_deep"] * (2 - kept)
    assert all(load_json(record.raw) == load_json(deep) for record, _ in bad)
    items = split(b"[" + b"[" * depth + b"]" * depth + b"]", "application/json")
    assert [item.code for item in items if isinstance(item, Unreadable)] == ["not_an_object"]


def test_defaults_come_from_the_query() -> None:
    query = {"ddsource": "sshd", "service": "ssh", "hostname": "h1", "ddtags": "env:prod, team:infra,"}
    request = request_of(b'{"a":1}', {"content-type": JSON}, query, 7)
    [record], _ = read_records(request)
    assert (record.source, record.service, record.host, record.tags) == (
        "sshd",
        "ssh",
        "h1",
        ("env:prod", "team:infra"),
    )
    assert record.received_at == 7


def test_equal_bodies_are_counted() -> None:
    good, _ = read_records(Request(b'[{"a":1},{"a": 1},{"a":2},{"a":1}]', 5))
    assert [record.occurrence for record in good] == [0, 1, 0, 2]


def test_over_a_thousand_events_is_too_large() -> None:
    body = orjson.dumps([{"a": 1}] * 1001)
    with pytest.raises(TooLarge, match="1001 events"):
        read_records(Request(body, 5))
    assert len(read_records(Request(orjson.dumps([{"a": 1}] * 1000), 5))[0]) == 1000


def test_the_body_has_a_limit() -> None:
    with pytest.raises(TooLarge):
        read_records(Request(b'{"a":"' + b"x" * 100 + b'"}', 5), Limits(body_bytes=100))


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_python_writes_is_read_and_can_be_stored(value) -> None:
    import json

    assert orjson.loads(orjson.dumps(load_json(json.dumps(value).encode()))) is not ...


@settings(deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([JSON, "text/plain", "application/logplex-1", "application/json;simple", "x"]),
)
def test_no_body_is_a_surprise(body: bytes, content_type: str) -> None:
    try:
        good, bad = read_records(Request(body, 5, content_type))
    except BadRequest:
        return
    for record, _ in bad:
        assert record.raw
    for record in good:
        assert orjson.dumps(record.body)
