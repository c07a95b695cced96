"""What a value must contain for a leaf to be true, found for all leaves at once (Hyperscan)."""

import threading
from collections.abc import Sequence
from typing import Any

import hyperscan

from tocsin.query.tree import AnyCase, Glob, Leaf, Text, TextGlob
from tocsin.query.values import fold


def literal_of(leaf: Leaf) -> str:
    """A folded text that stands in the folded form of every value for which the leaf is true; empty: there is none.

    Folding keeps the length (one character for one), so literals that ignore case and such that do not can share one
    automaton; the few too many that this lets through are tested in full.
    """
    if isinstance(leaf, Text):
        return fold(max(leaf.words, key=len, default=""))
    if isinstance(leaf, Glob | TextGlob | AnyCase):
        return fold(max((piece for piece in leaf.pieces if isinstance(piece, str)), key=len, default=""))
    return ""


FEW = 8
"""Literals up to which looking for each in turn takes less time than to start a scan."""


class Literals:
    """Which of many literals a text contains."""

    def __init__(self, literals: Sequence[str]) -> None:
        """Literals must be folded and not empty; they are known by their position."""
        known = list(enumerate(literals))
        self._ascii = _Scan([each for each in known if each[1].isascii()])
        self._beyond_ascii = _Scan([each for each in known if not each[1].isascii()])

    def found(self, text: str) -> list[int]:
        """Positions of the literals that a folded text contains. A text in ASCII, as most are, has none beyond it: of
        the command lines that Sigma's rules look for these are more than half."""
        hits = self._ascii.found(text)
        return hits if text.isascii() else hits + self._beyond_ascii.found(text)


class _Scan:
    """One look for some literals, each with its position."""

    def __init__(self, literals: list[tuple[int, str]]) -> None:
        self._few = literals if len(literals) <= FEW else None
        if self._few is not None:
            return
        encoded = [_encoded(literal) for _, literal in literals]
        self._database = hyperscan.Database()
        self._database.compile(
            expressions=encoded,
            ids=[position for position, _ in literals],
            elements=len(encoded),
            flags=hyperscan.HS_FLAG_SINGLEMATCH,
            literal=True,
        )
        # The engine's scratch space serves one scan at a time.
        self._lock = threading.Lock()

    def found(self, text: str) -> list[int]:
        if self._few is not None:
            return [position for position, literal in self._few if literal in text]
        hits: list[int] = []
        with self._lock:
            self._database.scan(_encoded(text), _note, 0, hits)
        return hits


class Patterns:
    """Which of many regular expressions may match a text: never too few.

    Hyperscan reads nearly what RE2 does, on ASCII; what it does not, and texts beyond ASCII, are always possible.
    """

    def __init__(self, patterns: Sequence[str], flags: int = 0) -> None:
        """RE2's patterns, known by their position; `flags` are Hyperscan's own."""
        self._always: list[int] = []
        self._all = range(len(patterns))
        known: list[int] = []
        for position, pattern in enumerate(patterns):
            (known if pattern.isascii() and "\\z" not in pattern else self._always).append(position)
        self._database = _compiled([patterns[position] for position in known], known, flags) if known else None
        if known and self._database is None:  # one of them is beyond it: each is tried
            self._always += [position for position in known if _compiled([patterns[position]], [0], flags) is None]
            known = [position for position in known if position not in self._always]
            self._database = _compiled([patterns[position] for position in known], known, flags) if known else None
        self._lock = threading.Lock()

    def possible(self, text: str) -> Sequence[int]:
        """Positions of the patterns that may match."""
        return self.within(text.encode() + PAD) if text.isascii() else self._all

    def within(self, text: bytes) -> list[int]:
        """The same, for patterns that are about bytes; the text ends with a line break (see `PAD`)."""
        hits = [*self._always]
        if self._database is not None:
            with self._lock:
                self._database.scan(text, _note, 0, hits)
        return hits


PAD = b"\n"
"""Hyperscan 0.9 may miss a short pattern that ends where the text does, when longer ones are looked for with it. `$` is
true before a last line break as well, only `\\z` is not."""


def _note(position: int, _start: int, _end: int, _flags: int, hits: Any) -> None:
    hits.append(position)


def _compiled(patterns: Sequence[str], ids: Sequence[int], flags: int) -> "hyperscan.Database | None":
    """An automaton, or None if a pattern is beyond it."""
    flags |= hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_ALLOWEMPTY
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=[pattern.encode() for pattern in patterns], ids=list(ids), elements=len(patterns), flags=flags
        )
    except hyperscan.error:
        return None
    return database


def _encoded(text: str) -> bytes:
    return text.encode() if text.isascii() else text.encode("utf-8", errors="surrogatepass")
