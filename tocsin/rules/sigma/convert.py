"""A Sigma rule as a rule of ours: its query, severity, tags, and a playbook that keeps who wrote it (DRL 1.1)."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sigma.rule import SigmaRule
from sigma.rule.base import SigmaRuleBase

from tocsin.query.parser import MAX_BYTES
from tocsin.query.printer import print_query
from tocsin.query.tree import Node
from tocsin.rules.sigma.conditions import tree_of
from tocsin.rules.sigma.errors import NotImportable
from tocsin.rules.sigma.logsources import LogSource, log_source

SEVERITIES: Mapping[str, str] = {
    "informational": "info",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "critical": "critical",
}
NO_LEVEL = "medium"

TACTICS: Mapping[str, str] = {
    "reconnaissance": "TA0043",
    "resource-development": "TA0042",
    "initial-access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege-escalation": "TA0004",
    "defense-evasion": "TA0005",
    "stealth": "TA0005",
    "defense-impairment": "TA0005",
    "credential-access": "TA0006",
    "discovery": "TA0007",
    "lateral-movement": "TA0008",
    "collection": "TA0009",
    "command-and-control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}
"""As Sigma spells tactics; the two into which later versions of ATT&CK split evasion are one in that of the map."""

_ID_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a rule set comes from: its licence and a link, for those rules that do not say."""

    licence: str = ""
    link: str = ""


DRL = Origin(
    "Detection Rule License (DRL) 1.1, https://github.com/SigmaHQ/Detection-Rule-License",
    "https://github.com/SigmaHQ/sigma",
)


@dataclass(frozen=True, slots=True)
class Converted:
    """`body` is a rule in the API's shape with its id; `sigma_id` is the one that its author gave it."""

    sigma_id: str
    path: str
    body: dict[str, Any]
    is_correlation: bool = False


def source_of(rule: SigmaRule) -> LogSource:
    """Raises `NotImportable` if nothing that Tocsin reads logs what the rule is about."""
    asked = rule.logsource
    found = log_source(asked.product, asked.category, asked.service)
    if found is None:
        named = ", ".join(
            f"{kind} {value}"
            for kind, value in (("product", asked.product), ("category", asked.category), ("service", asked.service))
            if value
        )
        raise NotImportable(f"no log source of Tocsin stands for {named or 'an empty logsource'}")
    return found


def query_of(rule: SigmaRule, source: LogSource) -> str:
    """The search that finds the events of a rule. Raises `NotImportable`."""
    return query_text(tree_of(rule, source))


def query_text(tree: Node) -> str:
    text = print_query(tree)
    if len(text.encode()) > MAX_BYTES:
        raise NotImportable(f"its query would have more than {MAX_BYTES:,} bytes")
    return text


def convert(rule: SigmaRule, path: str, origin: Origin) -> Converted:
    """A rule over single events. Raises `NotImportable`."""
    source = source_of(rule)
    query = {
        "name": "",
        "query": query_of(rule, source),
        "aggregation": "count",
        "groupByFields": list(source.group_by),
        "distinctFields": [],
        "hasOptionalGroupByFields": True,
        "dataSource": "logs",
    }
    options = {"detectionMethod": "threshold", "evaluationWindow": 0, "keepAlive": 3600, "maxSignalDuration": 86400}
    return converted(rule, path, origin, source, [query], "a > 0", options)


def converted(
    rule: SigmaRuleBase,
    path: str,
    origin: Origin,
    source: LogSource,
    queries: Sequence[Mapping[str, Any]],
    condition: str,
    options: Mapping[str, Any],
) -> Converted:
    """The complete rule around its queries."""
    sigma_id = str(rule.id) if rule.id is not None else rule.name or rule.title
    body = {
        "id": rule_id(sigma_id),
        "name": rule.title,
        "type": "log_detection",
        "isEnabled": True,
        "tags": list(dict.fromkeys(_tags(rule, sigma_id, source, origin))),
        "queries": [dict(query) for query in queries],
        "cases": [{"name": "", "status": _severity(rule), "condition": condition, "notifications": []}],
        "options": dict(options),
        "message": _playbook(rule, sigma_id, origin),
    }
    return Converted(sigma_id, path, body, is_correlation=not isinstance(rule, SigmaRule))


def rule_id(sigma_id: str) -> str:
    """The id of the rule that a Sigma rule becomes: always the same (`abc-d1e-2fg`, siem.md §0.2)."""
    number = int.from_bytes(hashlib.blake2b(sigma_id.lower().encode(), digest_size=8).digest())
    digits = ""
    for _ in range(9):
        number, digit = divmod(number, 36)
        digits += _ID_DIGITS[digit]
    return "-".join((digits[:3], digits[3:6], digits[6:]))


def _severity(rule: SigmaRuleBase) -> str:
    return SEVERITIES[rule.level.name.lower()] if rule.level is not None else NO_LEVEL


def _tags(rule: SigmaRuleBase, sigma_id: str, source: LogSource, origin: Origin) -> Iterator[str]:
    yield f"source:{source.source}"
    yield "security:attack"
    for tag in rule.tags:
        name = tag.name.lower().replace("_", "-")
        if tag.namespace != "attack":
            yield f"{tag.namespace}:{tag.name}"
        elif name in TACTICS:
            yield f"tactic:{TACTICS[name]}"
        elif name[:1] == "t" and name[1:2].isdigit():
            yield f"technique:{name.upper()}"
        else:
            yield f"attack:{name}"
    if rule.author:
        yield f"author:{rule.author}"
    if licence := rule.license or origin.licence:
        yield f"licence:{licence.partition(',')[0]}"
    if rule.status is not None:
        yield f"sigma_status:{rule.status.name.lower()}"
    yield f"sigma:{sigma_id}"


def _playbook(rule: SigmaRuleBase, sigma_id: str, origin: Origin) -> str:
    """Markdown (siem.md §2.25). Who uses a rule under the DRL must keep its author in what a match produces."""
    parts = ["## Goal", rule.description or rule.title, "## Strategy"]
    if isinstance(rule, SigmaRule) and rule.logsource.definition:
        parts.append(f"What must be logged: {rule.logsource.definition}")
    facts = [
        ("Sigma rule", sigma_id),
        ("Author", rule.author),
        ("Licence", rule.license or origin.licence),
        ("Rule set", origin.link),
        ("Date", _dates(rule)),
    ]
    parts.append("\n".join(f"- {name}: {value}" for name, value in facts if value))
    if rule.falsepositives:
        parts += ["## False positives", _listed(rule.falsepositives)]
    parts += ["## Triage and response", "1. Look at the event and at what the same host and user did around it."]
    if rule.fields:
        parts.append(f"2. Fields worth a look: {', '.join(map(str, rule.fields))}.")
    if rule.references:
        parts += ["## References", _listed(rule.references)]
    return _plain("\n\n".join(parts)) + "\n"


def _dates(rule: SigmaRuleBase) -> str:
    return ", changed ".join(str(date) for date in (rule.date, rule.modified) if date is not None)


def _listed(items: Sequence[object]) -> str:
    return "\n".join(f"- {str(item).strip()}" for item in items)


def _plain(text: str) -> str:
    """What the author wrote is text: it names no variable of a template."""
    return text.replace("{{", "{ {")
