"""A feed's indicators as it is kept: lines of JSON, compressed, in parts that a database row can hold. Pure."""

from collections.abc import Iterable, Iterator, Mapping

import orjson
import zstandard

from tocsin.enrich.indicators import Indicator

ROWS = 25_000
"""In one part: some 500 KB."""


def packed(rows: Iterable[tuple[Indicator, int]]) -> list[bytes]:
    """Parts of indicators, each with the moment (Unix milliseconds) since when it has been in the feed."""
    parts: list[bytes] = []
    lines: list[bytes] = []
    for indicator, since in rows:
        lines.append(
            orjson.dumps(
                [
                    indicator.type,
                    indicator.value,
                    indicator.category,
                    indicator.intention,
                    indicator.source_name,
                    indicator.source_url,
                    dict(indicator.additional_data),
                    indicator.expires_at,
                    since,
                ]
            )
        )
        if len(lines) == ROWS:
            parts.append(_compressed(lines))
            lines = []
    if lines:
        parts.append(_compressed(lines))
    return parts


def unpacked(parts: Iterable[bytes]) -> Iterator[tuple[Indicator, int]]:
    """What was packed, in the same order."""
    for part in parts:
        for line in zstandard.ZstdDecompressor().decompress(part).splitlines():
            *fields, since = orjson.loads(line)
            yield Indicator(*fields), since


def sinces(parts: Iterable[bytes]) -> Mapping[tuple[str, str], int]:
    """Since when each type and value has been in the feed."""
    return {(indicator.type, indicator.value): since for indicator, since in unpacked(parts)}


def _compressed(lines: list[bytes]) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(b"\n".join(lines))
