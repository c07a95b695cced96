"""From what is asked to the rule that a job runs (api.md §8). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tocsin.errors import BadRequest
from tocsin.rule import THIRD_PARTY, Rule
from tocsin.rules.scheduled.checks import INDEXES
from tocsin.rules.shape import rule_from_api, rule_to_api
from tocsin.rules.validation import read_rule

MAX_NAME = 500

RULE_MEMBERS = (
    "name",
    "message",
    "queries",
    "cases",
    "options",
    "type",
    "tags",
    "groupSignalsBy",
    "referenceTables",
    "calculatedFields",
    "thirdPartyCases",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job runs, and over which logs (`[start, end)`, Unix milliseconds)."""

    rule: Rule
    start: int
    end: int
    rule_id: str | None = None


def read(attributes: Mapping[str, Any], rule_of: Callable[[str], Rule]) -> Asked:
    """`rule_of` finds a stored rule by id, or raises. Raises `BadRequest` with what is wrong, `InvalidRule`."""
    given = [name for name in ("fromRule", "jobDefinition") if attributes.get(name) is not None]
    if len(given) != 1:
        raise BadRequest("a job needs either fromRule or jobDefinition")
    body = attributes[given[0]]
    if not isinstance(body, Mapping):
        raise BadRequest(f"{given[0]} must be an object")
    start, end = _time(body, "from"), _time(body, "to")
    if end <= start:
        raise BadRequest(f"{given[0]}.to must be later than {given[0]}.from")
    if body.get("index") is None:
        raise BadRequest(f"{given[0]}.index is missing; there is: {', '.join(INDEXES)}")
    if body["index"] not in INDEXES:
        raise BadRequest(f"index '{body.get('index')}' does not exist; there is: {', '.join(INDEXES)}")
    if given[0] == "fromRule":
        rule = rule_of(_text(body, "id"))
        return Asked(_from_rule(rule, body), start, end, rule.id)
    return Asked(_defined(body), start, end)


def _from_rule(rule: Rule, body: Mapping[str, Any]) -> Rule:
    index, targets = body.get("caseIndex"), body.get("notifications")
    cases = rule.cases
    if index is not None:
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(cases):
            raise BadRequest(f"fromRule.caseIndex must be 0 to {len(cases) - 1}: the rule has {len(cases)} cases")
        cases = (cases[index],)
    if targets is not None:
        if not isinstance(targets, list) or not all(isinstance(target, str) for target in targets):
            raise BadRequest("fromRule.notifications must be a list of texts")
        cases = tuple(replace(case, notifications=tuple(targets)) for case in cases)
    if rule.options.detection_method == THIRD_PARTY:
        return _of_third_party(rule, index, targets)
    return replace(rule, cases=cases)


def _of_third_party(rule: Rule, index: int | None, targets: list[str] | None) -> Rule:
    """The same of a rule whose cases are made of `thirdPartyCases`. Of one case alone the roots take only what is its
    own: neither what an earlier one takes, nor what is left to the default."""
    body = rule_to_api(rule)
    cases = [dict(case) for case in body.get("thirdPartyCases") or ()]
    options = dict(body["options"]["thirdPartyRuleOptions"])
    if index is not None:
        own = [f"({cases[index]['query']})", *(f"NOT ({earlier['query']})" for earlier in cases[:index])]
        options["rootQueries"] = [
            {**root, "query": " AND ".join([f"({root['query']})", *own])} for root in options["rootQueries"]
        ]
        cases = [cases[index]]
    if targets is not None:
        cases = [{**case, "notifications": targets} for case in cases]
        options["defaultNotifications"] = targets
    made = {"thirdPartyCases": cases, "options": {**body["options"], "thirdPartyRuleOptions": options}}
    return rule_from_api({**body, **made})


def _defined(body: Mapping[str, Any]) -> Rule:
    members = {name: body[name] for name in RULE_MEMBERS if body.get(name) is not None}
    queries = members.get("queries")
    if isinstance(queries, list):
        members["queries"] = [_query(i, query) for i, query in enumerate(queries)]
    made = {"isEnabled": True, "options": {}, "queries": [], "cases": [], "type": "log_detection", **members}
    return read_rule(made, is_job=True)


def _query(index: int, query: Any) -> Any:
    if not isinstance(query, Mapping):
        return query
    for name in ("datasetIds", "queryLanguage"):
        if query.get(name):
            raise BadRequest(f"queries[{index}].{name}: queries over datasets are not supported")
    named = query.get("indexes") or ([query["index"]] if query.get("index") else [])
    if not isinstance(named, list):
        raise BadRequest(f"queries[{index}].indexes must be a list of names")
    if unknown := [name for name in named if name not in INDEXES]:
        raise BadRequest(f"queries[{index}]: index '{unknown[0]}' does not exist; there is: {', '.join(INDEXES)}")
    left_out = ("additionalFilters", "datasetIds", "queryLanguage", "index", "indexes")
    kept = {name: value for name, value in query.items() if name not in left_out}
    if extra := query.get("additionalFilters"):
        own = kept.get("customQueryExtension")
        kept["customQueryExtension"] = f"({own}) AND ({extra})" if own else str(extra)
    return kept


def _time(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_413_791_999_999:
        raise BadRequest(f"'{name}' must be a time in Unix milliseconds")
    return value


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"'{name}' must be a text")
    return value
