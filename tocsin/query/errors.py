"""What can be wrong with a query (§14): a code, where, a sentence, and where possible a text that would parse."""

from enum import StrEnum

from tocsin.errors import UnreadableText


class Code(StrEnum):
    MISSING_VALUE = "MISSING_VALUE"
    MISSING_CLOSE_PAREN = "MISSING_CLOSE_PAREN"
    BAD_RANGE = "BAD_RANGE"
    UNBALANCED_PAREN = "UNBALANCED_PAREN"
    UNBALANCED_QUOTE = "UNBALANCED_QUOTE"
    MISSING_TERM = "MISSING_TERM"
    EMPTY_GROUP = "EMPTY_GROUP"
    EMPTY_FIELD = "EMPTY_FIELD"
    UNESCAPED = "UNESCAPED"
    DANGLING_ESCAPE = "DANGLING_ESCAPE"
    WILDCARD_FIELD = "WILDCARD_FIELD"
    NESTED_FIELD = "NESTED_FIELD"
    FIELD_REQUIRED = "FIELD_REQUIRED"
    BAD_COMPARE = "BAD_COMPARE"
    BAD_EXISTS = "BAD_EXISTS"
    BAD_CIDR = "BAD_CIDR"
    BAD_CALL = "BAD_CALL"
    NO_WORD = "NO_WORD"
    UNIT = "UNIT"
    TOO_LONG = "TOO_LONG"
    TOO_DEEP = "TOO_DEEP"


class QueryError(UnreadableText):
    """A query that is never run and never repaired. `fix` is a whole query that parses, None if there is no obvious
    one."""

    code: Code

    def __init__(self, code: Code, start: int, end: int, message: str, fix: str | None = None) -> None:
        super().__init__(code, start, end, message)
        self.fix = fix
