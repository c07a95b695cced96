"""The engine's answer (JSONCompact) as rows."""

from collections.abc import Callable, Mapping
from typing import Any


def rows_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One dictionary a row; times are Unix milliseconds, null where the column is null."""
    names = [column["name"] for column in answer["meta"]]
    times = [(index, read) for index, column in enumerate(answer["meta"]) if (read := _time_reader(column["type"]))]
    rows = answer["data"]
    for index, read in times:
        for row in rows:
            if row[index] is not None:
                row[index] = read(row[index])
    return [dict(zip(names, row, strict=True)) for row in rows]


def _time_reader(kind: str) -> Callable[[str], int] | None:
    inner = kind.removeprefix("Nullable(")
    if inner.startswith("DateTime64(3"):
        return lambda text: int(text.replace(".", ""))
    if inner.startswith("DateTime64("):
        return lambda text: int(float(text) * 1000)
    if inner.startswith("DateTime"):
        return lambda text: int(text) * 1000
    return None
