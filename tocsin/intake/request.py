"""One intake request as it came off the wire, before anything was made of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """A body with what its headers and query said about it.

    `source`, `service`, `host` and `tags` are defaults for records that do not say (`ddsource`, `service`, `hostname`,
    `ddtags` of the query, api.md §2). `received_at` is in Unix milliseconds.
    """

    body: bytes
    received_at: int
    content_type: str = "application/json"
    content_encoding: str = ""
    source: str | None = None
    service: str | None = None
    host: str | None = None
    tags: tuple[str, ...] = ()


def request_of(body: bytes, headers: Mapping[str, str], query: Mapping[str, str], received_at: int) -> Request:
    """Read headers (lower-case names) and query parameters as shippers write them."""
    return Request(
        body=body,
        received_at=received_at,
        content_type=headers.get("content-type", ""),
        content_encoding=headers.get("content-encoding", ""),
        source=query.get("ddsource") or query.get("source") or None,
        service=query.get("service") or None,
        host=query.get("hostname") or query.get("host") or None,
        tags=tuple(tag.strip() for tag in query.get("ddtags", "").split(",") if tag.strip()),
    )
