"""rsigma, a Sigma engine in Rust, over the same rules and records, where `cargo build --release` was run in
`bench/rsigma_race`.

It takes Sigma's own fields, so records are flattened for it, and it is told the log source of each: `product`,
`service` and `category` (one of each), by which it passes over rules of others.
"""

import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tocsin.rules.sigma.files import SourceFile
from tocsin.rules.sigma.logsources import (
    CHANNELS,
    DEFENDER,
    MALWARE_IDS,
    POWERSHELL_CATEGORIES,
    SYSMON,
    SYSMON_CATEGORIES,
)

_SERVICES = {channel.lower(): service for service, channels in CHANNELS.items() for channel in channels}
_CATEGORIES = {
    **{(SYSMON.lower(), number): name for name, ids in SYSMON_CATEGORIES.items() for number in ids.split(" OR ")},
    **{(channel.lower(), number): name for name, (channel, number) in POWERSHELL_CATEGORIES.items()},
    (SYSMON.lower(), "12"): "registry_event",
    (SYSMON.lower(), "13"): "registry_set",
    (SYSMON.lower(), "1"): "process_creation",
    ("security", "4688"): "process_creation",
    **{(CHANNELS["windefend"][0].lower(), number): "antivirus" for number in MALWARE_IDS.split(" OR ")},
}
_NAMED_OTHERWISE = {"NewProcessName": "Image", "ParentProcessName": "ParentImage"}
"""Of processes that the security log tells of."""


PROGRAM = Path(__file__).parent / "rsigma_race" / "target" / "release" / "rsigma_race"
HOW_TO_BUILD = "not built: cargo build --release --ignore-rust-version in bench/rsigma_race"
"""The version of Rust is ignored since a library below rsigma asks for a newer one than it needs."""


@dataclass(frozen=True, slots=True)
class Raced:
    """`rules` that it took, `rate` in events a second of processor time, `matches`: the records' numbers by rule id."""

    rules: int
    rate: float
    matches: dict[str, frozenset[int]]


def race(rules: Iterable[SourceFile], records: Sequence[Mapping[str, Any]]) -> Raced | None:
    """None where the program was not built."""
    if not PROGRAM.is_file():
        return None
    with tempfile.TemporaryDirectory() as directory:
        at = Path(directory) / "rules"
        at.mkdir()
        for number, rule in enumerate(rules):
            (at / f"{number:05d}.yml").write_text(rule.text)
        events = Path(directory) / "events.jsonl"
        events.write_bytes(b"\n".join(orjson.dumps(flat(record)) for record in records) + b"\n")
        done = subprocess.run((PROGRAM, at, events), stdout=subprocess.PIPE, check=True)
    said = orjson.loads(done.stdout)
    matches = {rule_id: frozenset(numbers) for rule_id, numbers in said["matches"].items()}
    return Raced(said["rules"], len(records) / said["seconds"], matches)


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A Windows record under Sigma's names, with its log source."""
    system = record.get("System")
    if isinstance(system, Mapping):
        provider = (system.get("Provider") or {}).get("#attributes") or {}
        named = {"Provider_Name": provider.get("Name"), **_texts(system), **_texts(record.get("EventData") or {})}
        for part in (record.get("UserData") or {}).values():
            named = {**(_texts(part) if isinstance(part, Mapping) else {}), **named}
    else:
        named = {"Provider_Name": record.get("SourceName"), "Computer": record.get("Hostname"), **record}
    channel, number = str(named.get("Channel") or "").lower(), str(named.get("EventID"))
    category = _CATEGORIES.get((channel, number))
    if category == "process_creation":
        named = {_NAMED_OTHERWISE.get(key, key): value for key, value in named.items()}
    named |= {name: named[theirs] for name, theirs in DEFENDER.items() if theirs in named}
    source = {"product": "windows", "service": _SERVICES.get(channel), "category": category}
    return {**named, **{key: value for key, value in source.items() if value}}


def _texts(part: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a part, those that have attributes of their own as their text alone."""
    found = {key: value.get("#text") if isinstance(value, Mapping) else value for key, value in part.items()}
    return {key: value for key, value in found.items() if value is not None}
