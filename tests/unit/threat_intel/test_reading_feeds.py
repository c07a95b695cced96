"""Feeds of every format come down to the same indicators; what cannot be taken is said with its place."""

import json
from typing import Any

import pytest

from tocsin.threat_intel.content import packed, sinces, unpacked
from tocsin.threat_intel.csv_feed import Columns, read_csv
from tocsin.threat_intel.feed import FeedSettings
from tocsin.threat_intel.fetching import read
from tocsin.threat_intel.misp import read_misp
from tocsin.threat_intel.reading import BadFeed, Defaults, Reading, moment
from tocsin.threat_intel.stix import HardPattern, alternatives, parsed_alternatives, read_stix

NOW = 1_790_000_000_000
SHA256 = "ab" * 32


def reading(**defaults: Any) -> Reading:
    return Reading(Defaults(**{"source_name": "feed", **defaults}), NOW)


def csv(text: str, columns: Columns | None = None, **defaults: Any) -> Reading:
    found = reading(**defaults)
    read_csv(text.encode(), columns or Columns(), found)
    return found


def keys(found: Reading) -> list[tuple[str, str]]:
    return list(found.indicators)


def test_a_csv_as_specified() -> None:
    found = csv(
        "\ufeffdomain,category,intention,source,additional_data\r\n"
        'Evil[.]example,Phishing,suspicious,"{""name"":""a"",""url"":""https://a.example""}","{""n"":1}"\r\n'
    )
    (indicator,) = found.indicators.values()
    assert (indicator.type, indicator.value) == ("domain", "evil.example")
    assert (indicator.category, indicator.intention) == ("phishing", "suspicious")
    assert (indicator.source_name, indicator.source_url) == ("a", "https://a.example")
    assert indicator.additional_data == {"n": 1}


def test_defaults_fill_what_a_row_leaves_empty() -> None:
    found = csv("ip,lists\n203.0.113.7,10\n", category="attack", intention="suspicious", source_url="https://b.example")
    (indicator,) = found.indicators.values()
    assert indicator.result() == {
        "indicator": "203.0.113.7",
        "type": "IP",
        "category": "attack",
        "intention": "suspicious",
        "source": {"name": "feed", "url": "https://b.example"},
    }


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        (
            "203.0.113.0/24\n\n# remark\n2001:db8::/32\n",
            None,
            [("ip_address", "203.0.113.0/24"), ("ip_address", "2001:db8::/32")],
        ),
        (
            "indicator,type\n203.0.113.7:8080,ip_port\nx.example,domain\n",
            None,
            [("ip_address", "203.0.113.7"), ("domain", "x.example")],
        ),
        (
            f"hash,algorithm\n{SHA256},sha256\n",
            Columns(names={"indicator": "hash", "type": "algorithm"}),
            [("sha256", SHA256)],
        ),
        (f"hash;family\n{'cd' * 16};worm\n", Columns(names={"indicator": "hash"}), [("md5", "cd" * 16)]),
        (
            "agent\nBad Bot/1.0\n",
            Columns(type="user_agent", names={"indicator": "agent"}),
            [("user_agent", "Bad Bot/1.0")],
        ),
        ("", None, []),
    ],
)
def test_csvs_as_they_are_found(text: str, columns: Columns | None, expected: list[tuple[str, str]]) -> None:
    found = csv(text, columns)
    assert keys(found) == expected
    assert not found.problems


def test_rows_that_cannot_be_taken_are_named() -> None:
    found = csv(
        "ip_address,intention,additional_data,expires_at\n"
        "203.0.113.7,evil,,\n"
        "203.0.113.8,benign,[1],\n"
        "203.0.113.9,benign,,never\n"
        "203.0.113.10,benign,,2020-01-01T00:00:00Z\n"
        "203.0.113.11,benign,,2999-01-01T00:00:00Z\n"
        "203.0.113.11,benign,,\n"
        "short\n"
    )
    assert keys(found) == [("ip_address", "203.0.113.11")]
    assert found.skipped == 6
    reasons = ["intention 'evil'", "additional_data", "'never' is no time", "expired", "already", "'short'"]
    for problem, (number, reason) in zip(found.problems, zip((2, 3, 4, 5, 7, 8), reasons, strict=True), strict=True):
        assert problem.startswith(f"row {number}: ")
        assert reason in problem


def test_a_table_without_indicators_is_refused() -> None:
    with pytest.raises(BadFeed, match="name it as 'indicator'"):
        csv("package_name,package_version\nleft-pad,1\n")
    with pytest.raises(BadFeed, match="no column 'gone'"):
        csv("a,b\n1,2\n", Columns(names={"indicator": "gone"}))


def indicator(pattern: str, **more: Any) -> dict[str, Any]:
    return {"type": "indicator", "id": f"indicator--{len(pattern)}", "pattern": pattern, "pattern_type": "stix", **more}


def stix(*objects: dict[str, Any]) -> Reading:
    found = reading()
    read_stix(json.dumps({"type": "bundle", "objects": list(objects)}).encode(), found)
    return found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ipv4-addr:value = '203.0.113.0/24']", [("ip_address", "203.0.113.0/24")]),
        ("[ domain-name:value='X.example' OR url:value = 'http://x.example/a']", [("domain", "x.example"), ("url", "http://x.example/a")]),
        ("[ipv4-addr:value='203.0.113.7'] OR [url:value='http://x/']", [("ip_address", "203.0.113.7"), ("url", "http://x/")]),
        ("[ipv4-addr:value IN ('192.0.2.7','192.0.2.8')]", [("ip_address", "192.0.2.7"), ("ip_address", "192.0.2.8")]),
        (f"[file:hashes.'SHA-256' = '{SHA256}']", [("sha256", SHA256)]),
        (f"[file:hashes.MD5 = '{'cd' * 16}' AND file:name = 'a OR b.exe']", [("md5", "cd" * 16)]),
    ],
)  # fmt: skip
def test_patterns_of_which_one_value_is_enough(pattern: str, expected: list[tuple[str, str]]) -> None:
    found = stix(indicator(pattern))
    assert sorted(keys(found)) == sorted(expected)
    assert not found.problems


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[ipv4-addr:value = '203.0.113.7' AND domain-name:value = 'x.example']", "several things at once"),
        ("[ipv4-addr:value = '203.0.113.7'] AND [domain-name:value = 'x.example']", "several observations"),
        ("[ipv4-addr:value = '203.0.113.7'] FOLLOWEDBY [domain-name:value = 'x.example']", "several observations"),
        ("[ipv4-addr:value = '203.0.113.7'] REPEATS 5 TIMES", "repetition"),
        ("[domain-name:value MATCHES '^x']", "with MATCHES"),
        ("[ipv4-addr:value != '203.0.113.7']", "with !="),
        ("[ipv4-addr:value NOT = '203.0.113.7']", "with NOT ="),
        ("[process:name = 'x']", "nothing that logs are looked through for"),
        ("[ipv4-addr:value = ", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_patterns_that_ask_for_more_are_left_out(pattern: str, reason: str) -> None:
    found = stix(indicator(pattern))
    assert not found.indicators
    assert reason in found.problems[0]


@pytest.mark.parametrize(
    "pattern", ["[ipv4-addr:value = '203.0.113.7']", "[file:hashes.'SHA-1'='x']", "[a-b:c.d = 'e f']"]
)
def test_the_short_way_reads_patterns_as_the_parser_does(pattern: str) -> None:
    assert list(alternatives(pattern)) == list(parsed_alternatives(pattern))


def test_a_quoted_quote_is_left_to_the_parser() -> None:
    assert list(alternatives(r"[user-account:x = 'it\'s']")) == [("user-account", "x", "it's")]
    with pytest.raises(HardPattern):
        list(alternatives("[a:b = 'c' d]"))


def test_what_other_objects_say_about_an_indicator() -> None:
    found = stix(
        {"type": "identity", "id": "identity--1", "name": "Hunters"},
        {"type": "malware", "id": "malware--1", "name": "Worm"},
        indicator(
            "[domain-name:value = 'x.example']",
            created_by_ref="identity--1",
            indicator_types=["anomalous-activity"],
            name="A name",
            valid_until="2999-01-01T00:00:00Z",
        ),
        {
            "type": "relationship",
            "id": "relationship--1",
            "relationship_type": "indicates",
            "source_ref": "indicator--33",
            "target_ref": "malware--1",
        },
    )
    (one,) = found.indicators.values()
    assert (one.category, one.intention, one.source_name) == ("malware", "suspicious", "Hunters")
    assert one.additional_data["indicates"] == ["Worm"]
    assert one.expires_at == moment("2999-01-01T00:00:00Z")


def test_revoked_and_foreign_patterns_are_left_out_and_the_latest_version_counts() -> None:
    old = indicator("[domain-name:value = 'old.example']", modified="2026-01-01T00:00:00Z", id="indicator--1")
    new = indicator("[domain-name:value = 'new.example']", modified="2026-02-01T00:00:00Z", id="indicator--1")
    revoked = indicator("[domain-name:value = 'r.example']", revoked=True, id="indicator--2")
    foreign = indicator("rule x {}", pattern_type="yara", id="indicator--3")
    found = stix(new, old, revoked, foreign)
    assert keys(found) == [("domain", "new.example")]
    assert found.skipped == 2


@pytest.mark.parametrize("content", [b"", b"[]", b'{"objects": 3}', b"\xff"])
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(BadFeed):
        read_stix(content, reading())


@pytest.mark.parametrize(
    "odd",
    [
        {"labels": 5},
        {"indicator_types": {"a": 1}, "kill_chain_phases": 7},
        {"labels": ["x"], "valid_until": []},
        {"name": {"a": 1}, "created_by_ref": ["x"]},
        {"pattern": None},
        {"pattern": ["x"]},
    ],
)
def test_a_bundle_that_is_not_shaped_as_one_is_refused_or_read(odd: dict[str, Any]) -> None:
    bundle = json.dumps({"objects": [indicator("[domain-name:value = 'x.example']") | odd]}).encode()
    try:
        read(FeedSettings("f", "stix", "upload"), bundle, found := reading())
    except BadFeed as error:
        assert "shaped" in str(error)
    else:
        assert len(found.indicators) + found.skipped == 1


def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "to_ids": True, **more}


def misp(document: Any, **files: Any) -> Reading:
    found = reading()
    read_misp(json.dumps(document).encode(), found, lambda name: json.dumps(files[name.removesuffix(".json")]).encode())
    return found


def test_a_misp_event_with_objects() -> None:
    event = {
        "info": "An intrusion",
        "uuid": "u1",
        "Orgc": {"name": "CERT"},
        "Tag": [{"name": "tlp:clear"}],
        "Attribute": [
            attribute("domain|ip", "x.example|203.0.113.7", category="Network activity"),
            attribute("ip-dst", "203.0.113.8", to_ids=False),
            attribute("comment", "hello"),
            attribute("url", "http://gone.example/", deleted=True),
        ],
        "Object": [{"Attribute": [attribute("filename|sha256", f"a.exe|{SHA256}", comment="dropped")]}],
    }
    found = misp({"response": [{"Event": event}]})
    assert keys(found) == [("domain", "x.example"), ("ip_address", "203.0.113.7"), ("sha256", SHA256)]
    assert found.skipped == 2
    assert found.indicators["domain", "x.example"].category == "c2"
    data = found.indicators["sha256", SHA256].additional_data
    assert data == {"misp_event": "u1", "info": "An intrusion", "labels": ["tlp:clear"], "comment": "dropped"}


def test_a_manifest_names_the_events_to_fetch() -> None:
    manifest = {"e1": {"info": "a", "timestamp": "1"}, "e2": {"info": "b", "timestamp": "2"}, "../x": {"info": "c"}}
    files = {
        name: {"Event": {"info": name, "Attribute": [attribute("ip-src", address)]}}
        for name, address in (("e1", "203.0.113.1"), ("e2", "203.0.113.2"))
    }
    assert keys(misp(manifest, **files)) == [("ip_address", "203.0.113.2"), ("ip_address", "203.0.113.1")]


def test_a_warning_list_is_read_with_the_feeds_own_intention() -> None:
    found = reading(intention="benign", category="corp_vpn")
    document = {"name": "Good ones", "type": "cidr", "list": ["198.51.100.0/24", ".friendly.example", "AAA"]}
    read_misp(json.dumps(document).encode(), found)
    assert keys(found) == [("ip_address", "198.51.100.0/24"), ("domain", "friendly.example")]
    assert {one.intention for one in found.indicators.values()} == {"benign"}
    assert {one.source_name for one in found.indicators.values()} == {"Good ones"}
    assert found.skipped == 1


@pytest.mark.parametrize("document", [3, [], {"a": 1}, "x", {"Event": 3}])
def test_what_is_no_misp_is_refused(document: Any) -> None:
    with pytest.raises(BadFeed):
        misp(document)


def test_content_is_kept_whole() -> None:
    found = csv("ip_address,expires_at\n" + "".join(f"10.1.{n // 250}.{n % 250},2999-01-01\n" for n in range(26_000)))
    rows = [(one, 7) for one in found.indicators.values()]
    parts = packed(rows)
    assert len(parts) == 2
    assert list(unpacked(parts)) == rows
    assert sinces(parts)["ip_address", "10.1.0.3"] == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T07:00:00Z", 1_795_330_800_000),
        ("2026-11-22", 1_795_305_600_000),
        (1_795_330_800, 1_795_330_800_000),
        ("1795330800000", 1_795_330_800_000),
        ("soon", None),
        (None, None),
        ("nan", None),
        (True, None),
    ],
)
def test_moments(text: Any, expected: int | None) -> None:
    assert moment(text) == expected
