"""What a Sigma rule asks of one value, as a leaf of our query: modifiers are applied by then (pySigma does that)."""

from collections.abc import Sequence

from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaQueryExpression,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from tocsin.query import patterns
from tocsin.query.tree import (
    ANY,
    FULL,
    ONE,
    AnyCase,
    Cidr,
    Equals,
    Exists,
    Field,
    Glob,
    Node,
    Piece,
    Pieces,
    Range,
    RangeKind,
    Regex,
    disjunction,
    joined,
    negation,
)
from tocsin.query.values import block_of, fold
from tocsin.rules.sigma.errors import NotImportable

_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}

_BOUNDS = {
    CompareOperators.LT: (None, False),
    CompareOperators.LTE: (None, True),
    CompareOperators.GT: (True, False),
    CompareOperators.GTE: (True, True),
}


def clause(fields: Sequence[Field], value: SigmaType, *, is_dash_absent: bool = False) -> Node:
    """The condition on the places of one field. Raises `NotImportable`.

    `is_dash_absent`: the value `-` means that there is none, as our normaliser leaves it (Windows).
    """
    if isinstance(value, SigmaExpansion):
        return disjunction([clause(fields, each, is_dash_absent=is_dash_absent) for each in value.values])
    if isinstance(value, SigmaNull):
        return negation(_exists(fields))
    if isinstance(value, SigmaExists):
        return _exists(fields) if value else negation(_exists(fields))
    if isinstance(value, SigmaCompareExpression) and value.op is CompareOperators.NEQ:
        return negation(disjunction([Equals(field, str(value.number)) for field in fields]))
    leaves = [_leaf(field, value) for field in fields]
    if is_dash_absent and isinstance(value, SigmaString) and _fits_dash(_pieces(value)):
        return disjunction([negation(_exists(fields)), *leaves])
    return disjunction(leaves)


def keyword(value: SigmaType) -> Node:
    """A value without a field: any value of the event, or its message, contains it."""
    if isinstance(value, SigmaExpansion):
        return disjunction([keyword(each) for each in value.values])
    if isinstance(value, SigmaRegularExpression):
        return Regex(FULL, _pattern(value))
    if isinstance(value, SigmaNumber):
        value = SigmaString(str(value))
    if not isinstance(value, SigmaString):
        raise NotImportable(f"a keyword cannot be {_kind(value)}")
    inner = _pieces(value)
    if not any(isinstance(piece, str) for piece in inner):
        raise NotImportable("a keyword of nothing but wildcards is met by every event")
    return AnyCase(FULL, _folded(joined((ANY, *inner, ANY))))


def _fits_dash(pieces: Pieces) -> bool:
    return pieces != (ANY,) and patterns.whole(pieces)("-")


def _exists(fields: Sequence[Field]) -> Node:
    return disjunction([Exists(field) for field in fields])


def _leaf(field: Field, value: SigmaType) -> Node:
    if isinstance(value, SigmaString):
        return _text(field, _pieces(value), is_cased=isinstance(value, SigmaCasedString))
    if isinstance(value, SigmaBool):
        return AnyCase(field, ("true" if value else "false",))
    if isinstance(value, SigmaTimestampPart):
        raise NotImportable("parts of a time (minute, hour, day, week, month, year) cannot be asked for")
    if isinstance(value, SigmaNumber):
        return Equals(field, str(value.number))
    if isinstance(value, SigmaRegularExpression):
        return Regex(field, _pattern(value))
    if isinstance(value, SigmaCIDRExpression):
        if block_of(value.cidr) is None:
            raise NotImportable(f"'{value.cidr}' is no block of addresses")
        return Cidr(field, (value.cidr,))
    if isinstance(value, SigmaCompareExpression):
        if isinstance(value.number, SigmaTimestampPart) or value.op not in _BOUNDS:
            raise NotImportable("this comparison is not known")
        is_low, is_in = _BOUNDS[value.op]
        bound = str(value.number)
        if is_low:
            return Range(field, bound, is_in, None, False, RangeKind.NUMBER)
        return Range(field, None, False, bound, is_in, RangeKind.NUMBER)
    raise NotImportable(f"{_kind(value)} cannot be asked for")


def _kind(value: SigmaType) -> str:
    if isinstance(value, SigmaFieldReference):
        return f"the value of another field (fieldref to {value.field})"
    if isinstance(value, SigmaQueryExpression):
        return "a query of another product"
    return f"a value of type {type(value).__name__}"


def _text(field: Field, pieces: Pieces, *, is_cased: bool) -> Node:
    """Sigma ignores case unless told; where a text has none, the plain forms say the same."""
    if pieces == (ANY,):
        return Exists(field)
    if not is_cased and any(_has_case(piece) for piece in pieces if isinstance(piece, str)):
        return AnyCase(field, _folded(pieces))
    if all(isinstance(piece, str) for piece in pieces):
        return Equals(field, "".join(map(str, pieces)))
    return Glob(field, pieces)


def _has_case(text: str) -> bool:
    return not text.isascii() or any(character.isalpha() for character in text)


def _pieces(value: SigmaString) -> Pieces:
    found: list[Piece] = []
    for part in value.s:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, Placeholder):
            raise NotImportable(f"it leaves %{part.name}% to be filled in (expand); write the values into the rule")
        else:
            found.append(ANY if part is SpecialChars.WILDCARD_MULTI else ONE)
    return joined(found)


def _folded(pieces: Pieces) -> Pieces:
    return tuple(fold(piece) if isinstance(piece, str) else piece for piece in pieces)


def _pattern(value: SigmaRegularExpression) -> str:
    text = value.regexp if isinstance(value.regexp, str) else value.regexp.to_plain()
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    pattern = f"(?{flags}){text}" if flags else text
    try:
        patterns.regex(pattern)
    except ValueError as error:
        raise NotImportable(
            f"the regular expression '{_shortened(text)}' does not run in linear time or is broken: {error}"
        ) from None
    return pattern


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
