"""Words and Jaccard's measure: examples of siem.md §2.16, and the index that must answer as the definition does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.evaluate import similarity
from tocsin.evaluate.similarity import Remembered, are_alike, jaccard, nearest, words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", set()),
        (" ,;\x1f()", set()),
        ("cmd.exe /c whoami\x1fwhoami", {"cmd.exe", "c", "whoami"}),
        (
            "can't stop 3.5 times, 1,000 or user_name=Bob",
            {"can't", "stop", "3.5", "times", "1,000", "or", "user_name", "Bob"},
        ),
        ("10.0.0.1:443 a-b", {"10.0.0.1", "443", "a", "b"}),
        ("Grün e\u0301a カタカナ 日本", {"Grün", "e\u0301a", "カタカナ", "日", "本"}),
        ("A a", {"A", "a"}),
    ],
)
def test_words(text: str, wanted: set[str]) -> None:
    assert words(text) == wanted


def test_worked_figures() -> None:
    assert jaccard(words("a b c d"), words("a b c e")) == pytest.approx(3 / 5)
    assert jaccard(words("a b c d e"), words("a b f g h")) == pytest.approx(2 / 8)
    assert are_alike(words("a b c d"), words("a b c e"), 60)
    assert not are_alike(words("a b c d"), words("a b c e"), 61)


def test_nearest_says_how_near_and_what_is_new() -> None:
    assert nearest(words("a b c d"), [words("a b x"), words("c")], 2) == (0.4, frozenset("d"))
    assert nearest(words("a"), [], 2) == (0.0, frozenset("a"))
    assert nearest(words("a"), [words("a")] * 3, 2) is None


contents = st.frozensets(st.sampled_from("abcdefghijkl"), max_size=8)


@pytest.fixture(params=[2, 5], autouse=True, scope="module")
def small_segments(request: pytest.FixtureRequest) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "SEALED", request.param)
        yield


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(contents, st.integers(0, 4), st.booleans()), max_size=40),
    st.integers(35, 100),
    st.integers(1, 20),
    st.integers(1, 40),
)
def test_counts_what_the_definition_counts(
    sent: list[tuple[frozenset[str], int, bool]], percent: int, enough: int, memory: int
) -> None:
    """Also in copies, and whatever is fed to a copy."""
    remembered = Remembered(percent, enough)
    seen: list[tuple[int, frozenset[str]]] = []
    now = 0
    for content, pause, copies in sent:
        now += pause
        horizon = now - memory
        if copies:
            left = remembered
            remembered = remembered.copy()
            left.learn(frozenset("abc"), now, horizon)
        alike = sum(time > horizon and are_alike(content, other, percent) for time, other in seen)
        assert remembered.count(content, horizon) == min(alike, enough)
        assert set(remembered.live(horizon)) == {other for time, other in seen if time > horizon}
        remembered.learn(content, now, horizon)
        seen.append((now, content))
    assert (remembered.weight > 0) == bool(sent)
