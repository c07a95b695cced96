import gzip
import zlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory import most_bytes
from tocsin.errors import TooLarge
from tocsin.intake.encodings import BadEncoding, decode_body


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "zstd1": zstandard.compress,
    "deflate, gzip": lambda body: gzip.compress(zlib.compress(body)),
}


@pytest.mark.parametrize("name", PACKERS)
@settings(deadline=None)
@given(body=st.binary(max_size=5000))
def test_what_was_packed_is_read(name: str, body: bytes) -> None:
    assert decode_body(PACKERS[name](body), name, 10_000) == body


def test_deflate_without_its_header_is_read_too() -> None:
    assert decode_body(raw_deflate(b"hello " * 20), "deflate", 1000) == b"hello " * 20


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members_follow_one_another(name: str) -> None:
    pack = PACKERS[name]
    assert decode_body(pack(b"one\n") + pack(b"two\n" * 5000), name, 100_000) == b"one\n" + b"two\n" * 5000


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd", "identity"])
def test_the_limit_counts_unpacked_bytes(name: str) -> None:
    body = b"x" * 1000
    assert decode_body(PACKERS[name](body), name, 1000) == body
    with pytest.raises(TooLarge, match="999 bytes"):
        decode_body(PACKERS[name](body), name, 999)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_a_bomb_costs_no_memory(name: str) -> None:
    bomb = PACKERS[name](bytes(200_000_000))

    def decode() -> None:
        with pytest.raises(TooLarge):
            decode_body(bomb, name, 5_000_000)

    assert most_bytes(decode) < 60_000_000


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("damage", [lambda body: body[:-3], lambda body: b"plain text", lambda body: body[:8]])
def test_a_damaged_body_is_refused(name: str, damage) -> None:
    with pytest.raises(BadEncoding, match="compressed body"):
        decode_body(damage(PACKERS[name](bytes(range(256)) * 20)), name, 100_000)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(BadEncoding, match="unknown Content-Encoding 'br'; known are deflate, gzip"):
        decode_body(b"x", "br", 10)
