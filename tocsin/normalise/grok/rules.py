"""Grok rules: `name pattern`, one a line; the first that matches the whole text extracts (siem.md §1.10)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.event import Json
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.grok.date_format import has_year
from tocsin.normalise.grok.filters import Filter, array, filter_of
from tocsin.normalise.grok.linear import FirstOf, Pattern
from tocsin.normalise.grok.matchers import Convert, matcher, without_captures
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.paths import Setter, copied, setter

RULES = 10
"""Match rules that one parser may have (siem.md §1.10)."""

NESTING = 10
"""Depth to which rules may refer to rules; more is a loop."""

TEXT_BYTES = 100_000
"""Longer texts are not parsed: nothing that long is a line."""

_NAME = re.compile(r"[A-Za-z0-9_][\w.]*")

REMEMBERED = 4096
"""Texts whose parts one parser keeps: the short values of attributes repeat, lines do not."""

REMEMBERED_CHARACTERS = 200
TRIAL = 2_000
"""After so many texts, remembering must have been of use for a fifth of them, or it stops."""

Write = tuple[Setter | None, Any]
"""Where a value goes and the value; without a setter it is an object for the root."""

Extract = Callable[[str, int], Write | None]


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: Pattern
    extracts: tuple[Extract, ...]


class Grok:
    """Compiled rules."""

    __slots__ = ("_first", "_hits", "_is_first_likely", "_known", "_remembers", "_rules", "_tries")

    def __init__(self, rules: Sequence[_Rule], texts: Sequence[str], remembers: bool) -> None:
        """`remembers`: whether the same text always gives the same values."""
        self._rules = tuple(rules)
        self._first = FirstOf(texts) if len(texts) > 1 else None
        self._is_first_likely = True
        self._remembers = remembers
        self._known: dict[str, tuple[Write, ...] | None] = {}
        self._hits = self._tries = 0

    def apply(self, text: str, now: int, attributes: dict[str, Json]) -> bool:
        """Write what the first matching rule extracts; False if no rule matches.

        `now` (Unix milliseconds) decides the year of dates that have none.
        """
        writes = (
            self._recall(text) if self._remembers and len(text) <= REMEMBERED_CHARACTERS else self._parse(text, now)
        )
        if writes is None:
            return False
        for write, value in writes:
            kind = type(value)
            if kind is dict or kind is list:
                value = copied(value)
            if write is not None:
                write(attributes, value)
            elif kind is dict:
                merge(attributes, value)
        return True

    def _recall(self, text: str) -> tuple[Write, ...] | None:
        known = self._known
        self._tries += 1
        if text in known:
            self._hits += 1
            return known[text]
        if self._tries >= TRIAL:
            self._remembers = self._hits * 5 >= self._tries
            self._hits = self._tries = 0
        if len(known) >= REMEMBERED:
            known.clear()
        writes = known[text] = self._parse(text, 0)
        return writes

    def _parse(self, text: str, now: int) -> tuple[Write, ...] | None:
        encoded = text.encode("utf-8", "replace")
        if len(encoded) > TEXT_BYTES:
            return None
        rules = self._rules
        groups: list[str | None] | None = None
        if self._first is None or self._is_first_likely:
            # Most parsers have one rule that fits nearly always: asking it first saves asking all of them.
            rule = rules[0]
            groups = rule.pattern.groups(text, encoded)
        if groups is None:
            if self._first is None:
                return None
            candidates = self._first.candidates(encoded)
            self._is_first_likely = bool(candidates) and candidates[0] == 0
            if not candidates:
                return None
            rule = rules[candidates[0]]
            groups = rule.pattern.groups(text, encoded)
            if groups is None:
                return None
        found = []
        for extract, group in zip(rule.extracts, groups, strict=True):
            if group is not None:
                write = extract(group, now)
                if write is not None:
                    found.append(write)
        return tuple(found)


def merge(into: dict[str, Any], found: dict[str, Any]) -> None:
    """Nested objects are joined, other values overwritten."""
    for key, value in found.items():
        there = into.get(key)
        if type(value) is dict and type(there) is dict:
            merge(there, value)
        else:
            into[key] = value


def compile_grok(match_rules: str, support_rules: str, lookups: Lookups, where: str = "grok") -> Grok:
    """Compile the rules of a grok parser. Raises `BadPipeline` that says which rule is wrong and how."""
    support = _definitions(support_rules, f"{where}.support_rules")
    matches = _definitions(match_rules, f"{where}.match_rules")
    if not matches:
        raise BadPipeline(f"{where}.match_rules", "at least one rule is needed: a name, a blank, a pattern")
    if len(matches) > RULES:
        raise BadPipeline(f"{where}.match_rules", f"{len(matches)} rules, at most {RULES} are possible")
    rules: list[_Rule] = []
    texts: list[str] = []
    remembers = True
    for name, text in matches.items():
        compiler = _Compiler({**support, **matches}, lookups, f"{where}.match_rules.{name}")
        pattern = compiler.expand(text, 0)
        rules.append(_Rule(Pattern(pattern, compiler.where), tuple(compiler.extracts)))
        texts.append(pattern)
        remembers = remembers and not compiler.depends_on_now
    return Grok(rules, texts, remembers)


def _definitions(text: str, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # Blanks at the end belong to the pattern: a support rule may need them.
        name, _, pattern = line.lstrip().partition(" ")
        if not _NAME.fullmatch(name) or not pattern.strip():
            raise BadPipeline(where, f"'{line.strip()[:60]}' is no rule; write a name, a blank and a pattern")
        if name in found:
            raise BadPipeline(where, f"there are two rules '{name}'")
        found[name] = pattern.lstrip()
    return found


class _Compiler:
    """One rule: its pattern with named groups, and what to do with each of them."""

    def __init__(self, definitions: dict[str, str], lookups: Lookups, where: str) -> None:
        self.definitions = definitions
        self.lookups = lookups
        self.where = where
        self.extracts: list[Extract] = []
        self.depends_on_now = False

    def expand(self, text: str, depth: int) -> str:
        if depth > NESTING:
            raise BadPipeline(self.where, "rules refer to one another in a circle")
        pieces: list[str] = []
        at = 0
        while (start := text.find("%{", at)) >= 0:
            pieces.append(text[at:start])
            token = _Token(text, start + 2, self.where)
            pieces.append(self._token(token, depth))
            at = token.end
        pieces.append(text[at:])
        # What the author wrote between tokens may hold groups; only ours may count.
        return "".join(piece if index % 2 else without_captures(piece) for index, piece in enumerate(pieces))

    def _token(self, token: "_Token", depth: int) -> str:
        slot = len(self.extracts)
        convert: Convert | None = None
        is_extracting = bool(token.path or token.filter)
        if is_extracting:
            self.extracts.append(lambda text, now: None)  # keeps the place: groups count from the left
        known = matcher(token.matcher, token.params, self.where)
        if known is not None:
            pattern, convert = known
            if token.matcher == "date" and not has_year(token.params[0]):
                self.depends_on_now = True
        elif token.matcher in self.definitions:
            pattern = self.expand(self.definitions[token.matcher], depth + 1)
        else:
            raise BadPipeline(self.where, f"neither a matcher nor a rule is called '{token.matcher}'")
        if not is_extracting:
            return f"(?:{pattern})"
        self.extracts[slot] = _extract(token.path, convert, self._filter(token))
        return f"(?P<g{slot}>{pattern})"

    def _filter(self, token: "_Token") -> Filter | None:
        if not token.filter:
            return None
        if token.filter == "array":
            params = list(token.filter_params)
            sub: Filter | None = None
            if token.sub_filter:
                sub = filter_of(token.sub_filter, token.sub_params, self.lookups, self.where)
            return array(params, sub, self.where)
        return filter_of(token.filter, token.filter_params, self.lookups, self.where)


def _extract(path: str, convert: Convert | None, change: Filter | None) -> Extract:
    """A function that says what to write of one extracted text; without a path, an object goes to the root."""
    write = setter(path) if path else None

    def extract(text: str, now: int) -> Write | None:
        value: Any = text if convert is None else convert(text, now)
        if change is not None and value is not None:
            value = change(value)
        return None if value is None or value == "" else (write, value)

    if convert is None and change is None:
        return lambda text, now: (write, text) if text else None
    return extract


class _Token:
    """`matcher(params):path:filter(params)` and where it ends."""

    def __init__(self, text: str, start: int, where: str) -> None:
        self._text = text
        self._at = start
        self._where = where
        self.sub_filter = ""
        self.sub_params: list[str] = []
        self.matcher = self._name()
        self.params = self._params()
        self.path = self._part() if self._take(":") else ""
        self.filter = ""
        self.filter_params: list[str] = []
        if self._take(":"):
            self.filter = self._name()
            self.filter_params = self._params(self.filter == "array")
        if not self._take("}"):
            raise BadPipeline(where, f"'%{{{text[start : start + 40]}' is not closed by '}}' where it should be")
        self.end = self._at

    def _take(self, character: str) -> bool:
        if self._text.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _name(self) -> str:
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise BadPipeline(self._where, f"a name is expected at '{self._text[self._at : self._at + 20]}'")
        self._at = found.end()
        return found[0]

    def _part(self) -> str:
        end = self._at
        while end < len(self._text) and self._text[end] not in ":}":
            end += 1
        part = self._text[self._at : end].strip()
        self._at = end
        return part

    def _params(self, allows_filter: bool = False) -> list[str]:
        params: list[str] = []
        if not self._take("("):
            return params
        while True:
            self._blank()
            if self._take(")"):
                return params
            quote = self._text[self._at : self._at + 1]
            if quote and quote in "\"'":
                params.append(self._quoted(quote))
            elif allows_filter and (found := _NAME.match(self._text, self._at)):
                self._at = found.end()
                self.sub_filter = found[0]
                self.sub_params = self._params()
            elif found := re.compile(r"[^,()}\s]+").match(self._text, self._at):
                self._at = found.end()
                params.append(found[0])
            else:
                raise BadPipeline(self._where, f"a parameter is expected at '{self._text[self._at : self._at + 20]}'")
            self._blank()
            if not self._take(",") and not self._text.startswith(")", self._at):
                raise BadPipeline(self._where, f"',' or ')' is expected at '{self._text[self._at : self._at + 20]}'")

    def _blank(self) -> None:
        while self._text[self._at : self._at + 1].isspace():
            self._at += 1

    def _quoted(self, quote: str) -> str:
        """The text in quotes. `\\"` is a quote, `\\\\` a backslash; other backslashes belong to the pattern."""
        pieces: list[str] = []
        at = self._at + 1
        while at < len(self._text) and self._text[at] != quote:
            if self._text[at] == "\\" and self._text[at + 1 : at + 2] in (quote, "\\"):
                at += 1
            pieces.append(self._text[at])
            at += 1
        if at >= len(self._text):
            raise BadPipeline(self._where, f"the text {self._text[self._at : self._at + 20]} is not closed")
        self._at = at + 1
        return "".join(pieces)
