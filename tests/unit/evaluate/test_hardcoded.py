"""The hardcoded method: a threshold over what was recognised, which says what that was."""

import orjson
from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st
from test_threshold import naive

from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.rule import HARDCODED, Rule, RuleCase, RuleOptions, RuleQuery

BASE = 1_767_225_600_000

RULE = Rule(
    id="aaa-bbb-ccc",
    name="Log4Shell",
    message="",
    queries=(RuleQuery("a", "*"),),
    cases=(RuleCase("high", "a > 2"), RuleCase("low", "a > 0")),
    options=RuleOptions(HARDCODED, evaluation_window=60, keep_alive=60, max_signal_duration=300),
)


def row(second: float, name: str = "x") -> MatchRow:
    timestamp = BASE + round(second * 1000)
    found = orjson.dumps({"attribute": "message", "lookup": f"${{jndi:ldap://{name}}}"}).decode()
    return MatchRow(timestamp, f"e{timestamp}{name}", (), 0, found)


def test_the_signal_shows_what_opened_it_and_what_raised_its_severity() -> None:
    (signal,) = decide(plan(RULE), [row(0, "first"), row(10, "second")])
    assert signal.facts == {"log4shell": {"attribute": "message", "lookup": "${jndi:ldap://first}"}}
    (signal,) = decide(plan(RULE), [row(0, "first"), row(10, "second"), row(20, "third"), row(25, "fourth")])
    assert signal.verdict.case_index == 0
    assert signal.facts["log4shell"]["lookup"] == "${jndi:ldap://third}"


def view(decision: Decision) -> tuple[str, int, int, int]:
    return (decision.opened_by, decision.timestamp, decision.last_hit, decision.verdict.case_index)


@settings(max_examples=60)
@given(st.lists(st.builds(row, st.integers(0, 400), st.sampled_from("xyz")), min_size=1, max_size=12), st.data())
def test_it_agrees_with_a_plain_count(rows: list[MatchRow], data: st.DataObject) -> None:
    agrees(
        plan(RULE),
        rows,
        data,
        lambda ordered: [(one.opened_by, one.timestamp, one.last_hit, one.case) for one in naive(RULE, ordered)],
        view,
    )
