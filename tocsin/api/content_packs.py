"""Content packs (siem.md §1.16). What a person looks at is ours; states and switching are the vendor's."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import maybe_timestamp
from tocsin.api.schemas.content_packs import (
    GuideStep,
    LogsDetails,
    PackAttributes,
    PackData,
    PackList,
    PackLogs,
    PackPipeline,
    PackRules,
    PackSignals,
    PackStateAttributes,
    PackStateData,
    PackStates,
    SampleLogsState,
)
from tocsin.api.security import requires
from tocsin.content_packs.service import ContentPacks, PackState


async def _packs(services: Services) -> ContentPacks:
    service: ContentPacks = services.content_packs
    return service


Packs = Annotated[ContentPacks, Depends(_packs)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]
Writer = Annotated[Actor, Depends(requires("security_monitoring_rules_write", "security_monitoring_filters_write"))]

router = APIRouter(prefix="/api/v2/security_monitoring/content_packs", tags=["content packs"])


@router.get("")
def list_packs(_actor: Reader, packs: Packs, services: Services) -> PackList:
    """Every pack with what is there of it: rules, pipelines, logs, signals, and how its logs are sent."""
    running = services.sample_logs.active()
    data = []
    for one in packs.states():
        subscription = running.get(one.pack.id)
        samples = SampleLogsState(
            is_available=services.sample_logs.is_available(one.pack.id),
            expires_at=maybe_timestamp(subscription.until if subscription else None),
        )
        data.append(PackData(id=one.pack.id, attributes=_attributes(one, samples)))
    return PackList(data=data)


@router.get("/states")
def list_states(_actor: Reader, packs: Packs) -> PackStates:
    """In what state each pack is."""
    return PackStates(data=[PackStateData(id=one.pack.id, attributes=_state(one)) for one in packs.states()])


@router.put("/{content_pack_id}/activate", status_code=204)
def activate_pack(actor: Writer, packs: Packs, content_pack_id: str) -> None:
    """Enable the rules that were disabled with the pack, and let rules look at its logs."""
    packs.activate(content_pack_id, actor)


@router.put("/{content_pack_id}/deactivate", status_code=204)
def deactivate_pack(actor: Writer, packs: Packs, content_pack_id: str) -> None:
    """Disable the pack's rules."""
    packs.deactivate(content_pack_id, actor)


def _state(one: PackState) -> PackStateAttributes:
    details = LogsDetails(
        cp_activation=one.activation,
        data_last_seen=one.seen,
        filters_configured=one.is_analysed,
        integration_installed_status=one.integration,
        logs_seen_from_any_index=one.logs > 0,
    )
    return PackStateAttributes(status=one.status, details=details)


def _attributes(one: PackState, samples: SampleLogsState) -> PackAttributes:
    state = _state(one)
    return PackAttributes(
        status=state.status,
        details=state.details,
        name=one.pack.name,
        about=one.pack.about,
        sources=list(one.pack.sources),
        data_last_seen_at=maybe_timestamp(one.last_seen),
        rules=PackRules(total=one.rules, enabled=one.rules_enabled, query=one.rules_query),
        pipelines=[PackPipeline(id=each.id, name=each.name, is_enabled=each.is_enabled) for each in one.pipelines],
        logs=PackLogs(count=one.logs, analysed=one.analysed, query=one.logs_query),
        signals=PackSignals(count=one.signals, query=one.signals_query),
        sample_logs=samples,
        guide=[GuideStep(text=step.text, command=step.command) for step in one.pack.guide],
    )
