"""The audit trail: every change is an event of the track `audit` (siem.md §11.4).

`AuditTrail.record` leaves the event in the outbox within the caller's transaction, so that a change without its entry,
or an entry without its change, cannot be. `project` brings entries to the event store, safe to run twice.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from tocsin.access import repository
from tocsin.access.actor import Actor
from tocsin.clock import Clock
from tocsin.event import Event, event_id
from tocsin.store import outbox
from tocsin.store.events import EventStore
from tocsin.store.outbox import Message, Outbox
from tocsin.store.rows import encode_audit

TOPIC = "audit"

EVENT_NAMES = {
    "user": "Access Management",
    "role": "Access Management",
    "password": "Access Management",
    "application_key": "Access Management",
    "restriction_policy": "Access Management",
    "api_key": "Authentication",
    "session": "Authentication",
    "index": "Log Management",
    "pipeline": "Log Management",
    "rejected_event": "Log Management",
}
"""`evt.name` by type of asset; everything else is `Cloud Security Platform`."""

_ACTOR_TYPES = {"user": "USER", "api_key": "USER", "system": "SYSTEM"}
_AUTH_METHODS = {"user": "SESSION", "api_key": "API_AND_APPLICATION_KEY"}


class AuditTrail:
    """Records who did what. One object serves all threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def record(
        self,
        session: Session,
        actor: Actor,
        action: str,
        asset_type: str,
        asset_id: str,
        asset_name: str = "",
        prev_value: Any = None,
        new_value: Any = None,
        *,
        status: str = "info",
        message: str = "",
    ) -> None:
        """Leave one entry in the transaction. `action` is created, modified, deleted, accessed, login, …

        `prev_value` and `new_value` are JSON values without secrets. `status` is info, warn or error. Without `message`
        the entry gets a sentence made of the other values.
        """
        now = self._clock()
        asset = {
            "type": asset_type,
            "id": asset_id,
            "name": asset_name,
            "prev_value": prev_value,
            "new_value": new_value,
        }
        attributes: dict[str, Any] = {
            "evt": {
                "name": EVENT_NAMES.get(asset_type, "Cloud Security Platform"),
                "actor": {"type": _ACTOR_TYPES[actor.kind]},
            },
            "action": action,
            "asset": {name: value for name, value in asset.items() if value not in (None, "")},
            "usr": {"id": actor.handle, "uuid": actor.user_uuid, "email": actor.handle, "name": actor.name},
        }
        if actor.kind in _AUTH_METHODS:
            attributes["auth_method"] = _AUTH_METHODS[actor.kind]
        if actor.key_id:
            attributes["key"] = {"id": actor.key_id}
        if actor.ip:
            attributes["network"] = {"client": {"ip": actor.ip}}
        if actor.request:
            method, path, agent = actor.request
            attributes["http"] = {"method": method, "url_details": {"path": path}, "useragent": agent}
        entry = {
            "timestamp": now,
            "status": status,
            "message": message or f"{actor.handle} {action} {asset_type.replace('_', ' ')} {asset_name or asset_id}",
            "attributes": attributes,
        }
        outbox.add(session, TOPIC, asset_id[:256], entry, now)


def project(events: EventStore, clock: Clock, messages: Sequence[Message]) -> None:
    """Bring entries to the track `audit`; those that a run that was killed has brought already stay as they are."""
    entries = {_id(message): message for message in messages}
    times = [message.payload["timestamp"] for message in messages]
    there = repository.audit_ids(events, list(entries), min(times), max(times))
    now = clock()
    lines = [encode_audit(_event(id, message, now)) for id, message in entries.items() if id not in there]
    if lines:
        events.insert("audit", b"\n".join(lines), len(lines))


def drain(box: Outbox, events: EventStore, clock: Clock, limit: int = 500) -> int:
    """Project the oldest waiting entries; how many there were. For the worker, which repeats it."""
    return box.drain(TOPIC, partial(project, events, clock), limit)


def _id(message: Message) -> str:
    return event_id(message.payload["timestamp"], b"audit:%d:%d" % (message.id, message.created_at))


def _event(id: str, message: Message, now: int) -> Event:
    return Event(
        id=id,
        timestamp=message.payload["timestamp"],
        message=message.payload["message"],
        status=message.payload["status"],
        service="tocsin",
        source="audit",
        tags=["source:audit"],
        attributes=message.payload["attributes"],
        ingested_at=now,
    )
