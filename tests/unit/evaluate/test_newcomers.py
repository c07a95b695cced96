"""Who was heard of is never taken for new, who is new seldom for known."""

import pytest

from tocsin.evaluate import newcomers
from tocsin.evaluate.newcomers import Newcomers
from tocsin.evaluate.repository import GroupKey


def key(number: int) -> GroupKey:
    return GroupKey(f"rule-{number % 100}", 1, (f"10.0.{number}", "web-1"))


def test_each_is_new_once() -> None:
    known = Newcomers(None)
    new = sum(known.hear(key(number)) for number in range(20_000))
    assert 19_990 <= new <= 20_000
    assert not any(known.hear(key(number)) for number in range(20_000))


def test_when_it_is_full_most_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "BITS", 1 << 17)
    monkeypatch.setattr(newcomers, "MOST", newcomers.MOST >> 6)
    known = Newcomers(None)
    heard = 0
    while not known.is_full:
        known.hear(key(heard))
        heard += 1
    assert sum(known.hear(key(heard + number)) for number in range(1_000)) > 980


def test_what_was_there_before_is_known_by_its_time() -> None:
    assert Newcomers(None).knows_all_since(0)
    assert Newcomers(1_000).knows_all_since(1_001)
    assert not Newcomers(1_000).knows_all_since(1_000)
