"""Methods that learn, on real stores: what they know survives kills, late events and changed versions of the rule."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_evaluator import BORN, HOUR, Killed, World, state

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evaluator import REFRESH_MS, Baselines
from tocsin.evaluate.history import HistoryShape, summarise
from tocsin.evaluate.instant import InstantBaselines
from tocsin.evaluate.lineage import row_for, taught
from tocsin.evaluate.logs_repository import StoredLogs
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.evaluate.replay import Replay
from tocsin.evaluate.repository import Matches, StoredMatch
from tocsin.event import Event, event_id
from tocsin.match.matcher import Matcher
from tocsin.rule import Match, Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.rules.awaited import awaited
from tocsin.signals.service import SignalsService
from tocsin.store.events import EventStore
from tocsin.store.rows import encode_event
from tocsin.store.state import StateStore

__all__ = ["state"]

DAY = 24 * HOUR

numbers = itertools.count()


def new_country(rule_id: str, **changes: Any) -> Rule:
    options = {"learningDuration": 1, "forgetAfter": 7} | changes.pop("options", {})
    group = changes.pop("group", ("@usr.id",))
    query = RuleQuery("a", "source:vpn", aggregation="new_value", group_by_fields=group, metrics=("@country",))
    rule = Rule(
        rule_id,
        "New country",
        "",
        (query,),
        (RuleCase("medium"),),
        RuleOptions(
            detection_method="new_value",
            evaluation_window=0,
            keep_alive=3600,
            max_signal_duration=86400,
            method_options={"newValueOptions": options},
        ),
        updated_at=BORN,
    )
    return replace(rule, **changes)


def too_many(rule_id: str, **changes: Any) -> Rule:
    options = {"bucketDuration": 3600, "learningDuration": 24, "detectionTolerance": 2} | changes.pop("options", {})
    query = RuleQuery(
        "a", "source:vpn", aggregation="cardinality", group_by_fields=("@usr.id",), distinct_fields=("@country",)
    )
    rule = Rule(
        rule_id,
        "Too many countries",
        "",
        (query,),
        (RuleCase("high", "a > 0.9"),),
        RuleOptions(
            detection_method="anomaly_detection",
            evaluation_window=10800,
            keep_alive=10800,
            max_signal_duration=86400,
            method_options={"anomalyDetectionOptions": options},
        ),
        updated_at=BORN,
    )
    return replace(rule, **changes)


def login(hour: float, country: str, user: str = "bob", **more: Any) -> Event:
    """Sent as backfill, so that it may come at any time."""
    timestamp = BORN + round(hour * HOUR)
    identity = event_id(timestamp, orjson.dumps([hour, country, user, more.pop("salt", "")]))
    attributes = {"usr": {"id": user}, "country": country}
    tags = more.pop("tags", ["backfill:true"])
    return Event(identity, timestamp, source="vpn", host="gate", message="login", tags=tags, attributes=attributes)


def matched(event: Event, *rules: Rule) -> tuple[Event, list[Match]]:
    matcher = Matcher(rules)
    assert not matcher.problems
    return event, list(matcher.match(event))


def opened(world: World, rule: Rule) -> list[tuple[int, float, Any]]:
    """Version, hour and countries of each signal of a rule."""
    found = []
    for row in world.signals(rule):
        custom = orjson.loads(row["document"])
        values = custom["queries"][0]["aggregationDetails"]["distinctValues"]
        found.append((custom["workflow"]["rule"]["version"], (row["timestamp"] - BORN) / HOUR, values))
    return sorted(found)


def test_new_value_lives_through_restarts_and_late_events(event_store: EventStore, state: StateStore) -> None:
    rule = new_country("lea-aaa-aaa")
    world = World(event_store, state, rule)
    for hour, country in [(0, "DE"), (20, "FR"), (30, "DE"), (60, "US"), (61, "US")]:
        world.ingest(matched(login(hour, country), rule))
        world.run()
        world.restart()
    assert opened(world, rule) == [(1, 60, ["US"])]
    world.ingest(matched(login(50, "US"), rule))  # late: this was the first
    world.run()
    assert opened(world, rule) == [(1, 50, ["US"])]
    (row,) = world.signals(rule)
    told = orjson.loads(row["document"])["new_value"]
    assert told == {"fields": ["@country"], "values": ["US"], "known_values": 2, "recent_values": ["DE", "FR"]}
    page = SignalsService(world.rows, world.matches, world.rules).events(row["id"])
    assert [event.timestamp for event in page.events] == [BORN + 50 * HOUR]


def test_anomaly_lives_through_restarts_and_late_events(event_store: EventStore, state: StateStore) -> None:
    rule = too_many("lea-aaa-aab")
    world = World(event_store, state, rule)
    world.ingest(*(matched(login(hour, "DE"), rule) for hour in range(48)))
    world.run()
    assert world.signals(rule) == []
    world.restart()
    world.ingest(*(matched(login(48 + i / 100, country), rule) for i, country in enumerate(("DE", "FR"))))
    world.run()
    world.restart()
    (row,) = world.signals(rule)
    told = orjson.loads(row["document"])["anomaly"]
    assert (told["bound"], told["value"], told["history_buckets"]) == (3, 4, 46)
    events = SignalsService(world.rows, world.matches, world.rules).events(row["id"], limit=100).events
    assert len(events) == 4
    # Late events show that several countries in an hour were nothing special.
    usual = [matched(login(hour + 0.5, "AT"), rule) for hour in range(20, 40)]
    world.ingest(*usual)
    world.run()
    assert [(row["timestamp"] - BORN) // HOUR for row in world.signals(rule)] == [24]


def test_changed_message_keeps_what_was_learned_and_changed_query_does_not(
    event_store: EventStore, state: StateStore
) -> None:
    first = new_country("lea-aaa-aac")
    message = replace(first, version=2, message="Look at it", updated_at=BORN + 48 * HOUR)
    query = replace(
        message,
        version=3,
        queries=(replace(first.queries[0], query="source:vpn host:gate"),),
        updated_at=BORN + 99 * HOUR,
    )
    world = World(event_store, state, first)
    world.ingest(matched(login(0, "DE"), first), matched(login(30, "DE"), first))
    world.run()
    world.rules.versions |= {(first.id, 2): message, (first.id, 3): query}
    world.rules.enabled = {first.id: message}
    world.ingest(matched(login(50, "DE"), message), matched(login(51, "US"), message))
    world.run()
    assert opened(world, first) == [(2, 51, ["US"])]
    # A match that the first version wrote comes after those of the second.
    world.ingest(matched(login(40, "US"), first))
    world.run()
    assert opened(world, first) == [(1, 40, ["US"])]
    world.restart()
    world.ingest(matched(login(52, "IT"), message))
    world.run()
    assert opened(world, first) == [(1, 40, ["US"]), (2, 52, ["IT"])]
    world.rules.enabled = {first.id: query}
    world.ingest(matched(login(100, "PL"), query), matched(login(101, "NO"), query), matched(login(130, "DE"), query))
    world.run()
    assert opened(world, first) == [(1, 40, ["US"]), (2, 52, ["IT"]), (3, 130, ["DE"])]


class Instant(World):
    def baselines(self, events: Any, state: Any) -> Baselines | None:
        matches = Matches(events)
        self.made = InstantBaselines(Replay(StoredLogs(events), matches), matches, state, self.clock, self.registry)
        return self.made

    def run(self) -> None:
        while self.engine.step():
            self.made.step()


@pytest.mark.parametrize("kill_at", [None, 3])
def test_instantaneous_baseline_knows_the_stored_logs(
    event_store: EventStore, state: StateStore, kill_at: int | None
) -> None:
    """Killed anywhere while it is made, it is made again."""
    user = f"zoe{kill_at}"
    started = BORN + 100 * HOUR
    rule = new_country(f"lea-bb{kill_at if kill_at is not None else 'n'}-aaa", updated_at=started)
    instant = replace(rule, id=rule.id.replace("bb", "cc"))
    options = {"newValueOptions": rule.options.method_options["newValueOptions"] | {"instantaneousBaseline": True}}
    instant = replace(instant, options=replace(rule.options, method_options=options))
    world = Instant(event_store, state, rule, instant)
    world.now = started
    world.ingest(*((login(hour, country, user), []) for hour, country in ((10, "DE"), (90, "FR"))))
    world.ingest(*(matched(login(hour, country, user), rule, instant) for hour, country in ((101, "DE"), (102, "US"))))
    if kill_at is not None:
        world.saboteur.left = kill_at
        with pytest.raises(Killed):
            world.run()
        world.restart()
    world.run()
    assert opened(world, rule) == []  # still learning
    assert opened(world, instant) == [(1, 102, ["US"])]
    world.restart()
    world.ingest(matched(login(103, "FR", user), rule, instant), matched(login(104, "PL", user), rule, instant))
    world.run()
    assert opened(world, instant) == [(1, 102, ["US"]), (1, 104, ["PL"])]


@pytest.mark.parametrize("is_killed", [False, True])
def test_rules_do_not_wait_for_the_baseline_of_another(
    event_store: EventStore, state: StateStore, is_killed: bool
) -> None:
    user, other = f"kim{is_killed}", f"lou{is_killed}"
    suffix = "y" if is_killed else "n"
    started = BORN + 100 * HOUR
    learning = new_country(f"lea-dd{suffix}-aaa", updated_at=started, options={"instantaneousBaseline": True})
    quick = replace(new_country(f"lea-ee{suffix}-aaa", options={"learningDuration": 0}), updated_at=BORN)
    world = Instant(event_store, state, learning, quick)
    world.now = started
    world.ingest(*((login(hour, "DE", one), []) for hour in (10, 90) for one in (user, other)))
    for hour, country in ((101, "DE"), (102, "US"), (103, "FR")):
        world.ingest(*(matched(login(hour, country, one), learning, quick) for one in (user, other)))
        world.engine.step()
    world.now += 2 * REFRESH_MS
    assert world.engine.step()  # something waits, but nobody for it
    assert len(opened(world, quick)) == 4
    assert opened(world, learning) == []
    assert not world.engine.evaluator.is_behind
    assert awaited([learning, quick], world.rules.rule_at, state) == {learning.id: started}
    if is_killed:
        world.restart()
    world.run()
    assert awaited([learning, quick], world.rules.rule_at, state) == {}
    assert [hour for _, hour, _ in opened(world, learning)] == [102, 102, 103, 103]
    assert not world.engine.step()
    assert (world.progress.watermark() or 0) >= world.now - 2 * REFRESH_MS - 2_000


def test_a_baseline_that_cannot_be_made_fails_its_rule_only(event_store: EventStore, state: StateStore) -> None:
    started = BORN + 100 * HOUR
    rule = new_country("lea-ddf-aaa", updated_at=started, options={"instantaneousBaseline": True})
    rule = replace(rule, queries=(replace(rule.queries[0], query="source:vpn ("),))
    quick = new_country("lea-eef-aaa", options={"learningDuration": 0})
    world = Instant(event_store, state, rule, quick)
    world.now = started
    met = [Match(rule.id, rule.version, 0, ("pat",), "US")]
    for hour, country in ((101, "DE"), (102, "US")):
        event, found = matched(login(hour, country, "pat"), quick)
        world.ingest((event, [*found, *met]))
    world.run()
    assert [hour for _, hour, _ in opened(world, quick)] == [102]
    (failure,) = world.progress.failures()
    assert (failure.rule_id, world.metric("tocsin_baseline_errors_total")) == (rule.id, 1)


EVENTS = 70


def pure(rules: Sequence[Rule], sent: Sequence[tuple[Event, list[Match]]]) -> set[tuple[str, int, str]]:
    """Rule, version and opening event of all signals that the pure decisions find."""
    versions = {(rule.id, rule.version): rule for rule in rules}
    found = set()
    for rule in rules:
        learned = taught(lambda rule_id, version: versions.get((rule_id, version)), plan(rule))
        groups: dict[tuple[str, ...], list[MatchRow]] = {}
        for event, matches in sent:
            for match in matches:
                if match.rule_id == rule.id and match.rule_version in (rule.version, *learned.teachers):
                    row = MatchRow(event.timestamp, event.id, match.group, match.query_index, match.distinct)
                    stored = StoredMatch(match.rule_id, match.rule_version, 0, row)
                    groups.setdefault(learned.plan.signal_group(match.group), []).append(row_for(stored, rule.version))
        for rows in groups.values():
            found |= {(rule.id, rule.version, signal.opened_by) for signal in decide(learned.plan, rows)}
    return found


def raised(world: World, rules: Sequence[Rule]) -> set[tuple[str, int, str]]:
    found = set()
    for rule in {rule.id: rule for rule in rules}.values():
        for row in world.signals(rule):
            version, opening = orjson.loads(row["document"])["internal_id"].removeprefix(f"{rule.id}-").split("-", 1)
            found.add((rule.id, int(version), opening))
    return found


def test_shuffled_arrival_kills_and_versions_change_nothing(
    event_store: EventStore, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.evaluate.loading.LEARNED_TOGETHER", 2)
    monkeypatch.setattr("tocsin.evaluate.evaluator.CACHED_MATCHES", 60)
    chance = random.Random(1)
    values = new_country("lea-ddd-aaa")
    merged = new_country("lea-ddd-bbb", group=("@usr.id", "host"), group_signals_by=("host",))
    counts = too_many("lea-ddd-ccc")
    firsts = (values, merged, counts)
    seconds = tuple(replace(rule, version=2, message="Look", updated_at=BORN + 9 * DAY) for rule in firsts)
    sent = []
    hour = 0.0
    for number in range(EVENTS):
        hour += chance.choice([0, 0.001, 0.1, 0.1, 0.3, 1, 3, 10, 23.9, 24, 100])
        user, country = chance.choice(["ann", "bob", "eve"]), chance.choice(["DE", "DE", "FR", "US", "PL", "IT"])
        version = (
            firsts if number < EVENTS // 2 + chance.randint(-5, 5) else seconds
        )  # for a while, two processes matched
        sent.append(matched(login(hour, country, user, salt=number), *version))
    world = World(event_store, state, *firsts, *seconds)
    world.rules.enabled = {rule.id: rule for rule in seconds}
    delays = [(number + chance.randint(0, 20), number) for number in range(EVENTS)]
    arriving = [sent[number] for _, number in sorted(delays)]
    arriving += chance.sample(sent, 5)
    assert world.endure(arriving, chance, together=(3, 20), calls=(0, 40)) > 1
    wanted = pure([*firsts, *seconds], sent)
    assert len({(rule_id, version) for rule_id, version, _ in wanted}) == 6
    assert raised(world, firsts) == wanted


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
def test_history_in_sql_is_the_sum_of_the_matches(event_store: EventStore, data: st.DataObject) -> None:
    rule_id = f"history-{next(numbers)}"
    drawn = st.tuples(
        st.sampled_from([0, 1, HOUR - 1, HOUR, DAY, 3 * DAY]),
        st.sampled_from([("ann", "web"), ("bob", "web"), ("bob", "db")]),
        st.sampled_from([0, 1]),
        st.sampled_from([None, "x", "y"]),
        st.sampled_from([1, 1, 2, 3]),
        st.sampled_from(["in time", "late", "backfill"]),
    )
    sent = []
    rows: list[tuple[int, MatchRow]] = []
    for number, (at, group, index, distinct, version, when) in enumerate(data.draw(st.lists(drawn, max_size=25))):
        late = 0 if when == "in time" else DAY + 1
        tags = ["backfill:true"] if when == "backfill" else []
        made = Event(event_id(BORN + at, str(number).encode()), BORN + at, ingested_at=BORN + at + late, tags=tags)
        sent.append((made, [Match(rule_id, version, index, group, distinct)]))
        if when != "late" and version != 3:
            rows.append((version, MatchRow(made.timestamp, made.id, group, index, distinct)))
    world_insert(event_store, sent)
    shape = HistoryShape(data.draw(st.sampled_from([HOUR, DAY])), by_value=data.draw(st.booleans()))
    kept = data.draw(st.sampled_from([None, (1,)]))
    groups = [("ann", "web"), ("bob", "web")] if kept is None else [("web",), ("db",)]
    until = {group: BORN + data.draw(st.sampled_from([1, HOUR, DAY + 1, 4 * DAY])) for group in groups}
    since = BORN + data.draw(st.sampled_from([0, 1, HOUR]))
    found = Matches(event_store).history(rule_id, (2, 1), kept, until, since, shape)

    def group_of(row: MatchRow) -> tuple[str, ...]:
        return row.group if kept is None else (row.group[1],)

    wanted = [row for _, row in rows if since <= row.timestamp < until.get(group_of(row), 0)]
    assert sorted(found, key=repr) == sorted(summarise(wanted, shape), key=repr)


def world_insert(store: EventStore, sent: Sequence[tuple[Event, list[Match]]]) -> None:
    if sent:
        store.insert("logs", b"\n".join(encode_event(event, matches) for event, matches in sent), len(sent))
