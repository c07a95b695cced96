"""Bodies and answers about detection rules (api.md §4). A rule itself is described by `rules.schema`."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidatorFunctionWrapHandler, WrapValidator

from tocsin.api.schemas.explore import QueryHint
from tocsin.rules.problems import Problem
from tocsin.rules.schema import RuleAnswer, RuleBody, RuleChanges


def _as_sent(value: Any, _: ValidatorFunctionWrapHandler) -> Any:
    return value


if TYPE_CHECKING:
    RuleDocument = dict[str, Any]
    RuleChangesDocument = dict[str, Any]
else:
    # Documented as these models, handed over as sent: the service says what is wrong with a rule, all of it at once.
    RuleDocument = Annotated[RuleBody, WrapValidator(_as_sent)]
    RuleChangesDocument = Annotated[RuleChanges, WrapValidator(_as_sent)]


class QueryPayload(BaseModel):
    index: int = 0
    expectedResult: bool = True
    payload: dict[str, Any]


class RuleTest(BaseModel):
    """Logs, and whether a query of the rule should match each of them."""

    rule: RuleDocument | None = None
    ruleQueryPayloads: list[QueryPayload]


class RuleTestResults(BaseModel):
    results: list[bool]


class RulesToApply(BaseModel):
    """Rules with their ids, as `tocsin rules export` writes them."""

    rules: list[dict[str, Any]]
    dryRun: bool = False


class RuleChange(BaseModel):
    type: Literal["create", "update", "delete"]
    field: str
    change: str


class PlannedRule(BaseModel):
    """What applying a rule does, or would do."""

    id: str
    name: str
    action: Literal["create", "update", "unchanged", "refused"]
    changes: list[RuleChange] = []
    reasons: list[str] = []


class RulesApplied(BaseModel):
    data: list[PlannedRule]


class Hint(BaseModel):
    """`start` and `end` are characters of the text that `target` names."""

    target: str
    message: str
    code: str
    start: int | None = None
    end: int | None = None

    @classmethod
    def of(cls, problem: Problem) -> Self:
        return cls(
            target=problem.target, message=problem.message, code=problem.code, start=problem.start, end=problem.end
        )


class HintsAnswer(BaseModel):
    data: list[Hint]


class RuleToRender(BaseModel):
    """A rule, a log as it is sent, and the position of the case that is taken to hold."""

    rule: RuleDocument
    payload: dict[str, Any] = {}
    case: Annotated[int, Field(ge=0, le=100)] = 0


class RenderedTexts(BaseModel):
    """`message` is Markdown; `matched` are the labels of the queries that find the log."""

    title: str
    message: str
    severity: str
    matched: list[str]
    hints: list[Hint]


class RenderedAnswer(BaseModel):
    data: RenderedTexts


class PageCounts(BaseModel):
    total_count: int
    total_filtered_count: int


class FacetCount(BaseModel):
    value: str
    count: int


class RuleListMeta(BaseModel):
    page: PageCounts
    facets: dict[str, list[FacetCount]] | None = None
    hints: list[QueryHint] | None = None
    """What a query that finds no rule probably means."""


class RuleList(BaseModel):
    data: list[RuleAnswer]
    meta: RuleListMeta


class RuleIds(BaseModel):
    ruleIds: list[str]


class BulkDeleteData(BaseModel):
    id: str | None = None
    type: Literal["bulk_delete_rules"]
    attributes: RuleIds


class BulkDelete(BaseModel):
    data: BulkDeleteData


class BulkExportData(BaseModel):
    id: str | None = None
    type: Literal["security_monitoring_rules_bulk_export"]
    attributes: RuleIds


class BulkExport(BaseModel):
    data: BulkExportData


class BulkConvertData(BaseModel):
    id: str | None = None
    type: Literal["security_monitoring_rules_convert_bulk"]
    attributes: RuleIds


class BulkConvert(BaseModel):
    data: BulkConvertData


class BulkDeleteOutcome(BaseModel):
    deletedRules: list[str]
    failedRules: list[str]


class BulkDeleteAnswerData(BaseModel):
    id: str
    type: Literal["bulk_delete_response"] = "bulk_delete_response"
    attributes: BulkDeleteOutcome


class BulkDeleteAnswer(BaseModel):
    data: BulkDeleteAnswerData


class TerraformAnswer(BaseModel):
    ruleId: str
    terraformContent: str


class VersionChange(BaseModel):
    type: Literal["create", "update", "delete"]
    field: str
    change: str


class RuleVersion(BaseModel):
    rule: RuleAnswer
    changes: list[VersionChange]


class RuleVersions(BaseModel):
    count: int
    data: dict[str, RuleVersion]


class RuleHistoryData(BaseModel):
    id: str
    type: Literal["GetRuleVersionHistoryResponse"] = "GetRuleVersionHistoryResponse"
    attributes: RuleVersions


class RuleHistory(BaseModel):
    data: RuleHistoryData
