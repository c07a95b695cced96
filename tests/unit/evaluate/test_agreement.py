"""The threshold method through kills, lateness and repetition; other methods do the same in their own files."""

from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st
from test_threshold import matches, matches_and_runs, naive, of_scope, rules, scheduled

from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.threshold import plan
from tocsin.rule import Rule


@settings(max_examples=35, deadline=None)
@given(rules(), matches(), st.data())
def test_threshold_agrees_whatever_happens(a_rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    agrees_with_naive(a_rule, of_scope(a_rule, rows), data)


@settings(max_examples=25, deadline=None)
@given(scheduled(), matches_and_runs(), st.data())
def test_ends_of_runs_agree_whatever_happens(a_rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    agrees_with_naive(a_rule, rows, data)


def agrees_with_naive(a_rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    def reference(rows: list[MatchRow]) -> list[tuple[str, int, int, int]]:
        return [(found.opened_by, found.timestamp, found.last_hit, found.case) for found in naive(a_rule, rows)]

    def view(decision: Decision) -> tuple[str, int, int, int]:
        return (decision.opened_by, decision.timestamp, decision.last_hit, decision.verdict.case_index)

    agrees(plan(a_rule), rows, data, reference, view)
