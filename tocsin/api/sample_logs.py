"""Subscriptions to sample logs (siem.md §1.17)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import timestamp
from tocsin.api.schemas.content_packs import (
    BulkItem,
    BulkItemMeta,
    BulkSubscriptionAnswer,
    BulkSubscriptionRequest,
    SubscriptionAnswer,
    SubscriptionAttributes,
    SubscriptionData,
    SubscriptionList,
    SubscriptionRequest,
    SubscriptionsMeta,
)
from tocsin.api.security import requires
from tocsin.clock import Clock
from tocsin.content_packs.packs import PackNotFound
from tocsin.content_packs.samples import Answer, Outcome, SampleLogs
from tocsin.errors import BadRequest
from tocsin.explore.times import parse_time


async def _samples(services: Services) -> SampleLogs:
    service: SampleLogs = services.sample_logs
    return service


Samples = Annotated[SampleLogs, Depends(_samples)]
Reader = Annotated[Actor, Depends(requires("security_monitoring_rules_read"))]
Writer = Annotated[Actor, Depends(requires("security_monitoring_rules_write"))]

router = APIRouter(prefix="/api/v2/security_monitoring/sample_log_generation/subscriptions", tags=["content packs"])


@router.get("")
def list_subscriptions(
    _actor: Reader,
    samples: Samples,
    services: Services,
    status: Literal["active", "all"] = "active",
    start_timestamp: str | None = None,
    end_timestamp: str | None = None,
) -> SubscriptionList:
    """Subscriptions that run, or all; with a start those that ran at any moment since then, until the end if given."""
    now = services.clock()
    if start_timestamp is None:
        found = samples.all(only_active=status == "active")
    else:
        end = now if end_timestamp is None else parse_time(end_timestamp, now)
        start = parse_time(start_timestamp, now)
        if end < start:
            raise BadRequest("end_timestamp is before start_timestamp")
        found = samples.within(start, end)
    data = [_data(one, services.clock) for one in found]
    return SubscriptionList(data=data, meta=SubscriptionsMeta(total_subscriptions=len(data)))


@router.post("")
def subscribe(actor: Writer, samples: Samples, services: Services, body: SubscriptionRequest) -> SubscriptionAnswer:
    """Begin sample logs of a pack, or prolong those that come."""
    asked = body.data.attributes
    return SubscriptionAnswer(
        data=_data(samples.subscribe(asked.content_pack_id, asked.duration, actor), services.clock)
    )


@router.post("/bulk")
def subscribe_all(
    actor: Writer, samples: Samples, services: Services, body: BulkSubscriptionRequest
) -> BulkSubscriptionAnswer:
    """The same for several packs, each by itself."""
    asked = body.data.attributes
    answers = samples.subscribe_all(asked.content_pack_ids, asked.duration, actor)
    return BulkSubscriptionAnswer(
        data=[_item(pack_id, one, services.clock) for pack_id, one in zip(asked.content_pack_ids, answers, strict=True)]
    )


@router.delete("/{content_pack_id}")
def unsubscribe(actor: Writer, samples: Samples, services: Services, content_pack_id: str) -> SubscriptionAnswer:
    """End sample logs of a pack."""
    return SubscriptionAnswer(data=_data(samples.unsubscribe(content_pack_id, actor), services.clock))


def _item(pack_id: str, one: Answer | PackNotFound, clock: Clock) -> BulkItem:
    if isinstance(one, PackNotFound):
        nothing = _data(Answer(pack_id, Outcome.NOT_AVAILABLE), clock)
        return BulkItem(**nothing.model_dump(), meta=BulkItemMeta(status=404, error=str(one)))
    return BulkItem(**_data(one, clock).model_dump(), meta=BulkItemMeta(status=200))


def _data(one: Answer, clock: Clock) -> SubscriptionData:
    subscription, now = one.subscription, clock()
    attributes = SubscriptionAttributes(
        content_pack_id=one.pack_id,
        created_at=timestamp(subscription.created_at if subscription else now),
        expires_at=timestamp(subscription.until if subscription else now),
        is_active=subscription.is_active(now) if subscription else False,
        status=one.outcome.value,
    )
    return SubscriptionData(id=subscription.id if subscription else "", attributes=attributes)
