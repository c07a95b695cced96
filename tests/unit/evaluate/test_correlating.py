"""Correlation, whatever becomes of the signals that it reads: they come late, grow, are repeated and are superseded,
and what is concluded in the end is what a plain count over those that remain concludes."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from agreement import Live
from hypothesis import given, settings
from hypothesis import strategies as st
from test_threshold import naive

from tocsin.evaluate.correlation import as_member, cycle, source_rules
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.rule import Rule
from tocsin.rules.shape import rule_from_api

BASE = 1_767_225_600_000

BOTH = rule_from_api(
    {
        "type": "signal_correlation",
        "name": "Both",
        "message": "",
        "queries": [
            {"ruleId": f"aaa-aaa-00{i}", "aggregation": "event_count", "correlatedByFields": ["@usr.id"], "name": name}
            for i, name in enumerate("ab")
        ],
        "cases": [
            {"status": "high", "condition": "a > 1 && b > 0"},
            {"status": "low", "condition": "b > 1"},
        ],
        "options": {"evaluationWindow": 60, "keepAlive": 60, "maxSignalDuration": 300},
    },
    rule_id="ccc-ccc-ccc",
)

THEN = replace(BOTH, cases=(replace(BOTH.cases[0], condition="a > 0 then b > 0"),))


class Correlating(Live):
    """One group of correlation. Its matches are what the signals are at the moment; nothing else is remembered."""

    def reconsider(self, changed: list[MatchRow]) -> None:
        """Some signals are not what they were: the group is read again from the earliest on."""
        self._group = self._built(min(row.timestamp for row in changed))
        outcome = self._group.outcome()
        self._store(outcome)
        self._group.accept(
            outcome,
            {decision.opened_by: f"{decision.timestamp}-{decision.opened_by}" for decision in outcome.decisions},
        )


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, MatchRow]]:
    """What happens to signals, in the order in which it becomes known: `is` (new, or written again) and `gone`."""
    steps: list[tuple[str, MatchRow]] = []
    for number in range(draw(st.integers(1, 9))):
        second = draw(st.integers(0, 200))
        row = MatchRow(BASE + second * 1000, f"signal{number}", ("bob",), draw(st.integers(0, 1)))
        steps.append(("is", row))
        if draw(st.booleans()):
            steps.append(("is", row))
        if draw(st.integers(0, 2)) == 0:
            steps.append(("gone", row))
            if draw(st.booleans()):  # its heir: another id, a little earlier
                steps.append(("is", row._replace(timestamp=row.timestamp - 1000, event_id=f"heir{number}")))
    order = draw(st.permutations(range(len(steps))))
    of_signal: dict[str, list[int]] = {}
    for place in sorted(order):
        of_signal.setdefault(steps[place][1].event_id.removeprefix("heir").removeprefix("signal"), []).append(place)
    # Signals come in any order, but each lives its own life forwards.
    queues = {name: iter(places) for name, places in of_signal.items()}
    names = [steps[place][1].event_id.removeprefix("heir").removeprefix("signal") for place in order]
    return [steps[next(queues[name])] for name in names]


def summary(decision: Decision) -> tuple[str, int, int, int]:
    return (decision.opened_by, decision.timestamp, decision.last_hit, decision.verdict.case_index)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([BOTH, THEN]), lives(), st.data())
def test_correlation_agrees_whatever_becomes_of_the_signals(
    rule: Rule, steps: list[tuple[str, MatchRow]], data: st.DataObject
) -> None:
    live = Correlating(plan(rule))
    waiting: list[MatchRow] = []
    for what, row in steps:
        if what == "is":
            live.matches.add(row)
        else:
            live.matches.discard(row)
        waiting.append(row)
        # A batch may hold several changes; one that was decided when the process died is decided again.
        if data.draw(st.booleans()):
            live.reconsider(waiting)
            waiting = waiting if data.draw(st.integers(0, 3)) == 0 else []
    if waiting:
        live.reconsider(waiting)
    found = sorted(summary(decision) for decision in live.signals.values())
    assert found == sorted(map(summary, decide(plan(rule), live.matches)))
    if rule is BOTH:
        plain = naive(rule, sorted(live.matches, key=position))
        assert found == sorted((one.opened_by, one.timestamp, one.last_hit, one.case) for one in plain)


@given(st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef"), max_size=3)))
def test_a_cycle_is_found_where_there_is_one(sources: Mapping[str, frozenset[str]]) -> None:
    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(sources.get(start, ()))
        while waiting:
            if (name := waiting.pop()) not in found:
                found.add(name)
                waiting += sources.get(name, ())
        return found

    for name in "abcdef":
        path = cycle(name, sources)
        assert bool(path) == (name in reachable(name))
        if path:
            assert path[0] == path[-1] == name
            assert all(below in sources[above] for above, below in pairwise(path))


def test_sources_are_what_queries_name() -> None:
    assert source_rules(BOTH) == {"aaa-aaa-000", "aaa-aaa-001"}


def test_a_member_shows_what_it_is_found_by_and_where_its_events_agree() -> None:
    custom = {
        "usr": {"id": ["bob", "eve"], "role": ["a", "b"], "team": "red"},
        "n": [1, 2],
        "vpc": {"id": ["v1", "v2"]},
        "groupByPaths": ["@vpc.id"],
        "groupByValues": {"@vpc.id": ["v1", "v2"]},
        "threat_intel": {"results": {"indicator": ["x", "y"]}},
        "queries": [{"aggregationDetails": {"eventsCount": 5}}],
        "discovery_timestamp": 5,
        "workflow": {"rule": {"id": "r"}, "events_matched": 5, "triage": {"state": "open"}},
    }
    assert as_member(custom) == {
        "usr": {"id": ["bob", "eve"], "team": "red"},
        "vpc": {"id": ["v1", "v2"]},
        "groupByPaths": ["@vpc.id"],
        "groupByValues": {"@vpc.id": ["v1", "v2"]},
        "threat_intel": {"results": {"indicator": ["x", "y"]}},
        "workflow": {"rule": {"id": "r"}},
    }
