"""Feeds: what people do with them, their refresh on a schedule, and the table that enrichment looks up (siem.md §6).

A refresh replaces the whole content of a feed in one transaction. Every process then builds the table of all enabled
feeds for itself and hands its path on (`on_change`), which takes a second or two after the change, anywhere.
"""

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.vault import Vault
from tocsin.clock import Clock
from tocsin.enrich.indicators import INTENTIONS, Indicator
from tocsin.errors import BadRequest, Conflict, NotFound, TocsinError
from tocsin.store.leases import Leases
from tocsin.store.state import StateStore
from tocsin.threat_intel import hunts_repository, repository
from tocsin.threat_intel.content import packed, picked, sinces, unpacked
from tocsin.threat_intel.feed import Feed, FeedSettings, as_json, check
from tocsin.threat_intel.fetching import Fetcher, read, serialised
from tocsin.threat_intel.lookup import Relation, relations
from tocsin.threat_intel.reading import Reading
from tocsin.threat_intel.table_files import TableFiles

ASSET = "threat_intel_table"

MAX_FEEDS = 200

RETRY_SECONDS = 900
"""After a failure, or the feed's own interval if that is shorter."""

LEASE_SECONDS = 300
LEASE = "threat_intel.refresh"

OnChange = Callable[[Path | None], None]
"""Hears the file of all indicators (None: there are none) when it is another one."""

log = structlog.get_logger(__name__)


class FeedNotFound(NotFound):
    def __init__(self, feed_id: str) -> None:
        super().__init__(f"Threat intelligence feed {feed_id} not found")


class FeedNameTaken(Conflict):
    """Names tell feeds apart for people, so each is given once."""


@dataclass(frozen=True, slots=True)
class ListedIndicator:
    """An indicator with since when (Unix milliseconds) it has been in its feed."""

    indicator: Indicator
    since: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What a feed says of a value: about itself, or about what holds it."""

    feed: Feed
    listed: ListedIndicator
    relation: Relation


class FeedsService:
    """Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        vault: Vault,
        fetcher: Fetcher,
        leases: Leases,
        *,
        directory: Path,
        holder: str,
        new_id: Callable[[], str],
        hunt_days: int,
    ) -> None:
        """`directory` is where processes keep their tables; `hunt_days` bounds how far back a hunt looks."""
        self._state = state
        self._audit = audit
        self._clock = clock
        self._vault = vault
        self._fetcher = fetcher
        self._leases = leases
        self._files = TableFiles(directory, holder)
        self._holder = holder
        self._new_id = new_id
        self._hunt_days = hunt_days
        self._lock = threading.RLock()
        self._callbacks: list[OnChange] = []
        self._seen: int | None = None
        self._expires_at: int | None = None
        self._table: Path | None = None

    # Reading

    def all(self) -> list[Feed]:
        """All feeds by name."""
        with self._state.reading() as session:
            return repository.all_feeds(session)

    def get(self, feed_id: str) -> Feed:
        """Raises `FeedNotFound`."""
        with self._state.reading() as session:
            return _there(repository.feed(session, feed_id), feed_id)

    def indicators(
        self, feed_id: str, search: str = "", size: int = 10, number: int = 0, *, first_seen: int | None = None
    ) -> tuple[int, list[ListedIndicator]]:
        """How many indicators of a feed hold the text, and a page of them. Raises `FeedNotFound`.

        `first_seen` (Unix milliseconds): only those that one refresh brought, which a hunt looked for.
        """
        with self._state.reading() as session:
            feed = _there(repository.feed(session, feed_id), feed_id)
            parts = repository.parts(session, feed_id, feed.version)
        text, total, page = search.lower(), 0, []
        for indicator, since in unpacked(parts):
            if text and text not in indicator.value.lower() and text not in indicator.category:
                continue
            if first_seen is not None and since != first_seen:
                continue
            if number * size <= total < (number + 1) * size:
                page.append(ListedIndicator(indicator, since))
            total += 1
        return total, page

    def revision(self) -> int:
        """Rises with every change of any feed."""
        with self._state.reading() as session:
            return repository.revision(session)

    def listings(
        self, kinds_and_values: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], list[tuple[Feed, ListedIndicator]]]:
        """In which enabled feeds each of these (type, value) stands now."""
        wanted = set(kinds_and_values)
        found: dict[tuple[str, str], list[tuple[Feed, ListedIndicator]]] = {}
        for feed in self.all():
            if feed.settings.is_enabled:
                for listed in self._picked(feed, wanted):
                    found.setdefault((listed.indicator.type, listed.indicator.value), []).append((feed, listed))
        return found

    def look_up(self, text: str) -> list[Listing]:
        """Where any feed, enabled or not, lists a value or what holds it: the closest first, of these the worst."""
        wanted = relations(text)
        ranks = {key: rank for rank, key in enumerate(wanted)}
        found = [
            Listing(feed, listed, wanted[listed.indicator.type, listed.indicator.value])
            for feed in self.all()
            for listed in self._picked(feed, wanted)
        ]

        def order(listing: Listing) -> tuple[int, int, str]:
            indicator = listing.listed.indicator
            key = (indicator.type, indicator.value)
            return ranks[key], INTENTIONS.index(indicator.intention), listing.feed.settings.name.casefold()

        return sorted(found, key=order)

    def _picked(self, feed: Feed, keys: Collection[tuple[str, str]]) -> Iterator[ListedIndicator]:
        with self._state.reading() as session:
            parts = repository.parts(session, feed.id, feed.version)
        return (ListedIndicator(indicator, since) for indicator, since in picked(parts, keys))

    # Changing

    def create(self, settings: FeedSettings, secret: str | None, by: Actor) -> Feed:
        """Raises `BadFeedSettings`, `FeedNameTaken`."""
        check(settings, has_secret=bool(secret))
        now = self._clock()
        made = Feed(
            self._new_id(),
            settings,
            bool(secret),
            created_at=now,
            created_by=by.handle,
            updated_at=now,
            next_at=now if settings.is_fetched else None,
        )
        with self._state.transaction() as session:
            if repository.count(session) >= MAX_FEEDS:
                raise BadRequest(f"there are {MAX_FEEDS} feeds already, the most that there may be")
            if repository.id_of(session, settings.name) is not None:
                raise FeedNameTaken(f"there is a feed '{settings.name}' already")
            repository.insert(session, made, self._vault.encrypt(secret) if secret else None)
            self._audit.record(session, by, "created", ASSET, made.id, settings.name, None, _audited(settings))
        return made

    def update(self, feed_id: str, settings: FeedSettings, secret: str | None, by: Actor) -> Feed:
        """Replace what people choose; `secret` None keeps the present one, unless authentication is `none` now.

        A feed that is fetched is read anew at once; what was uploaded keeps the values that it was read with. Raises
        `FeedNotFound`, `BadFeedSettings`, `FeedNameTaken`.
        """
        now = self._clock()
        with self._state.transaction() as session:
            before = _there(repository.feed(session, feed_id), feed_id)
            keeps = secret is None and before.has_secret and settings.authentication != "none"
            check(settings, has_secret=bool(secret) or keeps)
            if repository.id_of(session, settings.name) not in (None, feed_id):
                raise FeedNameTaken(f"there is a feed '{settings.name}' already")
            values = {
                "name": settings.name,
                "settings": as_json(settings),
                "is_enabled": settings.is_enabled,
                "updated_at": now,
                "next_at": now if settings.is_fetched else None,
                "error": "",
            }
            if not keeps:
                values["secret"] = self._vault.encrypt(secret) if secret else None
            repository.change(session, feed_id, **values)
            repository.advance(session, now)
            audited = (_audited(before.settings), _audited(settings))
            self._audit.record(session, by, "modified", ASSET, feed_id, settings.name, *audited)
            made = _there(repository.feed(session, feed_id), feed_id)
        self.poll()
        return made

    def delete(self, feed_id: str, by: Actor) -> None:
        """Raises `FeedNotFound`."""
        with self._state.transaction() as session:
            feed = _there(repository.feed(session, feed_id), feed_id)
            repository.remove(session, feed_id)
            repository.advance(session, self._clock())
            self._audit.record(session, by, "deleted", ASSET, feed_id, feed.settings.name, _audited(feed.settings))
        self.poll()

    def upload(self, feed_id: str, content: bytes, by: Actor) -> Feed:
        """Take new content in place of the old. Raises `FeedNotFound`, `BadFeed`; then the old content stays."""
        feed = self.get(feed_id)
        if feed.settings.is_fetched:
            raise BadRequest(
                f"the feed '{feed.settings.name}' is fetched from its {feed.settings.kind}; nothing is uploaded"
            )
        reading = Reading(feed.settings.defaults(), self._clock())
        read(feed.settings, content, reading)
        if not self._take(feed, reading, by):
            raise Conflict(f"the feed '{feed.settings.name}' was changed meanwhile; upload it again")
        self.poll()
        return self.get(feed_id)

    def ask_refresh(self, feed_id: str, by: Actor) -> Feed:
        """Let a worker refresh the feed at once. Raises `FeedNotFound`, `BadRequest` for one that is uploaded."""
        with self._state.transaction() as session:
            feed = _there(repository.feed(session, feed_id), feed_id)
            if not feed.settings.is_fetched:
                raise BadRequest(f"the feed '{feed.settings.name}' is uploaded; upload it again")
            if not feed.settings.is_enabled:
                raise BadRequest(f"the feed '{feed.settings.name}' is disabled; enable it first")
            repository.change(session, feed_id, next_at=self._clock())
            self._audit.record(session, by, "run", ASSET, feed_id, feed.settings.name)
        return replace(feed, next_at=self._clock())

    # Work

    def refresh_due(self) -> int:
        """Refresh every feed that is due, in one process at a time; how many that were."""
        with self._state.reading() as session:
            due = repository.due(session, self._clock())
        done = 0
        for feed_id in due:
            if not self._leases.acquire(LEASE, self._holder, LEASE_SECONDS):
                break
            self.refresh(feed_id)
            done += 1
        if done:
            self._leases.release(LEASE, self._holder)
            self.poll()
        return done

    def refresh(self, feed_id: str) -> None:
        """Fetch and read a feed now. A failure is kept with the feed, whose old content stays."""
        try:
            feed = self.get(feed_id)
        except FeedNotFound:
            return
        settings = feed.settings
        reading = Reading(settings.defaults(), self._clock())
        try:
            self._fetcher.fetch(settings, self._secret(feed), reading)
            self._take(feed, reading, SYSTEM)
        except TocsinError as error:
            now = self._clock()
            wait = min(settings.refresh_interval, RETRY_SECONDS) * 1000
            log.warning("a feed could not be refreshed", feed=settings.name, error=str(error))
            with self._state.transaction() as session:
                repository.change(session, feed_id, attempted_at=now, next_at=now + wait, error=str(error)[:1000])

    def _secret(self, feed: Feed) -> str | None:
        with self._state.reading() as session:
            kept = repository.secret(session, feed.id)
        return None if kept is None else self._vault.decrypt(kept)

    def _take(self, feed: Feed, reading: Reading, by: Actor) -> bool:
        """Put what was read in the place of what the feed held, in one transaction.

        False, and nothing is taken, if the feed was deleted, changed or filled by another while this one was reading.
        """
        digest = hashlib.sha256(serialised(reading)).hexdigest()
        with self._state.reading() as session:
            before = sinces(repository.parts(session, feed.id, feed.version))
            is_same = repository.digest(session, feed.id) == digest
        now = self._clock()
        rows = [(indicator, before.get(key, now)) for key, indicator in reading.indicators.items()]
        bodies = [] if is_same else packed(rows)
        fresh = [(indicator, now) for key, indicator in reading.indicators.items() if key not in before]
        health = {
            "skipped": reading.skipped,
            "problems": reading.problems,
            "attempted_at": now,
            "refreshed_at": now,
            "next_at": now + feed.settings.refresh_interval * 1000 if feed.settings.is_fetched else None,
            "error": "",
        }
        with self._state.transaction() as session:
            current = repository.feed(session, feed.id)
            if current is None or (current.version, current.settings) != (feed.version, feed.settings):
                return False
            if is_same:
                repository.change(session, feed.id, **health)
                return True
            version = feed.version + 1
            repository.replace(session, feed.id, version, bodies)
            repository.change(session, feed.id, version=version, digest=digest, indicators=len(rows), **health)
            repository.advance(session, now)
            if feed.settings.retro_hunt and fresh:
                hunts_repository.insert(
                    session, self._new_id(), feed.id, version, fresh, now, now - self._hunt_days * 86_400_000
                )
            counts = {"indicators": len(rows), "new": len(fresh), "skipped": reading.skipped, "version": version}
            self._audit.record(session, by, "refreshed", ASSET, feed.id, feed.settings.name, None, counts)
        return True

    # What enrichment reads

    @property
    def table(self) -> Path | None:
        """The file of all indicators as this process knows it; None: there are none."""
        with self._lock:
            self.poll()
            return self._table

    def on_change(self, callback: OnChange) -> None:
        """Call back after every change of the table that this process finds."""
        with self._lock:
            self._callbacks.append(callback)

    def poll(self) -> bool:
        """Build the table anew if any process changed a feed, or an indicator has expired. True if so."""
        with self._lock:
            with self._state.reading() as session:
                revision = repository.revision(session)
            now = self._clock()
            has_expired = self._expires_at is not None and self._expires_at <= now
            if revision == self._seen and not has_expired:
                return False
            self._build(revision, now)
            self._seen = revision
            callbacks, table = list(self._callbacks), self._table
        for callback in callbacks:
            callback(table)
        return True

    def _build(self, revision: int, now: int) -> None:
        self._expires_at = None
        self._table = self._files.write(f"{revision}-{now}", self._present(now))

    def _present(self, now: int) -> Iterator[Indicator]:
        for _, indicator, _ in self._enabled():
            if indicator.expires_at is not None:
                if indicator.expires_at <= now:
                    continue
                self._expires_at = min(self._expires_at or indicator.expires_at, indicator.expires_at)
            yield indicator

    def _enabled(self) -> Iterator[tuple[Feed, Indicator, int]]:
        for feed in self.all():
            if feed.settings.is_enabled and feed.version:
                with self._state.reading() as session:
                    parts = repository.parts(session, feed.id, feed.version)
                for indicator, since in unpacked(parts):
                    yield feed, indicator, since


def _there(feed: Feed | None, feed_id: str) -> Feed:
    if feed is None:
        raise FeedNotFound(feed_id)
    return feed


def _audited(settings: FeedSettings) -> dict[str, object]:
    return {"name": settings.name, "is_enabled": settings.is_enabled, **as_json(settings)}
