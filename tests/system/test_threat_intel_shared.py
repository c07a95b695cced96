"""All of the threat intelligence samples beside the checkout, read as feeds and looked up in one table."""

import csv
import gzip
import io
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tocsin.enrich.indicator_table import IndicatorTable, write_table
from tocsin.enrich.indicators import Indicator
from tocsin.enrich.threat_intel import ThreatIntel
from tocsin.event import Event
from tocsin.query.values import flatten
from tocsin.threat_intel.feed import FeedSettings, check
from tocsin.threat_intel.fetching import read
from tocsin.threat_intel.reading import BadFeed, Reading

DATA = Path(__file__).parents[3] / "shared" / "data" / "threat-intel"
NOW = 1_795_305_600_000

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not there")]

CSVS = {
    "ip-blocklist.csv.gz": ({"category": "attack"}, 14_217),
    "tor.csv.gz": ({"category": "tor", "intention": "suspicious"}, 8_054),
    "vpn-ipv4.txt.gz": ({"category": "corp_vpn", "intention": "unknown"}, 10_862),
    "vpn-ipv6.txt.gz": ({"category": "corp_vpn", "intention": "unknown"}, 498),
    "datacenter-ipv4.txt.gz": ({"category": "hosting_proxy", "intention": "unknown"}, 42_566),
    "malware.csv.gz": ({}, 42_096),
    "scanners.csv.gz": ({"category": "scanner", "intention": "suspicious"}, 14_971),
    "hashes.csv.gz": ({"columns": {"indicator": "hash", "type": "algorithm"}}, 16_149),
}
"""The settings of each, and how many rows the file has."""


@cache
def list_of(name: str) -> Reading:
    """One of `CSVS`, read once."""
    return reading_of(name, **CSVS[name][0])


def reading_of(name: str, **chosen: object) -> Reading:
    settings = FeedSettings(**{"name": name, "format": "csv", "kind": "upload", **chosen})  # type: ignore[arg-type]
    check(settings, has_secret=False)
    found = Reading(settings.defaults(), NOW)
    read(settings, (DATA / name).read_bytes(), found)
    return found


@pytest.mark.parametrize("name", CSVS)
def test_each_list_is_read_whole(name: str) -> None:
    rows = CSVS[name][1]
    found = list_of(name)
    assert len(found.indicators) + found.skipped == rows
    # What is left out stands twice in the list, or is none: an address of 300, a domain with a blank.
    assert found.skipped < rows * 0.09, found.problems[:5]
    assert all("already" in problem or "no " in problem for problem in found.problems), found.problems


@pytest.mark.parametrize("file", sorted((DATA / "warninglists").glob("*.gz")), ids=lambda file: file.name)
def test_each_warning_list_is_read(file: Path) -> None:
    found = reading_of(f"warninglists/{file.name}", format="misp", category="benign", intention="benign")
    if file.name.startswith("tlds"):
        assert not found.indicators, "a top-level domain is nobody's"
    else:
        assert found.indicators
        assert found.skipped <= len(found.indicators) * 0.02, found.problems[:5]


@pytest.mark.parametrize("file", sorted((DATA / "stix").glob("*.json")), ids=lambda file: file.name)
def test_each_bundle_is_read_and_what_is_left_out_is_said(file: Path) -> None:
    if file.name == "interop-objectmarking-test.json":
        with pytest.raises(BadFeed, match="objects"):
            reading_of(f"stix/{file.name}", format="stix")
        return
    found = reading_of(f"stix/{file.name}", format="stix")
    patterns = file.read_text().count('"pattern":')
    assert len(found.indicators) + found.skipped >= patterns
    if file.name == "poisonivy.json":
        assert len(found.indicators) > 40


@pytest.mark.parametrize("file", sorted((DATA / "datadog").glob("*.csv")), ids=lambda file: file.name)
def test_each_campaign_is_read_or_refused_with_the_reason(file: Path) -> None:
    name = f"datadog/{file.name}"
    if "shai-hulud" in name or "teampcp" in name:
        with pytest.raises(BadFeed, match="no column"):
            reading_of(name)  # packages and their versions: nothing that a log holds
        return
    found = reading_of(name)
    rows = sum(1 for _ in csv.reader(io.StringIO(file.read_text()))) - 1
    assert found.indicators
    assert len(found.indicators) + found.skipped == rows


def test_all_of_it_in_one_table(tmp_path: Path) -> None:
    everything: list[Indicator] = []
    for name in CSVS:
        everything += list_of(name).indicators.values()
    for file in (DATA / "warninglists").glob("*.gz"):
        found = reading_of(f"warninglists/{file.name}", format="misp", category="benign", intention="benign")
        everything += found.indicators.values()
    began = time.perf_counter()
    count = write_table(tmp_path / "t", everything)
    print(f"{len(everything):,} indicators, {count:,} keys, written in {time.perf_counter() - began:.1f} s")
    assert count > 150_000
    intel = ThreatIntel(IndicatorTable(tmp_path / "t"))
    by_value = {indicator.value for indicator in everything}
    for indicator in everything[::97]:
        assert indicator.value in set(_results(intel, indicator)), indicator
    assert not set(_results(intel, Indicator("domain", "www.wikipedia.org", "", "", ""))) & by_value
    with gzip.open(DATA / "tor.csv.gz", "rt") as lines:
        first = lines.readlines()[1].split(",")[0]
    assert first in by_value


def _results(intel: ThreatIntel, indicator: Indicator) -> Iterable[str]:
    """What is found in an event that holds the indicator where logs have such values."""
    value = indicator.value.partition("/")[0] if indicator.type == "ip_address" else indicator.value
    attributes = {
        "ip_address": {"network": {"ip": {"list": [value]}}},
        "domain": {"dns": {"question": {"name": f"a.{value}"}}} if value.count(".") == 1 else {"hostname": value},
        "url": {"http": {"url": value}},
    }.get(indicator.type, {"file": {"hash": {indicator.type: value}}})
    event = Event("1", 0, attributes=dict(attributes))
    intel.add(event, flatten(attributes))
    return [result["indicator"] for result in event.attributes.get("threat_intel", {}).get("results", [])]
