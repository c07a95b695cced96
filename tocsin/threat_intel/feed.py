"""A feed: where indicators come from, how they are read, and how it is doing. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.enrich.indicators import CATEGORIES, INTENTIONS, TYPES
from tocsin.errors import BadRequest
from tocsin.threat_intel.csv_feed import KNOWN_COLUMNS, Columns
from tocsin.threat_intel.reading import LONGEST_WORD, Defaults

FORMATS = ("csv", "stix", "misp", "taxii")
LOCATIONS = ("upload", "file", "url")
AUTHENTICATIONS = ("none", "basic", "bearer", "header")

MIN_INTERVAL = 300
DAY = 86_400
MAX_INTERVAL = 30 * DAY
"""Seconds between refreshes."""

STALE_AFTER = 2.0
"""So many intervals without a success."""


class BadFeedSettings(BadRequest):
    """What a feed was asked to be makes no sense; says each fault."""


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What people choose. Durations in seconds. `location` is a URL, or a name in the feeds' directory, or empty."""

    name: str
    format: str
    kind: str
    location: str = ""
    indicator_type: str = ""
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    delimiter: str = ""
    category: str = "malware"
    intention: str = "malicious"
    source_name: str = ""
    source_url: str = ""
    refresh_interval: int = DAY
    authentication: str = "none"
    user_name: str = ""
    header_name: str = ""
    retro_hunt: bool = False
    is_enabled: bool = True

    @property
    def is_fetched(self) -> bool:
        """Whether Tocsin itself gets the content, on a schedule."""
        return self.kind != "upload"

    def defaults(self) -> Defaults:
        return Defaults(self.category, self.intention, self.source_name or self.name, self.source_url)

    def csv_columns(self) -> Columns:
        return Columns(self.indicator_type, self.columns, self.delimiter)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as it is kept. Times in Unix milliseconds; `version` counts the contents that were taken."""

    id: str
    settings: FeedSettings
    has_secret: bool
    created_at: int
    created_by: str
    updated_at: int
    version: int = 0
    indicators: int = 0
    skipped: int = 0
    problems: tuple[str, ...] = ()
    attempted_at: int | None = None
    refreshed_at: int | None = None
    next_at: int | None = None
    error: str = ""

    def health(self, now: int) -> str:
        """`disabled`, `waiting` (nothing yet), `failing`, `stale` (too old), `ok`."""
        if not self.settings.is_enabled:
            return "disabled"
        if self.error:
            return "failing"
        if self.refreshed_at is None:
            return "waiting"
        if self.settings.is_fetched and now - self.refreshed_at > STALE_AFTER * self.settings.refresh_interval * 1000:
            return "stale"
        return "ok"


def check(settings: FeedSettings, *, has_secret: bool) -> None:
    """Raises `BadFeedSettings` with every fault."""
    faults = []
    if not settings.name.strip() or len(settings.name) > 200:
        faults.append("name: 1 to 200 characters")
    for name, value, allowed in (
        ("format", settings.format, FORMATS),
        ("location.type", settings.kind, LOCATIONS),
        ("authentication.type", settings.authentication, AUTHENTICATIONS),
        ("defaults.intention", settings.intention, INTENTIONS),
    ):
        if value not in allowed:
            faults.append(f"{name}: '{value[:60]}' is none of {', '.join(allowed)}")
    if settings.indicator_type and settings.indicator_type not in TYPES:
        faults.append(f"indicator_type: '{settings.indicator_type[:60]}' is none of {', '.join(TYPES)}")
    if not settings.category.strip() or len(settings.category) > LONGEST_WORD:
        faults.append(f"defaults.category: 1 to {LONGEST_WORD} characters, such as {', '.join(CATEGORIES[:3])}")
    if settings.kind == "url" and not settings.location.startswith(("https://", "http://")):
        faults.append("location.url: an address that begins with https:// or http://")
    if settings.kind == "file" and not settings.location:
        faults.append("location.file: the name of a file in the directory `feeds` of the data directory")
    if settings.format == "taxii" and settings.kind != "url":
        faults.append("location.type: a TAXII collection has a URL")
    if settings.format != "csv" and (settings.columns or settings.delimiter or settings.indicator_type):
        faults.append("columns, delimiter, indicator_type: only a CSV has them")
    if unknown := [name for name in settings.columns if name not in KNOWN_COLUMNS]:
        faults.append(f"columns: '{unknown[0][:60]}' is none of {', '.join(KNOWN_COLUMNS)}")
    if len(settings.delimiter) > 1:
        faults.append("delimiter: one character")
    if not MIN_INTERVAL <= settings.refresh_interval <= MAX_INTERVAL:
        faults.append(f"refresh_interval: {MIN_INTERVAL} to {MAX_INTERVAL:,} seconds")
    if settings.authentication != "none":
        if settings.kind != "url":
            faults.append("authentication: only a URL is asked with one")
        if not has_secret:
            faults.append("authentication.secret: it needs one")
        if settings.authentication == "basic" and not settings.user_name:
            faults.append("authentication.user_name: basic authentication needs one")
        if settings.authentication == "header" and not _is_header(settings.header_name):
            faults.append("authentication.header_name: the name of a header, such as X-API-Key")
    if faults:
        raise BadFeedSettings(*faults)


def _is_header(name: str) -> bool:
    return bool(name) and len(name) <= 100 and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in name)


def as_json(settings: FeedSettings) -> dict[str, Any]:
    """For the state store and the audit trail; it holds no secret."""
    names = [name for name in FeedSettings.__slots__ if name not in ("name", "is_enabled")]
    return {name: dict(value) if isinstance(value := getattr(settings, name), Mapping) else value for name in names}
