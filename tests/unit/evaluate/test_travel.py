"""Impossible travel: examples of siem.md §2.17 and §13.6, and the plain definition that holds it."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from agreement import agrees
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.travel import DAY_MS, FORGET_MS, Place, distance_km, is_impossible, plan, read_place, speed_kmh
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery

MINUTE = 60_000
HOUR = 60 * MINUTE
BORN = 1_767_225_600_000

PLACES = {
    "London": (51.5142, -0.0931, "London", "United Kingdom", "81.2.69.142"),
    "Boxford": (51.75, -1.25, "Boxford", "United Kingdom", "2.125.160.216"),
    "Linkoping": (58.4167, 15.6167, "Linköping", "Sweden", "89.160.20.112"),
    "Milton": (47.2513, -122.3149, "Milton", "United States", "216.160.83.56"),
    "nowhere": (-43.0, 170.0, "", "New Zealand", "203.0.113.1"),
}


def travel(*, baseline: int | None = None, group: tuple[str, ...] = ("@usr.id",), **changes: Any) -> Rule:
    options = {"impossibleTravelOptions": {"baselineUserLocations": True, "baselineUserLocationsDuration": baseline}}
    query = RuleQuery("a", "*", aggregation="geo_data", group_by_fields=group, metrics=("@network.client.geoip",))
    return Rule(
        id="aaa-bbb-ccc",
        name="Too fast",
        message="",
        queries=(query,),
        cases=(RuleCase("high"),),
        options=RuleOptions(
            detection_method="impossible_travel",
            keep_alive=changes.pop("keep_alive", 0),
            max_signal_duration=changes.pop("maximum", 0),
            method_options=options if baseline else {},
        ),
        **changes,
    )


def access(at: float, place: str | tuple[Any, ...] | None, user: str = "bob", **more: Any) -> MatchRow:
    """An access so many hours after the beginning."""
    timestamp = BORN + round(at * HOUR)
    text = None
    if place is not None:
        names = ("latitude", "longitude", "city", "country", "ip")
        text = json.dumps(dict(zip(names, PLACES[place] if isinstance(place, str) else place, strict=True)))
    event_id = more.pop("id", f"e{timestamp:015d}")
    return MatchRow(timestamp, event_id, more.pop("group", (user,)), more.pop("query_index", 0), text)


def fired(rule: Rule, *rows: MatchRow) -> list[float]:
    """At which hours."""
    return [(signal.timestamp - BORN) / HOUR for signal in decide(plan(rule), rows)]


def north_of_london(kilometres: float) -> tuple[float, float, str, str, str]:
    latitude, longitude, *_ = PLACES["London"]
    return (latitude + kilometres / 111.19508, longitude, "North", "United Kingdom", "192.0.2.1")


def test_distances() -> None:
    def between(*points: tuple[float, float]) -> float:
        one, other = (Place(*point, "", "", "") for point in points)
        return distance_km(one, other)

    assert between((1, 2), (1, 2)) == 0
    assert between((0, 10), (0, 11)) == pytest.approx(111.195, abs=0.01)
    assert between((0, 0), (90, 0)) == pytest.approx(10_007.6, abs=0.1)
    assert between((0, 0), (0, 180)) == pytest.approx(20_015.1, abs=0.1)
    assert between((51.5074, -0.1278), (40.7128, -74.0060)) == pytest.approx(5570, abs=1)
    assert speed_kmh(1000, HOUR) == pytest.approx(1000)


def test_499_km_at_once_is_silent_and_600_km_in_half_an_hour_fires() -> None:
    """siem.md §13.6."""
    assert fired(travel(), access(0, "London"), access(0, north_of_london(499))) == []
    assert fired(travel(), access(0, "London"), access(0.5, north_of_london(600))) == [0.5]
    assert fired(travel(), access(0, "London"), access(0.65, north_of_london(600))) == []


def test_less_than_a_second_counts_as_one() -> None:
    (signal,) = decide(plan(travel()), [access(0, "London"), access(0, "Milton", id="f")])
    speed = signal.facts["impossible_travel"]["travel_speed"]
    distance = signal.facts["impossible_travel"]["travel_distance"]
    assert speed == pytest.approx(distance * 3600, rel=1e-4)


def test_what_the_signal_says() -> None:
    (signal,) = decide(plan(travel()), [access(0, "Boxford"), access(1, "London"), access(2, "Milton")])
    told = signal.facts["impossible_travel"]
    assert told["triggering_locations"] == {
        "first_location": {
            "city": "London",
            "country": "United Kingdom",
            "ip": "81.2.69.142",
            "timestamp": BORN + HOUR,
        },
        "second_location": {
            "city": "Milton",
            "country": "United States",
            "ip": "216.160.83.56",
            "timestamp": BORN + 2 * HOUR,
        },
    }
    assert told["travel_speed"] == pytest.approx(told["travel_distance"])
    assert [place["city"] for place in told["previous_locations"]] == ["Boxford", "London"]
    assert signal.events_matched == 2
    assert (signal.first_seen, signal.timestamp) == (BORN + HOUR, BORN + 2 * HOUR)


def test_an_event_without_coordinates_is_passed_over() -> None:
    assert fired(travel(), access(0, "London"), access(0.1, None), access(0.2, "Milton")) == [0.2]


def test_users_do_not_mix() -> None:
    assert fired(travel(), access(0, "London", "ana"), access(0.1, "Milton", "bob")) == []


def test_one_signal_takes_in_the_way_back_while_it_is_kept_alive() -> None:
    (signal,) = decide(
        plan(travel(keep_alive=3600, maximum=3600)),
        [access(0, "London"), access(0.2, "Milton"), access(0.4, "London"), access(0.5, "London")],
    )
    assert (signal.hits, signal.events_matched) == (2, 3)
    assert signal.closes_at == BORN + round(1.2 * HOUR) + 1


def test_a_first_place_long_ago_does_not_close_the_signal() -> None:
    rows = [access(0, "London"), access(7, "Milton"), access(7.2, "London")]
    (signal,) = decide(plan(travel(keep_alive=3600, maximum=3600)), rows)
    assert signal.hits == 2


def test_repeated_transition_is_silent_with_a_baseline() -> None:
    """siem.md §13.6."""
    rows = [access(hour, "London") for hour in (0, 30, 31)]
    rows += [access(31.5, "Milton"), access(32, "London"), access(32.5, "Milton"), access(33, "London")]
    assert fired(travel(baseline=1), *rows) == [31.5]
    assert fired(travel(), *rows) == [31.5, 32, 32.5, 33]


def test_nothing_fires_while_the_account_is_learned_and_what_was_learned_is_usual() -> None:
    rows = [access(0, "London"), access(1, "Milton"), access(2, "London"), access(30, "London"), access(30.1, "Milton")]
    assert fired(travel(baseline=1), *rows) == []
    assert fired(travel(baseline=1), *rows, access(30.2, "Linkoping"), access(30.3, "London")) == [30.2]


def test_a_place_becomes_usual_by_coming_from_there_as_long_as_learning_takes() -> None:
    rows = [access(0, "London"), access(30, "London"), access(30.1, "Milton"), access(53, "Linkoping")]
    assert fired(travel(baseline=1), *rows, access(53.1, "Milton")) == [30.1, 53.1]
    assert fired(travel(baseline=1), *rows, access(53, "nowhere", id="z"), access(54.1, "Milton")) == [30.1, 53]


def test_what_was_not_seen_for_thirty_days_is_forgotten() -> None:
    days = [access(24 * day, "London") for day in range(0, 100, 5)]
    again = 24 * 29
    assert (
        fired(travel(baseline=1), access(1, "Milton"), *days, access(again, "London"), access(again + 1, "Milton"))
        == []
    )
    later = 24 * 32
    assert fired(
        travel(baseline=1), access(1, "Milton"), *days, access(later, "London"), access(later + 1, "Milton")
    ) == [later + 1]


def test_an_account_unseen_for_thirty_days_is_learned_anew() -> None:
    rows = [access(0, "London"), access(40, "London")]
    gone = 40 + 24 * 31
    rows += [
        access(gone, "London"),
        access(gone + 1, "Milton"),
        access(gone + 30, "London"),
        access(gone + 31, "Milton"),
    ]
    assert fired(travel(baseline=1), *rows) == []


def test_matches_of_an_earlier_version_teach_but_do_not_fire() -> None:
    past = [replace_history(access(0, "London")), replace_history(access(1, "Milton"))]
    assert fired(travel(), *past) == []
    assert fired(travel(), *past, access(1.1, "London")) == [1.1]


def replace_history(row: MatchRow) -> MatchRow:
    return row._replace(is_history=True)


def test_merged_groups_compare_within_each_account() -> None:
    merged = travel(group=("@account", "@usr.id"), group_signals_by=("@account",), keep_alive=3600, maximum=3600)
    rows = [access(0, "London", group=("a", "ana")), access(0.1, "Milton", group=("a", "bob"))]
    assert decide(plan(merged), rows) == []
    (signal,) = decide(
        plan(merged),
        [*rows, access(0.2, "Milton", group=("a", "ana")), access(0.3, "London", group=("a", "bob"))],
    )
    assert (signal.group, signal.groups) == (("a",), (("a", "ana"), ("a", "bob")))
    assert signal.events_matched == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"queries": (RuleQuery("a", "*"),)}, "aggregation 'geo_data'"),
        ({"cases": ()}, "exactly one case"),
    ],
)
def test_what_cannot_be_decided_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        plan(replace(travel(), **change))


def test_texts_of_the_matcher_are_read() -> None:
    text = access(0, "London").distinct
    assert text is not None
    assert read_place(text) == Place(*PLACES["London"])


# The plain definition: every access looks at all accesses before it.


def plainly(rule: Rule, rows: list[MatchRow]) -> list[str]:
    """The events at which travel is impossible, by the words of the specification; keepAlive is 0."""
    learning = (rule.options.method_options.get("impossibleTravelOptions") or {}).get("baselineUserLocationsDuration")
    unique: dict[tuple[int, str, tuple[str, ...]], MatchRow] = {}
    for row in sorted(set(rows), key=lambda row: (row.timestamp, row.event_id, row.group, row.distinct or "")):
        if row.distinct is not None:
            unique.setdefault((row.timestamp, row.event_id, row.group), row)
    found = []
    for at, row in unique.items():
        before = [
            (other.timestamp, read_place(other.distinct or ""))
            for key, other in unique.items()
            if key < at and key[2] == at[2]
        ]
        now, here = row.timestamp, read_place(row.distinct or "")
        if not before:
            continue
        last, there = before[-1]
        if not is_impossible(distance_km(there, here), now - last):
            continue
        if learning is not None:
            length = learning * DAY_MS
            born = since([time for time, _ in before], now)
            if born is None or now < born + length:
                continue
            began = since([time for time, place in before if place.name == here.name], now)
            if began is not None and (began < born + length or began <= now - length):
                continue
            pairs = pairwise(before)
            if any(
                (left.name, right.name) == (there.name, here.name) and now - time <= FORGET_MS
                for (time, left), (_, right) in pairs
            ):
                continue
        found.append(row.event_id)
    return found


def since(times: list[int], now: int) -> int | None:
    """The beginning of the unbroken stay that lasts until now."""
    began = None
    for time in reversed(times):
        if (began or now) - time > FORGET_MS:
            break
        began = time
    return began


@st.composite
def journeys(draw: st.DrawFn) -> list[MatchRow]:
    step = st.sampled_from((0, 0.0001, 0.3, 2, 9, 20, 24, 100, 700, 721))
    hours = 0.0
    rows = []
    for number in range(draw(st.integers(1, 25))):
        hours += draw(step)
        place = draw(st.sampled_from((*PLACES, None)))
        user = draw(st.sampled_from(("ana", "bob")))
        rows.append(access(hours, place, user, id=f"e{draw(st.integers(0, 9))}-{number}"))
    return rows


@settings(max_examples=50, deadline=None)
@given(journeys(), st.sampled_from((None, 1, 2, 30)), st.data())
def test_agrees_with_the_definition_whatever_happens(
    rows: list[MatchRow], baseline: int | None, data: st.DataObject
) -> None:
    rule = travel(baseline=baseline)
    of_user = [row for row in rows if row.group == ("bob",)]
    agrees(plan(rule), of_user, data, lambda sorted_rows: plainly(rule, sorted_rows), lambda signal: signal.opened_by)


@settings(max_examples=30, deadline=None)
@given(journeys(), st.sampled_from((None, 1)), st.sampled_from((3600, 86400)), st.data())
def test_agrees_while_signals_live(
    rows: list[MatchRow], baseline: int | None, keep_alive: int, data: st.DataObject
) -> None:
    rule = travel(baseline=baseline, keep_alive=keep_alive, maximum=keep_alive)
    agrees(plan(rule), [row for row in rows if row.group == ("bob",)], data)


@settings(max_examples=20, deadline=None)
@given(journeys(), st.data())
def test_agrees_where_accounts_are_merged(rows: list[MatchRow], data: st.DataObject) -> None:
    merged = travel(group=("@org", "@usr.id"), group_signals_by=("@org",), baseline=1, keep_alive=3600, maximum=7200)
    agrees(plan(merged), [row._replace(group=("a", *row.group)) for row in rows], data)


def test_decisions_compare_by_their_facts() -> None:
    """What the property above rests on."""
    first: Decision = decide(plan(travel()), [access(0, "London"), access(0.5, "Milton")])[0]
    assert first != replace(first, facts={})
