"""Suppressions in a live engine: what is hidden stays hidden, what is shown stays shown (siem.md §5.2)."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from test_evaluator import BORN, SECOND, World, event, threshold

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.config import Config
from tocsin.explore.service import ExploreService, Filter
from tocsin.query import Sql
from tocsin.query.track import SUPPRESSED
from tocsin.rule import Rule, RuleQuery
from tocsin.signals.repository import SignalRows
from tocsin.store.events import EventStore, open_event_store
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import StateStore
from tocsin.suppressions.exclusions import MAX_RULES, Exclusions
from tocsin.suppressions.preview import Previews
from tocsin.suppressions.service import StaleSuppression, SuppressionNotFound, SuppressionsService
from tocsin.suppressions.validation import InvalidSuppression
from tocsin.triage.transitions import Change

ANA = Actor("11111111-0000-4000-8000-000000000001", 1, "ana@example.com", "Ana", frozenset())


class Hiding:
    """A world of one rule, and the service of suppressions beside it."""

    def __init__(self, events: EventStore, state: StateStore, rule: Rule) -> None:
        self.rule = rule
        self.world = World(events, state, rule, name=rule.id)
        self.service = SuppressionsService(
            state, AuditTrail(self.world.clock), self.world.clock, FoundRules(rule), new_id=new_id
        )
        self.hidden_rows = SignalRows(events, SUPPRESSED)

    def run(self, *events: Any) -> None:
        if events:
            self.world.ingest(*events)
        self.world.suppressions = self.service.present()
        self.world.run()

    def restart(self) -> None:
        self.world.restart()

    def suppress(self, query: str = "@usr.id:bob", **more: Any) -> str:
        self.world.now += 1
        attributes = {"name": "agreed", "enabled": True, "rule_query": f"ruleId:{self.rule.id}"}
        return self.service.create({**attributes, "suppression_query": query, **more}, ANA).id

    @property
    def shown(self) -> list[tuple[str, int]]:
        return [told(row) for row in self.world.signals(self.rule)]

    @property
    def hidden(self) -> list[tuple[str, int]]:
        return [told(row) for row in self.hidden_documents()]

    def hidden_documents(self) -> list[dict[str, Any]]:
        sql = Sql("SELECT id FROM suppressed FINAL WHERE rule_id = {rule:String}", {"rule": self.rule.id})
        rows = self.hidden_rows.rows(row["id"] for row in self.world.store.query(sql))
        return [rows[name] for name in sorted(rows)]


class FoundRules:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def get(self, rule_id: str) -> Rule:
        return self.rule

    def check_unsaved(self, body: Any) -> Rule:
        return self.rule


def told(row: dict[str, Any]) -> tuple[str, int]:
    """Status and events matched."""
    return row["status"], orjson.loads(row["document"])["workflow"]["events_matched"]


def new_id() -> str:
    return "-".join(f"{random.randrange(1000):03d}" for _ in range(3))


numbers = iter(range(1000))
elapsed: list[int] = []


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """One store for all tests here: each has a rule of its own."""
    folder = tmp_path_factory.mktemp("suppressions")
    store = open_event_store(Config(data=folder, logs_retention_days=0, signals_retention_days=0))
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def hiding(embedded: EventStore, tmp_path: Path) -> Iterator[Hiding]:
    yield from hiding_in(embedded, tmp_path)


@pytest.fixture
def hiding_on_cluster(event_store: EventStore, tmp_path: Path) -> Iterator[Hiding]:
    yield from hiding_in(event_store, tmp_path)


def hiding_in(events: EventStore, folder: Path) -> Iterator[Hiding]:
    state = StateStore(f"sqlite:///{folder / 'state.db'}")
    state.migrate()
    made = Hiding(events, state, threshold(f"sup-{next(numbers):03d}-aaa", ("high", "a > 3"), ("low", "a > 1")))
    made.world.now += sum(elapsed)  # no world looks back at what another has stored
    begun = made.world.now
    yield made
    elapsed.append(made.world.now - begun + 60 * SECOND)
    state.close()


@pytest.mark.parametrize("event_store", [pytest.param("cluster", marks=pytest.mark.cluster)], indirect=True)
def test_the_same_on_a_cluster(hiding_on_cluster: Hiding) -> None:
    test_it_grows_hidden_and_never_resurfaces(hiding_on_cluster)
    hiding = hiding_on_cluster
    hiding.world.now = BORN + 3600 * SECOND
    previews = Previews(hiding.world.store, hiding.world.clock, lambda query: [hiding.rule])
    preview = previews.preview({"rule_query": "*", "suppression_query": "@usr.id:bob", "data_exclusion_query": "*"})
    assert (preview.hidden, preview.total, preview.excluded_events) == (1, 1, 7)
    (first, *_) = hiding.hidden_documents()
    (suppression,) = orjson.loads(first["document"])["workflow"]["suppression"]["id"]
    assert sum(count.count for count in previews.hidden(suppression)) == 1


def test_a_matching_signal_is_hidden_and_stays_searchable(hiding: Hiding) -> None:
    rule = hiding.rule
    suppression = hiding.suppress()
    hiding.run(event(1, rule=rule), event(2, rule=rule), event(1, "eve", rule=rule), event(2, "eve", rule=rule))
    assert (hiding.shown, hiding.hidden) == ([("low", 2)], [("low", 2)])
    (row,) = hiding.hidden_documents()
    document = orjson.loads(row["document"])
    assert document["usr"] == {"id": "bob"}
    assert document["workflow"]["suppression"] == {
        "id": [suppression],
        "name": ["agreed"],
        "version": [1],
        "hides": "signal",
        "since": document["workflow"]["suppression"]["since"],
    }
    explore = ExploreService(hiding.world.store, hiding.world.clock)
    query = f"@workflow.suppression.id:{suppression} @usr.id:bob"
    page = explore.search(explore.scope("suppressed", Filter(query, BORN, BORN + 3600 * SECOND)))
    assert [found["id"] for found in page.events] == [row["id"]]
    assert explore.event("suppressed", row["id"])["attributes"]["custom"]["samples"]
    assert hiding.world.metric("tocsin_signals_hidden_total") == 1


def test_it_grows_hidden_and_never_resurfaces(hiding: Hiding) -> None:
    rule = hiding.rule
    suppression = hiding.suppress()
    hiding.run(event(1, rule=rule), event(2, rule=rule))
    hiding.world.now += 1000
    hiding.service.delete(suppression, ANA)
    hiding.run(event(3, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([], [("low", 3)])
    hiding.restart()
    hiding.run(event(4, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([], [("high", 4)])
    hiding.restart()
    hiding.run(event(0.5, rule=rule, salt="late"))  # another event opens the signal now: it has another id
    assert (hiding.shown, hiding.hidden) == ([], [("high", 5)])
    hiding.run(event(900, rule=rule), event(901, rule=rule))  # the next signal is nobody's business any more
    assert (hiding.shown, hiding.hidden) == ([("low", 2)], [("high", 5)])


def test_it_expires_by_the_clock_and_begins_by_it(hiding: Hiding) -> None:
    rule, now = hiding.rule, hiding.world.now
    hiding.suppress(start_date=now + 60_000, expiration_date=now + 120_000)
    hiding.run(event(1, rule=rule), event(2, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([("low", 2)], [])
    hiding.world.now = now + 61_000
    hiding.run(event(1, "eve", rule=rule), event(2, "eve", rule=rule))
    hiding.run(event(400, rule=rule), event(401, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([("low", 2)] * 2, [("low", 2)])
    hiding.world.now = now + 120_000
    hiding.run(event(800, rule=rule), event(801, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([("low", 2)] * 3, [("low", 2)])


def test_what_is_shown_remains_and_only_stops_growing(hiding: Hiding) -> None:
    rule = hiding.rule
    hiding.run(event(1, rule=rule), event(2, rule=rule))
    (before,) = hiding.world.signals(rule)
    hiding.world.triage.decide(before["id"], Change(state="under_review"), ANA)
    suppression = hiding.suppress()
    hiding.run(event(3, rule=rule), event(4, rule=rule))
    (after,) = hiding.world.signals(rule)
    assert told(after) == ("low", 2)
    assert (hiding.hidden, after["id"]) == ([("high", 4)], hiding.hidden_documents()[0]["id"])
    assert orjson.loads(hiding.hidden_documents()[0]["document"])["workflow"]["suppression"]["hides"] == "update"
    hiding.restart()
    hiding.service.update(suppression, {"enabled": False}, ANA)
    hiding.world.now += 10
    hiding.run(event(5, rule=rule))  # the growth was hidden since then, and stays so
    assert (hiding.shown, hiding.hidden) == ([("low", 2)], [("high", 5)])
    assert hiding.world.triage.triage_of([before["id"]])[before["id"]].state == "under_review"


def test_what_takes_the_place_of_a_shown_signal_is_shown(hiding: Hiding) -> None:
    rule = hiding.rule
    hiding.run(event(50, rule=rule), event(55, rule=rule))
    (before,) = hiding.world.signals(rule)
    hiding.world.triage.decide(before["id"], Change(state="under_review"), ANA)
    hiding.suppress()
    hiding.run(event(45, rule=rule, salt="late"))
    (after,) = hiding.world.signals(rule)
    assert (after["id"] != before["id"], hiding.hidden) == (True, [])
    assert hiding.world.triage.triage_of([after["id"]])[after["id"]].state == "under_review"


def test_a_signal_that_becomes_another_is_shown(hiding: Hiding) -> None:
    rule = hiding.rule
    hiding.suppress("status:low")
    hiding.run(event(1, rule=rule), event(2, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([], [("low", 2)])
    hiding.run(event(3, rule=rule), event(4, rule=rule))  # nobody agreed to hide a high one
    assert (hiding.shown, hiding.hidden) == ([("high", 4)], [])
    (row,) = hiding.world.signals(rule)
    assert row["ingested_at"] == orjson.loads(row["document"])["discovery_timestamp"]


def test_killed_anywhere_it_decides_the_same(hiding: Hiding) -> None:
    """The same signals are hidden, however often the process is killed between two calls to the stores."""
    rule = hiding.rule
    hiding.suppress()
    sent = [event(second, user, rule=rule) for second in range(1, 5) for user in ("bob", "eve")]
    hiding.world.ingest(*sent)
    hiding.world.suppressions = hiding.service.present()
    kills = 0
    for left in range(0, 40, 3):
        hiding.world.saboteur.left = left
        try:
            hiding.world.run()
        except BaseException as killed:
            if type(killed).__name__ != "Killed":
                raise
            kills += 1
            hiding.restart()
        else:
            break
    hiding.restart()
    hiding.run()
    assert kills > 3
    assert (hiding.shown, hiding.hidden) == ([("high", 4)], [("high", 4)])


def test_other_rules_are_none_of_its_business(hiding: Hiding) -> None:
    rule = hiding.rule
    hiding.suppress("*", rule_query="ruleId:other")
    hiding.suppress("*", rule_query="type:cloud_configuration")
    hiding.suppress("*", enabled=False, rule_query="*")
    hiding.run(event(1, rule=rule), event(2, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([("low", 2)], [])
    hiding.suppress("security:attack", rule_query="type:log_detection severity:high")
    hiding.run(event(400, rule=rule), event(401, rule=rule))
    assert (hiding.shown, hiding.hidden) == ([("low", 2)], [("low", 2)])


def test_a_preview_counts_what_is_stored(hiding: Hiding) -> None:
    rule = hiding.rule
    hiding.run(*(event(second, user, rule=rule) for user in ("bob", "eve", "kim") for second in (1, 2)))
    (bob,) = [row for row in hiding.world.signals(rule) if orjson.loads(row["document"])["usr"]["id"] == "bob"]
    archived = Change(state="archived", archive_reason="true_positive_malicious")
    hiding.world.triage.decide(bob["id"], archived, ANA)
    hiding.run()
    previews = Previews(hiding.world.store, hiding.world.clock, lambda query: [rule])
    attributes = {"rule_query": "*", "suppression_query": "@usr.id:(bob OR eve)", "data_exclusion_query": "@usr.id:eve"}
    preview = previews.preview(attributes)
    assert (preview.hidden, preview.total, preview.true_positives) == (2, 3, 1)
    assert preview.archived == {"true_positive_malicious": 1}
    assert len(preview.examples) == 2
    assert (preview.excluded_events, preview.matched_events) == (2, 6)
    assert [caution.code for caution in preview.warnings] == ["true_positives", "no_expiry"]
    nearly_all = previews.preview({"rule_query": "*", "suppression_query": "*", "expiration_date": 1})
    assert [caution.code for caution in nearly_all.warnings] == ["nearly_all", "true_positives"]
    assert "3 of 3 signals of 'Too many'" in nearly_all.warnings[0].message


def test_what_was_hidden_is_counted_by_rule_and_hour(hiding: Hiding) -> None:
    rule = hiding.rule
    suppression = hiding.suppress()
    hiding.run(event(1, rule=rule), event(2, rule=rule))
    hiding.world.now += 2 * 3600 * SECOND
    hiding.run(event(7000, rule=rule), event(7001, rule=rule), event(7600, rule=rule), event(7601, rule=rule))
    previews = Previews(hiding.world.store, hiding.world.clock, lambda query: [rule])
    counts = previews.hidden(suppression)
    assert [(count.rule_id, count.hides, count.count) for count in counts] == [
        (rule.id, "signal", 1),
        (rule.id, "signal", 2),
    ]
    assert counts[1].hour - counts[0].hour == 2 * 3600 * SECOND


def test_changes_are_versions_and_audit_events(hiding: Hiding) -> None:
    service, world = hiding.service, hiding.world
    made = service.create(
        {"name": "n", "enabled": True, "rule_query": "*", "suppression_query": "a", "start_date": 5, "tags": ["x:y"]},
        ANA,
    )
    assert (made.version, made.body["creator"]) == (1, {"handle": "ana@example.com", "name": "Ana"})
    changed = service.update(made.id, {"start_date": None, "name": None, "suppression_query": "b"}, ANA, version=1)
    assert "start_date" not in changed.body
    assert (changed.body["name"], changed.body["tags"], changed.version) == ("n", ["x:y"], 2)
    with pytest.raises(StaleSuppression, match="you saw version 1, it is at version 2"):
        service.update(made.id, {"name": "m"}, ANA, version=1)
    with pytest.raises(InvalidSuppression, match="suppression_query or data_exclusion_query is needed"):
        service.update(made.id, {"suppression_query": ""}, ANA)
    count, versions = service.history(made.id, 10, 0)
    assert (count, [version.version for version in versions]) == (2, [2, 1])
    assert versions[0].changes == [
        {"type": "update", "field": "suppression_query", "change": "a → b"},
        {"type": "delete", "field": "start_date", "change": "5"},
    ]
    service.delete(made.id, ANA)
    with pytest.raises(SuppressionNotFound):
        service.get(made.id)
    told: list[Message] = []
    Outbox(world.state, world.clock, "test").drain("audit", told.extend)
    mine = [message.payload for message in told if message.key == made.id]
    assert [entry["attributes"]["action"] for entry in mine] == ["created", "modified", "deleted"]
    assert mine[1]["attributes"]["asset"]["prev_value"]["suppression_query"] == "a"
    assert mine[1]["attributes"]["asset"]["new_value"]["suppression_query"] == "b"


def test_excluded_events_are_counted_while_the_exclusion_is_in_force(hiding: Hiding) -> None:
    service, world, rule = hiding.service, hiding.world, hiding.rule
    host = f"host-{rule.id}"
    looking = replace(rule, name="Looks at bob", queries=(RuleQuery("a", "@usr.id:bob"), RuleQuery("b", "@usr.id:eve")))
    broken = replace(rule, id="bro-ken-001", queries=(RuleQuery("a", "@usr.id:["),))

    def ingest(*users: str) -> None:
        made = [event(number, user) for number, user in enumerate(users)]
        world.ingest(*((replace(one, host=host), matches) for one, matches in made))

    ingest("bob")  # before
    made = hiding.suppress("", data_exclusion_query=f"host:{host}")
    ingest("bob", "eve", "mallory")
    world.now += 3_600_000
    ingest("eve")
    service.update(made, {"enabled": False}, ANA)
    ingest("bob")  # after
    exclusions = Exclusions(world.store, world.clock, service.present, lambda query: [looking, broken])
    found = exclusions.excluded(made, days=1)
    assert (found.events, [count for _, count in found.hours]) == (4, [3, 1])
    assert found.hours[1][0] - found.hours[0][0] == 3_600_000
    assert found.by_rule is not None
    assert [(one.rule_name, one.events) for one in found.by_rule] == [("Looks at bob", 3), (rule.name, 0)]
    (period,) = found.periods
    assert (period.query, period.end) == (f"host:{host}", service.present().versions_excluding(made)[1].since)
    crowd = [replace(rule, id=f"r-{number}") for number in range(MAX_RULES + 1)]
    many = Exclusions(world.store, world.clock, service.present, lambda query: crowd).excluded(made, days=1)
    assert (many.events, many.rules_in_scope, many.by_rule) == (4, MAX_RULES + 1, None)
    other = hiding.suppress("a")
    assert exclusions.excluded(other).events == 0


def test_exclusions_are_news_when_they_change_or_the_clock_changes_them(hiding: Hiding) -> None:
    service, world, rule = hiding.service, hiding.world, hiding.rule
    news: list[tuple[str, ...]] = []
    service.on_exclusions(lambda: news.append(service.exclusions(rule)))
    hiding.suppress("a")
    assert news == []
    end = world.now + 60_000
    hiding.suppress("", data_exclusion_query="env:test", expiration_date=end, start_date=world.now + 1_000)
    assert news == []
    world.now += 2_000
    assert service.poll()
    world.now = end
    assert service.poll() and not service.poll()
    assert news == [("env:test",), ()]
