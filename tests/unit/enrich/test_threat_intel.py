"""Indicators found in events: each type in each of its places, and nothing where there is nothing (siem.md §6.2)."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.memory import most_bytes
from tocsin.enrich.indicator_table import BadTable, IndicatorTable, write_table
from tocsin.enrich.indicators import BadIndicator, Indicator, canonical
from tocsin.enrich.threat_intel import ThreatIntel, meaning
from tocsin.event import Event
from tocsin.query.values import flatten

SHA256 = "ab" * 32
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFake"

LISTED = [
    ("ip_address", "203.0.113.7"),
    ("ip_address", "198.51.100.0/24"),
    ("ip_address", "198.51.0.0/16"),
    ("ip_address", "2001:db8:9::/48"),
    ("domain", "evil.example.com"),
    ("domain", "bad.co.uk"),
    ("domain", "dyndns.org"),
    ("url", "https://drop.example.net/a/b?x=1"),
    ("md5", "cd" * 16),
    ("sha1", "ef" * 20),
    ("sha256", SHA256),
    ("ssdeep", "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"),
    ("aws_account_id", "000123456789"),
    ("container_image_name", "acme/miner:1.2"),
    ("container_registry_account_name", "intruder"),
    ("ssh_public_key", f"{KEY} somebody@somewhere"),
    ("user_agent", "BadBot/1.0"),
]


def indicator(kind: str, text: str, category: str = "malware", source: str = "ours") -> Indicator:
    return Indicator(kind, canonical(kind, text), category, "malicious", source)


@pytest.fixture(scope="module")
def intel(tmp_path_factory: pytest.TempPathFactory) -> ThreatIntel:
    path = tmp_path_factory.mktemp("intel") / "indicators.bin"
    assert write_table(path, [indicator(*each) for each in LISTED]) == len(LISTED)
    return ThreatIntel(IndicatorTable(path))


def found(intel: ThreatIntel, attributes: dict[str, Any], host: str | None = None) -> list[str]:
    event = Event("1", 0, host=host, attributes=attributes)
    values = flatten(attributes)
    intel.add(event, values)
    assert values == flatten(event.attributes), "the matcher reads what the event says"
    return [result["indicator"] for result in event.attributes.get("threat_intel", {}).get("results", [])]


def addresses(*found: str) -> dict[str, Any]:
    return {"network": {"ip": {"list": list(found)}}}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (addresses("203.0.113.7"), ["203.0.113.7"]),
        (addresses("198.51.100.9"), ["198.51.0.0/16", "198.51.100.0/24"]),
        (addresses("198.51.99.9"), ["198.51.0.0/16"]),
        (addresses("2001:db8:9::1"), ["2001:db8:9::/48"]),
        (addresses("203.0.113.8", "2001:db8:a::1"), []),
        ({"dns": {"question": {"name": "a.b.Evil.example.com."}}}, ["evil.example.com"]),
        ({"dns": {"answer": [{"name": "evil.example.com"}]}}, ["evil.example.com"]),
        ({"dns": {"question": {"name": "example.com"}}}, []),
        ({"dns": {"question": {"name": "notevil.example.com"}}}, []),
        ({"dns": {"question": {"name": "www.bad.co.uk"}}}, ["bad.co.uk"]),
        ({"dns": {"question": {"name": "dyndns.org"}}}, ["dyndns.org"]),
        ({"dns": {"question": {"name": "innocent.dyndns.org"}}}, []),
        ({"http": {"url": "HTTPS://user@drop.example.net:443/a/b?x=1#top"}}, ["https://drop.example.net/a/b?x=1"]),
        ({"http": {"url": "https://drop.example.net/a/b?x=2"}}, []),
        ({"http": {"url": "http://www.evil.example.com/x"}}, ["evil.example.com"]),
        ({"http": {"url_details": {"host": "evil.example.com"}}}, ["evil.example.com"]),
        ({"usr": {"email": "someone@bad.co.uk"}}, ["bad.co.uk"]),
        ({"file": {"hash": {"md5": "CD" * 16}}}, ["cd" * 16]),
        ({"Event": {"EventData": {"Hashes": f"SHA1={'EF' * 20},SHA256={SHA256}"}}}, ["ef" * 20, SHA256]),
        ({"process": {"sha256": SHA256}}, [SHA256]),
        ({"process": {"ssdeep": "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"}}, [LISTED[11][1]]),
        ({"userIdentity": {"accountId": "000123456789"}}, ["000123456789"]),
        ({"recipientAccountId": 123456789}, ["000123456789"]),
        ({"container": {"image": {"name": "docker.io/acme/miner:1.2"}}}, ["docker.io/acme/miner:1.2"]),
        ({"requestObject": {"spec": {"containers": [{"image": "intruder/anything"}]}}}, ["docker.io/intruder"]),
        ({"Image": "C:\\Windows\\System32\\cmd.exe"}, []),
        ({"requestParameters": {"publicKeyMaterial": f"{KEY} other@comment"}}, [KEY]),
        ({"http": {"useragent": "BadBot/1.0"}}, ["BadBot/1.0"]),
        ({"http": {"useragent": "badbot/1.0"}}, []),
        ({"anything": "203.0.113.7 evil.example.com"}, []),
    ],
)
def test_finds_each_type_in_its_places(intel: ThreatIntel, attributes: dict[str, Any], expected: list[str]) -> None:
    assert sorted(found(intel, attributes)) == sorted(expected)


def test_the_host_is_a_name_too(intel: ThreatIntel) -> None:
    assert found(intel, {}, host="pc.evil.example.com") == ["evil.example.com"]


def test_writes_types_and_results_as_specified(tmp_path: Path) -> None:
    rows = [
        indicator("ip_address", "203.0.113.7", "c2"),
        Indicator("ip_address", "203.0.113.7", "tor", "suspicious", "theirs", "https://example.org", {"role": "exit"}),
    ]
    write_table(tmp_path / "t", [*rows, rows[0]])
    event = Event("1", 0, attributes=addresses("203.0.113.7"))
    ThreatIntel(IndicatorTable(tmp_path / "t")).add(event, flatten(event.attributes))
    assert event.attributes["threat_intel"] == {
        "indicators_matched": ["IP"],
        "results": [
            {
                "indicator": "203.0.113.7",
                "type": "IP",
                "category": "c2",
                "intention": "malicious",
                "source": {"name": "ours"},
            },
            {
                "indicator": "203.0.113.7",
                "type": "IP",
                "category": "tor",
                "intention": "suspicious",
                "source": {"name": "theirs", "url": "https://example.org"},
                "additional_data": {"role": "exit"},
            },
        ],
    }


def test_keeps_at_most_fifty_results(tmp_path: Path) -> None:
    rows = [indicator("ip_address", "203.0.113.7", source=f"feed {number}") for number in range(60)]
    rows += [indicator("ip_address", "203.0.0.0/16", source=f"feed {number}") for number in range(60)]
    write_table(tmp_path / "t", rows)
    assert len(found(ThreatIntel(IndicatorTable(tmp_path / "t")), addresses("203.0.113.7"))) == 50


def test_to_write_a_table_takes_little_more_than_what_it_says(tmp_path: Path) -> None:
    rows = [indicator("domain", f"bad{number}.example") for number in range(2_000)]
    assert most_bytes(lambda: write_table(tmp_path / "t", rows)) < 2_000 * len(rows), "of 200,000 a feed may have"


def test_what_the_record_says_itself_stays_behind_ours(intel: ThreatIntel) -> None:
    said = {"indicator": "x", "type": "IP", "category": "tor"}
    own = {"results": [said], "indicators_matched": ["DOMAIN"], "subcategory": "proxy"}
    attributes = {**addresses("203.0.113.7"), "threat_intel": own}
    assert found(intel, attributes) == ["203.0.113.7", "x"]
    assert attributes["threat_intel"]["indicators_matched"] == ["IP", "DOMAIN"]
    assert attributes["threat_intel"]["subcategory"] == "proxy"


@pytest.mark.parametrize("odd", [{"results": 3}, {"results": {"a": 1}, "indicators_matched": 4}, [1], "text", {}])
def test_odd_records_do_no_harm(intel: ThreatIntel, odd: Any) -> None:
    event = Event("1", 0, attributes={**addresses("203.0.113.7"), "threat_intel": odd, "threat_intel_vendor": "v"})
    values = flatten(event.attributes)
    intel.add(event, values)
    assert event.attributes["threat_intel"]["results"][0]["indicator"] == "203.0.113.7"
    assert values == flatten(event.attributes)


def test_a_network_holds_exactly_its_addresses(tmp_path: Path) -> None:
    blocks = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/31", "2001:db8::/32", "2001:db8::/127"]
    write_table(tmp_path / "t", [indicator("ip_address", block) for block in blocks])
    table = IndicatorTable(tmp_path / "t")

    @given(
        st.one_of(st.ip_addresses(network="10.1.2.0/30"), st.ip_addresses(), st.ip_addresses(network="2001:db8::/64"))
    )
    def same(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        held = {block for block in blocks if address in ipaddress.ip_network(block)}
        rows = table.address(str(address))
        assert {result["indicator"] for row in rows for result in table.results(row)} == held

    same()


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("ip_address", "203.0.113[.]7", "203.0.113.7"),
        ("ip_address", "::ffff:203.0.113.7", "203.0.113.7"),
        ("ip_address", "198.51.100.77/24", "198.51.100.0/24"),
        ("ip_address", "2001:DB8::1", "2001:db8::1"),
        ("domain", "*.Evil[.]Example.", "evil.example"),
        ("domain", "bücher.example", "xn--bcher-kva.example"),
        ("url", "hxxps[:]//Evil[.]example:443/A#x", "https://evil.example/A"),
        ("url", "evil.example/path", "http://evil.example/path"),
        ("sha1", "AB" * 20, "ab" * 20),
        ("aws_account_id", "1234-5678-9012", "123456789012"),
        ("container_image_name", "nginx", "docker.io/library/nginx:latest"),
        ("container_registry_account_name", "ghcr.io/Someone", "ghcr.io/someone"),
    ],
)
def test_one_way_to_write_each(kind: str, text: str, expected: str) -> None:
    assert canonical(kind, text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("ip_address", "300.1.1.1", "no IP address"),
        ("ip_address", "0.0.0.0/0", "too wide"),
        ("ip_address", "2000::/3", "too wide"),
        ("domain", "co.uk", "public suffix"),
        ("domain", "localhost", "no domain"),
        ("domain", "203.0.113.7", "no domain"),
        ("md5", "ab", "32 hexadecimal digits"),
        ("aws_account_id", "12", "12 digits"),
        ("ssh_public_key", "nonsense", "no public SSH key"),
        ("user_agent", "", "empty"),
        ("nothing", "x", "no type"),
        ("user_agent", "x" * 5000, "characters"),
    ],
)
def test_says_what_is_no_indicator(kind: str, text: str, reason: str) -> None:
    with pytest.raises(BadIndicator, match=reason):
        canonical(kind, text)


@pytest.mark.parametrize("content", [b"", b"12345678", b"TOCSIND1" + (9).to_bytes(8, "little") + b"{}"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(BadTable, match=str(tmp_path / "t")):
        IndicatorTable(tmp_path / "t")


def test_an_empty_table_changes_nothing(tmp_path: Path) -> None:
    write_table(tmp_path / "t", [])
    assert found(ThreatIntel(IndicatorTable(tmp_path / "t")), addresses("203.0.113.7"), host="a.example") == []
    assert found(ThreatIntel(None), addresses("203.0.113.7"), host="a.example") == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("network.ip.list", "address"),
        ("file.hash.sha256", "hash"),
        ("file.hashes.SHA-256", "hash"),
        ("Event.EventData.Hashes", "hash"),
        ("userIdentity.sessionContext.sessionIssuer.accountId", "account"),
        ("http.useragent", "agent"),
        ("file.hash.algorithm", None),
        ("message", None),
    ],
)
def test_what_a_path_means(path: str, expected: str | None) -> None:
    assert meaning(path) == expected
