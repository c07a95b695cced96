"""What is true of a person, read from the state store: the pieces that users, sessions and keys share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.orm import Session

from tocsin.access.permissions import ADMIN
from tocsin.access.tables import role_permissions, roles, user_roles, users
from tocsin.errors import Conflict

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A page of a list: `total` of all there are, `filtered` of those that the filter leaves."""

    items: tuple[Item, ...]
    total: int
    filtered: int


@dataclass(frozen=True, slots=True)
class User:
    """A person. Times in Unix milliseconds; `number` is the integer id beside the UUID."""

    uuid: str
    number: int
    email: str
    name: str
    title: str | None
    is_disabled: bool
    is_pending: bool
    created_at: int
    modified_at: int
    last_login_at: int | None
    role_uuids: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """`Pending` until the person has a password."""
        return "Disabled" if self.is_disabled else "Pending" if self.is_pending else "Active"

    @property
    def shown_name(self) -> str:
        return self.name or self.email


def user_of(row: Row[tuple[object, ...]], role_uuids: Sequence[str] = ()) -> User:
    """A person from a row of `users`."""
    return User(
        uuid=row.uuid,
        number=row.number,
        email=row.email,
        name=row.name,
        title=row.title,
        is_disabled=row.is_disabled,
        is_pending=row.password_hash is None,
        created_at=row.created_at,
        modified_at=row.modified_at,
        last_login_at=row.last_login_at,
        role_uuids=tuple(role_uuids),
    )


def users_where(session: Session, *conditions: ColumnElement[bool]) -> list[User]:
    """People with their roles, by number."""
    rows = session.execute(select(users).where(*conditions).order_by(users.c.number)).all()
    held = roles_of(session, [row.uuid for row in rows])
    return [user_of(row, held.get(row.uuid, ())) for row in rows]


def roles_of(session: Session, user_uuids: Sequence[str]) -> dict[str, list[str]]:
    """UUIDs of the roles of each person, by the roles' names."""
    held: dict[str, list[str]] = {}
    joined = user_roles.join(roles, roles.c.uuid == user_roles.c.role_uuid)
    chosen = select(user_roles).select_from(joined).where(user_roles.c.user_uuid.in_(user_uuids)).order_by(roles.c.name)
    for row in session.execute(chosen):
        held.setdefault(row.user_uuid, []).append(row.role_uuid)
    return held


def permissions_of(session: Session, user_uuid: str) -> frozenset[str]:
    """The union of the person's roles."""
    joined = user_roles.join(role_permissions, role_permissions.c.role_uuid == user_roles.c.role_uuid)
    chosen = select(role_permissions.c.permission).select_from(joined).where(user_roles.c.user_uuid == user_uuid)
    return frozenset(session.execute(chosen).scalars())


def keep_an_admin(session: Session) -> None:
    """Raises `Conflict` if no one is left who can sign in and holds the role Admin; call it after the change."""
    able = and_(users.c.is_disabled.is_(False), users.c.password_hash.is_not(None), roles.c.builtin == ADMIN)
    joined = user_roles.join(users, users.c.uuid == user_roles.c.user_uuid).join(
        roles, roles.c.uuid == user_roles.c.role_uuid
    )
    if not session.execute(select(func.count()).select_from(joined).where(able)).scalar():
        raise Conflict("this would leave nobody with the role Admin; give it to somebody else first")
