"""Buckets of a time series that read well: whole minutes, hours and days, on their usual boundaries."""

from tocsin.errors import BadRequest

MAX_BUCKETS = 2000

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(_SECOND * n for n in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 7, 14, 28, 91, 182, 364)),
)


def interval_for(start: int, end: int, buckets: int) -> int:
    """The smallest interval that needs at most `buckets` for the span; milliseconds."""
    if not 1 <= buckets <= MAX_BUCKETS:
        raise BadRequest(f"buckets is 1 to {MAX_BUCKETS:,}, not {buckets}")
    for step in _STEPS:
        if bucket_count(start, end, step) <= buckets:
            return step
    return -(-(end - start) // (max(buckets - 1, 1) * _DAY)) * _DAY


def bucket_count(start: int, end: int, interval: int) -> int:
    """Buckets on multiples of the interval that the span touches; a span of nothing touches one."""
    return max(end - 1, start) // interval - start // interval + 1


def checked_interval(start: int, end: int, interval: int) -> int:
    """The interval that a request asks for. Raises `BadRequest` when that makes too many buckets."""
    if interval < 1 or bucket_count(start, end, interval) > MAX_BUCKETS:
        raise BadRequest(f"interval_ms makes more than {MAX_BUCKETS:,} buckets: use a larger one")
    return interval
