"""Automatic IP collection (siem.md §1.7)."""

import ipaddress
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.normalise.addresses import ADDRESSES, add_addresses, addresses_in, collect
from tocsin.query.values import flatten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9", ["203.0.113.9"]),
        ("from 203.0.113.9.", ["203.0.113.9"]),
        ("203.0.113.9:8080, [2001:DB8::1]:443", ["203.0.113.9", "2001:db8::1"]),
        ("10.0.0.0/8 and fd00::/8", ["10.0.0.0", "fd00::"]),
        ("10.0.0.1-10.0.0.9", ["10.0.0.1", "10.0.0.9"]),
        ("::ffff:203.0.113.9", ["203.0.113.9"]),
        ("0:0:0:0:0:ffff:203.0.113.9", ["203.0.113.9"]),
        ("64:ff9b::203.0.113.9", ["64:ff9b::cb00:7109"]),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", ["2001:db8::1"]),
        ("fe80::1%eth0", ["fe80::1"]),
        ("::", ["::"]),
        ("::1", ["::1"]),
        ("http://203.0.113.9/x", ["203.0.113.9"]),
        ("host-a/10.0.0.1:8080", ["10.0.0.1"]),
        ("1.1.1.1 2.2.2.2 1.1.1.1", ["1.1.1.1", "2.2.2.2"]),
        ("x=203.0.113.9;", ["203.0.113.9"]),
        # not addresses
        ("1.2.3", []),
        ("1.2.3.4.5", []),
        ("1.2.3.456", []),
        ("01.2.3.4", []),
        ("v1.2.3.4", []),
        ("1.2.3.4a", []),
        ("a_1.2.3.4", []),
        ("1.2.3.4.example.com", []),
        ("Chrome/120.0.0.0 Safari/537.36", []),
        ("version 1.2.3.4", []),
        ("Version: 10.0.0.1", []),
        ("12:30:45", []),
        ("00:1b:44:11:3a:b7", []),
        ("std::vector<int>", []),
        ("Foo :: Bar", []),
        ("arn:aws:iam::123456789012:root", []),
        ("arn:aws:s3:::bucket", []),
        ("1::2::3", []),
        ("1:2:3:4:5:6:7:8:9", []),
        ("", []),
        (":", []),
    ],
)  # fmt: skip
def test_addresses_of_a_text(text: str, expected: list[str]) -> None:
    assert list(addresses_in(text)) == expected


def test_places_are_named() -> None:
    event = Event(
        "",
        0,
        message="login from 203.0.113.9",
        tags=["peer:198.51.100.7"],
        attributes={
            "req_headers": {"x-forwarded-for": "203.0.113.9, 192.0.2.1"},
            "hosts": [{"ip": "203.0.113.9"}, "192.0.2.44"],
            "agentVersion": "1.2.3.4",
            "network": {"client": {"ip": "203.0.113.9"}},
        },
    )
    add_addresses(event)
    found = event.attributes["network"]["ip"]
    assert found["list"] == ["203.0.113.9", "198.51.100.7", "192.0.2.1", "192.0.2.44"]
    assert found["attributes"][0] == {
        "ip": "203.0.113.9",
        "source": ["@message", "@req_headers", "@hosts", "@network"],
        "paths": ["message", "req_headers.x-forwarded-for", "hosts.ip", "network.client.ip"],
    }
    assert found["attributes"][1] == {"ip": "198.51.100.7", "source": ["@tags"], "paths": ["tags.peer"]}
    again = [address for address, _, _ in collect(event, flatten(event.attributes))]
    assert again == found["list"], "what was collected is not collected from"


def test_no_more_than_the_cap() -> None:
    event = Event("", 0, message=" ".join(f"10.0.{n // 250}.{n % 250}" for n in range(300)))
    add_addresses(event)
    assert len(event.attributes["network"]["ip"]["list"]) == ADDRESSES


@pytest.mark.parametrize(
    "attributes",
    [
        {"from": "203.0.113.9"},
        {"network": {"client": {"ip": "203.0.113.9"}, "ip": "198.51.100.7"}},
        {"network": {"client": {"ip": "203.0.113.9"}, "ip": {"list": ["192.0.2.1"], "more": 1}}},
        {"network": {"client": {"ip": "203.0.113.9"}}, "network.ip.list": "192.0.2.1"},
        {"a": {"agentVersions": "203.0.113.9", "agentVersion": ["203.0.113.9"]}},
    ],
)
def test_the_values_by_path_learn_what_is_added(attributes: dict[str, Any]) -> None:
    event = Event("", 0, message="from 203.0.113.10", attributes=attributes)
    values = flatten(attributes)
    add_addresses(event, values)
    assert by_path(values) == by_path(flatten(event.attributes))
    assert "192.0.2.1" not in event.attributes["network"]["ip"]["list"], "what was collected is not collected from"


def by_path(values: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {path: sorted(map(repr, found)) for path, found in values.items()}


def test_a_top_level_name_may_have_dots() -> None:
    event = Event("", 0, attributes={"a.b": "203.0.113.9", "c.d": {"e": "203.0.113.9"}, "f": {"g": "203.0.113.9"}})
    assert collect(event, flatten(event.attributes)) == [
        ("203.0.113.9", ["@a.b", "@c.d", "@f"], ["a.b", "c.d.e", "f.g"])
    ]


def test_a_network_that_is_no_object_stays_as_it_is() -> None:
    event = Event("", 0, attributes={"network": "10.0.0.0/8"})
    add_addresses(event)
    assert event.attributes == {"network": "10.0.0.0/8"}


ADDRESSES_OF_ANY_KIND = st.ip_addresses().filter(lambda a: a.version == 4 or a != ipaddress.ip_address("::"))
LEAVES = st.none() | st.booleans() | st.integers(0, 10**6) | st.text(st.characters(codec="utf-8"), max_size=8)
KEYS = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6).filter(
    lambda key: not key.lower().endswith("version") and key != "ip"
)
OBJECTS = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | st.lists(inner | LEAVES, max_size=3), max_size=3),
    max_leaves=8,
)
AROUND = st.sampled_from(["", " ", "(", "=", "from ", "[", "\t", ",", '"'])
AFTER = st.sampled_from(["", " ", ")", "]", ", ", "/24", " port 22", '"', ";"])


@given(OBJECTS, ADDRESSES_OF_ANY_KIND, AROUND, AFTER, st.lists(KEYS, min_size=1, max_size=4))
def test_a_planted_address_is_found(
    attributes: dict[str, Any],
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
    before: str,
    after: str,
    path: list[str],
) -> None:
    node: dict[str, Any] = {}
    attributes = attributes | {"planted": node}
    for key in path[:-1]:
        node[key] = {}
        node = node[key]
    node[path[-1]] = [f"{before}{address}{after}"]
    event = Event("", 0, attributes=attributes)
    expected = str(getattr(address, "ipv4_mapped", None) or address)
    found = {ip: (sources, paths) for ip, sources, paths in collect(event, flatten(event.attributes))}
    assert expected in found
    assert "@planted" in found[expected][0]
    assert ".".join(["planted", *path]) in found[expected][1]


@given(
    st.lists(st.integers(0, 255), min_size=5, max_size=8).map(lambda parts: ".".join(map(str, parts)))
    | st.tuples(st.sampled_from(["v", "Chrome/", "lib-x/", "version ", "Ver: ", "a"]), st.ip_addresses(v=4)).map(
        lambda pair: f"{pair[0]}{pair[1]}"
    )
    | st.tuples(st.ip_addresses(v=4), st.sampled_from(["a", "_1", ".7", ".com", "beta"])).map(lambda p: f"{p[0]}{p[1]}")
)
def test_versions_and_glued_numbers_are_not_found(text: str) -> None:
    assert addresses_in(text) == ()


@given(st.text(max_size=80))
def test_whatever_is_found_is_an_address_in_its_short_form(text: str) -> None:
    for found in addresses_in(text):
        assert str(ipaddress.ip_address(found)) == found


@pytest.mark.parametrize(
    "text", ["::" * 300_000, "a::" * 300_000, "1.2.3.4 " * 100_000, "1." * 400_000, ":a" * 400_000]
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.process_time()
    addresses_in(text)
    assert time.process_time() - started < 5
