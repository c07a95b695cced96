"""Invitations: a token, for one person, for some days, that lets them choose a password once."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from tocsin.access.names import check_uuid
from tocsin.access.secrets import RandomBytes, hashed, new_token, new_uuid
from tocsin.access.tables import invitations, users
from tocsin.errors import NotFound

VALID_MS = 7 * 24 * 3_600_000

GONE = "this invitation is unknown, used or out of date; ask for a new one"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Times in Unix milliseconds. `token` is known at its creation only, empty afterwards."""

    uuid: str
    user_uuid: str
    created_at: int
    expires_at: int
    token: str = ""


def invite(session: Session, user_uuid: str, random: RandomBytes, now: int) -> Invitation:
    """A new invitation; earlier ones of the person end."""
    made = Invitation(new_uuid(random), user_uuid, now, now + VALID_MS, new_token(random))
    session.execute(delete(invitations).where(invitations.c.user_uuid == user_uuid))
    session.execute(
        insert(invitations).values(
            uuid=made.uuid,
            token_hash=hashed(made.token),
            user_uuid=user_uuid,
            created_at=now,
            expires_at=made.expires_at,
        )
    )
    return made


def find_invited(session: Session, token: str, now: int) -> str:
    """UUID of the person that an invitation is for. Raises `NotFound`."""
    joined = invitations.join(users, users.c.uuid == invitations.c.user_uuid)
    valid = (
        (invitations.c.token_hash == hashed(token)) & (invitations.c.expires_at > now) & users.c.is_disabled.is_(False)
    )
    found = session.execute(select(invitations.c.user_uuid).select_from(joined).where(valid)).scalar()
    if found is None:
        raise NotFound(GONE)
    return str(found)


def get_invitation(session: Session, invitation_id: str) -> Invitation:
    """Raises `NotFound`."""
    uuid = check_uuid(invitation_id, "Invitation not found")
    row = session.execute(select(invitations).where(invitations.c.uuid == uuid)).first()
    if row is None:
        raise NotFound("Invitation not found")
    return Invitation(row.uuid, row.user_uuid, row.created_at, row.expires_at)
