"""The replay engine on a real store: its matches are the matcher's, its signals those of the method itself."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.config import Config
from tocsin.errors import Abandoned, BadRequest, LimitExceeded
from tocsin.evaluate import logs_repository, replay
from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.evaluate.replay import Budget, Replay
from tocsin.evaluate.repository import Matches
from tocsin.event import BACKFILL_TAG, Event, event_id
from tocsin.match.matcher import Matcher
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.store.events import EventStore, open_event_store
from tocsin.store.rows import encode_event

BORN = 1_767_225_600_000
DAY = 86_400_000
MINUTE = 60_000

days = itertools.count(step=31)
"""Each example has a day of its own, and what methods remember before it, so that one store serves all."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    opened = open_event_store(Config(data=tmp_path_factory.mktemp("replay"), logs_retention_days=0))
    opened.migrate()
    yield opened
    opened.close()


def replay_on(store: EventStore) -> Replay:
    return Replay(StoredLogs(store), Matches(store))


def put(store: EventStore, events: Sequence[Event]) -> None:
    lines = [encode_event(event) for event in events]
    store.insert("logs", b"\n".join(lines), len(lines))


def a_rule(*queries: RuleQuery, conditions: Sequence[str] = ("a > 0",), window: int = 60, **more: object) -> Rule:
    return Rule(
        id="aaa-bbb-ccc",
        name="Test",
        message="",
        queries=queries,
        cases=tuple(RuleCase("high", condition) for condition in conditions),
        options=RuleOptions(evaluation_window=window, keep_alive=max(window, 60), max_signal_duration=3600),
        **more,  # type: ignore[arg-type]
    )


def expected_rows(rule: Rule, events: Sequence[Event]) -> set[MatchRow]:
    matcher = Matcher([rule])
    assert not matcher.problems
    return {
        MatchRow(event.timestamp, event.id, match.group, match.query_index, match.distinct, match.value)
        for event in events
        for match in matcher.match(event)
    }


def expected_signals(rule: Rule, rows: set[MatchRow]) -> list[Decision]:
    prepared = plan(rule)
    groups: dict[tuple[str, ...], list[MatchRow]] = {}
    for row in rows:
        groups.setdefault(prepared.signal_group(row.group), []).append(row)
    found = [decision for of_group in groups.values() for decision in decide(prepared, of_group)]
    return sorted(found, key=lambda decision: (decision.timestamp, decision.group))


FIELDS = ("@k", "@a.b", "host", "env", "service", "tags", "@n")

scalars = st.sampled_from(["x", "y", "Z", "", "N/A", "1", "1.0", "07", 1, 2.5, -3, 2**63, 1e300, True, False, None])
values = st.one_of(scalars, st.lists(scalars, max_size=3), st.lists(st.integers(0, 60), min_size=8, max_size=60))
degrees = st.one_of(st.sampled_from([51.5, 40, "-0.25", "91", 200, True, "x"]), st.just([91, 12.5]))
location = st.fixed_dictionaries({"latitude": degrees, "longitude": degrees})
attributes = st.fixed_dictionaries(
    {},
    optional={
        "k": values,
        "n": values,
        "a": st.one_of(scalars, st.fixed_dictionaries({"b": values})),
        "place": st.fixed_dictionaries(
            {"location": location}, optional={"city": st.fixed_dictionaries({"name": values})}
        ),
    },
)


@st.composite
def event_sets(draw: st.DrawFn) -> list[Event]:
    born = BORN + next(days) * DAY
    found = []
    for number in range(draw(st.integers(1, 14))):
        timestamp = born + draw(st.integers(0, 400)) * 1000
        found.append(
            Event(
                id=event_id(timestamp, b"%d" % number),
                timestamp=timestamp,
                ingested_at=timestamp + 1000,
                message=draw(st.sampled_from(["login failed", "login", ""])),
                host=draw(st.sampled_from(["web-1", "web-2", None])),
                service=draw(st.sampled_from(["shop", None])),
                tags=draw(st.lists(st.sampled_from(["env:prod", "env:dev", "bare"]), unique=True, max_size=3)),
                attributes=draw(attributes),
            )
        )
    return found


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    group = tuple(draw(st.lists(st.sampled_from(FIELDS), max_size=2, unique=True)))
    queries = []
    for label in ("a", "b")[: draw(st.integers(1, 2))]:
        aggregation = draw(st.sampled_from(["count", "cardinality", "max", "sum"]))
        queries.append(
            RuleQuery(
                label,
                draw(st.sampled_from(["*", "login", "-env:dev", "@k:*", "host:web-1 OR @n:>1"])),
                aggregation=aggregation,
                group_by_fields=group if draw(st.booleans()) else group[:1],
                distinct_fields=tuple(draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=2, unique=True)))
                if aggregation == "cardinality"
                else (),
                metrics=("@n",) if aggregation in ("max", "sum") else (),
                has_optional_group_by_fields=draw(st.booleans()),
            )
        )
    comparisons = st.builds(
        "{} {} {}".format,
        st.sampled_from([query.label for query in queries]),
        st.sampled_from([">", ">=", "<", "==", "!="]),
        st.sampled_from(["0", "1", "2", "3.5"]),
    )
    condition = st.builds("{} {} {}".format, comparisons, st.sampled_from(["&&", "||"]), comparisons)
    conditions = draw(st.lists(condition | comparisons, min_size=1, max_size=2))
    if len(queries) == 2 and draw(st.booleans()):
        conditions = [f"{draw(comparisons)} then {draw(comparisons)}"]
    return a_rule(
        *queries,
        conditions=conditions,
        window=draw(st.sampled_from([0, 60, 300])),
        group_signals_by=group[:1] if len(group) > 1 and draw(st.booleans()) else (),
    )


@st.composite
def new_value_rules(draw: st.DrawFn) -> Rule:
    fields = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=2, unique=True)
    query = RuleQuery(
        "a",
        draw(st.sampled_from(["*", "login", "-env:dev"])),
        aggregation="new_value",
        group_by_fields=tuple(draw(fields))[:1],
        metrics=tuple(draw(fields)),
        has_optional_group_by_fields=draw(st.booleans()),
    )
    options = {"newValueOptions": {"learningMethod": "threshold", "learningThreshold": 0, "forgetAfter": 1}}
    return replace(
        a_rule(query, conditions=("",)),
        options=RuleOptions(
            detection_method="new_value", keep_alive=60, max_signal_duration=3600, method_options=options
        ),
    )


@st.composite
def rules_that_read_texts(draw: st.DrawFn) -> Rule:
    """Of methods that read places, contents, or what links steps."""
    group = tuple(draw(st.lists(st.sampled_from(FIELDS), max_size=1)))
    more = {"group_by_fields": group, "has_optional_group_by_fields": draw(st.booleans())}
    query = draw(st.sampled_from(["*", "login", "-env:dev"]))
    fields = tuple(draw(st.lists(st.sampled_from((*FIELDS, "message")), min_size=1, max_size=3, unique=True)))
    times = {"keep_alive": 60, "max_signal_duration": 3600}
    method = draw(st.sampled_from(["impossible_travel", "content_anomaly", "sequence_detection", "third_party"]))
    if method == "impossible_travel":
        asked = RuleQuery("a", query, aggregation="geo_data", metrics=("@place",), **more)
        return replace(a_rule(asked, conditions=("",)), options=RuleOptions(detection_method=method, **times))
    if method == "content_anomaly":
        learned = {"contentAnomalyOptions": {"learningDuration": 1, "forgetAfter": 1}}
        options = RuleOptions(detection_method=method, evaluation_window=60, method_options=learned, **times)
        return replace(a_rule(RuleQuery("a", query, metrics=fields, **more)), options=options)
    if method == "third_party":
        asked = RuleQuery("a", query, aggregation="none", **more)
        return replace(a_rule(asked), options=RuleOptions(detection_method=method, **times))
    steps = [{"name": name, "condition": f"{name} > 0", "evaluationWindow": 60} for name in ("a", "b")]
    chain = {"steps": steps, "stepTransitions": [{"parent": "a", "child": "b", "evaluationWindow": 120}]}
    return replace(
        a_rule(
            RuleQuery("a", query, group_by_fields=("host",), name="a"),
            RuleQuery("b", "login", group_by_fields=tuple({**dict.fromkeys(group), "host": None}), name="b"),
            conditions=("b > 0",),
        ),
        options=RuleOptions(detection_method=method, method_options={"sequenceDetectionOptions": chain}, **times),
    )


@settings(max_examples=90, suppress_health_check=list(HealthCheck))
@given(events=event_sets(), rule=rules() | new_value_rules() | rules_that_read_texts())
def test_matches_and_signals_are_those_of_the_matcher_and_the_method(
    store: EventStore, events: list[Event], rule: Rule
) -> None:
    put(store, events)
    start = events[0].timestamp - events[0].timestamp % DAY
    engine = replay_on(store)
    rows = expected_rows(rule, events)
    found = [row for page in engine.matches(rule, start, start + DAY, Budget(60)) for row in page]
    assert set(found) == rows
    assert [row[:2] for row in found] == sorted(row[:2] for row in found)
    assert list(engine.run(rule, start, start + DAY, Budget(60)).decisions) == expected_signals(rule, rows)


def attempts(count: int, *, at: int, user: str, every: int = 1000, **more: object) -> list[Event]:
    return [
        Event(
            event_id(at + number * every, user.encode(), number),
            at + number * every,
            ingested_at=at + number * every + 500,
            message="login failed",
            attributes={"usr": {"id": user}},
            **more,  # type: ignore[arg-type]
        )
        for number in range(count)
    ]


BRUTE = a_rule(
    RuleQuery("a", "failed", group_by_fields=("@usr.id",)), conditions=("a > 20",), window=300
)  # fmt: skip


def test_only_scopes_that_can_fire_are_read(store: EventStore) -> None:
    start = BORN + next(days) * DAY
    quiet = [event for user in range(200) for event in attempts(3, at=start + user * 1000, user=f"quiet{user}")]
    put(store, [*quiet, *attempts(30, at=start + 3_600_000, user="eve")])
    found = replay_on(store).run(BRUTE, start, start + DAY, Budget(60))
    (signal,) = found.decisions
    assert (signal.group, signal.events_matched, signal.timestamp) == (("eve",), 30, start + 3_600_000 + 20_000)
    assert found.matches == 30


def test_logs_before_the_start_fill_the_window_and_open_nothing(store: EventStore) -> None:
    start = BORN + next(days) * DAY
    put(store, attempts(30, at=start - 25_000, user="eve"))
    (signal,) = replay_on(store).run(BRUTE, start, start + DAY, Budget(60)).decisions
    assert signal.timestamp == start
    assert signal.first_seen == start - 25_000
    assert signal.events_matched == 30


def test_late_logs_count_only_for_jobs_unless_they_are_backfill(store: EventStore) -> None:
    start = BORN + next(days) * DAY
    late = [replace(event, ingested_at=event.timestamp + 2 * DAY) for event in attempts(30, at=start, user="late")]
    sent = [replace(event, tags=[BACKFILL_TAG]) for event in attempts(30, at=start, user="sent")]
    put(store, [*late, *(replace(event, ingested_at=event.timestamp + 2 * DAY) for event in sent)])
    engine = replay_on(store)
    assert {signal.group for signal in engine.run(BRUTE, start, start + DAY, Budget(60)).decisions} == {("sent",)}
    everything = engine.run(BRUTE, start, start + DAY, Budget(60), is_live=False)
    assert {signal.group for signal in everything.decisions} == {("sent",), ("late",)}


def test_pages_and_many_scopes_change_nothing(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    start = BORN + next(days) * DAY
    put(store, [event for user in range(12) for event in attempts(25, at=start + user * 7000, user=f"u{user}")])
    engine = replay_on(store)
    whole = engine.run(BRUTE, start, start + DAY, Budget(60))
    monkeypatch.setattr(logs_repository, "PAGE", 7)
    monkeypatch.setattr(logs_repository, "EVENTS_PAGE", 7)
    monkeypatch.setattr(logs_repository, "MAX_SCOPES", 3)
    monkeypatch.setattr(replay, "SWEEP_GROUPS", 2)
    assert engine.run(BRUTE, start, start + DAY, Budget(60)).decisions == whole.decisions
    monkeypatch.setattr(replay, "is_narrow", lambda _rule: False)
    assert engine.run(BRUTE, start, start + DAY, Budget(60)).decisions == whole.decisions
    assert len(whole.decisions) == 12


def test_lists_that_come_later_are_seen(store: EventStore) -> None:
    start = BORN + next(days) * DAY
    put(store, attempts(30, at=start, user="eve"))
    engine = replay_on(store)
    assert [signal.group for signal in engine.run(BRUTE, start, start + DAY, Budget(60)).decisions] == [("eve",)]
    both = [replace(event, attributes={"usr": {"id": ["ann", "bob"]}}) for event in attempts(30, at=start, user="two")]
    put(store, [replace(event, ingested_at=start + MINUTE) for event in both])
    found = engine.run(BRUTE, start, start + DAY, Budget(60)).decisions
    assert [signal.group for signal in found] == [("ann",), ("bob",), ("eve",)]


def test_series_counts_the_events_of_each_query(store: EventStore) -> None:
    start = BORN + next(days) * DAY
    put(store, attempts(10, at=start + MINUTE, user="eve", every=30_000))
    rule = a_rule(RuleQuery("a", "failed"), RuleQuery("b", "@usr.id:nobody"))
    found = replay_on(store).series(rule, start, start + 6 * MINUTE, 2 * MINUTE, Budget(60))
    assert found == [(0, (2, 0)), (1, (4, 0)), (2, (4, 0))]


def test_a_replay_without_time_left_says_what_to_do(store: EventStore) -> None:
    with pytest.raises(LimitExceeded, match="shorten the time range"):
        replay_on(store).run(BRUTE, BORN, BORN + DAY, Budget(0))


def test_a_statement_that_runs_out_of_time_says_what_it_was_part_of() -> None:
    passed = iter([0.0, 1.0, 5.0])
    budget = Budget(5, monotonic=lambda: next(passed), instead="run it as a job")
    assert budget.limits().seconds == 4
    told = r"longer than the 5 s that it may take: .* to the query, or run it as a job$"
    with pytest.raises(LimitExceeded, match=told), budget.told():
        raise LimitExceeded("the query took longer than a query may")


def test_other_limits_are_told_as_they_are() -> None:
    budget = Budget(5, monotonic=lambda: 0.0)
    with pytest.raises(LimitExceeded, match=r"^too much memory$"), budget.told():
        raise LimitExceeded("too much memory")


def test_a_replay_that_nobody_waits_for_ends_between_statements(store: EventStore) -> None:
    with pytest.raises(Abandoned):
        replay_on(store).run(BRUTE, BORN, BORN + DAY, Budget(60, is_wanted=lambda: False))


def test_a_rule_that_raises_too_much_is_stopped(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    start = BORN + next(days) * DAY
    put(store, attempts(20, at=start, user="eve"))
    every = replace(
        a_rule(RuleQuery("a", "failed"), window=0),
        options=RuleOptions(evaluation_window=0, keep_alive=0, max_signal_duration=0),
    )
    assert len(replay_on(store).run(every, start, start + DAY, Budget(60)).decisions) == 20
    monkeypatch.setattr(replay, "MAX_SIGNALS", 10)
    with pytest.raises(LimitExceeded, match="more than 10 signals"):
        replay_on(store).run(every, start, start + DAY, Budget(60))


def test_other_sources_than_logs_are_refused(store: EventStore) -> None:
    with pytest.raises(BadRequest, match="only queries over logs"):
        replay_on(store).run(a_rule(RuleQuery("a", "*", data_source="spans")), BORN, BORN + DAY, Budget(60))
