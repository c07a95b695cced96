"""What two runs of a rule conclude differently."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tocsin.rules.difference import Outline, changes, difference


def outline(at: int, group: str = "bob", opened_by: str = "", length: int = 10, **more: object) -> Outline:
    made = Outline((group,), opened_by or f"e{at}", at, at, at + length, at + length + 60, "high", "", 3)
    return replace(made, **more)  # type: ignore[arg-type]


def test_the_same_signals_are_no_difference() -> None:
    signals = [outline(0), outline(500), outline(0, "ann")]
    found = difference(signals, signals)
    assert (found.new, found.gone, found.changed) == ((), (), ())
    assert found.same == ((0, 0), (1, 1), (2, 2))


def test_a_signal_opened_by_the_same_event_is_changed_by_its_members() -> None:
    before, after = outline(0), outline(0, severity="low", events_matched=9)
    found = difference([before], [after])
    assert found.changed == ((0, 0),)
    assert changes(before, after) == ("severity", "events_matched")


def test_a_signal_that_opens_at_another_event_is_one_if_the_times_overlap() -> None:
    found = difference([outline(0)], [outline(5, opened_by="later")])
    assert (found.new, found.gone, found.changed) == ((), (), ((0, 0),))
    apart = difference([outline(0)], [outline(71, opened_by="later")])
    assert (apart.new, apart.gone, apart.changed) == ((0,), (0,), ())
    other = difference([outline(0)], [outline(5, "ann", opened_by="later")])
    assert (other.new, other.gone) == ((0,), (0,))


def test_one_signal_is_the_twin_of_one_only() -> None:
    found = difference([outline(0, length=400)], [outline(5, opened_by="x"), outline(200, opened_by="y")])
    assert (len(found.changed), len(found.new), found.gone) == (1, 1, ())


signals = st.lists(
    st.builds(outline, st.integers(0, 300), st.sampled_from(["bob", "ann"]), events_matched=st.integers(1, 3)),
    max_size=8,
    unique_by=lambda signal: (signal.group, signal.opened_by),
)


@given(signals, signals)
def test_every_signal_is_told_once(before: list[Outline], after: list[Outline]) -> None:
    found = difference(before, after)
    pairs = [*found.changed, *found.same]
    assert sorted([*found.gone, *(one for one, _ in pairs)]) == list(range(len(before)))
    assert sorted([*found.new, *(other for _, other in pairs)]) == list(range(len(after)))
    assert all(before[one].group == after[other].group for one, other in pairs)
