"""The types of a rule's members, for every kind of rule (api.md §4); their meaning is checked in `validation`.

Strict: a number is no text. Unknown members are ignored, null is the same as absent. These models also are what the
OpenAPI document says about rules.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["info", "low", "medium", "high", "critical"]

RuleType = Literal[
    "log_detection",
    "signal_correlation",
    "application_security",
    "api_security",
    "workload_security",
    "workload_activity",
    "cloud_configuration",
    "infrastructure_configuration",
]

DetectionMethod = Literal[
    "threshold",
    "new_value",
    "anomaly_detection",
    "anomaly_threshold",
    "content_anomaly",
    "impossible_travel",
    "hardcoded",
    "third_party",
    "sequence_detection",
]

Aggregation = Literal["count", "cardinality", "sum", "max", "new_value", "geo_data", "event_count", "none"]

DataSource = Literal[
    "logs",
    "audit",
    "app_sec_spans",
    "spans",
    "security_runtime",
    "network",
    "events",
    "security_signals",
]

Texts = list[str]
Window = Annotated[int, Field(ge=0, description="Seconds: 0, 60, 300, 600, 900, 1800, 3600, … 86400.")]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=False)


class RuleQueryBody(_Body):
    query: str | None = None
    name: str | None = None
    aggregation: Aggregation | None = None
    groupByFields: Texts | None = None
    distinctFields: Texts | None = None
    metrics: Texts | None = None
    metric: str | None = None
    dataSource: DataSource | None = None
    hasOptionalGroupByFields: bool | None = None
    customQueryExtension: str | None = None
    index: str | None = None
    indexes: Texts | None = None
    ruleId: str | None = None
    defaultRuleId: str | None = None
    correlatedByFields: Texts | None = None
    correlatedQueryIndex: Annotated[int, Field(ge=0, le=9)] | None = None


class CaseActionOptionsBody(_Body):
    duration: Annotated[int, Field(ge=0)] | None = None
    userBehaviorName: str | None = None
    flaggedIPType: Literal["SUSPICIOUS", "FLAGGED"] | None = None


class CaseActionBody(_Body):
    type: Literal["block_ip", "block_user", "user_behavior", "flag_ip"] | None = None
    options: CaseActionOptionsBody | None = None


class EveryNewValueBody(_Body):
    recipient: Annotated[str, Field(description="One of the case's notifications.")]
    attribute: Annotated[str, Field(description="Whose new values it hears of, such as @usr.id.")]


class RuleCaseBody(_Body):
    status: Severity
    name: str | None = None
    condition: str | None = None
    notifications: Texts | None = None
    everyNewValue: list[EveryNewValueBody] | None = None
    actions: list[CaseActionBody] | None = None
    customStatus: Severity | None = None


class NewValueOptionsBody(_Body):
    learningMethod: Literal["duration", "threshold"] | None = None
    learningDuration: Annotated[int, Field(ge=0, le=30, description="Days.")] | None = None
    learningThreshold: Literal[0, 1] | None = None
    forgetAfter: Annotated[int, Field(ge=1, le=30, description="Days.")] | None = None
    instantaneousBaseline: bool | None = None
    learnPerGroup: Annotated[bool, Field(description="False: all groups learn together.")] | None = None


class AnomalyDetectionOptionsBody(_Body):
    bucketDuration: Literal[300, 600, 900, 1800, 3600, 10800] | None = None
    learningDuration: Literal[1, 6, 12, 24, 48, 168, 336] | None = None
    detectionTolerance: Annotated[int, Field(ge=1, le=5)] | None = None
    learningPeriodBaseline: Annotated[int, Field(ge=0)] | None = None
    instantaneousBaseline: bool | None = None


class ImpossibleTravelOptionsBody(_Body):
    baselineUserLocations: bool | None = None
    baselineUserLocationsDuration: Annotated[int, Field(ge=1, le=30, description="Days.")] | None = None


class ContentAnomalyOptionsBody(_Body):
    learningDuration: Annotated[int, Field(ge=1, le=10, description="Days; 7 by default.")] | None = None
    forgetAfter: Annotated[int, Field(ge=1, le=10, description="Days; 7 by default.")] | None = None
    similarityThreshold: Annotated[int, Field(ge=35, le=100, description="Percent; 70 by default.")] | None = None
    similarItemsThreshold: Annotated[int, Field(ge=1, le=20, description="Logs; 1 by default.")] | None = None


class SequenceStepBody(_Body):
    name: str | None = None
    condition: str | None = None
    evaluationWindow: Window | None = None


class SequenceTransitionBody(_Body):
    parent: str | None = None
    child: str | None = None
    evaluationWindow: Window | None = None


class SequenceDetectionOptionsBody(_Body):
    steps: list[SequenceStepBody] | None = None
    stepTransitions: list[SequenceTransitionBody] | None = None


class RootQueryBody(_Body):
    query: str | None = None
    groupByFields: Texts | None = None


class ThirdPartyRuleOptionsBody(_Body):
    defaultStatus: Severity | None = None
    defaultNotifications: Texts | None = None
    rootQueries: list[RootQueryBody] | None = None
    signalTitleTemplate: str | None = None


class RuleOptionsBody(_Body):
    detectionMethod: DetectionMethod | None = None
    evaluationWindow: Window | None = None
    keepAlive: Window | None = None
    maxSignalDuration: Window | None = None
    decreaseCriticalityBasedOnEnv: bool | None = None
    newValueOptions: NewValueOptionsBody | None = None
    anomalyDetectionOptions: AnomalyDetectionOptionsBody | None = None
    contentAnomalyOptions: ContentAnomalyOptionsBody | None = None
    impossibleTravelOptions: ImpossibleTravelOptionsBody | None = None
    sequenceDetectionOptions: SequenceDetectionOptionsBody | None = None
    thirdPartyRuleOptions: ThirdPartyRuleOptionsBody | None = None
    hardcodedEvaluatorType: Literal["log4shell"] | None = None
    complianceRuleOptions: dict[str, Any] | None = None
    reopenOnUpdate: Annotated[bool, Field(description="Further events open a signal that is archived.")] | None = None


class ThirdPartyCaseBody(_Body):
    status: Severity
    name: str | None = None
    query: str | None = None
    notifications: Texts | None = None
    customStatus: Severity | None = None


class FilterBody(_Body):
    action: Literal["require", "suppress"] | None = None
    query: str | None = None


class ReferenceTableBody(_Body):
    tableName: str | None = None
    columnName: str | None = None
    logFieldPath: str | None = None
    ruleQueryName: str | None = None
    checkPresence: bool | None = None


class SchedulingOptionsBody(_Body):
    rrule: str | None = None
    start: str | None = None
    timezone: str | None = None


class CalculatedFieldBody(_Body):
    name: str
    expression: str


class TestedEventBody(_Body):
    query: Annotated[int, Field(ge=0, description="Position of the query that is tried; 0 by default.")] | None = None
    event: Annotated[dict[str, Any] | None, Field(description="A log, as it is sent.")] = None


class RuleTestsBody(_Body):
    """Ours: logs that are kept with the rule, as its author tries it (siem.md §2.27)."""

    match: list[TestedEventBody] | None = None
    no_match: list[TestedEventBody] | None = None


class RuleChanges(_Body):
    """Any subset of a rule's fields, as an update takes them."""

    name: str | None = None
    message: str | None = None
    isEnabled: bool | None = None
    queries: list[RuleQueryBody] | None = None
    cases: list[RuleCaseBody] | None = None
    options: RuleOptionsBody | None = None
    type: RuleType | None = None
    tags: Texts | None = None
    filters: list[FilterBody] | None = None
    hasExtendedTitle: bool | None = None
    groupSignalsBy: Texts | None = None
    referenceTables: list[ReferenceTableBody] | None = None
    thirdPartyCases: list[ThirdPartyCaseBody] | None = None
    schedulingOptions: SchedulingOptionsBody | None = None
    calculatedFields: list[CalculatedFieldBody] | None = None
    complianceSignalOptions: dict[str, Any] | None = None
    customName: str | None = None
    customMessage: str | None = None
    tests: RuleTestsBody | None = None
    version: Annotated[int, Field(description="The version that the change is based on.")] | None = None


class RuleBody(RuleChanges):
    """A detection rule, as it is sent to create one."""

    name: str
    message: str
    isEnabled: bool
    queries: list[RuleQueryBody]
    cases: list[RuleCaseBody]
    options: RuleOptionsBody


class AuthorBody(_Body):
    handle: str
    name: str


class RuleAnswer(RuleBody):
    """A detection rule, as it is answered."""

    id: str
    version: int
    createdAt: Annotated[int, Field(description="Unix milliseconds.")]
    creationAuthorId: int
    creator: AuthorBody | None = None
    updatedAt: Annotated[int, Field(description="Unix milliseconds.")]
    updateAuthorId: int
    updater: AuthorBody | None = None
    isDefault: bool
    isDeleted: bool
    isDeprecated: bool | None = None
    isBeta: bool | None = None
    isPartner: bool | None = None
    deprecationDate: Annotated[int, Field(description="Unix milliseconds.")] | None = None
    defaultTags: Texts | None = None
    blocking: bool | None = None
    metadata: dict[str, Any] | None = None
