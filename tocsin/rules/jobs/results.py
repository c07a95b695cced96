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
from tocsin.signals.projection import project, with_triage, with_window
from tocsin.signals.severity import Assets
from tocsin.signals.suppression import NO_SUPPRESSIONS, Suppressions, with_suppression
from tocsin.store.rows import encode_signal


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
    line = encode_signal(
        id=identity,
        timestamp=signal.timestamp,
        ingested_at=found_at,
        row_version=now * 1000,
        rule_id=signal.rule_id,
        title=signal.title,
        message=signal.message,
        status=signal.severity,
        host=signal.host,
        service=signal.service,
        source=signal.source,
        tags=signal.tags,
        custom=with_window(custom, now),
        detail=projection.detail,
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
    line = encode_signal(
        id=identity,
        timestamp=row["timestamp"],
        ingested_at=now,
        row_version=now * 1000,
        rule_id=row["rule_id"],
        title=row["title"],
        message=message,
        status=severity,
        host=row["host"],
        service=row["service"],
        source=row["source"],
        tags=row["tags"],
        custom=with_triage(custom, None),
        detail=orjson.loads(row["detail"]),
    )
    return Line(identity, row["timestamp"], line)


def tombstone(row: Mapping[str, Any], now: int) -> bytes:
    """The row that makes a result disappear."""
    return encode_signal(
        id=row["id"],
        timestamp=row["timestamp"],
        ingested_at=row["ingested_at"],
        row_version=max(row["row_version"] + 1, now * 1000),
        rule_id=row["rule_id"],
        title="",
        message="",
        status="",
        custom={},
        is_deleted=True,
    )
