"""Access in one piece: people, roles, keys, sessions and the first start."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.keys import Keys
from tocsin.access.names import clean_email
from tocsin.access.passwords import Passwords, check_rules
from tocsin.access.permissions import ADMIN, PERMISSIONS
from tocsin.access.restriction_policies import RestrictionPolicies
from tocsin.access.roles import Roles
from tocsin.access.secrets import (
    RandomBytes,
    check_key_setting,
    new_api_key,
    new_application_key,
    new_password,
    new_uuid,
)
from tocsin.access.sessions import Sessions
from tocsin.access.tables import user_roles, users
from tocsin.access.throttle import Throttle
from tocsin.access.usage import Usage
from tocsin.access.users import Users
from tocsin.clock import Clock
from tocsin.config import BadSetting, Config
from tocsin.errors import BadRequest
from tocsin.store import settings
from tocsin.store.state import StateStore

DEFAULT_ADMIN = "admin@localhost"

ORGANISATION = "organisation"
"""Name of the setting that holds the installation's id."""


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What the first start made. Each secret is here only, and nowhere else in clear."""

    email: str
    password: str
    api_key: str
    app_key: str
    is_password_generated: bool


class Access:
    """Everything about who may do what: `users`, `roles`, `keys`, `sessions`, `restrictions`."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        config: Config,
        *,
        random: RandomBytes = secrets.token_bytes,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """`hasher` with lower costs makes tests fast; `random` as `secrets.token_bytes`."""
        self._state = state
        self._random = random
        self._clock = clock
        self._audit = audit
        self._config = config
        self._passwords = Passwords(hasher)
        self._usage = Usage(state, clock)
        throttle = Throttle(clock)
        self.users = Users(state, audit, clock, random, self._passwords, throttle)
        self.roles = Roles(state, audit, clock, random)
        self.keys = Keys(state, audit, clock, random, self._usage)
        self.restrictions = RestrictionPolicies(state, audit, lambda: self.organisation)
        self.sessions = Sessions(
            state,
            audit,
            clock,
            random,
            self._passwords,
            self._usage,
            throttle,
            idle_ms=config.session_idle_minutes * 60_000,
            longest_ms=config.session_hours * 3_600_000,
        )

    def bootstrap(self, keep: Callable[[FirstStart], None] = lambda made: None) -> FirstStart | None:
        """At every start: bring the shipped roles up to date. At the first: make an administrator and keys.

        They come from the settings `admin_email`, `admin_password`, `api_key`, `app_key`; what is not set is made up.
        Returns them at the first start, else None. `keep` gets them before anything is committed, so that no kill can
        leave an administrator whose password nobody knows; it may be called again if the commit fails.
        Raises `BadSetting`.
        """
        with self._state.transaction() as session:
            self.roles.refresh_builtin(session)
            if session.execute(select(users.c.uuid).limit(1)).first():
                return None
        made = self._first()
        password_hash = self._passwords.hash(made.password)
        with self._state.transaction() as session:
            if session.execute(select(func.count()).select_from(users)).scalar():
                return None  # another process was faster
            admin = self._create_admin(session, made.email, password_hash)
            self.keys.add_api_key(session, "First key", admin, key=made.api_key)
            self.keys.add_application_key(session, "First key", admin, key=made.app_key)
            keep(made)
        return made

    @cached_property
    def organisation(self) -> str:
        """The id of this installation, a UUID; made at the first start and kept."""
        with self._state.reading() as session:
            known = settings.get(session, ORGANISATION)
        if known is None:
            with self._state.transaction() as session:
                known = settings.get_or_put(session, ORGANISATION, lambda: new_uuid(self._random), self._clock())
        return str(known)

    def flush(self) -> None:
        """Write when keys and sessions were last used; for a worker, every half minute and at the end."""
        self._usage.flush()

    def _first(self) -> FirstStart:
        config = self._config
        try:
            email = clean_email(config.admin_email or DEFAULT_ADMIN)
            if config.admin_password:
                check_rules(config.admin_password, email)
        except BadRequest as error:
            raise BadSetting(f"the first administrator (settings admin_email, admin_password): {error}") from error
        return FirstStart(
            email=email,
            password=config.admin_password or new_password(self._random),
            api_key=check_key_setting("api_key", config.api_key or new_api_key(self._random), 32),
            app_key=check_key_setting("app_key", config.app_key or new_application_key(self._random), 40),
            is_password_generated=not config.admin_password,
        )

    def _create_admin(self, session: Session, email: str, password_hash: str) -> Actor:
        uuid, now = new_uuid(self._random), self._clock()
        values = {"uuid": uuid, "number": 1, "email": email, "name": "Administrator", "password_hash": password_hash}
        session.execute(insert(users).values(**values, is_disabled=False, created_at=now, modified_at=now))
        role_uuid = self.roles.builtin_uuid(session, ADMIN)
        session.execute(insert(user_roles).values(user_uuid=uuid, role_uuid=role_uuid))
        self._audit.record(
            session, SYSTEM, "created", "user", uuid, email, new_value={"email": email, "roles": ["Admin"]}
        )
        return Actor(uuid, 1, email, "Administrator", frozenset(PERMISSIONS), kind="system")
