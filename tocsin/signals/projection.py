"""From a decision and its events to the signal that people see and search (siem.md §3.1, api.md §5). Pure.

What the events say is projected under its own path: one value as it is, differing ones as a list in the order of the
events, more than 100 not at all but named in `workflow.high_cardinality`. The events are those that the decision names:
its first 500 and last 10 (`gathering.py`); `explanation` says how many that were.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import orjson

from tocsin.evaluate.correlation import mixes, reads_signals
from tocsin.evaluate.decision import Decision, Verdict
from tocsin.evaluate.method import Plan
from tocsin.evaluate.third_party import title_template
from tocsin.event import Event, Json
from tocsin.match.conditions import uncalculated
from tocsin.query import parse, print_query
from tocsin.query.track import LOGS
from tocsin.query.values import Scalar, distinct, flatten, text_of
from tocsin.rule import MISSING_GROUP_VALUE, SEVERITIES, Rule, RuleQuery
from tocsin.signal import Signal, Triage
from tocsin.signals.course import Reached
from tocsin.signals.gathering import MAX_VALUES, Gathered, gathered
from tocsin.signals.identity import scope_key, signal_id
from tocsin.signals.resource import iso
from tocsin.signals.severity import Adjusted, Adjustment, Assets, severity
from tocsin.signals.templates import Facts, render

RULE_TYPES = {
    "log_detection": "Log Detection",
    "signal_correlation": "Signal Correlation",
    "application_security": "Application Security",
    "api_security": "API Security",
    "workload_security": "Workload Security",
    "cloud_configuration": "Cloud Configuration",
}

ENTITY_PATHS = (
    "usr.id",
    "usr.email",
    "usr.name",
    "network.client.ip",
    "network.destination.ip",
    "userIdentity.arn",
    "userIdentity.accessKeyId",
    "dns.question.name",
)
"""Attributes whose values are entities, besides hosts and what the rule groups by."""

OWNED = frozenset(
    (
        "workflow",
        "triggeringRuleCase",
        "queries",
        "groupByPaths",
        "groupByValues",
        "entities",
        "samples",
        "relatedQuery",
        "relatedLogsQueryUrl",
        "explanation",
        "correlation",
        "critical_assets_data",
        "title",
        "status",
        "hostname",
        "service",
        "discovery_timestamp",
        "triggering_log_timestamp",
        "internal_id",
    )
)
"""Members of `custom` that are the signal's own; an event's attribute of that name is not projected."""

_PADDING_MS = 300_000


@dataclass(frozen=True, slots=True)
class Projection:
    """A signal's detection fields, with what is shown but not searched. `revision` changes when any of them does.

    `course` are the severities that it had, as the decision's verdicts rose; the last is the signal's.
    """

    signal: Signal
    detail: Mapping[str, Json]
    revision: str
    course: tuple[Reached, ...]


def project(
    plan: Plan,
    decision: Decision,
    events: Sequence[Event],
    discovered_at: int,
    assets: Assets | None = None,
) -> Projection:
    """The signal of a decision. `events` are those that it names, as far as they are still stored, in any order.

    `discovered_at` (Unix milliseconds) is when the signal was first decided. `assets` may make the signal more or less
    severe than its rule does.
    """
    return project_gathered(plan, decision, gathered(decision, events), discovered_at, assets)


def project_gathered(
    plan: Plan, decision: Decision, found: Gathered, discovered_at: int, assets: Assets | None = None
) -> Projection:
    """The same, of what the events say together."""
    projection = _projected(plan, decision, found, discovered_at, None)
    adjusted = assets.adjust(plan.rule, projection.signal) if assets is not None else None
    if adjusted is not None:
        projection = _projected(plan, decision, found, discovered_at, adjusted)
    if len(decision.verdicts) == 1:
        return projection
    earlier = (_reached(plan.rule, verdict, projection.signal, assets) for verdict in decision.verdicts[:-1])
    return replace(projection, course=(*earlier, *projection.course))


def _reached(rule: Rule, verdict: Verdict, signal: Signal, assets: Assets | None) -> Reached:
    """What an earlier verdict made of the severity, with all that is known of the signal since."""
    status, adjustments = severity(rule, verdict.case_index, signal.tags)
    as_it_was = replace(signal, severity=status, custom={**signal.custom, "status": status})
    adjusted = assets.adjust(rule, as_it_was) if assets is not None else None
    if adjusted is not None:
        status, adjustments = adjusted.status, (*adjustments, *adjusted.adjustments)
    return Reached(verdict.timestamp, status, rule.cases[verdict.case_index].name, adjustments)


def _projected(
    plan: Plan,
    decision: Decision,
    found: Gathered,
    discovered_at: int,
    adjusted: Adjusted | None,
) -> Projection:
    rule = plan.rule
    fields = _signal_fields(plan, decision)
    union = found.attributes | flatten(decision.facts)
    tags, dropped_tags = _tags(rule, found.tags)
    status, adjustments = severity(rule, decision.verdict.case_index, tags)
    if adjusted is not None:
        status, adjustments = adjusted.status, (*adjustments, *adjusted.adjustments)
    hosts, services, sources = found.hosts, found.services, found.sources
    groups = _group_values(plan, decision, fields)
    for field, values in groups.items():
        path = field.removeprefix("@")
        if field.startswith("@") and path not in union:
            union[path] = [value for value in values if value != MISSING_GROUP_VALUE]

    facts = _facts(rule, decision, status, union, tags, {"host": hosts, "service": services, "source": sources})
    case = rule.cases[decision.verdict.case_index]
    name = rule.custom_name or rule.name
    title = render(title_template(rule), facts, markdown=False)
    title = title or render(f"{name} - {case.name}" if case.name else name, facts, markdown=False)
    message = render(rule.message if rule.custom_message is None else rule.custom_message, facts)

    custom, dropped = _nested(union)
    custom |= decision.facts
    identity = signal_id(rule.id, rule.version, decision.group, decision.opened_by, decision.timestamp)
    custom |= {
        "title": title,
        "status": status,
        "workflow": {
            "rule": {
                "id": rule.id,
                "name": rule.name,
                "type": RULE_TYPES.get(rule.type, rule.type),
                "version": rule.version,
                "detectionMethod": rule.options.detection_method,
                "isDefaultRule": rule.is_default,
                "defaultRuleId": rule.id if rule.is_default else None,
                "defaultRuleVersion": rule.version if rule.is_default else None,
            },
            "first_seen": iso(_second(decision.first_seen)),
            "last_seen": iso(_second(decision.last_seen)),
            "events_matched": decision.events_matched,
            "window": {"closes_at": iso(decision.closes_at)},
            "high_cardinality": {"attributes": dropped, "tags": dropped_tags},
            "engine": {"scope": scope_key(rule.id, rule.version, decision.group)},
        },
        "triggeringRuleCase": {
            "name": case.name,
            "status": case.severity,
            "condition": case.condition,
            "notifications": list(case.notifications),
        },
        "queries": [
            _query(query, decision, index) for index, query in enumerate(rule.queries)
        ],
        "groupByPaths": [_path(field) for field in fields],
        "groupByValues": {field: values[0] if len(values) == 1 else values for field, values in groups.items()},
        "entities": _entities(hosts, union, groups),
        "triggering_log_timestamp": decision.timestamp,
        "internal_id": f"{rule.id}-{rule.version}-{decision.opened_by}",
    }  # fmt: skip
    if hosts:
        custom["hostname"] = hosts[0] if len(hosts) == 1 else hosts
    if services:
        custom["service"] = services
    if adjusted is not None:
        custom["critical_assets_data"] = adjusted.shown
    if reads_signals(rule):
        custom["correlation"] = found.members
    track = "signals" if reads_signals(rule) and not mixes(rule) else "logs"
    detail: dict[str, Json] = {
        "samples": found.samples,
        "relatedQuery": _related(rule, decision, groups, track),
        "explanation": _explanation(plan, decision, adjustments, found.events),
    }
    detail["engine"] = {"group": list(decision.group), "opened_by": decision.opened_by, "last_seen": decision.last_seen}
    detail["relatedLogsQueryUrl"] = _related_url(rule, decision, detail["relatedQuery"]["query"], track)
    signal = Signal(
        id=identity,
        rule_id=rule.id,
        rule_version=rule.version,
        group=decision.group,
        timestamp=decision.timestamp,
        first_seen=_second(decision.first_seen),
        last_seen=_second(decision.last_seen),
        closes_at=decision.closes_at,
        severity=status,
        case_index=decision.verdict.case_index,
        title=title,
        message=message,
        events_matched=decision.events_matched,
        tags=tuple(tags),
        host=tuple(hosts),
        service=tuple(services),
        source=tuple(sources),
        custom=custom,
    )
    revision = _revision(signal, detail)
    custom["workflow"]["engine"]["revision"] = revision
    custom["discovery_timestamp"] = discovered_at  # not part of the revision: it says when we ran, not what we found
    course = (Reached(decision.verdict.timestamp, status, case.name, adjustments),)
    return Projection(replace(signal, custom=custom), detail, revision, course)


def with_triage(custom: Mapping[str, Json], triage: Triage | None) -> dict[str, Json]:
    """The same members of `custom` with what people decided; None if nobody touched the signal."""
    triage = triage or Triage("", 0)
    person = triage.assignee
    updater = triage.state_updated_by
    shown: dict[str, Json] = {
        "state": triage.state,
        "assignee": {"id": person.id, "uuid": person.uuid, "name": person.name, "handle": person.handle},
        "incidentIds": list(triage.incident_ids),
        "archive_reason": triage.archive_reason,
        "archive_comment": triage.archive_comment,
        "archiveReason": triage.archive_reason,
        "archiveComment": triage.archive_comment,
        "updater": {"handle": updater.handle if updater else "", "name": updater.name if updater else ""},
        "version": triage.version,
    }
    if triage.state_updated_at is not None:
        shown["state_updated_at"] = iso(triage.state_updated_at)
    return {**custom, "workflow": {**custom["workflow"], "triage": shown}}


def with_window(custom: Mapping[str, Json], now: int) -> dict[str, Json]:
    """The same members of `custom` saying whether the engine may still add events (siem.md §0.2, §2.10)."""
    window = custom["workflow"]["window"]
    state = "open" if window["closes_at"] > iso(now) else "closed"
    return {**custom, "workflow": {**custom["workflow"], "window": {**window, "state": state}}}


def _second(timestamp: int) -> int:
    return timestamp - timestamp % 1000


def _signal_fields(plan: Plan, decision: Decision) -> tuple[str, ...]:
    """The fields that form the signal group, as the rule writes them."""
    fields = plan.group_by(decision)
    return fields if plan.kept is None else tuple(fields[position] for position in plan.kept)


def _group_values(plan: Plan, decision: Decision, fields: Sequence[str]) -> dict[str, list[str]]:
    """Every group-by field with its value; a field that `groupSignalsBy` drops with all that took part."""
    values = {field: [value] for field, value in zip(fields, decision.group, strict=False)}
    if plan.kept is not None:
        for position, field in enumerate(plan.group_by(decision)):
            if field not in values:
                values[field] = sorted({group[position] for group in decision.groups if position < len(group)})
    return values


def _path(field: str) -> str:
    """A group-by field as a path: a bare name that no event has as its own is the key of a tag (siem.md §1.6)."""
    return field if field.startswith(("@", "#")) or field in LOGS.columns else f"tags.{field}"


def _nested(union: Mapping[str, list[Scalar]]) -> tuple[dict[str, Json], list[str]]:
    """The union as nested objects, and the names that have too many values."""
    nested: dict[str, Json] = {}
    dropped = []
    for path in sorted(union):
        if path.partition(".")[0] in OWNED:
            continue
        values = distinct(union[path])
        if len(values) > MAX_VALUES:
            dropped.append(path)
            continue
        node, rest = nested, path
        while "." in rest:
            head, tail = rest.split(".", 1)
            below = node.setdefault(head, {})
            if not isinstance(below, dict):
                break  # a value stands where an object should: the dotted name means the same
            node, rest = below, tail
        node[rest] = values[0] if len(values) == 1 else values
    return nested, dropped


def _tags(rule: Rule, found: Iterable[str]) -> tuple[list[str], list[str]]:
    tags = dict.fromkeys([*rule.tags, *found])
    by_key: dict[str, int] = {}
    for tag in tags:
        key = tag.partition(":")[0]
        by_key[key] = by_key.get(key, 0) + 1
    dropped = sorted(key for key, count in by_key.items() if count > MAX_VALUES)
    return [tag for tag in tags if tag.partition(":")[0] not in dropped], dropped


def _entities(hosts: Sequence[str], union: Mapping[str, list[Scalar]], groups: Mapping[str, list[str]]) -> list[str]:
    entities = [f"host:{host}" for host in hosts]
    for field, values in groups.items():
        if field.startswith("@"):
            entities += [f"{field}:{value}" for value in values if value != MISSING_GROUP_VALUE]
    for path in ENTITY_PATHS:
        entities += [f"@{path}:{text_of(value)}" for value in union.get(path, ())]
    return list(dict.fromkeys(entities))[:MAX_VALUES]


def _facts(
    rule: Rule,
    decision: Decision,
    status: str,
    union: Mapping[str, Sequence[Any]],
    tags: Iterable[str],
    reserved: Mapping[str, Sequence[str]],
) -> Facts:
    by_key: dict[str, list[str]] = {name: list(values) for name, values in reserved.items() if values}
    for tag in tags:
        key, colon, value = tag.partition(":")
        if colon and value not in by_key.setdefault(key, []):
            by_key[key].append(value)
    return Facts(
        severity=SEVERITIES.index(status),
        timestamp=decision.timestamp,
        first_seen=_second(decision.first_seen),
        last_seen=_second(decision.last_seen),
        rule_name=rule.custom_name or rule.name,
        case_name=rule.cases[decision.verdict.case_index].name,
        events_matched=decision.events_matched,
        events_matched_per_query={
            query.label: evidence.events for query, evidence in zip(rule.queries, decision.queries, strict=True)
        },
        attributes=union,
        tags=by_key,
    )


def _query(query: RuleQuery, decision: Decision, index: int) -> dict[str, Json]:
    evidence = decision.queries[index]
    return {
        "name": query.label,
        "query": query.full_query,
        "aggregation": query.aggregation,
        "metric": query.metrics[0] if query.metrics else None,
        "distinctFields": list(query.distinct_fields),
        "groupByPaths": [_path(field) for field in query.group_by_fields],
        "aggregationDetails": {
            "eventsCount": evidence.events,
            "value": evidence.value,
            "distinctCount": evidence.distinct,
            "distinctValues": [text.replace("\x1f", ", ") for text in evidence.distinct_values],
        },
    }


def _related(rule: Rule, decision: Decision, groups: Mapping[str, list[str]], track: str) -> dict[str, Json]:
    """The search that finds the signal's logs, or the signals that it consists of; of both, which no search finds
    together, the logs (siem.md §3.1)."""
    scope = [_term(field, values) for field, values in groups.items() if not field.startswith("#")]
    texts = {query.label: query.full_query for query in rule.queries if query.reads_signals == (track == "signals")}
    if rule.calculated_fields:  # a search knows none of them
        texts = {label: print_query(uncalculated(parse(text))) for label, text in texts.items()}
    queries = {label: " ".join([f"({text})", *scope]) for label, text in texts.items()}
    together = " OR ".join(f"({text})" for text in texts.values())
    return {
        "from": decision.first_seen - rule.window_ms - _PADDING_MS,
        "to": decision.last_seen + _PADDING_MS,
        "track": track,
        "query": " ".join([f"({together})" if len(texts) > 1 and scope else together, *scope]),
        "queries": queries,
    }


def _term(field: str, values: Sequence[str]) -> str:
    if values == [MISSING_GROUP_VALUE]:
        return f"-{field}:*"
    quoted = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return f"{field}:{quoted[0]}" if len(quoted) == 1 else f"{field}:({' OR '.join(quoted)})"


def _related_url(rule: Rule, decision: Decision, query: str, track: str) -> str:
    start = decision.first_seen - rule.window_ms - _PADDING_MS
    end = decision.first_seen + rule.max_signal_duration_ms + _PADDING_MS
    return f"/{track}?" + urlencode({"query": query, "from": start, "to": end})


def _explanation(plan: Plan, decision: Decision, adjustments: Sequence[Adjustment], projected: int) -> dict[str, Json]:
    """Why the signal fired: the window, the counts, the case that decided, what changed its severity (design §9.5)."""
    rule = plan.rule
    opening, deciding = decision.verdicts[0], decision.verdict
    closed_early = decision.closes_at < decision.last_hit + rule.keep_alive_ms
    return {
        "window_seconds": rule.options.evaluation_window,
        "keep_alive_seconds": rule.options.keep_alive,
        "max_signal_duration_seconds": rule.options.max_signal_duration,
        "opened": _verdict(rule, opening),
        "decided": _verdict(rule, deciding),
        "severity_changes": [
            {"from": rule.cases[before.case_index].severity, **_verdict(rule, after)}
            for before, after in zip(decision.verdicts, decision.verdicts[1:], strict=False)
        ],
        "adjustments": [
            {"kind": change.kind, "from": change.before, "to": change.after, "because": change.because}
            for change in adjustments
        ],
        "facts": dict(decision.facts),
        "hits": decision.hits,
        "last_hit_at": iso(decision.last_hit),
        "closes_at": iso(decision.closes_at),
        "closes_because": "max_signal_duration" if closed_early else "keep_alive",
        "projected_events": projected,
    }


def _verdict(rule: Rule, verdict: Verdict) -> dict[str, Json]:
    case = rule.cases[verdict.case_index]
    return {
        "case": case.name,
        "case_index": verdict.case_index,
        "status": case.severity,
        "condition": case.condition,
        "at": iso(verdict.timestamp),
        "event_id": verdict.event_id,
        "group": list(verdict.group),
        "values": {query.label: value for query, value in zip(rule.queries, verdict.values, strict=True)},
        "window_events": verdict.window_events,
    }


def _revision(signal: Signal, detail: Mapping[str, Json]) -> str:
    content = orjson.dumps(
        [signal.title, signal.message, signal.severity, signal.tags, signal.host, signal.source, signal.custom, detail],
        option=orjson.OPT_SORT_KEYS,
    )
    return hashlib.blake2b(content, digest_size=10).hexdigest()
