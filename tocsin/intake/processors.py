"""Where the work on a request is done: in this thread, or in a process beside this one.

Parsing and matching are Python and hold the interpreter's lock; in the server's own process they would
take it from the API. So each processor owns one child process and hands it whole requests. A child that dies or
hangs is replaced and its requests are tried again one by one; one that kills its child twice is
kept as rejected events, so that it can neither stop the intake nor get lost.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any, Protocol

from tocsin.errors import TocsinError, Unavailable
from tocsin.intake.batch import Prepared, Work
from tocsin.intake.formats import read_records
from tocsin.intake.request import Request

Prepare = Callable[[Work], Prepared]
"""Turns one request into rows. Raises `TocsinError` when the request is refused as a whole."""

Setup = Callable[[], Prepare]
"""Builds a `Prepare`; must be picklable, since it travels to the child process."""

Outcome = Prepared | TocsinError

HANG_SECONDS = 60.0
"""No list of requests takes a tenth of this; a child that does not answer by then is stuck."""

START_SECONDS = 120.0
"""To import and to compile all rules, on a slow machine."""

NICENESS = 10
"""Of the children of a server. Where the cores do not suffice for all, the server goes first: what is stored already is
evaluated before more is taken, and who sends waits for the answer (decision 0164)."""


class ChildDied(Exception):
    """The child process ended or did not answer in time."""


class Processor(Protocol):
    """Used by one thread at a time; `use` may be called from any thread."""

    def use(self, setup: Setup) -> None:
        """Work with this set-up from the next call of `process` on."""

    def process(self, works: Sequence[Work]) -> list[Outcome]:
        """An outcome for each work, in order. Raises `Unavailable` when nothing can be processed at all."""

    def close(self) -> None: ...


def outcome_of(prepare: Prepare, work: Work) -> Outcome:
    """The rows of a request, or the error that refuses it."""
    try:
        return prepare(work)
    except TocsinError as error:
        return error


class InThread:
    """Does the work in the thread that asks."""

    def __init__(self, setup: Setup) -> None:
        self._prepare = setup()

    def use(self, setup: Setup) -> None:
        self._prepare = setup()

    def process(self, works: Sequence[Work]) -> list[Outcome]:
        prepare = self._prepare
        return [outcome_of(prepare, work) for work in works]

    def close(self) -> None:
        """Nothing to close."""


class InChild:
    """Does the work in a child process, started at the first use.

    The child is a fresh interpreter (`python -m tocsin.intake.child`), never a fork: the embedded engine's threads
    and locks must not be copied. It ends by itself when this process does, however that ends.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        on_restart: Callable[[], None] = lambda: None,
        hang_seconds: float = HANG_SECONDS,
        niceness: int = 0,
    ) -> None:
        """`on_restart` is told when a child was lost, `niceness`: by how much the child gives way to others."""
        self._niceness = niceness
        self._setup = setup
        self._packed: tuple[Setup, bytes] | None = None
        self._loaded: bytes | None = None
        self._on_restart = on_restart
        self._hang_seconds = hang_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the child, if one runs."""
        return self._child.pid if self._child else None

    def use(self, setup: Setup) -> None:
        self._setup = setup

    def process(self, works: Sequence[Work]) -> list[Outcome]:
        try:
            return self._ask(works)
        except ChildDied:
            self._on_restart()
            return [self._retry(work) for work in works]

    def _retry(self, work: Work) -> Outcome:
        try:
            return self._ask([work])[0]
        except ChildDied as error:
            reason = str(error)
        self._on_restart()
        return outcome_of(lambda work: _reject_all(work, reason), work)

    def _ask(self, works: Sequence[Work]) -> list[Outcome]:
        pipe = self._ready()
        outcomes: list[Outcome] = self._exchange(pipe, pickle.dumps(("work", works)), self._hang_seconds)
        return outcomes

    def _ready(self) -> Connection:
        if self._pipe is None:
            self._pipe, theirs = Pipe()
            self._loaded = None
            with theirs:
                self._child = subprocess.Popen(  # noqa: S603 - our own module in our own interpreter
                    [sys.executable, "-m", "tocsin.intake.child", str(theirs.fileno()), str(self._niceness)],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                )
        wanted = self._wanted()
        if self._loaded != wanted:
            try:
                problem: str | None = self._exchange(self._pipe, pickle.dumps(("use", wanted)), START_SECONDS)
            except ChildDied as died:
                problem = str(died)
            if problem is not None:  # not the fault of any request
                self.close()
                raise Unavailable(f"a worker process cannot be set up: {problem}")
            self._loaded = wanted
        return self._pipe

    def _wanted(self) -> bytes:
        """The set-up as it travels. Packed when it is needed: with a thousand rules that takes as long as all the rest
        of changing one, and of many changes in a row only the last travels."""
        setup = self._setup
        if self._packed is None or self._packed[0] is not setup:
            self._packed = (setup, pickle.dumps(setup))
        return self._packed[1]

    def _exchange(self, pipe: Connection, message: bytes, seconds: float) -> Any:
        try:
            pipe.send_bytes(message)
            if pipe.poll(seconds):
                return pickle.loads(pipe.recv_bytes())  # noqa: S301 - written by our own child
            reason = f"no answer within {seconds:.0f} s"
        except (EOFError, OSError) as error:
            reason = f"it ended ({error or type(error).__name__})"
        self.close()
        raise ChildDied(f"the worker process was lost: {reason}")

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


def _reject_all(work: Work, reason: str) -> Prepared:
    """Every record of a request that its child did not survive, kept as rejected."""
    prepared = Prepared()
    records = list(work) if not isinstance(work, Request) else []
    if isinstance(work, Request):
        good, bad = read_records(work)
        records += good
        for record, why in bad:
            prepared.reject_unreadable(record, why.code, why.reason)
    for record in records:
        prepared.reject(record, "worker_died", reason)
    return prepared
