"""In what state a content pack is (siem.md §1.16). Pure."""

from dataclasses import dataclass
from enum import StrEnum

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
RECENT_MS = 72 * HOUR_MS
"""Logs of so long ago are counted, and say whether a pack has data at all."""


class Activation(StrEnum):
    NEVER = "never_activated"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"


class Seen(StrEnum):
    """When the last log of a pack was from."""

    NEVER = "not_seen"
    A_DAY = "within_24_hours"
    THREE_DAYS = "within_24_to_72_hours"
    A_MONTH = "over_72h_to_30d"
    LONG_AGO = "over_30d"


class Status(StrEnum):
    """`install`: no logs yet, and nobody asked for it. `activate`: its rules are off. `not_configured`: it is
    activated, but none of its rules is enabled. The others are those of a pack that runs."""

    INSTALL = "install"
    ACTIVATE = "activate"
    INITIALIZING = "initializing"
    ACTIVE = "active"
    WARNING = "warning"
    BROKEN = "broken"
    NOT_CONFIGURED = "not_configured"


class Integration(StrEnum):
    AVAILABLE = "available"
    DETECTED = "detected"
    PARTIAL = "partially_installed"
    INSTALLED = "installed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is really there of a pack.

    `decision` is what somebody decided at `decided_at`, None if nobody did. `last_seen` is the time of its latest log,
    None without any. `is_analysed`: some security filter takes its logs. Times in Unix milliseconds.
    """

    now: int
    decision: Activation | None
    decided_at: int
    last_seen: int | None
    rules_enabled: int
    is_analysed: bool
    are_pipelines_on: bool


def seen(last_seen: int | None, now: int) -> Seen:
    if last_seen is None:
        return Seen.NEVER
    age = now - last_seen
    for limit, bucket in ((DAY_MS, Seen.A_DAY), (RECENT_MS, Seen.THREE_DAYS), (30 * DAY_MS, Seen.A_MONTH)):
        if age <= limit:
            return bucket
    return Seen.LONG_AGO


def activation(facts: Facts) -> Activation:
    """What somebody decided. Rules are enabled as they are shipped, so a pack of which nobody has decided is activated
    by its first logs."""
    if facts.decision is not None:
        return facts.decision
    is_known = seen(facts.last_seen, facts.now) not in (Seen.NEVER, Seen.LONG_AGO)
    return Activation.ACTIVATED if is_known and facts.rules_enabled else Activation.NEVER


def status(facts: Facts) -> Status:
    bucket, active = seen(facts.last_seen, facts.now), activation(facts)
    if active is Activation.DEACTIVATED:
        return Status.ACTIVATE
    if active is Activation.NEVER:
        return Status.INSTALL if facts.rules_enabled else Status.ACTIVATE
    if not facts.rules_enabled:
        return Status.NOT_CONFIGURED
    if not facts.is_analysed:
        return Status.BROKEN
    if bucket is Seen.NEVER:  # activated by somebody who is about to send its logs
        waiting = seen(facts.decided_at, facts.now)
        return {Seen.A_DAY: Status.INITIALIZING, Seen.THREE_DAYS: Status.WARNING}.get(waiting, Status.BROKEN)
    return {Seen.A_DAY: Status.ACTIVE, Seen.THREE_DAYS: Status.WARNING}.get(bucket, Status.BROKEN)


def integration(facts: Facts) -> Integration:
    """For us the integration of a source is its pipelines, which are there from the start."""
    if not facts.are_pipelines_on:
        return Integration.PARTIAL
    if facts.last_seen is None:
        return Integration.AVAILABLE
    return Integration.INSTALLED if activation(facts) is Activation.ACTIVATED else Integration.DETECTED
