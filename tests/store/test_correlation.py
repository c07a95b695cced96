"""Rules over signals on real stores: what they conclude follows from the signals that are there, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry
from test_evaluator import BORN, HOUR, SECOND, Killed, Sabotaged, World, event, state, threshold

from tocsin.access.actor import Actor
from tocsin.evaluate.evaluator import REFRESH_MS, Evaluator, EvaluatorMetrics
from tocsin.evaluate.feed import Feed
from tocsin.evaluate.mixed import MixedFeed, Owners
from tocsin.evaluate.mixed_repository import MixedMatches
from tocsin.evaluate.repository import Matches, Progress
from tocsin.evaluate.signal_feed import SignalFeed
from tocsin.event import Event
from tocsin.rule import Match, Rule, RuleQuery
from tocsin.rules.shape import rule_from_api
from tocsin.rules.validation import check
from tocsin.signals.engine import SignalEngine
from tocsin.signals.matching import SignalMatching
from tocsin.signals.repository import SignalRows
from tocsin.signals.service import SignalsService
from tocsin.signals.writer import SignalMetrics, SignalWriter
from tocsin.store.events import EventStore
from tocsin.store.leases import Leases
from tocsin.store.outbox import Outbox
from tocsin.store.state import StateStore
from tocsin.triage import history
from tocsin.triage.transitions import Change

__all__ = ["state"]


class Correlating(World):
    """A world whose engine evaluates rules over signals too, as `bootstrap` wires it."""

    def restart(self) -> None:
        super().restart()
        self.registry = CollectorRegistry()
        events: Any = Sabotaged(self.store, self.saboteur)
        state: Any = Sabotaged(self.state, self.saboteur)
        owners = Owners(self.rules)
        matches, rows, members = Matches(events), SignalRows(events), MixedMatches(events, owners)
        matching = SignalMatching()
        matching.use(tuple(self.rules.enabled_rules()))
        writer = SignalWriter(
            rows,
            matches,
            state,
            Outbox(state, self.clock, "test"),
            self.clock,
            triage_of=self.triage.triage_of,
            hand_over=self.triage.hand_over,
            history=history,
            metrics=SignalMetrics(self.registry),
            matching=matching,
            members=members,
        )
        evaluator = Evaluator(
            matches,
            self.progress,
            self.rules,
            writer,
            self.clock,
            EvaluatorMetrics(self.registry),
            lambda source, since, now: Feed(source, since, now, owners.is_plain),
        )
        correlator = Evaluator(
            members,
            Progress(state, f"{self.name}.signals"),
            self.rules,
            writer,
            self.clock,
            EvaluatorMetrics(self.registry, "tocsin_correlator"),
            lambda _source, since, now: MixedFeed(
                members, SignalFeed(members, lambda: writer.matched_version, since, now), now, owners
            ),
        )
        leases = Leases(state, self.clock)
        self.engine = SignalEngine(evaluator, writer, leases, self.clock, "test", self.registry, correlator=correlator)
        self.members = MixedMatches(self.store, owners)
        self.service = SignalsService(self.rows, self.matches, self.rules, members=self.members)


def correlation(rule_id: str, *conditions: tuple[str, str], **queries: Mapping[str, Any]) -> Rule:
    """A rule of type signal_correlation; `queries` by label."""
    body = {
        "type": "signal_correlation",
        "name": f"Correlation {rule_id}",
        "message": "{{@usr.id}}: {{events_matched}} signals",
        "queries": [{"name": name, "aggregation": "event_count", **query} for name, query in queries.items()],
        "cases": [{"status": status, "condition": condition} for status, condition in conditions],
        "options": {"evaluationWindow": 3600, "keepAlive": 3600, "maxSignalDuration": 86400},
    }
    return rule_from_api(body, rule_id=rule_id)


def document(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(row["document"])
    return found


DOOR = threshold("aaa-doo-001", ("low", "a > 1"), keep_alive=60, max_signal_duration=600)
SAFE = threshold("aaa-saf-001", ("medium", "a > 0"), ("high", "a > 9"), keep_alive=60, max_signal_duration=600)
BOTH = correlation(
    "ccc-bot-001",
    ("critical", "door > 0 && safe > 0"),
    door={"ruleId": DOOR.id, "correlatedByFields": ["@usr.id"], "correlatedQueryIndex": 0},
    safe={"ruleId": SAFE.id, "correlatedByFields": ["@usr.id"]},
)


def story(*rules: Rule) -> list[tuple[Event, list[Match]]]:
    """Bob opens the door and the safe; eve only the door; the safe stays shut long after bob's."""
    return [
        event(0, rule=DOOR),
        event(10, rule=DOOR),
        event(300, rule=SAFE),
        event(20, "eve", rule=DOOR),
        event(30, "eve", rule=DOOR),
        event(4000, "eve", rule=SAFE),
    ]


def test_two_signals_of_one_user_make_a_third(event_store: EventStore, state: StateStore) -> None:
    world = Correlating(event_store, state, DOOR, SAFE, BOTH)
    world.now = BORN + 2 * HOUR
    world.ingest(*story())
    world.run()
    (row,) = world.signals(BOTH)
    found = document(row)
    members = [*world.signals(DOOR), *world.signals(SAFE)]
    of_bob = sorted(signal["id"] for signal in members if document(signal)["usr"]["id"] == "bob")
    assert (row["status"], row["title"], row["message"]) == ("critical", "Correlation ccc-bot-001", "bob: 2 signals")
    assert row["timestamp"] == BORN + 300 * SECOND
    assert found["correlation"] == {"signals": of_bob, "rules": [DOOR.id, SAFE.id]}
    assert found["workflow"]["rule"]["type"] == "Signal Correlation"
    assert found["workflow"]["events_matched"] == 2
    assert (found["usr"], row["host"]) == ({"id": "bob"}, ["web-1"])
    assert "env:prod" in row["tags"] and "security:attack" in row["tags"]
    detail = orjson.loads(row["detail"])
    assert [(sample["eventId"], sample["trackKey"]) for sample in detail["samples"]] == [
        (identity, {"type": "signals"}) for identity in of_bob
    ]
    assert detail["relatedQuery"]["track"] == "signals"
    page = world.service.events(row["id"])
    assert [member.id for member in page.events] == of_bob
    assert [member.message for member in page.events] == ["Too many - case low", "Too many - case medium"]


def test_then_asks_for_the_order_of_signals(event_store: EventStore, state: StateStore) -> None:
    queries = {
        "door": {"ruleId": DOOR.id, "correlatedByFields": ["@usr.id"]},
        "safe": {"ruleId": SAFE.id, "correlatedByFields": ["@usr.id"]},
    }
    forth = correlation("ccc-the-001", ("high", "door > 0 then safe > 0"), **queries)
    back = correlation("ccc-the-002", ("high", "safe > 0 then door > 0"), **queries)
    world = Correlating(event_store, state, DOOR, SAFE, forth, back)
    world.now = BORN + 2 * HOUR
    world.ingest(*story())
    world.run()
    assert [document(row)["usr"]["id"] for row in world.signals(forth)] == ["bob"]
    assert world.signals(back) == []


def test_a_sequence_has_steps_of_signals(event_store: EventStore, state: StateStore) -> None:
    def sequence(rule_id: str, *sources: Rule) -> Rule:
        named = zip("ab", sources, strict=True)
        body = {
            "name": "In this order",
            "message": "",
            "queries": [{"name": n, "ruleId": source.id, "correlatedByFields": ["@usr.id"]} for n, source in named],
            "cases": [{"status": "high", "condition": "second > 0"}],
            "options": {
                "detectionMethod": "sequence_detection",
                "keepAlive": 3600,
                "maxSignalDuration": 86400,
                "sequenceDetectionOptions": {
                    "steps": [
                        {"name": "first", "condition": "a > 0", "evaluationWindow": 300},
                        {"name": "second", "condition": "b > 0", "evaluationWindow": 300},
                    ],
                    "stepTransitions": [{"parent": "first", "child": "second", "evaluationWindow": 600}],
                },
            },
        }
        assert check({**body, "isEnabled": True}) == []
        return rule_from_api(body, rule_id=rule_id)

    forth, back = sequence("ccc-seq-001", DOOR, SAFE), sequence("ccc-seq-002", SAFE, DOOR)
    world = Correlating(event_store, state, DOOR, SAFE, forth, back)
    world.now = BORN + 2 * HOUR
    world.ingest(*story())
    world.run()
    (row,) = world.signals(forth)
    assert (document(row)["usr"]["id"], len(document(row)["correlation"]["signals"])) == ("bob", 2)
    assert world.signals(back) == []


def test_a_superseded_member_counts_no_more(event_store: EventStore, state: StateStore) -> None:
    """A late event moves the opening of a signal: the one that was correlated is gone, its heir is correlated."""
    world = Correlating(event_store, state, DOOR, SAFE, BOTH)
    world.now = BORN + HOUR
    world.ingest(event(50, rule=DOOR), event(55, rule=DOOR), event(300, rule=SAFE))
    world.run()
    (first,) = world.signals(BOTH)
    (member,) = world.signals(DOOR)
    world.ingest(event(20, rule=DOOR))
    world.run()
    (heir,) = world.signals(DOOR)
    (second,) = world.signals(BOTH)
    assert heir["id"] != member["id"]
    assert heir["id"] in document(second)["correlation"]["signals"]
    assert member["id"] not in document(second)["correlation"]["signals"]
    assert second["id"] == first["id"]  # the safe opened it, as before


def test_a_correlation_whose_ground_is_gone_goes_too(event_store: EventStore, state: StateStore) -> None:
    """More signals than one; a late event joins them, and there is only one left."""
    twice = correlation(
        "ccc-twi-001", ("high", "d > 1"), d={"ruleId": "aaa-jo1-001", "correlatedByFields": ["@usr.id"]}
    )
    door = replace(threshold("aaa-jo1-001", ("low", "a > 0"), keep_alive=60, max_signal_duration=600))
    world = Correlating(event_store, state, door, twice)
    world.now = BORN + HOUR
    world.ingest(event(0, rule=door), event(100, rule=door))
    world.run()
    assert len(world.signals(door)) == 2
    assert len(world.signals(twice)) == 1
    world.ingest(event(50, rule=door))
    world.run()
    assert len(world.signals(door)) == 1
    assert world.signals(twice) == []


def test_correlation_follows_a_member_that_grows_but_not_what_people_do(
    event_store: EventStore, state: StateStore
) -> None:
    severe = threshold("aaa-sev-001", ("high", "a > 2"), ("low", "a > 0"))
    search = RuleQuery(
        "a", f"@workflow.rule.id:{severe.id} status:high", group_by_fields=("@usr.id",), data_source="security_signals"
    )
    high = threshold("ccc-hig-001", ("critical", "a > 0"), queries=(search,))
    world = Correlating(event_store, state, severe, high)
    world.now = BORN + HOUR
    world.ingest(event(0, rule=severe))
    world.run()
    assert world.signals(high) == []
    world.ingest(event(1, rule=severe), event(2, rule=severe))
    world.run()
    (row,) = world.signals(high)
    (member,) = world.signals(severe)
    assert document(row)["correlation"]["signals"] == [member["id"]]
    ana = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())
    world.triage.decide(member["id"], Change(state="archived", archive_reason="false_positive"), ana)
    world.run()
    world.restart()
    world.run()
    assert world.signals(high) == [row]


def test_a_member_that_only_grows_is_not_looked_at_again(event_store: EventStore, state: StateStore) -> None:
    """What differs from event to event, such as a number, is shown by the member, not by what it is a member of."""
    times = {"keep_alive": 60, "max_signal_duration": 600}
    safe = threshold("aaa-sag-001", ("high", "a > 9"), ("medium", "a > 0"), **times)
    both = correlation(
        "ccc-gro-001",
        ("critical", "safe > 0"),
        safe={"ruleId": safe.id, "correlatedByFields": ["@usr.id"], "correlatedQueryIndex": 0},
    )
    world = Correlating(event_store, state, safe, both)
    world.now = BORN + HOUR
    world.ingest(event(0, rule=safe, index=0), event(1, rule=safe, index=0, salt="b"))
    world.run()
    (before,) = world.signals(both)
    for second in range(2, 8):
        made, matches = event(second, rule=safe)
        world.ingest((replace(made, attributes={**made.attributes, "n": second}), matches))
        world.now += REFRESH_MS
        world.run()
    (member,) = world.signals(safe)
    assert document(member)["workflow"]["events_matched"] == 8
    assert document(member)["n"] == [0, *range(2, 8)]
    rebuilt = world.metric("tocsin_correlator_groups_rebuilt_total")
    assert rebuilt == 1  # when it came; not when its events began to differ
    (row,) = world.signals(both)
    assert "n" in document(before) and "n" not in document(row)
    world.ingest(event(8, rule=safe), event(9, rule=safe))  # more severe now
    world.run()
    assert world.metric("tocsin_correlator_groups_rebuilt_total") == rebuilt
    (row,) = world.signals(both)
    assert orjson.loads(row["detail"])["samples"][0]["content"]["status"] == "high"
    world.restart()
    world.ingest(event(10, rule=safe))
    world.run()
    assert world.signals(both) == [row]


def test_what_a_member_says_later_is_shown_where_it_was_before(event_store: EventStore, state: StateStore) -> None:
    """Three correlated signals, the first closed long ago: each shows the new user of its member, and no other."""
    times = {"keep_alive": 7_200, "max_signal_duration": 86_400}
    safe = threshold("aaa-lat-001", ("medium", "a > 0"), **times)
    both = replace(
        correlation(
            "ccc-lat-001",
            ("critical", "safe > 0"),
            safe={"ruleId": safe.id, "correlatedByFields": ["@usr.id"], "correlatedQueryIndex": 0},
        ),
        options=replace(BOTH.options, keep_alive=60, max_signal_duration=600),
    )
    world = Correlating(event_store, state, safe, both)
    world.now = BORN + 7 * HOUR
    world.ingest(event(0, rule=safe), event(10_800, rule=safe))
    world.run()
    world.ingest(event(21_600, rule=safe))
    world.run()
    assert len(world.signals(both)) == 3
    for at in (100, 10_950):
        made, matches = event(at, rule=safe, salt="later")
        world.ingest((replace(made, attributes={**made.attributes, "usr": {"id": "bob", "email": f"{at}"}}), matches))
        world.now += REFRESH_MS
        world.run()
    live = world.signals(both)
    assert [document(row)["usr"].get("email") for row in live] == ["100", "10950", None]
    world.restart()
    for made, matches in (event(200, rule=safe, salt="again"), event(10_990, rule=safe, salt="again")):
        world.ingest((made, matches))
    world.run()
    assert world.signals(both) == live


def test_signals_of_correlation_are_correlated_only_where_they_are_named(
    event_store: EventStore, state: StateStore
) -> None:
    everything = RuleQuery("a", "*", group_by_fields=("@usr.id",), data_source="security_signals")
    any_two = threshold(
        "ccc-any-001", ("info", "a > 1"), queries=(everything,), evaluation_window=3600, keep_alive=3600
    )
    above = correlation("ccc-abo-001", ("high", "b > 0"), b={"ruleId": BOTH.id, "correlatedByFields": ["@usr.id"]})
    world = Correlating(event_store, state, DOOR, SAFE, BOTH, any_two, above)
    world.now = BORN + 2 * HOUR
    world.ingest(*story())
    world.run()
    (both,) = world.signals(BOTH)
    (third,) = world.signals(above)
    assert document(third)["correlation"]["signals"] == [both["id"]]
    (counted,) = world.signals(any_two)
    assert document(counted)["workflow"]["events_matched"] == 2  # neither `both` nor `third` nor itself
    assert not world.engine.step()


def test_an_edited_rule_leaves_alone_what_it_concluded_before(event_store: EventStore, state: StateStore) -> None:
    newer = replace(BOTH, version=2, name="Newer")
    world = Correlating(event_store, state, DOOR, SAFE, BOTH)
    world.now = BORN + HOUR
    world.ingest(*story()[:3])
    world.run()
    (before,) = world.signals(BOTH)
    world.rules.versions[newer.id, 2] = world.rules.enabled[newer.id] = newer
    world.restart()
    world.ingest(event(310, rule=SAFE, salt="more"))  # the safe's signal grows, and is matched anew
    world.run()
    rows = {document(row)["workflow"]["rule"]["version"]: row for row in world.signals(BOTH)}
    assert rows[1]["id"] == before["id"]


@pytest.mark.parametrize(("after", "number"), [(False, 5), (False, 12), (False, 18), (True, 8), (True, 15)])
def test_killed_anywhere_it_comes_to_the_same(
    event_store: EventStore, state: StateStore, after: bool, number: int
) -> None:
    """Whatever call of a store is the last: the next process leaves the signals that an undisturbed one has."""
    world = Correlating(event_store, state, DOOR, SAFE, BOTH)
    world.now = BORN + 2 * HOUR
    sent, kills = story(), 0
    for part in (sent[::2], sent[1::2]):
        world.ingest(*part)
        world.saboteur.after, world.saboteur.left = after, number
        try:
            world.run()
        except Killed:
            kills += 1
            world.restart()
    world.saboteur.left = -1
    world.run()
    assert kills
    members = {row["id"] for rule in (DOOR, SAFE) for row in world.signals(rule)}
    (row,) = world.signals(BOTH)
    found = document(row)
    assert (row["timestamp"], row["status"], found["workflow"]["events_matched"]) == (BORN + 300_000, "critical", 2)
    assert set(found["correlation"]["signals"]) < members
    assert [len(world.signals(rule)) for rule in (DOOR, SAFE)] == [2, 2]
