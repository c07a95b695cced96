"""What becomes of a body before a route sees it."""

import orjson
import pytest

from tocsin.api.edge import MAX_LEVELS, _in_64_bits, _refuse_unstorable
from tocsin.errors import BadRequest


def test_a_body_may_have_so_many_levels() -> None:
    _refuse_unstorable(b"[" * MAX_LEVELS + b"]" * MAX_LEVELS)
    _refuse_unstorable(b"[" + b"[1]," * 1000 + b"[1]]")
    for depth in (MAX_LEVELS + 1, 1_000):
        with pytest.raises(BadRequest, match="more than 200 levels"):
            _refuse_unstorable(b'{"a":' * depth + b"1" + b"}" * depth)


def test_integers_beyond_64_bits_are_floats_and_all_else_stays() -> None:
    assert orjson.loads(_in_64_bits(b'{"a": 1000000000000000000000000000000, "b": 7}')) == {"a": 1e30, "b": 7}
    assert orjson.loads(_in_64_bits(b"[18446744073709551615]")) == [2**64 - 1]
    number = b"1234567890123456789012"
    for body in (b'{"a": 1.50}', number, b"a,b\n" + number + b",2", b"{" + number):
        assert _in_64_bits(body) is body
