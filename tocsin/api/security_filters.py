"""Security filters (api.md §6)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.schemas.security_filters import (
    FilterAnswer,
    FilterBody,
    FilterChangesBody,
    FilterList,
    FiltersHistory,
)
from tocsin.api.security import requires
from tocsin.security_filters.effective import SecurityFilter
from tocsin.security_filters.service import SecurityFilters


async def _filters(services: Services) -> SecurityFilters:
    service: SecurityFilters = services.security_filters
    return service


Filters = Annotated[SecurityFilters, Depends(_filters)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_filters_read"))]
Writer = Annotated[Actor, Depends(requires("security_monitoring_filters_write"))]

router = APIRouter(prefix="/api/v2/security_monitoring/configuration/security_filters", tags=["security filters"])


@router.get("")
def list_filters(actor: Reader, filters: Filters) -> FilterList:
    """All filters, the built-in one first."""
    return FilterList.model_validate({"data": [_shape(one) for one in filters.all()]})


@router.post("")
def create_filter(actor: Writer, filters: Filters, body: FilterBody) -> FilterAnswer:
    """Create a filter."""
    return _answer(filters.create(body.data.attributes.model_dump(), actor))


@router.get("/versions")
def list_versions(actor: Reader, filters: Filters) -> FiltersHistory:
    """The whole set of filters at each version, newest first."""
    data = [
        {
            "id": str(one.version),
            "attributes": {
                "date": one.at,
                "version": one.version,
                "filters": [{"id": given.id, **_attributes(given)} for given in one.filters],
            },
        }
        for one in filters.versions()
    ]
    return FiltersHistory.model_validate({"data": data})


@router.get("/{filter_id}")
def get_filter(actor: Reader, filters: Filters, filter_id: str) -> FilterAnswer:
    """Get a filter."""
    return _answer(filters.get(filter_id))


@router.patch("/{filter_id}")
def update_filter(actor: Writer, filters: Filters, filter_id: str, body: FilterChangesBody) -> FilterAnswer:
    """Change the members given; a stale `version` is a conflict."""
    return _answer(filters.update(filter_id, body.data.attributes.model_dump(), actor))


@router.delete("/{filter_id}", status_code=204)
def delete_filter(actor: Writer, filters: Filters, filter_id: str) -> None:
    """Delete a filter that is not built in."""
    filters.delete(filter_id, actor)


def _answer(one: SecurityFilter) -> FilterAnswer:
    return FilterAnswer.model_validate({"data": _shape(one)})


def _shape(one: SecurityFilter) -> dict[str, Any]:
    return {"id": one.id, "attributes": _attributes(one)}


def _attributes(one: SecurityFilter) -> dict[str, Any]:
    return {
        "name": one.name,
        "query": one.query,
        "is_enabled": one.is_enabled,
        "is_builtin": one.is_builtin,
        "filtered_data_type": "logs",
        "exclusion_filters": [{"name": exclusion.name, "query": exclusion.query} for exclusion in one.exclusions],
        "version": one.version,
    }
