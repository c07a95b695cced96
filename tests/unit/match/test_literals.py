"""What one look at a text finds of many literals and regular expressions: never too few."""

import random

import hyperscan
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.match.literals import Literals, Patterns

PATTERNS = ["root", "401", "oo", "okta", "failed login", "failed.login", "ad.in", "(cmd|net)", "who.*i", "oo$", r"oo\z"]
WORDS = ["root", "401", "oo", "okta", "failed login", "admin", "cmd", "whoami", "\n", "!"]


@pytest.mark.parametrize("before", range(60))
def test_what_stands_at_the_end_is_found(before: int) -> None:
    """However long the text is: the engine alone misses `401` in texts of 17 to 34 characters."""
    patterns = ["root", "401", "oo", "okta", "failed login", "failed.login"]
    flags = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL
    assert Patterns(patterns, flags).possible("x" * before + "401") == [1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PATTERNS), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_every_pattern_that_matches_is_possible(patterns: list[str], choice: random.Random) -> None:
    possible = Patterns(patterns).possible
    for length in range(45):
        text = "z" * length + choice.choice(["", " ", "q"]) + choice.choice(WORDS) + choice.choice(["", "", "!", "\n"])
        matching = {position for position, pattern in enumerate(patterns) if re2.search(pattern, text)}
        assert matching <= set(possible(text)), (patterns, text)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("abü—"), min_size=1, max_size=3), unique=True, max_size=30),
    st.text(st.sampled_from("abcü—"), max_size=12),
)
def test_literals_in_ascii_and_beyond_it_are_found(literals: list[str], text: str) -> None:
    found = Literals(literals).found(text)
    assert sorted(found) == [position for position, literal in enumerate(literals) if literal in text]
