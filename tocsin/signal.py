"""Signals: what a rule concluded, kept apart from what people decided about it (design §5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TRIAGE_STATES = ("open", "under_review", "archived")

ARCHIVE_REASONS = (
    "none",
    "false_positive",
    "testing_or_maintenance",
    "remediated",
    "investigated_case_opened",
    "true_positive_benign",
    "true_positive_malicious",
    "other",
)

LOCK_AFTER_MS = 30 * 24 * 3600 * 1000
"""Triage is refused from this age of a signal on (siem.md §3.4); a setting may change it, 0 = never."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is assigned, or who changed something."""

    uuid: str = ""
    handle: str = ""
    name: str = "Unassigned"
    id: int = -1


UNASSIGNED = Person()


@dataclass(frozen=True, slots=True)
class Triage:
    """What people decided about one signal. Times are Unix milliseconds."""

    signal_id: str
    signal_timestamp: int
    state: str = "open"
    archive_reason: str = "none"
    archive_comment: str = ""
    archive_comment_at: int | None = None
    archive_comment_by: Person | None = None
    assignee: Person = UNASSIGNED
    incident_ids: tuple[int, ...] = ()
    state_updated_at: int | None = None
    state_updated_by: Person | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Signal:
    """What the evaluator concluded. Times are Unix milliseconds; `first_seen`/`last_seen` at whole seconds.

    `timestamp` is the time of the event that opened the signal and never changes; `version` rises with
    each update of these fields. `custom` holds every further searchable member under its path (siem.md §3.1).
    """

    id: str
    rule_id: str
    rule_version: int
    group: tuple[str, ...]
    timestamp: int
    first_seen: int
    last_seen: int
    closes_at: int
    severity: str
    case_index: int
    title: str
    message: str
    events_matched: int
    version: int = 1
    tags: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    custom: Mapping[str, Any] = field(default_factory=dict)
