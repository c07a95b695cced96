"""API keys (who may send) and application keys (who may ask, as whom). Stored hashed, shown once."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.names import check_uuid, clean_name
from tocsin.access.people import Page, permissions_of, user_of
from tocsin.access.permissions import check_known
from tocsin.access.secrets import RandomBytes, hashed, new_api_key, new_application_key, new_uuid
from tocsin.access.tables import api_keys, application_keys, users
from tocsin.access.usage import Usage
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, Forbidden, NotFound
from tocsin.store.state import StateStore

MOST_API_KEYS = 50
MOST_APPLICATION_KEYS = 100
"""The latter for each person."""

REMEMBERED_MS = 10_000
"""How long a valid API key is believed without asking the store: a key revoked in another process works that much
longer there, while the intake asks no store for each request."""

SORTABLE = ("name", "created_at", "modified_at", "last4")

API_KEY_MISSING = "API key not found"
APPLICATION_KEY_MISSING = "Application key not found"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`key` is known at its creation only, empty afterwards. Times in Unix milliseconds."""

    uuid: str
    name: str
    last4: str
    category: str
    is_remote_config_enabled: bool
    created_by: str | None
    modified_by: str | None
    created_at: int
    modified_at: int
    last_used_at: int | None
    key: str = ""


@dataclass(frozen=True, slots=True)
class ApplicationKey:
    """`scopes` None means all permissions of the owner. `key` is known at its creation only, empty afterwards."""

    uuid: str
    name: str
    last4: str
    user_uuid: str
    scopes: tuple[str, ...] | None
    created_at: int
    last_used_at: int | None
    key: str = ""


Key = TypeVar("Key", ApiKey, ApplicationKey)


class Keys:
    """Safe to use from many threads."""

    def __init__(self, state: StateStore, audit: AuditTrail, clock: Clock, random: RandomBytes, usage: Usage) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._random = random
        self._usage = usage
        self._remembered: dict[str, tuple[Actor, int]] = {}
        self._forget = threading.Lock()

    # Who holds a key

    def remembered(self, key: str) -> Actor | None:
        """The holder of an API key that was valid a moment ago; asks no store."""
        actor, until = self._remembered.get(hashed(key), (None, 0))
        return actor if until > self._clock() else None

    def holder_of_api_key(self, key: str) -> Actor:
        """The holder of an API key: no person and no permissions. Raises `Forbidden` if there is none."""
        key_hash = hashed(key)
        with self._state.reading() as session:
            found = select(api_keys.c.uuid, api_keys.c.name).where(api_keys.c.key_hash == key_hash)
            row = session.execute(found).first()
        if row is None:
            raise Forbidden
        self._usage.note("api_key", row.uuid)
        actor = Actor("", -1, f"api_key:{row.name}", row.name, frozenset(), kind="api_key", key_id=row.uuid)
        with self._forget:
            if len(self._remembered) > 10 * MOST_API_KEYS:
                self._remembered.clear()
            self._remembered[key_hash] = (actor, self._clock() + REMEMBERED_MS)
        return actor

    def actor(
        self, api_key: str, application_key: str, *, ip: str | None = None, request: tuple[str, str, str] | None = None
    ) -> Actor:
        """The owner of an application key, narrowed to its scopes. Raises `Forbidden` if either key is wrong."""
        if self.remembered(api_key) is None:
            self.holder_of_api_key(api_key)
        with self._state.reading() as session:
            joined = application_keys.join(users, users.c.uuid == application_keys.c.user_uuid)
            columns = (application_keys.c.uuid.label("key_uuid"), application_keys.c.scopes)
            chosen = select(users, *columns).select_from(joined)
            row = session.execute(chosen.where(application_keys.c.key_hash == hashed(application_key))).first()
            if row is None or row.is_disabled:
                raise Forbidden
            permissions = permissions_of(session, row.uuid)
        self._usage.note("application_key", row.key_uuid)
        user = user_of(row)
        return Actor(
            user.uuid,
            user.number,
            user.email,
            user.shown_name,
            permissions if row.scopes is None else permissions & frozenset(row.scopes),
            kind="api_key",
            ip=ip,
            key_id=row.key_uuid,
            is_scoped=row.scopes is not None,
            request=request,
        )

    # API keys

    def list_api_keys(self, *, text: str = "", sort: str = "name", size: int = 10, number: int = 0) -> Page[ApiKey]:
        """A page of API keys whose name contains `text`; `sort` is one of `SORTABLE`, with `-` for falling."""
        with self._state.reading() as session:
            found = [self._api_key(row) for row in session.execute(select(api_keys))]
        return _page(found, text, sort, size, number)

    def get_api_key(self, key_id: str) -> ApiKey:
        """Raises `NotFound`."""
        with self._state.reading() as session:
            return self._get_api_key(session, key_id)

    def create_api_key(
        self, name: str, by: Actor, *, category: str = "", is_remote_config_enabled: bool = False
    ) -> ApiKey:
        """A new API key; the answer is the only place that ever shows it. Raises `Conflict` for a taken name."""
        with self._state.transaction() as session:
            return self.add_api_key(
                session, name, by, category=category, is_remote_config_enabled=is_remote_config_enabled
            )

    def add_api_key(
        self,
        session: Session,
        name: str,
        by: Actor,
        *,
        category: str = "",
        is_remote_config_enabled: bool = False,
        key: str = "",
    ) -> ApiKey:
        """As `create_api_key`, in the caller's transaction; `key` if it is given and not to be made."""
        name = clean_name(name, "name")
        key = key or new_api_key(self._random)
        now = self._clock()
        if session.execute(select(func.count()).select_from(api_keys)).scalar_one() >= MOST_API_KEYS:
            raise BadRequest(f"there are {MOST_API_KEYS} API keys already; revoke one first")
        if session.execute(select(api_keys.c.uuid).where(api_keys.c.name == name)).first():
            raise Conflict(f"an API key named '{name}' exists already")
        values = {
            "uuid": new_uuid(self._random),
            "name": name,
            "key_hash": hashed(key),
            "last4": key[-4:],
            "category": clean_name(category, "category", longest=64, may_be_empty=True),
            "is_remote_config_enabled": is_remote_config_enabled,
            "created_by": by.user_uuid or None,
            "modified_by": by.user_uuid or None,
            "created_at": now,
            "modified_at": now,
        }
        session.execute(insert(api_keys).values(values))
        made = self._get_api_key(session, str(values["uuid"]))
        self._audit.record(session, by, "created", "api_key", made.uuid, name, new_value=_audited(made))
        return replace(made, key=key)

    def update_api_key(
        self,
        key_id: str,
        by: Actor,
        *,
        name: str,
        category: str | None = None,
        is_remote_config_enabled: bool | None = None,
    ) -> ApiKey:
        """Rename a key, or change what is given. Raises `Conflict` for a taken name."""
        values: dict[str, object] = {"name": clean_name(name, "name")}
        if category is not None:
            values["category"] = clean_name(category, "category", longest=64, may_be_empty=True)
        if is_remote_config_enabled is not None:
            values["is_remote_config_enabled"] = is_remote_config_enabled
        with self._state.transaction() as session:
            before = self._get_api_key(session, key_id)
            other = (api_keys.c.name == values["name"]) & (api_keys.c.uuid != before.uuid)
            if session.execute(select(api_keys.c.uuid).where(other)).first():
                raise Conflict(f"an API key named '{values['name']}' exists already")
            if all(getattr(before, column) == value for column, value in values.items()):
                return before
            values |= {"modified_at": self._clock(), "modified_by": by.user_uuid or None}
            session.execute(update(api_keys).where(api_keys.c.uuid == before.uuid).values(values))
            after = self._get_api_key(session, before.uuid)
            self._audit.record(
                session,
                by,
                "modified",
                "api_key",
                after.uuid,
                after.name,
                prev_value=_audited(before),
                new_value=_audited(after),
            )
        return after

    def revoke_api_key(self, key_id: str, by: Actor) -> None:
        """It stops working: here at once, in other processes within `REMEMBERED_MS`."""
        with self._state.transaction() as session:
            key = self._get_api_key(session, key_id)
            session.execute(delete(api_keys).where(api_keys.c.uuid == key.uuid))
            self._audit.record(session, by, "deleted", "api_key", key.uuid, key.name, prev_value=_audited(key))
        with self._forget:
            self._remembered.clear()

    # Application keys

    def list_application_keys(
        self, *, owner: str | None = None, text: str = "", sort: str = "name", size: int = 10, number: int = 0
    ) -> Page[ApplicationKey]:
        """A page of application keys, of one person (UUID) or of all."""
        with self._state.reading() as session:
            found = [self._application_key(row) for row in session.execute(_owned(owner))]
        return _page(found, text, "created_at" if sort == "modified_at" else sort, size, number)

    def get_application_key(self, key_id: str, *, owner: str | None = None) -> ApplicationKey:
        """Raises `NotFound`, also for a key of somebody other than `owner`."""
        with self._state.reading() as session:
            return self._get_application_key(session, key_id, owner)

    def create_application_key(self, name: str, by: Actor, *, scopes: Sequence[str] | None = None) -> ApplicationKey:
        """A new key of the actor's own. A scoped key cannot make one that may do more than itself."""
        with self._state.transaction() as session:
            return self.add_application_key(session, name, by, scopes=scopes)

    def add_application_key(
        self, session: Session, name: str, by: Actor, *, scopes: Sequence[str] | None = None, key: str = ""
    ) -> ApplicationKey:
        """As `create_application_key`, in the caller's transaction; `key` if it is given and not to be made."""
        name = clean_name(name, "name")
        _check_scopes(scopes, by)
        key = key or new_application_key(self._random)
        own = application_keys.c.user_uuid == by.user_uuid
        if session.execute(select(func.count()).where(own)).scalar_one() >= MOST_APPLICATION_KEYS:
            raise BadRequest(f"you have {MOST_APPLICATION_KEYS} application keys already; revoke one first")
        values = {
            "uuid": new_uuid(self._random),
            "name": name,
            "key_hash": hashed(key),
            "last4": key[-4:],
            "user_uuid": by.user_uuid,
            "scopes": None if scopes is None else list(dict.fromkeys(scopes)),
            "created_at": self._clock(),
        }
        session.execute(insert(application_keys).values(values))
        made = self._get_application_key(session, str(values["uuid"]))
        self._audit.record(session, by, "created", "application_key", made.uuid, name, new_value=_audited(made))
        return replace(made, key=key)

    def update_application_key(
        self,
        key_id: str,
        by: Actor,
        *,
        owner: str | None = None,
        name: str | None = None,
        scopes: Sequence[str] | None = None,
        has_scopes: bool = False,
    ) -> ApplicationKey:
        """Change what is given; `has_scopes` tells scopes that are None (all) from none given."""
        values: dict[str, object] = {}
        if name is not None:
            values["name"] = clean_name(name, "name")
        if has_scopes:
            _check_scopes(scopes, by)
            values["scopes"] = None if scopes is None else list(dict.fromkeys(scopes))
        with self._state.transaction() as session:
            before = self._get_application_key(session, key_id, owner)
            if values:
                session.execute(update(application_keys).where(application_keys.c.uuid == before.uuid).values(values))
            after = self._get_application_key(session, before.uuid)
            if after != before:
                self._audit.record(
                    session,
                    by,
                    "modified",
                    "application_key",
                    after.uuid,
                    after.name,
                    prev_value=_audited(before),
                    new_value=_audited(after),
                )
        return after

    def revoke_application_key(self, key_id: str, by: Actor, *, owner: str | None = None) -> None:
        """It stops working at once."""
        with self._state.transaction() as session:
            key = self._get_application_key(session, key_id, owner)
            session.execute(delete(application_keys).where(application_keys.c.uuid == key.uuid))
            self._audit.record(session, by, "deleted", "application_key", key.uuid, key.name, prev_value=_audited(key))

    def _api_key(self, row: Row[tuple[object, ...]]) -> ApiKey:
        return ApiKey(
            uuid=row.uuid,
            name=row.name,
            last4=row.last4,
            category=row.category,
            is_remote_config_enabled=row.is_remote_config_enabled,
            created_by=row.created_by,
            modified_by=row.modified_by,
            created_at=row.created_at,
            modified_at=row.modified_at,
            last_used_at=self._usage.latest("api_key", row.uuid, row.last_used_at),
        )

    def _application_key(self, row: Row[tuple[object, ...]]) -> ApplicationKey:
        return ApplicationKey(
            uuid=row.uuid,
            name=row.name,
            last4=row.last4,
            user_uuid=row.user_uuid,
            scopes=None if row.scopes is None else tuple(row.scopes),
            created_at=row.created_at,
            last_used_at=self._usage.latest("application_key", row.uuid, row.last_used_at),
        )

    def _get_api_key(self, session: Session, key_id: str) -> ApiKey:
        uuid = check_uuid(key_id, API_KEY_MISSING)
        row = session.execute(select(api_keys).where(api_keys.c.uuid == uuid)).first()
        if row is None:
            raise NotFound(API_KEY_MISSING)
        return self._api_key(row)

    def _get_application_key(self, session: Session, key_id: str, owner: str | None = None) -> ApplicationKey:
        uuid = check_uuid(key_id, APPLICATION_KEY_MISSING)
        row = session.execute(_owned(owner).where(application_keys.c.uuid == uuid)).first()
        if row is None:
            raise NotFound(APPLICATION_KEY_MISSING)
        return self._application_key(row)


def _owned(owner: str | None) -> Select[tuple[object, ...]]:
    chosen = select(application_keys)
    return chosen if owner is None else chosen.where(application_keys.c.user_uuid == owner)


def _check_scopes(scopes: Sequence[str] | None, by: Actor) -> None:
    if scopes is None:
        if by.is_scoped:
            raise Forbidden("Forbidden", "a scoped application key can only make keys with scopes of its own")
        return
    if beyond := sorted(check_known(scopes) - by.permissions):
        raise Forbidden("Forbidden", f"you lack the permission {beyond[0]} that the key would have")


def _page(found: list[Key], text: str, sort: str, size: int, number: int) -> Page[Key]:
    column = sort.lstrip("-")
    if column not in SORTABLE:
        raise BadRequest(f"sort: cannot sort by '{sort}'; use {', '.join(SORTABLE)}")
    needle = text.strip().lower()
    kept = [key for key in found if needle in key.name.lower() or needle == key.last4]
    kept.sort(key=lambda key: (getattr(key, column), key.uuid), reverse=sort.startswith("-"))
    return Page(tuple(kept[number * size : (number + 1) * size]), len(found), len(kept))


def _audited(key: ApiKey | ApplicationKey) -> dict[str, object]:
    value: dict[str, object] = {"name": key.name, "last4": key.last4}
    if isinstance(key, ApplicationKey):
        return value | {"owner": key.user_uuid, "scopes": None if key.scopes is None else list(key.scopes)}
    return value | {"category": key.category, "remote_config_read_enabled": key.is_remote_config_enabled}
