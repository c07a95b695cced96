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

from tocsin.query.track import ATTRIBUTES, END_OF_MESSAGE, END_OF_TEXT, IN_LISTS, LOGS, TEXT_WORDS, VALUE_WORDS, Track
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
        values = distinct(found_values)
        name = encode_path(path)
        if len(values) == 1:
            single[name] = values[0]
            continue
        strings = [value for value in values if isinstance(value, str)]
        others = [text_of(value) for value in values if not isinstance(value, str)]
        if strings:
            several[f"{STRINGS}.{name}"] = strings
        if others:
            several[f"{OTHERS}.{name}"] = others
    return single, several


def search_columns(reserved: Mapping[str, Any], attributes: Mapping[str, Any], track: Track = LOGS) -> dict[str, Any]:
    """The columns of an event that are derived: `attributes`, `in_lists`, `text_words`, `value_words`, and those that
    are stored folded (`status`).

    `reserved` maps reserved names (at least `message`, the text fields and `Track.full_text`) to a string,
    a list of strings or None.
    """
    found = flatten(attributes)
    single, several = _split(found)
    paths = {text.path for text in track.text_fields if text.path}
    names = [text.name for text in track.text_fields if text.name and text.name != "message"]
    texts = [text for name in names for text in strings_of(reserved.get(name))]
    texts += [text_of(value) for path in paths for value in found.get(path, ())]
    others = [text for name in track.full_text for text in strings_of(reserved.get(name))]
    others += [text_of(value) for path, values in found.items() if path not in paths for value in values]
    message = strings_of(reserved.get("message"))
    folded = {name: _folded(reserved[name]) for name in track.folded if reserved.get(name) is not None}
    return {
        **folded,
        ATTRIBUTES: single,
        IN_LISTS: several,
        TEXT_WORDS: f"{words_sections(message)}{END_OF_MESSAGE}{words_sections(texts)}",
        VALUE_WORDS: words_sections(others),
    }


def _folded(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else [fold(each) for each in value]


def strings_of(value: Any) -> list[str]:
    """The values of a reserved attribute, however it is held: None, one string, or several."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def words_sections(texts: Iterable[str]) -> str:
    """Words of several texts such that a phrase is a substring: ` a b \n c \n`; equal texts stand once."""
    sections = []
    for text in dict.fromkeys(texts):
        if found := words(text):
            sections.append(f" {' '.join(found)} {END_OF_TEXT}")
    return "".join(sections)


def stored_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they must be stored: folded, each once, in order (§5)."""
    return list(dict.fromkeys(fold(tag) for tag in tags))
