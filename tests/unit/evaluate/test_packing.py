"""Texts come back as they were, and take less once it is known what they have in common."""

from hypothesis import example, given
from hypothesis import strategies as st

from tocsin.evaluate.packing import SAMPLES, Packing


# of these the library itself ends the process
@example([b"x"] * 9, [])
@example([b"x" * length for length in (0, 0, 1, 5, 1, 300, 30)], [])
@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.binary(max_size=300), max_size=20))
def test_a_text_comes_back(samples: list[bytes], texts: list[bytes]) -> None:
    packing = Packing(samples)
    assert [packing.unpack(packing.pack(text)) for text in texts] == texts


def test_what_is_common_is_learned() -> None:
    def text(number: int) -> bytes:
        return b'{"status":"info","host":"web-%d","message":"GET /index.html from 192.0.2.%d"}' % (number % 7, number)

    untaught, taught = Packing(()), Packing([text(number) for number in range(SAMPLES)])
    late = text(SAMPLES + 1)
    assert taught.unpack(taught.pack(late)) == untaught.unpack(untaught.pack(late)) == late
    assert len(taught.pack(late)) * 2 < len(untaught.pack(late))
