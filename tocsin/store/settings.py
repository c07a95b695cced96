"""Small things to remember: watermarks, the installation's id, secrets that were generated once."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tocsin.store.tables import settings


def get(session: Session, name: str, default: Any = None) -> Any:
    """The JSON value stored under a name, or `default`."""
    row = session.execute(select(settings.c.value).where(settings.c.name == name)).first()
    return default if row is None else row.value


def put(session: Session, name: str, value: Any, now: int) -> None:
    """Store a JSON value under a name. `now` in Unix milliseconds. Needs a writing transaction."""
    values = {"value": value, "updated_at": now}
    if not session.execute(update(settings).where(settings.c.name == name).values(values)).rowcount:  # type: ignore[attr-defined]
        session.execute(settings.insert().values(name=name, **values))


def get_or_put(session: Session, name: str, make: Callable[[], Any], now: int) -> Any:
    """The stored value; what `make` returns is stored first if there is none. Needs a writing transaction."""
    value = get(session, name)
    if value is None:
        value = make()
        put(session, name, value, now)
    return value
