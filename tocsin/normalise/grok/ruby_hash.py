"""Ruby's notation of a hash, `{:status=>500, "path"=>"/", :tags=>[…]}`, as JSON values."""

import re
from typing import Any

from tocsin.normalise.grok.matchers import to_number

DEPTH = 20

_SPACE = re.compile(r"\s*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_BARE = re.compile(r"[^\s,\]}=]+(?:=(?!>)[^\s,\]}=]*)*")
_KEY = re.compile(r':?"((?:[^"\\]|\\.)*)"|:?([^\s"=,{}\[\]]+?)(?=\s*=>|:\s)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "0": "\0"}
_CONSTANTS = {"nil": None, "true": True, "false": False}


class _NotRuby(ValueError):
    pass


def read_ruby_hash(text: str) -> dict[str, Any] | None:
    """The hash, or None if the text is none."""
    try:
        value, at = _value(text, _skip(text, 0), DEPTH)
    except _NotRuby:
        return None
    return value if isinstance(value, dict) and not text[at:].strip() else None


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    if at >= len(text) or depth == 0:
        raise _NotRuby
    if text[at] == "{":
        return _hash(text, at + 1, depth - 1)
    if text[at] == "[":
        return _list(text, at + 1, depth - 1)
    if found := _STRING.match(text, at):
        body = found[1] if found[1] is not None else found[2]
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), body), found.end()
    found = _BARE.match(text, at)
    if found is None:
        raise _NotRuby
    word = found[0]
    if word in _CONSTANTS:
        return _CONSTANTS[word], found.end()
    number = to_number(word)
    return (number if number is not None else word.removeprefix(":")), found.end()


def _hash(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at = _skip(text, at)
    while at < len(text) and text[at] != "}":
        key = _KEY.match(text, at)
        if key is None:
            raise _NotRuby
        at = _skip(text, key.end())
        if text.startswith("=>", at):
            at += 2
        elif text.startswith(":", at):
            at += 1
        else:
            raise _NotRuby
        value, at = _value(text, _skip(text, at), depth)
        if value is not None:
            found[key[1] if key[1] is not None else key[2]] = value
        at = _comma(text, at, "}")
    if at >= len(text):
        raise _NotRuby
    return found, at + 1


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _skip(text, at)
    while at < len(text) and text[at] not in "]}":
        value, at = _value(text, at, depth)
        found.append(value)
        at = _comma(text, at, "]}")
    if at >= len(text):
        raise _NotRuby
    # A list that was cut off is closed by the end of its hash.
    return found, at + (text[at] == "]")


def _comma(text: str, at: int, ends: str) -> int:
    at = _skip(text, at)
    if at < len(text) and text[at] == ",":
        return _skip(text, at + 1)
    if at < len(text) and text[at] in ends:
        return at
    raise _NotRuby
