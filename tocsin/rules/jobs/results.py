"""What a job finds: signals in the track `historical`, and real ones made of them (siem.md §2.24). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tocsin.evaluate.decision import Decision
from tocsin.evaluate.method import Plan
from tocsin.event import Event
from tocsin.rules.hiding import hidden
from tocsin.signals.identity import scope_key, signal_id
from tocsin.signals.lines import changed_line, projected_line, tombstone
from tocsin.signals.projection import project, with_triage, with_window
from tocsin.signals.severity import Assets
from tocsin.signals.suppression import NO_SUPPRESSIONS, Suppressions, with_suppression


@dataclass(frozen=True, slots=True)
class Line:
    """A row to be written."""

    id: str
    timestamp: int
    line: bytes


def result(
    job_id: str,
    job_name: str,
    plan: Plan,
    decision: Decision,
    events: Sequence[Event],
    found_at: int,
    now: int,
    assets: Assets | None = None,
    suppressions: Suppressions = NO_SUPPRESSIONS,
) -> Line:
    """The row of one result. Its id is the job's own: the same job run again writes the same rows.

    `found_at` (Unix milliseconds) must be the same each time, as the moment at which the job was made. The row says
    what the suppressions of that moment would hide, as hidden signals do (`workflow.suppression`).
    """
    projection = project(plan, decision, events, found_at, assets=assets)
    signal = projection.signal
    identity = signal_id(f"job {job_id}", plan.rule.version, decision.group, decision.opened_by, decision.timestamp)
    custom = {**signal.custom, "workflow": {**signal.custom["workflow"], "job": {"id": job_id, "name": job_name}}}
    custom["workflow"]["engine"] = {"scope": scope_key(f"job {job_id}", plan.rule.version, decision.group)}
    if found := hidden(plan, decision, projection, events, suppressions, found_at, assets):
        custom = with_suppression(custom, found.by, found_at, is_update=found.is_update)
    line = projected_line(
        projection, with_window(custom, now), signal_id=identity, ingested_at=found_at, version=now * 1000
    )
    return Line(identity, signal.timestamp, line)


def converted(row: Mapping[str, Any], severity: str, message: str, notifications: Sequence[str], now: int) -> Line:
    """The signal that a result (a row as `SignalRows.rows` gives it) becomes; the same result gives the same id."""
    custom = orjson.loads(row["document"])
    identity = signal_id("converted", 1, (row["id"],), row["id"], row["timestamp"])
    custom["workflow"].pop("suppression", None)  # who converts it wants to see it
    workflow = {**custom["workflow"], "window": {**custom["workflow"]["window"], "state": "closed"}}
    workflow["engine"] = {**workflow["engine"], "scope": scope_key("converted", 1, (row["id"],))}
    case = {**custom["triggeringRuleCase"], "status": severity, "notifications": list(notifications)}
    custom |= {"status": severity, "workflow": workflow, "triggeringRuleCase": case, "discovery_timestamp": now}
    line = changed_line(
        row,
        with_triage(custom, None),
        now * 1000,
        id=identity,
        ingested_at=now,
        message=message,
        status=severity,
    )
    return Line(identity, row["timestamp"], line)


def removal(row: Mapping[str, Any], now: int) -> bytes:
    """The row that makes a result disappear."""
    version = max(row["row_version"] + 1, now * 1000)
    return tombstone(row["id"], row["timestamp"], row["ingested_at"], row["rule_id"], version)
