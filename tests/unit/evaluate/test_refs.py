"""What signals name is what a sorted list of the same events would hold, in a seventh of the memory."""

from hypothesis import given
from hypothesis import strategies as st

from tests.memory import held_bytes
from tocsin.evaluate.refs import EventRef, Naming, Refs, packed, unpacked
from tocsin.event import event_id

OURS = st.integers(0, 2**63 - 1).map(lambda number: event_id(10**12, b"%d" % number))
OTHERS = st.sampled_from(
    ["e1", "", "AwAAA" + "0" * 35, "AwAAA" + "a" * 35 + "A", "AwAAA" + "é" * 36, "BwAAA" + "0" * 36]
)
TIMES = st.one_of(st.integers(-5, 5), st.integers(-(2**62), 2**62))


def refs(ids: st.SearchStrategy[str]) -> st.SearchStrategy[list[EventRef]]:
    return st.lists(st.builds(EventRef, TIMES, ids, st.integers(0, 300)), max_size=40)


@given(st.one_of(refs(OURS), refs(st.one_of(OURS, OTHERS))), st.integers(1, 12), st.data())
def test_first_and_last_of_a_list(found: list[EventRef], limit: int, data: st.DataObject) -> None:
    """In whatever order they come; a copy goes on by itself, and what was told before does not change."""
    first, last = Naming(limit, first=True), Naming(limit, first=False)
    found = sorted(found) if data.draw(st.booleans()) else found
    split = data.draw(st.integers(0, len(found)))
    told = first.refs()
    for number, ref in enumerate(found):
        if number == split:
            told, stopped = first.refs(), first
            first = first.copy()
            assert stopped.refs() == first.refs() and hash(stopped.refs()) == hash(first.refs())
        first.add(ref.timestamp, packed(ref.event_id), ref.query_index)
        last.add(ref.timestamp, packed(ref.event_id), ref.query_index)
    wanted = tuple(sorted(found))
    assert first.refs() == wanted[:limit] and wanted[:limit] == first.refs()
    assert last.refs() == wanted[-limit:]
    if split < len(found):
        assert told == tuple(sorted(found[:split]))[:limit]
    assert len(first.refs()) == len(wanted[:limit])
    assert first.refs()[:2] == wanted[:limit][:2] and list(last.refs()[-2:]) == list(wanted[-limit:][-2:])


@given(refs(OURS), st.lists(st.builds(EventRef, TIMES, OURS, st.just(0))), st.integers(0, 40), st.booleans())
def test_what_is_beyond_others(found: list[EventRef], more: list[EventRef], split: int, is_packed: bool) -> None:
    """Of events that grew at their end, or elsewhere."""

    def held(some: list[EventRef]) -> Refs:
        naming = Naming(1_000, first=True)
        for ref in some:
            naming.add(ref.timestamp, packed(ref.event_id), ref.query_index)
        return naming.refs() if is_packed else Refs(b"", tuple(naming.refs()))

    earlier, later = sorted(set(found))[:split], sorted({*found, *more})
    told = held(later).beyond(held(earlier))
    if is_packed and later[: len(earlier)] == earlier:
        assert told == tuple(later[len(earlier) :])
    else:
        assert told is None
    assert [ref in held(later) for ref in (*found, *more)] == [True] * len([*found, *more])
    assert [ref in held(earlier) for ref in more] == [ref in earlier for ref in more]
    assert "e1" not in held(later)


@given(st.one_of(OURS, OTHERS))
def test_an_id_comes_back(identity: str) -> None:
    assert unpacked(packed(identity)) == identity


def test_an_event_takes_some_thirty_bytes() -> None:
    """As an `EventRef` with an id of its own it takes 200."""
    ids = [packed(event_id(10**12, b"%d" % number)) for number in range(5_000)]

    def named() -> Naming:
        naming = Naming(5_000, first=True)
        for number, identity in enumerate(ids):
            naming.add(10**12 + number, identity, 0)
        return naming

    assert held_bytes(named) < 40 * 5_000


def test_as_many_as_there_may_be_are_shared() -> None:
    """By copies and by all decisions; an event before them is still taken in."""
    naming = Naming(500, first=True)
    for number in range(600):
        naming.add(10**12 + number, packed(event_id(10**12, b"%d" % number)), 0)
    naming.refs()
    assert held_bytes(lambda: [(copy := naming.copy(), copy.refs()) for _ in range(100)]) < 500 * 100
    before, copy = naming.refs(), naming.copy()
    copy.add(0, packed(event_id(0, b"")), 0)
    assert [ref.timestamp for ref in copy.refs()][:3] == [0, 10**12, 10**12 + 1] and len(copy.refs()) == 500
    assert naming.refs() == before
