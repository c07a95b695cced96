"""The pipelines on the data sets beside the checkout: published pipelines with exact results, and whole recordings."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tocsin.enrich import Enricher, parse_url, parse_user_agent
from tocsin.event import Event, RawRecord
from tocsin.normalise import Lookups, Normaliser
from tocsin.normalise.evaluate import Evaluation

DATA = Path(__file__).parents[3] / "shared" / "data"
CONTENT = Path(__file__).parents[2] / "content" / "pipelines"
LOOKUPS = Lookups(lambda address: {}, parse_user_agent, parse_url)
NOW = 1_772_928_000_000

pytestmark = [pytest.mark.shared, pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not there")]


def lines(file: str) -> Iterator[bytes]:
    with gzip.open(DATA / file) as stream:
        yield from (line.rstrip(b"\n") for line in stream)


def published() -> list[Any]:
    if not DATA.is_dir():
        return []
    cases = [orjson.loads(line) for line in lines("datadog-shapes/pipelines.jsonl.gz")]
    return [
        pytest.param(case["pipeline"]["pipeline"], test, id=f"{case['case']}-{number}")
        for case in cases
        for number, test in enumerate(case["tests"])
    ]


def geo_targets(processors: list[dict[str, Any]]) -> Iterator[str]:
    for processor in processors:
        if processor["type"] == "geo-ip-parser":
            yield processor["target"]
        yield from geo_targets(processor.get("processors", []))


def without(value: dict[str, Any], path: str) -> None:
    *parents, last = path.split(".")
    for key in parents:
        value = value.get(key, {})
    if isinstance(value, dict):
        value.pop(last, None)


def normal(value: Any) -> Any:
    """`1.1E7`, which the results' format turned into a text, as a number; nulls as absent."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?E\d+", value):
        return float(value)
    return value


@pytest.mark.parametrize(("pipeline", "test"), published())
def test_published_pipelines_give_the_published_results(pipeline: dict[str, Any], test: dict[str, Any]) -> None:
    """All 73 of them, as `tocsin pipeline eval` gives them; places of addresses depend on the database."""
    sample = test["sample"] if isinstance(test["sample"], str) else json.dumps(test["sample"])
    evaluation = Evaluation(pipeline, LOOKUPS)
    given = {"message": sample, "service": test["service"]} if "service" in test else sample
    expected, found = normal(test["result"]), normal(evaluation.result(given))
    for target in geo_targets(pipeline["processors"]):
        without(expected["custom"], target)
        without(found["custom"], target)
    assert found == expected
    assert evaluation.failures == []


@pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not there")
def test_the_published_results_are_all_there() -> None:
    assert len(published()) == 73


def has(*path: str) -> Callable[[Event], bool]:
    def check(event: Event) -> bool:
        node: Any = event.attributes
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return node is not None

    return check


MARKS: dict[str, Callable[[Event], bool]] = {
    "user": has("usr", "id"),
    "address": has("network", "client", "ip"),
    "name": has("evt", "name"),
    "outcome": has("evt", "outcome"),
    "category": has("evt", "category"),
    "agent": has("http", "useragent_details"),
    "status_code": has("http", "status_code"),
    "message": lambda event: bool(event.message),
    "host": lambda event: bool(event.host),
    "service": lambda event: bool(event.service),
    "own time": lambda event: event.timestamp != NOW,
}

SETS = [
    ("cloudtrail/stratus.jsonl.gz", "cloudtrail",
     {"user": 1, "address": 0.92, "name": 1, "outcome": 1, "category": 1, "agent": 1, "service": 1, "message": 1}),
    ("cloudtrail/invictus.jsonl.gz", "cloudtrail",
     {"user": 1, "address": 0.87, "name": 1, "outcome": 1, "category": 1, "agent": 1, "service": 1, "message": 1}),
    ("windows/evtx-mitre.jsonl.gz", "windows",
     {"user": 0.75, "address": 0.29, "name": 0.97, "outcome": 0.75, "category": 0.96, "host": 1, "message": 1}),
    ("windows/otrf.jsonl.gz", "windows",
     {"user": 0.7, "address": 0.05, "name": 0.99, "outcome": 0.2, "category": 0.99, "host": 1, "message": 1}),
    ("auth-sshd/auth.log.gz", "sshd",
     {"user": 0.59, "address": 0.39, "name": 0.99, "outcome": 0.65, "category": 0.99, "host": 1, "service": 1,
      "message": 1}),
    ("web-access/apache-access.log.gz", "nginx",
     {"address": 1, "name": 1, "outcome": 1, "category": 1, "agent": 0.98, "status_code": 1, "message": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("file", "source", "shares"), SETS, ids=[file for file, _, _ in SETS])
def test_whole_recordings_are_taken_in_and_understood(file: str, source: str, shares: dict[str, float]) -> None:
    """Nothing is rejected, no processor fails, the source is recognised, every record has its own time."""
    normaliser, enricher = Normaliser.shipped(CONTENT, LOOKUPS), Enricher(LOOKUPS.place)
    total = 0
    found: Counter[str] = Counter()
    for line in lines(file):
        body = orjson.loads(line)["event"] if ".jsonl" in file else line.decode()
        raw = line if isinstance(body, str) else orjson.dumps(body)
        event = normaliser.normalise(RawRecord(body=body, received_at=NOW, raw=raw))
        enricher.enrich(event)
        total += 1
        assert event.source == source
        assert "truncated:true" not in event.tags
        found.update(name for name, check in MARKS.items() if check(event))
    assert normaliser.failures == {}
    assert found["own time"] == total
    short = {name: found[name] / total for name, share in shares.items() if found[name] < share * total}
    assert not short, f"of {total} events too few have: {short}"


@pytest.mark.parametrize(
    ("log_type", "source", "share"),
    [("Okta.SystemLog", "okta", 0.9), ("GitHub.Audit", "github", 0.9), ("Amazon.EKS.Audit", "kubernetes", 1)],
)
def test_labelled_events_are_recognised(log_type: str, source: str, share: float) -> None:
    """Some are cut down to the two or three fields that one rule reads, and show no source."""
    normaliser = Normaliser.shipped(CONTENT, LOOKUPS)
    bodies = [orjson.loads(line)["event"] for line in lines(f"labelled-events/events/{log_type}.jsonl.gz")]
    events = [normaliser.normalise(RawRecord(body=body, received_at=NOW, raw=orjson.dumps(body))) for body in bodies]
    assert sum(event.source == source for event in events) >= share * len(events)
    named = [event for event in events if event.source == source and "name" in event.attributes.get("evt", {})]
    assert len(named) >= 0.9 * share * len(events)
    assert normaliser.failures == {}


def test_events_of_test_databases_have_places() -> None:
    from tocsin.enrich import Places

    places = Places([DATA / "geoip/GeoIP2-City-Test.mmdb", DATA / "geoip/GeoLite2-ASN-Test.mmdb"])
    found = places.place("81.2.69.142")
    assert (found["city"]["name"], found["country"]["iso_code"], found["continent"]["code"]) == ("London", "GB", "EU")
    assert places.place("89.160.20.112")["city"]["name"] == "Linköping"
    assert places.place("1.128.0.0")["as"] == {"number": "AS1221", "name": "Telstra Pty Ltd"}
    assert places.place("::ffff:81.2.69.142") == found
    assert places.place("10.0.0.1") == places.place("192.0.2.1") == places.place("no address") == {}
    assert places.warning is None
    assert places.has_cities
    assert not Places([DATA / "geoip/GeoLite2-ASN-Test.mmdb"]).has_cities
    places.close()
