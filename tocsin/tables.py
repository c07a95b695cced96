"""Reference tables as a process reads them: one file for each version of a table, read once (siem.md §1.19).

A recipe names files, so that a table of a million rows travels to no worker, and is read anew only when it changed. A
file holds a line of JSON with the fields, and a line for each row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

ColumnOf = Callable[[str, str], frozenset[str]]
"""Name of a table and of a column to the texts in it; none for a table or column that is not there."""


def no_column(_table: str, _column: str) -> frozenset[str]:
    """Where there are no tables."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table by its name, in a file whose content never changes."""

    name: str
    path: Path


class Table:
    """A table in memory: values are texts, whole numbers or None."""

    def __init__(self, fields: Sequence[str], key: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.fields = tuple(fields)
        self._key = [self.fields.index(name) for name in key]
        self._rows = rows
        self._columns: dict[str, frozenset[str]] = {}

    def column(self, name: str) -> frozenset[str]:
        """Every value of a column as text."""
        if name not in self._columns:
            at = self.fields.index(name) if name in self.fields else None
            values = () if at is None else (row[at] for row in self._rows)
            self._columns[name] = frozenset(str(value) for value in values if value is not None)
        return self._columns[name]

    @cached_property
    def _by_key(self) -> dict[str, Sequence[Any]]:
        return {key_text([row[at] for at in self._key]): row for row in self._rows}

    def row(self, key: str) -> dict[str, Any] | None:
        """The row of a primary key, without what it leaves empty; None if there is none."""
        found = self._by_key.get(key)
        if found is None:
            return None
        return {name: value for name, value in zip(self.fields, found, strict=True) if value is not None}


def key_text(values: Sequence[Any]) -> str:
    """A primary key as one text: the value itself, or a JSON list of several."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else orjson.dumps(texts).decode()


def write_table(path: Path, fields: Sequence[str], key: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(orjson.dumps({"fields": list(fields), "key": list(key)}, option=orjson.OPT_APPEND_NEWLINE))
        file.writelines(orjson.dumps(list(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    part.replace(path)


@lru_cache(maxsize=256)
def read_table(path: Path) -> Table:
    """The table of a file, read at its first use. Raises `OSError`."""
    with path.open("rb") as file:
        head: Mapping[str, Any] = orjson.loads(file.readline())
        return Table(head["fields"], head["key"], [orjson.loads(line) for line in file])


class Tables:
    """Tables by name; each is read when something asks for it."""

    def __init__(self, files: Iterable[TableFile] = ()) -> None:
        self._paths = {file.name: file.path for file in files}

    def table(self, name: str) -> Table | None:
        path = self._paths.get(name)
        return None if path is None else read_table(path)

    def column(self, name: str, column: str) -> frozenset[str]:
        """A `ColumnOf`."""
        table = self.table(name)
        return frozenset() if table is None else table.column(column)

    def row(self, name: str, key: str) -> dict[str, Any] | None:
        """The row of a primary key; None if it, or the table, is not there."""
        table = self.table(name)
        return None if table is None else table.row(key)
