"""How an event is laid out for searching, so that SQL and predicate give the same answers (decision 0011).

The document itself is stored beside this form and is what people see; these columns are only searched. A path that
has one distinct scalar is in `attributes` as Int64, UInt64 (only above Int64), Float64 (only if not whole or beyond
64 bits), Bool or String. A path with several distinct scalars, through lists or because a dotted
and a nested key meet, is in `in_lists`: strings under `s.<path>`, numbers and booleans in text form under `n.<path>`.
No path is in both. Path segments are encoded to ASCII letters, digits, `_`, `-` and `%XX`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.query.track import (
    ATTRIBUTES,
    END_OF_MESSAGE,
    END_OF_TEXT,
    IN_LISTS,
    LOGS,
    TEXT_WORDS,
    VALUE_WORDS,
    Track,
)
from tocsin.query.values import BEYOND_ASCII, Scalar, distinct, flatten, fold, is_word_character, text_of
from tocsin.remembering import remembered

STRINGS = "s"
OTHERS = "n"

_SAFE = re.compile(r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*")
_UNSAFE_BYTES = re.compile(rb"[^A-Za-z0-9_\-.]")


@remembered(65536)
def encode_path(path: str) -> str:
    """The name under which a dotted path is stored: it can neither end a quoted identifier nor name a subcolumn.

    An empty segment, which no query can name, becomes `%`, so that full text still sees the value.
    """
    if _SAFE.fullmatch(path):
        return path
    encoded = _UNSAFE_BYTES.sub(lambda byte: b"%%%02X" % byte[0][0], path.encode("utf-8", "replace")).decode("ascii")
    return ".".join(segment or "%" for segment in encoded.split("."))


def searchable(attributes: Mapping[str, Any]) -> tuple[dict[str, Scalar], dict[str, list[str]]]:
    """The columns `attributes` and `in_lists` of a document, as flat objects with encoded dotted paths."""
    columns = search_columns({}, attributes)
    return columns[ATTRIBUTES], columns[IN_LISTS]


def search_columns(
    reserved: Mapping[str, Any],
    attributes: Mapping[str, Any],
    track: Track = LOGS,
    found: Mapping[str, list[Scalar]] | None = None,
) -> dict[str, Any]:
    """The columns of an event that are derived: `attributes`, `in_lists`, `text_words`, `value_words`, and those that
    are stored folded (`status`).

    `reserved` maps reserved names (at least `message`, the text fields and `Track.full_text`) to a string,
    a list of strings or None. `found` is `flatten(attributes)`, where that was made before.
    """
    if found is None:
        found = flatten(attributes)
    texts = [text for name in track.text_names for text in strings_of(reserved.get(name))]
    others = [text for name in track.full_text for text in strings_of(reserved.get(name))]
    paths = track.text_paths
    if found.keys().isdisjoint(paths):
        others += [value if value.__class__ is str else text_of(value) for values in found.values() for value in values]
    else:
        texts += [text_of(value) for path in paths if path in found for value in found[path]]
        others += [text_of(value) for path, values in found.items() if path not in paths for value in values]
    single: dict[str, Scalar] = {}
    several: dict[str, list[str]] = {}
    are_plain = _are_plain(found)
    for path, values in found.items():
        name = path if are_plain else encode_path(path)
        if len(values) == 1:
            single[name] = values[0]
        else:
            _lay_out(name, values, single, several)
    message, text, value = words_of(strings_of(reserved.get("message")), texts, others)
    folded = {name: _folded(reserved[name]) for name in track.folded if reserved.get(name) is not None}
    return {
        **folded,
        ATTRIBUTES: single,
        IN_LISTS: several,
        TEXT_WORDS: f"{message}{END_OF_MESSAGE}{text}",
        VALUE_WORDS: value,
    }


_PLAIN: set[str] = set()
"""Paths that are their own names; most events have no others."""
_PLAIN_PATHS = 32_768
_PLAIN_CHARACTERS = 128
"""What is remembered has an end, since senders choose the names."""


def _are_plain(paths: Iterable[str]) -> bool:
    """Whether `encode_path` would change none of these; it may say no too often."""
    if _PLAIN.issuperset(paths):
        return True
    fresh = [path for path in paths if path not in _PLAIN and len(path) <= _PLAIN_CHARACTERS and _SAFE.fullmatch(path)]
    if len(_PLAIN) + len(fresh) > _PLAIN_PATHS:
        _PLAIN.clear()
    _PLAIN.update(fresh)
    return _PLAIN.issuperset(paths)


def _lay_out(name: str, values: list[Scalar], single: dict[str, Scalar], several: dict[str, list[str]]) -> None:
    """Several values at one path, each once."""
    strings = [value for value in values if isinstance(value, str)]
    if len(strings) == len(values):
        strings = list(dict.fromkeys(strings))
        if len(strings) == 1:
            (single[name],) = strings
        else:
            several[f"{STRINGS}.{name}"] = strings
        return
    values = distinct(values)
    if len(values) == 1:
        (single[name],) = values
        return
    if strings:
        several[f"{STRINGS}.{name}"] = list(dict.fromkeys(strings))
    several[f"{OTHERS}.{name}"] = [text_of(value) for value in values if not isinstance(value, str)]


def _folded(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else [fold(each) for each in value]


def strings_of(value: Any) -> list[str]:
    """The values of a reserved attribute, however it is held: None, one string, or several."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


_MARK = "\x01"
_END = "\x02"
_TO_WORDS = bytes(
    ord(END_OF_TEXT)
    if point == ord(_MARK)
    else ord(END_OF_MESSAGE)
    if point == ord(_END)
    else point
    if point >= 128
    else ord(folded)
    if (folded := chr(point).lower()).isalnum() or folded == "_"
    else 32
    for point in range(256)
)
"""What each byte becomes: one of ASCII folded if it makes words, else a blank. Marks end a text and a section."""

_BLANKS = re.compile(rb"  +")


class _WordCharacters(dict[int, str]):
    """What a character beyond ASCII becomes: folded if it makes words, else a blank. Filled as it is used."""

    def __missing__(self, point: int) -> str:
        folded = fold(chr(point))
        self[point] = made = folded if is_word_character(folded) else " "
        return made


_BEYOND_ASCII_TO_WORDS = _WordCharacters()


def words_of(*sections: Iterable[str]) -> list[str]:
    """Words of several texts such that a phrase is a substring: ` a b \n c \n`; equal texts of a section stand once.

    The words are those of `values.words`. An event has dozens of short texts, so they are cut together, by the byte.
    """
    unique = [dict.fromkeys(texts) for texts in sections]
    marked = f" {_MARK}{_END} ".join([f" {_MARK} ".join(texts) for texts in unique])
    marks = sum([len(texts) or 1 for texts in unique]) - 1
    if marked.count(_MARK) != marks or marked.count(_END) != len(unique) - 1:
        cleaned = [[text.replace(_MARK, " ").replace(_END, " ") for text in texts] for texts in unique]
        marked = f" {_MARK}{_END} ".join([f" {_MARK} ".join(texts) for texts in cleaned])
    if not marked.isascii():
        marked = BEYOND_ASCII.sub(lambda run: run[0].translate(_BEYOND_ASCII_TO_WORDS), marked)
    cut = _BLANKS.sub(b" ", f" {marked} {_MARK}".encode().translate(_TO_WORDS))
    while b"\n \n" in cut:
        cut = cut.replace(b"\n \n", b"\n")  # there are texts without words
    return [words.removeprefix(f" {END_OF_TEXT}") for words in cut.decode().split(END_OF_MESSAGE)]


def stored_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they must be stored: folded, each once, in order (§5)."""
    return list(dict.fromkeys([fold(tag) for tag in tags]))
