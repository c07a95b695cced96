"""What is wrong with schedules, indexes and calculated fields (siem.md §2.22, §2.28)."""

import re
from collections.abc import Iterator

from tocsin.errors import BadRequest
from tocsin.evaluate.correlation import reads_signals
from tocsin.query import LOGS, QueryError, parse, parse_field
from tocsin.query.calculate import with_calculated
from tocsin.query.expression import ExpressionError
from tocsin.query.tree import All, FieldKind, leaves
from tocsin.rule import Rule, RuleQuery
from tocsin.rules.problems import Problem
from tocsin.rules.scheduled.recurrence import ScheduleError, recurrence

INDEXES = ("main",)
"""There is one index."""

SCHEDULED_METHODS = (
    "threshold",
    "new_value",
    "anomaly_detection",
    "content_anomaly",
    "impossible_travel",
    "third_party",
)

MAX_FIELDS = 20

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,199}")


def check_schedule(rule: Rule) -> Iterator[Problem]:
    """Whether the rule can run at these times."""
    if rule.schedule is None:
        return
    try:
        recurrence(rule.schedule)
    except ScheduleError as error:
        yield Problem(f"schedulingOptions.{error.member}", error.message, error.code)
    method = rule.options.detection_method
    if method not in SCHEDULED_METHODS:
        message = f"Detection method '{method}' cannot be scheduled; {', '.join(SCHEDULED_METHODS)} can"
        yield Problem("schedulingOptions", message, "unsupported")


def check_indexes(rule: Rule) -> Iterator[Problem]:
    """A query of a scheduled rule may name one index, in one of two ways (siem.md §2.4)."""
    for i, query in enumerate(rule.queries):
        named = [name for name in ("index", "indexes") if query.extra.get(name)]
        target = f"queries[{i}].{named[0]}" if named else ""
        if named and rule.schedule is None:
            yield Problem(target, f"{named[0]} goes with scheduled rules only", "not_scheduled")
        elif named and query.reads_signals:
            yield Problem(target, f"{named[0]} goes with queries over logs: signals have no indexes", "unsupported")
        elif len(named) == 2:
            yield Problem(target, "index and indexes exclude one another", "exclusive")
        elif named:
            asked = query.extra[named[0]]
            asked = [asked] if isinstance(asked, str) else asked
            if len(asked) != 1:
                yield Problem(target, f"indexes must name one index, not {len(asked)}", "arity")
            elif asked[0] not in INDEXES:
                message = f"Index '{asked[0][:60]}' does not exist; there is: {', '.join(INDEXES)}"
                yield Problem(target, message, "unknown_index")


def check_only_scheduled(rule: Rule) -> Iterator[Problem]:
    """What a rule over logs as they come in cannot have."""
    if rule.calculated_fields and rule.schedule is None:
        message = "Calculated fields go with scheduled rules and historical jobs: give schedulingOptions"
        yield Problem("calculatedFields", message, "not_scheduled")


def check_calculated(rule: Rule) -> Iterator[Problem]:
    """The fields, and that queries use no other."""
    if len(rule.calculated_fields) > MAX_FIELDS:
        message = f"{len(rule.calculated_fields)} calculated fields given, {MAX_FIELDS} are allowed"
        yield Problem("calculatedFields", message, "too_many")
        return
    if rule.calculated_fields and reads_signals(rule):
        message = "Calculated fields are made of logs: a rule over signals cannot have any"
        yield Problem("calculatedFields", message, "unsupported")
    track = LOGS
    for i, field in enumerate(rule.calculated_fields):
        target = f"calculatedFields[{i}]"
        if not _NAME.fullmatch(field.name):
            message = f"'{field.name[:60]}' is no name of a calculated field; use letters, digits and _, as in total_ms"
            yield Problem(f"{target}.name", message, "name")
        elif field.name in track.calculated:
            yield Problem(f"{target}.name", f"There is another calculated field #{field.name}", "name_taken")
        try:
            track = with_calculated(track, [field])
        except ExpressionError as error:
            message = f"Expression of #{field.name[:60]}: {error}"
            yield Problem(f"{target}.expression", message, error.code, error.start, error.end)
    known = {field.name for field in rule.calculated_fields}
    for i, query in enumerate(rule.queries):
        for target, name in calculated_names(f"queries[{i}]", query):
            if name not in known:
                has = f"; there are {', '.join(f'#{one}' for one in sorted(known))}" if known else ""
                yield Problem(target, f"There is no calculated field #{name}{has}", "unknown_field")


def calculated_names(target: str, query: RuleQuery) -> Iterator[tuple[str, str]]:
    """The calculated fields that a query names, each with where."""
    for member, text in (("query", query.query), ("customQueryExtension", query.custom_query_extension)):
        try:
            found = leaves(parse(text)) if text.strip() else []
        except QueryError:
            continue  # told of by the check of the queries
        for leaf in found:
            if not isinstance(leaf, All) and leaf.field.kind is FieldKind.CALCULATED:
                yield f"{target}.{member}", leaf.field.name
    for member, fields in (
        ("groupByFields", query.group_by_fields),
        ("distinctFields", query.distinct_fields),
        ("metrics", query.metrics),
    ):
        for i, name in enumerate(fields):
            try:
                field = parse_field(name)
            except BadRequest:
                continue
            if field.kind is FieldKind.CALCULATED:
                yield f"{target}.{member}[{i}]", field.name
