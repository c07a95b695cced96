"""The process that an `InChild` processor talks to: reads requests from a pipe, answers with rows."""

import os
import pickle
import signal
import sys
from multiprocessing.connection import Connection

from tocsin.garbage import collect_seldom
from tocsin.intake.processors import Prepare, outcome_of


def serve(pipe: Connection, niceness: int = 0) -> None:
    """Answer until the other end is closed. Once it is set up, the process gives way to others by `niceness`."""
    prepare: Prepare | None = None
    while True:
        try:
            kind, content = pickle.loads(pipe.recv_bytes())  # noqa: S301 - written by our own parent
        except (EOFError, OSError):
            return
        answer: object = None
        if kind == "use":
            try:
                prepare = pickle.loads(content)()  # noqa: S301
                collect_seldom()
                os.nice(niceness)
                niceness = 0
            except Exception as error:  # noqa: BLE001 - the edge of the process: the parent reports it
                answer = f"{type(error).__name__}: {error}"
        elif prepare is not None:
            answer = [outcome_of(prepare, work) for work in content]
        pipe.send_bytes(pickle.dumps(answer))


def main() -> None:
    """`python -m tocsin.intake.child FD NICENESS`: the parent decides when to stop, not the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])), int(sys.argv[2]))


if __name__ == "__main__":
    main()
