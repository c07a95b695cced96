"""What matches carry for the methods that need more of an event than its group."""

import json
from pathlib import Path
from typing import Any

import pytest

from tocsin.enrich.geo import Places
from tocsin.event import Event
from tocsin.match.matcher import Matcher
from tocsin.match.texts import MAX_CONTENT, content, linked_fields, place, reading
from tocsin.query.track import LOGS
from tocsin.rule import CONTENT_ANOMALY, Rule, RuleCase, RuleOptions, RuleQuery

GEOIP = Path(__file__).parents[4] / "shared/data/geoip/GeoLite2-City-Test.mmdb"

PLACE = {"location": {"latitude": 51.5, "longitude": "-0.1"}, "city": {"name": "London"}, "country": {"iso_code": "GB"}}


def event(**attributes: Any) -> Event:
    return Event("e1", 1, source="okta", host="web-1", attributes=attributes)


def client(geoip: Any, ip: str = "81.2.69.142") -> Event:
    return event(network={"client": {"ip": ip, "geoip": geoip}})


def test_place() -> None:
    read = reading(place("@network.client.geoip"), LOGS)
    (text,) = read(client(PLACE))
    assert json.loads(text) == {
        "latitude": 51.5,
        "longitude": -0.1,
        "city": "London",
        "country": "GB",
        "ip": "81.2.69.142",
    }


@pytest.mark.parametrize(
    "geoip",
    [
        {},
        {"country": {"name": "Sweden"}},
        {"location": {"latitude": 51.5}},
        {"location": {"latitude": 91, "longitude": 0}},
        {"location": {"latitude": True, "longitude": 0}},
        {"location": {"latitude": "x", "longitude": 0}},
    ],
)
def test_no_place_without_coordinates(geoip: Any) -> None:
    assert reading(place("@network.client.geoip"), LOGS)(client(geoip)) == []


@pytest.mark.shared
@pytest.mark.skipif(not GEOIP.is_file(), reason="no database of places beside the checkout")
def test_places_of_a_city_database() -> None:
    places = Places([GEOIP])
    read = reading(place("@network.client.geoip"), LOGS)
    (text,) = read(client(places.place("89.160.20.112")))
    found = json.loads(text)
    assert (found["city"], found["country"]) == ("Linköping", "Sweden")
    assert (round(found["latitude"]), round(found["longitude"])) == (58, 16)


def test_content_is_all_values_cut() -> None:
    read = reading(content(("@cmd", "@args", "host")), LOGS)
    assert read(event(cmd="curl", args=["-s"])) == ["curl\x1f-s\x1fweb-1"]
    assert reading(content(("@cmd",)), LOGS)(event()) == []
    assert len(read(event(cmd="x" * 9_999))[0]) == MAX_CONTENT


def sequence(*fields: tuple[str, ...]) -> Rule:
    steps = [{"name": f"s{number}", "condition": f"q{number} > 0"} for number in range(len(fields))]
    transitions = [{"parent": f"s{number}", "child": f"s{number + 1}"} for number in range(len(fields) - 1)]
    return Rule(
        id="aaa-bbb-ccc",
        name="n",
        message="",
        queries=tuple(
            RuleQuery(f"q{number}", "*", group_by_fields=of, name=f"q{number}") for number, of in enumerate(fields)
        ),
        cases=(RuleCase("low", "s1 > 0"),),
        options=RuleOptions(
            detection_method="sequence_detection",
            method_options={"sequenceDetectionOptions": {"steps": steps, "stepTransitions": transitions}},
        ),
    )


def test_a_step_hands_on_what_the_next_one_groups_by() -> None:
    rule = sequence(("@usr.email",), ("@ip", "@usr.email"), ("@usr.id",))
    assert [linked_fields(rule, f"q{number}") for number in range(3)] == [("@ip",), ("@usr.id",), ()]
    matches = Matcher([rule]).match(event(usr={"email": "a@x", "id": 7}, ip=["10.0.0.1", "10.0.0.2"]))
    first, *others = [(match.query_index, match.group, match.distinct) for match in matches]
    assert first[:2] == (0, ("a@x",))
    assert sorted(json.loads(first[2] or "")["@ip"]) == ["10.0.0.1", "10.0.0.2"]
    assert sorted(others) == [
        (1, ("10.0.0.1", "a@x"), '{"@usr.id":["7"]}'),
        (1, ("10.0.0.2", "a@x"), '{"@usr.id":["7"]}'),
        (2, ("7",), None),
    ]


def test_steps_with_equal_fields_hand_on_nothing() -> None:
    matches = Matcher([sequence(("@usr.id",), ("@usr.id",))]).match(event(usr={"id": 7}))
    assert [match.distinct for match in matches] == [None, None]


def test_content_anomaly_carries_the_content_of_its_metrics() -> None:
    rule = Rule(
        "aaa-bbb-ccc",
        "n",
        "",
        (RuleQuery("a", "*", metrics=("@cmd",)),),
        (RuleCase("low", "a > 0"),),
        RuleOptions(detection_method=CONTENT_ANOMALY),
    )
    assert [match.distinct for match in Matcher([rule]).match(event(cmd="curl x"))] == ["curl x"]
    assert [match.distinct for match in Matcher([rule]).match(event())] == [None]
