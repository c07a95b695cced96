"""What detection is told of changes."""

from prometheus_client import CollectorRegistry

from tocsin.renewal import Renewal


def test_a_failure_is_no_error_of_the_change_and_is_tried_again_until_it_succeeds() -> None:
    registry = CollectorRegistry()
    done: list[str] = []
    failing = 2

    def renew() -> None:
        nonlocal failing
        if failing:
            failing -= 1
            raise OSError("the file of a reference table is gone")
        done.append("renewed")

    renewal = Renewal(renew, registry)
    renewal()
    assert done == []
    renewal.retry()
    renewal.retry()
    assert done == ["renewed"]
    renewal.retry()
    assert done == ["renewed"], "there is nothing to do again"
    assert registry.get_sample_value("tocsin_renewal_failures_total") == 2


def test_news_that_come_meanwhile_are_seen() -> None:
    seen: list[int] = []

    def renew() -> None:
        seen.append(1)
        if len(seen) < 3:
            renewal()

    renewal = Renewal(renew, CollectorRegistry())
    renewal()
    assert len(seen) >= 3
