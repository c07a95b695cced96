"""Critical assets (api-more.md)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.critical_assets import (
    AssetAnswer,
    AssetAnswerAttributes,
    AssetAnswerData,
    AssetBody,
    AssetChangesBody,
    AssetList,
)
from tocsin.api.security import requires
from tocsin.critical_assets.repository import AssetRow
from tocsin.critical_assets.service import CriticalAssetsService

WRITE = "security_monitoring_critical_assets_write"


async def _assets(services: Services) -> CriticalAssetsService:
    service: CriticalAssetsService = services.critical_assets
    return service


Assets = Annotated[CriticalAssetsService, Depends(_assets)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_critical_assets_read"))]
Writer = Annotated[Actor, Depends(requires(WRITE))]

router = APIRouter(prefix="/api/v2/security_monitoring/configuration/critical_assets", tags=["critical assets"])


@router.get("")
def list_critical_assets(assets: Assets, actor: Reader) -> AssetList:
    """Every critical asset, the oldest first."""
    return AssetList(data=[_data(row, actor) for row in assets.all()])


@router.post("")
def create_critical_asset(assets: Assets, actor: Writer, body: AssetBody) -> AssetAnswer:
    """Create a critical asset."""
    return _answer(assets.create(body.data.attributes.model_dump(), actor), actor)


@router.get("/rules/{rule_id}")
def critical_assets_of_rule(services: Services, assets: Assets, actor: Reader, rule_id: str) -> AssetList:
    """The enabled critical assets that may change the severity of a rule's signals."""
    return AssetList(data=[_data(row, actor) for row in assets.affecting(services.rules.get(rule_id))])


@router.get("/{asset_id}")
def get_critical_asset(assets: Assets, actor: Reader, asset_id: str) -> AssetAnswer:
    """Get a critical asset."""
    return _answer(assets.get(asset_id), actor)


@router.patch("/{asset_id}")
def update_critical_asset(assets: Assets, actor: Writer, asset_id: str, body: AssetChangesBody) -> AssetAnswer:
    """Change the members given; a stale `version` is a conflict."""
    return _answer(assets.update(asset_id, body.data.attributes.model_dump(), actor), actor)


@router.delete("/{asset_id}", status_code=204)
def delete_critical_asset(assets: Assets, actor: Writer, asset_id: str) -> None:
    """Delete a critical asset."""
    assets.delete(asset_id, actor)


def _answer(row: AssetRow, actor: Actor) -> AssetAnswer:
    return AssetAnswer(data=_data(row, actor))


def _data(row: AssetRow, actor: Actor) -> AssetAnswerData:
    attributes = AssetAnswerAttributes.model_validate({**row.body, "editable": actor.may(WRITE)})
    return AssetAnswerData(id=row.id, attributes=attributes)
