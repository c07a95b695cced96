"""Bodies and answers about suppressions (siem.md §5, api.md §6)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tocsin.api.schemas.rules import VersionChange
from tocsin.api.schemas.signals import Resource

Date = Annotated[int, Field(ge=0, le=253_402_300_799_999, description="Unix milliseconds.")]


class SuppressionChanges(BaseModel):
    """Any subset of the members; null clears a date."""

    model_config = ConfigDict(strict=True)

    name: str | None = None
    enabled: bool | None = None
    rule_query: str | None = None
    description: str | None = None
    suppression_query: str | None = None
    data_exclusion_query: str | None = None
    start_date: Date | None = None
    expiration_date: Date | None = None
    tags: list[str] | None = None
    version: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class SuppressionAttributes(SuppressionChanges):
    """At least one of `suppression_query` and `data_exclusion_query` is needed."""

    name: str
    enabled: bool
    rule_query: str


class PreviewAttributes(BaseModel):
    """A suppression that need not be saved; only what it hides counts."""

    model_config = ConfigDict(strict=True)

    rule_query: str
    suppression_query: str | None = None
    data_exclusion_query: str | None = None
    expiration_date: Date | None = None


class SuppressionCreate(BaseModel):
    type: Literal["suppressions"]
    attributes: SuppressionAttributes


class SuppressionPatch(BaseModel):
    type: Literal["suppressions"]
    attributes: SuppressionChanges


class SuppressionPreview(BaseModel):
    type: Literal["suppressions"]
    attributes: PreviewAttributes


class SuppressionCreateBody(BaseModel):
    data: SuppressionCreate


class SuppressionPatchBody(BaseModel):
    data: SuppressionPatch


class SuppressionPreviewBody(BaseModel):
    data: SuppressionPreview


class Author(BaseModel):
    handle: str
    name: str | None = None


class SuppressionAnswerAttributes(BaseModel):
    name: str
    enabled: bool
    rule_query: str
    description: str | None = None
    suppression_query: str
    data_exclusion_query: str
    start_date: int | None = None
    expiration_date: int | None = None
    tags: list[str] | None = None
    version: int
    editable: bool
    creation_date: int
    update_date: int
    creator: Author
    updater: Author


class SuppressionResource(BaseModel):
    id: str
    type: Literal["suppressions"] = "suppressions"
    attributes: SuppressionAnswerAttributes


class SuppressionAnswer(BaseModel):
    data: SuppressionResource


class SuppressionPageMeta(BaseModel):
    pageNumber: int
    pageSize: int
    totalCount: int


class SuppressionListMeta(BaseModel):
    page: SuppressionPageMeta


class SuppressionList(BaseModel):
    data: list[SuppressionResource]
    meta: SuppressionListMeta


class SuppressionsOfRule(BaseModel):
    data: list[SuppressionResource]


class SuppressionVersion(BaseModel):
    suppression: SuppressionAnswerAttributes
    changes: list[VersionChange]


class SuppressionVersions(BaseModel):
    count: int
    data: dict[str, SuppressionVersion]


class SuppressionHistoryData(BaseModel):
    id: str
    type: Literal["suppression_version_history"] = "suppression_version_history"
    attributes: SuppressionVersions


class SuppressionHistory(BaseModel):
    data: SuppressionHistoryData


class RuleShare(BaseModel):
    rule_id: str
    rule_name: str
    hidden: int
    total: int


class PreviewWarning(BaseModel):
    code: Literal["no_rules", "nearly_all", "true_positives", "nearly_all_events", "hides_nothing", "no_expiry"]
    message: str


class PreviewSignals(BaseModel):
    """`hidden` of `total` signals; `archived` counts the hidden ones that people had archived, by reason."""

    hidden: int
    total: int
    true_positives: int
    archived: dict[str, int]


class PreviewEvents(BaseModel):
    """Of the events that the rules matched, those that they would have ignored."""

    excluded: int
    matched: int


class PreviewAnswerAttributes(BaseModel):
    start: Annotated[str, Field(serialization_alias="from")]
    end: Annotated[str, Field(serialization_alias="to")]
    rules_in_scope: int
    signals: PreviewSignals
    rules: list[RuleShare]
    examples: list[Resource]
    events: PreviewEvents | None = None
    warnings: list[PreviewWarning]


class PreviewData(BaseModel):
    id: str
    type: Literal["suppression_preview"] = "suppression_preview"
    attributes: PreviewAnswerAttributes


class PreviewAnswer(BaseModel):
    data: PreviewData


class HiddenHour(BaseModel):
    """`signals` that were hidden whole, and `updates` of signals that are shown."""

    rule_id: str
    hour: str
    signals: int
    updates: int


class HiddenAttributes(BaseModel):
    signals: int
    updates: int
    hours: list[HiddenHour]


class HiddenData(BaseModel):
    id: str
    type: Literal["suppression_hidden"] = "suppression_hidden"
    attributes: HiddenAttributes


class HiddenAnswer(BaseModel):
    data: HiddenData


class ExcludedHour(BaseModel):
    hour: str
    events: int


class ExcludedPeriod(BaseModel):
    """While it was in force; `query` from `from` to `to` finds its events in the logs."""

    start: Annotated[str, Field(serialization_alias="from")]
    end: Annotated[str, Field(serialization_alias="to")]
    query: str
    rule_query: str


class ExcludedByRule(BaseModel):
    rule_id: str
    rule_name: str
    events: int


class ExcludedAttributes(BaseModel):
    """`events` were kept from the rules in scope. `rules`: how many of them each of these rules would have found; null
    where so many rules are in scope that this is not told."""

    start: Annotated[str, Field(serialization_alias="from")]
    end: Annotated[str, Field(serialization_alias="to")]
    events: int
    rules_in_scope: int
    rules: list[ExcludedByRule] | None
    periods: list[ExcludedPeriod]
    hours: list[ExcludedHour]


class ExcludedData(BaseModel):
    id: str
    type: Literal["suppression_excluded"] = "suppression_excluded"
    attributes: ExcludedAttributes


class ExcludedAnswer(BaseModel):
    data: ExcludedData
