"""Detection rules: what to look for and when to raise a signal (siem.md §2).

Frozen values; the API's JSON shape is read and written by `rules/shape.py`. Validation with all its messages
lives in `rules/validation.py`; here a rule is taken as it is. `extra` keeps members of the API that nothing reads yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SEVERITIES = ("info", "low", "medium", "high", "critical")
"""In rising order; the index is the numeric value (siem.md §0.2)."""

WINDOW_SECONDS = (0, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Allowed windows, keep-alives and maximum durations (siem.md §2.9)."""

DEFAULT_EVALUATION_WINDOW = 900
DEFAULT_KEEP_ALIVE = 3600
DEFAULT_MAX_SIGNAL_DURATION = 86400

MAX_CASES = 10
MAX_QUERIES = 10

CONTENT_ANOMALY = "content_anomaly"
"""The method that compares an event's words with those of others (siem.md §2.16)."""

CONTENT_ANOMALY_ALIAS = "anomaly_threshold"
"""What the API calls it (siem.md §2.1)."""

SIGNALS = "security_signals"
"""The data source of queries that read signals (siem.md §2.4)."""

HARDCODED = "hardcoded"
"""The method that recognises what no query can describe: Log4Shell (siem.md §2.21)."""

THIRD_PARTY = "third_party"
"""The method that takes over a vendor's alerts (siem.md §2.18)."""

MISSING_GROUP_VALUE = "N/A"
"""What an absent group-by value becomes when a query has optional group-by fields (siem.md §2.5)."""


@dataclass(frozen=True, slots=True)
class RuleQuery:
    """One query of a rule. `label` is its name, or a letter by position when it has none."""

    label: str
    query: str
    name: str = ""
    aggregation: str = "count"
    group_by_fields: tuple[str, ...] = ()
    distinct_fields: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    data_source: str = "logs"
    has_optional_group_by_fields: bool = False
    custom_query_extension: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def full_query(self) -> str:
        """The query with its extension: both must hold (siem.md §2.3)."""
        if not self.custom_query_extension:
            return self.query
        return f"({self.query}) AND ({self.custom_query_extension})"

    @property
    def reads_signals(self) -> bool:
        """Whether it looks at signals rather than at events."""
        return self.data_source == SIGNALS

    @property
    def correlated_rule(self) -> str | None:
        """The rule whose signals it reads; only of queries that name one (siem.md §2.20)."""
        return self.extra.get("ruleId") or self.extra.get("defaultRuleId")


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case; the first in the list whose condition holds decides the severity."""

    status: str
    condition: str = ""
    name: str = ""
    notifications: tuple[str, ...] = ()
    custom_status: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def severity(self) -> str:
        return self.custom_status or self.status


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """Times in seconds. `method_options` keeps the options of other methods as they were given.

    `omitted` names the options that the author left to their default: an answer leaves them out as well.
    """

    detection_method: str = "threshold"
    evaluation_window: int = DEFAULT_EVALUATION_WINDOW
    keep_alive: int = DEFAULT_KEEP_ALIVE
    max_signal_duration: int = DEFAULT_MAX_SIGNAL_DURATION
    decrease_criticality_based_on_env: bool = False
    method_options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a scheduled rule runs (siem.md §2.22): an RRULE from `start` on, a local time in the time zone."""

    rrule: str
    start: str
    timezone: str


@dataclass(frozen=True, slots=True)
class CalculatedField:
    """`#name` in the queries of a scheduled rule or a job; the expression may use the fields before it."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A detection rule at one version. `extra` holds fields of the API that nothing here reads yet.

    One with a `schedule` sees no event as it comes in: it runs over stored logs at its times.
    """

    id: str
    name: str
    message: str
    queries: tuple[RuleQuery, ...]
    cases: tuple[RuleCase, ...]
    options: RuleOptions = field(default_factory=RuleOptions)
    type: str = "log_detection"
    version: int = 1
    is_enabled: bool = True
    is_default: bool = False
    is_deleted: bool = False
    tags: tuple[str, ...] = ()
    group_signals_by: tuple[str, ...] = ()
    has_extended_title: bool = False
    custom_name: str | None = None
    custom_message: str | None = None
    created_at: int = 0
    updated_at: int = 0
    creator: str = ""
    updater: str = ""
    schedule: Schedule | None = None
    calculated_fields: tuple[CalculatedField, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def window_ms(self) -> int:
        return self.options.evaluation_window * 1000

    @property
    def keep_alive_ms(self) -> int:
        return self.options.keep_alive * 1000

    @property
    def max_signal_duration_ms(self) -> int:
        return self.options.max_signal_duration * 1000

    @property
    def reopens_on_update(self) -> bool:
        """Whether a signal that was archived opens again when further events join it (siem.md §2.10)."""
        return bool(self.options.method_options.get("reopenOnUpdate"))


class Match(NamedTuple):
    """One event met one query of one rule; written beside the event in the same row.

    `group` holds the text form of each group-by value, in the order of the rule's fields; an event whose group-by field
    has several values yields several matches (at most 50). `distinct` is the text of the distinct fields' values
    (joined by U+001F) for a cardinality, `value` the metric of a sum or maximum; else absent.
    """

    rule_id: str
    rule_version: int
    query_index: int
    group: tuple[str, ...] = ()
    distinct: str | None = None
    value: float | None = None


def query_label(index: int, name: str) -> str:
    """Unnamed queries are a, b, c … by position (siem.md §2.4)."""
    return name or chr(ord("a") + index)
