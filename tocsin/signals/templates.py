"""Titles and messages of signals: variables and helpers in double braces (siem.md §2.25).

    text      := (plain | tag | block | raw)*
    tag       := "{{" expression "}}"
    block     := "{{#" condition "}}" text ["{{else}}" text] "{{/" name "}}", or "{{^" … for the opposite
    raw       := "{{{{raw}}}}" anything "{{{{/raw}}}}"

Values come from logs, that is from attackers: in Markdown they are escaped so that they can be neither markup, nor
link, nor a new `@handle`. A template can be wrong in any way; rendering never raises, it shows the text as it was
written, with a note.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from tocsin.query.values import text_of

SHOWN_VALUES = 10
MAX_RENDERED = 100_000
"""Characters of a rendered text; the rest is cut with a note."""

MAX_DEPTH = 20

MAX_TOKENS = 100
"""Of an arithmetic expression."""

NOTE = "*This text contains a template that cannot be rendered: {reason}.*"

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with a template; `start` and `end` are character positions."""

    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template may speak of. Times in Unix milliseconds.

    `attributes` maps dotted paths to their values, `tags` keys to theirs (host, service and source among them).
    """

    severity: int
    timestamp: int
    first_seen: int
    last_seen: int
    rule_name: str
    case_name: str
    events_matched: int
    events_matched_per_query: Mapping[str, int]
    attributes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def numbers(self) -> dict[str, float]:
        return {
            "severity": float(self.severity),
            "timestamp_epoch": float(self.timestamp),
            "first_seen_epoch": float(self.first_seen),
            "last_seen_epoch": float(self.last_seen),
            "events_matched": float(self.events_matched),
        }


def render(template: str, facts: Facts, *, markdown: bool = True) -> str:
    """The text with its variables filled in. `markdown=False` is for a title: one line of plain text, no escapes."""
    try:
        text = "".join(_render(_parse(template), facts, _Output(markdown)))
    except Exception as error:  # noqa: BLE001 - a rule's text must never stop the evaluation of all others
        reason = error.message if isinstance(error, _Broken) else f"our own mistake: {type(error).__name__}: {error}"
        return template if not markdown else f"{template}\n\n{NOTE.format(reason=reason)}"
    if len(text) > MAX_RENDERED:
        text = text[:MAX_RENDERED] + ("\n\n*The text was cut here.*" if markdown else "")
    return text if markdown else " ".join(text.split())


def check_template(template: str) -> list[TemplateProblem]:
    """What would keep a template from being rendered as it was meant; empty if nothing."""
    try:
        nodes = _parse(template)
    except _Broken as broken:
        return [TemplateProblem(broken.start, broken.end, broken.message)]
    return list(_problems(nodes))


class _Broken(Exception):
    """A template cannot be read or a helper cannot be run; never leaves this module."""

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class _Tag:
    words: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Block:
    condition: _Tag
    wanted: bool
    then: list["_Node"]
    otherwise: list["_Node"]


_Node = str | _Tag | _Block

_PIECES = re.compile(
    r"\{\{\{\{\s*raw\s*\}\}\}\}(?P<raw>.*?)\{\{\{\{\s*/raw\s*\}\}\}\}"
    r"|\{\{\{(?P<triple>[^{}]*)\}\}\}|\{\{(?P<tag>.*?)\}\}",
    re.DOTALL,
)
_WORDS = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|(\[[^\]]*\]\S*|[^\s\"']+))")


class _Open(NamedTuple):
    tag: _Tag
    wanted: bool
    then: list[_Node]
    otherwise: list[_Node] | None


def _parse(template: str) -> list[_Node]:
    top: list[_Node] = []
    stack: list[_Open] = []
    at = 0

    def here() -> list[_Node]:
        if not stack:
            return top
        return stack[-1].then if stack[-1].otherwise is None else stack[-1].otherwise

    for found in _PIECES.finditer(template):
        here().append(template[at : found.start()])
        at = found.end()
        if found["raw"] is not None:
            here().append(found["raw"])
            continue
        inner = (found["tag"] if found["tag"] is not None else found["triple"]).strip()
        mark = inner[:1]
        tag = _Tag(_words(inner[1:] if mark in ("#", "^", "/") else inner), found.start(), found.end())
        if mark in ("#", "^"):
            if len(stack) >= MAX_DEPTH:
                raise _Broken(f"blocks are nested more than {MAX_DEPTH} deep", tag.start, tag.end)
            if not tag.words or tag.words[0] not in CONDITIONS:
                name = tag.words[0] if tag.words else ""
                raise _Broken(f"unknown block '{name}'; known are {', '.join(CONDITIONS)}", tag.start, tag.end)
            stack.append(_Open(tag, mark == "#", [], None))
        elif mark == "/":
            if not stack or stack[-1].tag.words[:1] != tag.words[:1]:
                raise _Broken(f"{found.group()} closes nothing that is open", tag.start, tag.end)
            closed = stack.pop()
            here().append(_Block(closed.tag, closed.wanted, closed.then, closed.otherwise or []))
        elif tag.words == ("else",) and stack and stack[-1].otherwise is None:
            stack.append(stack.pop()._replace(otherwise=[]))
        else:
            here().append(tag)
    if stack:
        tag = stack[-1].tag
        raise _Broken(f"the block '{tag.words[0]}' is never closed", tag.start, tag.end)
    here().append(template[at:])
    return top


def _words(text: str) -> tuple[str, ...]:
    words = []
    for double, single, bare in _WORDS.findall(text):
        words.append(bare or double or single)
    return tuple(words)


def _render(nodes: Sequence[_Node], facts: Facts, output: "_Output") -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            output.follow(node)
            yield node
        elif isinstance(node, _Tag):
            text = _tag(node, facts, output)
            output.follow(text)
            yield text
        else:
            holds = CONDITIONS[node.condition.words[0]](node.condition.words[1:], facts)
            yield from _render(node.then if holds is node.wanted else node.otherwise, facts, output)


def _tag(tag: _Tag, facts: Facts, output: "_Output") -> str:
    if not tag.words:
        return ""
    name, *arguments = tag.words
    if name in HELPERS:
        if len(arguments) != HELPERS[name][0]:
            raise _Broken(f"{name} takes {HELPERS[name][0]} quoted texts", tag.start, tag.end)
        return HELPERS[name][1](arguments, facts)
    return output.value(", ".join(_values(" ".join(tag.words), facts)[:SHOWN_VALUES]))


def _problems(nodes: Sequence[_Node]) -> Iterator[TemplateProblem]:
    for node in nodes:
        if isinstance(node, _Block):
            wanted = 1 if node.condition.words[0] == "if" else 2
            if len(node.condition.words) - 1 < wanted:
                message = f"{node.condition.words[0]} takes a name" + (
                    " and a text, both quoted" if wanted == 2 else ""
                )
                yield TemplateProblem(node.condition.start, node.condition.end, message)
            yield from _problems(node.then)
            yield from _problems(node.otherwise)
        elif isinstance(node, _Tag):
            try:
                _check_tag(node)
            except _Broken as broken:
                yield TemplateProblem(node.start, node.end, broken.message)


def _check_tag(tag: _Tag) -> None:
    name, *arguments = tag.words or ("",)
    if name in HELPERS:
        if len(arguments) != HELPERS[name][0]:
            raise _Broken(f"{name} takes {HELPERS[name][0]} quoted text" + "s" * (HELPERS[name][0] > 1))
        if name == "eval":
            _Arithmetic(arguments[0], dict.fromkeys(_NAMES.findall(arguments[0]), 1.0)).value()
        if name == "local_time":
            _zone(arguments[1])
    elif len(tag.words) > 1 and not name.startswith("@"):
        raise _Broken(f"unknown helper '{name}'; known are {', '.join(HELPERS)}")


# Variables


def _values(name: str, facts: Facts) -> list[str]:
    """All values of a variable as texts; none if it is unknown."""
    if name.startswith("@"):
        return [text_of(value) for value in facts.attributes.get(name[1:], ())]
    if name in _TEXTS:
        return [_TEXTS[name](facts)]
    if name in facts.numbers():
        return [text_of(int(facts.numbers()[name]))]
    if name.startswith("events_matched_per_query."):
        count = facts.events_matched_per_query.get(name.removeprefix("events_matched_per_query."))
        return [] if count is None else [str(count)]
    key = name.removesuffix(".name")
    if key.startswith("[") and key.endswith("]"):
        key = key[1:-1]
    return list(facts.tags.get(key, ())) or list(facts.tags.get(name, ()))


def _argument(name: str, facts: Facts) -> list[str]:
    """A helper's quoted name: the attribute may be written without its @."""
    return _values(name, facts) or _values(f"@{name}", facts)


def written_time(timestamp: int) -> str:
    """`Tue Mar 05 14:00:00 UTC 2030`; not by strftime, whose names follow the locale."""
    moment = datetime.fromtimestamp(timestamp // 1000, UTC)
    return f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment:%d %H:%M:%S} UTC {moment.year}"


_TEXTS: Mapping[str, Callable[[Facts], str]] = {
    "timestamp": lambda facts: written_time(facts.timestamp),
    "first_seen": lambda facts: written_time(facts.first_seen),
    "last_seen": lambda facts: written_time(facts.last_seen),
    "rule_name": lambda facts: facts.rule_name,
    "rule.name": lambda facts: facts.rule_name,
    "case_name": lambda facts: facts.case_name,
}


# Helpers


def _eval(arguments: Sequence[str], facts: Facts) -> str:
    names = dict(facts.numbers())
    for name in _NAMES.findall(arguments[0]):
        for value in _argument(name, facts)[:1] if name not in names else ():
            try:
                names[name] = float(value)
            except ValueError:
                continue
    result = _Arithmetic(arguments[0], names).value()
    if result is None or not isfinite(result):
        return ""
    return text_of(int(result) if result.is_integer() else result)


def _local_time(arguments: Sequence[str], facts: Facts) -> str:
    zone = _zone(arguments[1])
    name = arguments[0]
    numbers = facts.numbers()
    milliseconds = numbers.get(f"{name}_epoch", numbers.get(name))
    if milliseconds is None:
        found = _argument(name, facts)
        if not found or not re.fullmatch(r"\d{1,14}", found[0]):
            return ""
        milliseconds = float(found[0])
    local = datetime.fromtimestamp(milliseconds / 1000, zone)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S}{offset[:3]}:{offset[3:5]}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _Broken(f"unknown time zone '{name}'; write it as Area/City") from None


def _urlencode(arguments: Sequence[str], facts: Facts) -> str:
    return quote(",".join(_argument(arguments[0], facts)[:SHOWN_VALUES]).encode("utf-8", "replace"), safe="")


HELPERS: Mapping[str, tuple[int, Callable[[Sequence[str], Facts], str]]] = {
    "eval": (1, _eval),
    "local_time": (2, _local_time),
    "urlencode": (1, _urlencode),
}
"""Name -> number of arguments, function. What they return needs no escape: digits, or percent-encoded text."""


def _is_match(arguments: Sequence[str], facts: Facts) -> bool:
    values = _argument(arguments[0], facts) if arguments else []
    return any(wanted in value for value in values for wanted in arguments[1:])


def _is_exact_match(arguments: Sequence[str], facts: Facts) -> bool:
    values = (_argument(arguments[0], facts) if arguments else []) or [""]
    return any(value == wanted for value in values for wanted in arguments[1:])


def _if(arguments: Sequence[str], facts: Facts) -> bool:
    values = _argument(arguments[0], facts) if arguments else []
    return any(value not in ("", "false", "0") for value in values)


CONDITIONS: Mapping[str, Callable[[Sequence[str], Facts], bool]] = {
    "is_match": _is_match,
    "is_exact_match": _is_exact_match,
    "if": _if,
}

_NAMES = re.compile(r"@?[A-Za-z_][\w.@]*")


_DIGITS = re.compile(r"[0-9]+\.?[0-9]*")


class _Arithmetic:
    """`last_seen_epoch - 600000`: + - * / and parentheses; an unknown name or a division by zero makes it empty."""

    def __init__(self, text: str, names: Mapping[str, float]) -> None:
        self.text = text
        self.tokens = re.findall(r"\s*([0-9]+\.?[0-9]*|@?[A-Za-z_][\w.@]*|\S)", text)
        self.names = names
        self.at = 0

    def value(self) -> float | None:
        try:
            result = self._sum()
        except (ZeroDivisionError, KeyError, OverflowError):
            return None
        if self.at != len(self.tokens):
            raise self._broken()
        return result

    def _sum(self) -> float:
        result = self._product()
        while self._next() in ("+", "-"):
            sign = self._take()
            term = self._product()
            result = result + term if sign == "+" else result - term
        return result

    def _product(self) -> float:
        result = self._one()
        while self._next() in ("*", "/"):
            operator = self._take()
            factor = self._one()
            result = result * factor if operator == "*" else result / factor
        return result

    def _one(self) -> float:
        if self.at > MAX_TOKENS:
            raise self._broken()
        piece = self._take()
        if piece == "-":
            return -self._one()
        if piece == "(":
            inner = self._sum()
            if self._take() != ")":
                raise self._broken()
            return inner
        if _DIGITS.fullmatch(piece):
            return float(piece)
        if _NAMES.fullmatch(piece):
            return self.names[piece]
        raise self._broken()

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        piece = self._next()
        self.at += 1
        return piece

    def _broken(self) -> _Broken:
        return _Broken(f"eval cannot calculate '{self.text[:80]}'")


# Escaping


_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@$]|:(?=//)|(?<=www)\.|^[-=])")


class _Output:
    """Follows what was written so far, to know whether a value stands inside a code span or block.

    Inside code a backslash would be shown, so there only what could end the code is replaced.
    """

    def __init__(self, markdown: bool) -> None:
        self._markdown = markdown
        self._in_code = False
        self._fenced = False

    def follow(self, text: str) -> None:
        for found in re.finditer(r"(\\.)|`+|\n[ \t]*\n", text):
            if found[1]:
                continue
            if found.group()[0] == "`":
                self._in_code = not self._in_code
                self._fenced = len(found.group()) >= 3
            elif not self._fenced:
                self._in_code = False  # a paragraph ends its code spans, not a fenced block

    def value(self, text: str) -> str:
        """An untrusted value as it may stand here."""
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        if not self._markdown:
            return text
        if self._in_code:
            return text.replace("`", "'").replace("@", "@\u2060")
        return _MARKUP.sub(r"\\\1", text)
