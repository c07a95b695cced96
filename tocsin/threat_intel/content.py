"""A feed's indicators as it is kept: lines of JSON, compressed, in parts that a database row can hold. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping

import orjson
import zstandard

from tocsin.enrich.indicators import Indicator
from tocsin.fitting import fitted

ROWS = 25_000
"""In one part: some 500 KB."""


def packed(rows: Iterable[tuple[Indicator, int]]) -> list[bytes]:
    """Parts of indicators, each with the moment (Unix milliseconds) since when it has been in the feed."""
    parts: list[bytes] = []
    lines: list[bytes] = []
    for indicator, since in rows:
        line = [
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
        lines.append(fitted(orjson.dumps(line)))
        if len(lines) == ROWS:
            parts.append(_compressed(lines))
            lines = []
    if lines:
        parts.append(_compressed(lines))
    return parts


def unpacked(parts: Iterable[bytes]) -> Iterator[tuple[Indicator, int]]:
    """What was packed, in the same order."""
    return map(_read, _lines(parts))


def picked(parts: Iterable[bytes], keys: Collection[tuple[str, str]]) -> Iterator[tuple[Indicator, int]]:
    """Those of what was packed that have one of these types and values, without reading the others whole."""
    values = {_value(orjson.dumps(key)) for key in keys}
    for line in _lines(parts):
        if _value(line) in values:
            indicator, since = _read(line)
            if (indicator.type, indicator.value) in keys:
                yield indicator, since


def sinces(parts: Iterable[bytes]) -> Mapping[tuple[str, str], int]:
    """Since when each type and value has been in the feed."""
    return {(indicator.type, indicator.value): since for indicator, since in unpacked(parts)}


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from zstandard.ZstdDecompressor().decompress(part).splitlines()


def _read(line: bytes) -> tuple[Indicator, int]:
    *fields, since = orjson.loads(line)
    return Indicator(*fields), since


def _value(line: bytes) -> bytes:
    """The value as it is written, up to its first quote: as good as the value itself for passing lines over."""
    return line.split(b'"', 4)[3]


def _compressed(lines: list[bytes]) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(b"\n".join(lines))
