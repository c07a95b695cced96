"""What is allowed in a rule but probably not meant: ATT&CK tags that the map will not show (siem.md §2.26), templates
that cannot be rendered (siem.md §2.25), calculated fields that nothing uses or that are made of every log, windows as
long as a signal may last (siem.md §2.10), options that another detection method reads, a method that lacks data."""

from collections.abc import Iterator, Sequence

from tocsin.match.conditions import uncalculated
from tocsin.query import parse
from tocsin.query.expression import expression_names
from tocsin.query.tree import All, And, Node, Or, fold_up
from tocsin.rule import CONTENT_ANOMALY, THIRD_PARTY, Rule
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


def hints(rule: Rule, *, has_cities: bool = True) -> list[Problem]:
    """Remarks on a rule's tags, texts and times; none of them keeps the rule from being stored. `has_cities`: there is
    a place database with coordinates."""
    return [
        *([] if has_cities else _place_hints(rule)),
        *attack_hints(rule),
        *_template_hints(rule),
        *_calculated_hints(rule),
        *duration_hints(rule),
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
