"""Records of each source, of our own writing, and what the shipped pipelines must make of them.

A case of a YAML file: `about`, `record` (a line or an object), `expect`: reserved attributes, and under `attributes`
those that must be there with these values; null means that there must be none.
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tocsin.enrich import Enricher, parse_url, parse_user_agent
from tocsin.event import RawRecord
from tocsin.normalise import Lookups, Normaliser

HERE = Path(__file__).parent
NOW = 1_772_928_000_000
"""2026-03-08T00:00:00Z"""

CASES = [
    pytest.param(case, id=f"{file.stem}-{case['about'].replace(' ', '_')}")
    for file in sorted(HERE.glob("*.yaml"))
    for case in yaml.safe_load(file.read_text())
]


def place(address: str) -> dict[str, Any]:
    return {"country": {"iso_code": "ZZ"}} if address.startswith("203.0.113.") else {}


@pytest.fixture(scope="module")
def normaliser() -> Normaliser:
    return Normaliser.shipped(HERE.parents[2] / "content" / "pipelines", Lookups(place, parse_user_agent, parse_url))


def differences(expected: dict[str, Any], found: dict[str, Any], path: str = "") -> list[str]:
    wrong = []
    for key, value in expected.items():
        there = found.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            wrong += differences(value, there, f"{path}{key}.")
        elif value != there:
            wrong.append(f"{path}{key}: expected {value!r}, found {there!r}")
    return wrong


@pytest.mark.parametrize("case", CASES)
def test_pipeline(case: dict[str, Any], normaliser: Normaliser) -> None:
    body = case["record"]
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    event = normaliser.normalise(RawRecord(body=body, received_at=NOW, raw=raw, source=case.get("source")))
    Enricher(place).enrich(event)
    expected = dict(case["expect"])
    attributes = expected.pop("attributes", {})
    wrong = [
        f"{name}: expected {value!r}, found {getattr(event, name)!r}"
        for name, value in expected.items()
        if getattr(event, name) != value
    ]
    assert not wrong + differences(attributes, event.attributes)
    assert not any(name.startswith("_") for name in event.attributes), "pipelines clear away what they noted"
    assert normaliser.failures == {}
