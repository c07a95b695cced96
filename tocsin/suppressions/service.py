"""Suppressions: what people and clients do with them (siem.md §5, api.md §6).

They live in the state store; each change is one transaction with the new version, its history and its audit event.
The writer of signals asks for all of them with their history (`present`), which is how a hidden signal stays hidden.
Who compiles rules hears when the events that rules ignore become others (`on_exclusions`): by a change, and by the
clock, when a suppression begins or expires.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.changes import changes_between
from tocsin.access.restriction_policies import closed_to, forget, refuse_others
from tocsin.access.restrictions import SUPPRESSION
from tocsin.clock import Clock
from tocsin.errors import Conflict, NotFound
from tocsin.rule import Rule
from tocsin.signals.suppression import Suppression, Suppressions, selects
from tocsin.store.state import StateStore
from tocsin.suppressions import listing, repository
from tocsin.suppressions.repository import SuppressionRow, VersionRow
from tocsin.suppressions.validation import DATES, QUERIES, WRITABLE, check

ASSET = "suppression"

_NOT_COMPARED = ("version", "creation_date", "update_date", "creator", "updater")


class SuppressionNotFound(NotFound):
    def __init__(self, suppression_id: str) -> None:
        super().__init__(f"Suppression {suppression_id} not found")


class StaleSuppression(Conflict):
    """Somebody saved the suppression after the caller had read it."""

    code = "stale_version"


class Rules(Protocol):
    """What suppressions ask of the rules."""

    def get(self, rule_id: str) -> Rule: ...
    def check_unsaved(self, body: Any) -> Rule: ...


@dataclass(frozen=True, slots=True)
class SuppressionPage:
    """A page of what the query finds, of which there are `found`."""

    suppressions: tuple[SuppressionRow, ...]
    found: int


class SuppressionsService:
    """All suppressions. Safe to use from many threads. `new_id` makes an id that may have been used before."""

    def __init__(
        self, state: StateStore, audit: AuditTrail, clock: Clock, rules: Rules, *, new_id: Callable[[], str]
    ) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._rules = rules
        self._new_id = new_id
        self._lock = threading.Lock()
        self._seen: int | None = None
        self._present = Suppressions()
        self._callbacks: list[Callable[[], None]] = []
        self._excluding: tuple[tuple[str, str], ...] = ()

    # Reading

    def get(self, suppression_id: str) -> SuppressionRow:
        """Raises `SuppressionNotFound`."""
        with self._state.reading() as session:
            return self._row(session, suppression_id)

    def name(self, session: Session, suppression_id: str) -> str:
        """What a suppression is called, as of the caller's transaction. Raises `SuppressionNotFound`."""
        return str(self._row(session, suppression_id).body["name"])

    def page(self, query: str = "", sort: str = "name", size: int | None = None, number: int = 0) -> SuppressionPage:
        """The suppressions that a query finds, all of them if no size is given. Raises `QueryError`, `BadRequest`."""
        with self._state.reading() as session:
            rows = repository.load_all(session)
        found = listing.ordered(listing.matching(rows, query), sort)
        return SuppressionPage(tuple(listing.paged(found, size, number)), len(found))

    def of_rule(self, rule_id: str) -> list[SuppressionRow]:
        """The suppressions that concern a stored rule: enabled and not expired. Raises `NotFound`."""
        return self._concerning(self._rules.get(rule_id))

    def of_unsaved_rule(self, body: Any) -> list[SuppressionRow]:
        """The same for a rule that is not stored. Raises `BadRequest` if it is not a valid one."""
        return self._concerning(self._rules.check_unsaved(body))

    def history(self, suppression_id: str, size: int, number: int) -> tuple[int, list[VersionRow]]:
        """How many versions there are, and a page of them, latest first. Raises `SuppressionNotFound`."""
        with self._state.reading() as session:
            self._row(session, suppression_id)
            return repository.versions(session, suppression_id, size, number * size)

    def closed_to(self, by: Actor) -> frozenset[str]:
        """The ids of the suppressions that restriction policies keep the actor from changing."""
        with self._state.reading() as session:
            return closed_to(session, by, SUPPRESSION)

    def present(self) -> Suppressions:
        """All suppressions with all that they ever were, as any process has left them."""
        with self._lock:
            with self._state.reading() as session:
                revision = repository.revision(session)
                if revision == self._seen:
                    return self._present
                versions = repository.all_versions(session)
            self._present = Suppressions(_with_ends(versions))
            self._seen = revision
            return self._present

    # Changing

    def create(self, attributes: Mapping[str, Any], by: Actor) -> SuppressionRow:
        """Store a new suppression. Raises `InvalidSuppression` with every reason why not."""
        given = _given(attributes)
        check(given)
        now = self._clock()
        with self._state.transaction() as session:
            suppression_id = self._unused_id(session)
            row = SuppressionRow(suppression_id, 1, _stamped(given, 1, now, by, None))
            repository.save(session, row, [], now)
            self._audit.record(session, by, "created", ASSET, row.id, row.body["name"], None, row.body)
        self.poll()
        return row

    def update(
        self, suppression_id: str, attributes: Mapping[str, Any], by: Actor, *, version: int | None = None
    ) -> SuppressionRow:
        """Change the members that are given; null clears a date and leaves any other member as it is.

        `version`, if given, must be the present one. Raises `SuppressionNotFound`, `Restricted`, `StaleSuppression`,
        `InvalidSuppression`.
        """
        now = self._clock()
        with self._state.transaction() as session:
            row = self._row_to_change(session, suppression_id, by)
            if version is not None and version != row.version:
                raise _stale(row, version)
            given = {name: row.body[name] for name in WRITABLE if name in row.body} | _given(attributes)
            for name in DATES:
                if name in attributes and attributes[name] is None:
                    given.pop(name, None)
            check(given)
            made = SuppressionRow(row.id, row.version + 1, _stamped(given, row.version + 1, now, by, row.body))
            repository.save(session, made, changes_between(row.body, made.body, _NOT_COMPARED), now)
            self._audit.record(session, by, "modified", ASSET, row.id, made.body["name"], row.body, made.body)
        self.poll()
        return made

    def delete(self, suppression_id: str, by: Actor) -> None:
        """What it has hidden stays hidden. Raises `SuppressionNotFound` or `Restricted`."""
        now = self._clock()
        with self._state.transaction() as session:
            row = self._row_to_change(session, suppression_id, by)
            given = {name: row.body[name] for name in WRITABLE if name in row.body} | {"enabled": False}
            last = SuppressionRow(row.id, row.version + 1, _stamped(given, row.version + 1, now, by, row.body))
            repository.remove(session, last, [{"type": "delete", "field": "", "change": row.body["name"]}], now)
            self._audit.record(session, by, "deleted", ASSET, row.id, row.body["name"], row.body, None)
            forget(session, self._audit, by, SUPPRESSION, row.id, row.body["name"])
        self.poll()

    def validate(self, attributes: Mapping[str, Any]) -> None:
        """Raises `InvalidSuppression` with every reason why these attributes could not be stored."""
        check(_given(attributes))

    # News

    def on_exclusions(self, callback: Callable[[], None]) -> None:
        """Call back whenever other events are kept from rules than before; not now."""
        self._excluding = self.present().excluding(self._clock())
        self._callbacks.append(callback)

    def poll(self) -> bool:
        """Look whether a change, of any process, or the clock keeps other events from rules; tell if so."""
        excluding = self.present().excluding(self._clock())
        with self._lock:
            if excluding == self._excluding:
                return False
            self._excluding = excluding
        for callback in self._callbacks:  # without the lock: they ask the rules, which ask us
            callback()
        return True

    def exclusions(self, rule: Rule) -> tuple[str, ...]:
        """The queries of the events that a rule ignores now."""
        return self.present().exclusions(rule, self._clock())

    def _concerning(self, rule: Rule) -> list[SuppressionRow]:
        now = self._clock()
        with self._state.reading() as session:
            rows = repository.load_all(session)
        return [
            row
            for row in rows
            if row.body["enabled"]
            and now < (row.body.get("expiration_date") or now + 1)
            and selects(row.body["rule_query"], rule)
        ]

    @staticmethod
    def _row(session: Session, suppression_id: str) -> SuppressionRow:
        row = repository.load(session, suppression_id)
        if row is None:
            raise SuppressionNotFound(suppression_id)
        return row

    def _row_to_change(self, session: Session, suppression_id: str, by: Actor) -> SuppressionRow:
        """Raises `SuppressionNotFound`, or `Restricted` if the actor is not among the suppression's editors."""
        row = self._row(session, suppression_id)
        refuse_others(session, by, SUPPRESSION, {row.id: row.body["name"]})
        return row

    def _unused_id(self, session: Session) -> str:
        while True:
            suppression_id = self._new_id()
            if not repository.id_was_used(session, suppression_id):
                return suppression_id


def suppression_of(version: VersionRow, until: int | None = None) -> Suppression:
    """A stored version as the engine judges by it."""
    body = version.body
    return Suppression(
        id=version.suppression_id,
        version=version.version,
        name=body["name"],
        is_enabled=body["enabled"],
        rule_query=body["rule_query"],
        suppression_query=body["suppression_query"],
        data_exclusion_query=body["data_exclusion_query"],
        start=body.get("start_date"),
        expires=body.get("expiration_date"),
        since=version.at,
        until=until,
    )


def _with_ends(versions: Sequence[VersionRow]) -> list[Suppression]:
    """Versions with the moment at which the next one replaced them; sorted by suppression and version."""
    found = []
    for position, version in enumerate(versions):
        after = versions[position + 1] if position + 1 < len(versions) else None
        is_last = after is None or after.suppression_id != version.suppression_id
        found.append(suppression_of(version, None if is_last or after is None else after.at))
    return found


def _given(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What of a request counts. Tags are a set: clients compare them with what they sent in any order (api.md §15)."""
    given = {name: attributes[name] for name in WRITABLE if attributes.get(name) is not None}
    tags = given.get("tags")
    if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
        given["tags"] = sorted(set(tags))
    return given


def _stamped(
    given: Mapping[str, Any], version: int, now: int, by: Actor, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The attributes of a version as the API answers them; `before` is the version that it follows."""
    author = {"handle": by.handle, "name": by.name}
    born = before or {"creation_date": now, "creator": author}
    return {
        **dict.fromkeys(QUERIES, ""),
        **given,
        "version": version,
        "creation_date": born["creation_date"],
        "update_date": now,
        "creator": born["creator"],
        "updater": author,
    }


def _stale(row: SuppressionRow, given: int) -> StaleSuppression:
    who = row.body["updater"]
    return StaleSuppression(
        f"Suppression {row.id} was changed meanwhile: you saw version {given}, it is at version {row.version}"
        f" (by {who['name'] or who['handle']}). Read it again, then change it."
    )
