"""Roles: named sets of permissions. The shipped ones are fixed, custom ones are anybody's with the right to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.names import check_uuid, clean_name
from tocsin.access.people import Page, User, keep_an_admin, users_where
from tocsin.access.permissions import BUILTIN_ROLES, PERMISSIONS, RESTRICTED, check_known
from tocsin.access.restriction_policies import forget_role
from tocsin.access.secrets import RandomBytes, new_uuid
from tocsin.access.tables import role_permissions, roles, user_roles, users
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, Forbidden, NotFound
from tocsin.store.state import StateStore

SORTABLE = ("name", "modified_at", "user_count")


@dataclass(frozen=True, slots=True)
class Role:
    """A role with its permissions in the catalogue's order. Times in Unix milliseconds."""

    uuid: str
    name: str
    is_builtin: bool
    created_at: int
    modified_at: int
    permissions: tuple[str, ...]
    user_count: int

    def audited(self) -> dict[str, object]:
        return {"name": self.name, "permissions": list(self.permissions)}


class Roles:
    """Safe to use from many threads."""

    def __init__(self, state: StateStore, audit: AuditTrail, clock: Clock, random: RandomBytes) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._random = random

    def list(
        self, *, text: str = "", ids: Sequence[str] = (), sort: str = "name", size: int = 10, number: int = 0
    ) -> Page[Role]:
        """A page of roles whose name contains `text`; `sort` is one of `SORTABLE`, with `-` for falling."""
        with self._state.reading() as session:
            found = _load(session)
        kept = [role for role in found if text.lower() in role.name.lower() and (not ids or role.uuid in ids)]
        key = sort.lstrip("-")
        if key not in SORTABLE:
            raise BadRequest(f"sort: cannot sort by '{sort}'; use {', '.join(SORTABLE)}")
        kept.sort(key=lambda role: (getattr(role, key), role.name), reverse=sort.startswith("-"))
        return Page(tuple(kept[number * size : (number + 1) * size]), len(found), len(kept))

    def get(self, role_id: str) -> Role:
        """Raises `NotFound`."""
        with self._state.reading() as session:
            return _get(session, role_id)

    def named(self, uuids: Iterable[str]) -> tuple[Role, ...]:
        """Those of the roles that exist."""
        with self._state.reading() as session:
            return tuple(_load(session, uuids))

    def create(self, name: str, permissions: Iterable[str], by: Actor) -> Role:
        """A new role; it holds the restricted permissions too, as every role does. Raises `Conflict`: name taken."""
        names = check_known(permissions) | RESTRICTED
        now, uuid = self._clock(), new_uuid(self._random)
        with self._state.transaction() as session:
            name = _free_name(session, name)
            session.execute(insert(roles).values(uuid=uuid, name=name, created_at=now, modified_at=now))
            _set_permissions(session, uuid, names)
            role = _get(session, uuid)
            self._audit.record(session, by, "created", "role", uuid, name, new_value=role.audited())
        return role

    def clone(self, role_id: str, name: str, by: Actor) -> Role:
        """A new custom role with the permissions of another."""
        return self.create(name, self.get(role_id).permissions, by)

    def update(
        self, role_id: str, by: Actor, *, name: str | None = None, permissions: Iterable[str] | None = None
    ) -> Role:
        """Change what is given. Raises `Forbidden` for shipped roles."""
        with self._state.transaction() as session:
            before = _get_custom(session, role_id)
            if name is not None and name != before.name:
                name = _free_name(session, name, except_for=before.uuid)
                session.execute(update(roles).where(roles.c.uuid == before.uuid).values(name=name))
            if permissions is not None:
                _set_permissions(session, before.uuid, check_known(permissions) | RESTRICTED)
            return self._changed(session, before, by)

    def delete(self, role_id: str, by: Actor) -> None:
        """Delete a custom role; its users keep their others, and restriction policies name it no more."""
        with self._state.transaction() as session:
            role = _get_custom(session, role_id)
            forget_role(session, self._audit, by, role.uuid)
            session.execute(delete(roles).where(roles.c.uuid == role.uuid))
            self._audit.record(session, by, "deleted", "role", role.uuid, role.name, prev_value=role.audited())

    def grant(self, role_id: str, permission: str, by: Actor) -> Role:
        """Add one permission, by name."""
        with self._state.transaction() as session:
            before = _get_custom(session, role_id)
            _set_permissions(session, before.uuid, {*before.permissions} | check_known([permission]))
            return self._changed(session, before, by)

    def revoke(self, role_id: str, permission: str, by: Actor) -> Role:
        """Take one permission away, by name. Raises `BadRequest` for a restricted one."""
        with self._state.transaction() as session:
            before = _get_custom(session, role_id)
            if permission in RESTRICTED:
                raise BadRequest(f"the permission {permission} belongs to every role")
            _set_permissions(session, before.uuid, {*before.permissions} - check_known([permission]))
            return self._changed(session, before, by)

    def users(self, role_id: str, *, size: int = 10, number: int = 0) -> Page[User]:
        """A page of the people who have the role, by number."""
        with self._state.reading() as session:
            return _users(session, _get(session, role_id).uuid, size, number)

    def add_user(self, role_id: str, user_id: str, by: Actor) -> Page[User]:
        """Give the role to somebody; no change if they have it. Answers the first page of its people."""
        return self._assign(role_id, user_id, by, is_added=True)

    def remove_user(self, role_id: str, user_id: str, by: Actor) -> Page[User]:
        """Take the role from somebody. Raises `Conflict` rather than leave nobody with the role Admin."""
        return self._assign(role_id, user_id, by, is_added=False)

    def refresh_builtin(self, session: Session) -> None:
        """Bring the shipped roles to what this version ships; at every start."""
        now = self._clock()
        for key, (name, permissions) in BUILTIN_ROLES.items():
            row = session.execute(select(roles).where(roles.c.builtin == key)).first()
            uuid = row.uuid if row else new_uuid(self._random)
            if row is None:
                name = _free_name(session, name, suffix=" (built-in)")
                values = {"uuid": uuid, "name": name, "builtin": key, "created_at": now, "modified_at": now}
                session.execute(insert(roles).values(values))
            has = set(session.execute(select(role_permissions.c.permission).filter_by(role_uuid=uuid)).scalars())
            if has != permissions:
                _set_permissions(session, uuid, permissions)
                before, after = ({"name": name, "permissions": sorted(held)} for held in (has, permissions))
                action = "modified" if row else "created"
                self._audit.record(session, SYSTEM, action, "role", uuid, name, before if row else None, after)

    def builtin_uuid(self, session: Session, key: str) -> str:
        """UUID of a shipped role."""
        return str(session.execute(select(roles.c.uuid).where(roles.c.builtin == key)).scalar_one())

    def _assign(self, role_id: str, user_id: str, by: Actor, *, is_added: bool) -> Page[User]:
        with self._state.transaction() as session:
            role = _get(session, role_id)
            user = session.execute(
                select(users).where(users.c.uuid == check_uuid(user_id, f"{user_id} not found"))
            ).first()
            if user is None:
                raise NotFound(f"{user_id} not found")
            pair = {"user_uuid": user.uuid, "role_uuid": role.uuid}
            has = session.execute(select(user_roles).filter_by(**pair)).first() is not None
            if has != is_added:
                if is_added:
                    session.execute(insert(user_roles).values(pair))
                else:
                    session.execute(delete(user_roles).filter_by(**pair))
                    keep_an_admin(session)
                before, after = (None, {"user": user.email}) if is_added else ({"user": user.email}, None)
                self._audit.record(session, by, "modified", "role", role.uuid, role.name, before, after)
            return _users(session, role.uuid, 10, 0)

    def _changed(self, session: Session, before: Role, by: Actor) -> Role:
        after = _get(session, before.uuid)
        if after.audited() == before.audited():
            return after
        session.execute(update(roles).where(roles.c.uuid == before.uuid).values(modified_at=self._clock()))
        self._audit.record(
            session,
            by,
            "modified",
            "role",
            before.uuid,
            after.name,
            prev_value=before.audited(),
            new_value=after.audited(),
        )
        return _get(session, before.uuid)


def _load(session: Session, uuids: Iterable[str] | None = None) -> list[Role]:
    chosen = select(roles) if uuids is None else select(roles).where(roles.c.uuid.in_(list(uuids)))
    held: dict[str, set[str]] = {}
    for row in session.execute(select(role_permissions)):
        held.setdefault(row.role_uuid, set()).add(row.permission)
    counts = select(user_roles.c.role_uuid, func.count().label("count")).group_by(user_roles.c.role_uuid)
    users_of = {row.role_uuid: row[1] for row in session.execute(counts)}
    return [
        Role(
            uuid=row.uuid,
            name=row.name,
            is_builtin=row.builtin is not None,
            created_at=row.created_at,
            modified_at=row.modified_at,
            permissions=tuple(name for name in PERMISSIONS if name in held.get(row.uuid, ())),
            user_count=users_of.get(row.uuid, 0),
        )
        for row in session.execute(chosen.order_by(roles.c.name))
    ]


def _get(session: Session, role_id: str) -> Role:
    found = _load(session, [check_uuid(role_id, "Role not found")])
    if not found:
        raise NotFound("Role not found")
    return found[0]


def _get_custom(session: Session, role_id: str) -> Role:
    role = _get(session, role_id)
    if role.is_builtin:
        raise Forbidden("Forbidden", f"the role {role.name} is shipped and cannot be changed; clone it instead")
    return role


def _users(session: Session, role_uuid: str, size: int, number: int) -> Page[User]:
    everyone = users_where(session, users.c.uuid.in_(select(user_roles.c.user_uuid).filter_by(role_uuid=role_uuid)))
    return Page(tuple(everyone[number * size : (number + 1) * size]), len(everyone), len(everyone))


def _free_name(session: Session, name: str, *, except_for: str = "", suffix: str = "") -> str:
    name = clean_name(name, "name")
    taken = {
        other.lower() for other in session.execute(select(roles.c.name).where(roles.c.uuid != except_for)).scalars()
    }
    if name.lower() not in taken:
        return name
    if suffix:
        return _free_name(session, name + suffix, except_for=except_for)
    raise Conflict(f"a role named '{name}' exists already")


def _set_permissions(session: Session, role_uuid: str, names: Iterable[str]) -> None:
    session.execute(delete(role_permissions).where(role_permissions.c.role_uuid == role_uuid))
    rows = [{"role_uuid": role_uuid, "permission": name} for name in sorted(names)]
    if rows:
        session.execute(insert(role_permissions), rows)
