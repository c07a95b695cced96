"""The files of this process's table of indicators: the present one and the one before, in a directory of its own."""

import fcntl
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from tocsin.enrich.indicator_table import write_table
from tocsin.enrich.indicators import Indicator

KEPT = 2
"""The present file, and the one that a worker may be about to open."""

LOCK = "lock"


class TableFiles:
    """`directory/holder` belongs to this process as long as it lives; what others left that have ended is removed.

    A lock says who lives: the system lets go of it however a process ends.
    """

    def __init__(self, directory: Path, holder: str) -> None:
        self._parent = directory
        self._own = directory / holder
        self._lock: IO[bytes] | None = None
        self._files: list[Path] = []

    def write(self, name: str, indicators: Iterable[Indicator]) -> Path | None:
        """A new file of this name with all indicators; None if there are none."""
        self._take()
        path = self._own / f"{name}.bin"
        if not write_table(path, indicators):
            path.unlink()
            return None
        self._files.append(path)
        while len(self._files) > KEPT:
            self._files.pop(0).unlink(missing_ok=True)
        return path

    def _take(self) -> None:
        if self._lock is not None:
            return
        self._own.mkdir(parents=True, exist_ok=True)
        self._lock = (self._own / LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        for other in self._parent.iterdir():
            if other != self._own and _has_ended(other):
                shutil.rmtree(other, ignore_errors=True)


def _has_ended(directory: Path) -> bool:
    try:
        with (directory / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # it is held, or the directory is only just being made
        return False
    return True
