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
from tocsin.query.values import Scalar, distinct, flatten, fold, text_of, words

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
    return _split(flatten(attributes))


def _split(found: Mapping[str, list[Scalar]]) -> tuple[dict[str, Scalar], dict[str, list[str]]]:
    single: dict[str, Scalar] = {}
    several: dict[str, list[str]] = {}
    for path, found_values in found.items():
        name = encode_path(path)
        if len(found_values) == 1 or len(values := distinct(found_values)) == 1:
            single[name] = found_values[0]
            continue
        strings = [value for value in values if isinstance(value, str)]
        others = [text_of(value) for value in values if not isinstance(value, str)]
        if strings:
            several[f"{STRINGS}.{name}"] = strings
        if others:
            several[f"{OTHERS}.{name}"] = others
    return single, several


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
    single, several = _split(found)
    paths, names = _text_places(track.text_fields)
    texts = [text for name in names for text in strings_of(reserved.get(name))]
    texts += [text_of(value) for path in paths if path in found for value in found[path]]
    others = [text for name in track.full_text for text in strings_of(reserved.get(name))]
    for path, values in found.items():
        if path not in paths:
            others += [value if value.__class__ is str else text_of(value) for value in values]
    message = strings_of(reserved.get("message"))
    folded = {name: _folded(reserved[name]) for name in track.folded if reserved.get(name) is not None}
    return {
        **folded,
        ATTRIBUTES: single,
        IN_LISTS: several,
        TEXT_WORDS: f"{words_sections(message)}{END_OF_MESSAGE}{words_sections(texts)}",
        VALUE_WORDS: words_sections(others),
    }


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
    point if point == ord(_MARK) else ord(folded) if (folded := chr(point).lower()).isalnum() or folded == "_" else 32
    for point in range(128)
).ljust(256)
"""What each byte of ASCII becomes: folded if it makes words, else a blank; the mark between texts stays."""


def words_sections(texts: Iterable[str]) -> str:
    """Words of several texts such that a phrase is a substring: ` a b \n c \n`; equal texts stand once.

    An event has dozens of short texts, so those in ASCII are cut together, by the byte.
    """
    unique = dict.fromkeys(texts)
    marked = f" {_MARK} ".join(unique)
    others: list[str] = []
    if not marked.isascii() or marked.count(_MARK) >= len(unique) > 0:
        others = [text for text in unique if not text.isascii() or _MARK in text]
        marked = f" {_MARK} ".join(text for text in unique if text.isascii() and _MARK not in text)
    cut = marked.encode("ascii").translate(_TO_WORDS).decode("ascii").split()
    joined = f" {' '.join(cut)} {_MARK}" if cut else ""
    while (shorter := joined.replace(f" {_MARK} {_MARK}", f" {_MARK}")) != joined:
        joined = shorter  # there are texts without words
    sections = joined.removeprefix(f" {_MARK}").replace(_MARK, END_OF_TEXT)
    for text in others:
        if found := words(text):
            sections += f" {' '.join(found)} {END_OF_TEXT}"
    return sections


def stored_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they must be stored: folded, each once, in order (§5)."""
    return list(dict.fromkeys(fold(tag) for tag in tags))
