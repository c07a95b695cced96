"""Restriction policies in the state store: setting them, and keeping to them (decision 0195).

`refuse_others` is the one place that holds changes against policies: a service calls it inside the transaction that
makes the change.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.people import roles_of
from tocsin.access.restrictions import (
    KINDS,
    ORGANISATION,
    ROLE,
    USER,
    Binding,
    Kind,
    Policy,
    Resource,
    Restricted,
    StalePolicy,
    kind_of,
    principals_of,
    read_policy,
    resource_of,
)
from tocsin.access.tables import restriction_policies, roles, users
from tocsin.access.users import MANAGE
from tocsin.errors import BadRequest, Forbidden
from tocsin.store.state import StateStore

ASSET = "restriction_policy"

SHOWN = 5
"""Editors, and restricted things, that a refusal names."""

NameOf = Callable[[Session, str], str]
"""The name of the thing with this id. Raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy as one person sees it.

    `names` says what each principal is called. `is_editable`: whether the person may change the thing, and so the
    policy.
    """

    resource: Resource
    policy: Policy
    names: Mapping[str, str]
    is_editable: bool


class RestrictionPolicies:
    """All policies. Safe to use from many threads."""

    def __init__(self, state: StateStore, audit: AuditTrail, organisation: Callable[[], str]) -> None:
        self._state = state
        self._audit = audit
        self._organisation = organisation
        self._names: dict[str, NameOf] = {}

    def protect(self, kind: Kind, name_of: NameOf) -> None:
        """Take policies for things of a kind, which somebody else knows."""
        self._names[kind.name] = name_of

    # Reading

    def get(self, resource_id: str, by: Actor) -> PolicyView:
        """The policy of a thing, an empty one if it is not restricted. Raises `BadRequest`, `NotFound`."""
        resource = resource_of(resource_id)
        _need(by, resource.kind.read)
        with self._state.reading() as session:
            self._name(session, resource)
            return _view(session, resource, _load(session, resource), by)

    def all_of(self, kind: str, by: Actor) -> list[PolicyView]:
        """The policies of all things of a kind, by id. Raises `BadRequest`."""
        wanted = kind_of(kind)
        _need(by, wanted.read)
        with self._state.reading() as session:
            own = _roles(session, by)
            found = _load_some(session, wanted)
            names = _names(session, found.values())
        return [_seen(Resource(wanted, id), policy, names, own, by) for id, policy in found.items()]

    # Changing

    def put(
        self,
        resource_id: str,
        bindings: Iterable[tuple[str, Sequence[str]]],
        by: Actor,
        *,
        version: str | None = None,
        allow_self_lockout: bool = False,
    ) -> PolicyView:
        """Replace the policy of a thing; no bindings take it away. Only its editors may.

        `version`, if given, must be the present one. Raises `BadRequest`, `NotFound`, `Restricted`, `StalePolicy`; for
        a policy that would keep the caller out `BadRequest`, unless who manages people allows it.
        """
        resource = resource_of(resource_id)
        _need(by, resource.kind.write)
        wanted = read_policy(bindings, self._organisation())
        if allow_self_lockout and not by.may(MANAGE):
            raise Forbidden("Forbidden", f"allow_self_lockout needs the permission {MANAGE}")
        with self._state.transaction() as session:
            name = self._name(session, resource)
            before = _load(session, resource)
            refuse_others(session, by, resource.kind, {resource.id: name})
            if version is not None and version != before.version:
                raise StalePolicy(f"who may change {resource} was changed meanwhile. Read it again, then change it.")
            _check_known(session, wanted)
            if not allow_self_lockout and not wanted.lets_edit(by.user_uuid, _roles(session, by)):
                raise BadRequest(
                    "this would keep you from changing it: name yourself or one of your roles as an editor"
                    + (", or send allow_self_lockout=true" if by.may(MANAGE) else "")
                )
            self._save(session, resource, name, before, wanted, by)
            return _view(session, resource, wanted, by)

    def delete(self, resource_id: str, by: Actor) -> None:
        """Everybody with the permission may change the thing again; harmless when repeated. Only editors may do it."""
        self.put(resource_id, (), by)

    def elevate(self, resource_id: str, by: Actor) -> PolicyView:
        """Make the caller an editor of a restricted thing, who must manage people; harmless when repeated.

        Raises `BadRequest` if the thing is not restricted, `NotFound`, `Forbidden`.
        """
        resource = resource_of(resource_id)
        _need(by, MANAGE)
        _need(by, resource.kind.write)
        with self._state.transaction() as session:
            name = self._name(session, resource)
            before = _load(session, resource)
            if not before.narrows:
                raise BadRequest(f"{resource} is not restricted: who holds {resource.kind.write} may change it")
            if before.lets_edit(by.user_uuid, _roles(session, by)):
                return _view(session, resource, before, by)
            wanted = before.with_editor(f"{USER}:{by.user_uuid}")
            said = f"{by.handle} made themselves an editor of the {resource.kind.noun} {name}"
            self._save(session, resource, name, before, wanted, by, status="warn", message=said)
            return _view(session, resource, wanted, by)

    def _name(self, session: Session, resource: Resource) -> str:
        return self._names[resource.kind.name](session, resource.id)

    def _save(
        self,
        session: Session,
        resource: Resource,
        name: str,
        before: Policy,
        wanted: Policy,
        by: Actor,
        *,
        status: str = "info",
        message: str = "",
    ) -> None:
        if wanted == before:
            return
        _write(session, resource, wanted)
        action = "created" if not before.bindings else "modified" if wanted.bindings else "deleted"
        old, new = (_audited(session, policy) for policy in (before, wanted))
        self._audit.record(session, by, action, ASSET, str(resource), name, old, new, status=status, message=message)


def refuse_others(session: Session, by: Actor, kind: Kind, named: Mapping[str, str]) -> None:
    """Raises `Restricted` if policies keep the actor from changing one of these things, which are names by id.

    An application key acts as its owner. Tocsin itself may change everything.
    """
    if by.kind == "system" or not (policies := _load_some(session, kind, named)):
        return
    own = _roles(session, by)
    closed = {id: policy for id, policy in policies.items() if not policy.lets_edit(by.user_uuid, own)}
    if not closed:
        return
    names = _names(session, closed.values())
    told = [_refusal(kind, named[id], policy, names, by) for id, policy in list(closed.items())[:SHOWN]]
    if len(closed) > SHOWN:
        told.append(f"{len(closed) - SHOWN} more are restricted as well")
    if by.may(MANAGE):
        told.append("As you manage people, you can make yourself an editor (Restrict access, or POST …/elevate)")
    raise Restricted("Forbidden", *told)


def closed_to(session: Session, by: Actor, kind: Kind) -> frozenset[str]:
    """The ids of the things of a kind that policies keep the actor from changing."""
    own = _roles(session, by)
    return frozenset(id for id, policy in _load_some(session, kind).items() if not policy.lets_edit(by.user_uuid, own))


def forget(session: Session, audit: AuditTrail, by: Actor, kind: Kind, id: str, name: str) -> None:
    """A thing is deleted, and its policy with it: whatever gets the id later begins unrestricted."""
    resource = Resource(kind, id)
    before = _load(session, resource)
    if before.bindings:
        _write(session, resource, Policy())
        audit.record(session, by, "deleted", ASSET, str(resource), name, _audited(session, before), None)


def forget_role(session: Session, audit: AuditTrail, by: Actor, role_uuid: str) -> None:
    """Take a role that is about to be deleted out of all policies. What it was the last editor of stays closed: an
    accident must open nothing, and who deletes roles can elevate themselves."""
    for kind in KINDS.values():
        for id, before in _load_some(session, kind).items():
            after = before.without(f"{ROLE}:{role_uuid}")
            if after != before:
                resource = Resource(kind, id)
                _write(session, resource, after)
                old, new = (_audited(session, policy) for policy in (before, after))
                audit.record(session, by, "modified", ASSET, str(resource), "", old, new)


def _load(session: Session, resource: Resource) -> Policy:
    return _load_some(session, resource.kind, [resource.id]).get(resource.id, Policy())


def _load_some(session: Session, kind: Kind, ids: Collection[str] | None = None) -> dict[str, Policy]:
    """The policies of these things of a kind, or of all, by id; nothing for those that have none."""
    table = restriction_policies.c
    chosen = select(table.resource_id, table.bindings).where(table.kind == kind.name)
    if ids is not None:
        chosen = chosen.where(table.resource_id.in_(list(ids)))
    rows = session.execute(chosen.order_by(table.resource_id))
    return {id: Policy(tuple(_binding(each) for each in bindings)) for id, bindings in rows}


def _write(session: Session, resource: Resource, policy: Policy) -> None:
    table = restriction_policies.c
    session.execute(
        delete(restriction_policies).where(table.kind == resource.kind.name, table.resource_id == resource.id)
    )
    if policy.bindings:
        values = {"kind": resource.kind.name, "resource_id": resource.id, "bindings": policy.written()}
        session.execute(insert(restriction_policies).values(values))


def _binding(written: Mapping[str, Any]) -> Binding:
    return Binding(written["relation"], tuple(written["principals"]))


def _check_known(session: Session, policy: Policy) -> None:
    """Raises `BadRequest` for a role or person that is not there. People who are disabled are there."""
    for kind, table in ((ROLE, roles), (USER, users)):
        asked = principals_of(policy, kind)
        there = set(session.execute(select(table.c.uuid).where(table.c.uuid.in_(asked))).scalars())
        if unknown := sorted(asked - there):
            raise BadRequest(f"bindings: there is no {kind} {unknown[0]}")


def _roles(session: Session, by: Actor) -> Sequence[str]:
    return roles_of(session, [by.user_uuid]).get(by.user_uuid, ())


def _names(session: Session, policies: Iterable[Policy]) -> dict[str, str]:
    """What the principals of policies are called."""
    given = tuple(policies)
    names: dict[str, str] = {}
    named = {ROLE: select(roles.c.uuid, roles.c.name), USER: select(users.c.uuid, users.c.email, users.c.is_disabled)}
    for kind, chosen in named.items():
        uuids = {uuid for policy in given for uuid in principals_of(policy, kind)}
        for uuid, name, *is_disabled in session.execute(chosen.where(chosen.selected_columns.uuid.in_(uuids))):
            names[f"{kind}:{uuid}"] = f"{name} (disabled)" if any(is_disabled) else name
    everyone = {one for policy in given for each in policy.bindings for one in each.principals}
    return names | dict.fromkeys((one for one in everyone if one.startswith(f"{ORGANISATION}:")), "everybody")


def _view(session: Session, resource: Resource, policy: Policy, by: Actor) -> PolicyView:
    return _seen(resource, policy, _names(session, [policy]), _roles(session, by), by)


def _seen(resource: Resource, policy: Policy, names: Mapping[str, str], own: Sequence[str], by: Actor) -> PolicyView:
    here = {one: names[one] for each in policy.bindings for one in each.principals if one in names}
    return PolicyView(resource, policy, here, by.may(resource.kind.write) and policy.lets_edit(by.user_uuid, own))


def _audited(session: Session, policy: Policy) -> dict[str, object] | None:
    """With the names as they are now: a role may be gone when somebody reads it."""
    if not policy.bindings:
        return None
    names = _names(session, [policy])
    return {"bindings": policy.written(), "editors": [names.get(one, one) for one in policy.editors]}


def _need(by: Actor, permission: str) -> None:
    if not by.may(permission):
        raise Forbidden("Forbidden", f"this needs the permission {permission}")


def _refusal(kind: Kind, name: str, policy: Policy, names: Mapping[str, str], by: Actor) -> str:
    """Who may instead, as far as the caller may know who there is."""
    start = f"The {kind.noun} '{name}' is restricted: "
    if not by.may("user_access_read"):
        return f"{start}only its editors may change it"
    called = [
        f"the role {names[one]}" if one.startswith(f"{ROLE}:") else names[one] for one in policy.editors if one in names
    ]
    if not called:
        return f"{start}it has no editor any more, until somebody who holds {MANAGE} takes it over"
    more = f" and {len(called) - SHOWN} more" if len(called) > SHOWN else ""
    return f"{start}only {', '.join(called[:SHOWN])}{more} may change it"
