"""Critical assets: what people and clients do with them (siem.md §2.12, api-more.md)."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.critical_assets import repository
from tocsin.critical_assets.repository import AssetRow
from tocsin.errors import BadRequest, Conflict, NotFound
from tocsin.query import QueryError, parse
from tocsin.query.rules import rule_predicate
from tocsin.rule import Rule
from tocsin.signals.criticality import ACTIONS, CriticalAsset, CriticalAssets
from tocsin.signals.suppression import selects
from tocsin.store.state import StateStore

ASSET = "critical_asset"
MAX_ASSETS = 1000
MAX_TEXT = 10_000


class AssetNotFound(NotFound):
    def __init__(self, asset_id: str) -> None:
        super().__init__(f"Critical asset {asset_id} not found")


class CriticalAssetsService:
    """All critical assets. Safe to use from many threads.

    A signal gets its severity from the assets that there are when it is written, which it is again when it grows.
    """

    def __init__(self, state: StateStore, audit: AuditTrail, clock: Clock, *, new_id: Callable[[], str]) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._lock = threading.Lock()
        self._seen: int | None = None
        self._present = CriticalAssets()

    # Reading

    def all(self) -> list[AssetRow]:
        """Every asset, the oldest first."""
        with self._state.reading() as session:
            return repository.load_all(session)

    def get(self, asset_id: str) -> AssetRow:
        """Raises `AssetNotFound`."""
        with self._state.reading() as session:
            row = repository.load(session, asset_id)
        if row is None:
            raise AssetNotFound(asset_id)
        return row

    def affecting(self, rule: Rule) -> list[AssetRow]:
        """The enabled assets whose rule query finds a rule."""
        return [row for row in self.all() if row.body["enabled"] and selects(row.body["rule_query"], rule)]

    def present(self) -> CriticalAssets:
        """The assets as they are now, for detection."""
        with self._lock, self._state.reading() as session:
            revision = repository.revision(session)
            if revision != self._seen:
                self._present = CriticalAssets(_asset(row) for row in repository.load_all(session))
                self._seen = revision
            return self._present

    # Changing

    def create(self, body: Mapping[str, Any], by: Actor) -> AssetRow:
        """`body`: query, rule_query, severity, enabled, description, tags. Raises `BadRequest`."""
        now = self._clock()
        author = _author(by)
        given = {"enabled": True, "description": "", "tags": [], **_given(body)}
        made = given | {"creation_date": now, "creator": author, "creation_author_id": max(by.user_id, 0)}
        row = AssetRow(self._new_id(), 1, _updated(made, 1, now, by))
        _check(row.body)
        with self._state.transaction() as session:
            if len(repository.load_all(session)) >= MAX_ASSETS:
                raise BadRequest(f"There are {MAX_ASSETS} critical assets, as many as there may be")
            repository.save(session, row, now)
            self._audit.record(session, by, "created", ASSET, row.id, row.body["query"][:200], None, row.body)
        return row

    def update(self, asset_id: str, body: Mapping[str, Any], by: Actor) -> AssetRow:
        """Change the members given; `version` is the one that the caller saw.

        Raises `AssetNotFound`, `BadRequest`, `Conflict` for a stale version.
        """
        now = self._clock()
        with self._state.transaction() as session:
            before = repository.load(session, asset_id)
            if before is None:
                raise AssetNotFound(asset_id)
            if body.get("version") not in (None, before.version):
                raise Conflict(
                    f"Critical asset {asset_id} was changed meanwhile: you saw version {body['version']}, it is at"
                    f" version {before.version}. Read it again, then change it."
                )
            version = before.version + 1
            row = AssetRow(asset_id, version, _updated(before.body | _given(body), version, now, by))
            _check(row.body)
            repository.save(session, row, now)
            name = row.body["query"][:200]
            self._audit.record(session, by, "modified", ASSET, row.id, name, before.body, row.body)
        return row

    def delete(self, asset_id: str, by: Actor) -> None:
        """Raises `AssetNotFound`."""
        with self._state.transaction() as session:
            row = repository.load(session, asset_id)
            if row is None:
                raise AssetNotFound(asset_id)
            repository.remove(session, asset_id, self._clock())
            self._audit.record(session, by, "deleted", ASSET, row.id, row.body["query"][:200], row.body, None)


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("query", "rule_query", "severity", "enabled", "description", "tags")
    return {name: body[name] for name in names if body.get(name) is not None}


def _updated(body: Mapping[str, Any], version: int, now: int, by: Actor) -> dict[str, Any]:
    mine = {"update_date": now, "updater": _author(by), "update_author_id": max(by.user_id, 0)}
    return {**body, **mine, "version": version}


def _author(by: Actor) -> dict[str, str]:
    return {"handle": by.handle, "name": by.name}


def _check(body: Mapping[str, Any]) -> None:
    """Raises `BadRequest` that names the member."""
    if body["severity"] not in ACTIONS:
        raise BadRequest(f"severity must be one of {', '.join(ACTIONS)}, not '{body['severity']}'")
    for name in ("query", "rule_query", "description"):
        if len(body[name]) > MAX_TEXT:
            raise BadRequest(f"{name} has {len(body[name])} characters, {MAX_TEXT} are allowed")
    for name in ("query", "rule_query"):
        if not body[name].strip():
            raise BadRequest(f"{name} cannot be empty; write * for all")
    try:
        parse(body["query"])
    except QueryError as error:
        raise BadRequest(f"query: {error}") from error
    try:
        rule_predicate(body["rule_query"])
    except QueryError as error:
        raise BadRequest(f"rule_query: {error}") from error


def _asset(row: AssetRow) -> CriticalAsset:
    body = row.body
    return CriticalAsset(
        row.id, body["query"], body["rule_query"], body["severity"], body["enabled"], body["description"]
    )
