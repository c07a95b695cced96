"""What is left to ask of a query where some of its clauses are known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gates import SEVERAL
from test_matcher import EVENTS, QUERIES, plainly, rule

from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.match.checks import Check
from tocsin.match.settling import Settling, settling_leaves
from tocsin.match.values import Atom
from tocsin.query.parser import parse
from tocsin.query.to_predicate import to_predicate
from tocsin.query.track import LOGS
from tocsin.query.tree import All, Exists, Leaf, leaves
from tocsin.query.values import flatten

MANY = st.builds(lambda one, two: f"({' '.join(one)}) OR -({' OR '.join(two)})", SEVERAL, SEVERAL)


@settings(max_examples=200, deadline=None)
@given(st.one_of(QUERIES, MANY), EVENTS, st.data())
def test_what_is_left_decides_as_the_whole(query: str, event: Event, data: st.DataObject) -> None:
    node, found = parse(query), flatten(event.attributes)
    asked = [leaf for leaf in dict.fromkeys(leaves(node)) if not isinstance(leaf, All)]
    known = data.draw(st.lists(st.sampled_from(asked), unique=True)) if asked else []
    atoms: dict[Leaf, Atom] = {leaf: (number, lambda _value: True) for number, leaf in enumerate(known)}
    places = set(data.draw(st.lists(st.sampled_from([leaf.field.name for leaf in known]))) if known else [])
    true = frozenset(
        number
        for number, leaf in enumerate(known)
        if leaf.field.name in places and to_predicate(leaf)(event)
        if not isinstance(leaf, Exists) or leaf.field.name in found
    )
    settling, left = Settling(node, atoms, LOGS), list[Check]()
    if settling.may_hold(true, places, left):
        check = settling.settled(left)
        assert (check is None or check(event, found)) == to_predicate(node)(event)
    else:
        assert not to_predicate(node)(event)


@pytest.mark.parametrize(
    ("attributes", "asked"),
    [
        ({"image": "c:\\x\\cmd.exe", "signed": "no"}, 0),  # it is another parent
        ({"image": "c:\\x\\cmd.exe", "parent": "c:\\word.exe", "company": "a"}, 0),
        ({"image": "c:\\x\\cmd.exe", "parent": "c:\\word.exe", "signed": "no"}, 1),  # what no index looks at is asked
        ({"image": "c:\\x\\cmd.exe", "parent": "c:\\word.exe", "company": {"name": "a"}}, 1),  # may be below
    ],
)
def test_what_values_say_already_is_not_asked(attributes: dict[str, object], asked: int) -> None:
    rules = [
        *(rule(number, f"@parent:*\\\\parent{number}.exe") for number in range(9)),
        *(rule(number, f"@company:company{number}") for number in range(10, 19)),
        rule(20, "@image:*\\\\cmd.exe @parent:*word.exe -@company:* -@signed:yes*"),
    ]
    matcher, event = Matcher(rules), Event("e", 0, attributes=attributes)
    for _ in range(2):
        assert [match.rule_id for match in matcher.match(event)] == plainly(rules, event)
    (remembered,) = matcher._segments[0]._memory.asked.values()
    assert len(remembered) == asked


def test_only_names_are_looked_for_beyond_what_finds_queries() -> None:
    nodes = [parse("@image:*cmd.exe @line:*word* -@line:*other*"), parse("@image:a* @line:text @other:x")]
    looked_for = settling_leaves(nodes, {"image", "line"})
    assert {leaf.field.name for leaf in looked_for if not isinstance(leaf, All)} == {"image"}
