"""`tocsin rules eval`, its pure core."""

from typing import Any

import orjson
import pytest

from tocsin.errors import BadRequest
from tocsin.event import Event, Rejected
from tocsin.rule import Rule, RuleCase, RuleQuery
from tocsin.rules.evaluating import evaluate_rules, matcher_of


def rule(*queries: str, **more: Any) -> Rule:
    asked = tuple(RuleQuery(chr(97 + n), query, group_by_fields=("@gone",)) for n, query in enumerate(queries))
    return Rule("", "name", "", asked, (RuleCase("low", "a > 0"),), **more)


RULES = {"one": rule("@a:x", "@b:y"), "two": rule("source:okta env:prod", is_enabled=False), "raw": rule("@raw:1")}


def raw(record: Any) -> Event:
    if record == "bad":
        raise Rejected("empty", "it holds nothing")
    return Event("", 0, attributes={"raw": 1})


def answers(*lines: Any) -> list[dict[str, Any]]:
    texts = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    return [orjson.loads(line) for line in evaluate_rules(texts, matcher_of(RULES), raw)]


def test_events_in_our_shape_and_raw_records() -> None:
    ours = {
        "source": "okta",
        "tags": ["ENV:prod"],
        "timestamp": "2026-01-01T00:00:00Z",
        "attributes": {"a": "x", "b": "y"},
    }
    assert answers({"id": 1, "event": ours}, {"id": "b", "event": {"any": "record"}}, b"\n", {"event": "a line"}) == [
        {"id": 1, "matches": ["one", "two"]},
        {"id": "b", "matches": ["raw"]},
        {"id": None, "matches": ["raw"]},
    ]


def test_a_line_without_an_event_keeps_its_id() -> None:
    (answer,) = answers({"id": 7})
    assert (answer["id"], answer["matches"]) == (7, [])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "unexpected end"),
        (b"[1]", "an object with 'id' and 'event'"),
        ({"id": 1, "event": None}, "an object or a line of text"),
        ({"id": 1, "event": "bad"}, "it holds nothing"),
        ({"id": 1, "event": {"timestamp": "noon", "attributes": {}}}, "'timestamp' is in milliseconds"),
        ({"id": 1, "event": {"tags": "a", "attributes": {}}}, "'tags' is a list of texts"),
    ],
)
def test_what_cannot_be_read_matches_nothing_and_says_why(line: Any, error: str) -> None:
    (answer,) = answers(line)
    assert answer["matches"] == []
    assert error in answer["error"]


def test_a_rule_that_cannot_be_compiled_is_an_error() -> None:
    with pytest.raises(BadRequest, match="rule x"):
        matcher_of({"x": rule("@d:>5ms")})
