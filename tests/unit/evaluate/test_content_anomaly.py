"""Content anomaly: examples of siem.md §2.16, and the plain definition that holds it."""

from dataclasses import replace
from typing import Any

import pytest
from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate import threshold
from tocsin.evaluate.content_anomaly import RETENTION_MS, plan
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.history import DAY_MS
from tocsin.evaluate.method import decide
from tocsin.evaluate.similarity import are_alike, words
from tocsin.rule import CONTENT_ANOMALY, Rule, RuleCase, RuleOptions, RuleQuery, Schedule

HOUR = 3_600_000
BORN = 1_767_225_600_000


def content_rule(
    condition: str = "a > 0", *, queries: int = 1, window: int = 0, keep_alive: int = 0, **options: int
) -> Rule:
    labels = "ab"[:queries]
    return Rule(
        id="aaa-bbb-ccc",
        name="Unlike before",
        message="",
        queries=tuple(RuleQuery(label, "*", group_by_fields=("host",), metrics=("@cmd",)) for label in labels),
        cases=(RuleCase("high", condition),),
        options=RuleOptions(
            detection_method=CONTENT_ANOMALY,
            evaluation_window=window,
            keep_alive=keep_alive,
            max_signal_duration=keep_alive,
            method_options={"contentAnomalyOptions": {"learningDuration": 1, "forgetAfter": 2, **options}},
        ),
    )


def log(hours: float, text: str | None, query_index: int = 0) -> MatchRow:
    timestamp = BORN + round(hours * HOUR)
    return MatchRow(timestamp, f"e{timestamp:015d}", ("web-1",), query_index, text)


def fired(rule: Rule, *rows: MatchRow) -> list[float]:
    return [(signal.timestamp - BORN) / HOUR for signal in decide(plan(rule), rows)]


def test_the_end_of_a_run_is_no_log() -> None:
    rule = content_rule("a < 1", window=3600)
    together = tuple(replace(query, group_by_fields=()) for query in rule.queries)
    scheduled = replace(rule, queries=together, schedule=Schedule("FREQ=DAILY", "2026-01-01T00:00:00", "UTC"))
    assert threshold.plan(scheduled).asks_at_ends
    assert not plan(scheduled).asks_at_ends


def test_is_silent_while_learning_and_fires_at_what_is_unlike_the_past() -> None:
    rows = [log(hour, f"backup of disk {hour} done") for hour in range(0, 30, 2)]
    assert fired(content_rule(similarityThreshold=60), *rows) == []
    assert fired(content_rule(similarityThreshold=60), *rows, log(30, "curl evil.example"), log(23, "odd one")) == [30]


def test_worked_figure_decides_at_the_threshold() -> None:
    rows = [log(0, "a b c d"), log(25, "a b c e")]
    assert fired(content_rule(similarityThreshold=60), *rows) == []
    assert fired(content_rule(similarityThreshold=61), *rows) == [25]


def test_an_anomalous_log_is_remembered_and_forgotten() -> None:
    rows = [log(hour, "a b c") for hour in range(0, 80, 6)] + [log(25, "x y z"), log(26, "x y z")]
    assert fired(content_rule(), *rows, log(73, "x y z")) == [25]
    assert fired(content_rule(), *rows, log(74, "x y z")) == [25, 74]


def test_more_similar_items_can_be_asked_for() -> None:
    rows = [log(0, "a b c"), log(25, "x y"), log(26, "x y"), log(27, "x y"), log(28, "x y")]
    assert fired(content_rule(similarItemsThreshold=3), *rows) == [25, 26, 27]


def test_cases_count_anomalous_logs_in_the_window() -> None:
    rows = [log(0, "a b c"), log(25, "k l"), log(25.2, "a b c"), log(25.3, "m n"), log(25.9, "o p")]
    assert fired(content_rule("a >= 3", window=3600), *rows) == [25.9]
    assert fired(content_rule("a >= 3", window=1800), *rows) == []


def test_several_queries_each_with_its_own_past() -> None:
    rows = [log(0, "a b c"), log(0.1, "k l m", 1), log(25, "k l m"), log(25.1, "a b c", 1)]
    assert fired(content_rule("a > 0 && b > 0", queries=2, window=3600), *rows) == [25.1]


def test_a_log_without_content_is_not_compared() -> None:
    assert fired(content_rule(), log(0, "a"), log(25, None), log(26, "a")) == []


def test_what_the_signal_says() -> None:
    rows = [log(0, "a b c d"), log(1, "k l"), log(25, "a b new")]
    (signal,) = decide(plan(content_rule()), rows)
    assert signal.facts == {
        "content_anomaly": {
            "fields": ["@cmd"],
            "similarity_threshold": 0.7,
            "similar_items": 0,
            "nearest_similarity": 0.4,
            "new_words": ["new"],
        }
    }
    assert signal.events_matched == 1


def test_a_scope_silent_for_ten_days_is_learned_anew() -> None:
    gone = 1 + RETENTION_MS / HOUR
    assert fired(content_rule(), log(0, "a"), log(1, "a"), log(gone, "b"), log(gone + 23, "c")) == []
    assert fired(content_rule(), log(0, "a"), log(1, "a"), log(gone - 1, "b")) == [gone - 1]


def test_needs_a_field_to_compare() -> None:
    rule = content_rule()
    with pytest.raises(BadRequest, match="the fields whose content is compared"):
        plan(Rule(**{**{name: getattr(rule, name) for name in rule.__slots__}, "queries": (RuleQuery("a", "*"),)}))


def plainly(rule: Rule, rows: list[MatchRow]) -> list[str]:
    """The anomalous logs of a rule with one query and the condition `a > 0`, by the words of the specification."""
    options: dict[str, Any] = rule.options.method_options["contentAnomalyOptions"]
    found = []
    past: list[MatchRow] = []
    for row in rows:
        first = row.timestamp
        for earlier in reversed(past):
            if first - earlier.timestamp >= RETENTION_MS:
                break
            first = earlier.timestamp
        past.append(row)
        if row.distinct is None:
            continue
        similar = [
            earlier
            for earlier in past[:-1]
            if earlier.distinct is not None
            and earlier.timestamp > row.timestamp - options["forgetAfter"] * DAY_MS
            and are_alike(words(row.distinct), words(earlier.distinct), options["similarityThreshold"])
        ]
        is_learned = row.timestamp >= first + options["learningDuration"] * DAY_MS
        if is_learned and len(similar) < options["similarItemsThreshold"]:
            found.append(row.event_id)
    return found


texts = st.one_of(
    st.none(), st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=5).map(lambda parts: " ".join(sorted(parts)))
)


@st.composite
def logs(draw: st.DrawFn) -> list[MatchRow]:
    hours = 0.0
    rows = []
    for number in range(draw(st.integers(1, 25))):
        hours += draw(st.sampled_from((0, 0.1, 3, 11, 24, 30, 48, 100, 239, 240)))
        row = log(hours, draw(texts))
        rows.append(row._replace(event_id=f"e{draw(st.integers(0, 9))}-{number}"))
    return rows


@settings(max_examples=50, deadline=None)
@given(logs(), st.sampled_from((35, 50, 70, 100)), st.sampled_from((1, 2, 5)), st.data())
def test_agrees_with_the_definition_whatever_happens(
    rows: list[MatchRow], percent: int, items: int, data: st.DataObject
) -> None:
    rule = content_rule(similarityThreshold=percent, similarItemsThreshold=items)
    agrees(plan(rule), rows, data, lambda ordered: plainly(rule, ordered), lambda signal: signal.opened_by)


@settings(max_examples=30, deadline=None)
@given(logs(), st.sampled_from((1, 3)), st.sampled_from(("a > 0", "a >= 3")), st.data())
def test_agrees_in_windows(rows: list[MatchRow], items: int, condition: str, data: st.DataObject) -> None:
    rule = content_rule(condition, window=43_200, keep_alive=86_400, similarItemsThreshold=items)
    agrees(plan(rule), rows, data)
