"""The child process: real ones, since its death is the point."""

import contextlib
import os
import signal
import threading
import time

import orjson
import pytest
from intake_doubles import MemoryRows, make_intake, prepare, setup
from waiting import PATIENCE

from tocsin.errors import BadRequest, Unavailable
from tocsin.intake.batch import Prepared
from tocsin.intake.processors import InChild, InThread
from tocsin.intake.request import Request


def request(*bodies) -> Request:
    return Request(orjson.dumps(list(bodies)), 5)


def deadly():
    """Some requests kill or hang the process that reads them."""

    def work(request):
        if b"kill me" in request.body:
            os.kill(os.getpid(), signal.SIGKILL)
        if b"hang" in request.body:
            time.sleep(3600)
        return prepare(request)

    return work


@pytest.fixture
def child():
    restarts = []
    child = InChild(deadly, on_restart=lambda: restarts.append(1), hang_seconds=2)
    child.restarts = restarts
    yield child
    child.close()


def test_a_child_answers_as_a_thread_does(child) -> None:
    works = [request({"timestamp": 1}, {"reject": 1}), Request(b"{", 5), request({"timestamp": 2, "x": "ä"})]
    here = InThread(setup).process(works)
    there = child.process(works)
    assert there[0] == here[0]
    assert there[2] == here[2]
    assert isinstance(there[1], BadRequest)
    assert str(there[1]) == str(here[1])


def test_a_dead_child_is_replaced_and_its_requests_are_tried_again(child) -> None:
    child.process([request({"timestamp": 1})])
    os.kill(child.pid, signal.SIGKILL)
    [outcome] = child.process([request({"timestamp": 2})])
    assert len(outcome.ids) == 1
    assert child.restarts == [1]


@pytest.mark.parametrize("word", ["kill me", "hang"])
def test_a_request_that_no_child_survives_is_kept_as_rejected(child, word) -> None:
    poison = request({"timestamp": 3, "message": word}, 7)
    good, dead, after = child.process([request({"timestamp": 1}), poison, request({"timestamp": 2})])
    assert len(good.ids) == len(after.ids) == 1
    assert isinstance(dead, Prepared)
    assert [refused.code for refused in dead.rejected] == ["not_an_object", "worker_died"]
    assert word in orjson.loads(dead.rejected[1].line)["raw"]
    assert len(child.restarts) == 2


def test_a_new_set_up_reaches_the_child(child) -> None:
    child.process([request({"timestamp": 1})])
    child.use(setup)
    [outcome] = child.process([request({"timestamp": 1, "message": "kill me"})])
    assert len(outcome.ids) == 1
    assert child.restarts == []


def broken_setup():
    raise RuntimeError("no rules today")


def test_a_set_up_that_fails_is_no_request_s_fault(child) -> None:
    child.use(broken_setup)
    with pytest.raises(Unavailable, match="RuntimeError: no rules today"):
        child.process([request({"timestamp": 1})])
    child.use(setup)
    [outcome] = child.process([request({"timestamp": 1})])
    assert len(outcome.ids) == 1


def test_the_child_ends_with_its_parent(child) -> None:
    child.process([request({"timestamp": 1})])
    process = child._child
    child._pipe.close()
    assert process.wait(PATIENCE) == 0


def test_children_die_all_the_time_and_nothing_is_lost() -> None:
    rows = MemoryRows()
    children = [InChild(setup), InChild(setup)]
    intake = make_intake(rows, children)
    intake.start()
    stop = threading.Event()

    def murder() -> None:
        while not stop.wait(0.2):
            for child in children:
                pid = child.pid  # read before the other, which belongs to it or to its predecessor
                if pid and child._loaded:  # killed at work, not while it is set up
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=murder)
    killer.start()
    answers = []
    for n in range(60):
        answers.append(intake.submit(request({"timestamp": n, "n": n})))
        time.sleep(0.02)
    stop.set()
    killer.join()
    receipts = [answer.result(PATIENCE) for answer in answers]
    intake.stop()
    assert sum(receipt.accepted for receipt in receipts) == 60
    assert len(set(rows.ids)) + len({row["id"] for row in rows.tables["rejected"]}) == 60
