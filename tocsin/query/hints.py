"""What is probably not meant, in a query that parses (§14): shown in the search bar and the rule editor."""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tocsin.query.errors import QueryError
from tocsin.query.parser import curly_quotes, parse
from tocsin.query.printer import print_field
from tocsin.query.track import LOGS, Track
from tocsin.query.tree import ANY, All, Cidr, Equals, FieldKind, Glob, Leaf, Text, TextGlob, leaves
from tocsin.query.values import WHITE_SPACE, block_of, fold

_LOWER_OPERATORS = ("and", "or", "not")
_SPACE_BEHIND_COLON = re.compile(f'[^"{WHITE_SPACE}]*:[{WHITE_SPACE}]')
_STRAIGHT = str.maketrans("“”", '""')


@dataclass(frozen=True, slots=True)
class Hint:
    """`start` and `end` are character offsets; `fix` is a whole query, None if there is no obvious one."""

    start: int
    end: int
    message: str
    fix: str | None = None


def hints(text: str, track: Track = LOGS, known_fields: Collection[str] | None = None) -> list[Hint]:
    """Hints in the order of the text; none for a query that does not parse.

    `known_fields` are the fields, as written, that events of the last period had; None = not known.
    """
    try:
        tree = parse(text)
    except QueryError:
        return []
    found = list(_curly(text))
    clauses = leaves(tree)
    for leaf in clauses:
        found += _of_leaf(leaf, text, track, len(clauses) > 1)
        if known_fields is not None:
            found += _unknown(leaf, text, track, known_fields)
    return sorted(found, key=lambda hint: hint.start)


def _curly(text: str) -> Iterator[Hint]:
    places = curly_quotes(text)
    if places:
        straight = text.translate(_STRAIGHT)
        fix = straight if _parses(straight) else None
        yield Hint(places[0], places[0] + 1, "curly quotes are ignored: use straight ones for a phrase", fix)


def _parses(text: str) -> bool:
    try:
        parse(text)
    except QueryError:
        return False
    return True


def _of_leaf(leaf: Leaf, text: str, track: Track, has_neighbours: bool) -> Iterator[Hint]:
    start, end = leaf.span
    source = text[start:end]

    def replaced(by: str) -> str | None:
        fixed = text[:start] + by + text[end:]
        return fixed if _parses(fixed) else None

    if source in _LOWER_OPERATORS and has_neighbours:
        yield Hint(start, end, f"'{source}' is searched as a word: operators are upper case", replaced(source.upper()))
    if isinstance(leaf, All):
        return
    field = leaf.field
    if isinstance(leaf, Equals) and field.kind is FieldKind.NAME and field.name == "status":
        word = leaf.text
        if track.statuses and fold(word) not in track.statuses:
            near = difflib.get_close_matches(fold(word), track.statuses, n=1)
            noun = "severity" if "high" in track.statuses else "status"
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(track.statuses)}"
            fix = replaced(source.replace(word, near[0])) if near and source.count(word) == 1 else None
            yield Hint(start, end, f"unknown {noun} '{word}': {advice}", fix)
    if field.kind is FieldKind.ATTRIBUTE and field.name in track.columns and source.startswith("@"):
        yield Hint(
            start,
            end,
            f"@{field.name} reads an attribute of that name; the reserved one is written {field.name}",
            replaced(source[1:]),
        )
    if isinstance(leaf, Glob | TextGlob) and leaf.pieces[0] is ANY:
        yield Hint(start, end, "a leading wildcard has to look at every value: it is slow")
    if isinstance(leaf, Cidr):
        blocks = [block for block in leaf.blocks if (read := block_of(block)) is not None and read.has_host_bits]
        if blocks:
            yield Hint(start, end, f"the bits of {blocks[0]} behind its mask are ignored")
    is_phrase = isinstance(leaf, Equals | Text) and source.endswith('"') and not source.endswith('\\"')
    if is_phrase and any(wildcard in source for wildcard in "*?"):
        yield Hint(start, end, "wildcards do not work in quotes: * and ? are searched as they are")
    if is_phrase and end < len(text) and not re.match(f"[{WHITE_SPACE}()]", text[end]):
        yield Hint(start, end, "another clause begins directly behind this phrase: put white space between them")
    if field.kind is FieldKind.NAME and field.name not in track.columns and _SPACE_BEHIND_COLON.match(source):
        yield Hint(start, end, f"this looks for the tag {field.name}; for words, leave the colon out")


def _unknown(leaf: Leaf, text: str, track: Track, known_fields: Collection[str]) -> Iterator[Hint]:
    if isinstance(leaf, All) or leaf.field.kind not in (FieldKind.ATTRIBUTE, FieldKind.NAME):
        return
    if leaf.field.kind is FieldKind.NAME and leaf.field.name in track.columns:
        return
    written = print_field(leaf.field)
    if written in known_fields or any(known.startswith(f"{written}.") for known in known_fields):
        return
    near = difflib.get_close_matches(written, known_fields, n=3)
    advice = f": did you mean {', '.join(near)}?" if near else ""
    start, end = leaf.span
    is_written_here = bool(near) and text.startswith(f"{written}:", start)
    fix = text[:start] + near[0] + text[start + len(written) :] if is_written_here else None
    yield Hint(start, end, f"no event of the last period has {written}{advice}", fix)
