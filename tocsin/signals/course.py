"""Which severities a signal had, one after the other, and what its history says of that (siem.md §2.12, §3.7). Pure.

What a case says is not yet what people see: the environment and critical assets may change it. The history tells the
severity that the signal had, and why it was another than its case's. It goes on from what it told last, so that an
entry is never told twice and the last one is always the severity that the signal has.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.signals.severity import Adjustment

_WORDS = {"environment": "the environment", "critical_asset": "a critical asset"}

UNADJUSTED = "Nothing changes the severity of its case any more"


class Reached(NamedTuple):
    """A case that a signal reached, at `at` (Unix milliseconds), and the severity that it had then. `case` is the
    case's name."""

    at: int
    severity: str
    case: str
    adjustments: tuple[Adjustment, ...]


class Told(NamedTuple):
    """The severity that a history tells last; `sequence` orders entries of one millisecond."""

    at: int
    sequence: int
    severity: str


class Entry(NamedTuple):
    """What is to be added to a history. `before` is empty for a signal's creation."""

    kind: str
    at: int
    before: str
    after: str
    comment: str
    sequence: int = 0

    @property
    def told(self) -> Told:
        return Told(self.at, self.sequence, self.after)


def untold(course: Sequence[Reached], told: Told | None, last_hit: int) -> list[Entry]:
    """The entries that a history lacks, in order. `course` is not empty and ends with the severity that the signal has.

    A change that no case explains, as when events of another environment joined, is told as of `last_hit` (Unix
    milliseconds).
    """
    entries: list[Entry] = []
    if told is None:
        first = course[0]
        entries.append(Entry("created", first.at, "", first.severity, _because(first)))
        told = entries[0].told
    for step in course[:-1]:
        if step.at > told.at and step.severity != told.severity:
            entries.append(Entry("severity", step.at, told.severity, step.severity, _because(step, step.case)))
            told = entries[-1].told
    last = course[-1]
    if last.severity != told.severity:
        is_reached_now = last.at > told.at
        at = last.at if is_reached_now else max(last_hit, told.at)
        comment = _because(last, last.case) if is_reached_now else _because(last) or UNADJUSTED
        sequence = told.sequence + 1 if at == told.at else 0
        entries.append(Entry("severity", at, told.severity, last.severity, comment, sequence))
    return entries


def _because(step: Reached, case: str = "") -> str:
    """Why the severity is what it is: the case that was reached, and what made of it another than it says."""
    changes = [
        f"{change.before} became {change.after} by {_WORDS.get(change.kind, change.kind)}: {change.because}"
        for change in step.adjustments
    ]
    return "; ".join([*([case] if case else []), *changes])
