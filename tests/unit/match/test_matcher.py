"""The matcher against the plain predicate of each rule in turn."""

import random
from functools import lru_cache
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.match.emission import Emission
from tocsin.query.errors import QueryError
from tocsin.query.parser import parse, parse_cached
from tocsin.query.to_predicate import Predicate, to_predicate
from tocsin.query.track import LOGS
from tocsin.query.values import flatten
from tocsin.rule import Match, Rule, RuleCase, RuleQuery


def rule(number: int, query: str, **more) -> Rule:
    return Rule(f"r{number}", "name", "", (RuleQuery("a", query, **more),), (RuleCase("low", "a > 0"),))


@lru_cache(4096)
def predicate(query: str) -> Predicate:
    return to_predicate(parse_cached(query))


def plainly(rules: list[Rule], event: Event) -> list[str]:
    return [rule.id for rule in rules if predicate(rule.queries[0].query)(event)]


def matched(rules: list[Rule], event: Event) -> list[str]:
    matcher = Matcher(rules)
    assert matcher.problems == []
    first = [match.rule_id for match in matcher.match(event)]
    assert first == [match.rule_id for match in matcher.match(event)], "what is remembered changes nothing"
    return first


WORDS = [
    "root",
    "Root",
    "failed",
    "login",
    "10.1.2.3",
    "ſun",
    "K",
    "K",
    "straße",
    "a-b",
    "x_y",
    "",
    "true",
    "401",
    "0x1",
]
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        ["Failed login for root", "login_failed", "rootkit", "a:b", "*", "::ffff:10.1.2.3", "2001:db8::1", "1e999"]
    ),
    st.sampled_from([0, 1, -1, 401, 401.0, 401.5, 2**53 + 1, float(2**53), 2**64 - 1, 10**30, 0.1, -0.0, 1e300]),
    st.booleans(),
    st.none(),
    st.text(max_size=4),
)
KEYS = st.sampled_from(["a", "b", "usr", "id", "a.b", "ip", "title", "error", "message", ""])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
EVENTS = st.builds(
    Event,
    id=st.just("x"),
    timestamp=st.sampled_from([0, 5, 1_735_689_600_000]),
    message=st.sampled_from(
        ["", "Failed login for root from 10.1.2.3", "login-failed", "x ſun straße", "k K", "boom!"]
    ),
    status=st.sampled_from(["info", "error", "warn"]),
    host=st.sampled_from([None, "", "web-7", "WEB-7"]),
    service=st.sampled_from([None, "sso", "401"]),
    source=st.sampled_from([None, "okta", "sshd"]),
    trace_id=st.sampled_from([None, "1"]),
    tags=st.lists(
        st.sampled_from(["env:prod", "env:staging:east", "team:iam", "crown_jewel", "env:", "n:5"]), max_size=3
    ),
    attributes=st.dictionaries(KEYS, VALUES, max_size=4),
)
FIELDS = [
    "@a",
    "@b",
    "@usr.id",
    "@a.b",
    "@ip",
    "@title",
    "host",
    "service",
    "source",
    "status",
    "trace_id",
    "timestamp",
    "env",
    "tags",
    "n",
]
OPERANDS = [
    "root",
    "Root",
    '"Failed login for root"',
    "ro*",
    "*o?t",
    "*",
    "?",
    "401",
    "401.0",
    "4*",
    "true",
    "TRUE",
    ">400",
    "<=401",
    ">0.05",
    "[0 TO 401]",
    "{0 TO 401}",
    "[* TO 5]",
    "{a TO root]",
    '["10.0.0.0" TO "11.0.0.0"]',
    "[10.0.0.0 TO 10.255.255.255]",
    "10.0.0.0/8",
    '"10.0.0.0/8"',
    "9007199254740993",
    "(root OR 401 OR K)",
    "(root -login)",
    "prod",
    "staging*",
    '"staging:east"',
    "crown_jewel",
    "env\\:prod",
    "web-7",
    "web-?",
    "ſ*",
    "okta",
    "-1",
    ">1e300",
    "straße",
    "error",
    "ERROR",
]
EVERYWHERE = [
    "root",
    "login",
    "fail*",
    "*ogin*",
    '"login failed"',
    "straße",
    "sun",
    "ſun",
    "k",
    "k*",
    "message:root",
    "message:*!*",
    "message:boom*",
    "*:root",
    "*:401",
    "*:*oo*",
    "*:okta",
    '*:"failed login"',
    "*",
    "CIDR(@ip, 10.0.0.0/8, fd00::/8)",
    "CIDR(@a, ::/0)",
    "CIDR(host, 10.1.2.3)",
    'REGEX(@a, "^r.*t$")',
    'REGEX(@usr.id, "[k4]")',
    'REGEX(source, "^o.t")',
    'REGEX(*, "stra.e")',
    "ANYCASE(@a, *o?t)",
    "ANYCASE(*, *failed?login*)",
    "_exists_:@usr",
    "_missing_:@a",
    "_exists_:env",
    "_exists_:host",
    "_exists_:timestamp",
    "@error:*",
    "#calc:1",
]


def is_query(text: str) -> bool:
    try:
        parse(text)
    except QueryError:
        return False
    return True


CLAUSES = [*EVERYWHERE, *filter(is_query, (f"{field}:{operand}" for field, operand in product(FIELDS, OPERANDS)))]

QUERIES = st.recursive(
    st.sampled_from(CLAUSES),
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("-({})".format, inner),
        st.builds("({} -{} {})".format, inner, inner, inner),
    ),
    max_leaves=5,
)


def test_nearly_every_combination_is_a_query() -> None:
    assert all(map(is_query, EVERYWHERE))
    assert len(CLAUSES) > 0.9 * len(FIELDS) * len(OPERANDS)


@settings(max_examples=250, deadline=None)
@given(st.lists(QUERIES, min_size=1, max_size=8), st.lists(EVENTS, min_size=1, max_size=3))
@example(["*"], [Event("x", 0)])
@example(["-@a:1", "@a:true"], [Event("x", 0, attributes={"a": [True, 1, 1.0]})])
@example(["@a:>5", "@a:<1e308"], [Event("x", 0, attributes={"a": "1e999"}), Event("x", 0, attributes={"a": 6})])
def test_it_finds_what_each_predicate_finds(queries: list[str], events: list[Event]) -> None:
    rules = [rule(number, query) for number, query in enumerate(queries)]
    matcher = Matcher(rules)
    assert matcher.problems == []
    for event in [*events, *events]:
        assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)


def test_many_rules_on_many_events() -> None:
    """What is remembered of one event must not change another one: all clauses, a thousand events."""
    random.seed(5)
    rules = [rule(number, clause) for number, clause in enumerate(CLAUSES)]
    rules += [rule(number, f"{random.choice(CLAUSES)} -{random.choice(CLAUSES)}") for number in range(1000, 1300)]
    matcher = Matcher(rules)
    values = [
        "root",
        "401",
        401,
        5,
        True,
        1,
        "10.1.2.3",
        "10.9.9.9",
        "2001:db8::1",
        "web-7",
        0.1,
        None,
        "prod",
        ["root", 7],
        {"id": "K"},
    ]
    for _ in range(100):
        attributes = {key: random.choice(values) for key in random.sample(["a", "b", "usr", "ip", "title", "error"], 3)}
        event = Event("x", random.choice([0, 5]), random.choice(["", "Failed login", "k"]), attributes=attributes)
        event.tags = random.sample(["env:prod", "team:x", "crown_jewel", "n:7", "n:x"], 2)
        assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)


EVENT = Event(
    "e1",
    1000,
    "hello",
    host="h1",
    tags=["env:prod", "env:test", "team:iam"],
    attributes={
        "usr": {"id": "bob"},
        "ips": ["10.0.0.1", "10.0.0.2", "10.0.0.1"],
        "bytes": [3, "4.5", "x", True],
        "code": 401.0,
    },
)


def found(query: str = "hello", **more) -> list[tuple]:
    matcher = Matcher([rule(1, query, **more)])
    assert matcher.problems == []
    return [(match.group, match.distinct, match.value) for match in matcher.match(EVENT)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [((), None, None)]),
        ({"group_by_fields": ("@usr.id", "host")}, [(("bob", "h1"), None, None)]),
        ({"group_by_fields": ("@ips",)}, [(("10.0.0.1",), None, None), (("10.0.0.2",), None, None)]),
        ({"group_by_fields": ("env", "@code")}, [(("prod", "401"), None, None), (("test", "401"), None, None)]),
        ({"group_by_fields": ("@usr.id", "@none")}, []),
        (
            {"group_by_fields": ("@usr.id", "@none"), "has_optional_group_by_fields": True},
            [(("bob", "N/A"), None, None)],
        ),
        ({"aggregation": "cardinality", "distinct_fields": ("@usr.id",)}, [((), "bob", None)]),
        (
            {"aggregation": "cardinality", "distinct_fields": ("@usr.id", "@ips")},
            [((), "bob\x1f10.0.0.1", None), ((), "bob\x1f10.0.0.2", None)],
        ),
        ({"aggregation": "cardinality", "distinct_fields": ("@none",)}, [((), None, None)]),
        ({"aggregation": "new_value", "metrics": ("@usr.id",)}, [((), "bob", None)]),
        ({"aggregation": "new_value", "metrics": ("@usr.id", "@none")}, []),
        ({"aggregation": "sum", "metrics": ("@bytes",)}, [((), None, 7.5)]),
        ({"aggregation": "max", "metrics": ("@bytes",)}, [((), None, 4.5)]),
        ({"aggregation": "max", "metrics": ("@usr.id",)}, [((), None, None)]),
    ],
)
def test_what_is_written_for_a_query(more: dict, expected: list) -> None:
    assert found(**more) == expected


def test_one_event_gives_at_most_fifty_matches_of_a_query() -> None:
    event = Event("x", 0, attributes={"a": list(range(20)), "b": list(range(20))})
    matches = Matcher([rule(1, "*", group_by_fields=("@a", "@b"))]).match(event)
    assert len(matches) == 50
    assert len({match.group for match in matches}) == 50


def test_every_query_of_a_rule_is_told_apart() -> None:
    several = Rule(
        "r",
        "n",
        "",
        (RuleQuery("a", "nothing"), RuleQuery("b", "hello"), RuleQuery("c", "*", data_source="spans")),
        (),
        version=7,
    )
    assert Matcher([several]).match(EVENT) == [Match("r", 7, 1)]


def test_the_extension_of_a_query_counts() -> None:
    assert found(custom_query_extension="-@usr.id:bob") == []
    assert found(custom_query_extension="@usr.id:bob OR x") != []


def test_disabled_and_deleted_rules_are_not_asked() -> None:
    from dataclasses import replace

    one = rule(1, "*")
    assert Matcher([replace(one, is_enabled=False), replace(one, is_deleted=True)]).match(EVENT) == []


def test_a_rule_that_does_not_compile_is_told_and_stops_nobody() -> None:
    matcher = Matcher(
        [rule(1, "service:"), rule(2, "hello"), rule(3, "*", group_by_fields=("a b",)), rule(4, "@a:>5ms")]
    )
    assert [match.rule_id for match in matcher.match(EVENT)] == ["r2"]
    assert [(problem.rule_id, problem.query_index) for problem in matcher.problems] == [("r1", 0), ("r3", 0), ("r4", 0)]


@settings(max_examples=100, deadline=None)
@given(EVENTS, st.booleans(), st.sampled_from(["count", "cardinality", "new_value", "sum", "max"]))
@example(Event("x", 0, attributes={"a": {"b": 1}, "a.b": [2, 1]}), False, "cardinality")
def test_what_is_written_is_the_same_from_the_flattened_event(
    event: Event, is_optional: bool, aggregation: str
) -> None:
    """Down to the order of several values, of which only so many are written."""
    fields = ("@a", "@a.b", "@usr.id", "host")
    query = RuleQuery(
        "a",
        "*",
        group_by_fields=fields[:2],
        has_optional_group_by_fields=is_optional,
        aggregation=aggregation,
        distinct_fields=fields,
        metrics=fields[1:2],
    )
    emission = Emission.of(rule(1, "*"), 0, query, LOGS)
    assert list(emission.matches(event, flatten(event.attributes))) == list(emission.matches(event))
