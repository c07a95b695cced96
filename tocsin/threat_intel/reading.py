"""What was read from a feed: its indicators, and what had to be left out and why (siem.md §6.2). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tocsin.enrich.indicators import INTENTIONS, BadIndicator, Indicator, canonical
from tocsin.errors import BadRequest
from tocsin.event import Json

MAX_INDICATORS = 2_000_000
"""In one feed."""

MAX_PROBLEMS = 50
"""That are kept with their sentence; all are counted."""

LONGEST_WORD = 200
MAX_DATA = 4_096
"""Characters of a category or name of a source, and bytes of `additional_data`."""


class BadFeed(BadRequest):
    """The content of a feed cannot be read at all; a part that can is never taken without the rest."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a feed says of all its indicators that do not say it themselves."""

    category: str = "malware"
    intention: str = "malicious"
    source_name: str = ""
    source_url: str = ""


@dataclass(slots=True)
class Reading:
    """Filled by a parser. The first row of a key stands, later ones are skipped with an error (siem.md §6.2)."""

    defaults: Defaults
    now: int
    indicators: dict[tuple[str, str], Indicator] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skipped: int = 0

    def add(
        self,
        place: str,
        kind: str,
        text: str,
        *,
        category: str = "",
        intention: str = "",
        source_name: str = "",
        source_url: str = "",
        additional_data: Mapping[str, Json] | None = None,
        expires_at: int | None = None,
        repeats: bool = False,
    ) -> None:
        """One indicator as the feed writes it; `place` says where. `repeats`: that it comes again is no mistake."""
        try:
            value = canonical(kind, text)
        except BadIndicator as error:
            self.skip(place, str(error))
            return
        meant = (intention or self.defaults.intention).strip().lower()
        if meant not in INTENTIONS:
            self.skip(place, f"the intention '{meant[:60]}' is none of {', '.join(INTENTIONS)}")
            return
        if expires_at is not None and expires_at <= self.now:
            self.skip(place, f"{value[:80]} has expired")
            return
        if (kind, value) in self.indicators:
            if not repeats:
                self.skip(place, f"{value[:80]} is in the feed already")
            return
        if len(self.indicators) >= MAX_INDICATORS:
            raise BadFeed(f"the feed has more than {MAX_INDICATORS:,} indicators")
        self.indicators[kind, value] = Indicator(
            kind,
            value,
            (category or self.defaults.category).strip().lower()[:LONGEST_WORD],
            meant,
            (source_name or self.defaults.source_name)[:LONGEST_WORD],
            (source_url or self.defaults.source_url)[:2_000],
            additional_data or {},
            expires_at,
        )

    def skip(self, place: str, reason: str) -> None:
        """Leave something out, and say why."""
        self.skipped += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(f"{place}: {reason}".replace("\0", "\ufffd"))  # which no store can hold


def moment(text: Any) -> int | None:
    """Unix milliseconds of an RFC 3339 text or of a number of seconds (or milliseconds); None if it is neither."""
    if isinstance(text, bool) or text in (None, ""):
        return None
    try:
        number = float(text)
    except (TypeError, ValueError):
        try:
            found = datetime.fromisoformat(str(text).strip())
            return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            return None
    if number != number or abs(number) > 1e15:
        return None
    return int(number if number > 1e11 else number * 1000)
