"""The score of an indicator (siem.md §6.4)."""

import pytest

from tocsin.threat_intel.score import LOWER, NONE, PERSISTENT_MS, RAISE, Score, score

NOW = 1_790_000_000_000


@pytest.mark.parametrize(
    ("said", "facts", "expected"),
    [
        ({"malicious": ["a"]}, {}, Score(80, NONE, NONE, NONE, NONE)),
        ({"suspicious": ["a"]}, {}, Score(50, NONE, NONE, NONE, NONE)),
        ({"unknown": ["a"]}, {}, Score(20, NONE, NONE, NONE, NONE)),
        ({}, {}, Score(20, NONE, NONE, NONE, NONE)),
        ({"benign": ["a"]}, {}, Score(5, NONE, NONE, NONE, NONE)),
        ({"malicious": ["a"], "suspicious": ["b"]}, {}, Score(90, RAISE, NONE, NONE, NONE)),
        ({"malicious": ["a"], "suspicious": ["a"]}, {}, Score(80, NONE, NONE, NONE, NONE)),
        ({"malicious": ["a", "b"], "benign": ["c"]}, {}, Score(70, LOWER, NONE, NONE, NONE)),
        ({"malicious": ["a"]}, {"since": NOW - PERSISTENT_MS}, Score(90, NONE, RAISE, NONE, NONE)),
        ({"malicious": ["a"]}, {"since": None}, Score(70, NONE, LOWER, NONE, NONE)),
        ({"malicious": ["a"]}, {"as_type": "hosting"}, Score(90, NONE, NONE, RAISE, NONE)),
        ({"malicious": ["a"]}, {"signals": 4}, Score(90, NONE, NONE, NONE, RAISE)),
        ({"benign": ["a"]}, {"since": None}, Score(0, NONE, LOWER, NONE, NONE)),
        (
            {"malicious": ["a", "b"]},
            {"since": 0, "as_type": "hosting", "signals": 1},
            Score(100, RAISE, RAISE, RAISE, RAISE),
        ),
    ],
)
def test_what_raises_and_lowers(said: dict[str, list[str]], facts: dict[str, object], expected: Score) -> None:
    given = {"since": NOW, "now": NOW, "as_type": "", "signals": 0, **facts}
    assert score(said, **given) == expected  # type: ignore[arg-type]
