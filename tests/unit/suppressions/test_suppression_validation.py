"""Every reason why a suppression cannot be stored names its field (siem.md §5.3)."""

from typing import Any

import pytest

from tocsin.suppressions.validation import InvalidSuppression, check

GOOD: dict[str, Any] = {"name": "n", "enabled": True, "rule_query": "*", "suppression_query": "@usr.id:bob"}


def reasons(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidSuppression) as raised:
        check({**GOOD, **changes})
    return raised.value.reasons


def test_good_ones_pass() -> None:
    check(GOOD)
    check({**GOOD, "suppression_query": "", "data_exclusion_query": "env:test", "start_date": 1, "expiration_date": 2})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": None}, "name is missing"),
        ({"name": 5}, "name must be a text"),
        ({"enabled": 1}, "enabled must be true or false"),
        ({"start_date": True}, "start_date must be Unix milliseconds, a whole number"),
        ({"start_date": -1}, "start_date must be Unix milliseconds between"),
        ({"tags": "a"}, "tags must be a list of texts"),
        ({"tags": [""]}, "tags: a tag cannot be empty"),
        ({"tags": ["a"] * 101}, "101 tags given, 100 are allowed"),
        ({"description": "x" * 10_001}, "description has 10001 characters"),
        ({"rule_query": "a:("}, "rule_query: "),
        ({"start_date": 5, "expiration_date": 5}, "expiration_date must be later than start_date"),
        ({"suppression_query": " "}, "suppression_query or data_exclusion_query is needed"),
    ],
)
def test_bad_ones_say_why(changes: dict[str, Any], said: str) -> None:
    told = reasons(**changes)
    assert told[0] == "Invalid suppression"
    assert any(reason.startswith(said) for reason in told[1:]), told


def test_all_reasons_at_once() -> None:
    assert len(reasons(name=" ", rule_query=" ", suppression_query="a:(")) == 4
