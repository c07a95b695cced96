"""Detection rules (api.md §4)."""

import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.rules import (
    BulkConvert,
    BulkDelete,
    BulkDeleteAnswer,
    BulkDeleteAnswerData,
    BulkDeleteOutcome,
    BulkExport,
    Hint,
    HintsAnswer,
    PlannedRule,
    RenderedAnswer,
    RenderedTexts,
    RuleChangesDocument,
    RuleDocument,
    RuleHistory,
    RuleList,
    RulesApplied,
    RulesToApply,
    RuleTest,
    RuleTestResults,
    RuleToRender,
    TerraformAnswer,
)
from tocsin.api.security import requires
from tocsin.errors import Conflict, NotFound, TocsinError
from tocsin.rule import Rule
from tocsin.rules.archive import zip_of
from tocsin.rules.problems import InvalidRule
from tocsin.rules.schema import RuleAnswer
from tocsin.rules.service import RulesService, bulk_id
from tocsin.rules.shape import rule_to_api
from tocsin.rules.terraform import to_terraform


class RuleRoute(APIRoute):
    """Answers an invalid rule with the place of each fault beside the sentences, for the form (siem.md §2.28)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_invalid_rule(request: Request) -> Response:
            try:
                return await handle(request)
            except InvalidRule as error:
                detailed = {"code": error.code, "message": error.reasons[0], "details": error.details}
                return JSONResponse({"errors": list(error.reasons), "error": detailed}, error.status)

        return handle_invalid_rule


async def _rules(services: Services) -> RulesService:
    service: RulesService = services.rules
    return service


Rules = Annotated[RulesService, Depends(_rules)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]
Writer = Annotated[Actor, Depends(requires("security_monitoring_rules_write"))]
PageSize = Annotated[int, Query(alias="page[size]", ge=1, le=100)]
PageNumber = Annotated[int, Query(alias="page[number]", ge=0, le=1_000_000)]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]

ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
    404: {
        "description": "One of the rules is not there",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/APIErrorResponse"}}},
    },
}


class ZipResponse(Response):
    media_type = "application/zip"


RULE: dict[int | str, dict[str, Any]] = {200: {"model": RuleAnswer}}

router = APIRouter(prefix="/api/v2/security_monitoring/rules", tags=["rules"], route_class=RuleRoute)


@router.get("", responses={200: {"model": RuleList}})
def list_rules(
    rules: Rules,
    actor: Reader,
    page_size: PageSize = 10,
    page_number: PageNumber = 0,
    query: str = "",
    sort: str = "name",
    facets: bool = False,
) -> Response:
    """List rules; `facets=true` adds the counts of the rule list's facets to `meta`."""
    page = rules.page(query, sort, page_size, page_number)
    meta: dict[str, Any] = {"page": {"total_count": page.total, "total_filtered_count": page.found}}
    if facets:
        meta["facets"] = {name: [asdict(value) for value in values] for name, values in page.facets.items()}
    if page.slips:
        meta["hints"] = [asdict(slip) for slip in page.slips]
    return JSONResponse({"data": [rule_to_api(rule) for rule in page.rules], "meta": meta})


@router.post("", responses=RULE)
def create_rule(rules: Rules, actor: Writer, body: RuleDocument) -> Response:
    """Create a detection rule."""
    return _answer(rules.create(body, actor))


@router.post("/apply")
def apply_rules(rules: Rules, actor: Writer, body: RulesToApply) -> RulesApplied:
    """Bring rules kept as files to this server: create or change each by its id; with `dryRun` only say what would."""
    planned = rules.apply(body.rules, actor, dry_run=body.dryRun)
    return RulesApplied(data=[PlannedRule(**asdict(each)) for each in planned])


@router.delete("/bulk_delete")
def delete_rules(rules: Rules, actor: Writer, body: BulkDelete) -> BulkDeleteAnswer:
    """Delete several rules; default rules and unknown ids are listed as failed."""
    deleted, failed = rules.delete_all(body.data.attributes.ruleIds, actor)
    outcome = BulkDeleteOutcome(deletedRules=deleted, failedRules=failed)
    return BulkDeleteAnswer(data=BulkDeleteAnswerData(id=bulk_id(), attributes=outcome))


@router.post("/validation", status_code=204)
def validate_rule(rules: Rules, actor: Writer, body: RuleDocument) -> None:
    """Say whether a rule could be created, without creating it."""
    rules.validate(body, actor)


@router.post("/hints")
def rule_hints(rules: Rules, actor: Reader, body: RuleDocument) -> HintsAnswer:
    """Remarks on a valid rule that keep nobody from storing it, such as ATT&CK tags that the map will not show; for an
    invalid one the reasons, as `validation` gives them, without an audit event."""
    return HintsAnswer(data=[Hint.of(hint) for hint in rules.hints(body)])


@router.post("/render")
def render_rule(rules: Rules, actor: Reader, body: RuleToRender) -> RenderedAnswer:
    """Title and message of the signal that one log would make, of a rule that is not stored."""
    shown = rules.render(body.rule, body.payload, body.case)
    return RenderedAnswer(
        data=RenderedTexts(
            title=shown.title,
            message=shown.message,
            severity=shown.severity,
            matched=list(shown.matched),
            hints=[Hint.of(hint) for hint in shown.hints],
        )
    )


@router.post("/test")
def test_rule(rules: Rules, actor: Writer, body: RuleTest) -> RuleTestResults:
    """Run the queries of a rule that is not stored over logs."""
    return RuleTestResults(results=rules.test(body.rule, _payloads(body)))


@router.post("/convert")
def convert_rule(rules: Rules, actor: Reader, body: RuleDocument) -> TerraformAnswer:
    """Write a rule that is not stored as a Terraform resource."""
    return _terraform(rules.check_unsaved(body))


@router.post("/convert/bulk", responses=ZIP, response_class=ZipResponse)
def convert_rules(rules: Rules, actor: Reader, body: BulkConvert) -> Response:
    """A zip of Terraform resources, one file for each rule."""
    found = rules.pick(body.data.attributes.ruleIds)
    return ZipResponse(zip_of((rule.name, ".tf", to_terraform(rule)) for rule in found))


@router.post("/bulk_export", responses=ZIP, response_class=ZipResponse)
def export_rules(rules: Rules, actor: Reader, body: BulkExport) -> Response:
    """A zip of rules as JSON, one file for each."""
    found = rules.pick(body.data.attributes.ruleIds)
    return ZipResponse(zip_of((rule.name, ".json", json.dumps(rule_to_api(rule), indent=2)) for rule in found))


@router.get("/{rule_id}", responses=RULE)
def get_rule(rules: Rules, actor: Reader, rule_id: str) -> Response:
    """Get a rule."""
    return _answer(rules.get(rule_id))


@router.put("/{rule_id}", responses=RULE)
def update_rule(rules: Rules, actor: Writer, rule_id: str, body: RuleChangesDocument) -> Response:
    """Replace the given fields of a rule, each as a whole."""
    return _answer(rules.update(rule_id, body, actor))


@router.delete("/{rule_id}", status_code=204)
def delete_rule(rules: Rules, actor: Writer, rule_id: str) -> None:
    """Delete a custom rule."""
    rules.delete(rule_id, actor)


@router.post("/{rule_id}/test")
def test_stored_rule(rules: Rules, actor: Writer, rule_id: str, body: RuleTest) -> RuleTestResults:
    """Run the queries of a stored rule over logs; a rule in the body takes its place."""
    results = rules.test_stored(rule_id, _payloads(body))
    return RuleTestResults(results=results if body.rule is None else rules.test(body.rule, _payloads(body)))


@router.get("/{rule_id}/convert")
def convert_stored_rule(rules: Rules, actor: Reader, rule_id: str) -> TerraformAnswer:
    """Write a stored rule as a Terraform resource."""
    return _terraform(rules.get(rule_id))


@router.get("/{rule_id}/version_history", responses={200: {"model": RuleHistory}})
def rule_history(
    rules: Rules, actor: Reader, rule_id: str, page_size: PageSize = 10, page_number: PageNumber = 0
) -> Response:
    """The versions of a rule, latest first, with what changed in each."""
    count, versions = rules.history(rule_id, page_size, page_number)
    data = {str(version.version): {"rule": version.body, "changes": version.changes} for version in versions}
    attributes = {"count": count, "data": data}
    return JSONResponse({"data": {"id": rule_id, "type": "GetRuleVersionHistoryResponse", "attributes": attributes}})


@router.post("/{rule_id}/restore/{version}", responses=RULE)
def restore_rule(rules: Rules, actor: Writer, rule_id: str, version: Version) -> Response:
    """Make an earlier version of a custom rule current again, as a new version."""
    try:
        return _answer(rules.restore(rule_id, version, actor))
    except (NotFound, Conflict, InvalidRule) as error:
        return _restore_error(error)


def _restore_error(error: TocsinError) -> Response:
    """Restoring is the one operation whose clients expect this shape (api.md §1, shape 3)."""
    codes = {404: "NotFound", 409: "AlreadyExists"}
    details = error.details if isinstance(error, InvalidRule) else []
    body = {"code": codes.get(error.status, "InvalidArgument"), "message": str(error), "details": details}
    return JSONResponse({"errors": list(error.reasons), "error": body}, error.status)


def _payloads(body: RuleTest) -> list[dict[str, Any]]:
    return [payload.model_dump() for payload in body.ruleQueryPayloads]


def _terraform(rule: Rule) -> TerraformAnswer:
    return TerraformAnswer(ruleId=rule.id, terraformContent=to_terraform(rule))


def _answer(rule: Rule) -> Response:
    return JSONResponse(rule_to_api(rule))
