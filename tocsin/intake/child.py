"""The process that an `InChild` processor talks to: reads requests from a pipe, answers with rows."""

import gc
import pickle
import signal
import sys
from multiprocessing.connection import Connection

from tocsin.intake.processors import Prepare, outcome_of

YOUNG_OBJECTS = 50_000
"""Objects between two collections: events hold no cycles, and Python's own 700 are a few of them."""


def serve(pipe: Connection) -> None:
    """Answer until the other end is closed."""
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
                gc.collect()
                gc.freeze()  # rules and pipelines live as long as the process
            except Exception as error:  # noqa: BLE001 - the edge of the process: the parent reports it
                answer = f"{type(error).__name__}: {error}"
        elif prepare is not None:
            answer = [outcome_of(prepare, work) for work in content]
        pipe.send_bytes(pickle.dumps(answer))


def main() -> None:
    """`python -m tocsin.intake.child FD`: the parent decides when to stop, not the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
