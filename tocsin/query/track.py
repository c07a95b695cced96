"""Tracks as data: a name, a table, what its reserved names read, and which fields bare words search (§4, §6, §12).

Adding a track adds no query code. The store makes its tables from `Track.ddl` and `Track.indexes` (and adds columns
that no query reads by name), and fills the search columns with `columns.search_columns`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from tocsin.rule import SEVERITIES


class Kind(Enum):
    """How the values of a reserved name compare (§5)."""

    EXACT = "exact"  # case sensitive
    FOLDED = "folded"  # stored folded (`values.fold`), the query is folded
    TEXT = "text"  # a text: words, phrases; wildcards on the whole text ignore case
    TIME = "time"  # Unix milliseconds
    TAGS = "tags"  # `key:value` or bare, stored folded


@dataclass(frozen=True, slots=True)
class Column:
    """What one reserved name reads: the column of the same name. In a scalar column the empty string is absent.

    `type` is the ClickHouse type. A list column is an Array of strings (of Int64 milliseconds for a time).
    """

    name: str
    kind: Kind
    type: str
    is_list: bool = False


@dataclass(frozen=True, slots=True)
class TextField:
    """One text that bare words search: a reserved name, or a path of the attributes."""

    name: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Track:
    """A table of events.

    `full_text` are reserved names whose values `*:` searches besides the message, texts and attributes (§7).
    `calculated` are fields that no event has: `#name` reads what the function of that name makes of the event
    (`calculate.with_calculated`). Only predicates know them; in SQL they have no value.
    """

    name: str
    table: str
    columns: Mapping[str, Column]
    text_fields: tuple[TextField, ...]
    full_text: tuple[str, ...] = ("host", "service", "source", "status")
    has_indexes: bool = True
    calculated: Mapping[str, Callable[[Any], Iterable[Any]]] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    """All that `status` may be, in rising order; empty: not fixed."""
    folded: tuple[str, ...] = field(init=False)
    """Reserved names that are stored folded; tags, which are too, are not among them (`columns.stored_tags`)."""
    text_paths: tuple[str, ...] = field(init=False)
    """Paths of the text fields in the attributes."""
    text_names: tuple[str, ...] = field(init=False)
    """Reserved names of the text fields besides the message."""

    def __post_init__(self) -> None:
        folded = tuple(name for name, column in self.columns.items() if column.kind is Kind.FOLDED)
        object.__setattr__(self, "folded", folded)
        object.__setattr__(self, "text_paths", tuple(text.path for text in self.text_fields if text.path))
        names = tuple(text.name for text in self.text_fields if text.name and text.name != "message")
        object.__setattr__(self, "text_names", names)

    @property
    def ddl(self) -> Mapping[str, str]:
        """Column definitions that the query language reads: name -> ClickHouse type and codec."""
        return {**{column.name: column.type for column in self.columns.values()}, **SEARCH_COLUMNS}

    @property
    def indexes(self) -> Mapping[str, str]:
        """Skip indexes that the SQL back end makes use of: name -> definition. The queries hold without them."""
        return SEARCH_INDEXES if self.has_indexes else {}


ATTRIBUTES = "attributes"
"""JSON column: each path that has one distinct scalar, canonically typed and its name encoded (`columns.py`)."""

IN_LISTS = "in_lists"
"""JSON column: each path with several: strings under `s.`, numbers and booleans as text under `n.`."""

TEXT_WORDS = "text_words"
"""Folded words of the text fields, the message's first: ` login failed \\n title words \\n`."""

VALUE_WORDS = "value_words"
"""The same of all other values that full text searches."""

END_OF_TEXT = "\n"
END_OF_MESSAGE = "\t"

_JSON = "JSON(max_dynamic_paths = 1024, max_dynamic_types = 8)"

SEARCH_COLUMNS: Mapping[str, str] = {
    ATTRIBUTES: _JSON,
    IN_LISTS: _JSON,
    TEXT_WORDS: "String CODEC(ZSTD(1))",
    VALUE_WORDS: "String CODEC(ZSTD(1))",
}

SEARCH_INDEXES: Mapping[str, str] = {
    # The separators are exactly those that `columns.py` writes, so a token is a word and nothing else.
    "text_words_index": f"{TEXT_WORDS} TYPE text(tokenizer = splitByString([' ', '\\n', '\\t']))",
}

INSERT_SETTINGS: Mapping[str, int] = {
    # A string stays a string, whatever it looks like: types are decided in `columns.py`.
    "input_format_try_infer_dates": 0,
    "input_format_try_infer_datetimes": 0,
    "input_format_json_try_infer_numbers_from_strings": 0,
}
"""Settings with which rows must be inserted as JSONEachRow."""

_TEXT = "String CODEC(ZSTD(1))"
_WORD = "LowCardinality(String)"
_WORDS = "Array(LowCardinality(String))"
_TIME = "DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))"


def _columns(*columns: Column) -> Mapping[str, Column]:
    return {column.name: column for column in columns}


_BASE = (
    Column("timestamp", Kind.TIME, _TIME),
    Column("message", Kind.TEXT, _TEXT),
    Column("status", Kind.FOLDED, _WORD),
    Column("host", Kind.EXACT, _WORD),
    Column("service", Kind.EXACT, _WORD),
    Column("source", Kind.EXACT, _WORD),
    Column("trace_id", Kind.EXACT, _TEXT),
    Column("tags", Kind.TAGS, _WORDS, is_list=True),
)

LOGS = Track(
    "logs",
    "logs",
    _columns(*_BASE),
    (TextField("message"), TextField(path="title"), TextField(path="error.message"), TextField(path="error.stack")),
    statuses=("ok", "debug", "info", "notice", "warn", "error", "critical", "alert", "emergency"),
)

AUDIT = Track("audit", "audit", _columns(*_BASE), (TextField("message"), TextField(path="evt.name")))

SIGNALS = Track(
    "signals",
    "signals",
    _columns(
        *(
            replace(column, type=_WORDS, is_list=True) if column.name in ("host", "service", "source") else column
            for column in _BASE
        )
    ),
    (TextField("message"), TextField(path="title")),
    statuses=SEVERITIES,
)

SUPPRESSED = replace(SIGNALS, name="suppressed", table="suppressed")

HISTORICAL = replace(SIGNALS, name="historical", table="historical")
"""Signals that a suppression hides: rows as of `signals`, in a table of their own (siem.md §5.2)."""

SPANS = Track(
    "spans",
    "spans",
    _columns(
        *_BASE,
        Column("env", Kind.EXACT, _WORD),
        Column("operation_name", Kind.EXACT, _WORD),
        Column("resource_name", Kind.EXACT, _TEXT),
        Column("span_id", Kind.EXACT, _TEXT),
        Column("type", Kind.EXACT, _WORD),
    ),
    (TextField("resource_name"), TextField(path="error.message"), TextField(path="error.stack")),
)

TRACKS: Mapping[str, Track] = {track.name: track for track in (LOGS, SIGNALS, SUPPRESSED, HISTORICAL, AUDIT, SPANS)}


def eval_track(track: Track) -> Track:
    """The same track for `tocsin query eval`: every reserved name reads a list, so that any event can be held.

    Nothing that an event says is lost in it: a missing time is an empty list, an empty host a list with "".
    """
    columns = {}
    for name, column in track.columns.items():
        kind = "Array(Int64)" if column.kind is Kind.TIME else "Array(String)"
        columns[name] = replace(column, type=kind, is_list=True)
    return replace(track, name=f"eval_{track.name}", table=f"eval_{track.name}", columns=columns, has_indexes=False)


EVAL = eval_track(LOGS)
