"""Detection rules: what people and clients do with them (siem.md §2.27–2.30, api.md §4).

Rules live in the state store; each change is one transaction with the new version, its history and its audit event.
Detection holds the rules in memory: it hears of a change through `on_change`, in this process at once, in others when
they `poll`.
"""

import secrets
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.restriction_policies import forget, refuse_others
from tocsin.access.restrictions import RULE, Restricted
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, NotFound, TocsinError
from tocsin.evaluate.correlation import reads_signals
from tocsin.event import Rejected
from tocsin.query.hints import Hint
from tocsin.rule import Rule
from tocsin.rules import listing, repository
from tocsin.rules.applying import CREATE, MAX_RULES, REFUSED, UNCHANGED, UPDATE, Planned
from tocsin.rules.changes import changes_between
from tocsin.rules.correlation import check_references
from tocsin.rules.defaults import ALLOWED, carry_over, forbidden_changes, with_default_tags
from tocsin.rules.executable import executable
from tocsin.rules.hints import hints
from tocsin.rules.ids import is_rule_id, new_rule_id
from tocsin.rules.problems import InvalidRule, Problem
from tocsin.rules.rendering import Rendered, rendered
from tocsin.rules.repository import RuleRow, VersionRow
from tocsin.rules.schema import RuleChanges
from tocsin.rules.shape import rule_from_api, rule_to_api, writable
from tocsin.rules.shipped import ShippedRule
from tocsin.rules.testing import ToEvent, run_tests
from tocsin.rules.validation import check, check_types, read_rule
from tocsin.store.state import StateStore
from tocsin.tables import ColumnOf, no_column

ASSET = "security_rule"
MAX_BULK = 1000
"""Rules in one bulk call (siem.md §2.29)."""

CLEARED_BY_NULL = ("schedulingOptions", "tests")
"""Members that an update takes away by null; of all others null is the same as absent (api.md §1, §4)."""

OnChange = Callable[[Sequence[Rule]], None]
"""Hears the enabled rules after every change, which is stored by then. Must be quick, and deal with its own errors: it
runs in the request that made the change (`renewal.py`)."""


class RuleNotFound(NotFound):
    def __init__(self, rule_id: str) -> None:
        super().__init__(f"Rule {rule_id} not found")


class VersionNotFound(NotFound):
    def __init__(self, rule_id: str, version: int) -> None:
        super().__init__(f"Rule {rule_id} has no version {version}")


class StaleRule(Conflict):
    """Somebody saved the rule after the caller had read it."""

    code = "stale_version"


class DefaultRuleKept(BadRequest):
    """Default rules cannot be deleted, restored, or changed but for a few members."""


@dataclass(frozen=True, slots=True)
class RulePage:
    """One page of the list. `total` counts all rules, `found` those that the query finds; where that is none, `slips`
    are what it probably means."""

    rules: tuple[Rule, ...]
    total: int
    found: int
    facets: Mapping[str, Sequence[listing.FacetValue]]
    slips: Sequence[Hint] = ()


class RulesService:
    """All rules. Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        *,
        to_event: ToEvent,
        random_below: Callable[[int], int] = secrets.randbelow,
        is_table_too_large: Callable[[str], bool] = lambda _table: False,
        column: ColumnOf = no_column,
        has_cities: bool = True,
    ) -> None:
        """`is_table_too_large` says whether a reference table has more rows than one that filters rules may have;

        `column` gives the columns of these tables. `has_cities`: logs can have coordinates here.
        """
        self._state = state
        self._audit = audit
        self._clock = clock
        self._to_event = to_event
        self._random_below = random_below
        self._is_table_too_large = is_table_too_large
        self._column = column
        self._has_cities = has_cities
        self._callbacks: list[OnChange] = []
        self._lock = threading.RLock()
        self._seen: int | None = None
        self._rules: tuple[Rule, ...] = ()
        self._enabled: tuple[Rule, ...] = ()

    # Reading

    def get(self, rule_id: str) -> Rule:
        """Raises `RuleNotFound`."""
        with self._state.reading() as session:
            return _rule(self._row(session, rule_id))

    def name(self, session: Session, rule_id: str) -> str:
        """What a rule is called, as of the caller's transaction. Raises `RuleNotFound`."""
        return str(self._row(session, rule_id).body["name"])

    def page(self, query: str = "", sort: str = "name", size: int = 10, number: int = 0) -> RulePage:
        """A page of the rules that a query finds. Raises `QueryError` or `BadRequest`."""
        rules = self.all_rules()
        found = listing.ordered(listing.matching(rules, query), sort)
        return RulePage(
            rules=tuple(found[number * size : (number + 1) * size]),
            total=len(rules),
            found=len(found),
            facets=listing.facets(found),
            slips=() if found else listing.slips(rules, query),
        )

    def all_rules(self) -> tuple[Rule, ...]:
        """Every rule as it is kept, by id; read anew only after a change."""
        with self._lock:
            self.poll()
            return self._rules

    def enabled_rules(self) -> tuple[Rule, ...]:
        """What detection has to run, by id, with filters folded into the queries."""
        with self._lock:
            self.poll()
            return self._enabled

    def rule_at(self, rule_id: str, version: int) -> Rule | None:
        """A rule as it was at a version, deleted rules included; for matches that were written then."""
        with self._state.reading() as session:
            row = repository.version(session, rule_id, version)
        return None if row is None else executable(rule_from_api(row.body))

    def history(self, rule_id: str, size: int = 10, number: int = 0) -> tuple[int, list[VersionRow]]:
        """How many versions there are, and a page of them, latest first. Raises `RuleNotFound`."""
        with self._state.reading() as session:
            self._row(session, rule_id)
            return repository.versions(session, rule_id, size, number * size)

    # Changing

    def create(self, body: Any, by: Actor) -> Rule:
        """Store a new rule. Raises `InvalidRule` with every reason why not."""
        rule = read_rule(_asked(body))
        self._refuse_large_tables(rule)
        now = self._clock()
        with self._state.transaction() as session:
            rule_id = self._unused_id(session)
            _check_references(session, replace(rule, id=rule_id))
            made = _stamped(writable(rule_to_api(rule)), rule_id, 1, now, by, created=None)
            repository.save(session, RuleRow(rule_id, 1, made), [], now)
            self._audit.record(session, by, "created", ASSET, rule_id, rule.name, None, made)
        self.poll()
        return rule_from_api(made)

    def apply(self, bodies: Sequence[Any], by: Actor, *, dry_run: bool = False) -> list[Planned]:
        """Bring rules that have ids to what the bodies say, each as a whole; harmless when repeated.

        What a body does not have the rule has no more, but for `isEnabled`, which is left to the people here then, and
        the tags that a default rule keeps. Rules that cannot be taken are refused with their reasons, the others are
        applied together. `dry_run` changes nothing.
        """
        if len(bodies) > MAX_RULES:
            raise BadRequest(f"{len(bodies)} rules given, {MAX_RULES} are allowed in one call")
        with self._state.transaction() as session:
            planned = [self._apply(session, body, by, dry_run) for body in bodies]
        if not dry_run:
            self.poll()
        return planned

    def update(self, rule_id: str, changes: Any, by: Actor) -> Rule:
        """Replace the given members, each as a whole; the version rises by one.

        Raises `RuleNotFound`, `Restricted`, `InvalidRule`, `StaleRule`, or `DefaultRuleKept` for members that a default
        rule keeps.
        """
        asked = _asked(changes)
        with self._state.transaction() as session:
            row = self._row_to_change(session, rule_id, by)
            wanted = _merged(row, asked)
            if asked.get("version", row.version) != row.version:
                raise self._stale(row, asked["version"])
            made = self._save(session, row, wanted, by, "modified")
        self.poll()
        return rule_from_api(made)

    def switch(self, session: Session, rule_ids: Sequence[str], is_enabled: bool, by: Actor) -> dict[str, int]:
        """Enable or disable rules as a part of the caller's transaction, who then has to `poll`.

        Returns the new versions of those that were not so already. Raises `RuleNotFound`, and `Restricted` for all
        that the actor may not change.
        """
        rows = (self._row(session, rule_id) for rule_id in rule_ids)
        others = [row for row in rows if row.body["isEnabled"] != is_enabled]
        refuse_others(session, by, RULE, {row.id: row.body["name"] for row in others})
        changed: dict[str, int] = {}
        for row in others:
            made = self._save(session, row, {**writable(row.body), "isEnabled": is_enabled}, by, "modified")
            changed[row.id] = made["version"]
        return changed

    def delete(self, rule_id: str, by: Actor) -> None:
        """Raises `RuleNotFound`, `Restricted` or `DefaultRuleKept`."""
        with self._state.transaction() as session:
            self._delete(session, rule_id, by)
        self.poll()

    def delete_all(self, rule_ids: Sequence[str], by: Actor) -> tuple[list[str], list[str]]:
        """Delete what can be deleted: the ids that are gone, and those that are not there, must stay or are others'."""
        if len(rule_ids) > MAX_BULK:
            raise BadRequest(f"{len(rule_ids)} rules given, at most {MAX_BULK} can be deleted in one call")
        deleted: list[str] = []
        failed: list[str] = []
        with self._state.transaction() as session:
            for rule_id in dict.fromkeys(rule_ids):
                try:
                    self._delete(session, rule_id, by)
                except (RuleNotFound, Restricted, DefaultRuleKept):
                    failed.append(rule_id)
                else:
                    deleted.append(rule_id)
        self.poll()
        return deleted, failed

    def restore(self, rule_id: str, version: int, by: Actor) -> Rule:
        """Make an earlier version of a custom rule the current one, as a new version.

        Raises `RuleNotFound`, `Restricted`, `VersionNotFound`, `DefaultRuleKept`, `InvalidRule`, or `Conflict` if it is
        current.
        """
        with self._state.transaction() as session:
            row = self._row_to_change(session, rule_id, by)
            if row.is_default:
                raise DefaultRuleKept(f"Rule {rule_id} is a default rule; only custom rules can be restored")
            if version == row.version:
                raise Conflict(f"Version {version} is the current version of rule {rule_id}")
            earlier = repository.version(session, rule_id, version)
            if earlier is None:
                raise VersionNotFound(rule_id, version)
            made = self._save(session, row, writable(earlier.body), by, "modified")
        self.poll()
        return rule_from_api(made)

    # Without a change

    def validate(self, body: Any, by: Actor) -> None:
        """Raises `InvalidRule` with every reason why the rule could not be stored; nothing is stored."""
        problems = self._problems(body)
        name = body["name"] if isinstance(body, Mapping) and isinstance(body.get("name"), str) else ""
        with self._state.transaction() as session:
            self._audit.record(session, by, "validated", ASSET, "", name[:200], None, {"valid": not problems})
        if problems:
            raise InvalidRule(problems)

    def check_unsaved(self, body: Any) -> Rule:
        """The rule that a body describes, not stored. Raises `InvalidRule`."""
        return read_rule(_asked(body))

    def hints(self, body: Any) -> list[Problem]:
        """Remarks on a rule that could be stored. Raises `InvalidRule` as `validate` does, but nobody is told: an
        editor asks with every change."""
        if problems := self._problems(body):
            raise InvalidRule(problems)
        return hints(rule_from_api(_asked(body)), has_cities=self._has_cities)

    def render(self, body: Any, payload: Mapping[str, Any], case_index: int) -> Rendered:
        """Title and message as the signal of this log would have them. Raises `InvalidRule` or `BadRequest`."""
        rule = executable(self.check_unsaved(body))
        try:
            event = self._to_event(payload)
        except Rejected as rejected:
            raise BadRequest(f"the log would be rejected: {rejected.reason}") from rejected
        shown = rendered(rule, event, case_index, self._clock(), self._column)
        return replace(shown, hints=tuple(hints(rule, has_cities=self._has_cities)))

    def test(self, body: Any, payloads: Any) -> list[bool]:
        """Run the queries of a rule that need not be stored over logs; one answer per log, in order."""
        return run_tests(executable(self.check_unsaved(body)), payloads, self._to_event, self._column)

    def test_stored(self, rule_id: str, payloads: Any) -> list[bool]:
        return run_tests(executable(self.get(rule_id)), payloads, self._to_event, self._column)

    def pick(self, rule_ids: Sequence[str]) -> list[Rule]:
        """These rules, in this order, each once. Raises `RuleNotFound` for the first that is not there."""
        if not rule_ids:
            raise BadRequest("No ruleIds given")
        if len(rule_ids) > MAX_BULK:
            raise BadRequest(f"{len(rule_ids)} rules given, {MAX_BULK} are allowed in one call")
        by_id = {rule.id: rule for rule in self.all_rules()}
        for rule_id in rule_ids:
            if rule_id not in by_id:
                raise RuleNotFound(rule_id)
        return [by_id[rule_id] for rule_id in dict.fromkeys(rule_ids)]

    # What is shipped

    def load_shipped(self, shipped: Sequence[ShippedRule]) -> list[str]:
        """Bring the default rules to what this version ships; returns the ids that changed. Harmless when repeated.

        What people changed about a default rule stays. One that is no longer shipped is deprecated and disabled.
        """
        now = self._clock()
        changed = []
        with self._state.transaction() as session:
            there = {row.id: row for row in repository.load_all(session)}
            for rule in shipped:
                if self._upgrade(session, rule, there.get(rule.id), now):
                    changed.append(rule.id)
            current = {rule.id for rule in shipped}
            for row in there.values():
                if row.is_default and row.id not in current and not row.body.get("isDeprecated"):
                    self._deprecate(session, row, now)
                    changed.append(row.id)
        self.poll()
        return changed

    # News

    def on_change(self, callback: OnChange) -> None:
        """Call back now, and after every change that this process makes or `poll` finds."""
        with self._lock:
            self.poll()
            self._callbacks.append(callback)
            callback(self._enabled)

    def poll(self) -> bool:
        """Look whether any process changed a rule, and tell the callbacks. True if so."""
        with self._lock:
            with self._state.reading() as session:
                revision = repository.revision(session)
                if revision == self._seen:
                    return False
                # Of thousands of rules one has changed: the others are those of before.
                known = {(rule.id, rule.version): rule for rule in self._rules}
                numbers = repository.numbers(session)
                changed = [rule_id for rule_id, version in numbers if (rule_id, version) not in known]
                known |= {(row.id, row.version): _rule(row) for row in repository.load_some(session, changed)}
            running = {(rule.id, rule.version): rule for rule in self._enabled}
            self._rules = tuple(known[number] for number in numbers)
            self._enabled = tuple(
                running.get((rule.id, rule.version)) or executable(rule) for rule in self._rules if rule.is_enabled
            )
            self._seen = revision
            for callback in self._callbacks:
                callback(self._enabled)
            return True

    def _problems(self, body: Any) -> list[Problem]:
        """Every reason why a rule could not be stored, those that depend on other rules and tables among them."""
        if problems := check(_asked(body)):
            return problems
        rule = rule_from_api(_asked(body))
        with self._state.reading() as session:
            return [*_reference_problems(session, rule), *self._table_problems(rule)]

    # Inside a transaction

    @staticmethod
    def _row(session: Session, rule_id: str) -> RuleRow:
        row = repository.load(session, rule_id)
        if row is None:
            raise RuleNotFound(rule_id)
        return row

    def _row_to_change(self, session: Session, rule_id: str, by: Actor) -> RuleRow:
        """Raises `RuleNotFound`, or `Restricted` if the actor is not among the rule's editors."""
        row = self._row(session, rule_id)
        refuse_others(session, by, RULE, {rule_id: row.body["name"]})
        return row

    def _save(self, session: Session, row: RuleRow, wanted: dict[str, Any], by: Actor, action: str) -> dict[str, Any]:
        """Validate and write a rule's next version."""
        now = self._clock()
        rule = read_rule(wanted, rule_id=row.id)
        self._refuse_large_tables(rule)
        if wanted["queries"] != row.body["queries"]:  # a rule whose source was deleted can still be disabled
            _check_references(session, rule)
        complete = writable(rule_to_api(rule))
        _check_kept(row, complete)
        made = _stamped(complete, row.id, row.version + 1, now, by, created=row.body)
        changes = changes_between(row.body, made)
        repository.save(session, replace(row, version=row.version + 1, body=made), changes, now)
        self._audit.record(session, by, action, ASSET, row.id, rule.name, row.body, made)
        return made

    def _apply(self, session: Session, body: Any, by: Actor, dry_run: bool) -> Planned:
        given = body if isinstance(body, Mapping) else {}
        rule_id, name = str(given.get("id") or ""), str(given.get("name") or "")
        if not is_rule_id(rule_id):
            return Planned(rule_id, name, REFUSED, reasons=[f"needs an id such as abc-d1e-2fg, not '{rule_id}'"])
        row = repository.load(session, rule_id)
        try:
            said = {member: value for member, value in writable(given).items() if value is not None}
            wanted = {"isEnabled": row.body["isEnabled"] if row else True, **said}
            rule = read_rule(wanted, rule_id=rule_id)
            if row is None:
                self._refuse_large_tables(rule)
                _check_references(session, rule)
                if not dry_run:
                    self._create(session, rule, rule_id, by)
                return Planned(rule_id, name, CREATE)
            wanted = _settled(row, {**wanted, "type": rule.type})
            rule = read_rule(wanted, rule_id=rule_id)
            self._refuse_large_tables(rule)
            complete = writable(rule_to_api(rule))
            _check_kept(row, complete)
            changes = changes_between(writable(row.body), complete)
            if changes:
                refuse_others(session, by, RULE, {rule_id: row.body["name"]})
                if not dry_run:
                    self._save(session, row, wanted, by, "modified")
            return Planned(rule_id, name, UPDATE if changes else UNCHANGED, changes)
        except BadRequest as error:
            return Planned(rule_id, name, REFUSED, reasons=error.reasons)
        except Restricted as error:
            return Planned(rule_id, name, REFUSED, reasons=error.reasons[1:])

    def _create(self, session: Session, rule: Rule, rule_id: str, by: Actor) -> dict[str, Any]:
        """A new rule, or one that was deleted, from the version that follows its last."""
        now = self._clock()
        _, earlier = repository.versions(session, rule_id, 1, 0)
        number = earlier[0].version + 1 if earlier else 1
        made = _stamped(writable(rule_to_api(rule)), rule_id, number, now, by, created=None)
        repository.save(session, RuleRow(rule_id, number, made), [], now)
        self._audit.record(session, by, "created", ASSET, rule_id, rule.name, None, made)
        return made

    def _delete(self, session: Session, rule_id: str, by: Actor) -> None:
        row = self._row_to_change(session, rule_id, by)
        if row.is_default:
            raise DefaultRuleKept(f"Rule {rule_id} is a default rule; it cannot be deleted, only disabled")
        repository.remove(session, rule_id, self._clock())
        self._audit.record(session, by, "deleted", ASSET, rule_id, row.body["name"], row.body, None)
        forget(session, self._audit, by, RULE, rule_id, row.body["name"])

    def _upgrade(self, session: Session, rule: ShippedRule, row: RuleRow | None, now: int) -> bool:
        if row is None:
            body = _default(_stamped(rule.body, rule.id, 1, now, SYSTEM, created=None), rule)
            repository.save(session, RuleRow(rule.id, 1, body, rule.body), [], now)
            self._audit.record(session, SYSTEM, "created", ASSET, rule.id, rule.body["name"])
            return True
        if row.shipped is None:
            raise TocsinError(f"the shipped rule {rule.id} has the id of a custom rule; delete or clone that one first")
        if row.shipped == rule.body and not row.body.get("isDeprecated"):
            return False
        wanted = carry_over(row.shipped, writable(row.body), rule.body)
        if check(wanted):  # what people set no longer goes with what is shipped, such as the order of windows
            wanted["options"] = rule.body["options"]
        if row.body.get("isDeprecated"):
            wanted["isEnabled"] = rule.body["isEnabled"]
        created = {name: row.body[name] for name in ("createdAt", "creationAuthorId", "creator")}
        body = _default(_stamped(wanted, rule.id, row.version + 1, now, SYSTEM, created=created), rule)
        repository.save(
            session, RuleRow(rule.id, row.version + 1, body, rule.body), changes_between(row.body, body), now
        )
        self._audit.record(session, SYSTEM, "modified", ASSET, rule.id, rule.body["name"])
        return True

    def _deprecate(self, session: Session, row: RuleRow, now: int) -> None:
        body = {**row.body, "isEnabled": False, "isDeprecated": True, "deprecationDate": now}
        body |= {"version": row.version + 1, "updatedAt": now}
        changes = changes_between(row.body, body)
        repository.save(session, replace(row, version=row.version + 1, body=body), changes, now)
        self._audit.record(session, SYSTEM, "modified", ASSET, row.id, row.body["name"])

    def _refuse_large_tables(self, rule: Rule) -> None:
        """Raises `InvalidRule` (siem.md §2.6)."""
        if problems := self._table_problems(rule):
            raise InvalidRule(problems)

    def _table_problems(self, rule: Rule) -> list[Problem]:
        names = [given["tableName"] for given in rule.extra.get("referenceTables") or ()]
        return [
            Problem(
                f"referenceTables[{i}].tableName", f"Reference table '{name}' is too large to filter rules", "too_large"
            )
            for i, name in enumerate(names)
            if self._is_table_too_large(name)
        ]

    def _stale(self, row: RuleRow, given: int) -> StaleRule:
        who = row.body.get("updater") or {}
        return StaleRule(
            f"Rule {row.id} was changed meanwhile: you saw version {given}, it is at version {row.version}"
            f" (by {who.get('name') or who.get('handle') or 'Tocsin'}). Read it again, then change it."
        )

    def _unused_id(self, session: Session) -> str:
        while True:
            rule_id = new_rule_id(self._random_below)
            if not repository.id_was_used(session, rule_id):
                return rule_id


def _check_references(session: Session, rule: Rule) -> None:
    """Raises `InvalidRule` if the rules that a rule names are not there, or would make a cycle."""
    if problems := _reference_problems(session, rule):
        raise InvalidRule(problems)


def _reference_problems(session: Session, rule: Rule) -> list[Problem]:
    if not reads_signals(rule):
        return []
    return check_references(rule, {row.id: _rule(row) for row in repository.load_all(session)})


def bulk_id() -> str:
    """The id of a bulk answer; it names nothing that is kept."""
    return str(uuid.uuid4())


def _rule(row: RuleRow) -> Rule:
    return rule_from_api(row.body)


def _asked(body: Any) -> Any:
    """What of a request counts: no nulls, but where they clear a member.

    A body that is no object stays what it is, for `check` to refuse.
    """
    if not isinstance(body, Mapping):
        return body
    asked = {name: value for name, value in writable(body).items() if value is not None or name in CLEARED_BY_NULL}
    return asked | ({"version": body["version"]} if body.get("version") is not None else {})


def _merged(row: RuleRow, asked: Any) -> dict[str, Any]:
    """The rule with the members that were given in place of its own."""
    if problems := check_types(asked, RuleChanges):
        raise InvalidRule(problems)
    return _settled(row, {**writable(row.body), **writable(asked)})


def _settled(row: RuleRow, wanted: dict[str, Any]) -> dict[str, Any]:
    """What a rule shall be, complete, with what it cannot change. Raises `InvalidRule`."""
    method = row.body["options"]["detectionMethod"]
    wanted["options"] = {**wanted["options"], "detectionMethod": wanted["options"].get("detectionMethod") or method}
    if wanted["options"]["detectionMethod"] != method:
        message = f"The detection method of a rule cannot be changed (it is '{method}'); make a new rule"
        raise InvalidRule([Problem("options.detectionMethod", message, "fixed")])
    if wanted["type"] != row.body["type"]:
        message = f"The type of a rule cannot be changed (it is '{row.body['type']}'); make a new rule"
        raise InvalidRule([Problem("type", message, "fixed")])
    if row.is_default:
        wanted["tags"] = with_default_tags(wanted.get("tags", []), row.body.get("defaultTags", []))
    return wanted


def _check_kept(row: RuleRow, wanted: Mapping[str, Any]) -> None:
    if not row.is_default:
        return
    if kept := forbidden_changes(writable(row.body), wanted):
        raise DefaultRuleKept(
            f"Rule {row.id} is a default rule; only {ALLOWED} can be changed. Clone it to change {', '.join(kept)}"
        )
    if row.body.get("isDeprecated") and wanted["isEnabled"]:
        raise DefaultRuleKept(f"Rule {row.id} is deprecated; clone it to enable it again")


def _default(body: dict[str, Any], rule: ShippedRule) -> dict[str, Any]:
    return {**body, "isDefault": True, "defaultTags": list(rule.body["tags"])}


def _stamped(
    members: Mapping[str, Any], rule_id: str, version: int, now: int, by: Actor, created: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The complete body of a new version; `created` is the version before it, which knows who made the rule."""
    author = {"handle": by.handle, "name": by.name}
    number = max(by.user_id, 0)
    born = created or {"createdAt": now, "creationAuthorId": number, "creator": author}
    kept = ("createdAt", "creationAuthorId", "creator", "isDefault", "defaultTags", "isDeprecated", "deprecationDate")
    body = {
        **members,
        **{name: born[name] for name in kept if name in born},
        "id": rule_id,
        "version": version,
        "updatedAt": now,
        "updateAuthorId": number,
        "updater": author,
    }
    return rule_to_api(rule_from_api(body))
