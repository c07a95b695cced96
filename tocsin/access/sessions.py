"""Sign-in with a password, and the sessions that it begins.

A session's token travels in a cookie and is stored hashed. It ends after a time without requests, at an absolute
age, at sign-out, with a new password, and with its user.
"""

import hmac
from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy import delete, select, update

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.access.names import clean_email
from tocsin.access.passwords import LONGEST, Passwords
from tocsin.access.people import permissions_of, user_of
from tocsin.access.secrets import RandomBytes, csrf_token, hashed, new_token
from tocsin.access.tables import sessions, users
from tocsin.access.throttle import Throttle
from tocsin.access.usage import Usage
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Forbidden, Unauthorized
from tocsin.store.state import StateStore

REFUSED = "e-mail or password is wrong"
"""The same for unknown, disabled and invited people, so that nobody learns who exists."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session as its owner sees it. `token` is for the cookie only; `expires_at` in Unix milliseconds."""

    token: str
    csrf_token: str
    expires_at: int


class Sessions:
    """Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        random: RandomBytes,
        passwords: Passwords,
        usage: Usage,
        throttle: Throttle,
        *,
        idle_ms: int,
        longest_ms: int,
    ) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._random = random
        self._passwords = passwords
        self._usage = usage
        self._idle_ms = idle_ms
        self._longest_ms = longest_ms
        self._throttle = throttle

    def sign_in(self, email: str, password: str, *, ip: str | None, previous: str | None = None) -> SignedIn:
        """Begin a session; the `previous` one of the same browser ends, so that a planted cookie is worth nothing.

        Raises `Unauthorized` with one and the same message and after the same work whatever is wrong, and
        `TooManyRequests` after too many failures.
        """
        try:
            account = clean_email(email)
        except BadRequest:
            account = ""
        self._throttle.attempt(account, ip or "")
        with self._state.reading() as session:
            row = session.execute(select(users).where(users.c.email == account)).first()
        is_right = self._passwords.verify(row.password_hash if row else None, password[: LONGEST + 1])
        if row is None or not is_right or row.is_disabled:
            self._refuse(account, row.uuid if row else "", ip)
        self._throttle.succeeded(account, ip or "")
        now = self._clock()
        values: dict[str, object] = {"last_login_at": now}
        if self._passwords.is_outdated(row.password_hash):
            values["password_hash"] = self._passwords.hash(password)
        signed_in = self._fresh(now)
        actor = Actor(row.uuid, row.number, row.email, row.name or row.email, frozenset(), ip=ip)
        with self._state.transaction() as session:
            unchanged = (users.c.uuid == row.uuid) & (users.c.password_hash == row.password_hash)
            still = session.execute(
                update(users).where(unchanged, users.c.is_disabled.is_(False)).values(values)
            ).rowcount  # type: ignore[attr-defined]
            if not still:  # disabled, or a new password, while this one was being checked
                raise Unauthorized(REFUSED)
            ended = [hashed(previous)] if previous else []
            long_ago = sessions.c.expires_at <= now
            session.execute(delete(sessions).where(sessions.c.token_hash.in_(ended) | long_ago))
            session.execute(
                sessions.insert().values(
                    token_hash=hashed(signed_in.token),
                    user_uuid=row.uuid,
                    created_at=now,
                    last_seen_at=now,
                    expires_at=signed_in.expires_at,
                )
            )
            self._audit.record(session, actor, "login", "user", row.uuid, row.email)
        return signed_in

    def actor(self, token: str, *, ip: str | None = None, request: tuple[str, str, str] | None = None) -> Actor:
        """Whose session it is. Raises `Unauthorized` if it has ended."""
        token_hash = hashed(token)
        with self._state.reading() as session:
            joined = sessions.join(users, users.c.uuid == sessions.c.user_uuid)
            chosen = select(users, sessions.c.last_seen_at, sessions.c.expires_at).select_from(joined)
            row = session.execute(chosen.where(sessions.c.token_hash == token_hash)).first()
            if row is None or row.is_disabled or self._ends_at(token_hash, row.last_seen_at, row.expires_at) is None:
                raise Unauthorized
            permissions = permissions_of(session, row.uuid)
        self._usage.note("session", token_hash)
        user = user_of(row)
        return Actor(user.uuid, user.number, user.email, user.shown_name, permissions, ip=ip, request=request)

    def current(self, token: str) -> SignedIn:
        """The session as it stands. Raises `Unauthorized` if it has ended."""
        token_hash = hashed(token)
        with self._state.reading() as session:
            row = session.execute(select(sessions).where(sessions.c.token_hash == token_hash)).first()
        ends_at = self._ends_at(token_hash, row.last_seen_at, row.expires_at) if row else None
        if ends_at is None:
            raise Unauthorized
        return SignedIn(token, csrf_token(token), ends_at)

    def check_csrf(self, token: str, given: str) -> None:
        """Raises `Forbidden` unless the request carries its session's own token (which other sites cannot know)."""
        if not hmac.compare_digest(csrf_token(token).encode(), given.encode("utf-8", "replace")):
            raise Forbidden("Forbidden", "the X-CSRF-Token header is missing or of another session; reload the page")

    def sign_out(self, token: str, by: Actor) -> None:
        """End one session."""
        with self._state.transaction() as session:
            session.execute(delete(sessions).where(sessions.c.token_hash == hashed(token)))
            self._audit.record(session, by, "logout", "user", by.user_uuid, by.handle)

    def sign_out_everywhere(self, by: Actor) -> None:
        """End all sessions of the person."""
        with self._state.transaction() as session:
            session.execute(delete(sessions).where(sessions.c.user_uuid == by.user_uuid))
            self._audit.record(session, by, "logout", "user", by.user_uuid, by.handle, new_value={"sessions": "all"})

    def _fresh(self, now: int) -> SignedIn:
        token = new_token(self._random)
        return SignedIn(token, csrf_token(token), now + self._longest_ms)

    def _ends_at(self, token_hash: str, last_seen_at: int, expires_at: int) -> int | None:
        seen = self._usage.latest("session", token_hash, last_seen_at) or last_seen_at
        ends_at = min(seen + self._idle_ms, expires_at)
        return ends_at if ends_at > self._clock() else None

    def _refuse(self, account: str, user_uuid: str, ip: str | None) -> NoReturn:
        nobody = Actor(user_uuid, -1, account, account, frozenset(), ip=ip)
        with self._state.transaction() as session:
            message = f"sign-in as {account or 'an invalid address'} failed"
            self._audit.record(session, nobody, "login", "user", user_uuid, account, status="error", message=message)
        raise Unauthorized(REFUSED)
