"""The tests that rule files carry: how they are read, run, compared and told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tocsin.event import Event
from tocsin.explain.tests import SHOWN_SIGNALS, as_json, failure, offset
from tocsin.rule import Rule
from tocsin.rules.checking import RuleTester, TimelineResult
from tocsin.rules.samples import BadTest, duration, read_tests
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import BrokenContent, load_document

GUESSING: dict[str, Any] = {
    "name": "Guessing",
    "message": "by {{@ip}}",
    "queries": [
        {"name": "failed", "query": "@ok:false", "groupByFields": ["@ip"]},
        {"name": "done", "query": "@ok:true", "groupByFields": ["@ip"]},
    ],
    "cases": [
        {"name": "in", "status": "high", "condition": "failed > 2 && done > 0"},
        {"name": "", "status": "low", "condition": "failed > 2"},
    ],
    "options": {"detectionMethod": "threshold", "evaluationWindow": 60, "keepAlive": 300, "maxSignalDuration": 3600},
}
SAMPLES = {"bad": {"ok": "false", "ip": "${ip=a}", "try": "${n}"}, "good": {"ok": "true", "ip": "a"}}


def to_event(record: Any) -> Event:
    """Ids and times that a timeline must replace."""
    return Event("same", 5, message=str(record.get("ok")), attributes=dict(record))


def rule(rule_id: str = "gue-ssi-001", **changes: Any) -> Rule:
    return rule_from_api({**GUESSING, **changes}, rule_id=rule_id)


def run(tests: dict[str, Any], tested: Rule | None = None, known: tuple[Rule, ...] = ()) -> Any:
    tester = RuleTester(to_event, {one.id: one for one in known})
    return tester.run(tested or rule(), read_tests({"samples": SAMPLES, **tests}))


def timeline(events: list[Any], signals: list[Any], **changes: Any) -> dict[str, Any]:
    return {"timelines": [{"name": "told", "events": events, "signals": signals, **changes}]}


def one(tests: dict[str, Any], tested: Rule | None = None, known: tuple[Rule, ...] = ()) -> TimelineResult:
    (result,) = run(tests, tested, known)
    assert isinstance(result, TimelineResult)
    return result


def test_events_are_repeated_filled_and_put_at_their_times() -> None:
    (told,) = read_tests(
        timeline(
            [
                {
                    "event": {"user": "${u}", "n": "try ${n} of ${u}", "as": "${u=x}"},
                    "repeat": 3,
                    "each": {"u": ["a", 2]},
                },
                {"event": {"a": {"b": 1, "c": 2}}, "with": {"a.b": 5, "a.c": None, "d.e": 7}},
                {"at": "1m30s", "event": "a line with ${nobody}"},
            ],
            [],
        )
    ).timelines
    assert [each for planned in told.events for each in planned.records()] == [
        (0, {"user": "a", "n": "try 1 of a", "as": "a"}),
        (1_000, {"user": 2, "n": "try 2 of 2", "as": 2}),
        (2_000, {"user": "a", "n": "try 3 of a", "as": "a"}),
        (3_000, {"a": {"b": 5}, "d": {"e": 7}}),
        (90_000, "a line with ${nobody}"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90_000), ("1h30m", 5_400_000), ("2d", 172_800_000), (1.5, 1_500)]
)
def test_durations(text: Any, expected: int) -> None:
    assert duration("at", text) == expected
    assert duration("at", offset(expected)) == expected


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ({"matches": []}, "tests.matches means nothing here"),
        ({"match": [{"query": -1, "event": {}}]}, r"tests.match\[0\].query must be the position"),
        ({"match": [{"sample": "other"}]}, "there is no sample 'other'; there are bad, good"),
        ({"match": [{}]}, "give either an event or the name of a sample"),
        ({"timelines": [{"name": "x", "events": [{"sample": "bad"}]}]}, r"timelines\[0\].signals is missing"),
        (timeline([], []), r"timelines\[0\].events: give at least one"),
        (timeline([{"sample": "bad", "at": "soon"}], []), "'soon' is no duration"),
        (timeline([{"sample": "bad", "repeat": 20_001}], []), "20,001 in all"),
        (timeline([{"sample": "bad"}], [{"severity": "grave"}]), "'grave' is none of info"),
        (timeline([{"sample": "bad"}], [{"colour": "red"}]), "colour means nothing here"),
        (timeline([{"sample": "bad"}], [], start="tomorrow"), "'tomorrow' is no time"),
        (timeline([{"sample": "bad"}], [], start="0001-01-01T00:00:00Z"), "in a year of 1970 to 2200"),
        (timeline([{"sample": "bad", "at": "9999999999d"}], []), "ten years at most"),
        (timeline([{"sample": "bad", "at": float("inf")}], []), "ten years at most"),
        (timeline([{"sample": "bad", "at": float("nan")}], []), "nan is no duration"),
        (timeline([{"sample": "bad", "repeat": 3, "every": "3000d"}], []), "ten years at most"),
        (timeline([{"sample": "bad"}], [{"count": 20_001}]), "20,001 in all"),
        ({"match": [{"event": {"number": 10**30}}]}, "cannot be written as JSON: Integer exceeds 64-bit range"),
        ({"match": [{"event": {1: "x"}}]}, "cannot be written as JSON: Dict key must be str"),
    ],
)
def test_what_is_written_wrong_is_named(tests: dict[str, Any], told: str) -> None:
    with pytest.raises(BadTest, match=told):
        read_tests({"samples": SAMPLES, **tests})


def test_a_date_that_only_yaml_knows_is_a_text() -> None:
    moment = datetime(2026, 3, 2, 8, tzinfo=UTC)
    (single,) = read_tests({"match": [{"event": {"at": moment}}]}).singles
    assert single.record == {"at": "2026-03-02T08:00:00+00:00"}


def test_single_events() -> None:
    results = run(
        {"match": [{"sample": "bad"}, {"sample": "good"}], "no_match": [{"sample": "bad"}, {"event": {"ok": "false"}}]}
    )
    assert [result.passed for result in results] == [True, False, False, True]
    assert failure(results[1]) == [
        "query 0 must match, and does not:",
        "  @ok:false does not hold: @ok is true",
        "  event: true",
    ]
    assert failure(results[2])[0].startswith("query 0 matches, and must not")
    (lacking,) = run({"match": [{"event": {"ok": "false"}}]})
    assert failure(lacking)[0] == "query 0 must match, but the event has no @ip, by which it is grouped"
    with pytest.raises(BadTest, match="there is no query 2; positions are 0 to 1"):
        run({"match": [{"query": 2, "sample": "bad"}]})


FOUR = [{"sample": "bad", "repeat": 3, "every": "5s"}, {"at": "30s", "sample": "good"}]


def test_a_timeline_that_comes_as_expected() -> None:
    wanted = {"severity": "high", "case": "in", "at": "10s", "last": "30s", "events": 4, "group": {"@ip": "a"}}
    result = one(timeline(FOUR, [{**wanted, "title": "Guessing - in"}]))
    assert result.passed
    assert failure(result) == []
    assert as_json(result)["signals"] == [
        {
            "severity": "high",
            "case": "in",
            "title": "Guessing - in",
            "group": {"@ip": "a"},
            "at": 10,
            "last": 30,
            "events": 4,
        }
    ]


def test_a_signal_that_differs_is_told_member_by_member() -> None:
    result = one(timeline(FOUR, [{"severity": "low", "at": "10s", "events": 3}]))
    assert not result.passed
    assert failure(result)[:3] == [
        "a signal is not as expected: severity high, case 'in', title 'Guessing - in', group @ip=a, at 10s, last 30s, "
        "events 4",
        "  severity: expected low, got high",
        "  events: expected 3, got 4",
    ]
    assert failure(result)[3:] == [
        "events:",
        "  0s…5s (2)              failed         false",
        "  10s                    failed         false  => high signal",
        "  30s                    done           true",
    ]


def test_a_missing_signal_is_told_with_what_came_nearest() -> None:
    result = one(timeline([{"sample": "bad", "repeat": 3, "every": "40s"}], [{"severity": "low"}]))
    assert failure(result)[:2] == [
        "a signal is missing: severity low",
        "  nearest, at 40s for a: count of failed was 2 of > 2 (lacks 1) in the 60 s window ending then",
    ]
    assert as_json(result)["missing"][0]["nearest"]["checks"][0]["value"] == 2


def test_a_signal_too_many_is_told_with_what_decided_it() -> None:
    result = one(timeline(FOUR, []))
    assert failure(result)[1] == "  decided by failed 3, done 1"


def test_strict_and_loose_expectations_find_their_own() -> None:
    """The one that says less must not take what the other needs, whatever their order."""
    both = [
        {"sample": "bad", "repeat": 3, "each": {"ip": ["a"]}},
        {"sample": "bad", "repeat": 3, "each": {"ip": ["b"]}},
    ]
    for signals in ([{}, {"group": {"@ip": "a"}}], [{"group": {"@ip": "a"}}, {}], [{"severity": "low", "count": 2}]):
        assert one(timeline(both, signals)).passed


def test_a_thousand_signals_are_paired_in_the_time_of_a_thousand() -> None:
    each = rule(cases=[{"name": "", "status": "low", "condition": "failed > 0"}])
    events = [{"sample": "bad", "repeat": 1200, "every": 1, "with": {"ip": "ip ${n}"}}]
    assert one(timeline(events, [{"severity": "low", "count": 1200}]), each).passed
    result = one(timeline(events, [{"severity": "high", "count": 1199}]), each)
    assert (len(result.unlike), len(result.missing), len(result.surplus)) == (1199, 0, 1)


def test_an_event_of_any_shape_is_told() -> None:
    odd = {"ok": "false", "ip": "a", "evt": "a text"}
    assert (
        failure(one(timeline([{"event": odd, "repeat": 3}], [])))[-1]
        == "  2s                     failed         false  => low signal"
    )


def test_a_file_that_holds_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text("&all\nid: abc-d1e-2fg\nqueries: [*all]\n")
    with pytest.raises(BrokenContent, match="an alias within itself"):
        load_document(path)
    path.write_text("a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b, [[[]]]]\n")
    assert load_document(path)["c"][1] == [[1, 1], [1, 1]]
    path.write_text("start: 2026-13-45\n")
    with pytest.raises(BrokenContent, match="month must be in"):
        load_document(path)


def test_rules_over_signals_read_what_others_raise() -> None:
    reader = rule(
        "rea-der-002",
        type="signal_correlation",
        queries=[{"name": "s", "ruleId": "gue-ssi-001", "aggregation": "event_count", "correlatedByFields": ["@ip"]}],
        cases=[{"name": "", "status": "critical", "condition": "s > 0"}],
    )
    tests = timeline(FOUR, [{"severity": "critical", "group": {"@ip": "a"}, "events": 1, "at": "10s"}])
    result = one(tests, reader, (rule(),))
    assert result.passed, failure(result)
    assert [seen.event.message for seen in result.seen if seen.queries] == ["Guessing - in"]
    with pytest.raises(BadTest, match="neither in these files nor shipped"):
        one(tests, reader)
    with pytest.raises(BadTest, match="write timelines"):
        run({"match": [{"sample": "bad"}]}, reader, (rule(),))


def test_reference_tables_are_given_with_the_tests() -> None:
    filtered = rule(
        referenceTables=[
            {
                "tableName": "known",
                "columnName": "ip",
                "logFieldPath": "@ip",
                "ruleQueryName": "failed",
                "checkPresence": False,
            }
        ]
    )
    tests = {"match": [{"sample": "bad", "with": {"ip": "b"}}], "no_match": [{"sample": "bad", "with": {"ip": "a"}}]}
    assert all(result.passed for result in run({**tests, "tables": {"known": {"ip": ["a"]}}}, filtered))
    assert [result.passed for result in run(tests, filtered)] == [True, False]


def test_what_is_no_log_cannot_be_tested() -> None:
    audited = rule(queries=[{**query, "dataSource": "audit"} for query in GUESSING["queries"]])
    with pytest.raises(BadTest, match="reads 'audit': only rules over logs and signals"):
        run({"match": [{"sample": "bad"}]}, audited)


def test_of_many_signals_that_are_not_as_they_should_be_the_first_are_told() -> None:
    many = [{"sample": "bad", "repeat": 40, "every": "2s", "each": {"ip": [f"ip{n}" for n in range(13)]}}]
    for expected, kind in (
        ([], "too many"),
        ([{"severity": "high", "count": 13}], "not as expected"),
        ([{"severity": "low", "count": 13}, {"severity": "high", "count": 13}], "missing"),
    ):
        (result,) = run(timeline(many, expected))
        told = failure(result)
        assert sum(kind in line for line in told) == SHOWN_SIGNALS + 1
        assert any(line.startswith("… and 3 more") and kind in line for line in told)
