"""Why a signal is there: everything that it carries about its own origin, in one answer (design §9.5).

The writer has left the evidence with the signal (`signals/projection.py`); here it is put together with what has
happened since: the rule may be another, the window closed, updates hidden.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from tocsin.clock import Clock
from tocsin.errors import NotFound
from tocsin.event import Json
from tocsin.explain.words import moment, number, several
from tocsin.rule import Rule
from tocsin.signals.repository import SignalRows
from tocsin.signals.resource import iso


class SignalNotFound(NotFound):
    def __init__(self) -> None:
        super().__init__("Signal not found")


class Rules(Protocol):
    """What explanations ask of the rules."""

    def get(self, rule_id: str) -> Rule: ...
    def rule_at(self, rule_id: str, version: int) -> Rule | None: ...


class SignalExplanations:
    """Reads signals, shown or hidden. Safe to use from many threads."""

    def __init__(self, shown: SignalRows, hidden: SignalRows, rules: Rules, clock: Clock) -> None:
        self._shown = shown
        self._hidden = hidden
        self._rules = rules
        self._clock = clock

    def explain(self, signal_id: str) -> dict[str, Json]:
        """The attributes of the answer. Raises `SignalNotFound`; a hidden signal is explained as well."""
        shown = self._shown.rows([signal_id]).get(signal_id)
        hidden = self._hidden.rows([signal_id]).get(signal_id)
        row = shown or hidden
        if row is None:
            raise SignalNotFound
        return explained(row, None if row is hidden else hidden, self._rule(row["rule_id"]), self._clock())

    def _rule(self, rule_id: str) -> Rule | None:
        try:
            return self._rules.get(rule_id)
        except NotFound:
            return None


def explained(
    row: Mapping[str, Any], hidden_update: Mapping[str, Any] | None, present_rule: Rule | None, now: int
) -> dict[str, Json]:
    """Why the signal of a row (`resource.COLUMNS`) is there. Pure.

    `hidden_update` is the row of updates that a suppression hides, `present_rule` the rule as it is now, None if it
    was deleted, `now` in Unix milliseconds.
    """
    document, detail = orjson.loads(row["document"]), orjson.loads(row["detail"])
    workflow, explanation = document["workflow"], detail["explanation"]
    decided = explanation["decided"]
    made = {
        "summary": "",
        "rule": _rule(workflow["rule"], present_rule),
        "group": [{"field": field, "value": value} for field, value in document["groupByValues"].items()],
        "queries": document["queries"],
        "window": _window(explanation),
        "case": decided,
        "opened": explanation["opened"],
        "severity": {
            "case": decided["status"],
            "signal": row["status"],
            "changes": explanation["severity_changes"],
            "adjustments": explanation["adjustments"],
        },
        "baseline": explanation.get("facts", {}),
        "threat_intel": _threat_intel(detail["samples"]),
        "events": {
            "matched": workflow["events_matched"],
            "first_seen": workflow["first_seen"],
            "last_seen": workflow["last_seen"],
            "hits": explanation["hits"],
            "attributes_from": explanation["projected_events"],
        },
        "suppression": _suppression(workflow, hidden_update),
        "closing": _closing(explanation, now),
        "found": {
            "triggering_event_at": iso(document["triggering_log_timestamp"]),
            "discovered_at": iso(row["ingested_at"]),
            "delay_seconds": max(row["ingested_at"] - document["triggering_log_timestamp"], 0) / 1000,
        },
    }
    made["summary"] = " ".join(_sentences(made))
    return made


def _rule(told: Mapping[str, Json], present: Rule | None) -> dict[str, Json]:
    return {
        "id": told["id"],
        "name": told["name"],
        "type": told["type"],
        "detection_method": told["detectionMethod"],
        "version": told["version"],
        "current_version": None if present is None else present.version,
        "is_current": present is not None and present.version == told["version"],
        "is_enabled": present is not None and present.is_enabled,
        "is_deleted": present is None,
    }


def _window(explanation: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "seconds": explanation["window_seconds"],
        "to": explanation["decided"]["at"],
        "events": explanation["decided"]["window_events"],
        "keep_alive_seconds": explanation["keep_alive_seconds"],
        "max_signal_duration_seconds": explanation["max_signal_duration_seconds"],
    }


def _threat_intel(samples: Sequence[Mapping[str, Json]]) -> list[Json]:
    """What the sampled events matched, each indicator of each source once, and how many of these events had it.

    What a record says itself is among the results, and need not be of their shape (`enrich.threat_intel`).
    """
    found: dict[tuple[str, str, str], dict[str, Json]] = {}
    for sample in samples:
        enrichment = sample["content"].get("custom", {}).get("threat_intel")
        results = enrichment.get("results") if isinstance(enrichment, dict) else None
        for result in results if isinstance(results, list) else ():
            if not isinstance(result, dict):
                continue
            source = result.get("source")
            source = source if isinstance(source, dict) else {}
            key = (str(result.get("type")), str(result.get("indicator")), str(source.get("name")))
            told = found.setdefault(
                key,
                {
                    "type": key[0],
                    "indicator": key[1],
                    "category": result.get("category"),
                    "intention": result.get("intention"),
                    "source": source,
                    "events": 0,
                },
            )
            told["events"] += 1
    return list(found.values())


def _suppression(workflow: Mapping[str, Json], hidden_update: Mapping[str, Any] | None) -> dict[str, Json]:
    """`shown`, `hidden`, or `updates_hidden`: the signal is shown as it was before the suppression matched it."""
    if told := workflow.get("suppression"):
        return {"state": "hidden", **_hidden_by(told)}
    if hidden_update is not None:
        later = orjson.loads(hidden_update["document"])["workflow"]
        return {
            "state": "updates_hidden",
            **_hidden_by(later["suppression"]),
            "events_matched_with_updates": later["events_matched"],
            "severity_with_updates": hidden_update["status"],
        }
    return {"state": "shown"}


def _hidden_by(told: Mapping[str, Json]) -> dict[str, Json]:
    suppressions = zip(told["id"], told["name"], told["version"], strict=True)
    return {
        "since": told["since"],
        "suppressions": [{"id": id, "name": name, "version": version} for id, name, version in suppressions],
    }


def _closing(explanation: Mapping[str, Json], now: int) -> dict[str, Json]:
    return {
        "is_open": explanation["closes_at"] > iso(now),
        "at": explanation["closes_at"],
        "because": explanation["closes_because"],
        "last_hit_at": explanation["last_hit_at"],
    }


def _sentences(made: Mapping[str, Json]) -> Sequence[str]:
    case, rule, events = made["case"], made["rule"], made["events"]
    group = ", ".join(f"{item['field']} {item['value']}" for item in made["group"])
    window = made["window"]["seconds"]
    said = [f"Rule '{rule['name']}' (version {rule['version']}) fired" + (f" for {group}." if group else ".")]
    values = [f"{label} was {number(value)}" for label, value in case["values"].items() if value is not None]
    where = f" in the {window} s" if window else ""
    named = f"the case '{case['case']}'" if case["case"] else f"case {case['case_index'] + 1}"
    holds = f" ({case['condition']})" if case["condition"] else ""
    if values:
        said.append(f"At {moment(case['at'])} {' and '.join(values)}{where}: {named}{holds} held.")
    else:
        said.append(f"At {moment(case['at'])} {named}{holds} held.")
    for change in made["severity"]["changes"]:
        said.append(f"At {moment(change['at'])} its severity rose from {change['from']} to {change['status']}.")
    for change in made["severity"]["adjustments"]:
        because = f" because of {change['because']}" if change["because"] else ""
        said.append(f"Its severity was changed from {change['from']} to {change['to']}{because}.")
    said.append(f"It rests on {several(events['matched'], 'event')}.")
    suppression = made["suppression"]
    if suppression["state"] != "shown":
        names = ", ".join(f"'{each['name']}'" for each in suppression["suppressions"])
        what = "It is hidden" if suppression["state"] == "hidden" else "Its further updates are hidden"
        said.append(f"{what} by the suppression {names} since {moment(suppression['since'])}.")
    closing = made["closing"]
    why = {
        "keep_alive": f"no case held again within {made['window']['keep_alive_seconds']} s",
        "max_signal_duration": f"it had lasted {made['window']['max_signal_duration_seconds']} s",
    }.get(closing["because"], closing["because"])
    if closing["is_open"]:
        said.append(f"It is still open; unless a case holds again, it closes at {moment(closing['at'])}.")
    else:
        said.append(f"It closed at {moment(closing['at'])} because {why}.")
    return said
