"""Reference tables as a process reads them: one file for each version of a table (siem.md §1.19).

A recipe names files, so that a table of a million rows travels to no worker, and is read anew only when it changed. A
file holds a line of JSON with the fields, and a line for each row.
"""

import mmap
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

ColumnOf = Callable[[str, str], frozenset[str]]
"""Name of a table and of a column to the texts in it; none for a table or column that is not there."""


class NoSuchTable(LookupError):
    """A lookup names a table that is not there: said beside each event that asks, and when the lookup is tried."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no reference table '{name}'")


def no_column(_table: str, _column: str) -> frozenset[str]:
    """Where there are no tables."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table by its name, in a file whose content never changes."""

    name: str
    path: Path


class Table:
    """A table in a file: only what was asked for is held in memory. Raises `OSError` if the file cannot be read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        head: Mapping[str, Any] = orjson.loads(self._content.readline())
        self.fields: tuple[str, ...] = tuple(head["fields"])
        self._key = [self.fields.index(name) for name in head["key"]]
        self._start = self._content.tell()
        self._columns: dict[str, frozenset[str]] = {}

    def column(self, name: str) -> frozenset[str]:
        """Every value of a column as text."""
        if name not in self._columns:
            at = self.fields.index(name) if name in self.fields else None
            values = () if at is None else (orjson.loads(line)[at] for _, line in self._lines())
            self._columns[name] = frozenset(str(value) for value in values if value is not None)
        return self._columns[name]

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where the row of a primary key begins."""
        found = {}
        for place, line in self._lines():
            row = orjson.loads(line)
            found[key_text([row[at] for at in self._key])] = place
        return found

    def row(self, key: str) -> dict[str, Any] | None:
        """The row of a primary key, without what it leaves empty; None if there is none."""
        place = self._places.get(key)
        if place is None:
            return None
        row = orjson.loads(self._content[place : self._content.find(b"\n", place)])
        return {name: value for name, value in zip(self.fields, row, strict=True) if value is not None}

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        place, end = self._start, len(self._content)
        while place < end:
            after = self._content.find(b"\n", place) + 1
            yield place, self._content[place:after]
            place = after


def key_text(values: Sequence[Any]) -> str:
    """A primary key as one text: the value itself, or a JSON list of several."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else orjson.dumps(texts).decode()


def write_table(path: Path, fields: Sequence[str], key: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{threading.get_ident()}.part")
    with part.open("wb") as file:
        file.write(orjson.dumps({"fields": list(fields), "key": list(key)}, option=orjson.OPT_APPEND_NEWLINE))
        file.writelines(orjson.dumps(list(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    part.replace(path)


@lru_cache(maxsize=256)
def read_table(path: Path) -> Table:
    """The table of a file, opened at its first use. Raises `OSError`."""
    return Table(path)


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
        """The row of a primary key; None if it is not there. Raises `NoSuchTable`."""
        table = self.table(name)
        if table is None:
            raise NoSuchTable(name)
        return table.row(key)
