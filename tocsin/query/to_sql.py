"""Tree -> a Boolean expression of ClickHouse, never NULL; user text only in parameters, paths encoded (§15).

It reads the columns that `columns.py` lays out. `attributes` has single scalars, each path with one canonical type for
a value, so a clause reads only the typed subcolumns that can hold it; `in_lists` has the rest.
"""

import ipaddress
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tocsin.errors import LimitExceeded
from tocsin.query import patterns
from tocsin.query.columns import OTHERS, STRINGS, encode_path
from tocsin.query.parser import parse_field
from tocsin.query.sql import Sql
from tocsin.query.to_predicate import address_bounds, kind_of, number_range
from tocsin.query.track import (
    ATTRIBUTES,
    END_OF_MESSAGE,
    IN_LISTS,
    LOGS,
    TEXT_WORDS,
    VALUE_WORDS,
    Column,
    Kind,
    TextField,
    Track,
)
from tocsin.query.tree import (
    ANY,
    FULL,
    MESSAGE,
    ONE,
    All,
    And,
    AnyCase,
    Cidr,
    Equals,
    Exists,
    Field,
    FieldKind,
    Glob,
    Leaf,
    Node,
    Not,
    Or,
    Pieces,
    Range,
    RangeKind,
    Regex,
    Text,
    TextGlob,
    fold_up,
)
from tocsin.query.units import unit_error
from tocsin.query.values import (
    INT_MAX,
    INT_MIN,
    Block,
    NumberRange,
    address_ranges,
    block_of,
    fold,
    number_of,
    number_text,
    scalar,
    time_of,
)

TRUE = "true"
FALSE = "false"

_LIST = "Array(Nullable(String))"
_NUMBER = "^[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?$"
_MAX_FLOAT = sys.float_info.max

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = f"(?:{_OCTET}[.]){{3}}{_OCTET}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_LAST_TWO = f"(?:{_GROUP}:{_GROUP}|{_IPV4})"
_IPV6 = "|".join(
    [
        f"(?:{_GROUP}:){{6}}{_LAST_TWO}",
        *(f"(?:(?:{_GROUP}:){{0,{4 - count}}}{_GROUP})?::(?:{_GROUP}:){{{count}}}{_LAST_TWO}" for count in range(5)),
        f"::(?:{_GROUP}:){{5}}{_LAST_TWO}",
        f"(?:(?:{_GROUP}:){{0,5}}{_GROUP})?::{_GROUP}",
        f"(?:(?:{_GROUP}:){{0,6}}{_GROUP})?::",
    ]
)
_ADDRESS = f"^(?:{_IPV4}|{_IPV6})$"
"""RFC 3986. The engine's own reading is laxer: it takes `1.2.3.04` and `1:2:3:4::5:6:7:8`."""

_FIRST_MS, _LAST_MS = -2208988800000, 10413791999999
"""What DateTime64(3) can hold: the years 1900 to 2299."""

_AND = " AND "
_OR = " OR "

MAX_CONDITIONS = 500
"""Separate conditions in one query, after those of one field are merged."""

_WEIGHTS: Mapping[type, int] = {Exists: 2, Range: 2, Cidr: 2}
"""What planning a condition costs, in look-ups of one value."""

_MANY = 8
"""From so many clauses of a kind on one field they become one condition: the SQL stays short."""

_NEEDLES = 250
"""So many words are looked for at once; the engine allows 255."""

_SET = 32
"""From so many on, whole words are found in a set, whose size costs nothing: 5,000 words take as long as 50."""

_MAX_REGEX = 4000
"""Length of a joined regular expression: the engine gives each a few megabytes."""

_OTHER_KINDS = ("Int64", "UInt64", "Float64", "Bool")

_FIRST_LOOKS = 8
"""So many words of a pattern are looked for before the pattern is matched."""

_TAB = END_OF_MESSAGE.replace("\t", "\\t")
_TOKENIZER = r"'splitByString([\' \', \'\\n\', \'\\t\'])'"
"""As in `track.SEARCH_INDEXES`; the engine compares both."""

_LIKE_ESCAPE = re.compile(r"[\\%_]")

_NO_STRINGS = "CAST([], 'Array(String)')"

Lists = frozenset[str] | None
"""Paths of `in_lists` (`s.usr.id`) that any row asked has, so that the others need not be read; None: not known."""

Test = Callable[[str], str]
"""SQL of a string, which may be NULL -> SQL of a condition on it, which is then NULL too."""


def to_sql(node: Node, track: Track = LOGS, lists: Lists = None) -> Sql:
    """The condition on a row of the track.

    Raises `QueryError` `UNIT` if a bound still has a unit, `LimitExceeded` beyond `MAX_CONDITIONS`.
    """
    compiler = _Compiler(track, lists)
    return Sql(compiler.condition(node), compiler.parameters)


def field_sql(field: Field | str, track: Track = LOGS, lists: Lists = None) -> Sql:
    """An Array(String) with the text form of every distinct value of a field, for facets and group-by."""
    compiler = _Compiler(track, lists)
    return Sql(compiler.values(parse_field(field)), compiler.parameters)


def field_single_sql(field: Field | str, track: Track = LOGS) -> Sql:
    """A Nullable(String): the text form of a field's value where it is held as a single one, else NULL.

    With `field_several_sql` it covers all rows, each by at most one of both. Grouping by it is several times faster
    than unfolding an array for every row.
    """
    compiler = _Compiler(track)
    return Sql(compiler.single(parse_field(field)), compiler.parameters)


def field_several_sql(field: Field | str, track: Track = LOGS, lists: Lists = None) -> Sql:
    """An Array(String): the values that `field_single_sql` leaves out; empty where that one has a value."""
    compiler = _Compiler(track, lists)
    field = parse_field(field)
    column = track.columns.get(field.name) if field.kind is FieldKind.NAME else None
    is_single = column is not None and not column.is_list
    return Sql(_NO_STRINGS if is_single else compiler.several(field), compiler.parameters)


def may_hold_several(field: Field | str, track: Track = LOGS, lists: Lists = None) -> bool:
    """Whether `field_several_sql` finds anything in any row."""
    field = parse_field(field)
    if field.kind is FieldKind.ATTRIBUTE:
        return lists is None or any(f"{section}.{encode_path(field.name)}" in lists for section in (STRINGS, OTHERS))
    column = track.columns.get(field.name) if field.kind is FieldKind.NAME else None
    return column is None or column.is_list


def field_number_sql(field: Field | str, track: Track = LOGS, lists: Lists = None) -> Sql:
    """An Array(Float64) of the distinct numbers at a field (strings that are numbers included), for measures."""
    compiler = _Compiler(track, lists)
    return Sql(compiler.numbers(parse_field(field)), compiler.parameters)


def scratch_table(track: Track) -> Sql:
    """A table in memory for rows of a track, each with its number `n` and the number `q` of the query asked of it."""
    columns = ", ".join(f"`{name}` {kind}" for name, kind in track.ddl.items())
    return Sql(f"CREATE TABLE {track.table} (n UInt32, q UInt32, {columns}) ENGINE = Memory")


def drop_table(track: Track) -> Sql:
    return Sql(f"DROP TABLE IF EXISTS {track.table} SYNC")


def scratch_matches(queries: Sequence[tuple[int, Node]], track: Track) -> Sql:
    """The numbers `n` of the rows that meet the query they were put in for: many queries in one pass."""
    compiler = _Compiler(track)
    parts = [f"q = {number} AND ({compiler.condition(node)})" for number, node in queries]
    return Sql(f"SELECT n FROM {track.table} WHERE {' OR '.join(f'({part})' for part in parts)}", compiler.parameters)


class _Compiler:
    """Collects the parameters of one condition; every method returns the SQL of something that is never NULL."""

    def __init__(self, track: Track, lists: Lists = None) -> None:
        self.track = track
        self.lists = lists
        self.parameters: dict[str, Any] = {}
        self.conditions = 0

    def bind(self, value: Any, kind: str = "String") -> str:
        name = f"q{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def list_at(self, section: str, path: str) -> str:
        """The several values at a path, in one of the sections of `in_lists`."""
        name = f"{section}.{encode_path(path)}"
        if self.lists is not None and name not in self.lists:
            return f"CAST([], '{_LIST}')"
        return f"{IN_LISTS}.`{name}`.:`{_LIST}`"

    # -- nodes --------------------------------------------------------------------------------------------------------

    def condition(self, node: Node) -> str:
        self.conditions = 0
        return self.text_of(fold_up(node, self.visit))

    def visit(self, node: Node, below: Sequence[str | Leaf | Not]) -> str | Leaf | Not:
        """A leaf, or its negation, waits until its parent knows what can be asked for together with its neighbours."""
        if isinstance(node, And | Or):
            return self.series(below, is_any=isinstance(node, Or))
        if isinstance(node, Not):
            return _negated(below[0]) if isinstance(below[0], str) else node
        return node

    def text_of(self, part: str | Node) -> str:
        if isinstance(part, str):
            return part
        if isinstance(part, Not):
            return _negated(self.text_of(part.part))
        return self.series(part.parts, is_any=isinstance(part, Or)) if isinstance(part, And | Or) else self.leaf(part)

    def series(self, parts: Sequence[str | Node], *, is_any: bool) -> str:
        """The parts joined, leaves of one field merged; those under a negation by De Morgan's law."""
        texts = [part for part in parts if isinstance(part, str)]
        texts += self.merged([part for part in parts if not isinstance(part, str | Not)], is_any=is_any)
        negated = [part.part for part in parts if isinstance(part, Not)]
        if negated:
            texts.append(_negated(_joined(_AND if is_any else _OR, self.merged(negated, is_any=not is_any))))
        return _joined(_OR if is_any else _AND, texts)

    def merged(self, leaves: Sequence[Node], *, is_any: bool) -> list[str]:
        """Conditions for leaves: what one field is asked for many times is one condition as far as that is possible.

        So 5,000 values in a group are no more SQL than a few (§3, §15).
        """
        groups: dict[tuple[type, Field | None, RangeKind | None], list[Any]] = {}
        for leaf in leaves:
            key = (type(leaf), getattr(leaf, "field", None), leaf.kind if isinstance(leaf, Range) else None)
            groups.setdefault(key, []).append(leaf)
        texts: list[str] = []
        for (kind, field, range_kind), group in groups.items():
            many = len(group) >= _MANY
            if kind is Equals and field is not None and len(group) > 1 and is_any:
                texts.append(self.equals(field, [leaf.text for leaf in group]))
            elif kind is Equals and field is not None and many:
                texts.append(self.equals_all(field, [leaf.text for leaf in group]))
            elif kind is Text and many:
                texts.append(self.many_texts(group, is_any=is_any))
            elif kind is Cidr and is_any:
                texts.append(self.leaf(Cidr(group[0].field, tuple(block for leaf in group for block in leaf.blocks))))
            elif kind in (Glob, AnyCase) and many and field != FULL:
                texts.append(self.many_globs(group, is_any=is_any))
            elif range_kind is RangeKind.NUMBER and many:
                texts.append(self.many_numbers(group, is_any=is_any))
            elif kind is TextGlob and many and is_any:
                texts += self.many_text_globs(group)
            else:
                texts += [self.leaf(leaf) for leaf in group]
        return texts

    def leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, All):
            return TRUE
        self.count(_WEIGHTS.get(type(leaf), 1))
        if isinstance(leaf, Exists):
            return self.exists(leaf.field)
        if isinstance(leaf, Equals):
            return self.equals(leaf.field, [leaf.text])
        if isinstance(leaf, Text):
            return self.text(leaf)
        if isinstance(leaf, TextGlob):
            return self.text_glob(leaf)
        if isinstance(leaf, Glob):
            return self.glob(leaf)
        if isinstance(leaf, AnyCase):
            return self.any_case(leaf)
        if isinstance(leaf, Regex):
            matches = self.matches(patterns.regex_text(leaf.pattern))
            return (self.any_searched if leaf.field == FULL else self.any_text)(leaf.field, matches)
        if isinstance(leaf, Cidr):
            blocks = [block for text in leaf.blocks if (block := block_of(text)) is not None]
            return self.any_string(leaf.field, self.within_addresses(address_ranges(blocks)))
        return self.range(leaf)

    def count(self, conditions: int) -> None:
        """Planning takes the engine milliseconds for each separate condition, and no time limit stops it."""
        self.conditions += conditions
        if self.conditions > MAX_CONDITIONS:
            raise LimitExceeded(
                f"the query has more than {MAX_CONDITIONS} separate conditions: put the values of one field into a "
                "group, such as service:(a OR b), or split the query"
            )

    # -- equality -----------------------------------------------------------------------------------------------------

    def equals(self, field: Field, texts: Sequence[str]) -> str:
        kind = kind_of(field, self.track)
        if field.kind is FieldKind.ATTRIBUTE:
            return self.attribute_equals(field.name, list(dict.fromkeys(texts)))
        if field.kind is FieldKind.CALCULATED:
            return FALSE
        if kind is Kind.TIME:
            times = {time for text in texts if isinstance(time := time_of(text), int)}
            return _joined(_OR, [self.any_time(NumberRange.of(time, True, time, True)) for time in sorted(times)])
        if kind in (Kind.FOLDED, Kind.TAGS):
            texts = [fold(text) for text in texts]
        column = self.track.columns.get(field.name)
        if column is None:
            if ":" in field.name:
                return FALSE  # key and value part at the first colon (§5)
            key = fold(field.name)
            return self.has("tags", [f"{key}:{text}" for text in texts])
        if column.is_list:
            return self.has(column.name, texts)
        return self.is_one_of(column.name, [text for text in texts if text])

    def has(self, array: str, texts: Sequence[str]) -> str:
        texts = list(dict.fromkeys(texts))
        if not texts:
            return FALSE
        if len(texts) == 1:
            return f"has({array}, {self.bind(texts[0])})"
        return f"arrayExists(x -> ifNull(x IN {self.bind(texts, 'Array(String)')}, false), {array})"

    def is_one_of(self, value: str, texts: Sequence[str]) -> str:
        texts = list(dict.fromkeys(texts))
        if not texts:
            return FALSE
        if len(texts) == 1:
            return f"{value} = {self.bind(texts[0])}"
        return f"{value} IN {self.bind(texts, 'Array(String)')}"

    def attribute_equals(self, path: str, texts: Sequence[str]) -> str:
        """A string as it is, a number by its one canonical type, a boolean by its name (§5)."""
        numbers = {normal for text in texts if (normal := _canonical_number(text)) is not None}
        integers = sorted(number for number in numbers if isinstance(number, int))
        by_type: dict[str, list[Any]] = {
            "Int64": [number for number in integers if number <= INT_MAX],
            "UInt64": [number for number in integers if number > INT_MAX],
            "Float64": sorted(number for number in numbers if isinstance(number, float)),
        }
        cases = [
            (_single(path, kind), _value_in(self.bind(group, f"Array({kind})")))
            for kind, group in by_type.items()
            if group
        ]
        cases.append((_single(path, "String"), lambda x: self.is_one_of(x, texts)))
        names = [name for name in ("true", "false") if name in texts]
        if names:
            cases.append((_single(path, "Bool"), lambda x: _joined(_OR, [f"{x} = {name}" for name in names])))
        others = [number_text(number) for group in by_type.values() for number in group] + names
        lists = [self.has(self.list_at(STRINGS, path), texts)]
        lists += [self.has(self.list_at(OTHERS, path), others)] if others else []
        return _first_case(cases, _joined(_OR, lists))

    def equals_all(self, field: Field, texts: Sequence[str]) -> str:
        """Every text equals some value of the field: many looked up in one array of all its values."""
        if field.kind is not FieldKind.ATTRIBUTE:
            return _joined(_AND, [self.equals(field, [text]) for text in dict.fromkeys(texts)])
        self.count(1)
        numbers = [_canonical_number(text) for text in texts]
        others = [
            text if text in ("true", "false") else "" if number is None else number_text(number)
            for text, number in zip(texts, numbers, strict=True)
        ]
        strings = f"arrayConcat({self.single_list(field.name, 'String')}, {self.list_at(STRINGS, field.name)})"
        kinds = [f"arrayMap(x -> toString(x), {self.single_list(field.name, kind)})" for kind in _OTHER_KINDS]
        rest = f"arrayConcat({', '.join(kinds)}, {self.list_at(OTHERS, field.name)})"
        pairs = f"{self.bind(list(texts), 'Array(String)')}, {self.bind(others, 'Array(String)')}"
        return f"arrayAll((s, n) -> has({strings}, s) OR (n != '' AND has({rest}, n)), {pairs})"

    def single_list(self, path: str, kind: str) -> str:
        value = _single(path, kind)
        return f"if(isNull({value}), [], [assumeNotNull({value})])"

    # -- existence ----------------------------------------------------------------------------------------------------

    def exists(self, field: Field) -> str:
        if field.kind is FieldKind.ATTRIBUTE:
            name = encode_path(field.name)
            parts = [f"notEmpty({self.list_at(section, field.name)})" for section in (STRINGS, OTHERS)]
            below = [f"{ATTRIBUTES}.^`{name}`", f"{IN_LISTS}.^`{STRINGS}.{name}`", f"{IN_LISTS}.^`{OTHERS}.{name}`"]
            parts += [f"notEmpty(JSONAllPaths({part}))" for part in below]
            return f"if(isNull({ATTRIBUTES}.`{name}`), {_joined(_OR, parts)}, true)"
        if field.kind is FieldKind.CALCULATED:
            return FALSE
        column = self.track.columns.get(field.name)
        if column is None:
            if ":" in field.name:
                return FALSE
            key = fold(field.name)
            return f"arrayExists(x -> x = {self.bind(key)} OR startsWith(x, {self.bind(f'{key}:')}), tags)"
        if column.is_list:
            return f"notEmpty({column.name})"
        return TRUE if column.kind is Kind.TIME else f"{column.name} != ''"

    # -- wildcards on a whole value -----------------------------------------------------------------------------------

    def glob(self, leaf: Glob) -> str:
        kind = kind_of(leaf.field, self.track)
        if kind is Kind.TEXT:
            return self.message_glob(leaf.pieces)
        pieces = leaf.pieces
        if kind in (Kind.FOLDED, Kind.TAGS):
            pieces = tuple(fold(piece) if isinstance(piece, str) else piece for piece in pieces)
        return self.any_text(leaf.field, self.like(pieces))

    def any_case(self, leaf: AnyCase) -> str:
        kind = kind_of(leaf.field, self.track)
        if leaf.field == FULL:
            matches = self.matches(patterns.whole_pattern(leaf.pieces, folds=True))
            return _joined(_AND, [*self.first_looks(leaf.pieces), self.any_searched(FULL, matches)])
        if kind is Kind.TEXT:
            return self.message_glob(leaf.pieces)
        is_folded = kind in (Kind.FOLDED, Kind.TAGS)
        test = self.like(leaf.pieces) if is_folded else self.matches(patterns.whole_pattern(leaf.pieces, folds=True))
        return self.any_text(leaf.field, test)

    def message_glob(self, pieces: Pieces) -> str:
        """Against the whole message, case ignored; words that must occur are looked for first, in the stored ones."""
        column = self.track.columns["message"]
        matches = self.matches(patterns.whole_pattern(pieces, folds=True))
        checks = [self.contains_run(TEXT_WORDS, run) for run in patterns.word_runs(pieces)[:_FIRST_LOOKS]]
        return _joined(_AND, [*checks, self.any_of_column(column, matches)])

    def like(self, pieces: Pieces) -> Test:
        """The cheapest function that decides the pattern."""
        literals = [piece for piece in pieces if isinstance(piece, str)]
        if ONE not in pieces and len(literals) == 1 and len(pieces) <= 3:
            literal = self.bind(literals[0])
            if pieces == (ANY, literals[0], ANY):
                return lambda x: f"position({x}, {literal}) > 0"
            name = "endsWith" if pieces[0] is ANY else "startsWith"
            return lambda x: f"{name}({x}, {literal})"
        escaped = "".join(
            _LIKE_ESCAPE.sub(r"\\\g<0>", piece) if isinstance(piece, str) else ("%" if piece is ANY else "_")
            for piece in pieces
        )
        pattern = self.bind(escaped)
        return lambda x: f"like({x}, {pattern})"

    def matches(self, regex: str) -> Test:
        pattern = self.bind(regex)
        return lambda x: f"match({x}, {pattern})"

    def many_globs(self, leaves: Sequence[Glob | AnyCase], *, is_any: bool) -> str:
        field = leaves[0].field
        kind = kind_of(field, self.track)
        folds = kind is not Kind.EXACT or isinstance(leaves[0], AnyCase)
        self.count(1)
        if is_any:
            bodies = [patterns.whole_body(leaf.pieces, folds=folds) for leaf in leaves]
            regexes = [self.bind(patterns.whole_regex(chunk)) for chunk in _chunks(bodies)]
            test: Test = lambda x: " OR ".join(f"match({x}, {regex})" for regex in regexes)  # noqa: E731
            return (
                self.any_of_column(self.track.columns["message"], test)
                if kind is Kind.TEXT
                else self.any_text(field, test)
            )
        found = [patterns.whole_pattern(leaf.pieces, folds=folds) for leaf in leaves]
        values = f"arrayExists(x -> match(x, p), {self.values(field)})"
        return f"arrayAll(p -> {values}, {self.bind(found, 'Array(String)')})"

    def many_text_globs(self, leaves: Sequence[TextGlob]) -> list[str]:
        """Alternatives with equal edges share one regular expression: their classes of word characters are large."""
        groups: dict[tuple[patterns.Edge, patterns.Edge], list[str]] = {}
        for leaf in leaves:
            pattern = patterns.inside_pattern(leaf.pieces)
            if pattern is not None:
                groups.setdefault((pattern.left, pattern.right), []).append(pattern.body())
        texts = []
        for (left, right), bodies in groups.items():
            for chunk in _chunks(bodies):
                self.count(1)
                matches = self.matches(patterns.inside_regex(left, chunk, right))
                texts.append(self.any_searched(leaves[0].field, matches))
        return texts

    # -- words --------------------------------------------------------------------------------------------------------

    def text(self, leaf: Text) -> str:
        """Words side by side are a substring of the stored words; the text index finds the rows."""
        needle = f" {' '.join(leaf.words)} "
        if leaf.field == MESSAGE:
            at = f"position({TEXT_WORDS}, {self.bind(needle)})"
            end = f"position({TEXT_WORDS}, '{_TAB}')"
            return _joined(_AND, [*self.tokens(leaf.words), f"{at} BETWEEN 1 AND {end}"])
        is_everywhere = leaf.field.kind is FieldKind.FULL or TextField("message") in self.track.text_fields
        tokens = self.tokens(leaf.words)
        if is_everywhere and tokens and len(leaf.words) == 1:
            found = tokens[0]  # a token is a whole word, so the index alone decides
        else:
            start = "" if is_everywhere else f", {_behind_message()}"
            found = _joined(_AND, [*tokens, f"position({TEXT_WORDS}, {self.bind(needle)}{start}) > 0"])
        if leaf.field.kind is FieldKind.FULL:
            return _joined(_OR, [found, f"position({VALUE_WORDS}, {self.bind(needle)}) > 0"])
        return found

    def tokens(self, words: Sequence[str]) -> list[str]:
        """A first look by the text index, where the table has one; the tokenizer is named so that any table answers."""
        if not self.track.indexes:
            return []
        first = list(dict.fromkeys(words))[:_FIRST_LOOKS]
        return [f"hasAllTokens({TEXT_WORDS}, {self.bind(first, 'Array(String)')}, {_TOKENIZER})"]

    def many_texts(self, leaves: Sequence[Text], *, is_any: bool) -> str:
        """As `text`, for all needles in one pass over the words; a lambda over needles would copy them for each."""
        field = leaves[0].field
        is_full = field.kind is FieldKind.FULL
        if field == MESSAGE:
            places = [f"substring({TEXT_WORDS}, 1, position({TEXT_WORDS}, '{_TAB}'))"]
        elif is_full:
            places = [TEXT_WORDS, VALUE_WORDS]
        elif TextField("message") in self.track.text_fields:
            places = [TEXT_WORDS]
        else:
            places = [f"substring({TEXT_WORDS}, {_behind_message()})"]
        listed: list[str] = []
        if is_any and len(leaves) > _SET:
            words = list(dict.fromkeys(leaf.words[0] for leaf in leaves if len(leaf.words) == 1))
            leaves = [leaf for leaf in leaves if len(leaf.words) > 1]
            known = self.bind(words, "Array(String)")
            listed = [f"arrayExists(x -> x IN {known}, splitByChar(' ', {place}))" for place in places if words]
        needles = list(dict.fromkeys(f" {' '.join(leaf.words)} " for leaf in leaves))
        chunks = [self.bind(needles[at : at + _NEEDLES], "Array(String)") for at in range(0, len(needles), _NEEDLES)]
        if is_any:
            return _joined(_OR, [*listed, *(f"multiSearchAny({place}, {part})" for part in chunks for place in places)])
        looks = [] if is_full else self.tokens([word for leaf in leaves for word in leaf.words])
        names = ["p", "q"][: len(places)]
        test = f"({', '.join(names)}) -> {_OR.join(f'{name} > 0' for name in names)}"
        found = [", ".join(f"multiSearchAllPositions({place}, {chunk})" for place in places) for chunk in chunks]
        return _joined(_AND, [*looks, *(f"arrayAll({test}, {positions})" for positions in found)])

    def contains_run(self, column: str, run: str) -> str:
        return f"position({column}, {self.bind(run)}) > 0"

    def text_glob(self, leaf: TextGlob) -> str:
        """Within one word the stored words decide; else they are a first look, and the texts are matched."""
        is_full = leaf.field.kind is FieldKind.FULL
        pattern = patterns.inside_pattern(leaf.pieces)
        if pattern is None:
            return FALSE
        if patterns.is_plain_word(leaf.pieces):
            literal = next(piece for piece in leaf.pieces if isinstance(piece, str))
            needle = self.bind(
                f"{'' if leaf.pieces[0] is ANY else ' '}{literal}{'' if leaf.pieces[-1] is ANY else ' '}"
            )
            is_everywhere = is_full or TextField("message") in self.track.text_fields
            start = "" if is_everywhere else f", {_behind_message()}"
            found = f"position({TEXT_WORDS}, {needle}{start}) > 0"
            return _joined(_OR, [found, f"position({VALUE_WORDS}, {needle}) > 0"]) if is_full else found
        runs = patterns.word_runs(leaf.pieces)[:_FIRST_LOOKS]
        looks = [self.contains_run(TEXT_WORDS, run) for run in runs]
        if is_full:
            looks = self.first_looks(leaf.pieces)
        regex = patterns.inside_regex(pattern.left, [pattern.body()], pattern.right)
        return _joined(_AND, [*looks, self.any_searched(leaf.field, self.matches(regex))])

    def first_looks(self, pieces: Pieces) -> list[str]:
        """The words that a value must have for a pattern of full text: in the texts, or elsewhere."""
        runs = patterns.word_runs(pieces)[:_FIRST_LOOKS]
        if not runs:
            return []
        places = (TEXT_WORDS, VALUE_WORDS)
        return [_joined(_OR, [_joined(_AND, [self.contains_run(place, run) for run in runs]) for place in places])]

    def any_searched(self, field: Field, test: Test) -> str:
        """Whether one of the texts that free or full text searches passes."""
        names = [text.name for text in self.track.text_fields if text.name]
        if field.kind is not FieldKind.FULL:
            paths = [self.any_of_path(text.path, test) for text in self.track.text_fields if text.path]
            return _joined(_OR, [*(self.any_of_column(self.track.columns[name], test) for name in names), *paths])
        names = list(dict.fromkeys(("message", *self.track.full_text, *names)))
        lists = f"arrayFlatten(arrayMap(x -> CAST(x, 'Array(String)'), JSONAllValues({IN_LISTS})))"
        return _joined(
            _OR,
            [
                *(self.any_of_column(self.track.columns[name], test) for name in names),
                f"arrayExists(x -> {test('x')}, JSONAllValues({ATTRIBUTES}))",
                f"arrayExists(x -> {test('x')}, {lists})",
            ],
        )

    # -- ranges and blocks --------------------------------------------------------------------------------------------

    def range(self, leaf: Range) -> str:
        if leaf.kind is RangeKind.UNIT:
            raise unit_error(leaf)
        if leaf.kind is RangeKind.TIME:
            return self.any_time(number_range(leaf))
        if leaf.kind is RangeKind.NUMBER:
            return self.any_number(leaf.field, number_range(leaf))
        if leaf.kind is RangeKind.ADDRESS:
            return self.any_string(leaf.field, self.within_addresses(_one_family(address_bounds(leaf))))
        return self.any_string(leaf.field, self.between_texts(leaf))

    def between_texts(self, leaf: Range) -> Test:
        low, high = leaf.low, leaf.high
        if kind_of(leaf.field, self.track) in (Kind.FOLDED, Kind.TAGS):
            low, high = (fold(bound) if bound is not None else None for bound in (low, high))
        bounds = [
            (f"{sign}{'=' if is_in else ''}", self.bind(bound))
            for sign, is_in, bound in ((">", leaf.low_in, low), ("<", leaf.high_in, high))
            if bound is not None
        ]
        return lambda x: " AND ".join(f"{x} {sign} {bound}" for sign, bound in bounds)

    def within_addresses(self, ranges: Sequence[tuple[int, int]]) -> Test:
        """An address in one of the ranges. IPv4 is compared in its part of the IPv6 space, as in `values.py`."""
        if not ranges:
            return lambda x: FALSE
        if len(ranges) == 1:
            first, last = (f"toIPv6({self.bind(_ipv6(each))})" for each in ranges[0])
            # The few that are inside are looked at closely: the engine does not evaluate `match` for the others.
            return lambda x: f"ifNull(toIPv6OrNull({x}) BETWEEN {first} AND {last}, false) AND match({x}, '{_ADDRESS}')"
        firsts, lasts = (
            f"arrayMap(b -> toIPv6(b), {self.bind([_ipv6(each[end]) for each in ranges], 'Array(String)')})"
            for end in (0, 1)
        )
        inside = f"arrayExists((b, c) -> ifNull(toIPv6OrNull(%s) BETWEEN b AND c, false), {firsts}, {lasts})"
        return lambda x: f"{inside % x} AND match({x}, '{_ADDRESS}')"

    def any_number(self, field: Field, numbers: NumberRange) -> str:
        if field.kind is not FieldKind.ATTRIBUTE:
            return self.any_string(field, self.is_number_within(numbers))
        cases: list[tuple[str, Test]] = []
        if numbers.int_low <= min(numbers.int_high, INT_MAX):
            signed = f"BETWEEN {self.signed(numbers.int_low)} AND {self.signed(min(numbers.int_high, INT_MAX))}"
            cases.append((_single(field.name, "Int64"), lambda x: f"{x} {signed}"))
        if numbers.float_low <= numbers.float_high:
            cases.append((_single(field.name, "Float64"), lambda x: self.between_floats(x, numbers)))
        if max(numbers.int_low, INT_MAX + 1) <= numbers.int_high:
            low, high = max(numbers.int_low, INT_MAX + 1), numbers.int_high
            unsigned = f"BETWEEN {self.unsigned(low)} AND {self.unsigned(high)}"
            cases.append((_single(field.name, "UInt64"), lambda x: f"{x} {unsigned}"))
        is_number = self.is_number_within(numbers)
        cases.append((_single(field.name, "String"), is_number))
        lists = ", ".join(self.list_at(each, field.name) for each in (STRINGS, OTHERS))
        return _first_case(cases, f"arrayExists(x -> {is_number('x')}, arrayConcat({lists}))")

    def many_numbers(self, leaves: Sequence[Range], *, is_any: bool) -> str:
        """Each value, in its text form, against arrays of bounds; an interval from 1 to 0 is empty."""
        self.count(1)
        signed, unsigned, double = [], [], []
        for leaf in leaves:
            numbers = number_range(leaf)
            signed.append((numbers.int_low, min(numbers.int_high, INT_MAX)))
            unsigned.append((max(numbers.int_low, 0), numbers.int_high))
            double.append((max(numbers.float_low, -_MAX_FLOAT), min(numbers.float_high, _MAX_FLOAT)))
        bounds = [
            self.bind([pair[end] if pair[0] <= pair[1] else 1 - end for pair in pairs], f"Array({kind})")
            for pairs, kind in ((signed, "Int64"), (unsigned, "UInt64"), (double, "Float64"))
            for end in (0, 1)
        ]
        within = (
            "coalesce(toInt64OrNull(x) BETWEEN a AND b, toUInt64OrNull(x) BETWEEN c AND d, "
            "toFloat64OrNull(x) BETWEEN e AND f, false)"
        )
        values = f"arrayExists(x -> {within}, {self.values(leaves[0].field)})"
        return f"{'arrayExists' if is_any else 'arrayAll'}((a, b, c, d, e, f) -> {values}, {', '.join(bounds)})"

    def is_number_within(self, numbers: NumberRange) -> Test:
        """A string that is a number, compared as one: exactly if whole and within 64 bits (`values.number_of`)."""
        signed = unsigned = None
        if numbers.int_low <= min(numbers.int_high, INT_MAX):
            bounds = f"{self.signed(numbers.int_low)} AND {self.signed(min(numbers.int_high, INT_MAX))}"
            signed = f"toInt64OrNull(%s) BETWEEN {bounds}"
        if max(numbers.int_low, 0) <= numbers.int_high:
            bounds = f"{self.unsigned(max(numbers.int_low, 0))} AND {self.unsigned(numbers.int_high)}"
            unsigned = f"toUInt64OrNull(%s) BETWEEN {bounds}"
        tests = [signed or _never("toInt64OrNull(%s)"), unsigned or _never("toUInt64OrNull(%s)")]
        tests.append(self.between_floats("toFloat64OrNull(%s)", numbers))
        joined = ", ".join(tests)
        return lambda x: f"coalesce({joined.replace('%s', x)}, false)"

    def between_floats(self, x: str, numbers: NumberRange) -> str:
        low, high = max(numbers.float_low, -_MAX_FLOAT), min(numbers.float_high, _MAX_FLOAT)
        if not low <= high:
            return _never(x)
        return f"{x} BETWEEN {self.double(low)} AND {self.double(high)}"

    def signed(self, value: int) -> str:
        return self.bind(value, "Int64")

    def unsigned(self, value: int) -> str:
        return self.bind(value, "UInt64")

    def double(self, value: float) -> str:
        return self.bind(value, "Float64")

    def any_time(self, times: NumberRange) -> str:
        is_list = self.track.columns["timestamp"].is_list
        first, last = (INT_MIN, INT_MAX) if is_list else (_FIRST_MS, _LAST_MS)
        low, high = max(times.int_low, first), min(times.int_high, last)
        if low > high:
            return FALSE
        bounds = [self.signed(low), self.signed(high)]
        if is_list:
            return f"arrayExists(x -> x BETWEEN {bounds[0]} AND {bounds[1]}, timestamp)"
        moments = [f"fromUnixTimestamp64Milli({bound}, 'UTC')" for bound in bounds]
        return f"timestamp BETWEEN {moments[0]} AND {moments[1]}"

    # -- where values are ---------------------------------------------------------------------------------------------

    def any_string(self, field: Field, test: Test) -> str:
        """Whether a string at the field passes; numbers and booleans do not."""
        if field.kind is FieldKind.ATTRIBUTE:
            lists = f"arrayExists(x -> {_nullable(test('x'))}, {self.list_at(STRINGS, field.name)})"
            return _first_case([(_single(field.name, "String"), test)], lists)
        return self.any_of_name(field, test)

    def any_text(self, field: Field, test: Test) -> str:
        """Whether the text form of a value passes."""
        return (
            self.any_of_path(field.name, test) if field.kind is FieldKind.ATTRIBUTE else self.any_of_name(field, test)
        )

    def any_of_path(self, path: str, test: Test) -> str:
        lists = [f"arrayExists(x -> {_nullable(test('x'))}, {self.list_at(each, path)})" for each in (STRINGS, OTHERS)]
        return _first_case([(_single_text(path), test)], _joined(_OR, lists))

    def any_of_name(self, field: Field, test: Test) -> str:
        if field.kind is not FieldKind.NAME:
            return FALSE
        column = self.track.columns.get(field.name)
        if column is not None:
            return self.any_of_column(column, test)
        if ":" in field.name:
            return FALSE
        prefix = f"{fold(field.name)}:"
        value = test(f"substring(x, {len(prefix.encode()) + 1})")
        return f"arrayExists(x -> startsWith(x, {self.bind(prefix)}) AND ({value}), tags)"

    def any_of_column(self, column: Column, test: Test) -> str:
        if column.kind is Kind.TIME:
            if column.is_list:
                return f"arrayExists(x -> {test('toString(x)')}, {column.name})"
            return test(f"toString(toUnixTimestamp64Milli({column.name}))")
        if column.is_list:
            return f"arrayExists(x -> {test('x')}, {column.name})"
        return f"{column.name} != '' AND ({test(column.name)})"

    # -- values -----------------------------------------------------------------------------------------------------

    def values(self, field: Field) -> str:
        if field.kind is FieldKind.ATTRIBUTE:
            single = self.single(field)
            return f"if(isNull({single}), {self.several(field)}, [assumeNotNull({single})])"
        return self.several(field)

    def single(self, field: Field) -> str:
        """Nullable(String)."""
        if field.kind is FieldKind.ATTRIBUTE:
            return _single_text(field.name)
        column = self.track.columns.get(field.name) if field.kind is FieldKind.NAME else None
        if column is None or column.is_list:
            return "CAST(NULL, 'Nullable(String)')"
        if column.kind is Kind.TIME:
            return f"CAST(toString(toUnixTimestamp64Milli({column.name})), 'Nullable(String)')"
        return f"CAST(nullIf({column.name}, ''), 'Nullable(String)')"

    def several(self, field: Field) -> str:
        """Array(String)."""
        if field.kind is FieldKind.ATTRIBUTE:
            lists = ", ".join(self.list_at(each, field.name) for each in (STRINGS, OTHERS))
            return f"arrayDistinct(CAST(arrayConcat({lists}), 'Array(String)'))"
        if field.kind is not FieldKind.NAME:
            return _NO_STRINGS
        column = self.track.columns.get(field.name)
        if column is not None:
            return f"arrayDistinct(CAST({column.name}, 'Array(String)'))" if column.is_list else self.whole(column)
        if ":" in field.name:
            return _NO_STRINGS
        prefix = f"{fold(field.name)}:"
        is_of_key = f"startsWith(x, {self.bind(prefix)})"
        values = f"arrayMap(x -> substring(x, {len(prefix.encode()) + 1}), arrayFilter(x -> {is_of_key}, tags))"
        return f"arrayDistinct(CAST({values}, 'Array(String)'))"

    def whole(self, column: Column) -> str:
        single = self.single(Field(FieldKind.NAME, column.name))
        return f"if(isNull({single}), {_NO_STRINGS}, [assumeNotNull({single})])"

    def numbers(self, field: Field) -> str:
        """Array(Float64)."""
        is_number = f"match(x, '{_NUMBER}') AND isFinite(toFloat64OrZero(x))"
        return f"arrayMap(x -> toFloat64OrZero(x), arrayFilter(x -> {is_number}, {self.values(field)}))"


def _single(path: str, kind: str) -> str:
    """The single value at a path if it is of a type, else NULL."""
    return f"{ATTRIBUTES}.`{encode_path(path)}`.:{kind}"


def _first_case(cases: Sequence[tuple[str, Test]], otherwise: str) -> str:
    """The test of the first value that is not NULL. A row has one, or lists: the engine looks at nothing else."""
    pairs = [f"isNotNull({value}), {test(f'assumeNotNull({value})')}" for value, test in cases]
    return f"multiIf({', '.join(pairs)}, {otherwise})"


def _value_in(array: str) -> Test:
    return lambda x: f"{x} IN {array}"


def _canonical_number(text: str) -> int | float | None:
    """The number that a text is, as `columns.py` stores it."""
    number = number_of(text)
    normal = scalar(number) if number is not None else None
    return normal if isinstance(normal, int | float) else None


def _single_text(path: str) -> str:
    """The text form of the single value at a path, else NULL (`toString` would make "" of that)."""
    return f"CAST({ATTRIBUTES}.`{encode_path(path)}`, 'Nullable(String)')"


def _nullable(condition: str) -> str:
    return condition if condition in (TRUE, FALSE) else f"ifNull({condition}, false)"


def _never(x: str) -> str:
    """False where there is a value, NULL where there is none."""
    return f"{x} != {x}"


def _joined(separator: str, parts: Sequence[str]) -> str:
    """In parentheses; the neutral and the absorbing element are simplified away."""
    neutral, absorbing = (FALSE, TRUE) if separator == _OR else (TRUE, FALSE)
    if absorbing in parts:
        return absorbing
    parts = [part for part in parts if part != neutral]
    if not parts:
        return neutral
    return parts[0] if len(parts) == 1 else f"({separator.join(f'({part})' for part in parts)})"


def _negated(condition: str) -> str:
    return {TRUE: FALSE, FALSE: TRUE}.get(condition) or f"NOT ({condition})"


def _chunks(bodies: Sequence[str]) -> Iterator[list[str]]:
    """Alternatives of regular expressions in groups that stay below `_MAX_REGEX` (one alone may be longer)."""
    chunk: list[str] = []
    length = 0
    for body in bodies:
        if chunk and length + len(body) > _MAX_REGEX:
            yield chunk
            chunk, length = [], 0
        chunk.append(body)
        length += len(body)
    if chunk:
        yield chunk


def _behind_message() -> str:
    return f"position({TEXT_WORDS}, '{_TAB}') + 1"


def _one_family(bounds: tuple[int, int]) -> list[tuple[int, int]]:
    first, last = bounds
    return address_ranges([Block(first, last, has_host_bits=False)]) if first <= last else []


def _ipv6(address: int) -> str:
    return str(ipaddress.IPv6Address(address))
