"""A query that would parse, for one that does not (§14). Offered, never applied by itself."""

import re
from collections.abc import Callable

from tocsin.query.errors import Code, QueryError
from tocsin.query.values import WHITE_SPACE

MAX_ROUNDS = 8
"""Mistakes mended in one query before giving up: each costs another parse."""

_VALUE_END = re.compile(f"[{WHITE_SPACE}]|\\Z")
_WORD_START = re.compile(f"[^{WHITE_SPACE}(]*\\Z")


def mended(text: str, error: QueryError, parse: Callable[[str], object]) -> str | None:
    """The text with the mistake, and those behind it, mended; None if that does not lead to a query that parses."""
    for _ in range(MAX_ROUNDS):
        mend = _MENDS.get(error.code)
        candidate = mend(text, error) if mend else None
        if candidate is None or candidate == text or not candidate.strip():
            return None  # nothing is left: a query that finds everything is not what was meant
        try:
            parse(candidate)
        except QueryError as another:
            text, error = candidate, another
        else:
            return candidate
    return None


def _replaced(text: str, start: int, end: int, by: str) -> str:
    return text[:start] + by + text[end:]


def _any_value(text: str, error: QueryError) -> str:
    if text[error.start : error.start + 1] in "<>":  # a comparison: its bound stands behind white space
        behind = text[error.end :]
        return text[: error.end] + behind.lstrip() if behind.strip() else _replaced(text, error.start, error.end, "*")
    has_gap = _VALUE_END.match(text, error.end) or text[error.end] in "()"
    return _replaced(text, error.end, error.end, "*" if has_gap else "* ")


def _closed(text: str, error: QueryError) -> str:
    return f"{text})"


def _range(text: str, error: QueryError) -> str:
    start = error.start
    behind = re.search(r"[\]}]", text[start:])
    end = start + behind.end() if behind else len(text)
    bounds = [word for word in text[start + 1 : end].rstrip("]}").split() if word != "TO"][:2]
    low, high = (*bounds, "*", "*")[:2]
    inner = text[start + 1 : end].lstrip()
    if len(bounds) == 1 and inner.startswith("TO"):
        low, high = "*", bounds[0]
    closing = text[end - 1] if behind else ("]" if text[start] == "[" else "}")
    return _replaced(text, start, end, f"{text[start]}{low} TO {high}{closing}")


def _removed(text: str, error: QueryError) -> str:
    return (text[: error.start].rstrip() + " " + text[error.end :].lstrip()).strip()


def _group(text: str, error: QueryError) -> str:
    is_value = text[error.start : error.start + 1] != "("
    return _replaced(text, error.end - 1, error.end, "*)") if is_value else _removed(text, error)


def _field(text: str, error: QueryError) -> str | None:
    source = text[error.start : error.end]
    if source == ":":
        return _replaced(text, error.start, error.end, "\\:")
    path = ".".join(part for part in source[1:].split(".") if part)
    return _replaced(text, error.start, error.end, source[0] + path) if path else None


def _quoted(text: str, error: QueryError) -> str:
    """Quote the value that the stray character stands in, from its start behind `field:` to white space."""
    found = _VALUE_END.search(text, error.end)
    end = found.start() if found else len(text)
    word = _WORD_START.search(text, 0, error.start)
    start = word.start() if word else 0
    start += _field_length(text[start : error.start])
    while text.count(")", start, end) > text.count("(", start, end) and text[end - 1] == ")":
        end -= 1  # the parenthesis closes a group around the value
    value = re.sub(r"\\(.)", r"\1", text[start:end])
    if value.startswith('"') and value.endswith('"') and len(value) > 1:
        value = value[1:-1]
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return _replaced(text, start, end, f'"{escaped}"')


def _nested(text: str, error: QueryError) -> str | None:
    return None if text.startswith(("CIDR(", "ANYCASE(", "REGEX("), error.start) else _quoted(text, error)


def _field_length(word: str) -> int:
    found = re.match(r'[-!+]*(?:\\.|"[^"]*"|[^\\":])*:(?:[<>]=?)?', word)
    return found.end() if found else len(word) - len(word.lstrip("-!+"))


def _escaped_backslash(text: str, error: QueryError) -> str:
    return f"{text}\\"


def _unquoted(text: str, error: QueryError) -> str:
    return f'{text}"'


def _without_wildcards(text: str, error: QueryError) -> str:
    return _replaced(text, error.start, error.end, re.sub(r"[*?]", "", text[error.start : error.end]))


def _block(text: str, error: QueryError) -> str | None:
    found = re.fullmatch(r"([0-9.]+|[0-9A-Fa-f:.]+)/\d+", text[error.start : error.end])
    return _replaced(text, error.start, error.end, found[1]) if found else None


def _in_message(text: str, error: QueryError) -> str | None:
    source = text[error.start : error.end].removeprefix("message:").removeprefix("*:")
    literal = source.strip('"') if source.startswith('"') else re.sub(r"\\(.)", r"\1", source)
    literal = literal.strip("*?")
    if not literal:
        return None
    escaped = "".join(character if character == "*" else f"\\{character}" for character in literal)
    return _replaced(text, error.start, error.end, f"message:*{escaped}*")


_MENDS: dict[Code, Callable[[str, QueryError], str | None]] = {
    Code.MISSING_VALUE: _any_value,
    Code.MISSING_CLOSE_PAREN: _closed,
    Code.BAD_RANGE: _range,
    Code.UNBALANCED_PAREN: _removed,
    Code.UNBALANCED_QUOTE: _unquoted,
    Code.MISSING_TERM: _removed,
    Code.EMPTY_GROUP: _group,
    Code.EMPTY_FIELD: _field,
    Code.UNESCAPED: _quoted,
    Code.DANGLING_ESCAPE: _escaped_backslash,
    Code.NESTED_FIELD: _nested,
    Code.BAD_COMPARE: _without_wildcards,
    Code.BAD_CIDR: _block,
    Code.NO_WORD: _in_message,
}
