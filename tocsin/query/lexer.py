"""Characters -> tokens (§2, §3): each special character is special only where it can be an operator.

Linear in the length: every character is looked at a bounded number of times. Errors come in the order of the text,
because tokens are made as the parser asks for them.
"""

import re
from dataclasses import dataclass
from enum import Enum

from tocsin.query.errors import Code, QueryError
from tocsin.query.tree import ANY, FREE, FULL, ONE, Field, FieldKind, Piece, Pieces, Wildcard, joined
from tocsin.query.values import WHITE_SPACE, block_of


class Sign(Enum):
    """Tokens without content."""

    CLOSE = ")"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    PLUS = "+"
    END = "end"


@dataclass(frozen=True, slots=True)
class Mark:
    sign: Sign
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Open:
    """`(`, after `field:` if there is a field."""

    field: Field | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str


@dataclass(frozen=True, slots=True)
class Term:
    pieces: Pieces

    @property
    def has_wildcard(self) -> bool:
        return any(isinstance(piece, Wildcard) for piece in self.pieces)

    @property
    def text(self) -> str:
        """The literal text; only of a term without wildcards."""
        return "".join(piece for piece in self.pieces if isinstance(piece, str))


@dataclass(frozen=True, slots=True)
class Bound:
    text: str
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class Between:
    """A range or a comparison; None is an open end."""

    low: Bound | None
    low_in: bool
    high: Bound | None
    high_in: bool


Value = Phrase | Term | Between


@dataclass(frozen=True, slots=True)
class Clause:
    """A value with or without a field. `existence` is `_exists_` or `_missing_` if that is what was written."""

    field: Field | None
    value: Value
    start: int
    end: int
    existence: str = ""


@dataclass(frozen=True, slots=True)
class CidrCall:
    field: Field
    blocks: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ValueCall:
    """`ANYCASE(field, value, …)` or `REGEX(field, "…", …)`: one of the values must do. The field may be `*`."""

    name: str
    field: Field
    values: tuple[Phrase | Term, ...]
    start: int
    end: int


Token = Mark | Open | Clause | CidrCall | ValueCall

_SPACE = re.compile(f"[{WHITE_SPACE}]*")
_ORDINARY = re.compile(rf'[^{WHITE_SPACE}()\[\]{{}}":<>*?\\]+')
_IN_PATH = re.compile(rf'[^{WHITE_SPACE}()\[\]{{}}":<>*?\\.]+')
_NAME_IN_CALL = re.compile(rf'[^{WHITE_SPACE}()\[\]{{}}":<>*?\\,]+')
_IN_CALL = re.compile(rf'[^{WHITE_SPACE}()\[\]{{}}":<>*?\\.,]+')
_TERM_IN_CALL = re.compile(rf'[^{WHITE_SPACE}()\[\]{{}}"<>*?\\,]+')
_BOUND = re.compile(rf"[^{WHITE_SPACE}\]}}\\]+")
_BLOCK = re.compile(rf"[^{WHITE_SPACE},()]*")
_WORD = re.compile(rf"[^{WHITE_SPACE}()]*")
_QUOTED = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMPARISON = re.compile("[<>]=?")
_OPERATOR = re.compile(rf"(AND|OR|NOT|&&|\|\|)(?=[{WHITE_SPACE}()]|\Z)")
_SIGNS = {"AND": Sign.AND, "&&": Sign.AND, "OR": Sign.OR, "||": Sign.OR, "NOT": Sign.NOT}
_VALUE_CALLS = {
    "ANYCASE": "write ANYCASE(@process.name, cmd.exe, *\\\\powershell.exe)",
    "REGEX": 'write REGEX(@process.command_line, "-enc[a-z]*")',
}
EXISTENCE = ("_exists_", "_missing_")


class Lexer:
    """Hands out one token after another; the last is `END`. Raises `QueryError`.

    `in_group` says whether the next token stands in `field:( … )`; the parser keeps it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.in_group = False
        self._may_be_prefix = True  # at the start, after white space, after `(`, after another prefix (§2)

    def next(self) -> Token:
        if self._skip_space():
            self._may_be_prefix = True
        token = self._token()
        self._may_be_prefix = isinstance(token, Open) or (
            isinstance(token, Mark) and token.sign in (Sign.NOT, Sign.PLUS)
        )
        return token

    def _token(self) -> Token:
        text, start = self.text, self.at
        if start >= len(text):
            return Mark(Sign.END, start, start)
        head = text[start]
        if head in "-!+" and self._may_be_prefix:
            self.at += 1
            return Mark(Sign.PLUS if head == "+" else Sign.NOT, start, self.at)
        if head == "(":
            self.at += 1
            return Open(None, start, self.at)
        if head == ")":
            self.at += 1
            return Mark(Sign.CLOSE, start, self.at)
        if operator := _OPERATOR.match(text, start):
            self.at = operator.end()
            return Mark(_SIGNS[operator[1]], start, self.at)
        if text.startswith("CIDR(", start):
            return self._cidr()
        for name in _VALUE_CALLS:
            if text.startswith(f"{name}(", start):
                return self._value_call(name)
        return self._clause()

    # -- clauses ------------------------------------------------------------------------------------------------------

    def _clause(self) -> Token:
        start = self.at
        head = self._peek()
        if head == '"':
            return Clause(None, self._phrase(), start, self.at)
        if head in ("[", "{", "<", ">"):
            value = self._interval() if self.in_group else self._interval_without_field()
            return Clause(None, value, start, self.at)
        if head == ":":
            before = start and self.text[start - 1] in '"])}'
            raise (
                self._unescaped(start)
                if before
                else self._error(Code.EMPTY_FIELD, start, start + 1, "there is no field before the colon")
            )
        field = self._path(_IN_PATH, ends_with=":") if head in ("@", "#") else None
        existence = ""
        if field is None:
            pieces = self._pieces(_ORDINARY)
            if self._peek() != ":":
                return Clause(None, Term(joined(pieces)), start, self.at)
            field, existence = self._named(pieces, start)
        self.at += 1
        if self.in_group:
            raise self._error(
                Code.NESTED_FIELD,
                start,
                self.at,
                f"{self.text[start : self.at]} names another field inside the group of one; quote it if it is a value",
            )
        return self._value(field, existence, start)

    def _named(self, pieces: list[Piece], start: int) -> tuple[Field, str]:
        """The field that the characters before a colon name, or the existence test that they are."""
        source = self.text[start : self.at]
        if source == "*":
            return FULL, ""
        if source in EXISTENCE:
            return FREE, source
        return Field(FieldKind.NAME, self._literal(pieces, start)), ""

    def _literal(self, pieces: list[Piece], start: int) -> str:
        """The name that pieces spell; a wildcard in it is an error."""
        if any(isinstance(piece, Wildcard) for piece in pieces):
            raise self._error(
                Code.WILDCARD_FIELD,
                start,
                self.at,
                "wildcards do not work in the name of a field; *: searches the values of all of them",
            )
        return "".join(str(piece) for piece in pieces)

    def _value(self, field: Field, existence: str, start: int) -> Token:
        """What follows `field:`; `self.at` is behind the colon."""
        behind_colon = self.at
        has_space = self._skip_space()
        head = self._peek()
        # Behind white space a prefix is an operator; directly behind the colon it belongs to the value (§2).
        if head in ("", ")") or _OPERATOR.match(self.text, self.at) or (has_space and head in "-!+"):
            name = self.text[start:behind_colon]
            raise self._error(
                Code.MISSING_VALUE, start, behind_colon, f"{name} has no value; {name}* finds every value of it"
            )
        if existence:
            return self._existence(existence, start)
        if head == "(":
            self.at += 1
            return Open(field, start, self.at)
        value: Value
        if head == '"':
            value = self._phrase()
        elif head in "[{<>":
            value = self._interval()
        else:
            value = Term(joined(self._pieces(_ORDINARY)))
            if self._peek() == ":":
                raise self._unescaped(self.at)
        return Clause(field, value, start, self.at)

    def _existence(self, name: str, start: int) -> Clause:
        """`_exists_:x`: one field, written as a field."""
        at = self.at
        problem = self._error(
            Code.BAD_EXISTS,
            at,
            max(self._end_of_word(at), at + 1),
            f"{name}: takes the name of one field, such as @usr.id, host or env",
        )
        try:
            field = self._path(_IN_PATH, ends_with="") if self._peek() in ("@", "#") else None
        except QueryError as error:
            raise problem if error.code is Code.WILDCARD_FIELD else error from None
        if field is None:
            if self._peek() in tuple('("[{<>:'):
                raise problem
            pieces = self._pieces(_ORDINARY)
            if any(isinstance(piece, Wildcard) for piece in pieces):
                raise problem
            field = Field(FieldKind.NAME, self._literal(pieces, at))
        if self._peek() == ":":
            raise problem
        return Clause(field, Term((ANY,)), start, self.at, name)

    def _pieces(self, ordinary: re.Pattern[str]) -> list[Piece]:
        """Characters of a term, up to one that is not `ordinary`, an escape or a wildcard."""
        pieces: list[Piece] = []
        while True:
            if found := ordinary.match(self.text, self.at):
                pieces.append(found[0])
                self.at = found.end()
            character = self._peek()
            if character == "\\":
                pieces.append(self._escaped())
            elif character in ("*", "?"):
                pieces.append(ANY if character == "*" else ONE)
                self.at += 1
            elif character and character in '[]{}<>"':
                raise self._unescaped(self.at)
            else:
                return pieces

    def _phrase(self) -> Phrase:
        start = self.at
        found = _QUOTED.match(self.text, start + 1)
        end = found.end() if found is not None else start
        if self.text[end : end + 1] != '"':
            raise self._error(Code.UNBALANCED_QUOTE, start, len(self.text), "the phrase that begins here is not closed")
        self.at = end + 1
        return Phrase(_ESCAPE.sub(r"\1", self.text[start + 1 : end]))

    # -- paths --------------------------------------------------------------------------------------------------------

    def _path(self, ordinary: re.Pattern[str], ends_with: str) -> Field | None:
        """`@path` or `#path`. Where it must end with a colon and does not, nothing is read and the answer is None."""
        start = self.at
        self.at += 1
        segments: list[str] = []
        pieces: list[Piece] = []
        quote_at = -1
        while True:
            at = self.at
            segment = self._quoted_segment()
            if segment is not None:
                quote_at = at
                if self._peek() not in (".", ":", "") and (ends_with or not _ends(self._peek())):
                    raise self._unescaped(at)
                pieces.append(segment)
            else:
                read = self._pieces(ordinary)
                pieces += read
                segment = "".join(str(piece) for piece in read)
            segments.append(segment)
            if self._peek() != ".":
                break
            self.at += 1
        if ends_with and self._peek() != ends_with:
            if quote_at >= 0:
                raise self._unescaped(quote_at)
            self.at = start
            return None
        self._literal(pieces, start)
        name = ".".join(segments)
        if not all(name.split(".")):
            raise self._error(
                Code.EMPTY_FIELD, start, self.at, "a path needs a name before the colon and between its dots"
            )
        return Field(FieldKind.ATTRIBUTE if self.text[start] == "@" else FieldKind.CALCULATED, name)

    def _quoted_segment(self) -> str | None:
        """A segment in quotes, or in escaped quotes (`@\\"last name\\":doe`); None if there is none here."""
        if self._peek() == '"':
            return self._phrase().text
        if self.text.startswith('\\"', self.at):
            close = self.text.find('\\"', self.at + 2)
            behind = self.text[close + 2 : close + 3]
            if close >= 0 and (behind in (".", ":") or _ends(behind)):
                segment = self.text[self.at + 2 : close]
                self.at = close + 2
                return segment
        return None

    # -- ranges, comparisons, blocks ----------------------------------------------------------------------------------

    def _interval(self) -> Between:
        return self._range() if self._peek() in "[{" else self._comparison()

    def _interval_without_field(self) -> Between:
        """An error, but which: brackets that are no range are ordinary text that was not escaped."""
        start = self.at
        if self._peek() in "[{":
            try:
                self._range()
            except QueryError:
                raise self._unescaped(start) from None
        else:
            self.at = self._end_of_word(start)
        raise self._error(
            Code.FIELD_REQUIRED, start, self.at, "a range or comparison needs a field, such as @http.status_code:>=500"
        )

    def _range(self) -> Between:
        start = self.at
        low_in = self._peek() == "["
        self.at += 1
        self._skip_space()
        low = self._bound(start)
        if not (self._skip_space() and self.text.startswith("TO", self.at)):
            raise self._bad_range(start, "TO is missing")
        self.at += 2
        if not self._skip_space():
            raise self._bad_range(start, "a bound is missing")
        high = self._bound(start)
        self._skip_space()
        if self._peek() not in ("]", "}"):
            raise self._bad_range(start, "the range is not closed")
        self.at += 1
        high_in = self.text[self.at - 1] == "]"
        return Between(low, low_in and low is not None, high, high_in and high is not None)

    def _bound(self, start: int) -> Bound | None:
        at = self.at
        if self._peek() == '"':
            return Bound(self._phrase().text, is_quoted=True)
        parts: list[str] = []
        while True:
            if found := _BOUND.match(self.text, self.at):
                parts.append(found[0])
                self.at = found.end()
            if self._peek() != "\\":
                break
            parts.append(self._escaped())
        source = self.text[at : self.at]
        if source in ("", "TO"):
            self.at = at
            raise self._bad_range(start, "a bound is missing")
        return None if source == "*" else Bound("".join(parts), is_quoted=False)

    def _bad_range(self, start: int, what: str) -> QueryError:
        end = min(len(self.text), self.at + 1)
        return self._error(Code.BAD_RANGE, start, end, f"{what}: write [1 TO 5], with * for an open end")

    def _comparison(self) -> Between:
        start = self.at
        found = _COMPARISON.match(self.text, start)
        sign = found[0] if found is not None else ""
        self.at += len(sign)
        if self._peek() == '"':
            bound = Bound(self._phrase().text, is_quoted=True)
        else:
            at = self.at
            pieces = self._pieces(_ORDINARY)
            if any(isinstance(piece, Wildcard) for piece in pieces):
                raise self._error(Code.BAD_COMPARE, at, self.at, "a comparison takes no wildcards")
            if self._peek() == ":":
                raise self._unescaped(self.at)
            if not pieces:
                raise self._error(Code.MISSING_VALUE, start, self.at, f"there is nothing directly after {sign}")
            bound = Bound("".join(str(piece) for piece in pieces), is_quoted=False)
        is_in = sign.endswith("=")
        return Between(bound, is_in, None, False) if sign[0] == ">" else Between(None, False, bound, is_in)

    def _cidr(self) -> CidrCall:
        """`CIDR(field, block, …)`; `self.at` is on its C."""
        start = self.at
        opening = start + 4
        self.at += 5
        self._skip_space()
        at = self.at
        field = self._field_in_call()
        if field is None:
            raise self._unclosed(opening) if self._peek() == "" else self._bad_cidr(at, "the field is missing")
        self._skip_space()
        blocks: list[str] = []
        while self._peek() == ",":
            self.at += 1
            self._skip_space()
            at = self.at
            found = _BLOCK.match(self.text, at)
            block = found[0] if found is not None else ""
            self.at += len(block)
            if not block and self._peek() == "":
                raise self._unclosed(opening)
            if block_of(block) is None:
                raise self._bad_cidr(at, f"'{block}' is not a block such as 10.0.0.0/8 or fd00::/8")
            blocks.append(block)
            self._skip_space()
        if self._peek() == "":
            raise self._unclosed(opening)
        if self._peek() != ")" or not blocks:
            raise self._bad_cidr(self.at, "a comma and a block must follow")
        if self.in_group:
            raise self._error(Code.NESTED_FIELD, start, self.at + 1, "CIDR names another field inside the group of one")
        self.at += 1
        return CidrCall(field, tuple(blocks), start, self.at)

    def _field_in_call(self) -> Field | None:
        """The first argument of a function; None if there is none."""
        at = self.at
        if self._peek() in ("@", "#"):
            return self._path(_IN_CALL, ends_with="")
        if self._peek() in tuple('"[]{}<>:*?,'):
            return None
        pieces = self._pieces(_NAME_IN_CALL)
        return Field(FieldKind.NAME, self._literal(pieces, at)) if pieces else None

    def _value_call(self, name: str) -> ValueCall:
        """`NAME(field, value, …)`; `self.at` is on its first letter. Regular expressions stand in quotes."""
        start = self.at
        opening = start + len(name)
        self.at = opening + 1
        self._skip_space()
        if self._peek() == "*":
            self.at += 1
            field: Field | None = FULL
        else:
            field = self._field_in_call()
        self._skip_space()
        values: list[Phrase | Term] = []
        while field is not None and self._peek() == ",":
            self.at += 1
            self._skip_space()
            if self._peek() == '"':
                values.append(self._phrase())
            else:
                pieces = self._pieces(_TERM_IN_CALL)
                if not pieces or name == "REGEX":
                    break
                values.append(Term(joined(pieces)))
            self._skip_space()
        if self._peek() == "":
            raise self._unclosed(opening)
        if field is None or not values or self._peek() != ")":
            what = "the field is missing" if field is None else "a comma and a value must follow"
            message = f"{what}: {_VALUE_CALLS[name]}"
            raise self._error(Code.BAD_CALL, start, min(self.at + 1, len(self.text)), message)
        if self.in_group:
            message = f"{name} names another field inside the group of one"
            raise self._error(Code.NESTED_FIELD, start, self.at + 1, message)
        self.at += 1
        return ValueCall(name, field, tuple(values), start, self.at)

    def _bad_cidr(self, at: int, what: str) -> QueryError:
        end = max(self.at, min(at + 1, len(self.text)))
        return self._error(Code.BAD_CIDR, at, end, f"{what}: write CIDR(@network.client.ip, 10.0.0.0/8, fd00::/8)")

    def _unclosed(self, opening: int) -> QueryError:
        return self._error(
            Code.MISSING_CLOSE_PAREN, opening, opening + 1, "the parenthesis that opens here is not closed"
        )

    # -- characters ---------------------------------------------------------------------------------------------------

    def _peek(self) -> str:
        """The character at hand; empty at the end."""
        return self.text[self.at : self.at + 1]

    def _skip_space(self) -> bool:
        before = self.at
        found = _SPACE.match(self.text, before)
        self.at = found.end() if found is not None else before
        return self.at > before

    def _escaped(self) -> str:
        if self.at + 1 >= len(self.text):
            raise self._error(
                Code.DANGLING_ESCAPE, self.at, self.at + 1, "the backslash at the end escapes nothing; write \\\\"
            )
        self.at += 2
        return self.text[self.at - 1]

    def _end_of_word(self, at: int) -> int:
        found = _WORD.match(self.text, at)
        return found.end() if found is not None else at

    def _unescaped(self, at: int) -> QueryError:
        return self._error(
            Code.UNESCAPED,
            at,
            at + 1,
            f"{self.text[at]} has no meaning here: quote the value, or put a \\ before the character",
        )

    def _error(self, code: Code, start: int, end: int, message: str) -> QueryError:
        return QueryError(code, start, end, message)


def _ends(character: str) -> bool:
    """Whether a path that stands alone ends before this character."""
    return character in ("", "(", ")", ",") or _SPACE.fullmatch(character) is not None
