"""Killed in the middle of the load: what was acknowledged is there, and nothing is there twice (design §4.1)."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from waiting import PATIENCE, until

LAUNCHER = Path(__file__).parent / "intake_launcher.py"
EVENTS_PER_REQUEST = 40
"""Several commits (`COMMIT_EVENTS`) in all: after the first of them something must be left to be killed."""
REQUESTS = 600
KILLS = 3
START = 1_767_571_200_000


def body(number: int) -> str:
    """Events with their own time, spread over several days (partitions), and in some requests one that is none."""
    events: list[object] = [
        {"message": str(n), "n": n, "timestamp": START + n * 97_000}
        for n in range(number * EVENTS_PER_REQUEST, (number + 1) * EVENTS_PER_REQUEST)
    ]
    return json.dumps([*events, number] if number % 5 == 0 else events)


class Server:
    """The launcher's process; `acknowledged` fills while it runs."""

    def __init__(self, data: Path) -> None:
        self.acknowledged: dict[int, tuple[int, int, int]] = {}
        self.process = subprocess.Popen(
            [sys.executable, str(LAUNCHER), "serve", str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self.process.stdout.readline() == "ready\n"
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if line.endswith("\n"):
                number, *counts = map(int, line.split("\t"))
                self.acknowledged[number] = tuple(counts)

    def send(self, numbers: list[int]) -> None:
        try:
            for number in numbers:
                self.process.stdin.write(f"{number}\t{body(number)}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # killed meanwhile

    def wait_for_the_first_answer(self) -> None:
        until(lambda: self.acknowledged, every=0.001)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()

    def finish(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(PATIENCE) == 0
        self.reader.join()


def test_acknowledged_is_durable_and_a_retry_doubles_nothing(tmp_path: Path) -> None:
    rng = random.Random(11)
    waiting = list(range(REQUESTS))
    acknowledged: dict[int, tuple[int, int, int]] = {}
    killed_with_work_left = 0
    for _ in range(KILLS):
        server = Server(tmp_path)
        sender = threading.Thread(target=server.send, args=(list(waiting),))
        sender.start()
        server.wait_for_the_first_answer()
        time.sleep(rng.uniform(0, 0.15))
        server.kill()
        sender.join()
        acknowledged |= server.acknowledged
        waiting = [number for number in waiting if number not in acknowledged]
        killed_with_work_left += bool(waiting)
    assert killed_with_work_left, "the load was too small: every kill came after the last answer"
    server = Server(tmp_path)
    server.send(waiting)
    server.finish()
    acknowledged |= server.acknowledged
    assert sorted(acknowledged) == list(range(REQUESTS))
    for number, (stored, rejected, duplicates) in acknowledged.items():
        assert stored + duplicates == EVENTS_PER_REQUEST, number
        assert rejected == (number % 5 == 0), number

    command = [sys.executable, str(LAUNCHER), "stored", str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    rows = [line.split("\t") for line in found.stdout.splitlines()]
    every_event = Counter(str(n) for n in range(REQUESTS * EVENTS_PER_REQUEST))
    assert Counter(what for kind, what in rows if kind == "log") == every_event
    assert Counter(what for kind, what in rows if kind == "match") == every_event
    assert {what for kind, what in rows if kind == "rejected"} == {str(n) for n in range(0, REQUESTS, 5)}
