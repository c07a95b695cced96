"""The pure core of `tocsin query eval`: JSON lines with a query and an event in, JSON lines with the answer out.

Two back ends give the same answers: `predicate` in Python, `sql` on an engine that is handed in.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Protocol

import orjson

from tocsin.errors import LimitExceeded
from tocsin.query.columns import search_columns, stored_tags
from tocsin.query.errors import QueryError
from tocsin.query.parser import parse_cached
from tocsin.query.sql import Sql
from tocsin.query.to_predicate import Predicate, to_predicate
from tocsin.query.to_sql import drop_table, scratch_matches, scratch_table, to_sql
from tocsin.query.track import TRACKS, Kind, Track, eval_track
from tocsin.query.tree import Node
from tocsin.query.values import scalar, text_of, time_of, whole_text

BATCH_LINES = 2000
"""Lines that the SQL back end loads at once."""

STATEMENT_LENGTH = 60_000
"""Characters of SQL after which another statement is begun: planning grows faster than the number of queries."""

_EVAL_TRACKS: Mapping[str, Track] = {name: eval_track(track) for name, track in TRACKS.items()}


class Engine(Protocol):
    """What the SQL back end runs on; an `EventStore` is one. It makes and drops its own tables."""

    def command(self, sql: Sql) -> None: ...

    def insert(self, table: str, lines: bytes, rows: int) -> None: ...

    def query(self, sql: Sql) -> list[dict[str, Any]]: ...


class EvalEvent:
    """An event of the input: every reserved name is a list, so that nothing it says is lost."""

    __slots__ = ("__dict__", "attributes", "tags")

    def __init__(self, reserved: Mapping[str, list[Any]], tags: list[str], attributes: dict[str, Any]) -> None:
        self.__dict__.update(reserved)
        self.tags = tags
        self.attributes = attributes


class BadLine(ValueError):
    """A line, or the event in it, is not what `tocsin query eval` reads."""


def evaluate_lines(
    lines: Iterable[bytes | str], backend: str = "predicate", run_sql: Engine | None = None
) -> Iterator[bytes]:
    """Answers in the order of the lines, each ended by a line break; blank lines have none.

    A line is `{"id", "query", "event", "track"?}`; `track` is `logs` unless said otherwise. The `result` is `match`,
    `no_match`, `parse_error` (with `error`), for an event of null `parse_ok`; a line that cannot be read gives
    `error`. `backend` is `predicate` or `sql`; the latter needs an engine.
    """
    numbered = (line for line in lines if line.strip())
    if backend == "predicate":
        yield from map(_answer, numbered)
        return
    if run_sql is None:
        raise ValueError("the SQL back end needs an engine to run on")
    while batch := list(islice(numbered, BATCH_LINES)):
        yield from _answers(batch, run_sql)


def _answer(line: bytes | str) -> bytes:
    number: Any = None
    try:
        data = _read(line)
        number = data.get("id")
        query, track = _query_of(data), _track_of(data)
        event = data.get("event")
        if event is None:
            parse_cached(query)
            return _line(number, "parse_ok")
        predicate = _predicate(query, track.name)
        return _line(number, "match" if predicate(event_of(event, track)) else "no_match")
    except QueryError as error:
        return _error_line(number, error)
    except BadLine as error:
        return _line(number, "error", {"code": "BAD_LINE", "message": str(error)})


@lru_cache(maxsize=4096)
def _predicate(query: str, track_name: str) -> Predicate:
    track = _EVAL_TRACKS[track_name.removeprefix("eval_")]
    return to_predicate(parse_cached(query), track)


def _answers(batch: Sequence[bytes | str], engine: Engine) -> Iterator[bytes]:
    """One batch by SQL: events into a table for each track, then many queries in each statement."""
    answers: list[bytes] = [b""] * len(batch)
    ids: dict[int, Any] = {}
    rows: dict[str, list[bytes]] = {}
    queries: dict[tuple[str, str], _Asked] = {}
    for number, line in enumerate(batch):
        try:
            data = _read(line)
            ids[number] = data.get("id")
            query, track = _query_of(data), _track_of(data)
            node = parse_cached(query)
            if data.get("event") is None:
                answers[number] = _line(ids[number], "parse_ok")
                continue
            if (track.name, query) not in queries:
                length = len(to_sql(node, track).text)  # what is wrong with the query is found here, for its own line
                queries[track.name, query] = _Asked(len(queries), node, length)
            row = row_of(event_of(data["event"], track), track)
            row |= {"n": number, "q": queries[track.name, query].number}
            rows.setdefault(track.name, []).append(orjson.dumps(row))
        except QueryError as error:
            answers[number] = _error_line(ids.get(number), error)
        except LimitExceeded as error:
            answers[number] = _line(ids.get(number), "error", {"code": "LIMIT", "message": str(error)})
        except BadLine as error:
            answers[number] = _line(ids.get(number), "error", {"code": "BAD_LINE", "message": str(error)})
    matched: set[int] = set()
    for name, loaded in rows.items():
        asked = [query for (track_name, _), query in queries.items() if track_name == name]
        matched |= _matching(_EVAL_TRACKS[name.removeprefix("eval_")], loaded, asked, engine)
    for number in range(len(batch)):
        yield answers[number] or _line(ids[number], "match" if number in matched else "no_match")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query of a batch: its number there, and the length of its SQL."""

    number: int
    node: Node
    length: int


def _statements(queries: Iterable[_Asked]) -> Iterator[list[_Asked]]:
    """Queries that are asked together."""
    together: list[_Asked] = []
    for query in queries:
        if together and sum(each.length for each in together) + query.length > STATEMENT_LENGTH:
            yield together
            together = []
        together.append(query)
    if together:
        yield together


def _matching(track: Track, rows: list[bytes], queries: list[_Asked], engine: Engine) -> set[int]:
    """The numbers of the rows that meet their query."""
    engine.command(drop_table(track))
    engine.command(scratch_table(track))
    try:
        engine.insert(track.table, b"\n".join(rows), len(rows))
        found: set[int] = set()
        for together in _statements(queries):
            sql = scratch_matches([(query.number, query.node) for query in together], track)
            found.update(row["n"] for row in engine.query(sql))
        return found
    finally:
        engine.command(drop_table(track))


# -- input ------------------------------------------------------------------------------------------------------------


def _read(line: bytes | str) -> dict[str, Any]:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        data = _read_leniently(line)  # lone surrogates, numbers that are not finite
    if not isinstance(data, dict):
        raise BadLine("a line is a JSON object with id, query and event")
    return data


def _read_leniently(line: bytes | str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {error}") from None


def _query_of(data: Mapping[str, Any]) -> str:
    query = data.get("query")
    if not isinstance(query, str):
        raise BadLine("'query' must be a string")
    return query


def _track_of(data: Mapping[str, Any]) -> Track:
    name = data.get("track") or "logs"
    if name not in TRACKS:
        raise BadLine(f"there is no track {name!r}; the tracks are {', '.join(TRACKS)}")
    return _EVAL_TRACKS[name]


def event_of(data: Any, track: Track) -> EvalEvent:
    """An event from its JSON shape (search-syntax.md §1); any member may be missing, reserved ones may be lists.

    `track` is one made by `eval_track`. Raises `BadLine`.
    """
    if not isinstance(data, dict):
        raise BadLine("'event' must be an object or null")
    attributes = data.get("attributes")
    if attributes is None:
        attributes = {}
    if not isinstance(attributes, dict):
        raise BadLine("'attributes' must be an object")
    titles = [text.path for text in track.text_fields if text.path in data and text.path not in attributes]
    if titles:  # a signal's title stands beside its message
        attributes = {**attributes, **{name: data[name] for name in titles}}
    reserved: dict[str, list[Any]] = {}
    for name, column in track.columns.items():
        value = data.get(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        read = _time if column.kind is Kind.TIME else _text
        reserved[name] = [read(name, each) for each in values if each is not None]
    return EvalEvent(reserved, reserved.pop("tags"), attributes)


def _text(name: str, value: Any) -> str:
    normal = scalar(value)
    if normal is None:
        raise BadLine(f"'{name}' must be a string or a list of strings")
    return text_of(normal)


def _time(name: str, value: Any) -> int:
    time = time_of(whole_text(value)) if isinstance(value, str) else scalar(value)
    if isinstance(time, bool) or not isinstance(time, int | float) or not -(2**62) < time < 2**62:
        raise BadLine(f"'{name}' must be in milliseconds since 1970, or ISO 8601")
    return int(time)


def row_of(event: EvalEvent, track: Track) -> dict[str, Any]:
    """The row of an event in the table of its track."""
    reserved = {name: getattr(event, name) for name in track.columns}
    return {**reserved, **search_columns(reserved, event.attributes, track), "tags": stored_tags(event.tags)}


# -- output -----------------------------------------------------------------------------------------------------------


def _line(number: Any, result: str, error: Mapping[str, Any] | None = None) -> bytes:
    answer = {"id": number, "result": result} | ({"error": error} if error else {})
    try:
        return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # an id that orjson cannot write, such as a number beyond 64 bits
        return json.dumps(answer, ensure_ascii=True).encode() + b"\n"


def _error_line(number: Any, error: QueryError) -> bytes:
    return _line(number, "parse_error", {"code": error.code, "position": error.start, "message": error.message})
