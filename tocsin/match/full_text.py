"""Which atoms of full text may be true of an event: all its values looked at as one text.

That text is JSON, which one call makes of the flattened event and the automaton reads as it is. So a clause is looked
for as it would stand in JSON. A value's edges are not told from the inside of one, so what is found is possible, not
sure; what is not found is impossible. The JSON that is stored of an event, where it is at hand, is looked at first: it
has the names of attributes as well, so what is found there is looked for again among the values alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import hyperscan
import orjson

from tocsin.match.literals import Patterns
from tocsin.match.values import Atom
from tocsin.query.tree import ANY, ONE, AnyCase, Glob, Leaf, Piece, Pieces, Text, TextGlob
from tocsin.query.values import Scalar, fold, text_of, whole_text

_IN_NUMBERS = frozenset("0123456789+-.e")
"""Characters of the text forms of numbers, which are not those of JSON."""

FOLDED_INTO_ASCII = {"\u212a".encode(): b"k", "\u017f".encode(): b"s"}
"""The only characters beyond ASCII (the Kelvin sign, the long s) that a clause in ASCII may mean."""

_LONGEST = 60
_MOST_PIECES = 8
"""Characters, and literals and wildcards, of a clause that are looked for."""

_ESCAPE = r"\\u[0-9a-f]{4}|\\[^u]"
_ONE = rf'(?:[^"\\\x80-\xff]|[\x80-\xff]{{2,4}}|{_ESCAPE})'
_ANY = rf'(?:[^"\\]|{_ESCAPE})*'
_BETWEEN_WORDS = rf'(?:[^0-9a-z_"\\]|{_ESCAPE})+'
"""One character of a value, any number of them, and what may stand between two words, as they are in JSON: never the
end of the value."""

_WILD: dict[Piece, str] = {ONE: _ONE, ANY: _ANY}

PADDED = orjson.OPT_APPEND_NEWLINE
"""As `Patterns` wants a text to end (`literals.PAD`)."""

REMEMBERED = 50_000
"""Values; forgotten all at once when there are more."""

LONGEST_REMEMBERED = 200


Names = Sequence[str | list[str] | None]
"""Values of reserved attributes."""


class FullText:
    """The leaves that look everywhere. A clause holds when it holds for one value (search-syntax.md §7)."""

    def __init__(self, atoms: Mapping[Leaf, Atom]) -> None:
        by_pattern: dict[str, list[int]] = {}
        self._others: list[Atom] = []
        self._reads_numbers = self._is_beyond_ascii = False
        for leaf, atom in atoms.items():
            pattern = _pattern(leaf)
            if pattern is None:
                self._others.append(atom)
            else:
                by_pattern.setdefault(pattern, []).append(atom[0])
                self._reads_numbers |= _may_be_number(leaf)
                self._is_beyond_ascii |= not all(map(str.isascii, _literals(leaf)))
        self._by_pattern = list(by_pattern.values())
        self._patterns = Patterns(list(by_pattern), hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_DOTALL)
        self._remembered: dict[str, list[int]] = {}

    def possible(self, names: Names, found: Iterable[Sequence[Scalar]], document: bytes = b"") -> Collection[int]:
        """All atoms that may be true of one of the values: of reserved attributes, of all others by path. Also a few
        that are true of none. `document` is the attributes as JSON, if that is at hand."""
        positions = () if self._is_without(names, document) else self._patterns.within(self._text(names, found))
        if not positions and not self._others:
            return ()
        atoms = {atom for position in positions for atom in self._by_pattern[position]}
        return atoms | self._possible_others(names, found) if self._others else atoms

    def _text(self, names: Names, found: Iterable[Sequence[Scalar]]) -> bytes:
        values: list[Any] = list(_texts(names, found)) if self._reads_numbers else [names, *found]
        try:
            text = orjson.dumps(values, option=PADDED)
        except orjson.JSONEncodeError:  # a lone surrogate, which no clause has either
            text = orjson.dumps(list(map(whole_text, _texts(names, found))), option=PADDED)
        return self._readable(text)

    def _is_without(self, names: Names, document: bytes) -> bool:
        """Whether neither the reserved attributes nor the document have a pattern, names of attributes included."""
        if not self._by_pattern:
            return True
        if not document or self._reads_numbers:
            return False
        try:
            return not self._patterns.within(self._readable(document + orjson.dumps(names, option=PADDED)))
        except orjson.JSONEncodeError:
            return False

    def _readable(self, text: bytes) -> bytes:
        """The JSON as the patterns expect it."""
        if text.isascii():
            return text
        if self._is_beyond_ascii:
            return fold(text.decode()).encode()
        for character, folded in FOLDED_INTO_ASCII.items():
            if character[0] in text:  # one byte is found ten times as fast as several
                text = text.replace(character, folded)
        return text

    def _possible_others(self, names: Names, found: Iterable[Sequence[Scalar]]) -> set[int]:
        """Of atoms that only a test of each value decides, which is worth remembering."""
        if len(self._remembered) > REMEMBERED:
            self._remembered.clear()
        true = set[int]()
        for text in _texts(names, found):
            atoms = self._remembered.get(text)
            if atoms is None:
                atoms = [atom for atom, test in self._others if test(text)]
                if len(text) <= LONGEST_REMEMBERED:
                    self._remembered[text] = atoms
            true.update(atoms)
        return true


def _texts(names: Names, found: Iterable[Sequence[Scalar]]) -> Iterator[str]:
    for values in (*filter(None, names), *found):
        for value in (values,) if isinstance(values, str) else values:
            yield value if isinstance(value, str) else text_of(value)


def _pattern(leaf: Leaf) -> str | None:
    """What stands in the JSON of every value for which the leaf is true, as a regular expression on bytes; None:
    nothing that could be said."""
    if isinstance(leaf, Text):
        whole = _short(leaf.words)
        return _BETWEEN_WORDS.join(_escaped(str(word)) for word in whole) or None
    if isinstance(leaf, Glob | TextGlob | AnyCase):
        return "".join(_WILD.get(piece) or _escaped(str(piece)) for piece in _short(_inner(leaf.pieces))) or None
    return None


def _inner(pieces: Pieces) -> Pieces:
    """From the first literal to the last: what stands before and behind may be anything."""
    literals = [position for position, piece in enumerate(pieces) if isinstance(piece, str)]
    return pieces[literals[0] : literals[-1] + 1] if literals else ()


def _short(pieces: Sequence[Piece]) -> list[Piece]:
    """As many of the first ones as an automaton can well look for, the last perhaps cut."""
    left, found = _LONGEST, list[Piece]()
    for piece in pieces[:_MOST_PIECES]:
        if left <= 0:
            break
        found.append(piece[:left] if isinstance(piece, str) else piece)
        left -= len(piece) if isinstance(piece, str) else 1
    while found and not isinstance(found[-1], str):
        found.pop()
    return found


def _escaped(text: str) -> str:
    """The folded text as it stands in JSON, each byte that is not a letter or digit by its number."""
    inside = orjson.dumps(whole_text(fold(text)))[1:-1]
    return "".join(chr(byte) if _is_plain(byte) else f"\\x{byte:02x}" for byte in inside)


def _is_plain(byte: int) -> bool:
    return byte < 0x80 and chr(byte).isalnum()


def _may_be_number(leaf: Leaf) -> bool:
    return all(map(_IN_NUMBERS.issuperset, _literals(leaf)))


def _literals(leaf: Leaf) -> list[str]:
    pieces = (
        leaf.words if isinstance(leaf, Text) else leaf.pieces if isinstance(leaf, Glob | TextGlob | AnyCase) else ()
    )
    return [fold(piece) for piece in pieces if isinstance(piece, str)]
