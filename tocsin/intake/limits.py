"""What one intake request may hold (api.md §2, siem.md §1.3)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. A request over a limit is refused with 413 as a whole, never cut silently."""

    body_bytes: int = 5_000_000
    """Of the body after decompression; the Agent's own ceiling for one payload."""
    records: int = 1_000
    body_seconds: float = 30.0
    """A body that takes longer to arrive is answered 408, which every shipper repeats."""


LIMITS = Limits()
