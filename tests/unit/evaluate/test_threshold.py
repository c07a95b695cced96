"""The threshold method: examples of each rule of siem.md §2.5–2.13, and the naive reference that holds it."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate import methods
from tocsin.evaluate.condition import parse_condition
from tocsin.evaluate.decision import NO_QUERY, Decision, MatchRow, look
from tocsin.evaluate.method import decide
from tocsin.evaluate.threshold import plan
from tocsin.rule import SEVERITIES, Rule, RuleCase, RuleOptions, RuleQuery, Schedule

SECOND = 1000
MINUTE = 60 * SECOND


def rule(
    *cases: tuple[str, str],
    window: int = 300,
    keep_alive: int = 300,
    maximum: int = 3600,
    queries: tuple[RuleQuery, ...] = (RuleQuery("a", "*", group_by_fields=("@usr.id",)),),
    group_signals_by: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        id="aaa-bbb-ccc",
        name="Test",
        message="",
        queries=queries,
        cases=tuple(RuleCase(status, condition) for status, condition in cases),
        options=RuleOptions(evaluation_window=window, keep_alive=keep_alive, max_signal_duration=maximum),
        group_signals_by=group_signals_by,
    )


def query(label: str, aggregation: str = "count", group: tuple[str, ...] = ("@usr.id",)) -> RuleQuery:
    return RuleQuery(label, "*", aggregation=aggregation, group_by_fields=group)


def at(second: float, query_index: int = 0, group: tuple[str, ...] = ("bob",), **more: Any) -> MatchRow:
    """A match at this second; its event id follows the time unless one is given."""
    timestamp = round(second * SECOND)
    return MatchRow(timestamp, more.pop("id", f"e{timestamp:09d}"), group, query_index, **more)


def signals(a_rule: Rule, rows: list[MatchRow]) -> list[Decision]:
    return decide(plan(a_rule), rows)


# The life of a signal


def test_opens_at_the_event_that_fulfils_the_case() -> None:
    (signal,) = signals(rule(("high", "a > 2")), [at(1), at(2), at(3), at(4)])
    assert signal.timestamp == 3 * SECOND
    assert signal.opened_by == "e000003000"
    assert (signal.first_seen, signal.last_seen) == (1 * SECOND, 4 * SECOND)
    assert (signal.events_matched, signal.hits) == (4, 2)
    assert signal.closes_at == 304 * SECOND
    assert signal.verdict.values == (3.0,)


def test_window_is_open_on_the_left() -> None:
    assert signals(rule(("high", "a >= 2"), window=60), [at(0), at(60)]) == []
    assert len(signals(rule(("high", "a >= 2"), window=60), [at(0.001), at(60)])) == 1


def test_window_zero_sees_only_the_event() -> None:
    both = (query("a"), query("b"))
    instant = rule(("high", "a > 0 && b > 0"), window=0, queries=both)
    assert signals(instant, [at(1, 0), at(1, 1, id="other"), at(2, 1)]) == []
    (signal,) = signals(instant, [at(1, 0, id="x"), at(1, 1, id="x")])
    assert signal.events_matched == 1
    assert [evidence.events for evidence in signal.queries] == [1, 1]


def test_keep_alive_closes_and_the_next_hit_opens_another() -> None:
    found = signals(rule(("low", "a > 0"), window=60, keep_alive=60), [at(0), at(59.999), at(119.999), at(200)])
    assert [signal.timestamp for signal in found] == [0, 119_999, 200_000]
    assert [signal.events_matched for signal in found] == [2, 1, 1]


def test_keep_alive_zero_makes_every_hit_a_signal() -> None:
    found = signals(
        rule(("low", "a > 0"), window=0, keep_alive=0, maximum=0), [at(1, id="x"), at(1, id="y"), at(2), at(3)]
    )
    assert [signal.opened_by for signal in found] == ["x", "y", "e000002000", "e000003000"]


def test_maximum_duration_closes_though_matches_go_on() -> None:
    found = signals(
        rule(("low", "a > 0"), window=60, keep_alive=60, maximum=300), [at(0.5 + s) for s in range(0, 700, 30)]
    )
    # first_seen is cut to the whole second 0, so 300.5 is later than its 300 s. The second signal's window reaches back
    # to 270.5, which it counts from.
    assert [signal.timestamp for signal in found] == [500, 300_500, 570_500]
    assert [signal.first_seen for signal in found] == [500, 270_500, 540_500]


def test_signal_after_the_maximum_keeps_the_evidence_of_its_own_window() -> None:
    found = signals(
        rule(("low", "a >= 2"), window=60, keep_alive=60, maximum=60), [at(s) for s in (0, 20, 40, 60, 80, 100)]
    )
    assert [(signal.timestamp, signal.first_seen) for signal in found] == [(20_000, 0), (80_000, 40_000)]
    assert [signal.events_matched for signal in found] == [4, 4]


def test_events_between_hits_are_evidence_only_if_a_later_hit_has_them_in_its_window() -> None:
    burst = [at(s) for s in (0, 1, 2)]
    (signal,) = signals(rule(("low", "a > 2"), window=60, keep_alive=300), [*burst, at(100), at(200), at(201), at(202)])
    assert signal.events_matched == 6
    assert signal.last_seen == 202 * SECOND


def test_severity_only_rises_and_each_rise_is_recorded() -> None:
    (signal,) = signals(
        rule(("high", "a >= 3"), ("low", "a >= 1"), window=60, keep_alive=300),
        [at(0), at(1), at(2), at(200), at(210)],
    )
    assert [(verdict.case_index, verdict.timestamp) for verdict in signal.verdicts] == [(1, 0), (0, 2 * SECOND)]


def test_equal_severity_keeps_the_first_case() -> None:
    (signal,) = signals(rule(("high", "a >= 3"), ("high", "a >= 1")), [at(0), at(1), at(2)])
    assert [verdict.case_index for verdict in signal.verdicts] == [1]


def test_first_case_that_holds_decides_whatever_its_severity() -> None:
    (signal,) = signals(rule(("low", "a >= 1"), ("critical", "a >= 1")), [at(0)])
    assert signal.verdict.case_index == 0


def test_custom_status_is_the_severity() -> None:
    a_rule = rule(("info", "a >= 2"), ("low", "a >= 1"))
    a_rule = replace(a_rule, cases=(replace(a_rule.cases[0], custom_status="critical"), a_rule.cases[1]))
    (signal,) = signals(a_rule, [at(0), at(1)])
    assert [verdict.case_index for verdict in signal.verdicts] == [1, 0]


# Groups and joins


def test_brute_force_fires_only_for_the_user_who_has_both() -> None:
    brute = rule(
        ("critical", "failed > 5 && ok > 0"),
        ("medium", "failed > 5"),
        queries=(query("failed"), query("ok")),
    )
    rows = [at(s, 0, ("bob",)) for s in range(6)] + [at(9, 1, ("bob",))]
    rows += [at(s, 0, ("eve",)) for s in range(6)] + [at(9, 1, ("ann",))]
    found = {
        group: signals(brute, [row for row in rows if row.group == group]) for group in {row.group for row in rows}
    }
    assert [verdict.case_index for verdict in found[("bob",)][0].verdicts] == [1, 0]
    assert [verdict.case_index for verdict in found[("eve",)][0].verdicts] == [1]
    assert found[("ann",)] == []


def test_absent_query_counts_zero() -> None:
    quiet = rule(("high", "a > 1 && b < 1"), queries=(query("a"), query("b")))
    assert len(signals(quiet, [at(0), at(1)])) == 1
    assert signals(quiet, [at(0), at(0.5, 1), at(1)]) == []


def test_maximum_of_nothing_has_no_value() -> None:
    limited = rule(("high", "a > 0 && b < 10"), queries=(query("a"), query("b", "max")))
    assert signals(limited, [at(0)]) == []
    assert len(signals(limited, [at(0, 1, value=3.0), at(1)])) == 1


def test_query_with_other_group_by_fields_never_joins() -> None:
    odd = rule(("high", "a > 0 && b < 1"), queries=(query("a"), query("b", group=())))
    assert signals(odd, [at(0)]) == []


def test_merged_groups_share_a_signal_but_not_a_window() -> None:
    merged = rule(
        ("high", "a >= 2"),
        queries=(query("a", group=("@usr.id", "host")),),
        group_signals_by=("host",),
    )
    apart = [at(0, group=("bob", "web")), at(1, group=("ann", "web"))]
    assert signals(merged, apart) == []
    (signal,) = signals(merged, [*apart, at(2, group=("ann", "web")), at(3, group=("bob", "web"))])
    assert signal.group == ("web",)
    assert signal.groups == (("ann", "web"), ("bob", "web"))
    assert (signal.timestamp, signal.first_seen, signal.events_matched) == (2 * SECOND, 0, 4)


def test_event_in_two_merged_groups_counts_once() -> None:
    merged = rule(
        ("high", "a >= 1"), queries=(query("a", group=("@usr.id", "host")),), group_signals_by=("host",), window=0
    )
    (signal,) = signals(merged, [at(0, group=("bob", "web")), at(0, group=("ann", "web"))])
    assert (signal.events_matched, signal.hits, signal.queries[0].events) == (1, 1, 1)


def test_unknown_group_signals_by_is_refused() -> None:
    with pytest.raises(BadRequest, match="groupSignalsBy names 'host'"):
        plan(rule(("high", "a > 0"), group_signals_by=("host",)))


# Aggregations


def test_cardinality_counts_distinct_values_as_they_leave_and_enter() -> None:
    spray = rule(("high", "a >= 3"), queries=(query("a", "cardinality"),), window=60)
    names = [at(0, distinct="ann"), at(10, distinct="bob"), at(20, distinct="bob"), at(65, distinct="eve")]
    assert signals(spray, names) == []
    (signal,) = signals(spray, [*names, at(69, distinct="zoe")])
    assert signal.queries[0].value == 3.0
    assert signal.queries[0].distinct_values == ("bob", "eve", "zoe")


def test_sum_is_exact_whatever_left_the_window() -> None:
    total = rule(("high", "a < 1 && a > 0.3"), queries=(query("a", "sum"),), window=60)
    tenths = [at(61, value=0.1), at(62, value=0.1), at(63, value=0.1)]
    # In floating point, 1e300 + 0.1 - 1e300 is 0; the exact sum of three times the double 0.1 is a little over 0.3.
    (signal,) = signals(total, [at(1.5, value=1e300), *tenths])
    assert signal.timestamp == 63 * SECOND
    assert signal == replace(signals(total, tenths)[0])


def test_then_needs_the_order() -> None:
    stages = rule(("high", "a >= 2 then b >= 1"), queries=(query("a"), query("b")), window=60)
    assert signals(stages, [at(0), at(1, 1), at(2)]) == []
    (signal,) = signals(stages, [at(0), at(1), at(2, 1)])
    assert signal.timestamp == 2 * SECOND
    assert signals(stages, [at(0), at(1), at(1, 1, id="same moment")]) == []
    assert signals(stages, [at(0), at(50), at(61, 1)]) == []


def test_other_methods_and_aggregations_are_refused() -> None:
    with pytest.raises(BadRequest, match="no method 'telepathy'"):
        methods.plan(replace(rule(), options=RuleOptions(detection_method="telepathy")))
    with pytest.raises(BadRequest, match="geo_data"):
        plan(rule(queries=(query("a", "geo_data"),)))
    with pytest.raises(BadRequest, match="labelled 'b'"):
        plan(rule(("low", "b > 1")))


# Ends of scheduled runs


DAILY = Schedule("FREQ=DAILY", "2026-01-01T00:00:00", "UTC")


def test_that_nothing_came_is_a_signal_at_the_end_of_a_run() -> None:
    silent = replace(rule(("high", "a < 1"), window=60, queries=(query("a", group=()),)), schedule=DAILY)
    assert plan(silent).asks_at_ends
    assert signals(silent, [at(10, group=()), look(60_000)]) == []
    (signal,) = signals(silent, [at(10, group=()), look(60_000), look(70_000)])
    assert (signal.timestamp, signal.opened_by, signal.verdict.values) == (70_000, "run-70000", (0.0,))
    assert (signal.events_matched, tuple(signal.first_events), tuple(signal.last_events)) == (0, (), ())
    assert (signal.first_seen, signal.last_seen) == (70_000, 70_000)


def test_few_are_told_with_those_that_came() -> None:
    few = replace(rule(("high", "a < 3"), window=60, queries=(query("a", group=()),)), schedule=DAILY)
    (signal,) = signals(few, [*(at(s, group=()) for s in (0, 1, 2, 30, 50)), look(61_500)])
    assert signal.opened_by == "e000000000", "it was asked when the first came"
    found = signals(few, [*(at(s, group=()) for s in (0, 1, 2)), look(55_000), look(61_500)])
    assert found[-1].events_matched == 3


@pytest.mark.parametrize(
    ("case", "group", "schedule"),
    [("a > 2", (), DAILY), ("a < 1", ("host",), DAILY), ("a < 1", (), None), ("a >= 1 then a < 1", (), DAILY)],
)
def test_runs_ask_only_what_can_hold_of_nothing(case: str, group: tuple[str, ...], schedule: Schedule | None) -> None:
    assert not plan(replace(rule(("high", case), queries=(query("a", group=group),)), schedule=schedule)).asks_at_ends


# The naive reference: the words of the specification, one after the other, in quadratic time


@dataclass
class Naive:
    opened_by: str
    timestamp: int
    case: int
    last_hit: int
    evidence: set[MatchRow] = field(default_factory=set)

    def first_seen(self) -> int:
        return min([self.timestamp, *(row.timestamp for row in self.evidence)])

    def last_seen(self) -> int:
        return max([self.timestamp, *(row.timestamp for row in self.evidence)])


def naive(a_rule: Rule, rows: list[MatchRow]) -> list[Naive]:
    rows = sorted(set(rows), key=lambda row: (row.timestamp, row.event_id))
    names = [query.label for query in a_rule.queries]
    window, keep_alive, maximum = a_rule.window_ms, a_rule.keep_alive_ms, a_rule.max_signal_duration_ms

    def value_of(index: int, inside: set[MatchRow]) -> float | None:
        own = [row for row in inside if row.query_index == index]
        aggregation = a_rule.queries[index].aggregation
        if aggregation == "cardinality":
            return len({row.distinct for row in own})
        if aggregation == "sum":
            return sum(row.value for row in own if row.value is not None)
        if aggregation == "max":
            return max((row.value for row in own if row.value is not None), default=None)
        return len({row.event_id for row in own})

    def severity(index: int) -> int:
        return SEVERITIES.index(a_rule.cases[index].severity)

    found: list[Naive] = []
    for position in sorted({(row.timestamp, row.event_id) for row in rows}):
        now = position[0]
        hits = []
        for group in {row.group for row in rows if (row.timestamp, row.event_id) == position}:
            inside = {
                row
                for row in rows
                if row.group == group
                and row.query_index != NO_QUERY
                and (row.timestamp, row.event_id) <= position
                and (row.timestamp > now - window if window else row.event_id == position[1])
            }
            values = {name: value_of(index, inside) for index, name in enumerate(names)}
            for index, case in enumerate(a_rule.cases):
                if parse_condition(case.condition).holds(values):
                    hits.append((index, inside))
                    break
        if not hits:
            continue
        current = found[-1] if found else None
        if (
            current is None
            or now - current.last_hit >= keep_alive
            or now - current.first_seen() // 1000 * 1000 > maximum
        ):
            current = Naive(position[1], now, -1, now)
            found.append(current)
        current.last_hit = now
        for _, inside in hits:
            current.evidence |= inside
        case = max((index for index, _ in hits), key=lambda index: (severity(index), -index))
        if current.case < 0 or severity(case) > severity(current.case):
            current.case = case
    return found


conditions = st.sampled_from(
    ["a > 0", "a > 2", "a >= 4", "a > 1 && b > 0", "b > 1 || a > 3", "a > 1 && b < 1", "b >= 3", "a > 3 || b > 3"]
)
aggregations = st.sampled_from(["count", "cardinality", "sum", "max"])
times = st.sampled_from([(0, 0, 0), (0, 60, 300), (60, 60, 60), (60, 60, 300), (60, 300, 600), (300, 300, 900)])


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    window, keep_alive, maximum = draw(times)
    group = ("@usr.id", "host")
    return rule(
        *draw(st.lists(st.tuples(st.sampled_from(SEVERITIES), conditions), min_size=1, max_size=3)),
        window=window,
        keep_alive=keep_alive,
        maximum=maximum,
        queries=(query("a", draw(aggregations), group), query("b", draw(aggregations), group)),
        group_signals_by=draw(st.sampled_from([(), ("host",)])),
    )


@st.composite
def matches(draw: st.DrawFn) -> list[MatchRow]:
    """Matches of one signal group: a few users on one host, gaps around the windows' lengths, ties, several queries."""
    rows = []
    now = draw(st.integers(0, 5_000))
    for number in range(draw(st.integers(0, 25))):
        now += draw(st.sampled_from([0, 1, 900, 10_000, 30_000, 59_999, 60_000, 60_001, 299_000, 300_000, 301_000]))
        event_id = f"{draw(st.integers(0, 3))}-{number}"
        distinct, value = draw(st.sampled_from("xyz")), float(draw(st.integers(0, 4)))
        for user in draw(st.sampled_from([("ann",), ("bob",), ("ann", "bob")])):
            for index in draw(st.sampled_from([(0,), (0,), (1,), (0, 1)])):
                rows.append(MatchRow(now, event_id, (user, "web"), index, distinct, value))
    return rows


def of_scope(a_rule: Rule, rows: list[MatchRow]) -> list[MatchRow]:
    return rows if a_rule.group_signals_by else [row for row in rows if row.group[0] == "ann"]


@st.composite
def scheduled(draw: st.DrawFn) -> Rule:
    """Of everything together, with cases that hold where nothing is."""
    quiet = st.sampled_from(["a < 1", "a == 0", "a < 3", "a < 1 && b < 1", "b < 2 || a > 3", "a <= 1 && b != 2"])
    window, keep_alive, maximum = draw(times)
    queries = (query("a", draw(aggregations), ()), query("b", draw(aggregations), ()))
    cases = draw(st.lists(st.tuples(st.sampled_from(SEVERITIES), conditions | quiet), min_size=1, max_size=3))
    a_rule = rule(*cases, window=window, keep_alive=keep_alive, maximum=maximum, queries=queries)
    return replace(a_rule, schedule=Schedule("FREQ=HOURLY", "2026-01-01T00:00:00", "UTC"))


@st.composite
def matches_and_runs(draw: st.DrawFn) -> list[MatchRow]:
    """Matches, and ends of runs between and beside them."""
    rows = [row._replace(group=()) for row in draw(matches())]
    near = st.sampled_from([row.timestamp for row in rows] or [0]).map(lambda timestamp: timestamp + 60_000)
    return [*rows, *(look(moment) for moment in draw(st.lists(near | st.integers(0, 2_000_000), max_size=8)))]


@settings(max_examples=150, deadline=None)
@given(rules(), matches(), st.randoms(use_true_random=False))
def test_incremental_equals_naive(a_rule: Rule, rows: list[MatchRow], random: Any) -> None:
    is_as_naive(a_rule, of_scope(a_rule, rows), random)


@settings(max_examples=100, deadline=None)
@given(scheduled(), matches_and_runs(), st.randoms(use_true_random=False))
def test_incremental_equals_naive_where_runs_end(a_rule: Rule, rows: list[MatchRow], random: Any) -> None:
    is_as_naive(a_rule, rows, random)


def is_as_naive(a_rule: Rule, rows: list[MatchRow], random: Any) -> None:
    shuffled = rows + rows[: len(rows) // 2]
    random.shuffle(shuffled)
    expected = naive(a_rule, rows)
    found = signals(a_rule, shuffled)
    assert [(s.opened_by, s.timestamp, s.last_hit) for s in found] == [
        (n.opened_by, n.timestamp, n.last_hit) for n in expected
    ]
    for signal, plain in zip(found, expected, strict=True):
        ids = {row.event_id for row in plain.evidence}
        assert signal.events_matched == len(ids)
        assert signal.first_seen == plain.first_seen()
        assert signal.last_seen == plain.last_seen()
        assert signal.verdict.case_index == plain.case
        in_order = sorted({(row.timestamp, row.event_id) for row in plain.evidence})
        assert [ref[:2] for ref in signal.first_events] == in_order
        assert [ref[:2] for ref in signal.last_events] == in_order[-10:]
        for index, evidence in enumerate(signal.queries):
            own = [row for row in plain.evidence if row.query_index == index]
            assert evidence.events == len({row.event_id for row in own})
            aggregation = a_rule.queries[index].aggregation
            if aggregation == "cardinality":
                assert evidence.value == len({row.distinct for row in own})
            elif aggregation == "sum":
                assert evidence.value == sum({row.event_id: row.value or 0 for row in own}.values())
            elif aggregation == "max":
                assert evidence.value == max((row.value for row in own if row.value is not None), default=None)


@settings(max_examples=80, deadline=None)
@given(rules(), matches(), st.data())
def test_starting_where_a_signal_opened_decides_the_same(
    a_rule: Rule, rows: list[MatchRow], data: st.DataObject
) -> None:
    rows = sorted(set(of_scope(a_rule, rows)), key=lambda row: (row.timestamp, row.event_id))
    everything = signals(a_rule, rows)
    if not everything:
        return
    chosen = data.draw(st.sampled_from(everything))
    start = chosen.timestamp
    machine = plan(a_rule).machine(start)
    machine.feed([row for row in rows if row.timestamp > start - a_rule.window_ms or row.timestamp >= start])
    assert machine.decisions() == [signal for signal in everything if signal.timestamp >= start]


@settings(max_examples=80, deadline=None)
@given(rules(), matches(), st.data())
def test_a_copy_decides_the_same_and_leaves_the_original_alone(
    a_rule: Rule, rows: list[MatchRow], data: st.DataObject
) -> None:
    rows = sorted(set(of_scope(a_rule, rows)), key=lambda row: (row.timestamp, row.event_id))
    cut = data.draw(st.integers(0, len(rows)))
    while 0 < cut < len(rows) and rows[cut][:2] == rows[cut - 1][:2]:
        cut += 1
    machine = plan(a_rule).machine()
    machine.feed(rows[:cut])
    before = machine.decisions()
    twin = machine.copy()
    twin.feed(rows[cut:])
    assert twin.decisions() == signals(a_rule, rows)
    assert machine.decisions() == before
    machine.feed(rows[cut:])
    assert machine.decisions() == signals(a_rule, rows)
