"""Matching by hand: wildcards on a whole value, wildcards inside a text, paths in a document, sorted blocks."""

import bisect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Any

import re2

from tocsin.query.tree import ANY, ONE, Piece, Pieces
from tocsin.query.values import (
    WHITE_SPACE,
    AddressRange,
    Scalar,
    flatten,
    fold,
    is_word_character,
    scalar,
    text_of,
    word_ranges,
    words,
)

_MAX_PATTERN_MEMORY = 256 * 1024 * 1024
"""Most that RE2 may use for one pattern: enough for 64 KiB of query, and only taken when needed."""

_LONG_PATH = 24
"""From so many segments on a path is looked up in the flattened document: the ways to split it into keys grow
with the square."""


# -- wildcards on the whole value -------------------------------------------------------------------------------------


def whole(pieces: Pieces) -> Callable[[str], bool]:
    """Whether a pattern matches a text from end to end. Without `?` by substring search, else by RE2."""
    if ONE in pieces:
        found = _compiled(whole_pattern(pieces, folds=False))
        needed = max((piece for piece in pieces if isinstance(piece, str)), key=len, default="")
        return lambda text: needed in text and found.search(text) is not None  # an engine's call is the dearer one
    head = pieces[0] if pieces and isinstance(pieces[0], str) else ""
    tail = pieces[-1] if len(pieces) > 1 and isinstance(pieces[-1], str) else ""
    inner = [piece for piece in pieces[bool(head) : len(pieces) - bool(tail)] if isinstance(piece, str)]
    if ANY not in pieces:
        return lambda text: text == head
    if not inner and not head:
        return lambda text: text.endswith(tail)
    if not inner and not tail:
        return lambda text: text.startswith(head)
    if len(inner) == 1 and not head and not tail:
        literal = inner[0]
        return lambda text: literal in text
    least = len(head) + len(tail)

    def matches(text: str) -> bool:
        if len(text) < least or not text.startswith(head) or not text.endswith(tail):
            return False
        at, end = len(head), len(text) - len(tail)
        for literal in inner:
            at = text.find(literal, at, end)
            if at < 0:
                return False
            at += len(literal)
        return True

    return matches


def whole_pattern(pieces: Pieces, *, folds: bool) -> str:
    """The same as a regular expression of RE2; `folds` for text that is not folded yet."""
    return whole_regex([whole_body(pieces, folds=folds)])


def whole_body(pieces: Pieces, *, folds: bool) -> str:
    return "".join(_regex(piece, ".*", folds=folds) for piece in pieces)


def whole_regex(bodies: Sequence[str]) -> str:
    return f"(?s)^(?:{'|'.join(bodies)})$"


# -- wildcards inside a text ------------------------------------------------------------------------------------------


def inside(pieces: Pieces) -> Callable[[Scalar], bool]:
    """Whether a stretch of the text matches, from word boundary to word boundary where the pattern has no `*` (§6)."""
    literals = [piece for piece in pieces if isinstance(piece, str)]
    pattern = inside_pattern(pieces)
    if pattern is None:
        return lambda value: False
    on_ascii = lru_cache(1)(lambda: _compiled(_ascii_regex(pattern)))
    on_any = lru_cache(1)(lambda: _compiled(inside_regex(pattern.left, [pattern.body()], pattern.right)))
    is_substring = is_plain_word(pieces) and pattern.left is pattern.right is Edge.OPEN

    def matches(value: Scalar) -> bool:
        text = text_of(value)
        folded = fold(text)
        for literal in literals:
            if literal not in folded:
                return False
        return is_substring or (on_ascii() if text.isascii() else on_any()).search(folded) is not None

    return matches


def is_plain_word(pieces: Pieces) -> bool:
    """One literal of word characters with at most a `*` on either side: it lies within one word."""
    literals = [piece for piece in pieces if isinstance(piece, str)]
    return len(literals) == 1 and ONE not in pieces and all(is_word_character(each) for each in literals[0])


class Edge(Enum):
    """How a pattern begins or ends inside a text: anywhere, at a word's edge, or with any one character of a word."""

    OPEN = "open"
    LITERAL = "literal"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class Inside:
    """A pattern for the inside of a text: its middle, and how it begins and ends."""

    left: Edge
    inner: Pieces
    right: Edge

    def body(self, *, folds: bool = True) -> str:
        """The middle as a regular expression; `folds` for text that is not folded yet."""
        return "".join(_regex(piece, f"[^{WHITE_SPACE}]*", folds=folds) for piece in self.inner)


def inside_pattern(pieces: Pieces) -> Inside | None:
    """None if nothing can match: a stretch that has to begin (or end) with a word cannot do so with a sign."""
    left, right = _edge(pieces[0], 0), _edge(pieces[-1], -1)
    if left is None or right is None:
        return None
    return Inside(left, pieces[left is not Edge.LITERAL : len(pieces) - (right is not Edge.LITERAL)], right)


def _edge(piece: Piece, index: int) -> Edge | None:
    if isinstance(piece, str):
        return Edge.LITERAL if is_word_character(piece[index]) else None
    return Edge.ONE if piece is ONE else Edge.OPEN


def inside_regex(left: Edge, bodies: Sequence[str], right: Edge, word: str | None = None) -> str:
    """The regular expression of RE2 for patterns with equal edges, of which one must match.

    Word characters (the inside of a class, `word`) and folding are spelt out as code points, so that they do not depend
    on the version of Unicode that an engine was built with.
    """
    word = word or _word_class()
    edges = {Edge.OPEN: "", Edge.LITERAL: f"(?:^|[^{word}])", Edge.ONE: f"(?:^|[^{word}])[{word}]"}
    ends = {Edge.OPEN: "", Edge.LITERAL: f"(?:$|[^{word}])", Edge.ONE: f"[{word}](?:$|[^{word}])"}
    return f"(?s){edges[left]}(?:{'|'.join(bodies)}){ends[right]}"


def _ascii_regex(pattern: Inside) -> str:
    """The same for folded ASCII text: a small one, which is all that most events need."""
    return inside_regex(pattern.left, [pattern.body(folds=False)], pattern.right, "0-9A-Za-z_")


def word_runs(pieces: Pieces) -> list[str]:
    """What the words of a text, joined by blanks, must contain for the pattern to match: for a cheap first look.

    The words within one literal stand side by side; its first and last may be parts of longer ones.
    """
    return [" ".join(found) for piece in pieces if isinstance(piece, str) and (found := words(piece))]


@cache
def _word_class() -> str:
    return "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in word_ranges())


def _regex(piece: Piece, run: str, *, folds: bool) -> str:
    if piece is ANY:
        return run
    if piece is ONE:
        return "."
    return "".join(_character(character, folds=folds) for character in str(piece))


def _character(character: str, *, folds: bool) -> str:
    if folds and (others := _foldings().get(fold(character))):
        return f"[{''.join(_point(other) for other in others)}]"
    return character if character.isascii() and character.isalnum() else _point(character)


def _point(character: str) -> str:
    return f"\\x{{{ord(character):x}}}"


@cache
def _foldings() -> Mapping[str, str]:
    """Folded character -> all that fold to it, where there is more than one. No cased letter is beyond plane 1."""
    groups: dict[str, str] = {}
    for point in range(0x20000):
        character = chr(point)
        if (character.casefold() != character or character.lower() != character) and fold(character) != character:
            folded = fold(character)
            groups[folded] = groups.get(folded, folded) + character
    return groups


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = _MAX_PATTERN_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)


# -- regular expressions ----------------------------------------------------------------------------------------------


def regex(pattern: str) -> Callable[[str], bool]:
    """Whether a pattern matches some part of a text; raises `ValueError` for what RE2 does not know."""
    if (least := _LENGTH.fullmatch(pattern)) and 0 < int(least[1]) <= _MOST_REPEATS:
        return _has_line_of(int(least[1]))
    try:
        found = _compiled(regex_text(pattern))
    except re2.error as error:
        raise ValueError(str(error.args[0] if error.args else error).removeprefix("b'").removesuffix("'")) from None
    return lambda text: found.search(text) is not None


_LENGTH = re.compile(r"\.\{([0-9]{1,4}),\}")
"""A pattern that asks for nothing but length, for which an automaton needs a state for each character."""

_MOST_REPEATS = 1000
"""As many as RE2 takes."""


def _has_line_of(least: int) -> Callable[[str], bool]:
    return lambda text: len(text) >= least and any(len(line) >= least for line in text.split("\n"))


def regex_text(pattern: str) -> str:
    """The pattern as both engines take it: their dots differ on line breaks unless told."""
    return f"(?-s){pattern}"


# -- paths in a document ----------------------------------------------------------------------------------------------

Step = tuple[tuple[str, int], ...]


def _steps(path: str) -> list[Step]:
    """For each depth the keys that lead on, and how deep: `a` or, as a dotted key, `a.b` or `a.b.c` (§4)."""
    segments = path.split(".")
    return [
        tuple((".".join(segments[depth:end]), end) for end in range(depth + 1, len(segments) + 1))
        for depth in range(len(segments))
    ]


def path_reader(path: str) -> Callable[[Mapping[str, Any]], list[Scalar]]:
    """All scalars at a path, those of an array in its order; arrays are crossed (§10)."""
    if path.count(".") >= _LONG_PATH or not path.isascii():
        return lambda attributes: flatten(attributes).get(path, [])
    steps = _steps(path)
    last = len(steps)

    def read(attributes: Mapping[str, Any]) -> list[Scalar]:
        found: list[Scalar] = []
        stack: list[tuple[Any, int]] = [(attributes, 0)]
        while stack:
            node, depth = stack.pop()
            if isinstance(node, dict):
                if depth < last:
                    for key, below in steps[depth]:
                        if key in node:
                            stack.append((node[key], below))
            elif isinstance(node, list):
                stack.extend((element, depth) for element in reversed(node))
            elif depth == last and (value := scalar(node)) is not None:
                found.append(value)
        return found

    return read


def path_test(path: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a value exists at a path or anywhere below it (§8)."""
    read = path_reader(path)
    below = f"{path}."

    def exists(attributes: Mapping[str, Any]) -> bool:
        if read(attributes):
            return True
        return any(found.startswith(below) for found in flatten(attributes))

    return exists


# -- blocks -----------------------------------------------------------------------------------------------------------


def address_test(ranges: Sequence[AddressRange]) -> Callable[[int], bool]:
    """Whether an address is in one of the sorted, disjoint ranges."""
    firsts = [first for first, _ in ranges]
    lasts = [last for _, last in ranges]

    def within(address: int) -> bool:
        index = bisect.bisect_right(firsts, address) - 1
        return index >= 0 and address <= lasts[index]

    return within
