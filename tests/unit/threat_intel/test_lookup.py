"""A value that somebody looks up is listed as itself, or as what holds it: as enrichment would say of a log with it."""

from pathlib import Path

import pytest

from tocsin.enrich.indicator_table import IndicatorTable, write_table
from tocsin.enrich.indicators import Indicator, canonical
from tocsin.enrich.threat_intel import ThreatIntel
from tocsin.event import Event
from tocsin.query.values import flatten
from tocsin.threat_intel.content import packed, picked, unpacked
from tocsin.threat_intel.lookup import relations


@pytest.mark.parametrize(
    ("text", "kind", "value", "relation"),
    [
        ("203.0.113.7", "ip_address", "203.0.113.7", "exact"),
        ("203[.]0[.]113[.]7", "ip_address", "203.0.113.7", "exact"),
        ("203.0.113.7", "ip_address", "203.0.113.0/24", "network"),
        ("203.0.113.0/28", "ip_address", "203.0.113.0/24", "network"),
        ("2001:db8::1", "ip_address", "2001:db8::/32", "network"),
        ("a.evil.example", "domain", "a.evil.example", "exact"),
        ("a.evil.example", "domain", "evil.example", "parent_domain"),
        ("hxxps://a.evil[.]example/x", "url", "https://a.evil.example/x", "exact"),
        ("hxxps://a.evil[.]example/x", "domain", "a.evil.example", "host"),
        ("https://a.evil.example/x", "domain", "evil.example", "parent_domain"),
        ("http://203.0.113.7:8080/x", "ip_address", "203.0.113.7", "host"),
        ("203.0.113.7:443", "ip_address", "203.0.113.0/24", "network"),
        ("ana@mail.evil.example", "domain", "mail.evil.example", "host"),
        ("44D88612FEA8A8F36DE82E1278ABB02F", "md5", "44d88612fea8a8f36de82e1278abb02f", "exact"),
        ("nginx", "container_image_name", "docker.io/library/nginx:latest", "exact"),
    ],
)
def test_a_value_relates_to_what_names_or_holds_it(text: str, kind: str, value: str, relation: str) -> None:
    assert relations(text)[kind, value] == relation


def test_the_closest_comes_first_and_nothing_holds_everybody() -> None:
    networks = [value for (kind, value), relation in relations("203.0.113.7").items() if relation == "network"]
    assert networks[0] == "203.0.113.6/31" and networks[-1] == "203.0.0.0/8"
    parents = [value for (kind, value), relation in relations("x.y.somebody.github.io").items() if kind == "domain"]
    assert parents == ["x.y.somebody.github.io", "y.somebody.github.io", "somebody.github.io"]
    assert not relations("")


LISTED = (
    ("ip_address", "203.0.113.0/24"),
    ("ip_address", "198.51.100.4"),
    ("ip_address", "2001:db8::/32"),
    ("domain", "evil.example"),
    ("url", "http://sub.evil.example/x"),
    ("sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"network": {"ip": {"list": ["203.0.113.7"]}}}, "203.0.113.7"),
        ({"network": {"ip": {"list": ["198.51.100.4"]}}}, "198.51.100.4"),
        ({"network": {"ip": {"list": ["198.51.100.5"]}}}, "198.51.100.5"),
        ({"network": {"ip": {"list": ["2001:db8::9"]}}}, "2001:db8::9"),
        ({"dns": {"question": {"name": "deep.sub.evil.example"}}}, "deep.sub.evil.example"),
        ({"dns": {"question": {"name": "notevil.example"}}}, "notevil.example"),
        ({"http": {"url": "http://sub.evil.example/x"}}, "http://sub.evil.example/x"),
        ({"usr": {"email": "ana@evil.example"}}, "ana@evil.example"),
        ({"file": {"hash": {"sha1": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}}}, LISTED[-1][1].upper()),
    ],
)
def test_a_look_up_says_what_enrichment_says(tmp_path: Path, attributes: dict[str, object], text: str) -> None:
    rows = [Indicator(kind, canonical(kind, value), "c2", "malicious", "f") for kind, value in LISTED]
    write_table(tmp_path / "table.bin", rows)
    table = IndicatorTable(tmp_path / "table.bin")
    event = Event("e", 0, "", attributes=attributes)
    said = {
        result["indicator"]
        for row in ThreatIntel(table).rows(event, flatten(event.attributes))
        for result in table.results(row)
    }
    table.close()
    wanted = relations(text)
    assert {row.value for row in rows if (row.type, row.value) in wanted} == said


def test_picking_finds_what_reading_all_finds() -> None:
    values = ['curl/8 "quoted" one', 'curl/8 "quoted" two', "plain", "back\\slash"]
    rows = [(Indicator("user_agent", value, "attack", "suspicious", "f"), 7) for value in values]
    parts = packed(rows)
    for value in values:
        assert list(picked(parts, {("user_agent", value)})) == [row for row in unpacked(parts) if row[0].value == value]
    assert not list(picked(parts, {("domain", "plain")}))
