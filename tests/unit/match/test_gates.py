"""Rules that share a log source: how their queries are split, and that nothing is lost by it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_matcher import EVENTS, QUERIES, plainly, rule

from tocsin.event import Event
from tocsin.match import Matcher, segment
from tocsin.match.checks import check_of
from tocsin.match.conditions import MOST_ALTERNATIVES, alternatives, condition_of, settled
from tocsin.match.gates import gate_fields, gated
from tocsin.query.parser import parse, parse_field
from tocsin.query.to_predicate import to_predicate
from tocsin.query.track import LOGS
from tocsin.query.tree import All, leaves
from tocsin.query.values import flatten

SOURCES = [
    "source:okta",
    "source:okta @a:root",
    "source:okta @a:(root OR 401)",
    "(source:sshd OR status:error)",
    "((source:okta @a:root) OR (source:sshd @a:401))",
    "source:o* -@a:root",
    'REGEX(source, "^o.t")',
]

GATED = st.builds("{} {}".format, st.sampled_from(SOURCES), QUERIES)


@settings(max_examples=60, deadline=None)
@given(st.lists(GATED, min_size=4, max_size=12), st.lists(EVENTS, min_size=1, max_size=4))
def test_it_finds_what_each_predicate_finds_behind_gates(queries: list[str], events: list[Event]) -> None:
    rules = [rule(number, query) for number, query in enumerate(queries)]
    matcher = Matcher(rules)
    assert matcher.problems == []
    for event in [*events, *events]:
        assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)


@settings(max_examples=60, deadline=None)
@given(QUERIES, EVENTS)
def test_a_check_says_what_the_predicate_says(query: str, event: Event) -> None:
    node = parse(query)
    assert check_of(node, LOGS)(event, flatten(event.attributes)) == to_predicate(node)(event)


TEXTS = ["root", "Root", "*root", "ro*", "*o*", "*", "r?ot", "r*t", "failed*", "*K*", "401", "ſ*"]
ALIKE = st.builds("{}:{}".format, st.sampled_from(["@a", "@usr.id", "@title"]), st.sampled_from(["root", "401", "K"]))
ANY_CASE = st.builds("ANYCASE({}, {})".format, st.sampled_from(["@a", "@usr.id", "*"]), st.sampled_from(TEXTS))
SEVERAL = st.lists(
    st.one_of(ALIKE, ANY_CASE, st.sampled_from(["_exists_:@usr", "host:web-7", "*:root"])), min_size=2, max_size=5
)


@settings(max_examples=60, deadline=None)
@given(SEVERAL, SEVERAL, EVENTS)
def test_clauses_that_are_taken_together_say_what_each_says(one: list[str], two: list[str], event: Event) -> None:
    found = flatten(event.attributes)
    for query in (" OR ".join(one), " ".join(one), f"({' OR '.join(one)}) -({' '.join(two)})"):
        node = parse(query)
        assert check_of(node, LOGS)(event, found) == to_predicate(node)(event), query


@settings(max_examples=60, deadline=None)
@given(GATED, EVENTS)
def test_gate_and_rest_are_the_query(query: str, event: Event) -> None:
    node = parse(query)
    both = gated(node, [parse_field("source"), parse_field("@a")])
    holds = [to_predicate(each)(event) for each in (node, both.gate, both.rest)]
    assert holds[0] == (holds[1] and holds[2])


@pytest.mark.parametrize(
    ("query", "gate", "rest"),
    [
        ("source:s @id:1 @image:*x", "source:s @id:1", "@image:*x"),
        ("((source:s @id:1) OR (source:t @id:2)) @image:*x", "(source:s @id:1) OR (source:t @id:2)", "@image:*x"),
        ("source:s ((@id:1 @image:x) OR @id:2)", "source:s (@id:1 OR @id:2)", "(@id:1 @image:x) OR @id:2"),
        ("source:s (@id:1 OR @image:x)", "source:s", "@id:1 OR @image:x"),
        ("source:s -(@id:1 @image:x)", "source:s", "-(@id:1 @image:x)"),
        ("source:s -(@id:1 OR @image:x)", "source:s -@id:1", "-(@id:1 OR @image:x)"),
        ("@image:x word", "*", "@image:x word"),
        ("source:s @id:*", "source:s", "@id:*"),  # its existence, which may be below it
        ("source:s @id:1", "source:s @id:1", "*"),
    ],
)
def test_how_a_query_is_split(query: str, gate: str, rest: str) -> None:
    found = gated(parse(query), [parse_field("source"), parse_field("@id")])
    assert (found.gate, found.rest) == (parse(gate), parse(rest))


def test_which_fields_are_gates() -> None:
    queries = [f"source:s @id:{number % 20} @name:x{number} @image:*{number}* host:*" for number in range(100)]
    assert gate_fields([parse(query) for query in queries], LOGS) == {parse_field("source"), parse_field("@id")}
    rare = [f"@name:x{number}" for number in range(200)]
    assert gate_fields([parse(query) for query in [*queries[:3], *rare]], LOGS) == frozenset(), "three of 203"


def test_events_of_another_kind_are_not_looked_at() -> None:
    rules = [rule(number, f"source:s{number % 2} ANYCASE(@image, *x{number}*)") for number in range(40)]
    matcher = Matcher(rules)
    other = Event("e", 0, source="s2", attributes={"image": "an x1 and x2"})
    assert matcher.match(other) == []
    index = matcher._segments[0]._memory.values.paths["image"]
    assert index.remembered == {}
    other.source = "s1"
    assert [match.rule_id for match in matcher.match(other)] == ["r1"]
    assert list(index.remembered) == ["an x1 and x2"]


def test_events_that_open_ever_other_gates_together_have_no_more_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attribute may have any number of values, and who sends events chooses them."""
    monkeypatch.setattr(segment, "FULL_TEXTS", 3)
    rules = [rule(number, f"@kind:k{number % 6} ANYCASE(*, *word{number % 4}*)") for number in range(24)]
    matcher = Matcher(rules)
    for mask in range(64):
        kinds = [f"k{bit}" for bit in range(6) if mask >> bit & 1]
        event = Event("e", 0, message=f"a Word{mask % 4} here", attributes={"kind": kinds})
        assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)
    assert len(matcher._segments[0]._memory.full_texts) <= 3 + 6


def test_what_many_values_decide_is_not_remembered() -> None:
    rules = [rule(number, f"@kind:k{number % 30} @name:n{number}") for number in range(90)]
    matcher = Matcher(rules)
    for count in (1, 10, 30):
        attributes = {"kind": [f"k{number}" for number in range(count)] * 20, "name": [f"n{n}" for n in range(90)]}
        event = Event("e", 0, attributes=attributes)
        assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)
    memory = matcher._segments[0]._memory
    assert not memory.kinds
    assert not memory.asked


@settings(max_examples=100, deadline=None)
@given(GATED, EVENTS, st.sets(st.sampled_from(["source", "a", "usr.id", "status"])))
def test_what_remains_of_a_query_decides_as_the_whole(query: str, event: Event, known: set[str]) -> None:
    node = parse(query)
    rest = settled(
        node, lambda leaf: to_predicate(leaf)(event) if not isinstance(leaf, All) and leaf.field.name in known else None
    )
    holds = rest if isinstance(rest, bool) else to_predicate(rest)(event)
    assert holds == to_predicate(node)(event)
    if not isinstance(rest, bool):
        assert known.isdisjoint(leaf.field.name for leaf in leaves(rest) if not isinstance(leaf, All))


def test_no_event_of_a_kind_that_gates_speak_of_waits_for_full_text() -> None:
    rules = [
        *(rule(number, f"source:s @id:{number % 3} ANYCASE(*, *word{number}*)") for number in range(9)),
        *(rule(number, f"source:s ANYCASE(*, *word{number}*)") for number in range(9, 12)),
        *(rule(number, "((source:s @id:1) OR (source:t @id:2)) ANYCASE(*, *a*)") for number in (12, 13)),
    ]
    matcher = Matcher(rules)
    full_texts = matcher._segments[0]._memory.full_texts
    made = set(full_texts)
    for source in ("s", "t", "u"):
        for number in range(4):
            event = Event("e", 0, source=source, message="a word1 or word10", attributes={"id": number})
            assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)
    assert made == set(full_texts)
    assert len(made) == 5, "s, its three ids, and t with 2"


@pytest.mark.parametrize(
    ("clause", "other"),
    [
        ("ANYCASE(@at, *windows*)", "ANYCASE(@other, KEY)"),  # a short value is one of few
        ("ANYCASE(@at, *\\\\..\\\\windows*)", "ANYCASE(@other, *windows\\\\windows*)"),  # signs that few rules write
        ("ANYCASE(@at, *windows*)", "ANYCASE(@other, *\\:*)"),  # one sign says nothing
    ],
)
def test_a_query_is_found_by_what_is_rare(clause: str, other: str) -> None:
    rules = [
        *(rule(number, f"ANYCASE(@name, *windows\\\\named{number}*)") for number in range(60)),
        rule(60, f"{other} {clause}"),
    ]
    assert set(Matcher(rules)._segments[0]._memory.values.paths) == {"name", "at"}


@settings(max_examples=60, deadline=None)
@given(QUERIES)
def test_each_alternative_of_a_query_fulfils_it_unless_it_denies_something(query: str) -> None:
    node = parse(query)
    masks = {leaf: 1 << number for number, leaf in enumerate(dict.fromkeys(leaves(node))) if not isinstance(leaf, All)}
    found = alternatives(node, masks)
    assert 0 < len(found) <= MOST_ALTERNATIVES
    assert all(map(condition_of(node, masks), found)) or "Not(" in repr(node)
