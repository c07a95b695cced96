"""The story of the demonstration: what goes on after its week must not look like an attack by itself."""

import itertools
from collections import Counter

from tocsin.demo.cast import MONITOR, TESTERS
from tocsin.demo.story import HOUR, WEEK_MS, afterwards, week

SEED = 7
END = 1_773_835_200_000  # a Wednesday noon
HOURS = 3
OF_PEOPLE = ("github", "okta", "gsuite")


def test_people_do_as_much_after_the_week_as_in_it() -> None:
    began = END - WEEK_MS
    records = itertools.takewhile(lambda record: record.at < began + HOURS * HOUR, week(SEED, END))
    before = Counter(record.source for record in records)
    records = itertools.takewhile(lambda record: record.at < END + HOURS * HOUR, afterwards(SEED, END))
    after = Counter(record.source for record in records)
    for source in OF_PEOPLE:  # the intrusions of these hours are among them
        assert after[source] < 2 * before[source], source
    assert after["nginx"] > 10 * before["nginx"]


def test_what_goes_on_comes_in_its_order_and_is_the_same_each_time() -> None:
    first, second = (list(itertools.islice(afterwards(SEED, END), 5_000)) for _ in range(2))
    assert [record.payload() for record in first] == [record.payload() for record in second]
    times = [record.at for record in first]
    assert times == sorted(times)
    assert times[0] >= END


def test_what_only_looks_like_an_attack_happens_in_the_week_and_goes_on() -> None:
    in_week = [str(record.body) for record in week(SEED, END)]
    later = itertools.takewhile(lambda record: record.at < END + 7 * HOUR, afterwards(SEED, END))
    bodies = [str(record.body) for record in later]
    for address in (TESTERS, MONITOR):
        assert sum(address in body for body in in_week) > 30, address
        assert sum(address in body for body in bodies) >= 8, address
