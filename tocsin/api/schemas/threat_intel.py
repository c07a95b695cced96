"""Feeds of indicators: bodies and answers (ours, under the conventions of api.md §1)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.api.paging import maybe_timestamp, timestamp
from tocsin.enrich.indicators import TYPES
from tocsin.threat_intel.feed import DAY, Feed, FeedSettings
from tocsin.threat_intel.hunts_repository import Hunt
from tocsin.threat_intel.lookup import Relation
from tocsin.threat_intel.service import ListedIndicator, Listing

SHOWN_FOUND = 50

Format = Literal["csv", "stix", "misp", "taxii"]
Intention = Literal["malicious", "suspicious", "benign", "unknown"]
Role = Literal["indicator", "type", "category", "intention", "source", "additional_data", "expires_at"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=2_000)]


class Location(BaseModel):
    """Where the content comes from: uploads, a file below `feeds` in the data directory, or a URL."""

    type: Literal["upload", "file", "url"]
    url: Text = ""
    file: Annotated[str, Field(max_length=500)] = ""


class Source(BaseModel):
    name: Annotated[str, Field(max_length=200)] = ""
    url: Text = ""


class FeedDefaults(BaseModel):
    """What holds for indicators that do not say it themselves; the source's name defaults to the feed's."""

    category: Name = "malware"
    intention: Intention = "malicious"
    source: Source = Source()


class Authentication(BaseModel):
    """How the URL is asked. The secret is never shown again; without one the present secret is kept."""

    type: Literal["none", "basic", "bearer", "header"] = "none"
    user_name: Annotated[str, Field(max_length=200)] = ""
    header_name: Annotated[str, Field(max_length=100)] = ""
    secret: Annotated[str | None, Field(max_length=10_000)] = None


class ShownAuthentication(BaseModel):
    type: str
    user_name: str
    header_name: str
    has_secret: bool


class FeedAttributes(BaseModel):
    name: Name
    format: Format
    location: Location
    indicator_type: Annotated[str, Field(description=f"For a CSV of one type: {', '.join(TYPES)}.")] = ""
    columns: Annotated[dict[Role, str], Field(description="For a CSV: the column that holds each.")] = {}
    delimiter: Annotated[str, Field(max_length=1)] = ""
    defaults: FeedDefaults = FeedDefaults()
    refresh_interval: Annotated[int, Field(ge=300, le=2_592_000, description="Seconds.")] = DAY
    authentication: Authentication = Authentication()
    retro_hunt: Annotated[bool, Field(description="Look for new indicators in the logs of the last 30 days.")] = False
    is_enabled: bool = True

    def settings(self) -> FeedSettings:
        location = {"url": self.location.url, "file": self.location.file}.get(self.location.type, "")
        return FeedSettings(
            name=self.name.strip(),
            format=self.format,
            kind=self.location.type,
            location=location,
            indicator_type=self.indicator_type,
            columns={str(role): name for role, name in self.columns.items()},
            delimiter=self.delimiter,
            category=self.defaults.category.strip().lower(),
            intention=self.defaults.intention,
            source_name=self.defaults.source.name,
            source_url=self.defaults.source.url,
            refresh_interval=self.refresh_interval,
            authentication=self.authentication.type,
            user_name=self.authentication.user_name,
            header_name=self.authentication.header_name,
            retro_hunt=self.retro_hunt,
            is_enabled=self.is_enabled,
        )


class FeedData(BaseModel):
    type: Literal["threat_intel_feed"] = "threat_intel_feed"
    attributes: FeedAttributes


class FeedBody(BaseModel):
    data: FeedData


class Health(BaseModel):
    """`problems` are the first rows that were left out, with the reason; `skipped` counts all of them."""

    status: Literal["ok", "waiting", "failing", "stale", "disabled"]
    indicators: int
    skipped: int
    problems: list[str]
    error: str
    refreshed_at: str | None
    attempted_at: str | None
    next_refresh_at: str | None


class ShownFeed(BaseModel):
    name: str
    format: Format
    location: Location
    indicator_type: str
    columns: dict[str, str]
    delimiter: str
    defaults: FeedDefaults
    refresh_interval: int
    authentication: ShownAuthentication
    retro_hunt: bool
    is_enabled: bool
    version: int
    created_at: str
    created_by: str
    updated_at: str
    health: Health


class FeedItem(BaseModel):
    id: str
    type: Literal["threat_intel_feed"] = "threat_intel_feed"
    attributes: ShownFeed


class FeedAnswer(BaseModel):
    data: FeedItem


class FeedList(BaseModel):
    data: list[FeedItem]


class ShownIndicator(BaseModel):
    indicator: str
    type: str
    category: str
    intention: str
    source: Source
    additional_data: dict[str, Any]
    first_seen: str
    expires_at: str | None


class IndicatorItem(BaseModel):
    type: Literal["threat_intel_indicator"] = "threat_intel_indicator"
    id: str
    attributes: ShownIndicator


class IndicatorPageCounts(BaseModel):
    total_count: int


class IndicatorListMeta(BaseModel):
    page: IndicatorPageCounts


class IndicatorList(BaseModel):
    data: list[IndicatorItem]
    meta: IndicatorListMeta


class ShownListing(ShownIndicator):
    """An indicator of a feed that speaks of the value that was looked up.

    `relation`: it is the value (`exact`), a `network` or `parent_domain` that holds it, or the `host` of it. `in_use`:
    logs are enriched with it now, since the feed is enabled and the indicator has not expired.
    """

    feed_id: str
    feed_name: str
    relation: Relation
    in_use: bool


class ListingItem(BaseModel):
    type: Literal["threat_intel_listing"] = "threat_intel_listing"
    id: str
    attributes: ShownListing


class LookupAnswer(BaseModel):
    data: list[ListingItem]


class FoundIndicator(BaseModel):
    indicator: str
    logs: int


class ShownHunt(BaseModel):
    """`progress` is the share of the span that was looked through, from `searched_to` back to `reached`.

    `found` are the indicators that logs hold, those of the most logs first; at most 50 of `indicators_found`.
    """

    feed_id: str
    state: Literal["running", "done", "failed"]
    feed_version: int
    indicators: int
    progress: float
    logs_scanned: int
    logs_found: int
    indicators_found: int
    found: list[FoundIndicator]
    searched_from: str
    searched_to: str
    reached: str
    created_at: str
    finished_at: str | None
    note: str


class HuntItem(BaseModel):
    id: str
    type: Literal["threat_intel_hunt"] = "threat_intel_hunt"
    attributes: ShownHunt


class HuntList(BaseModel):
    data: list[HuntItem]


def feed_item(feed: Feed, now: int) -> FeedItem:
    """A feed as the API shows it; it holds no secret."""
    chosen = feed.settings
    location = Location.model_validate({"type": chosen.kind, chosen.kind: chosen.location})
    shown = ShownFeed(
        name=chosen.name,
        format=chosen.format,  # type: ignore[arg-type]
        location=location,
        indicator_type=chosen.indicator_type,
        columns=dict(chosen.columns),
        delimiter=chosen.delimiter,
        defaults=FeedDefaults(
            category=chosen.category,
            intention=chosen.intention,  # type: ignore[arg-type]
            source=Source(name=chosen.source_name, url=chosen.source_url),
        ),
        refresh_interval=chosen.refresh_interval,
        authentication=ShownAuthentication(
            type=chosen.authentication,
            user_name=chosen.user_name,
            header_name=chosen.header_name,
            has_secret=feed.has_secret,
        ),
        retro_hunt=chosen.retro_hunt,
        is_enabled=chosen.is_enabled,
        version=feed.version,
        created_at=timestamp(feed.created_at),
        created_by=feed.created_by,
        updated_at=timestamp(feed.updated_at),
        health=Health(
            status=feed.health(now),  # type: ignore[arg-type]
            indicators=feed.indicators,
            skipped=feed.skipped,
            problems=list(feed.problems),
            error=feed.error,
            refreshed_at=maybe_timestamp(feed.refreshed_at),
            attempted_at=maybe_timestamp(feed.attempted_at),
            next_refresh_at=maybe_timestamp(feed.next_at),
        ),
    )
    return FeedItem(id=feed.id, attributes=shown)


def indicator_item(listed: ListedIndicator) -> IndicatorItem:
    """One indicator of a feed."""
    return IndicatorItem(id=_id(listed), attributes=_shown(listed))


def listing_item(listing: Listing, now: int) -> ListingItem:
    """What one feed says of a value."""
    feed, listed = listing.feed, listing.listed
    expires_at = listed.indicator.expires_at
    shown = ShownListing(
        **_shown(listed).model_dump(),
        feed_id=feed.id,
        feed_name=feed.settings.name,
        relation=listing.relation,
        in_use=feed.settings.is_enabled and (expires_at is None or expires_at > now),
    )
    return ListingItem(id=f"{feed.id}:{_id(listed)}", attributes=shown)


def _id(listed: ListedIndicator) -> str:
    return f"{listed.indicator.type}:{listed.indicator.value}"


def _shown(listed: ListedIndicator) -> ShownIndicator:
    indicator = listed.indicator
    return ShownIndicator(
        indicator=indicator.value,
        type=TYPES[indicator.type],
        category=indicator.category,
        intention=indicator.intention,
        source=Source(name=indicator.source_name, url=indicator.source_url),
        additional_data=dict(indicator.additional_data),
        first_seen=timestamp(listed.since),
        expires_at=maybe_timestamp(indicator.expires_at),
    )


def hunt_item(hunt: Hunt) -> HuntItem:
    """A hunt and how far it has come."""
    span = max(1, hunt.to_at - hunt.from_at)
    most = sorted(hunt.matched.items(), key=lambda item: (-item[1], item[0]))
    done = 1.0 if hunt.state == "done" else round((hunt.to_at - hunt.position) / span, 3)
    shown = ShownHunt(
        feed_id=hunt.feed_id,
        state=hunt.state,  # type: ignore[arg-type]
        feed_version=hunt.version,
        indicators=hunt.indicators,
        progress=done,
        logs_scanned=hunt.scanned,
        logs_found=hunt.found,
        indicators_found=len(hunt.matched),
        found=[FoundIndicator(indicator=value, logs=logs) for value, logs in most[:SHOWN_FOUND]],
        searched_from=timestamp(hunt.from_at),
        searched_to=timestamp(hunt.to_at),
        reached=timestamp(hunt.from_at if hunt.state == "done" else hunt.position),
        created_at=timestamp(hunt.created_at),
        finished_at=maybe_timestamp(hunt.finished_at),
        note=hunt.error,
    )
    return HuntItem(id=hunt.id, attributes=shown)
