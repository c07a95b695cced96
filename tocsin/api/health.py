"""Is it alive, is it ready, what does it count: for supervisors and Prometheus, open to all (decision 0034)."""

from typing import Literal

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from tocsin.api.context import Services
from tocsin.api.security import public
from tocsin.store.health import OK, check_stores

router = APIRouter(tags=["health"], dependencies=[Depends(public())])


class Health(BaseModel):
    status: Literal["ok", "failing"]
    checks: dict[str, str] = {}


@router.get("/health/live")
def live() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/health/ready", responses={503: {"model": Health}})
def ready(services: Services, response: Response) -> Health:
    """Both stores answer, and their schemas are those of this version."""
    checks = check_stores(services.state, services.events)
    if any(check != OK for check in checks.values()):
        response.status_code = 503
        return Health(status="failing", checks=checks)
    return Health(status="ok", checks=checks)


@router.get("/metrics", include_in_schema=False)
def metrics(services: Services) -> Response:
    """Counters and timings in the format of Prometheus."""
    return Response(generate_latest(services.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})
