"""Places, user agents, URLs, and where they are added (siem.md §1.4, §1.11)."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.enrich import BadDatabase, Enricher, Places, parse_url, parse_user_agent
from tocsin.enrich.countries import CONTINENTS, COUNTRIES
from tocsin.enrich.geo import PARTLY_GLOBAL, place_of
from tocsin.enrich.user_agent import user_agent_values
from tocsin.event import Event
from tocsin.query.values import flatten


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://user:pw@h.example:8443/a/b?x=1&x=2&y=%20&z#frag",
         {"scheme": "https", "host": "h.example", "port": 8443, "path": "/a/b", "hash": "frag",
          "queryString": {"x": ["1", "2"], "y": " ", "z": ""}}),
        ("/a.php?id=1%27+OR", {"path": "/a.php", "queryString": {"id": "1' OR"}}),
        ("//admin/x", {"path": "//admin/x"}),  # a request line has no host
        ("HTTP://[::1]:80/", {"scheme": "http", "host": "::1", "port": 80, "path": "/"}),
        ("h:443", {"path": "h:443"}),
        ("mailto:a@b", {"scheme": "mailto", "path": "a@b"}),
        ("*", {"path": "*"}),
        ("http://h:99999/", {"scheme": "http", "host": "h", "path": "/"}),
        ("", {}),
    ],
)  # fmt: skip
def test_parts_of_a_url(url: str, parts: dict[str, Any]) -> None:
    assert parse_url(url) == parts


@settings(deadline=None)  # the first user agent loads the patterns
@given(st.text(max_size=60))
def test_no_text_breaks_url_or_user_agent(text: str) -> None:
    parse_url(text)
    assert user_agent_values(text) == flatten(parse_user_agent(text))
    assert parse_user_agent(text).keys() == {"os", "browser", "device"}


def test_what_is_parsed_once_is_not_shared() -> None:
    parse_url("/a?x=1&x=2")["queryString"]["x"].append("3")
    parse_user_agent("curl/8.0")["os"]["family"] = "changed"
    assert parse_url("/a?x=1&x=2")["queryString"] == {"x": ["1", "2"]}
    assert parse_user_agent("curl/8.0")["os"] == {"family": "Other"}


@pytest.mark.parametrize(
    ("agent", "browser", "system", "category"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox", "Linux", "Desktop"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 "
         "Mobile/15E148 Safari/604.1", "Mobile Safari", "iOS", "Mobile"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot", "Other", "Bot"),
        ("what is this", "Other", "Other", "Other"),
    ],
)  # fmt: skip
def test_user_agents(agent: str, browser: str, system: str, category: str) -> None:
    found = parse_user_agent(agent)
    assert (found["browser"]["family"], found["os"]["family"], found["device"]["category"]) == (
        browser,
        system,
        category,
    )


def test_both_kinds_of_database_records_are_understood() -> None:
    assert place_of({"country_code": "GB", "city": "London", "state1": "England", "latitude": 51.5, "longitude": -0.1,
                     "timezone": "Europe/London"}) == {
        "country": {"iso_code": "GB", "name": "United Kingdom"},
        "continent": {"code": "EU", "name": "Europe"},
        "subdivision": {"name": "England"},
        "city": {"name": "London"},
        "location": {"latitude": 51.5, "longitude": -0.1},
        "timezone": "Europe/London",
    }  # fmt: skip
    assert place_of(
        {
            "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
            "continent": {"code": "EU", "names": {"en": "Europe"}},
            "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
            "city": {"names": {"en": "London"}},
            "location": {"latitude": 51.5, "longitude": -0.1, "time_zone": "Europe/London"},
        }
    ) == {
        "country": {"iso_code": "GB", "name": "United Kingdom"},
        "continent": {"code": "EU", "name": "Europe"},
        "subdivision": {"name": "England", "iso_code": "GB-ENG"},
        "city": {"name": "London"},
        "location": {"latitude": 51.5, "longitude": -0.1},
        "timezone": "Europe/London",
    }
    assert place_of({"autonomous_system_number": 1221, "autonomous_system_organization": "Telstra"}) == {
        "as": {"number": "AS1221", "name": "Telstra"}
    }
    assert place_of({"country": {"iso_code": "QQ", "names": {"en": "Nowhere"}}})["country"] == {
        "iso_code": "QQ",
        "name": "Nowhere",
    }
    assert place_of({}) == {}


def test_every_country_has_a_continent() -> None:
    assert {continent for _, continent in COUNTRIES.values()} == CONTINENTS.keys()


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_which_networks_hold_addresses_that_are_not_global_is_told_by_their_first_number(address: IPv4Address) -> None:
    assert address.is_global or str(address).partition(".")[0] in PARTLY_GLOBAL


def test_without_a_database_every_place_is_empty_and_one_warning_says_so(tmp_path: Path) -> None:
    assert Places().place("8.8.8.8") == {}
    assert not Places().has_cities
    assert "no place database" in str(Places().warning)
    missing = Places([tmp_path / "none.mmdb"])
    assert missing.place("8.8.8.8") == {}
    assert "none.mmdb" in str(missing.warning)


def test_a_broken_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(b"nonsense")
    with pytest.raises(BadDatabase, match=r"x\.mmdb"):
        Places([tmp_path / "x.mmdb"])


def test_context_is_added_where_it_is_missing() -> None:
    asked: list[str] = []

    def place(address: str) -> dict[str, Any]:
        asked.append(address)
        return {"country": {"iso_code": "GB"}}

    event = Event(
        "",
        0,
        attributes={
            "network": {"client": {"ip": "81.2.69.142"}, "destination": {"ip": "8.8.8.8", "geoip": {}}},
            "http": {"url": "/a?x=1", "useragent": "curl/8.0", "useragent_details": {"mine": True}},
        },
    )
    values = flatten(event.attributes)
    Enricher(place).enrich(event, values)
    assert values == flatten(event.attributes), "the matcher reads what the event says"
    assert asked == ["81.2.69.142"]
    assert event.attributes == {
        "network": {
            "client": {"ip": "81.2.69.142", "geoip": {"country": {"iso_code": "GB"}}},
            "destination": {"ip": "8.8.8.8", "geoip": {}},
        },
        "http": {
            "url": "/a?x=1",
            "useragent": "curl/8.0",
            "useragent_details": {"mine": True},
            "url_details": {"path": "/a", "queryString": {"x": "1"}},
        },
    }


@pytest.mark.parametrize("attributes", [{}, {"network": 1}, {"network": {"client": []}}, {"http": {"url": 5}}])
def test_what_has_another_shape_is_left_alone(attributes: dict[str, Any]) -> None:
    event = Event("", 0, attributes=dict(attributes))
    Enricher(lambda address: {"x": 1}).enrich(event)
    assert event.attributes == attributes
