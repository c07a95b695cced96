"""A window holds what a plain list of its entries would, in a fraction of the memory, and its copies share it."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.memory import held_bytes
from tocsin.evaluate import window as window_module
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evidence import Entry
from tocsin.evaluate.refs import packed
from tocsin.evaluate.window import CHUNK, Window, parts_of
from tocsin.event import event_id


def entry(serial: int, at: int, identity: str | None = None, distinct: str | None = None) -> Entry:
    identity = event_id(at, b"%d" % serial) if identity is None else identity
    return Entry(serial, at, packed(identity), parts_of([MatchRow(at, identity, (), 0, distinct)]))


def shown(entries: Iterable[Entry]) -> list[Any]:
    return [(each.serial, each.timestamp, each.event_id, each.parts) for each in entries]


IDS = st.sampled_from(
    [
        None,
        "e1",
        "",
        "AwAAA" + "0" * 35,
        "AwAAA" + "0" * 36,
        "AwAAA" + "a" * 35 + "A",
        "AwAAA" + " " * 36,
        "AwAAA" + "0 " * 18,
        "AwAAA" + "é" * 36,
        "BwAAA" + "0" * 36,
    ]
)


@given(st.lists(st.tuples(st.integers(0, 40), IDS, st.sampled_from(["a", "b", None])), max_size=80), st.data())
@example([(0, "e1", None)] * 60, None)
def test_window_is_a_list(steps: list[tuple[int, str | None, str | None]], data: st.DataObject | None) -> None:
    """Whatever the ids, and however small the chunks, in number or in time; what a copy takes in does not touch the one
    that it is of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_module, "CHUNK", 4)
        patch.setattr(window_module, "DEAD", 2)
        patch.setattr(window_module, "_FAR", 60)
        patch.setattr(window_module, "_NARROW", 30)
        window, held = Window(("g",), ["cardinality"]), list[Entry]()
        others: list[tuple[Window, list[Entry]]] = []
        at, serial = 10**12, -1
        for gap, identity, distinct in steps:
            at += gap
            serial += 40 if gap == 7 else 2 if gap % 2 else 1  # the others are those of other scopes
            span = data.draw(st.sampled_from([0, 20, 100, 100, 1000])) if data else 1000
            new = entry(serial, at, identity, distinct)
            before = len(held)
            held = [*(each for each in held if span and each.timestamp > at - span), new]
            assert window.enter(new, span) == len(held) - before
            assert window.latest == at
            since = data.draw(st.integers(-1, serial - 1)) if data else -1
            assert shown(window.since(since, new)) == shown(each for each in held if each.serial > since)
            if data and data.draw(st.integers(0, 4)) == 0:
                others.append((window, held))
                window = window.copy()
        for each, wanted in [*others, (window, held)]:
            assert shown(each) == shown(wanted)
            assert len(each) == len(wanted)
            assert shown(each.last(3)) == shown(wanted[-3:])
            assert each.tallies[0].value == len({part.distinct for of in wanted for part in of.parts if part.distinct})


def filled(count: int) -> Window:
    window = Window(("g",), ["cardinality"])
    for serial in range(count):
        window.enter(entry(serial, 10**12 + serial, distinct=f"value {serial % 50}"), 10**9)
    return window


def test_entry_takes_some_twenty_bytes() -> None:
    """As an `Entry` with a part, a tuple of each and an id it takes 280."""
    filled(100)  # the values are known
    assert held_bytes(lambda: filled(20_000)) < 24 * 20_000


def test_copies_share_all_but_the_end() -> None:
    window = filled(20_000)
    assert held_bytes(window.copy) < 60 * CHUNK + 8 * 20_000 / CHUNK + 10_000


def follow(window: Window, entries: Iterable[Entry], span: int, held: Iterable[Entry] = ()) -> list[Entry]:
    """Let a window that has so much take these in; returns what it should have then."""
    kept = list(held)
    for new in entries:
        window.enter(new, span)
        kept = [*(each for each in kept if each.timestamp > new.timestamp - span), new]
    return kept


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["a", "b", None])), min_size=1, max_size=60),
    st.sampled_from([60, 200, 1000]),
    st.data(),
)
def test_who_is_behind_a_copy_has_what_it_took_in_itself(
    steps: list[tuple[int, str | None]], span: int, data: st.DataObject
) -> None:
    """It takes the copy's chunks for its own where they are the same, and only there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_module, "CHUNK", 4)
        patch.setattr(window_module, "DEAD", 2)
        times = list(accumulate((gap for gap, _ in steps), initial=10**12))[1:]
        entries = [
            entry(serial, at, None, distinct)
            for serial, (at, (_, distinct)) in enumerate(zip(times, steps, strict=True))
        ]
        copied = data.draw(st.integers(0, len(entries)))
        behind = Window(("g",), ["cardinality"])
        held = follow(behind, entries[:copied], span)
        ahead = behind.copy()
        ahead_held = follow(ahead, entries[copied:], span, held)
        later = entries[copied:]
        if later and data.draw(st.booleans()):
            odd = data.draw(st.integers(0, len(later) - 1))
            serial, at, identity, distinct = data.draw(
                st.sampled_from([(0, 0, "e1", None), (0, 0, None, "c"), (100, 0, None, "a"), (0, -1, None, "b")])
            )
            at = max(later[odd].timestamp + at, later[odd - 1].timestamp if odd else 0)
            later[odd] = entry(later[odd].serial + serial, at, identity, distinct)
            later[odd + 1 :] = [entry(e.serial + serial, e.timestamp, e.event_id, None) for e in later[odd + 1 :]]
        held = follow(behind, later, span, held)
        assert shown(behind) == shown(held)
        assert shown(ahead) == shown(ahead_held)


def test_who_is_behind_a_copy_shares_what_it_sealed() -> None:
    behind = filled(100)

    def both() -> Window:
        ahead = behind.copy()
        for start in range(100, 20_000, 1_000):  # as far behind as the tail of a group
            for window in (ahead, behind):
                for serial in range(start, start + 1_000):
                    window.enter(entry(serial, 10**12 + serial, distinct=f"value {serial % 50}"), 10**9)
        return ahead

    assert held_bytes(both) < 24 * 20_000 * 1.2, "once, not twice"


def test_what_has_left_a_small_window_is_let_go() -> None:
    """There are thousands of them: each slides on, an entry at a time, and holds few."""
    window = Window(("g",), ["count"])

    def slide() -> Window:
        for serial in range(1_000):
            window.enter(entry(serial, 10**12 + 1000 * serial), 4_000)
        return window

    assert held_bytes(slide) < 60 * 3 * 16 + 1_500
