"""Errors that carry their data, so that the edge can answer with what was wrong, where, and what to do.

TocsinError
├── BadRequest          400  the caller's input is wrong
├── Unauthorized        401  nobody is signed in
├── Forbidden           403  signed in, but not permitted
├── NotFound            404
├── Conflict            409  stale version, taken name
├── TooLarge            413
├── Unprocessable       422
├── TooManyRequests     429  carries how long to wait
├── Abandoned           499  nobody waits for the answer any more
├── Unavailable         503  a store does not answer, the disk is full
└── LimitExceeded       400  a query hit its limit of time, memory or rows
"""


class TocsinError(Exception):
    """Base of all errors that a caller may see. `reasons` are sentences, the first one general."""

    status = 500

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons: tuple[str, ...] = reasons or (type(self).__name__,)

    def __str__(self) -> str:
        return "; ".join(self.reasons)


class BadRequest(TocsinError):
    status = 400


class UnreadableText(BadRequest):
    """A text in a language of ours that cannot be read. `start` and `end` are character positions in it."""

    def __init__(self, code: str, start: int, end: int, message: str, advice: str = "") -> None:
        super().__init__(f"{message} (at character {start + 1})" + (f"; {advice}" if advice else ""))
        self.code = code
        self.start = start
        self.end = end
        self.message = message


class LimitExceeded(BadRequest):
    """A query ran into its limit of time, memory or rows; the message says which and what to narrow."""


class Unauthorized(TocsinError):
    status = 401

    def __init__(self, *reasons: str) -> None:
        super().__init__(*(reasons or ("Unauthorized",)))


class Forbidden(TocsinError):
    status = 403

    def __init__(self, *reasons: str) -> None:
        super().__init__(*(reasons or ("Forbidden",)))


class NotFound(TocsinError):
    status = 404


class Conflict(TocsinError):
    status = 409


class TooLarge(TocsinError):
    status = 413


class Unprocessable(TocsinError):
    status = 422


class TooManyRequests(TocsinError):
    """The caller should come again after `retry_after_seconds`."""

    status = 429

    def __init__(self, *reasons: str, retry_after_seconds: int = 1) -> None:
        super().__init__(*reasons)
        self.retry_after_seconds = retry_after_seconds


class Abandoned(TocsinError):
    """Nobody waits for the answer any more, so the work was ended; it says nothing about the request."""

    status = 499


class Unavailable(TocsinError):
    """A passing fault on our side: the caller may repeat the same request later."""

    status = 503
