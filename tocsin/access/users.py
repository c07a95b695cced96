"""People: invited, with a password, disabled; never deleted, since signals and the audit trail name them."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.invitations import Invitation, find_invited, get_invitation, invite
from tocsin.access.names import check_uuid, clean_email, clean_name
from tocsin.access.passwords import Passwords, check_rules
from tocsin.access.people import Page, User, keep_an_admin, permissions_of, users_where
from tocsin.access.permissions import STANDARD
from tocsin.access.secrets import RandomBytes, hashed, new_uuid
from tocsin.access.tables import application_keys, invitations, role_permissions, roles, sessions, user_roles, users
from tocsin.access.throttle import Throttle
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, Forbidden, NotFound
from tocsin.store.state import StateStore

SORTABLE = ("name", "email", "title", "status", "created_at", "modified_at", "last_login_at")
STATUSES = ("Active", "Pending", "Disabled")

MANAGE = "user_access_manage"


class Users:
    """Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        random: RandomBytes,
        passwords: Passwords,
        throttle: Throttle,
    ) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._random = random
        self._passwords = passwords
        self._throttle = throttle

    def list(
        self,
        *,
        text: str = "",
        statuses: Sequence[str] = (),
        sort: str = "name",
        is_descending: bool = False,
        size: int = 10,
        number: int = 0,
    ) -> Page[User]:
        """A page of people whose name, e-mail or title contains `text`; `sort` is one of `SORTABLE`."""
        if sort not in SORTABLE:
            raise BadRequest(f"sort: cannot sort by '{sort}'; use {', '.join(SORTABLE)}")
        if unknown := [status for status in statuses if status not in STATUSES]:
            raise BadRequest(f"filter[status]: unknown status '{unknown[0]}'; use {', '.join(STATUSES)}")
        with self._state.reading() as session:
            everyone = users_where(session)
        needle = text.strip().lower()
        kept = [
            user
            for user in everyone
            if (not statuses or user.status in statuses)
            and any(needle in part.lower() for part in (user.name, user.email, user.title or ""))
        ]
        kept.sort(key=lambda user: (getattr(user, sort) or 0) if sort.endswith("_at") else (getattr(user, sort) or ""))
        if is_descending:
            kept.reverse()
        return Page(tuple(kept[number * size : (number + 1) * size]), len(everyone), len(kept))

    def get(self, user_id: str) -> User:
        """Raises `NotFound`."""
        with self._state.reading() as session:
            return _get(session, user_id)

    def find(self, user_id: str) -> User | None:
        """The person with this UUID, None if there is none."""
        with self._state.reading() as session:
            found = users_where(session, users.c.uuid == user_id)
        return found[0] if found else None

    def find_by_handle(self, handle: str) -> User | None:
        """The person with this e-mail address in any case, None if there is none."""
        try:
            email = clean_email(handle)
        except BadRequest:
            return None
        with self._state.reading() as session:
            found = users_where(session, users.c.email == email)
        return found[0] if found else None

    def some(self, uuids: Iterable[str]) -> tuple[User, ...]:
        """Those of the people who exist, by number."""
        with self._state.reading() as session:
            return tuple(users_where(session, users.c.uuid.in_(list(uuids))))

    def permissions(self, user_id: str) -> frozenset[str]:
        """What the person may do: the union of their roles."""
        with self._state.reading() as session:
            return permissions_of(session, _get(session, user_id).uuid)

    def create(
        self,
        email: str,
        by: Actor,
        *,
        name: str = "",
        title: str | None = None,
        role_ids: Sequence[str] | None = None,
        password: str | None = None,
    ) -> User:
        """A new person with these roles (none named: Standard), pending until they have a password.

        Raises `Conflict` for a known address, and `Forbidden` for roles with permissions that the inviter lacks.
        """
        email = clean_email(email)
        if password is not None:
            check_rules(password, email)
        values = {
            "uuid": new_uuid(self._random),
            "email": email,
            "name": clean_name(name, "name", may_be_empty=True),
            "title": clean_name(title, "title") if title else None,
            "password_hash": None if password is None else self._passwords.hash(password),
            "is_disabled": False,
            "created_at": self._clock(),
            "modified_at": self._clock(),
        }
        with self._state.transaction() as session:
            if session.execute(select(users.c.uuid).where(users.c.email == email)).first():
                raise Conflict(f"a user with the e-mail {email} exists already")
            number = (session.execute(select(func.max(users.c.number))).scalar() or 0) + 1
            session.execute(insert(users).values(number=number, **values))
            given = _standard(session) if role_ids is None else [_role_uuid(session, role_id) for role_id in role_ids]
            if given:
                pairs = [{"user_uuid": values["uuid"], "role_uuid": role_uuid} for role_uuid in dict.fromkeys(given)]
                session.execute(insert(user_roles), pairs)
            _check_grant(session, given, by)
            user = _get(session, str(values["uuid"]))
            self._audit.record(session, by, "created", "user", user.uuid, email, new_value=_audited(session, user))
        return user

    def update(
        self,
        user_id: str,
        by: Actor,
        *,
        name: str | None = None,
        email: str | None = None,
        title: str | None = None,
        is_disabled: bool | None = None,
    ) -> User:
        """Change what is given. Raises `Conflict` for a taken address, and rather than lose the last Admin."""
        changes: dict[str, object] = {}
        if name is not None:
            changes["name"] = clean_name(name, "name", may_be_empty=True)
        if title is not None:
            changes["title"] = clean_name(title, "title", may_be_empty=True) or None
        if email is not None:
            changes["email"] = clean_email(email)
        if is_disabled is not None:
            changes["is_disabled"] = is_disabled
        with self._state.transaction() as session:
            before = _get(session, user_id)
            other = (users.c.email == changes.get("email")) & (users.c.uuid != before.uuid)
            if email is not None and session.execute(select(users.c.uuid).where(other)).first():
                raise Conflict(f"a user with the e-mail {changes['email']} exists already")
            if all(getattr(before, name) == value for name, value in changes.items()):
                return before
            changes["modified_at"] = self._clock()
            session.execute(update(users).where(users.c.uuid == before.uuid).values(changes))
            if is_disabled and not before.is_disabled:
                keep_an_admin(session)
                for table in (sessions, application_keys, invitations):
                    session.execute(delete(table).where(table.c.user_uuid == before.uuid))
            after = _get(session, before.uuid)
            self._audit.record(
                session,
                by,
                "modified",
                "user",
                after.uuid,
                after.email,
                prev_value=_audited(session, before),
                new_value=_audited(session, after),
            )
        return after

    def disable(self, user_id: str, by: Actor) -> None:
        """No more sign-in; sessions and application keys end (api.md §13)."""
        self.update(user_id, by, is_disabled=True)

    def set_password(self, user_id: str, password: str, by: Actor) -> None:
        """Give somebody a password; all their sessions end."""
        user = self.get(user_id)
        self._store_password(user, password, by, keep_session=None)

    def change_own_password(self, by: Actor, current: str, password: str, *, keep_session: str | None) -> None:
        """A new password for the actor, who proves the current one; all sessions but `keep_session` (a token) end."""
        user = self.get(by.user_uuid)
        self._throttle.attempt(user.email, by.ip or "")
        with self._state.reading() as session:
            stored = session.execute(select(users.c.password_hash).where(users.c.uuid == user.uuid)).scalar()
        if not self._passwords.verify(stored, current):
            raise BadRequest("current_password: is wrong")
        self._throttle.succeeded(user.email, by.ip or "")
        self._store_password(user, password, by, keep_session=keep_session)

    def invite(self, user_ids: Sequence[str], by: Actor) -> tuple[Invitation, ...]:
        """Links by which pending people set their first password (others: a new one, which needs `MANAGE`).

        Raises `Forbidden` for people who may do more than the inviter.
        """
        made = []
        with self._state.transaction() as session:
            for user_id in dict.fromkeys(user_ids):
                user = _get(session, user_id)
                if user.is_disabled:
                    raise Conflict(f"{user.email} is disabled")
                if not by.may(MANAGE) and not (
                    user.is_pending and permissions_of(session, user.uuid) <= by.permissions
                ):
                    raise Forbidden("Forbidden", f"to invite {user.email} again needs the permission {MANAGE}")
                made.append(invite(session, user.uuid, self._random, self._clock()))
                self._audit.record(session, by, "created", "user_invitation", made[-1].uuid, user.email)
        return tuple(made)

    def withdraw_invitations(self, user_id: str, by: Actor) -> None:
        """A person's open invitations end."""
        with self._state.transaction() as session:
            user = _get(session, user_id)
            withdrawn = session.execute(delete(invitations).where(invitations.c.user_uuid == user.uuid)).rowcount  # type: ignore[attr-defined]
            if withdrawn:
                self._audit.record(session, by, "deleted", "user_invitation", user.uuid, user.email)

    def invitation(self, invitation_id: str) -> Invitation:
        """An invitation that is still open, without its token. Raises `NotFound`."""
        with self._state.reading() as session:
            return get_invitation(session, invitation_id)

    def accept(self, token: str, password: str) -> None:
        """Set the password that an invitation allows; it works once. Raises `NotFound`."""
        with self._state.reading() as session:
            user_uuid = find_invited(session, token, self._clock())
            user = _get(session, user_uuid)
        actor = Actor(user.uuid, user.number, user.email, user.shown_name, frozenset())
        self._store_password(user, password, actor, keep_session=None, invitation=token)

    def _store_password(
        self, user: User, password: str, by: Actor, *, keep_session: str | None, invitation: str | None = None
    ) -> None:
        check_rules(password, user.email)
        values = {"password_hash": self._passwords.hash(password), "modified_at": self._clock()}
        with self._state.transaction() as session:
            if invitation is not None:
                find_invited(session, invitation, self._clock())  # still there: two tabs cannot both use it
            session.execute(update(users).where(users.c.uuid == user.uuid).values(values))
            kept = hashed(keep_session) if keep_session else ""
            own = (sessions.c.user_uuid == user.uuid) & (sessions.c.token_hash != kept)
            session.execute(delete(sessions).where(own))
            session.execute(delete(invitations).where(invitations.c.user_uuid == user.uuid))
            self._audit.record(session, by, "modified", "password", user.uuid, user.email)


def _get(session: Session, user_id: str) -> User:
    missing = f"{user_id[:64]} not found"
    found = users_where(session, users.c.uuid == check_uuid(user_id, missing))
    if not found:
        raise NotFound(missing)
    return found[0]


def _standard(session: Session) -> Sequence[str]:
    return session.execute(select(roles.c.uuid).where(roles.c.builtin == STANDARD)).scalars().all()


def _role_uuid(session: Session, role_id: str) -> str:
    """The id of an existing role; in a body a wrong one is the caller's mistake, not a missing page."""
    try:
        uuid = check_uuid(role_id, "")
    except NotFound:
        uuid = ""
    if not session.execute(select(roles.c.uuid).where(roles.c.uuid == uuid)).first():
        raise BadRequest(f"data.relationships.roles: there is no role {role_id[:64]}")
    return uuid


def _check_grant(session: Session, role_uuids: Sequence[str], by: Actor) -> None:
    if by.kind == "system" or by.may(MANAGE):
        return
    granted = select(role_permissions.c.permission).where(role_permissions.c.role_uuid.in_(role_uuids))
    if beyond := sorted(set(session.execute(granted).scalars()) - by.permissions):
        raise Forbidden("Forbidden", f"you cannot give a role with permissions that you lack, such as {beyond[0]}")


def _audited(session: Session, user: User) -> dict[str, object]:
    names = session.execute(select(roles.c.name).where(roles.c.uuid.in_(user.role_uuids)).order_by(roles.c.name))
    return {
        "email": user.email,
        "name": user.name,
        "title": user.title,
        "disabled": user.is_disabled,
        "roles": list(names.scalars()),
    }
