"""Security filters: kept, versioned, and folded into every rule (siem.md §1.15, api.md §6)."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, NotFound
from tocsin.query import QueryError, parse
from tocsin.security_filters import repository
from tocsin.security_filters.effective import ALL, Exclusion, SecurityFilter, effective_query
from tocsin.security_filters.repository import Configuration
from tocsin.store.state import StateStore

ASSET = "security_filter"
BUILTIN_ID = "all-log-sec"
BUILTIN_NAME = "all ingested logs"
MAX_FILTERS = 100
MAX_EXCLUSIONS = 50
MAX_NAME = 500


class FilterNotFound(NotFound):
    def __init__(self, filter_id: str) -> None:
        super().__init__(f"Security filter {filter_id} not found")


class SecurityFilters:
    """All security filters. Safe to use from many threads."""

    def __init__(self, state: StateStore, audit: AuditTrail, clock: Clock, *, new_id: Callable[[], str]) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._new_id = new_id
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._seen: int | None = None
        self._effective: str | None = None
        self._told: str | None = None

    def load_builtin(self) -> None:
        """Make sure that the built-in filter is there. Harmless when repeated."""
        with self._state.transaction() as session:
            if repository.revision(session):
                return
            builtin = SecurityFilter(BUILTIN_ID, BUILTIN_NAME, ALL, True, True, (), 1)
            repository.save(session, builtin)
            repository.add_version(session, self._clock())
            self._audit.record(session, SYSTEM, "created", ASSET, BUILTIN_ID, BUILTIN_NAME)

    # Reading

    def all(self) -> list[SecurityFilter]:
        """All filters, the built-in one first."""
        with self._state.reading() as session:
            return repository.load_all(session)

    def get(self, filter_id: str) -> SecurityFilter:
        """Raises `FilterNotFound`."""
        return _found(self.all(), filter_id)

    def versions(self) -> list[Configuration]:
        """The whole set at each version, newest first."""
        with self._state.reading() as session:
            return repository.versions(session)

    def effective(self) -> str | None:
        """What every query over logs must meet too; None where all logs are analysed."""
        with self._lock:
            with self._state.reading() as session:
                revision = repository.revision(session)
                if revision != self._seen:
                    self._effective = effective_query(repository.load_all(session))
                    self._seen = revision
            return self._effective

    # Changing

    def create(self, body: Mapping[str, Any], by: Actor) -> SecurityFilter:
        """`body`: name, query, is_enabled, exclusion_filters. Raises `BadRequest`."""
        with self._state.transaction() as session:
            made = self.add(session, body, by)
        self.poll()
        return made

    def add(self, session: Session, body: Mapping[str, Any], by: Actor) -> SecurityFilter:
        """As `create`, as a part of the caller's transaction, who then has to `poll`."""
        made = _changed(SecurityFilter(self._new_id(), "", "", True, False, (), 1), body)
        if len(repository.load_all(session)) >= MAX_FILTERS:
            raise BadRequest(f"there are {MAX_FILTERS} security filters, as many as there may be")
        repository.save(session, made)
        repository.add_version(session, self._clock())
        self._audit.record(session, by, "created", ASSET, made.id, made.name, None, _audited(made))
        return made

    def update(self, filter_id: str, body: Mapping[str, Any], by: Actor) -> SecurityFilter:
        """Change the members given; `version` is the one that the caller saw.

        Raises `FilterNotFound`, `BadRequest`, `Conflict` for a stale version.
        """
        with self._state.transaction() as session:
            before = _found(repository.load_all(session), filter_id)
            if body.get("version") not in (None, before.version):
                raise Conflict(
                    f"Security filter {filter_id} was changed meanwhile: you saw version {body['version']}, it is at"
                    f" version {before.version}. Read it again, then change it."
                )
            made = replace(_changed(before, body), version=before.version + 1)
            if made.is_builtin and (made.name, made.query) != (before.name, before.query):
                raise BadRequest("the built-in filter takes all logs: it can be disabled and have exclusions, no more")
            repository.save(session, made)
            repository.add_version(session, self._clock())
            self._audit.record(session, by, "modified", ASSET, made.id, made.name, _audited(before), _audited(made))
        self.poll()
        return made

    def delete(self, filter_id: str, by: Actor) -> None:
        """Raises `FilterNotFound`, `BadRequest` for the built-in filter."""
        with self._state.transaction() as session:
            self.remove(session, filter_id, by)
        self.poll()

    def remove(self, session: Session, filter_id: str, by: Actor) -> None:
        """As `delete`, as a part of the caller's transaction, who then has to `poll`."""
        one = _found(repository.load_all(session), filter_id)
        if one.is_builtin:
            raise BadRequest("the built-in filter cannot be deleted; disable it to analyse fewer logs")
        repository.remove(session, filter_id)
        repository.add_version(session, self._clock())
        self._audit.record(session, by, "deleted", ASSET, one.id, one.name, _audited(one), None)

    # News

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when `poll` finds that another query is `effective`; not now."""
        self._told = self.effective()
        self._callbacks.append(callback)

    def poll(self) -> bool:
        """Look whether a change of any process lets rules see other logs, and tell if so."""
        effective = self.effective()
        if effective == self._told:
            return False
        for callback in self._callbacks:  # without the lock: they ask the rules, which ask us
            callback()
        self._told = effective  # only now: a round that fails is repeated
        return True


def _found(filters: list[SecurityFilter], filter_id: str) -> SecurityFilter:
    for one in filters:
        if one.id == filter_id:
            return one
    raise FilterNotFound(filter_id)


def _changed(one: SecurityFilter, body: Mapping[str, Any]) -> SecurityFilter:
    """The filter with the members given. Raises `BadRequest` that names the member."""
    made = replace(
        one,
        name=one.name if body.get("name") is None else body["name"],
        query=one.query if body.get("query") is None else body["query"],
        is_enabled=one.is_enabled if body.get("is_enabled") is None else body["is_enabled"],
    )
    if body.get("exclusion_filters") is not None:
        given = [Exclusion(exclusion["name"], exclusion["query"]) for exclusion in body["exclusion_filters"]]
        made = replace(made, exclusions=tuple(given))
    if len(made.exclusions) > MAX_EXCLUSIONS:
        raise BadRequest(f"exclusion_filters: {len(made.exclusions)} given, {MAX_EXCLUSIONS} are allowed")
    _check("", made.name, made.query)
    for index, exclusion in enumerate(made.exclusions):
        _check(f"exclusion_filters[{index}].", exclusion.name, exclusion.query)
        if not exclusion.query.strip():
            raise BadRequest(f"exclusion_filters[{index}].query: an exclusion needs a query")
    return made


def _check(where: str, name: str, query: str) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise BadRequest(f"{where}name: a text of 1 to {MAX_NAME} characters is expected")
    try:
        parse(query)
    except QueryError as error:
        raise BadRequest(f"{where}query: {error}") from error


def _audited(one: SecurityFilter) -> dict[str, Any]:
    exclusions = [{"name": exclusion.name, "query": exclusion.query} for exclusion in one.exclusions]
    return {"name": one.name, "query": one.query, "is_enabled": one.is_enabled, "exclusion_filters": exclusions}
