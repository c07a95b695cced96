"""What is allowed in a rule but probably not meant: ATT&CK tags that the map will not show (siem.md §2.26), templates
that cannot be rendered (siem.md §2.25), calculated fields that nothing uses or that are made of every log, windows as
long as a signal may last (siem.md §2.10), cases that no event can fulfil (siem.md §2.7), options that another detection
method reads, a method that lacks data."""

import math
from collections.abc import Iterator, Sequence

from tocsin.errors import BadRequest
from tocsin.evaluate.condition import OPERATORS, AnyOf, Comparison, Condition, Part, parse_condition
from tocsin.evaluate.threshold import holds_of_nothing
from tocsin.match.conditions import uncalculated
from tocsin.query import parse
from tocsin.query.expression import expression_names
from tocsin.query.tree import All, And, Node, Or, fold_up
from tocsin.rule import CONTENT_ANOMALY, HARDCODED, THIRD_PARTY, Rule, RuleQuery
from tocsin.rules.attack import TACTICS, tactics_of
from tocsin.rules.problems import Problem
from tocsin.rules.scheduled.checks import calculated_names
from tocsin.signals.templates import check_template

EXAMPLES = {"tactic": "tactic:TA0001-initial-access", "technique": "technique:T1566-phishing"}

METHOD_OPTIONS = {
    "newValueOptions": "new_value",
    "anomalyDetectionOptions": "anomaly_detection",
    "contentAnomalyOptions": CONTENT_ANOMALY,
    "impossibleTravelOptions": "impossible_travel",
    "thirdPartyRuleOptions": THIRD_PARTY,
    "sequenceDetectionOptions": "sequence_detection",
}
"""Members of `options` by the detection method that reads them."""

COUNTING = ("count", "event_count")
"""Aggregations of which an event alone is worth exactly one."""


def hints(rule: Rule, *, has_cities: bool = True) -> list[Problem]:
    """Remarks on a rule's tags, texts and times; none of them keeps the rule from being stored. `has_cities`: there is
    a place database with coordinates."""
    return [
        *([] if has_cities else _place_hints(rule)),
        *attack_hints(rule),
        *_template_hints(rule),
        *_calculated_hints(rule),
        *duration_hints(rule),
        *_case_hints(rule),
        *_option_hints(rule),
    ]


def _place_hints(rule: Rule) -> Iterator[Problem]:
    """Without coordinates the method passes every log over (siem.md §2.17)."""
    if rule.options.detection_method == "impossible_travel":
        message = (
            "This server has no city database, so only logs that bring coordinates of their own are looked at: "
            "set TOCSIN_GEOIP_CITY to one in MMDB format"
        )
        yield Problem("options.detectionMethod", message, "no_cities")


def attack_id(tag: str) -> str:
    """The ATT&CK id in a tag, in capitals: what stands before the first `-` or `_`; empty if the tag has no value."""
    value = tag.partition(":")[2]
    return value.replace("_", "-").partition("-")[0].strip().upper()


def attack_hints(rule: Rule) -> Iterator[Problem]:
    """Remarks on the tags `tactic:` and `technique:` that the map will not show as they stand."""
    tactics = {attack_id(tag) for tag in rule.tags if tag.startswith("tactic:")}
    for i, tag in enumerate(rule.tags):
        target, kind = f"tags[{i}]", tag.partition(":")[0]
        if kind.lower() not in EXAMPLES:
            continue
        example = EXAMPLES[kind.lower()]
        if kind != kind.lower():
            yield Problem(target, f"'{kind}' must be written in lower case, as in {example}", "upper_case")
            continue
        known = attack_id(tag) in TACTICS if kind == "tactic" else bool(tactics_of(attack_id(tag)))
        if not known:
            yield Problem(target, f"'{tag}' names no ATT&CK {kind}; write it as in {example}", f"unknown_{kind}")
        elif kind == "technique" and not tactics & set(tactics_of(attack_id(tag))):
            belongs = " or ".join(tactics_of(attack_id(tag)))
            message = f"'{tag}' belongs to {belongs}; without such a tactic tag the rule is not on the map"
            yield Problem(target, message, "wrong_pair")


def _calculated_hints(rule: Rule) -> Iterator[Problem]:
    """Calculated fields are made of each log that the rest of a query finds (siem.md §2.22)."""
    if not rule.calculated_fields:
        return
    used = {name for i, query in enumerate(rule.queries) for _, name in calculated_names(f"queries[{i}]", query)}
    used |= {name for field in rule.calculated_fields for name in expression_names(field.expression)}
    for i, field in enumerate(rule.calculated_fields):
        if field.name not in used:
            yield Problem(f"calculatedFields[{i}]", f"Nothing uses the calculated field #{field.name}", "unused")
    for i, query in enumerate(rule.queries):
        if fold_up(uncalculated(parse(query.full_query)), _finds_all):
            message = "Every log is read for this query: name what else it must have, such as its source"
            yield Problem(f"queries[{i}].query", message, "reads_all")


def duration_hints(rule: Rule) -> Iterator[Problem]:
    """A remark if signals of a group that matches steadily are too old at birth: their duration counts from the first
    match in the evaluation window (siem.md §2.10). Without keep alive each match is a signal of its own anyway."""
    options = rule.options
    if options.keep_alive and 0 < options.max_signal_duration <= options.evaluation_window:
        message = (
            "A group that matches steadily would open a signal with nearly every match, as a signal's duration counts "
            "from the first match in its window: choose a shorter evaluationWindow or a longer maxSignalDuration"
        )
        yield Problem("options.maxSignalDuration", message, "short_duration")


def _case_hints(rule: Rule) -> Iterator[Problem]:
    """Conditions that no event can fulfil: they are asked at events, of what came in the window before."""
    options = rule.options
    asked: list[tuple[str, str, int]] = []
    if options.detection_method in ("threshold", HARDCODED):
        asked = [
            (f"cases[{i}].condition", case.condition, options.evaluation_window) for i, case in enumerate(rule.cases)
        ]
    elif options.detection_method == "sequence_detection":
        steps = (options.method_options.get("sequenceDetectionOptions") or {}).get("steps") or ()
        place = "options.sequenceDetectionOptions.steps"
        asked = [
            (f"{place}[{i}].condition", step.get("condition") or "", step.get("evaluationWindow") or 0)
            for i, step in enumerate(steps)
        ]
    for target, text, seconds in asked:
        try:
            condition = parse_condition(text)
        except BadRequest:
            continue  # told of by the check of the rule
        if _is_possible(condition, rule.queries, has_window=seconds > 0) or holds_of_nothing(rule, condition):
            continue
        if _is_possible(condition, rule.queries, has_window=True):
            message = (
                f"'{text}' cannot hold: with an evaluationWindow of 0 each event is looked at alone. Choose a window"
            )
            yield Problem(target, message, "no_window")
        else:
            message = (
                f"'{text}' cannot hold: it is asked when an event of the rule comes, which is one already. Add a query "
                "for what is expected to come beside it; or give the rule a schedule and let it group by nothing: then "
                "it is asked at the end of each run as well"
            )
            yield Problem(target, message, "absence")


def _is_possible(condition: Condition, queries: Sequence[RuleQuery], *, has_window: bool) -> bool:
    """Whether an event of any query may fulfil it; what is compared is taken one by one, so a yes is no promise."""
    if condition.is_sequence:
        return has_window
    return any(_holds_at(condition.stages[0], query.label, queries, has_window) for query in queries)


def _holds_at(part: Part, label: str, queries: Sequence[RuleQuery], has_window: bool) -> bool:
    """Whether a part of a condition may hold at an event of the query with this label, which counts itself."""
    if isinstance(part, Comparison):
        if not any(query.label == part.label and query.aggregation in COUNTING for query in queries):
            return True
        least = 1 if part.label == label else 0
        near = (least, math.floor(part.number), math.ceil(part.number), math.floor(part.number) + 1)
        # Other events of the same millisecond are no reason to go without a window.
        counts = [count for count in (*near, part.number - 1) if count >= least and (has_window or count <= 1)]
        return any(OPERATORS[part.operator](count, part.number) for count in counts)
    inner = (_holds_at(one, label, queries, has_window) for one in part.parts)
    return any(inner) if isinstance(part, AnyOf) else all(inner)


def _option_hints(rule: Rule) -> Iterator[Problem]:
    """Options of other methods are kept, as clients send them that know all methods, and read by nothing."""
    method = rule.options.detection_method
    for name, reader in METHOD_OPTIONS.items():
        if reader != method and rule.options.method_options.get(name):
            message = f"{name} are read by the detection method '{reader}' only, not by '{method}'"
            yield Problem(f"options.{name}", message, "unread")


def _finds_all(node: Node, below: Sequence[bool]) -> bool:
    if isinstance(node, Or):
        return any(below)
    return all(below) if isinstance(node, And) else isinstance(node, All)


def _template_hints(rule: Rule) -> Iterator[Problem]:
    options = rule.options.method_options.get("thirdPartyRuleOptions") or {}
    texts = {
        "name": rule.name,
        "message": rule.message,
        "customName": rule.custom_name or "",
        "customMessage": rule.custom_message or "",
        "options.thirdPartyRuleOptions.signalTitleTemplate": options.get("signalTitleTemplate") or "",
        **{f"cases[{i}].name": case.name for i, case in enumerate(rule.cases)},
    }
    for target, text in texts.items():
        for found in check_template(text):
            yield Problem(target, f"Template: {found.message}", "template", found.start, found.end)
