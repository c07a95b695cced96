"""What the shipped rules make of single events in vendors' own formats that a rule must, or must not, find.

Each event goes alone through the pipelines, the matcher, the machines and the projection. "Raised": it makes a signal
by itself. "Counted": a rule counts, learns or compares it, and would need more. A harmless event is one that no rule of
the set wants. Figures are printed (docs/content.md has them); what is asserted lies a little below them.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tocsin.bootstrap import content_directory, event_from_record
from tocsin.rules.rehearsal import Rehearsal
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import read_shipped

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "labelled-events"

SOURCES = {
    "AWS.CloudTrail": 0.7,
    "AWS.VPCDns": 0.9,
    "Amazon.EKS.Audit": 0.75,
    "Azure.Audit": 0.95,
    "Azure.MonitorActivity": 0.9,
    "CiscoUmbrella.DNS": 0.6,
    "GCP.AuditLog": 0.75,
    "GSuite.ActivityEvent": 0.9,
    "GitHub.Audit": 0.8,
    "Okta.SystemLog": 0.65,
    "OnePassword.ItemUsage": 0.9,
    "OnePassword.SignInAttempt": 0.9,
    "Slack.AuditLogs": 0.95,
    "Zoom.Operation": 0.95,
}
"""Kinds of log that Tocsin has rules for, and the part of the hostile events that must be raised or counted."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout"),
]


@dataclass
class Tally:
    """Events of a kind of log by what became of them; `severities` are of signals about harmless ones."""

    hostile: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)


def labelled() -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Kind of log, event, whether it is hostile: each different event once."""
    for file in sorted((DATA / "events").glob("*.jsonl.gz")):
        with gzip.open(file) as stream:
            rows = [orjson.loads(line) for line in stream]
        wanted: dict[bytes, bool] = defaultdict(bool)
        for row in rows:
            event = {name: value for name, value in row["event"].items() if not name.startswith("p_")}
            if event:
                wanted[orjson.dumps(event)] |= row["expect"]
        for event, is_hostile in wanted.items():
            yield file.name.removesuffix(".jsonl.gz"), orjson.loads(event), is_hostile


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    shipped = read_shipped(content_directory() / "rules")
    rehearsal = Rehearsal([rule_from_api(one.body, rule_id=one.id) for one in shipped], 0)
    found: dict[str, Tally] = {}
    for kind, record, is_hostile in labelled():
        if kind not in SOURCES:
            continue
        event = replace(event_from_record(dict(record)), id="1")
        severities = [one.signal.severity for raised in rehearsal.run([event]).raised.values() for one in raised]
        outcome = "raised" if severities else "counted" if any(rehearsal.matcher.match(event)) else "missed"
        tally = found.setdefault(kind, Tally())
        (tally.hostile if is_hostile else tally.harmless)[outcome] += 1
        if not is_hostile:
            tally.severities.update(severities)
    return found


def test_hostile_events_are_found(tallies: dict[str, Tally]) -> None:
    print("\n| log | hostile: raised | counted | missed | harmless: raised | counted | quiet |")
    for kind, tally in tallies.items():
        counts = [each[name] for each in (tally.hostile, tally.harmless) for name in ("raised", "counted", "missed")]
        print(f"| {kind} | {' | '.join(map(str, counts))} |")
    short = {
        kind: (found, wanted)
        for kind, tally in tallies.items()
        if (found := wanted_found(tally)) < SOURCES[kind] * (wanted := tally.hostile.total())
    }
    assert short == {}


def wanted_found(tally: Tally) -> int:
    return tally.hostile["raised"] + tally.hostile["counted"]


def test_harmless_events_are_quiet(tallies: dict[str, Tally]) -> None:
    """Harmless to one rule of the set may be another one's business, such as a role that is given; not a high one."""
    severities = sum((tally.severities for tally in tallies.values()), Counter[str]())
    harmless = sum(tally.harmless.total() for tally in tallies.values())
    raised = sum(tally.harmless["raised"] for tally in tallies.values())
    print(f"\n{harmless} harmless events: {raised} with a signal, {dict(severities)}")
    assert raised <= 0.15 * harmless
    assert severities["high"] + severities["critical"] <= 0.05 * harmless
