"""The search language: text -> tree -> SQL, predicate, text (spec: search-syntax)."""

from tocsin.query.errors import Code, QueryError
from tocsin.query.hints import Hint, hints
from tocsin.query.parser import parse, parse_cached, parse_field
from tocsin.query.printer import print_query
from tocsin.query.sql import Sql
from tocsin.query.to_predicate import field_values, to_predicate
from tocsin.query.to_sql import (
    field_number_sql,
    field_several_sql,
    field_single_sql,
    field_sql,
    may_hold_several,
    to_sql,
)
from tocsin.query.track import AUDIT, EVAL, LOGS, SIGNALS, SPANS, TRACKS, Track
from tocsin.query.tree import Field, Node

__all__ = [
    "AUDIT",
    "EVAL",
    "LOGS",
    "SIGNALS",
    "SPANS",
    "TRACKS",
    "Code",
    "Field",
    "Hint",
    "Node",
    "QueryError",
    "Sql",
    "Track",
    "field_number_sql",
    "field_several_sql",
    "field_single_sql",
    "field_sql",
    "field_values",
    "hints",
    "may_hold_several",
    "parse",
    "parse_cached",
    "parse_field",
    "print_query",
    "to_predicate",
    "to_sql",
]
