"""Who does something: a person, or the system itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, with what right, from where.

    `handle` is the e-mail address in lower case, `user_id` the user's number. `kind` says how the actor proved itself:
    `user` (session), `api_key` (keys), `system`. `key_id` names the key that was used. `is_scoped` is true if an
    application key narrows the permissions. `request` is method, path and user agent, for the audit trail.
    """

    user_uuid: str
    user_id: int
    handle: str
    name: str
    permissions: frozenset[str]
    kind: str = "user"
    ip: str | None = None
    key_id: str | None = None
    is_scoped: bool = False
    request: tuple[str, str, str] | None = None

    def may(self, permission: str) -> bool:
        return permission in self.permissions


SYSTEM = Actor(user_uuid="", user_id=-1, handle="system", name="Tocsin", permissions=frozenset(), kind="system")
"""Tocsin itself: first start, clock-driven changes. Services do not ask it for permissions."""
