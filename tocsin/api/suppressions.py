"""Suppressions (siem.md §5, api.md §6), and what is ours about them: previews, and counts of what they keep away."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import JSONResponse

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import timestamp
from tocsin.api.schemas.rules import RuleDocument
from tocsin.api.schemas.signals import Resource
from tocsin.api.schemas.suppressions import (
    ExcludedAnswer,
    ExcludedAttributes,
    ExcludedByRule,
    ExcludedData,
    ExcludedHour,
    ExcludedPeriod,
    HiddenAnswer,
    HiddenAttributes,
    HiddenData,
    HiddenHour,
    PreviewAnswer,
    PreviewAnswerAttributes,
    PreviewData,
    PreviewEvents,
    PreviewSignals,
    PreviewWarning,
    RuleShare,
    SuppressionAnswer,
    SuppressionCreateBody,
    SuppressionHistory,
    SuppressionList,
    SuppressionPatchBody,
    SuppressionPreviewBody,
    SuppressionsOfRule,
)
from tocsin.api.security import requires
from tocsin.suppressions.exclusions import Excluded, Exclusions
from tocsin.suppressions.preview import Preview, Previews
from tocsin.suppressions.preview_repository import HiddenCount
from tocsin.suppressions.repository import SuppressionRow
from tocsin.suppressions.service import SuppressionsService
from tocsin.suppressions.validation import check

WRITE = "security_monitoring_suppressions_write"


async def _suppressions(services: Services) -> SuppressionsService:
    service: SuppressionsService = services.suppressions
    return service


async def _previews(services: Services) -> Previews:
    previews: Previews = services.previews
    return previews


async def _exclusions(services: Services) -> Exclusions:
    exclusions: Exclusions = services.exclusions
    return exclusions


Suppressions = Annotated[SuppressionsService, Depends(_suppressions)]
Looks = Annotated[Previews, Depends(_previews)]
ToldExclusions = Annotated[Exclusions, Depends(_exclusions)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_suppressions_read"))]
Writer = Annotated[Actor, Depends(requires(WRITE))]
SignalReader = Annotated[
    Actor, Depends(requires("security_monitoring_suppressions_read", "security_monitoring_signals_read"))
]
PageSize = Annotated[int | None, Query(alias="page[size]", ge=-1, le=100)]
PageNumber = Annotated[int, Query(alias="page[number]", ge=0, le=1_000_000)]
Id = Annotated[str, Path(max_length=64)]
Days = Annotated[int, Query(ge=1, le=90)]

ONE: dict[int | str, dict[str, Any]] = {200: {"model": SuppressionAnswer}}
MANY: dict[int | str, dict[str, Any]] = {200: {"model": SuppressionsOfRule}}

router = APIRouter(prefix="/api/v2/security_monitoring/configuration/suppressions", tags=["suppressions"])


@router.get("", responses={200: {"model": SuppressionList}})
def list_suppressions(
    suppressions: Suppressions,
    actor: Reader,
    query: str = "",
    sort: str = "name",
    page_size: PageSize = None,
    page_number: PageNumber = 0,
) -> Response:
    """List suppressions: all of them, unless a page size is given."""
    size = None if page_size in (None, -1, 0) else page_size
    page = suppressions.page(query, sort, size, page_number)
    meta = {"page": {"pageNumber": page_number, "pageSize": size or page.found, "totalCount": page.found}}
    return JSONResponse({"data": _resources(suppressions, page.suppressions, actor), "meta": meta})


@router.post("", responses=ONE)
def create_suppression(suppressions: Suppressions, actor: Writer, body: SuppressionCreateBody) -> Response:
    """Create a suppression."""
    made = suppressions.create(body.data.attributes.model_dump(exclude_unset=True), actor)
    return _answer(suppressions, made, actor)


@router.post("/validation", status_code=204)
def validate_suppression(suppressions: Suppressions, actor: Writer, body: SuppressionCreateBody) -> None:
    """Say whether a suppression could be created, without creating it."""
    suppressions.validate(body.data.attributes.model_dump(exclude_unset=True))


@router.post("/rules", responses=MANY)
def suppressions_of_unsaved_rule(suppressions: Suppressions, actor: Reader, body: RuleDocument) -> Response:
    """The suppressions that would concern a rule that is not stored: enabled and not expired."""
    return _answers(suppressions, suppressions.of_unsaved_rule(body), actor)


@router.get("/rules/{rule_id}", responses=MANY)
def suppressions_of_rule(suppressions: Suppressions, actor: Reader, rule_id: Id) -> Response:
    """The suppressions that concern a rule: enabled and not expired."""
    return _answers(suppressions, suppressions.of_rule(rule_id), actor)


@router.post("/preview")
def preview_suppression(
    looks: Looks, actor: SignalReader, body: SuppressionPreviewBody, days: Days = 30
) -> PreviewAnswer:
    """What a suppression that is not stored would have hidden in the last days."""
    attributes = body.data.attributes.model_dump(exclude_none=True)
    check({"name": "preview", "enabled": True, **attributes})
    return _preview("", looks.preview(attributes, days))


@router.get("/{suppression_id}", responses=ONE)
def get_suppression(suppressions: Suppressions, actor: Reader, suppression_id: Id) -> Response:
    """Get a suppression."""
    return _answer(suppressions, suppressions.get(suppression_id), actor)


@router.patch("/{suppression_id}", responses=ONE)
def update_suppression(
    suppressions: Suppressions, actor: Writer, suppression_id: Id, body: SuppressionPatchBody
) -> Response:
    """Change the given members; null clears a date."""
    attributes = body.data.attributes
    given = attributes.model_dump(exclude_unset=True, exclude={"version"})
    made = suppressions.update(suppression_id, given, actor, version=attributes.version)
    return _answer(suppressions, made, actor)


@router.delete("/{suppression_id}", status_code=204)
def delete_suppression(suppressions: Suppressions, actor: Writer, suppression_id: Id) -> None:
    """Delete a suppression; what it has hidden stays hidden."""
    suppressions.delete(suppression_id, actor)


@router.get("/{suppression_id}/version_history", responses={200: {"model": SuppressionHistory}})
def suppression_history(
    suppressions: Suppressions,
    actor: Reader,
    suppression_id: Id,
    page_size: Annotated[int, Query(alias="page[size]", ge=1, le=100)] = 10,
    page_number: PageNumber = 0,
) -> Response:
    """The versions of a suppression, latest first, with what changed in each."""
    count, versions = suppressions.history(suppression_id, page_size, page_number)
    is_editable = _may_edit(suppressions, actor)(suppression_id)
    data: dict[str, Any] = {
        str(version.version): {"suppression": {**version.body, "editable": is_editable}, "changes": version.changes}
        for version in versions
    }
    attributes = {"count": count, "data": data}
    return JSONResponse(
        {"data": {"id": suppression_id, "type": "suppression_version_history", "attributes": attributes}}
    )


@router.get("/{suppression_id}/preview")
def preview_stored_suppression(
    suppressions: Suppressions, looks: Looks, actor: SignalReader, suppression_id: Id, days: Days = 30
) -> PreviewAnswer:
    """What a stored suppression would have hidden of the signals that are shown."""
    return _preview(suppression_id, looks.preview(suppressions.get(suppression_id).body, days))


@router.get("/{suppression_id}/hidden")
def hidden_by_suppression(
    suppressions: Suppressions, looks: Looks, actor: SignalReader, suppression_id: Id, days: Days = 30
) -> HiddenAnswer:
    """What a suppression has hidden, by rule and hour; the signals themselves are in the track `suppressed`."""
    suppressions.get(suppression_id)
    return _hidden(suppression_id, looks.hidden(suppression_id, days))


@router.get("/{suppression_id}/excluded")
def excluded_by_suppression(
    suppressions: Suppressions, exclusions: ToldExclusions, actor: SignalReader, suppression_id: Id, days: Days = 30
) -> ExcludedAnswer:
    """How many events a suppression has kept from rules, by hour of arrival; they are in the logs as any others."""
    suppressions.get(suppression_id)
    return _excluded(suppression_id, exclusions.excluded(suppression_id, days))


def _may_edit(suppressions: SuppressionsService, actor: Actor) -> Callable[[str], bool]:
    """Whether the actor may change the suppression with an id: by permission, and by what restricts it."""
    closed = suppressions.closed_to(actor)
    return lambda suppression_id: actor.may(WRITE) and suppression_id not in closed


def _resources(suppressions: SuppressionsService, rows: Iterable[SuppressionRow], actor: Actor) -> list[dict[str, Any]]:
    may_edit = _may_edit(suppressions, actor)
    return [
        {"id": row.id, "type": "suppressions", "attributes": {**row.body, "editable": may_edit(row.id)}} for row in rows
    ]


def _answer(suppressions: SuppressionsService, row: SuppressionRow, actor: Actor) -> Response:
    (resource,) = _resources(suppressions, [row], actor)
    return JSONResponse({"data": resource})


def _answers(suppressions: SuppressionsService, rows: list[SuppressionRow], actor: Actor) -> Response:
    return JSONResponse({"data": _resources(suppressions, rows, actor)})


def _preview(suppression_id: str, preview: Preview) -> PreviewAnswer:
    events = None
    if preview.excluded_events is not None and preview.matched_events is not None:
        events = PreviewEvents(excluded=preview.excluded_events, matched=preview.matched_events)
    attributes = PreviewAnswerAttributes(
        start=timestamp(preview.start),
        end=timestamp(preview.end),
        rules_in_scope=preview.rules_in_scope,
        signals=PreviewSignals(
            hidden=preview.hidden,
            total=preview.total,
            true_positives=preview.true_positives,
            archived=dict(preview.archived),
        ),
        rules=[
            RuleShare(rule_id=share.rule_id, rule_name=share.rule_name, hidden=share.hidden, total=share.total)
            for share in preview.by_rule
        ],
        examples=[Resource.model_validate(example) for example in preview.examples],
        events=events,
        warnings=[
            PreviewWarning.model_validate({"code": warning.code, "message": warning.message})
            for warning in preview.warnings
        ],
    )
    return PreviewAnswer(data=PreviewData(id=suppression_id, attributes=attributes))


def _hidden(suppression_id: str, counts: list[HiddenCount]) -> HiddenAnswer:
    hours: dict[tuple[int, str], HiddenHour] = {}
    for count in counts:
        key = (count.hour, count.rule_id)
        hour = hours.setdefault(
            key, HiddenHour(rule_id=count.rule_id, hour=timestamp(count.hour), signals=0, updates=0)
        )
        if count.hides == "update":
            hour.updates += count.count
        else:
            hour.signals += count.count
    found = list(hours.values())
    attributes = HiddenAttributes(
        signals=sum(hour.signals for hour in found), updates=sum(hour.updates for hour in found), hours=found
    )
    return HiddenAnswer(data=HiddenData(id=suppression_id, attributes=attributes))


def _excluded(suppression_id: str, found: Excluded) -> ExcludedAnswer:
    attributes = ExcludedAttributes(
        start=timestamp(found.start),
        end=timestamp(found.end),
        events=found.events,
        rules_in_scope=found.rules_in_scope,
        rules=None
        if found.by_rule is None
        else [
            ExcludedByRule(rule_id=loss.rule_id, rule_name=loss.rule_name, events=loss.events) for loss in found.by_rule
        ],
        periods=[
            ExcludedPeriod(
                start=timestamp(period.start),
                end=timestamp(period.end),
                query=period.query,
                rule_query=period.rule_query,
            )
            for period in found.periods
        ],
        hours=[ExcludedHour(hour=timestamp(hour), events=events) for hour, events in found.hours],
    )
    return ExcludedAnswer(data=ExcludedData(id=suppression_id, attributes=attributes))
