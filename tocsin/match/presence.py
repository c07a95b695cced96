"""Reference-table filters of a rule: is a value of the event in a column of a table? (siem.md §2.6)"""

from collections.abc import Iterator
from dataclasses import dataclass

from tocsin.event import Event
from tocsin.query.parser import parse_field
from tocsin.query.to_predicate import Reader, reader
from tocsin.query.track import Track
from tocsin.query.tree import Field, FieldKind
from tocsin.query.values import text_of
from tocsin.rule import Rule, RuleQuery
from tocsin.tables import ColumnOf


@dataclass(frozen=True, slots=True)
class Presence:
    """One filter: some value at one of the fields is among `values` (IN), or none is (NOT IN)."""

    readers: tuple[Reader, ...]
    values: frozenset[str]
    is_in: bool

    def passes(self, event: Event) -> bool:
        """An event without the field is in no column."""
        values = self.values
        found = any(text_of(value) in values for read in self.readers for value in read(event))
        return found is self.is_in


def presences(rule: Rule, query: RuleQuery, track: Track, column: ColumnOf) -> tuple[Presence, ...]:
    """The filters of one query; all must pass. A table that is not there has no values. Raises `QueryError`."""
    return tuple(
        Presence(
            tuple(reader(field, track) for field in fields_of(given["logFieldPath"], track)),
            column(given["tableName"], given["columnName"]),
            given.get("checkPresence", True) is not False,
        )
        for given in filters_of(rule, query)
    )


def filters_of(rule: Rule, query: RuleQuery) -> Iterator[dict[str, str]]:
    """The entries of `referenceTables` that are about a query: those that name it, and those that name none."""
    for given in rule.extra.get("referenceTables") or ():
        if (given.get("ruleQueryName") or query.label) in (query.label, query.name or query.label):
            yield given


def fields_of(path: str, track: Track) -> tuple[Field, ...]:
    """Where a `logFieldPath` looks: a reserved attribute, an attribute (with or without @), or a tag of that key."""
    field = parse_field(path)
    if field.kind is not FieldKind.NAME or field.name in track.columns:
        return (field,)
    return (parse_field(f"@{path}"), field)
