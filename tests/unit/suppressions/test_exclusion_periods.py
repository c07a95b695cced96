"""When a suppression kept events from rules (siem.md §5.2)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tocsin.signals.suppression import Suppression, Suppressions
from tocsin.suppressions.exclusions import Period, periods


def version(number: int, since: int, until: int | None, query: str = "env:test", **more: Any) -> Suppression:
    fields: dict[str, Any] = {"is_enabled": True, "rule_query": "*", "start": None, "expires": None} | more
    return Suppression(
        id="sup-001",
        version=number,
        name="agreed",
        suppression_query="",
        data_exclusion_query=query,
        since=since,
        until=until,
        **fields,
    )


def test_versions_that_exclude_the_same_are_one_period() -> None:
    versions = [version(2, 20, 30), version(1, 10, 20), version(3, 30, None, "env:dev"), version(4, 90, None)]
    assert periods(versions, 0, 50) == (Period("*", "env:test", 10, 30), Period("*", "env:dev", 30, 50))
    assert periods(versions[:2], 15, 25) == (Period("*", "env:test", 15, 25),)


def test_another_scope_is_another_period() -> None:
    versions = [version(1, 10, 20), version(2, 20, None, rule_query="source:okta")]
    assert [period.rule_query for period in periods(versions, 0, 50)] == ["*", "source:okta"]


def test_what_is_not_in_force_is_no_period() -> None:
    assert periods([version(1, 10, None, is_enabled=False)], 0, 50) == ()
    assert periods([version(1, 10, None, query=" ")], 0, 50) == ()
    assert periods([version(1, 10, None, start=40, expires=45)], 0, 50) == (Period("*", "env:test", 40, 45),)
    assert periods([version(1, 10, None, expires=10)], 0, 50) == ()


moments = st.none() | st.integers(0, 60)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.sampled_from(["a", "b"]), moments, moments), max_size=5),
    st.integers(0, 30),
    st.integers(31, 60),
)
def test_periods_are_the_moments_at_which_versions_are_in_force(given_: list[Any], start: int, end: int) -> None:
    saved = sorted(given_, key=lambda one: one[0])
    untils = [*(at for at, *_ in saved[1:]), None]
    versions = [
        version(number, at, until, query, is_enabled=is_enabled, start=begins, expires=expires)
        for number, ((at, is_enabled, query, begins, expires), until) in enumerate(zip(saved, untils, strict=False))
    ]
    found = periods(versions, start, end)
    present = Suppressions(versions)
    for at in range(start, end):
        wanted = {text for _, text in present.excluding(at)}
        assert {period.query for period in found if period.start <= at < period.end} == wanted
    assert all(start <= period.start < period.end <= end for period in found)
