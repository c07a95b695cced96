"""The schema of a reference table, and the rows that a CSV file or a request gives under it (siem.md §1.19). Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tocsin.errors import BadRequest
from tocsin.tables import key_text

TYPES = ("STRING", "INT32")
MAX_FIELDS = 200
MAX_KEY = 512
"""Characters of a primary key."""
MAX_TEXT = 10_000
"""Characters of a value: a list of these is searched for each log."""
INT32 = range(-(2**31), 2**31)

MAX_ERRORS_TOLD = 5
"""In the sentence that a table keeps about its file."""

MAX_ERRORS_KEPT = 500
"""Of one file, line by line, for who looks at it before it becomes a table."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,199}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """Columns in order with their types, and those that make the primary key."""

    fields: Mapping[str, str]
    primary_keys: tuple[str, ...]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Schema":
        """From `{fields: [{name, type}], primary_keys: [name]}`. Raises `BadRequest` that says where it is wrong."""
        fields: dict[str, str] = {}
        for index, given in enumerate(body["fields"]):
            name, kind = given["name"], given["type"]
            if not _NAME.fullmatch(name):
                raise BadRequest(
                    f"schema.fields[{index}].name: '{name:.40}' is no name of a column: a letter, then letters, digits,"
                    " '_', '.', '-', at most 200"
                )
            if kind not in TYPES:
                raise BadRequest(f"schema.fields[{index}].type: '{kind:.40}' is none of {', '.join(TYPES)}")
            if name in fields:
                raise BadRequest(f"schema.fields[{index}].name: there are two columns '{name}'")
            fields[name] = kind
        if not 0 < len(fields) <= MAX_FIELDS:
            raise BadRequest(f"schema.fields: {len(fields)} columns given, 1 to {MAX_FIELDS} are allowed")
        keys = tuple(body["primary_keys"])
        if not keys or len(set(keys)) < len(keys):
            raise BadRequest("schema.primary_keys: at least one column is needed, each named once")
        for index, name in enumerate(keys):
            if name not in fields:
                raise BadRequest(f"schema.primary_keys[{index}]: '{name:.40}' is no column of the schema")
        return cls(fields, keys)

    def as_body(self) -> dict[str, Any]:
        """The API's shape."""
        fields = [{"name": name, "type": kind} for name, kind in self.fields.items()]
        return {"fields": fields, "primary_keys": list(self.primary_keys)}

    def key_of(self, row: Row) -> str:
        """The text of a row's primary key. Raises `BadRow` where a part is missing."""
        parts = [row.get(name) for name in self.primary_keys]
        if any(part is None or part == "" for part in parts):
            raise BadRow("the primary key is empty")
        key = key_text(parts)
        if len(key) > MAX_KEY:
            raise BadRow(f"the primary key has {len(key)} characters, {MAX_KEY} are allowed")
        return key

    def value(self, name: str, value: Any) -> Any:
        """A value in the type of its column. Raises `BadRow`."""
        if name not in self.fields:
            raise BadRow(f"'{name:.40}' is no column of the table")
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadRow(f"{name}: a text or a whole number is expected")
        if self.fields[name] == "STRING":
            text = str(value)
            if len(text) > MAX_TEXT or "\x00" in text:
                raise BadRow(f"{name}: a text of at most {MAX_TEXT} characters without NUL is expected")
            return text
        if isinstance(value, str):
            if not _INTEGER.fullmatch(value.strip()):
                raise BadRow(f"{name}: '{value:.40}' is no whole number")
            value = int(value)
        if value not in INT32:
            raise BadRow(f"{name}: {value} does not fit into 32 bits")
        return value


class BadRow(BadRequest):
    """A row that does not fit the schema."""


@dataclass(slots=True)
class Loaded:
    """What a file gave: rows by primary key, the first of equal ones, and how many lines were skipped; `errors` are
    the first `MAX_ERRORS_KEPT` of these, line and reason."""

    rows: dict[str, Row]
    skipped: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)

    def skip(self, line: int, reason: str) -> None:
        self.skipped += 1
        if len(self.errors) < MAX_ERRORS_KEPT:
            self.errors.append((line, reason))

    @property
    def message(self) -> str:
        """One sentence about what was skipped."""
        told = [f"line {line}: {reason}" for line, reason in self.errors[:MAX_ERRORS_TOLD]]
        more = self.skipped - len(told)
        return "; ".join([*told, *([f"and {more} more"] if more else [])])


def read_csv(content: bytes, headers: Sequence[str], schema: Schema) -> Loaded:
    """Rows of a file (UTF-8, commas, quotes doubled). A first line that repeats the headers is left out.

    Raises `BadRequest` if the file as a whole cannot be read.
    """
    if set(headers) != set(schema.fields) or len(headers) != len(schema.fields):
        raise BadRequest(f"the columns of the file ({', '.join(headers):.200}) are not those of the schema")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"the file is not UTF-8: byte {error.start}") from error
    loaded = Loaded({})
    for line, cells in _lines(text):
        if line == 1 and [cell.strip() for cell in cells] == list(headers):
            continue
        if len(cells) != len(headers):
            loaded.skip(line, f"{len(cells)} values, {len(headers)} are expected")
            continue
        try:
            named = zip(headers, cells, strict=True)
            row = {name: schema.value(name, cell) for name, cell in named if cell != ""}
            key = schema.key_of(row)
        except BadRow as error:
            loaded.skip(line, str(error))
            continue
        if key in loaded.rows:
            loaded.skip(line, f"the primary key '{key:.40}' was there before")
        else:
            loaded.rows[key] = row
    return loaded


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise BadRequest(f"line {reader.line_num} of the file is not CSV: {error}") from error
