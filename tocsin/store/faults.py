"""Errors of the event store, and the engine's told as ours: what a caller can do about them."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from urllib3.exceptions import MaxRetryError

from tocsin.errors import Abandoned, LimitExceeded, TocsinError, Unavailable


class SchemaTooNew(TocsinError):
    """The data were written by a newer Tocsin than this one."""


class DirectoryInUse(TocsinError):
    """Another process has the data directory open."""


# Codes of the engine's ErrorCodes.cpp.
_TIME = frozenset({159, 160})
_ROWS = frozenset({158, 307, 396})
_MEMORY = 241
_COMPLEXITY = frozenset({167, 168, 306})
_BROKEN = frozenset({32, 33, 74, 75, 76, 198, 202, 203, 209, 210, 243, 252, 279, 425, 499})
_SYNTAX = 62
_CANCELLED = frozenset({394, 735})

_NARROW = "shorten the time range or add a clause to the query"


@contextmanager
def told() -> Iterator[None]:
    """Turn limits into `LimitExceeded` and passing faults into `Unavailable`; what is our mistake stays as it is."""
    try:
        yield
    except OperationalError as error:
        raise Unavailable(f"the event store does not answer: {_first_line(_reason(error))}") from error
    except DatabaseError as error:
        found = _translate(error)
        if found is None:
            raise
        raise found from error


def _translate(error: DatabaseError) -> TocsinError | None:
    code, text = error.code, str(error)
    if code in _TIME:
        return LimitExceeded(f"the query took longer than a query may: {_NARROW}")
    if code in _CANCELLED:
        return Abandoned("the query was cancelled")
    if code in _ROWS:
        return LimitExceeded(f"the query would read more rows than a query may: {_NARROW}")
    if code == _MEMORY and ("Query memory limit" in text or "(for query)" in text):
        return LimitExceeded(f"the query needs more memory than a query may: {_NARROW}")
    if code == _MEMORY:
        return Unavailable("the event store is short of memory; try again in a moment")
    if code in _COMPLEXITY or (code == _SYNTAX and "Max query size exceeded" in text):
        return LimitExceeded("the query is too large or too deeply nested: use fewer clauses")
    if "No space left on device" in text or "errno: 28" in text or code == 243:
        return Unavailable("the disk of the event store is full: free space or shorten the retention")
    if code in _BROKEN:
        return Unavailable(f"the event store does not answer: {_first_line(error)}")
    return None


def _reason(error: Exception) -> Exception:
    """Of a connection that could not be made: why, without the addresses and numbers of the attempts."""
    cause = error.__cause__
    return cause.reason if isinstance(cause, MaxRetryError) and cause.reason else error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
