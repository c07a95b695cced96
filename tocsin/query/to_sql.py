"""Tree -> a Boolean expression of ClickHouse, never NULL; user text only in parameters, paths encoded (§15).

It reads the columns that `columns.py` lays out. `attributes` has single scalars, each path with one canonical type for
a value, so a clause reads only the typed subcolumns that can hold it; `in_lists` has the rest.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Any

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
    MESSAGE,
    ONE,
    All,
    And,
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
    Text,
    TextGlob,
    fold_up,
)
from tocsin.query.units import unit_error
from tocsin.query.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    Block,
    NumberRange,
    address_ranges,
    block_of,
    fold,
    number_of,
    number_text,
    time_of,
)

TRUE = "true"
FALSE = "false"

_LIST = "Array(Nullable(String))"
_INTEGER = "^[+-]?[0-9]{1,20}$"
_NUMBER = "^[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?$"
_IPV4 = "^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$"
_IPV6 = "^[0-9A-Fa-f:.]{2,45}$"
_FIRST_MS, _LAST_MS = -2208988800000, 10413791999999
"""What DateTime64(3) can hold: the years 1900 to 2299."""

QUERY_SETTINGS = {
    "max_query_size": 16 * 1024 * 1024,
    "max_parser_depth": 10_000,
    "max_parser_backtracks": 10_000_000,
    "max_ast_depth": 10_000,
    "max_ast_elements": 1_000_000,
    "max_expanded_ast_elements": 5_000_000,
}
"""Settings under which every query that the parser accepts can be read by the engine."""

_MANY_TEXTS = 8
"""From so many words or phrases side by side they are looked for as one array: the SQL stays short."""

_FIRST_LOOKS = 8
"""So many words of a pattern are looked for before the pattern is matched."""

_TAB = END_OF_MESSAGE.replace("\t", "\\t")
_TOKENIZER = r"'splitByString([\' \', \'\\n\', \'\\t\'])'"
"""As in `track.SEARCH_INDEXES`; the engine compares both."""

_LIKE_ESCAPE = re.compile(r"[\\%_]")

_NO_STRINGS = "CAST([], 'Array(String)')"

Test = Callable[[str], str]
"""SQL of a string, which may be NULL -> SQL of a condition on it, which is then NULL too."""


def to_sql(node: Node, track: Track = LOGS) -> Sql:
    """The condition on a row of the track. Raises `QueryError` `UNIT` if a bound still has a unit."""
    compiler = _Compiler(track)
    return Sql(compiler.condition(node), compiler.parameters)


def field_sql(field: Field | str, track: Track = LOGS) -> Sql:
    """An Array(String) with the text form of every distinct value of a field, for facets and group-by."""
    compiler = _Compiler(track)
    return Sql(compiler.values(parse_field(field)), compiler.parameters)


def field_single_sql(field: Field | str, track: Track = LOGS) -> Sql:
    """A Nullable(String): the text form of a field's value where it is held as a single one, else NULL.

    With `field_several_sql` it covers all rows, each by at most one of both. Grouping by it is several times faster
    than unfolding an array for every row.
    """
    compiler = _Compiler(track)
    return Sql(compiler.single(parse_field(field)), compiler.parameters)


def field_several_sql(field: Field | str, track: Track = LOGS) -> Sql:
    """An Array(String): the values that `field_single_sql` leaves out; empty where that one has a value."""
    compiler = _Compiler(track)
    field = parse_field(field)
    column = track.columns.get(field.name) if field.kind is FieldKind.NAME else None
    is_single = column is not None and not column.is_list
    return Sql(_NO_STRINGS if is_single else compiler.several(field), compiler.parameters)


def field_number_sql(field: Field | str, track: Track = LOGS) -> Sql:
    """An Array(Float64) of the distinct numbers at a field (strings that are numbers included), for measures."""
    compiler = _Compiler(track)
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

    def __init__(self, track: Track) -> None:
        self.track = track
        self.parameters: dict[str, Any] = {}

    def bind(self, value: Any, kind: str = "String") -> str:
        name = f"q{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    # -- nodes --------------------------------------------------------------------------------------------------------

    def condition(self, node: Node) -> str:
        return self.text_of(fold_up(node, self.visit))

    def visit(self, node: Node, below: Sequence[str | Leaf]) -> str | Leaf:
        """A leaf stays as it is until its parent knows whether it can be asked for together with its neighbours."""
        if isinstance(node, And | Or):
            return self.series(node, below)
        if isinstance(node, Not):
            return _negated(self.text_of(below[0]))
        return node

    def text_of(self, part: str | Leaf) -> str:
        return part if isinstance(part, str) else self.leaf(part)

    def series(self, node: And | Or, below: Sequence[str | Leaf]) -> str:
        """The parts joined; several `Equals` of one field under OR are one IN, many `Text` one look-up of an array."""
        is_any = isinstance(node, Or)
        groups: dict[tuple[type, Field], list[Leaf]] = {}
        for part in below:
            if (is_any and isinstance(part, Equals)) or isinstance(part, Text):
                groups.setdefault((type(part), part.field), []).append(part)
        texts: list[str] = []
        for part in below:
            group = groups.get((type(part), part.field), []) if isinstance(part, Equals | Text) else []
            if len(group) < (2 if isinstance(part, Equals) else _MANY_TEXTS):
                texts.append(self.text_of(part))
            elif group[0] is part:
                if isinstance(part, Equals):
                    texts.append(self.equals(part.field, [each.text for each in group if isinstance(each, Equals)]))
                else:
                    texts.append(self.many_texts([each for each in group if isinstance(each, Text)], is_any=is_any))
        return _joined(" OR " if is_any else " AND ", texts)

    def leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, All):
            return TRUE
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
        if isinstance(leaf, Cidr):
            blocks = [block for text in leaf.blocks if (block := block_of(text)) is not None]
            return self.any_string(leaf.field, self.within_addresses(address_ranges(blocks)))
        return self.range(leaf)

    # -- equality -----------------------------------------------------------------------------------------------------

    def equals(self, field: Field, texts: Sequence[str]) -> str:
        kind = kind_of(field, self.track)
        if field.kind is FieldKind.ATTRIBUTE:
            return self.attribute_equals(field.name, list(dict.fromkeys(texts)))
        if field.kind is FieldKind.CALCULATED:
            return FALSE
        if kind is Kind.TIME:
            times = {time for text in texts if isinstance(time := time_of(text), int)}
            return _joined(" OR ", [self.any_time(NumberRange.of(time, True, time, True)) for time in sorted(times)])
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
        found = [number for text in texts if (number := number_of(text)) is not None and number - number == 0]
        integers = sorted(
            {number for number in found if isinstance(number, int)}
            | {
                int(number)
                for number in found
                if isinstance(number, float) and number.is_integer() and INT_MIN <= number <= UINT_MAX
            }
        )
        floats = sorted({number for number in found if isinstance(number, float)} - {float(each) for each in integers})
        names = {"true": True, "false": False}
        booleans = [value for text, value in names.items() if text in texts]
        parts = [_nullable(self.is_one_of(_single(path, "String"), texts))]
        for kind, numbers in (
            ("Int64", [each for each in integers if each <= INT_MAX]),
            ("UInt64", [each for each in integers if each > INT_MAX]),
            ("Float64", floats),
        ):
            if numbers:
                parts.append(_nullable(f"{_single(path, kind)} IN {self.bind(numbers, f'Array({kind})')}"))
        parts += [_nullable(f"{_single(path, 'Bool')} = {TRUE if value else FALSE}") for value in booleans]
        parts.append(self.has(_several(STRINGS, path), texts))
        others = [number_text(number) for number in (*integers, *floats)] + [
            text for text, value in names.items() if value in booleans
        ]
        if others:
            parts.append(self.has(_several(OTHERS, path), others))
        return _joined(" OR ", parts)

    # -- existence ----------------------------------------------------------------------------------------------------

    def exists(self, field: Field) -> str:
        if field.kind is FieldKind.ATTRIBUTE:
            name = encode_path(field.name)
            parts = [f"{ATTRIBUTES}.`{name}` IS NOT NULL"]
            parts += [f"notEmpty({_several(section, field.name)})" for section in (STRINGS, OTHERS)]
            below = [f"{ATTRIBUTES}.^`{name}`", f"{IN_LISTS}.^`{STRINGS}.{name}`", f"{IN_LISTS}.^`{OTHERS}.{name}`"]
            parts += [f"notEmpty(JSONAllPaths({part}))" for part in below]
            return _joined(" OR ", parts)
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

    def message_glob(self, pieces: Pieces) -> str:
        """Against the whole message, case ignored; words that must occur are looked for first, in the stored ones."""
        column = self.track.columns["message"]
        matches = self.matches(patterns.whole_pattern(pieces, folds=True))
        checks = [self.contains_run(TEXT_WORDS, run) for run in patterns.word_runs(pieces)[:_FIRST_LOOKS]]
        return _joined(" AND ", [*checks, self.any_of_column(column, matches)])

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

    # -- words --------------------------------------------------------------------------------------------------------

    def text(self, leaf: Text) -> str:
        """Words side by side are a substring of the stored words; the text index finds the rows."""
        needle = f" {' '.join(leaf.words)} "
        if leaf.field == MESSAGE:
            at = f"position({TEXT_WORDS}, {self.bind(needle)})"
            end = f"position({TEXT_WORDS}, '{_TAB}')"
            return _joined(" AND ", [*self.tokens(leaf.words), f"{at} BETWEEN 1 AND {end}"])
        is_everywhere = leaf.field.kind is FieldKind.FULL or TextField("message") in self.track.text_fields
        tokens = self.tokens(leaf.words)
        if is_everywhere and tokens and len(leaf.words) == 1:
            found = tokens[0]  # a token is a whole word, so the index alone decides
        else:
            start = "" if is_everywhere else f", {_behind_message()}"
            found = _joined(" AND ", [*tokens, f"position({TEXT_WORDS}, {self.bind(needle)}{start}) > 0"])
        if leaf.field.kind is FieldKind.FULL:
            return _joined(" OR ", [found, f"position({VALUE_WORDS}, {self.bind(needle)}) > 0"])
        return found

    def tokens(self, words: Sequence[str]) -> list[str]:
        """A first look by the text index, where the table has one; the tokenizer is named so that any table answers."""
        if not self.track.indexes:
            return []
        first = list(dict.fromkeys(words))[:_FIRST_LOOKS]
        return [f"hasAllTokens({TEXT_WORDS}, {self.bind(first, 'Array(String)')}, {_TOKENIZER})"]

    def many_texts(self, leaves: Sequence[Text], *, is_any: bool) -> str:
        needles = self.bind([f" {' '.join(leaf.words)} " for leaf in leaves], "Array(String)")
        field = leaves[0].field
        if field == MESSAGE:
            test = f"position({TEXT_WORDS}, x) BETWEEN 1 AND position({TEXT_WORDS}, '{_TAB}')"
        elif field.kind is FieldKind.FULL:
            test = f"position({TEXT_WORDS}, x) > 0 OR position({VALUE_WORDS}, x) > 0"
        elif TextField("message") in self.track.text_fields:
            test = f"position({TEXT_WORDS}, x) > 0"
        else:
            test = f"position({TEXT_WORDS}, x, {_behind_message()}) > 0"
        return f"{'arrayExists' if is_any else 'arrayAll'}(x -> {test}, {needles})"

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
            return _joined(" OR ", [found, f"position({VALUE_WORDS}, {needle}) > 0"]) if is_full else found
        runs = patterns.word_runs(leaf.pieces)[:_FIRST_LOOKS]
        matches = self.matches(pattern)
        columns = [self.track.columns[text.name] for text in self.track.text_fields if text.name]
        paths = [text.path for text in self.track.text_fields if text.path]
        if is_full:
            columns = [self.track.columns[name] for name in dict.fromkeys(("message", *self.track.full_text))] + [
                column for column in columns if column.name not in ("message", *self.track.full_text)
            ]
        parts = [self.any_of_column(column, matches) for column in columns]
        if is_full:
            parts.append(f"arrayExists(x -> {matches('x')}, JSONAllValues({ATTRIBUTES}))")
            lists = f"arrayFlatten(arrayMap(x -> CAST(x, 'Array(String)'), JSONAllValues({IN_LISTS})))"
            parts.append(f"arrayExists(x -> {matches('x')}, {lists})")
        else:
            parts += [self.any_of_path(path, matches) for path in paths]
        looks = [self.contains_run(TEXT_WORDS, run) for run in runs]
        if is_full:
            elsewhere = [self.contains_run(VALUE_WORDS, run) for run in runs]
            looks = [_joined(" OR ", [_joined(" AND ", looks), _joined(" AND ", elsewhere)])]
        return _joined(" AND ", [*looks, _joined(" OR ", parts)])

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
        firsts = self.bind([_ipv6(first) for first, _ in ranges], "Array(String)")
        lasts = self.bind([_ipv6(last) for _, last in ranges], "Array(String)")
        blocks = f"arrayZip(arrayMap(b -> toIPv6(b), {firsts}), arrayMap(b -> toIPv6(b), {lasts}))"
        is_address = f"match(%s, '{_IPV4}') OR (match(%s, '{_IPV6}') AND position(%s, ':') > 0)"

        def within(x: str) -> str:
            address = f"toIPv6OrNull({x})"
            inside = f"arrayExists(b -> ifNull({address} BETWEEN b.1 AND b.2, false), {blocks})"
            return f"({is_address % (x, x, x)}) AND {inside}"

        return within

    def any_number(self, field: Field, numbers: NumberRange) -> str:
        if field.kind is not FieldKind.ATTRIBUTE:
            return self.any_string(field, self.is_number_within(numbers))
        parts = []
        if numbers.int_low <= min(numbers.int_high, INT_MAX):
            low, high = numbers.int_low, min(numbers.int_high, INT_MAX)
            parts.append(
                _nullable(f"{_single(field.name, 'Int64')} BETWEEN {self.signed(low)} AND {self.signed(high)}")
            )
        if max(numbers.int_low, INT_MAX + 1) <= numbers.int_high:
            low, high = max(numbers.int_low, INT_MAX + 1), numbers.int_high
            parts.append(
                _nullable(f"{_single(field.name, 'UInt64')} BETWEEN {self.unsigned(low)} AND {self.unsigned(high)}")
            )
        if numbers.float_low <= numbers.float_high:
            parts.append(_nullable(self.between_floats(_single(field.name, "Float64"), numbers)))
        is_number = self.is_number_within(numbers)
        parts.append(_nullable(is_number(_single(field.name, "String"))))
        parts += [
            f"arrayExists(x -> {_nullable(is_number('x'))}, {_several(each, field.name)})" for each in (STRINGS, OTHERS)
        ]
        return _joined(" OR ", parts)

    def is_number_within(self, numbers: NumberRange) -> Test:
        """A string that is a number, compared as one: exactly if whole and within 64 bits (`values.number_of`)."""
        int_low, int_high = self.signed(max(numbers.int_low, INT_MIN)), self.signed(min(numbers.int_high, INT_MAX))
        uint_low, uint_high = self.unsigned(max(numbers.int_low, 0)), self.unsigned(max(numbers.int_high, 0))
        has_ints = numbers.int_low <= min(numbers.int_high, INT_MAX)
        has_uints = max(numbers.int_low, 0) <= numbers.int_high

        def within(x: str) -> str:
            signed = (
                f"toInt64OrNull({x}) BETWEEN {int_low} AND {int_high}" if has_ints else _never(f"toInt64OrNull({x})")
            )
            unsigned = (
                f"toUInt64OrNull({x}) BETWEEN {uint_low} AND {uint_high}"
                if has_uints
                else _never(f"toUInt64OrNull({x})")
            )
            double = self.between_floats(f"toFloat64OrNull({x})", numbers)
            exact = f"coalesce({signed}, {unsigned}, {double}, false)"
            nearest = f"match({x}, '{_NUMBER}') AND isFinite(toFloat64OrZero({x})) AND ifNull({double}, false)"
            return f"if(match({x}, '{_INTEGER}'), {exact}, {nearest})"

        return within

    def between_floats(self, x: str, numbers: NumberRange) -> str:
        if not numbers.float_low <= numbers.float_high:
            return _never(x)
        return f"{x} BETWEEN {self.double(numbers.float_low)} AND {self.double(numbers.float_high)}"

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
            return _joined(
                " OR ",
                [
                    _nullable(test(_single(field.name, "String"))),
                    f"arrayExists(x -> {_nullable(test('x'))}, {_several(STRINGS, field.name)})",
                ],
            )
        return self.any_of_name(field, test)

    def any_text(self, field: Field, test: Test) -> str:
        """Whether the text form of a value passes."""
        return (
            self.any_of_path(field.name, test) if field.kind is FieldKind.ATTRIBUTE else self.any_of_name(field, test)
        )

    def any_of_path(self, path: str, test: Test) -> str:
        parts = [_nullable(test(f"toString({ATTRIBUTES}.`{encode_path(path)}`)"))]
        parts += [f"arrayExists(x -> {_nullable(test('x'))}, {_several(each, path)})" for each in (STRINGS, OTHERS)]
        return _joined(" OR ", parts)

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
            return f"toString({ATTRIBUTES}.`{encode_path(field.name)}`)"
        column = self.track.columns.get(field.name) if field.kind is FieldKind.NAME else None
        if column is None or column.is_list:
            return "CAST(NULL, 'Nullable(String)')"
        if column.kind is Kind.TIME:
            return f"CAST(toString(toUnixTimestamp64Milli({column.name})), 'Nullable(String)')"
        return f"CAST(nullIf({column.name}, ''), 'Nullable(String)')"

    def several(self, field: Field) -> str:
        """Array(String)."""
        if field.kind is FieldKind.ATTRIBUTE:
            lists = ", ".join(_several(each, field.name) for each in (STRINGS, OTHERS))
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


def _several(section: str, path: str) -> str:
    return f"{IN_LISTS}.`{section}.{encode_path(path)}`.:`{_LIST}`"


def _nullable(condition: str) -> str:
    return condition if condition in (TRUE, FALSE) else f"ifNull({condition}, false)"


def _never(x: str) -> str:
    """False where there is a value, NULL where there is none."""
    return f"{x} != {x}"


def _joined(separator: str, parts: Sequence[str]) -> str:
    """In parentheses; the neutral and the absorbing element are simplified away."""
    neutral, absorbing = (FALSE, TRUE) if separator == " OR " else (TRUE, FALSE)
    if absorbing in parts:
        return absorbing
    parts = [part for part in parts if part != neutral]
    if not parts:
        return neutral
    return parts[0] if len(parts) == 1 else f"({separator.join(f'({part})' for part in parts)})"


def _negated(condition: str) -> str:
    return {TRUE: FALSE, FALSE: TRUE}.get(condition) or f"NOT ({condition})"


def _behind_message() -> str:
    return f"position({TEXT_WORDS}, '{_TAB}') + 1"


def _one_family(bounds: tuple[int, int]) -> list[tuple[int, int]]:
    first, last = bounds
    return address_ranges([Block(first, last, has_host_bits=False)]) if first <= last else []


def _ipv6(address: int) -> str:
    return str(ipaddress.IPv6Address(address))
