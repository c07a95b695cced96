"""Content-Encoding: from what was sent to the body, never more of it than allowed.

A few kilobytes can unpack into gigabytes, so every decoder is asked for at most one byte more than the limit.
"""

import zlib
from collections.abc import Callable

import zstandard

from tocsin.errors import BadRequest, TooLarge

ZSTD_WINDOW_BYTES = 1 << 25
"""Shippers use windows of at most 8 MB (level 19); a larger one only costs memory."""
ZSTD_SLICE_BYTES = 1024
"""Input given to the decoder at a time: four bytes can become 128 KB, so a slice at most 32 MB."""


class BadEncoding(BadRequest):
    """The body is not what Content-Encoding says, or the encoding is unknown."""


def decode_body(body: bytes, content_encoding: str, limit: int) -> bytes:
    """The body with all encodings undone, last applied first.

    Raises `BadEncoding` (400) or `TooLarge` (413, over `limit` bytes).
    """
    for name in reversed([part.strip().lower() for part in content_encoding.split(",")]):
        decoder = DECODERS.get(name)
        if decoder is None:
            known = ", ".join(sorted(filter(None, DECODERS)))
            raise BadEncoding(f"unknown Content-Encoding '{name}'; known are {known}")
        body = decoder(body, limit)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _identity(body: bytes, _limit: int) -> bytes:
    return body


def _gzip(body: bytes, limit: int) -> bytes:
    """One or several gzip members, as `gzip -c a b` writes them."""
    parts: list[bytes] = []
    room = limit
    while body:
        part, body = _inflate(body, room, 16 + zlib.MAX_WBITS)
        parts.append(part)
        room -= len(part)
        body = body.lstrip(b"\0")  # padding is allowed after a member
    return b"".join(parts)


def _deflate(body: bytes, limit: int) -> bytes:
    """A zlib stream; some clients send the bare deflate data instead, which is told by its first byte."""
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    part, _ = _inflate(body, limit, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
    return part


def _inflate(body: bytes, limit: int, wbits: int) -> tuple[bytes, bytes]:
    inflater = zlib.decompressobj(wbits)
    try:
        part = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadEncoding(f"the compressed body is damaged: {error}") from error
    if len(part) > limit:
        raise _too_large(limit)
    if not inflater.eof:
        raise BadEncoding("the compressed body ends too early")
    return part, inflater.unused_data


def _zstd(body: bytes, limit: int) -> bytes:
    """One or several frames."""
    parts: list[bytes] = []
    room = limit
    start = 0
    try:
        while start < len(body):
            frame = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES).decompressobj()
            while not frame.eof:
                if start >= len(body):
                    raise BadEncoding("the compressed body ends too early")
                part = frame.decompress(body[start : start + ZSTD_SLICE_BYTES])
                start += min(ZSTD_SLICE_BYTES, len(body) - start)
                parts.append(part)
                room -= len(part)
                if room < 0:
                    raise _too_large(limit)
            start -= len(frame.unused_data)
    except zstandard.ZstdError as error:
        raise BadEncoding(f"the compressed body is damaged: {error}") from error
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body holds more than {limit} bytes uncompressed; send smaller batches")


DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
    "zstd1": _zstd,
}
