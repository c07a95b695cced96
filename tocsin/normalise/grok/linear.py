"""RE2 as grok needs it: patterns are users' input, and this engine takes linear time for all of them.

The Python layer of RE2 spends ten times what the match itself takes on code points and match objects, so this module
speaks to the class below it. Texts are matched as UTF-8; offsets are bytes.
"""

from collections.abc import Sequence
from typing import Any

import re2

from tocsin.normalise.errors import BadPipeline

MEMORY = 64 << 20
"""Bytes that one compiled pattern may use."""

_ANCHOR_BOTH = re2._re2.RE2.Anchor.ANCHOR_BOTH


def _options() -> Any:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    return options


class Pattern:
    """One pattern that must match a whole text. Groups that count are those named `g0`, `g1`, …"""

    __slots__ = ("_groups", "_match")

    def __init__(self, pattern: str, where: str) -> None:
        try:
            compiled = re2.compile(pattern, _options())
        except re2.error as error:
            reason = error.args[0] if error.args else error
            text = reason.decode() if isinstance(reason, bytes) else str(reason)
            raise BadPipeline(
                where,
                f"the pattern does not compile: {text}. Look-around and back-references are not available",
            ) from error
        self._match = compiled._regexp.Match
        index = compiled.groupindex
        self._groups = tuple(index[name] for name in sorted(index, key=lambda name: int(name[1:])))

    def groups(self, text: str, encoded: bytes) -> list[str | None] | None:
        """Texts of the named groups in order, None for those that took no part; None if there is no match."""
        spans = self._match(_ANCHOR_BOTH, encoded, 0, len(encoded))
        if not spans or spans[0][0] < 0:
            return None
        if len(text) == len(encoded):  # each character is one byte
            return [None if start < 0 else text[start:end] for start, end in map(spans.__getitem__, self._groups)]
        return [
            None if start < 0 else encoded[start:end].decode("utf-8", "replace")
            for start, end in map(spans.__getitem__, self._groups)
        ]


class FirstOf:
    """Which of several whole-text patterns matches first, all tried in one pass over the text."""

    __slots__ = ("_match",)

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _options()
        options.max_mem = MEMORY * 2
        together = re2.Set.FullMatchSet(options)
        for pattern in patterns:
            together.Add(pattern)
        together.Compile()
        self._match = together.Match

    def candidates(self, text: bytes) -> list[int]:
        """Indexes of the patterns that match, in rising order."""
        found: list[int] | None = self._match(text)
        return sorted(found) if found else []
