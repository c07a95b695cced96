"""Which atoms of full text are true of an event: all its values looked at as one text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tocsin.match.literals import Literals, literal_of
from tocsin.match.values import Atom
from tocsin.query.tree import ANY, AnyCase, Leaf
from tocsin.query.values import Scalar, fold, text_of

_BETWEEN = "\0"
"""Stands between two values. A literal with it in it is looked for in the values themselves."""

_IN_NUMBERS = frozenset("0123456789+-.e") | frozenset("true") | frozenset("false")
"""Characters of the text forms of numbers and truth values."""

REMEMBERED = 50_000
"""Values; forgotten all at once when there are more."""

LONGEST_REMEMBERED = 200


class FullText:
    """The leaves that look everywhere. A clause holds when it holds for one value (search-syntax.md §7)."""

    def __init__(self, atoms: Mapping[Leaf, Atom]) -> None:
        self._sure: dict[str, int] = {}
        self._tests: dict[str, list[Atom]] = {}
        self._others: list[Atom] = []
        self._remembered: dict[str, int] = {}
        for leaf, atom in atoms.items():
            literal = literal_of(leaf)
            if not literal:
                self._others.append(atom)
            elif isinstance(leaf, AnyCase) and leaf.pieces == (ANY, literal, ANY) and _BETWEEN not in literal:
                self._sure[literal] = self._sure.get(literal, 0) | atom[0]
            else:
                self._tests.setdefault(literal, []).append(atom)
        self._by_position = list(dict.fromkeys((*self._sure, *self._tests)))
        self._literals = Literals(self._by_position)
        self._only_texts = not self._others and not any(map(_IN_NUMBERS.issuperset, self._by_position))

    def mask(self, names: Iterable[str | list[str]], found: Iterable[Sequence[Scalar]]) -> int:
        """The bits of all atoms that are true of one of the values: of reserved attributes, of all others by path.

        To ask the automaton costs less than to remember what values it knows; only other tests are worth that.
        """
        if not self._by_position and not self._others:
            return 0
        if not self._others:
            return self._mask(_texts(names, found, only_texts=self._only_texts))
        known, mask = self._remembered, 0
        unknown: list[str] = []
        for values in (*names, *found):
            for value in (values,) if isinstance(values, str) else values:
                text = value if isinstance(value, str) else text_of(value)
                bits = known.get(text)
                if bits is None:
                    unknown.append(text)
                elif bits:
                    mask |= bits
        return mask | self._learned(unknown) if unknown else mask

    def _learned(self, texts: Sequence[str]) -> int:
        """The bits of texts that are not remembered. One look at all of them suffices where nothing is found."""
        mask = self._mask(texts)
        if len(self._remembered) > REMEMBERED:
            self._remembered.clear()
        for text in texts:
            if len(text) <= LONGEST_REMEMBERED:
                self._remembered[text] = mask and self._mask([text])
        return mask

    def _mask(self, texts: Sequence[str]) -> int:
        mask = 0
        for position in self._literals.found(fold(_BETWEEN.join(texts))):
            literal = self._by_position[position]
            mask |= self._sure.get(literal, 0)
            for bit, test in self._tests.get(literal, ()):
                if not mask & bit and any(map(test, texts)):
                    mask |= bit
        for bit, test in self._others:
            if any(map(test, texts)):
                mask |= bit
        return mask


def _texts(names: Iterable[str | list[str]], found: Iterable[Sequence[Scalar]], *, only_texts: bool) -> list[str]:
    """All values as texts; `only_texts` passes over numbers and truth values."""
    texts: list[Any]
    if only_texts:
        texts = [value for values in found for value in values if value.__class__ is str]
    else:
        texts = [value if value.__class__ is str else text_of(value) for values in found for value in values]
    for name in names:
        if isinstance(name, str):
            texts.append(name)
        else:
            texts += name
    return texts
