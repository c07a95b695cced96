"""Feeds of indicators: create, change, upload, refresh, and what is in them (siem.md §6.2). Paths of our own."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from tocsin.access.actor import Actor
from tocsin.api.context import Services
from tocsin.api.paging import Paging
from tocsin.api.schemas.threat_intel import (
    FeedAnswer,
    FeedBody,
    FeedList,
    HuntList,
    IndicatorList,
    IndicatorListMeta,
    IndicatorPageCounts,
    LookupAnswer,
    feed_item,
    hunt_item,
    indicator_item,
    listing_item,
)
from tocsin.api.security import requires
from tocsin.errors import TooLarge
from tocsin.explore.times import parse_time
from tocsin.threat_intel.feed import Feed
from tocsin.threat_intel.service import FeedsService

MAX_UPLOAD = 100_000_000
"""Bytes of an uploaded feed, as sent."""


async def _feeds(services: Services) -> FeedsService:
    service: FeedsService = services.feeds
    return service


Feeds = Annotated[FeedsService, Depends(_feeds)]
Reader = Annotated[Actor, Depends(requires("reference_tables_read"))]
Writer = Annotated[Actor, Depends(requires("reference_tables_write"))]

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "description": "The feed's content in its format, gzipped or not; at most 100 MB.",
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in ("text/csv", "application/json", "application/octet-stream")
        },
    }
}

router = APIRouter(prefix="/api/v2/security/siem/threat-intel", tags=["threat intelligence"])


@router.get("/feeds")
def list_threat_intel_feeds(_actor: Reader, feeds: Feeds, services: Services) -> FeedList:
    """All feeds with their health, by name."""
    return FeedList(data=[feed_item(feed, services.clock()) for feed in feeds.all()])


@router.post("/feeds", status_code=201)
def create_threat_intel_feed(actor: Writer, feeds: Feeds, services: Services, body: FeedBody) -> FeedAnswer:
    """Create a feed. One that is fetched is read within seconds, one that is uploaded waits for its content."""
    asked = body.data.attributes
    return _answer(feeds.create(asked.settings(), asked.authentication.secret or None, actor), services)


@router.get("/feeds/{feed_id}")
def get_threat_intel_feed(_actor: Reader, feeds: Feeds, services: Services, feed_id: str) -> FeedAnswer:
    """A feed with its health."""
    return _answer(feeds.get(feed_id), services)


@router.put("/feeds/{feed_id}")
def update_threat_intel_feed(
    actor: Writer, feeds: Feeds, services: Services, feed_id: str, body: FeedBody
) -> FeedAnswer:
    """Replace a feed's settings; a secret that is not given stays. Disabled feeds enrich nothing."""
    asked = body.data.attributes
    return _answer(feeds.update(feed_id, asked.settings(), asked.authentication.secret or None, actor), services)


@router.delete("/feeds/{feed_id}", status_code=204)
def delete_threat_intel_feed(actor: Writer, feeds: Feeds, feed_id: str) -> None:
    """Delete a feed and its indicators; what stored logs say stays."""
    feeds.delete(feed_id, actor)


@router.put("/feeds/{feed_id}/content", openapi_extra=UPLOAD)
async def upload_threat_intel_feed(
    actor: Writer, feeds: Feeds, services: Services, feed_id: str, request: Request
) -> FeedAnswer:
    """Replace all indicators of a feed. Rows that cannot be taken are left out and reported in its health."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_UPLOAD:
            raise TooLarge(f"the content of a feed may have {MAX_UPLOAD:,} bytes")
    return _answer(await run_in_threadpool(feeds.upload, feed_id, bytes(content), actor), services)


@router.post("/feeds/{feed_id}/refresh", status_code=202)
def refresh_threat_intel_feed(actor: Writer, feeds: Feeds, services: Services, feed_id: str) -> FeedAnswer:
    """Let the feed be fetched now; its health says how that went."""
    return _answer(feeds.ask_refresh(feed_id, actor), services)


@router.get("/feeds/{feed_id}/indicators")
def list_threat_intel_feed_indicators(
    _actor: Reader,
    feeds: Feeds,
    page: Paging,
    feed_id: str,
    services: Services,
    query: Annotated[str, Query(max_length=500, description="A part of the indicator or its category.")] = "",
    first_seen: Annotated[
        str, Query(max_length=40, description="Only those that came with one refresh: a hunt's `created_at`.")
    ] = "",
) -> IndicatorList:
    """What a feed holds now."""
    brought = parse_time(first_seen, services.clock()) if first_seen else None
    total, found = feeds.indicators(feed_id, query, page.size, page.number, first_seen=brought)
    meta = IndicatorListMeta(page=IndicatorPageCounts(total_count=total))
    return IndicatorList(data=[indicator_item(each) for each in found], meta=meta)


@router.get("/lookup")
def look_up_threat_intel(
    _actor: Reader,
    feeds: Feeds,
    services: Services,
    indicator: Annotated[str, Query(min_length=1, max_length=4_000, description="Of any type; may be defanged.")],
) -> LookupAnswer:
    """What all feeds say of a value, whether logs hold it or not: of itself, and of what holds it.

    An address is looked for in networks, a domain below its parents, a URL and an e-mail address by their host.
    """
    return LookupAnswer(data=[listing_item(each, services.clock()) for each in feeds.look_up(indicator)])


@router.get("/feeds/{feed_id}/hunts")
def list_threat_intel_hunts(_actor: Reader, feeds: Feeds, services: Services, feed_id: str) -> HuntList:
    """The searches of earlier logs for new indicators of a feed, the newest first."""
    feeds.get(feed_id)
    return HuntList(data=[hunt_item(hunt) for hunt in services.hunter.of_feed(feed_id)])


@router.get("/hunts")
def list_latest_threat_intel_hunts(_actor: Reader, services: Services) -> HuntList:
    """The latest searches of earlier logs of all feeds, the newest first; at most 100."""
    return HuntList(data=[hunt_item(hunt) for hunt in services.hunter.latest(100)])


def _answer(feed: Feed, services: Services) -> FeedAnswer:
    return FeedAnswer(data=feed_item(feed, services.clock()))
