"""How an event is laid out for searching, so that SQL and predicate give the same answers (decision 0011).

The document itself is stored beside this form and is what people see; these columns are only searched. A path that
has one distinct scalar is in `attributes` as Int64, UInt64 (only above Int64), Float64 (only if not whole or beyond
64 bits), Bool or String. A path with several distinct scalars, through lists or because a dotted
and a nested key meet, is in `in_lists`: strings under `s.<path>`, numbers and booleans in text form under `n.<path>`.
No path is in both. Path segments are encoded to ASCII letters, digits, `_`, `-` and `%XX`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from tocsin.query.track import (
    ATTRIBUTES,
    END_OF_MESSAGE,
    END_OF_TEXT,
    IN_LISTS,
    LOGS,
    TEXT_WORDS,
    VALUE_WORDS,
    TextField,
    Track,
)
from tocsin.query.values import BEYOND_ASCII, Scalar, distinct, flatten, fold, is_word_character, text_of

STRINGS = "s"
OTHERS = "n"

_SAFE = re.compile(r"[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*")
_UNSAFE_BYTES = re.compile(rb"[^A-Za-z0-9_\-.]")


@lru_cache(maxsize=65536)
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
    paths, names = _text_places(track.text_fields)
    texts = [text for name in names for text in strings_of(reserved.get(name))]
    texts += [text_of(value) for path in paths if path in found for value in found[path]]
    others = [text for name in track.full_text for text in strings_of(reserved.get(name))]
    single: dict[str, Scalar] = {}
    several: dict[str, list[str]] = {}
    for path, values in found.items():
        if len(values) == 1:
            (value,) = values
            single[encode_path(path)] = value
            if path not in paths:
                others.append(value if value.__class__ is str else text_of(value))
            continue
        _lay_out(encode_path(path), distinct(values), single, several)
        if path not in paths:
            others += map(text_of, values)
    message = strings_of(reserved.get("message"))
    folded = {name: _folded(reserved[name]) for name in track.folded if reserved.get(name) is not None}
    return {
        **folded,
        ATTRIBUTES: single,
        IN_LISTS: several,
        TEXT_WORDS: f"{words_sections(message)}{END_OF_MESSAGE}{words_sections(texts)}",
        VALUE_WORDS: words_sections(others),
    }


def _lay_out(name: str, values: list[Scalar], single: dict[str, Scalar], several: dict[str, list[str]]) -> None:
    """Several values at one path, each once."""
    if len(values) == 1:
        (single[name],) = values
        return
    strings = [value for value in values if isinstance(value, str)]
    others = [text_of(value) for value in values if not isinstance(value, str)]
    if strings:
        several[f"{STRINGS}.{name}"] = strings
    if others:
        several[f"{OTHERS}.{name}"] = others


@lru_cache(maxsize=64)
def _text_places(fields: tuple[TextField, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Paths of the text fields in the attributes, and reserved names besides the message."""
    paths = frozenset(text.path for text in fields if text.path)
    return paths, tuple(text.name for text in fields if text.name and text.name != "message")


def _folded(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else [fold(each) for each in value]


def strings_of(value: Any) -> list[str]:
    """The values of a reserved attribute, however it is held: None, one string, or several."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


_MARK = "\x01"
_TO_WORDS = bytes(
    ord(END_OF_TEXT)
    if point == ord(_MARK)
    else point
    if point >= 128
    else ord(folded)
    if (folded := chr(point).lower()).isalnum() or folded == "_"
    else 32
    for point in range(256)
)
"""What each byte becomes: one of ASCII folded if it makes words, else a blank. The mark ends a text."""

_BLANKS = re.compile(rb"  +")


class _WordCharacters(dict[int, str]):
    """What a character beyond ASCII becomes: folded if it makes words, else a blank. Filled as it is used."""

    def __missing__(self, point: int) -> str:
        folded = fold(chr(point))
        self[point] = made = folded if is_word_character(folded) else " "
        return made


_BEYOND_ASCII_TO_WORDS = _WordCharacters()


def words_sections(texts: Iterable[str]) -> str:
    """Words of several texts such that a phrase is a substring: ` a b \n c \n`; equal texts stand once.

    The words are those of `values.words`. An event has dozens of short texts, so they are cut together, by the byte.
    """
    unique = dict.fromkeys(texts)
    if not unique:
        return ""
    marked = f" {_MARK} ".join(unique)
    if marked.count(_MARK) >= len(unique):
        marked = f" {_MARK} ".join(text.replace(_MARK, " ") for text in unique)
    if not marked.isascii():
        marked = BEYOND_ASCII.sub(lambda run: run[0].translate(_BEYOND_ASCII_TO_WORDS), marked)
    cut = _BLANKS.sub(b" ", f" {marked} {_MARK}".encode().translate(_TO_WORDS))
    while b"\n \n" in cut:
        cut = cut.replace(b"\n \n", b"\n")  # there are texts without words
    return cut.decode().removeprefix(f" {END_OF_TEXT}")


def stored_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they must be stored: folded, each once, in order (§5)."""
    return list(dict.fromkeys(fold(tag) for tag in tags))
