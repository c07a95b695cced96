"""A matcher whose rules change finds what one made anew finds."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.match import Matcher
from tocsin.rule import Rule, RuleCase, RuleQuery

QUERIES = [
    "@a:x", "@a:(x OR y)", "-@a:x", "*:word", "@b:>3 -*:word", "*", "word", "ANYCASE(@a, X*)", "ANYCASE(*, *OR*)",
    'REGEX(@a, "^[xy]$")', "-(*:word @a:x)", "message:*w* @a:*", "source:s *:word",
]  # fmt: skip

rules_of = st.dictionaries(
    st.sampled_from([f"r{number}" for number in range(8)]),
    st.tuples(st.sampled_from(QUERIES), st.booleans()),
    max_size=8,
)
events = st.builds(
    Event,
    id=st.just("e"),
    timestamp=st.just(0),
    message=st.sampled_from(["", "a word", "sword"]),
    source=st.sampled_from([None, "s"]),
    attributes=st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["x", "y", "X", "word", 4, 2, True, ["x", "Word"]]),
        max_size=3,
    ),
)


def made(drawn: dict[str, tuple[str, bool]]) -> list[Rule]:
    return [
        Rule(rule_id, rule_id, "", (RuleQuery("a", query),), (RuleCase("low", "a > 0"),), is_enabled=is_enabled)
        for rule_id, (query, is_enabled) in drawn.items()
    ]


@settings(max_examples=30)
@given(st.lists(rules_of, min_size=1, max_size=4), st.lists(events, min_size=1, max_size=4))
def test_changed_and_made_anew_agree(versions: list[dict[str, tuple[str, bool]]], seen: list[Event]) -> None:
    matcher = Matcher(made(versions[0]))
    for drawn in versions:
        rules = made(drawn)
        matcher = matcher.with_rules(rules)
        for event in (*seen, *seen):
            assert matcher.match(event) == Matcher(rules).match(event)


def test_what_is_unchanged_is_not_compiled_again() -> None:
    rules = made({f"r{number}": (f"@a:x{number}", True) for number in range(200)})
    matcher = Matcher(rules)
    changed = [replace(rules[0], version=2, queries=(RuleQuery("a", "@a:new"),)), *rules[1:]]
    after = matcher.with_rules(changed)
    assert [match.rule_version for match in after.match(Event("e", 0, attributes={"a": "new"}))] == [2]
    assert after.match(Event("e", 0, attributes={"a": "x0"})) == []
    assert [match.rule_id for match in matcher.match(Event("e", 0, attributes={"a": "x0"}))] == ["r0"], "the old stays"
    assert len(after._segments) == 2
    assert len(after._segments[1].rules) == 1
    assert len(matcher.with_rules([])._segments) == 1


def test_full_text_of_rules_for_all_events_is_compiled_before_the_first() -> None:
    rules = made({"r0": ("*:word", True), "r1": ("@a:x", True)})
    matcher = Matcher(rules)
    compiled = dict(matcher._segments[0]._memory.full_texts)
    assert len(compiled) == 1
    changed = matcher.with_rules([rules[0]])
    assert [match.rule_id for match in changed.match(Event("e", 0, message="a word"))] == ["r0"]
    assert changed._segments[0]._memory.full_texts == compiled, "nor anew when another rule changes"
