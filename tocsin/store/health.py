"""Do the stores answer, and in the shape that this version knows?"""

import structlog

from tocsin.errors import TocsinError
from tocsin.query import Sql
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore

log = structlog.get_logger("health")

OK = "ok"


def check_stores(state: StateStore, events: EventStore | None) -> dict[str, str]:
    """`ok` or what is wrong, by store. Details are for our log, since anybody may read the answer."""
    checks = {}
    try:
        checks["state"] = OK if state.is_current() else "its schema is of another version"
    except TocsinError as error:
        log.error("the state store failed its check", reasons=error.reasons)
        checks["state"] = "does not answer"
    if events is not None:
        try:
            events.query(Sql("SELECT 1"))
            checks["events"] = OK
        except TocsinError as error:
            log.error("the event store failed its check", reasons=error.reasons)
            checks["events"] = "does not answer"
    return checks
