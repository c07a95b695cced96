"""Texts that a value must contain for a leaf to be true, found for all leaves at once (Hyperscan)."""

import threading
from collections.abc import Sequence

import hyperscan

from tocsin.query.tree import Glob, Leaf, Text, TextGlob
from tocsin.query.values import fold


def literal_of(leaf: Leaf) -> str:
    """A folded text that stands in the folded form of every value for which the leaf is true; empty: there is none.

    Folding keeps the length (one character for one), so literals that ignore case and such that do not can share one
    automaton; the few too many that this lets through are tested in full.
    """
    if isinstance(leaf, Text):
        return fold(max(leaf.words, key=len, default=""))
    if isinstance(leaf, Glob | TextGlob):
        return fold(max((piece for piece in leaf.pieces if isinstance(piece, str)), key=len, default=""))
    return ""


class Literals:
    """Which of many literals a text contains."""

    def __init__(self, literals: Sequence[str]) -> None:
        """Literals must be folded and not empty; the automaton knows them by their position."""
        self._is_empty = not literals
        if self._is_empty:
            return
        encoded = [_encoded(literal) for literal in literals]
        self._database = hyperscan.Database()
        self._database.compile(
            expressions=encoded,
            ids=list(range(len(encoded))),
            elements=len(encoded),
            flags=hyperscan.HS_FLAG_SINGLEMATCH,
            literal=True,
        )
        # The engine's scratch space serves one scan at a time.
        self._lock = threading.Lock()

    def found(self, text: str) -> list[int]:
        """Positions of the literals that a folded text contains."""
        if self._is_empty:
            return []
        hits: list[int] = []

        def note(position: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            hits.append(position)

        with self._lock:
            self._database.scan(_encoded(text), match_event_handler=note)
        return hits


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogatepass")
