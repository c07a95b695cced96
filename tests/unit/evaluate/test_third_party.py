"""Third party: examples of siem.md §2.18, and the plain definition that holds it."""

from dataclasses import replace

import pytest
from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.third_party import plan, title_template
from tocsin.rule import SEVERITIES, THIRD_PARTY, Rule, RuleCase, RuleOptions, RuleQuery

HOUR = 3_600_000
BORN = 1_767_225_600_000
DAY = 24 * HOUR

DEVICE = ("@device.id",)


def vendor(*statuses: str, roots: tuple[tuple[str, ...], ...] = (DEVICE,)) -> Rule:
    """Compiled: one query for each root and case; the last status is the default."""
    return Rule(
        id="aaa-bbb-ccc",
        name="Vendor",
        message="",
        queries=tuple(
            RuleQuery(f"{root}-{case}", "*", aggregation="none", group_by_fields=fields)
            for root, fields in enumerate(roots)
            for case in range(len(statuses))
        ),
        cases=tuple(RuleCase(status) for status in statuses),
        options=RuleOptions(detection_method=THIRD_PARTY, evaluation_window=0, keep_alive=0, max_signal_duration=600),
    )


def alert(hours: float, query_index: int = 0, group: tuple[str, ...] = ("d1",)) -> MatchRow:
    timestamp = BORN + round(hours * HOUR)
    return MatchRow(timestamp, f"e{timestamp:015d}", group, query_index)


def opened(rule: Rule, *rows: MatchRow) -> list[float]:
    return [(signal.timestamp - BORN) / HOUR for signal in decide(plan(rule), rows)]


def test_one_signal_for_a_device_in_24_hours() -> None:
    assert opened(vendor("low"), *(alert(hour) for hour in (0, 5, 23.99, 24.01, 40, 48.1))) == [0, 24.01, 48.1]


def test_the_day_is_counted_from_the_first_alert_not_from_the_last() -> None:
    (first, second) = decide(plan(vendor("low")), [alert(hour) for hour in (0, 20, 30)])
    assert (first.hits, first.closes_at) == (2, BORN + DAY + 1)
    assert second.timestamp == BORN + 30 * HOUR


def test_without_values_every_event_is_a_signal() -> None:
    rule = vendor("low", roots=((), DEVICE))
    assert opened(rule, alert(0, group=()), alert(1, group=()), alert(1.001, group=())) == [0, 1, 1.001]
    assert plan(rule).rule.options.keep_alive == 86_400
    assert plan(vendor("low", roots=((),))).rule.options.keep_alive == 0


def test_the_most_severe_case_decides() -> None:
    (signal,) = decide(plan(vendor("medium", "high", "info")), [alert(0, 2), alert(1, 0), alert(2, 1), alert(3, 0)])
    assert [verdict.case_index for verdict in signal.verdicts] == [2, 0, 1]
    assert [evidence.events for evidence in signal.queries] == [2, 1, 1]


def test_fields_are_those_of_the_root() -> None:
    prepared = plan(vendor("low", "info", roots=(DEVICE, ("host",))))
    (signal,) = decide(prepared, [alert(0, 3, ("web-1",))])
    assert prepared.group_by(signal) == ("host",)
    assert signal.verdict.case_index == 1


def test_title_template() -> None:
    rule = vendor("low")
    assert title_template(rule) == ""
    options = {"thirdPartyRuleOptions": {"signalTitleTemplate": "{{@title}}"}}
    assert title_template(replace(rule, options=replace(rule.options, method_options=options))) == "{{@title}}"


def test_what_is_not_compiled_is_refused() -> None:
    with pytest.raises(BadRequest, match="compiled"):
        plan(replace(vendor("low"), queries=()))
    with pytest.raises(BadRequest, match="groupSignalsBy"):
        plan(replace(vendor("low"), group_signals_by=DEVICE))


def plainly(rule: Rule, rows: list[MatchRow]) -> list[tuple[str, int, str]]:
    """The opening event, the number of events and the severity of each signal."""
    found: list[tuple[str, int, str]] = []
    began = last = None
    for row in rows:
        severity = rule.cases[row.query_index % len(rule.cases)].status
        second = row.timestamp - row.timestamp % 1000
        if not row.group or began is None or last is None or row.timestamp > began + DAY or row.timestamp >= last + DAY:
            began = second
            found.append((row.event_id, 1, severity))
        else:
            event_id, events, highest = found[-1]
            found[-1] = (event_id, events + 1, max(severity, highest, key=SEVERITIES.index))
        last = row.timestamp
    return found


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from((0.0, 0.3, 1, 5, 23.9, 24, 25)), st.integers(0, 5)), min_size=1, max_size=20),
    st.booleans(),
    st.data(),
)
def test_agrees_with_the_definition_whatever_happens(
    sent: list[tuple[float, int]], has_values: bool, data: st.DataObject
) -> None:
    rule = vendor("medium", "high", "info", roots=(DEVICE, ("host",)) if has_values else ((), ()))
    hours = 0.0
    rows = []
    for number, (pause, query_index) in enumerate(sent):
        hours += pause
        rows.append(alert(hours, query_index, ("x",) if has_values else ())._replace(event_id=f"e{number:03d}"))
    agrees(
        plan(rule),
        rows,
        data,
        lambda ordered: plainly(rule, ordered),
        lambda signal: (signal.opened_by, signal.events_matched, rule.cases[signal.verdict.case_index].status),
    )
