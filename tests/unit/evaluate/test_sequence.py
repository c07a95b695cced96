"""Sequences: examples of siem.md §2.19, and the plain definition that holds it."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from agreement import Live, agrees
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import MatchRow, position
from tocsin.evaluate.method import decide
from tocsin.evaluate.sequence import MAX_PARTIALS, SequenceError, plan
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery

MINUTE = 60_000
BORN = 1_767_225_600_000

USER = ("@usr.id",)
MAIL, IP = ("@usr.email",), ("@network.client.ip",)


def steps_rule(
    *steps: tuple[str, int],
    waits: tuple[int, ...] = (3600,),
    fields: tuple[tuple[str, ...], ...] = (USER, USER, USER),
    keep_alive: int = 0,
    case: str | None = None,
    **changes: Any,
) -> Rule:
    """Steps are (condition over a, b, c, window in seconds); the queries a, b, c group by `fields`."""
    names = [f"step_{number}" for number in range(len(steps))]
    transitions = [
        {"parent": parent, "child": child, "evaluationWindow": wait}
        for parent, child, wait in zip(names, names[1:], waits, strict=False)
    ]
    return Rule(
        id="aaa-bbb-ccc",
        name="One after the other",
        message="",
        queries=changes.pop("queries", None)
        or tuple(RuleQuery(label, "*", group_by_fields=of) for label, of in zip("abc", fields, strict=True)),
        cases=(RuleCase("high", case if case is not None else f"{names[-1]} > 0"),),
        options=RuleOptions(
            detection_method="sequence_detection",
            evaluation_window=0,
            keep_alive=keep_alive,
            max_signal_duration=keep_alive,
            method_options={
                "sequenceDetectionOptions": {
                    "steps": [
                        {"name": name, "condition": condition, "evaluationWindow": window}
                        for name, (condition, window) in zip(names, steps, strict=True)
                    ],
                    "stepTransitions": transitions,
                }
            },
        ),
        **changes,
    )


def at(minute: float, query: str, group: tuple[str, ...] = ("bob",), **links: list[str]) -> MatchRow:
    timestamp = BORN + round(minute * MINUTE)
    text = json.dumps({name.replace("_", "."): values for name, values in links.items()}) if links else None
    if text:
        text = text.replace('"usr', '"@usr').replace('"network', '"@network')
    return MatchRow(timestamp, f"e{timestamp:015d}{query}", group, "abc".index(query), text)


def fired(rule: Rule, *rows: MatchRow) -> list[float]:
    return [(signal.timestamp - BORN) / MINUTE for signal in decide(plan(rule), rows)]


def test_one_step_after_another() -> None:
    rule = steps_rule(("a > 2", 300), ("b > 0", 300))
    tries = [at(minute, "a") for minute in (0, 1, 2)]
    assert fired(rule, *tries) == []
    assert fired(rule, at(-1, "b"), *tries) == []
    assert fired(rule, *tries, at(30, "b")) == [30]
    assert fired(rule, *tries, at(62, "b")) == [62]
    assert fired(rule, *tries, at(62.1, "b")) == []


def test_the_window_of_a_step_is_where_its_queries_meet() -> None:
    rule = steps_rule(("a > 0 && b > 0", 300), ("c > 1", 600))
    assert fired(rule, at(0, "a"), at(5, "b"), at(6, "c"), at(7, "c")) == []
    rows = [at(0, "a"), at(4.9, "b"), at(6, "c"), at(7, "c")]
    assert fired(rule, *rows) == [7]
    assert fired(rule, at(0, "a"), at(4.9, "b"), at(6, "c"), at(16, "c")) == []
    either = steps_rule(("a > 0 || b > 1", 300), ("c > 0", 0))
    assert fired(either, at(0, "b"), at(1, "c"), at(2, "b"), at(3, "c")) == [3]


def test_a_later_step_counts_only_what_came_after_its_parent() -> None:
    rule = steps_rule(("a > 0", 0), ("b > 1", 3600))
    assert fired(rule, at(0, "b"), at(1, "a"), at(2, "b")) == []
    assert fired(rule, at(0, "b"), at(1, "a"), at(2, "b"), at(3, "b")) == [3]


def test_three_steps() -> None:
    rule = steps_rule(("a > 0", 0), ("b > 0", 0), ("c > 0", 0), waits=(600, 300))
    assert fired(rule, at(0, "a"), at(9, "b"), at(14, "c")) == [14]
    assert fired(rule, at(0, "a"), at(9, "b"), at(14.1, "c")) == []
    assert fired(rule, at(0, "a"), at(1, "c"), at(2, "b")) == []


def test_a_later_parent_restarts_the_wait_and_the_earlier_one_is_kept() -> None:
    rule = steps_rule(("a > 0", 0), ("b > 1", 3600), waits=(600,))
    rows = [at(0, "a"), at(1, "b"), at(5, "a")]
    assert fired(rule, *rows, at(9, "b")) == [9]
    assert fired(rule, *rows, at(11, "b")) == []
    assert fired(rule, *rows, at(11, "b"), at(12, "b")) == [12]


def test_twenty_parents_wait_and_the_oldest_gives_way() -> None:
    rule = steps_rule(("a > 0", 0), ("b > 1", 3600))
    parents = [at(2 + number, "a") for number in range(MAX_PARTIALS - 1)]
    rows = [at(0, "a"), at(1, "b"), *parents]
    assert fired(rule, *rows, at(40, "b")) == [40]
    assert fired(rule, *rows, at(39, "a"), at(40, "b")) == []


def test_a_signal_lives_and_shows_its_steps() -> None:
    rule = steps_rule(("a > 1", 300), ("b > 0", 300), keep_alive=3600)
    (signal,) = decide(plan(rule), [at(0, "a"), at(1, "a"), at(2, "b"), at(3, "b"), at(50, "c")])
    assert (signal.hits, signal.events_matched) == (2, 4)
    assert (signal.first_seen, signal.timestamp, signal.last_seen) == (BORN, BORN + 2 * MINUTE, BORN + 3 * MINUTE)
    assert [evidence.events for evidence in signal.queries] == [2, 2, 0]
    assert signal.facts == {"sequence": {"steps": ["step_0", "step_1"]}}
    assert signal.closes_at == BORN + 62 * MINUTE + 1


def test_users_do_not_mix() -> None:
    rule = steps_rule(("a > 0", 0), ("b > 0", 0), group_signals_by=(), keep_alive=0)
    merged = replace(
        rule,
        queries=tuple(replace(query, group_by_fields=("@org", "@usr.id")) for query in rule.queries),
        group_signals_by=("@org",),
    )
    rows = [at(0, "a", ("o", "ana")), at(1, "b", ("o", "bob"))]
    assert decide(plan(merged), rows) == []
    (signal,) = decide(plan(merged), [*rows, at(2, "b", ("o", "ana"))])
    assert (signal.group, signal.groups) == (("o",), (("o", "ana"),))


# Steps that group by different fields


def linked(**changes: Any) -> Rule:
    return steps_rule(("a > 0", 0), ("b > 0", 0), fields=(MAIL, IP, USER), **changes)


def test_the_event_that_completes_the_parent_hands_on_the_value() -> None:
    first = at(0, "a", ("ana@x",), network_client_ip=["10.0.0.1"])
    assert fired(linked(), first, at(1, "b", ("10.0.0.2",))) == []
    assert fired(linked(), at(0, "a", ("ana@x",)), at(1, "b", ("10.0.0.1",))) == []
    (signal,) = decide(plan(linked()), [first, at(1, "b", ("10.0.0.1",))])
    assert plan(linked()).group_by(signal) == ("@usr.email", "@network.client.ip")
    assert (signal.group, signal.groups) == ((), (("ana@x", "10.0.0.1"),))
    assert signal.events_matched == 2


def test_every_value_that_it_carries_is_waited_for() -> None:
    first = at(0, "a", ("ana@x",), network_client_ip=["10.0.0.1", "10.0.0.2"])
    assert fired(linked(), first, at(1, "b", ("10.0.0.2",)), at(2, "b", ("10.0.0.1",))) == [1, 2]


def test_each_combination_has_signals_of_its_own() -> None:
    rows = [
        at(0, "a", ("ana@x",), network_client_ip=["10.0.0.1"]),
        at(0.1, "a", ("bob@x",), network_client_ip=["10.0.0.2"]),
        at(1, "b", ("10.0.0.1",)),
        at(2, "b", ("10.0.0.2",)),
        at(3, "b", ("10.0.0.1",)),
    ]
    signals = decide(plan(linked(keep_alive=3600)), rows)
    assert [(signal.groups, signal.hits) for signal in signals] == [
        ((("ana@x", "10.0.0.1"),), 2),
        ((("bob@x", "10.0.0.2"),), 1),
    ]


def test_two_accounts_at_one_event_are_one_signal() -> None:
    rows = [
        at(0, "a", ("ana@x",), network_client_ip=["10.0.0.1"]),
        at(0.1, "a", ("bob@x",), network_client_ip=["10.0.0.1"]),
        at(1, "b", ("10.0.0.1",)),
    ]
    (signal,) = decide(plan(linked(keep_alive=3600)), rows)
    assert set(signal.groups) == {("ana@x", "10.0.0.1"), ("bob@x", "10.0.0.1")}
    assert signal.events_matched == 3


def test_a_value_is_carried_over_a_step_that_does_not_know_it() -> None:
    rule = steps_rule(("a > 0", 0), ("b > 0", 0), ("c > 0", 0), fields=(MAIL, IP, MAIL), waits=(600, 600))
    rows = [at(0, "a", ("ana@x",), network_client_ip=["10.0.0.1"]), at(1, "b", ("10.0.0.1",))]
    assert fired(rule, *rows, at(2, "c", ("bob@x",))) == []
    assert fired(rule, *rows, at(2, "c", ("ana@x",))) == [2]


# What is refused


def changed(**options: Any) -> Rule:
    rule = steps_rule(("a > 0", 300), ("b > 0", 300))
    given = {**rule.options.method_options["sequenceDetectionOptions"], **options}
    return replace(rule, options=replace(rule.options, method_options={"sequenceDetectionOptions": given}))


A = {"name": "one", "condition": "a > 0", "evaluationWindow": 0}
B = {"name": "two", "condition": "b > 0", "evaluationWindow": 0}
C = {"name": "three", "condition": "c > 0", "evaluationWindow": 0}


@pytest.mark.parametrize(
    ("rule", "target", "said"),
    [
        (changed(steps=[A]), "steps", "2 to 10 steps, 1 given"),
        (changed(steps=[{**A, "name": " "}, B]), "steps[0].name", "needs a name"),
        (changed(steps=[A, {**B, "condition": ""}]), "steps[1].condition", "as in a > 0"),
        (changed(steps=[A, {**B, "condition": "x > 0"}]), "steps[1].condition", "no query is labelled 'x'"),
        (changed(steps=[A, {**B, "condition": "b >"}]), "steps[1].condition", "expected a number"),
        (changed(steps=[A, {**B, "condition": "a > 0 then b > 0"}]), "steps[1].condition", "make two steps"),
        (changed(steps=[A, {**B, "name": "one"}]), "steps[1].name", "Two steps are named 'one'"),
        (changed(steps=[A, B], stepTransitions=[]), "stepTransitions", "need 1 transitions"),
        (
            changed(steps=[A, B], stepTransitions=[{"parent": "one", "child": "x"}]),
            "stepTransitions[0].child",
            "there are one, two",
        ),
        (
            changed(
                steps=[A, B, C],
                stepTransitions=[{"parent": "one", "child": "two"}, {"parent": "one", "child": "three"}],
            ),
            "stepTransitions[1]",
            "'one' stands in two",
        ),
        (
            changed(steps=[A, B], stepTransitions=[{"parent": "one", "child": "one"}]),
            "stepTransitions",
            "need 1 transitions",
        ),
        (
            changed(steps=[A, B], stepTransitions=[{"parent": "one", "child": "two", "evaluationWindow": 86_401}]),
            "",
            "86401 s, 86400 are allowed",
        ),
        (
            steps_rule(("a > 0 && b > 0", 60), ("c > 0", 0), fields=(MAIL, IP, USER)),
            "steps[0].condition",
            "must group by the same fields",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(rule: Rule, target: str, said: str) -> None:
    with pytest.raises(SequenceError) as raised:
        plan(rule)
    assert raised.value.target.removeprefix("options.sequenceDetectionOptions").removeprefix(".") == target
    assert said in str(raised.value)


@pytest.mark.parametrize("case", ["step_0 > 0", "step_1 > 3", "", "step_1 > 0 && step_0 > 0", "step_1"])
def test_the_case_names_the_last_step(case: str) -> None:
    with pytest.raises(SequenceError, match="write step_1 > 0") as raised:
        plan(steps_rule(("a > 0", 60), ("b > 0", 60), case=case))
    assert raised.value.target == "cases[0].condition"


def test_a_count_of_values_cannot_hand_on_others() -> None:
    queries = (
        RuleQuery("a", "*", aggregation="cardinality", group_by_fields=MAIL, distinct_fields=("@x",)),
        RuleQuery("b", "*", group_by_fields=IP),
    )
    with pytest.raises(BadRequest, match="cannot hand on"):
        plan(steps_rule(("a > 2", 60), ("b > 0", 0), queries=queries))


# The plain definition


@dataclass(frozen=True)
class Completed:
    order: tuple[int, str]
    bound: tuple[tuple[str, str], ...]


def plainly(rule: Rule, rows: list[MatchRow]) -> list[str]:
    """The events at which the last step completes, by the words of the specification; queries count events."""
    prepared = plan(rule)
    waiting: list[tuple[tuple[str, ...], Completed]] = []
    for number, step in enumerate(prepared.steps):
        own = [row for row in rows if row.query_index in step.queries and len(row.group) == len(step.fields)]
        completed: list[tuple[Completed, list[MatchRow]]] = []
        for order, group in sorted({(position(row), row.group) for row in own}):
            parents = [parent for key, parent in waiting if key == group and parent.order < order][-MAX_PARTIALS:]
            if number == 0:
                parents = [Completed((-(10**15), ""), tuple(zip(step.fields, group, strict=True)))]
            of_event = [row for row in rows if position(row) == order and row.group == group]
            told = set()
            for parent in reversed(parents):
                if number and not 0 < order[0] - parent.order[0] <= step.wait_ms:
                    continue
                inside = [
                    row
                    for row in own
                    if row.group == group
                    and (
                        order[0] - step.window_ms < row.timestamp and position(row) <= order
                        if step.window_ms
                        else position(row) == order
                    )
                    and (number == 0 or row.timestamp > parent.order[0])
                ]
                values = {
                    query.label: float(len({position(row) for row in inside if row.query_index == index}))
                    for index, query in enumerate(rule.queries)
                }
                if parent.bound not in told and step.condition.holds(values):
                    told.add(parent.bound)
                    completed.append((Completed(order, parent.bound), of_event))
        if number == len(prepared.steps) - 1:
            return sorted({done.order[1] for done, _ in completed}, key=lambda name: name)
        waiting = []
        child = prepared.steps[number + 1]
        for done, of_event in completed:
            keys: list[tuple[str, ...]] = [()]
            for field in child.fields:
                known = dict(done.bound).get(field)
                carried = [value for row in of_event for value in json.loads(row.distinct or "{}").get(field, [])]
                keys = [(*key, value) for key in keys for value in ([known] if known else dict.fromkeys(carried))]
            for key in keys:
                bound = tuple({**dict(done.bound), **dict(zip(child.fields, key, strict=True))}.items())
                waiting.append((key, Completed(done.order, bound)))
    return []


@st.composite
def streams(draw: st.DrawFn, *, is_linked: bool) -> list[MatchRow]:
    minutes = 0.0
    rows: list[MatchRow] = []
    for number in range(draw(st.integers(1, 22))):
        minutes += draw(st.sampled_from((0, 0, 1, 2, 4, 5, 9)))
        timestamp = BORN + round(minutes * MINUTE)
        name = f"e{timestamp}-{draw(st.integers(0, 9))}-{number:02d}"
        mail = draw(st.sampled_from(("ana", "bob")))
        ips = draw(st.lists(st.sampled_from(("i1", "i2")), unique=True, max_size=2))
        for query in draw(st.sets(st.sampled_from((0, 1, 2)), min_size=1, max_size=2)):
            if not is_linked:
                rows.append(MatchRow(timestamp, name, ("bob",), query))
            elif query == 1:
                link = json.dumps({"@usr.email": [mail]})
                rows += [MatchRow(timestamp, name, (ip,), query, link) for ip in ips]
            else:
                rows.append(MatchRow(timestamp, name, (mail,), query, json.dumps({"@network.client.ip": ips})))
    return rows


conditions = st.sampled_from(("{} > 0", "{} > 1", "{} >= 2", "{} > 0 && {} < 3"))
windows = st.sampled_from((0, 60, 300, 600))


@st.composite
def chains(draw: st.DrawFn, *, is_linked: bool, keep_alive: int = 0) -> Rule:
    conditions_of = [
        (draw(conditions).format(label, label) if draw(st.booleans()) or is_linked else "a > 0 || b > 1", draw(windows))
        for label in "abc"[: draw(st.integers(2, 3))]
    ]
    waits = (draw(st.sampled_from((60, 300, 600))), draw(st.sampled_from((60, 300))))
    fields = (MAIL, IP, MAIL) if is_linked else (USER, USER, USER)
    return steps_rule(*conditions_of, waits=waits, fields=fields, keep_alive=keep_alive)


@settings(max_examples=20, deadline=None)
@given(chains(is_linked=False), streams(is_linked=False), st.data())
def test_agrees_with_the_definition_whatever_happens(rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    agrees(plan(rule), rows, data, lambda ordered: plainly(rule, ordered), lambda signal: signal.opened_by)


@settings(max_examples=20, deadline=None)
@given(chains(is_linked=True), streams(is_linked=True), st.data())
def test_linked_steps_agree_with_the_definition(rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    agrees(plan(rule), rows, data, lambda ordered: plainly(rule, ordered), lambda signal: signal.opened_by)


@settings(max_examples=10, deadline=None)
@given(chains(is_linked=False, keep_alive=600), streams(is_linked=False), st.data())
def test_agrees_while_signals_live(rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    agrees(plan(rule), rows, data)


@settings(max_examples=20, deadline=None)
@given(chains(is_linked=True, keep_alive=600), streams(is_linked=True), st.data())
def test_signals_that_overlap_agree(rule: Rule, rows: list[MatchRow], data: st.DataObject) -> None:
    agrees(plan(rule), rows, data)


def test_a_restart_reaches_back_to_every_signal_that_is_open() -> None:
    """The second signal opens while the first is open, and takes in an event when the first is closed."""
    prepared = plan(linked(keep_alive=600))
    live = Live(prepared)
    live.receive(
        [
            at(0, "a", ("ana@x",), network_client_ip=["10.0.0.1"]),
            at(1, "b", ("10.0.0.1",)),
            at(8, "a", ("bob@x",), network_client_ip=["10.0.0.2"]),
            at(9, "b", ("10.0.0.2",)),
            at(9.5, "b", ("10.0.0.1",)),
        ]
    )
    live.kill()
    live.receive([at(12, "b", ("10.0.0.2",))])
    assert sorted(live.signals.values(), key=lambda signal: signal.timestamp) == decide(prepared, live.matches)
    assert len(live.signals) == 2
