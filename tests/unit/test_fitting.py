"""What libraries make is kept without the room that it was made in."""

from collections.abc import Callable

import orjson
import pytest
from zstandard import ZstdCompressor

from tests.memory import held_bytes
from tocsin.fitting import fitted


@pytest.mark.parametrize(
    "make", [lambda text: orjson.dumps([text]), lambda text: ZstdCompressor(level=1).compress(text.encode())]
)
def test_what_is_kept_takes_what_it_is_long(make: Callable[[str], bytes]) -> None:
    texts = [f"number {number} " * 10 for number in range(200)]
    assert [fitted(make(text)) for text in texts] == [make(text) for text in texts]
    length = sum(len(make(text)) for text in texts)
    assert held_bytes(lambda: [fitted(make(text)) for text in texts]) < length + 60 * len(texts)
