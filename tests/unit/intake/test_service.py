import threading
from collections import Counter
from concurrent.futures import wait
from types import SimpleNamespace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_doubles import MemoryRows, full_disk, make_intake, prepare, setup
from waiting import PATIENCE, until

from tocsin.errors import BadRequest, TooLarge, TooManyRequests, Unavailable
from tocsin.intake import service
from tocsin.intake.batch import Prepared
from tocsin.intake.processors import InThread
from tocsin.intake.request import Request
from tocsin.intake.service import Receipt


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows()


@pytest.fixture
def intake(rows: MemoryRows):
    intake = make_intake(rows)
    intake.start()
    yield intake
    rows.gate.set()
    intake.stop()


def request(*bodies, at: int = 5) -> Request:
    return Request(orjson.dumps(list(bodies)), at)


def numbered(first: int, count: int) -> Request:
    return request(*({"timestamp": 1000 + n, "n": n} for n in range(first, first + count)))


def value(intake, name: str, **labels: str) -> float:
    collector = getattr(intake.metrics, name)
    return (collector.labels(**labels) if labels else collector)._value.get()


def test_the_answer_comes_after_the_commit(intake, rows) -> None:
    rows.gate.clear()
    answer = intake.submit(numbered(0, 3))
    until(lambda: rows.waiting)
    assert not answer.done()
    rows.gate.set()
    assert answer.result(PATIENCE) == Receipt(stored=3, rejected=0, duplicates=0)
    assert len(rows.ids) == 3


def test_requests_that_wait_share_a_commit(intake, rows) -> None:
    rows.gate.clear()
    answers = [intake.submit(numbered(10 * n, 10)) for n in range(50)]
    rows.gate.set()
    wait(answers, PATIENCE)
    assert len(rows.ids) == 500
    assert len(rows.inserts) <= 10


def test_after_slow_inserts_a_commit_waits_for_company_while_requests_keep_coming(rows, monkeypatch) -> None:
    """With a clock that stands: how long a commit would still wait, `patience` being what the inserts before took."""
    now = 100.0
    monkeypatch.setattr(service, "time", SimpleNamespace(monotonic=lambda: now))
    intake = make_intake(rows, linger_seconds=0)
    intake._open = True

    def requests(count: int, gap: float) -> None:
        nonlocal now
        for n in range(count):
            now += gap
            intake.submit(numbered(n, 1))
            intake._processed(intake._jobs.get(), Prepared())

    requests(100, gap=0.01)
    assert intake._remaining(began=now, patience=0.2) == pytest.approx(0.02, rel=0.01), "twice the usual gap"
    assert intake._remaining(began=now - 0.19, patience=0.2) == pytest.approx(0.01), "not beyond its patience"
    assert intake._remaining(began=now, patience=0.01) == 0, "inserts are quick: it is not worth it"
    requests(100, gap=1.0)
    assert intake._remaining(began=now, patience=0.2) == 0, "a client that is alone does not wait for others"


def test_a_commit_waits_for_requests_that_are_being_prepared(rows, monkeypatch) -> None:
    monkeypatch.setattr(service, "time", SimpleNamespace(monotonic=lambda: 100.0))
    intake = make_intake(rows, linger_seconds=0)
    intake._open = True
    for n in range(2):
        intake.submit(numbered(n, 1))
    assert intake._remaining(began=100.0, patience=0.2) == pytest.approx(0.2)
    assert intake._remaining(began=99.7, patience=0.2) == 0, "not beyond its patience"
    intake._processed(intake._jobs.get(), Prepared())
    assert intake._remaining(began=100.0, patience=0.2) == pytest.approx(0.2), "one is left"
    intake._processed(intake._jobs.get(), BadRequest("refused"))
    assert intake._remaining(began=100.0, patience=0.2) == 0, "nobody is there any more"


def test_ingested_at_rises_with_every_commit_even_when_the_clock_stands(intake, rows) -> None:
    for n in range(5):
        intake.submit(numbered(n, 1)).result(PATIENCE)
    times = [row["ingested_at"] for row in rows.tables["logs"]]
    assert times == sorted(set(times))


def test_the_hook_is_told_when_a_commit_is_visible(rows) -> None:
    told = []
    intake = make_intake(rows, on_commit=lambda at, lines: told.append((at, len(lines), len(rows.ids))))
    intake.start()
    intake.submit(numbered(0, 2)).result(PATIENCE)
    intake.submit(numbered(0, 2)).result(PATIENCE)
    intake.stop()
    assert told == [(1_700_000_000_000, 2, 2)]


def test_nothing_is_stored_while_the_commit_is_held_up(rows) -> None:
    may_store = threading.Event()
    intake = make_intake(rows, before_commit=lambda: may_store.wait(PATIENCE))
    intake.start()
    answers = [intake.submit(numbered(2 * n, 2)) for n in range(3)]
    assert not rows.ids and not any(answer.done() for answer in answers)
    may_store.set()
    assert [answer.result(PATIENCE).stored for answer in answers] == [2, 2, 2]
    intake.stop()


def test_rejected_events_are_stored_and_count_as_accepted(intake, rows) -> None:
    receipt = intake.submit(request({"timestamp": 1}, {"reject": 1}, 7, {})).result(PATIENCE)
    assert receipt == Receipt(stored=1, rejected=3, duplicates=0)
    assert Counter(row["code"] for row in rows.tables["rejected"]) == {"asked": 1, "not_an_object": 1, "empty": 1}
    assert value(intake, "rejected", reason="asked") == 1
    [asked] = [row for row in rows.tables["rejected"] if row["code"] == "asked"]
    assert asked["raw"] == '{"reject":1}'
    assert asked["reason"] == "it says so"
    assert orjson.loads(asked["context"])["is_text"] is False


def test_a_repeated_request_stores_nothing_twice(intake, rows) -> None:
    intake.submit(numbered(0, 10)).result(PATIENCE)
    assert intake.submit(numbered(5, 10)).result(PATIENCE) == Receipt(stored=5, rejected=0, duplicates=5)
    assert len(rows.ids) == len(set(rows.ids)) == 15


def test_honest_twins_are_two_events(intake, rows) -> None:
    twin = {"timestamp": 9, "message": "x"}
    assert intake.submit(request(twin, twin)).result(PATIENCE).stored == 2
    assert intake.submit(request(twin, twin)).result(PATIENCE).duplicates == 2


def test_what_was_stored_before_the_start_is_known(rows) -> None:
    first = make_intake(rows)
    first.start()
    first.submit(numbered(0, 10)).result(PATIENCE)
    first.stop()
    second = make_intake(rows)
    second.start()
    assert second.submit(numbered(0, 10)).result(PATIENCE).duplicates == 10
    second.stop()


def test_the_probe_is_acknowledged_without_a_commit(intake, rows) -> None:
    assert intake.submit(Request(b"{}", 5)).result(PATIENCE) == Receipt(0, 0, 0)
    assert rows.inserts == []


@pytest.mark.parametrize(
    ("body", "error"), [(b"{", BadRequest), (orjson.dumps([1] * 1001), TooLarge), (b"x" * 5_000_001, TooLarge)]
)
def test_a_refused_request_leaves_nothing(intake, rows, body, error) -> None:
    with pytest.raises(error):
        intake.submit(Request(body, 5)).result(PATIENCE)
    assert rows.inserts == []
    assert intake.buffered_bytes == 0
    assert value(intake, "requests", outcome="refused") == 1


def test_a_full_disk_is_told_and_nothing_is_acknowledged(intake, rows) -> None:
    rows.fail(full_disk())
    with pytest.raises(Unavailable, match="disk of the event store is full"):
        intake.submit(numbered(0, 3)).result(PATIENCE)
    assert rows.ids == []
    assert value(intake, "commit_failures") == 1
    assert value(intake, "accepted") == 0
    assert intake.submit(numbered(0, 3)).result(PATIENCE).stored == 3, "it works again when the disk has room"


def test_an_insert_that_failed_after_it_stored_doubles_nothing(intake, rows) -> None:
    rows.fail(Unavailable("the answer was lost"), after_storing=True)
    with pytest.raises(Unavailable):
        intake.submit(numbered(0, 3)).result(PATIENCE)
    assert intake.submit(numbered(0, 3)).result(PATIENCE) == Receipt(stored=0, rejected=0, duplicates=3)
    assert len(rows.ids) == 3


def test_our_own_mistake_is_a_passing_fault_to_the_caller(intake, rows) -> None:
    rows.fail(KeyError("oops"))
    with pytest.raises(Unavailable, match="nothing was acknowledged"):
        intake.submit(numbered(0, 3)).result(PATIENCE)


def test_a_full_buffer_refuses_and_forgets_nothing(rows) -> None:
    intake = make_intake(rows, buffer_bytes=10_000)
    intake.start()
    rows.gate.clear()
    taken, refused, sent = [], 0, 0
    for n in range(200):
        try:
            taken.append(intake.submit(numbered(n * 10, 10)))
            sent += 10
        except TooManyRequests as error:
            assert error.retry_after_seconds >= 1
            refused += 1
    assert refused > 0
    assert taken
    assert intake.buffered_bytes <= 20_000
    rows.gate.set()
    assert sum(answer.result(PATIENCE).stored for answer in taken) == sent == len(rows.ids)
    assert intake.buffered_bytes == 0
    assert value(intake, "throttled") == refused
    intake.stop()


def test_a_request_larger_than_the_buffer_is_taken_when_it_is_alone(rows) -> None:
    intake = make_intake(rows, buffer_bytes=10)
    intake.start()
    assert intake.submit(numbered(0, 10)).result(PATIENCE).stored == 10
    intake.stop()


def test_stop_finishes_what_was_taken_and_refuses_the_rest(rows) -> None:
    intake = make_intake(rows, [InThread(setup), InThread(setup)])
    intake.start()
    answers = [intake.submit(numbered(n, 1)) for n in range(100)]
    intake.stop()
    assert sum(answer.result(0).stored for answer in answers) == 100
    with pytest.raises(Unavailable, match="starting or stopping"):
        intake.submit(numbered(0, 1))


def test_a_caller_that_goes_away_changes_nothing(intake, rows) -> None:
    rows.gate.clear()
    answer = intake.submit(numbered(0, 5))
    assert not answer.cancel()
    rows.gate.set()
    assert intake.submit(numbered(5, 1)).result(PATIENCE).stored == 1
    assert len(rows.ids) == 6


def test_a_new_set_up_is_used_from_the_next_request_on(intake, rows) -> None:
    def other():
        def refuse(work):
            raise BadRequest("changed")

        return refuse

    intake.use(other)
    with pytest.raises(BadRequest, match="changed"):
        intake.submit(numbered(0, 1)).result(PATIENCE)


element = st.one_of(
    st.builds(lambda n: {"timestamp": n}, st.integers(0, 20)),
    st.just({"reject": True}),
    st.sampled_from([7, None, {}, [], "a text", "", True]),
)
action = st.one_of(
    st.lists(element, max_size=6),
    st.sampled_from([b"{", b"{}", b"", b"[1", b'{"timestamp":3}\n{bad\n{"timestamp":4}']),
    st.sampled_from(["fail", "fail after storing"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(action, max_size=12))
def test_accepted_is_stored_plus_rejected_whatever_is_sent(actions) -> None:
    rows = MemoryRows()
    intake = make_intake(rows, linger_seconds=0)
    intake.start()
    received = stored = rejected = duplicates = 0
    for what in actions:
        if what == "fail":
            rows.fail(full_disk())
            continue
        if what == "fail after storing":
            rows.fail(full_disk(), after_storing=True)
            continue
        sent = Request(what if isinstance(what, bytes) else orjson.dumps(what), 5)
        try:
            receipt = intake.submit(sent).result(PATIENCE)
        except (BadRequest, Unavailable):
            continue
        ready = prepare(sent)
        received += ready.accepted
        stored += receipt.stored
        rejected += receipt.rejected
        duplicates += receipt.duplicates
    intake.stop()
    assert received == stored + rejected + duplicates
    assert value(intake, "accepted") == stored + rejected
    assert value(intake, "stored") == stored
    assert value(intake, "duplicates") == duplicates
    assert len(rows.ids) == len(set(rows.ids)) >= stored
    assert len(rows.tables["rejected"]) >= rejected
    assert intake.buffered_bytes == 0


def test_many_threads_at_once(rows) -> None:
    intake = make_intake(rows, [InThread(setup), InThread(setup)])
    intake.start()
    receipts: list[Receipt] = []

    def send(first: int) -> None:
        for n in range(20):
            receipts.append(intake.submit(numbered(first + n * 5, 5)).result(PATIENCE))

    threads = [threading.Thread(target=send, args=(1000 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    intake.stop()
    assert sum(receipt.stored for receipt in receipts) == 800 == len(set(rows.ids))
