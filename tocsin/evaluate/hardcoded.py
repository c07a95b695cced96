"""The hardcoded method: counts events in which the matcher recognised what no query can describe (siem.md §2.21).

A match of such a rule says what was recognised (`match/log4shell.py`); the cases are those of a threshold. The signal
shows what was found in the event that opened it, or raised its severity.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from tocsin.evaluate import threshold
from tocsin.evaluate.evidence import Entry
from tocsin.evaluate.method import FIRST_EVENTS
from tocsin.evaluate.threshold import ThresholdMachine, ThresholdPlan
from tocsin.event import Json
from tocsin.rule import Rule


@dataclass(frozen=True)
class HardcodedPlan(ThresholdPlan):
    """A threshold whose matches say what they are."""

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> "HardcodedMachine":
        return HardcodedMachine(self, start, named)


def plan(rule: Rule) -> HardcodedPlan:
    """Raises as `threshold.plan`."""
    read = threshold.plan(rule)
    return HardcodedPlan(rule, read.kept, read.conditions, read.severities)


class HardcodedMachine(ThresholdMachine):
    """Notes what was recognised."""

    def _facts(self, group: tuple[str, ...], entry: Entry) -> Mapping[str, Json] | None:
        found = min((text for part in entry.parts for text in part.distinct), default=None)
        return None if found is None else {"log4shell": orjson.loads(found)}
