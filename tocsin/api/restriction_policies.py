"""Restriction policies: who may change a single rule or suppression (response.md §6.5, api-more.md)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from tocsin.access.actor import Actor
from tocsin.access.restrictions import KINDS
from tocsin.access.users import MANAGE
from tocsin.api.context import Services
from tocsin.api.schemas.restriction_policies import (
    RestrictionAnswer,
    RestrictionBody,
    RestrictionList,
    RestrictionResource,
)
from tocsin.api.security import requires, requires_any
from tocsin.errors import BadRequest

Reader = Annotated[Actor, Depends(requires_any(*(kind.read for kind in KINDS.values())))]
Writer = Annotated[Actor, Depends(requires_any(*(kind.write for kind in KINDS.values())))]
Manager = Annotated[Actor, Depends(requires(MANAGE))]
ResourceId = Annotated[str, Path(max_length=128, description=f"`type:id`; the types are {', '.join(KINDS)}.")]

router = APIRouter(prefix="/api/v2/restriction_policy", tags=["restriction policies"])


@router.get("")
def list_restriction_policies(
    by: Reader, services: Services, type: Annotated[str, Query(max_length=64)]
) -> RestrictionList:
    """The policies of all resources of a type; what is not in the list is not restricted."""
    return RestrictionList(
        data=[RestrictionResource.of(seen) for seen in services.access.restrictions.all_of(type, by)]
    )


@router.get("/{resource_id}")
def get_restriction_policy(resource_id: ResourceId, by: Reader, services: Services) -> RestrictionAnswer:
    """Who may change a resource; no bindings if it is not restricted."""
    return RestrictionAnswer(data=RestrictionResource.of(services.access.restrictions.get(resource_id, by)))


@router.post("/{resource_id}")
def update_restriction_policy(
    resource_id: ResourceId,
    body: RestrictionBody,
    by: Writer,
    services: Services,
    allow_self_lockout: bool = False,
) -> RestrictionAnswer:
    """Replace the policy of a resource, which only its editors may; no bindings lift the restriction."""
    if body.data.id is not None and body.data.id != resource_id:
        raise BadRequest("data.id: is not the id of the path")
    wanted = body.data.attributes
    seen = services.access.restrictions.put(
        resource_id,
        [(each.relation, each.principals) for each in wanted.bindings],
        by,
        version=wanted.version,
        allow_self_lockout=allow_self_lockout,
    )
    return RestrictionAnswer(data=RestrictionResource.of(seen))


@router.delete("/{resource_id}", status_code=204)
def delete_restriction_policy(resource_id: ResourceId, by: Writer, services: Services) -> None:
    """Lift the restriction: everybody with the permission may change the resource again."""
    services.access.restrictions.delete(resource_id, by)


@router.post("/{resource_id}/elevate")
def elevate_on_resource(resource_id: ResourceId, by: Manager, services: Services) -> RestrictionAnswer:
    """Make oneself an editor of a restricted resource; the audit trail tells of it as a warning."""
    return RestrictionAnswer(data=RestrictionResource.of(services.access.restrictions.elevate(resource_id, by)))
