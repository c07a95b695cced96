"""How a row holds the values of a field, where counting can make use of it."""

from tocsin.explore.scope import Scope
from tocsin.query import Field, Sql, Track, field_single_sql
from tocsin.query.columns import encode_path
from tocsin.query.track import ATTRIBUTES, Kind
from tocsin.query.tree import FieldKind


def stored_column(field: Field, track: Track) -> Sql | None:
    """The column that holds one value of the field for each row, empty where there is none; None for other fields.

    Grouping by it as it is stored is the fastest; a time is in Unix milliseconds.
    """
    column = track.columns.get(field.name) if field.kind is FieldKind.NAME else None
    if column is None or column.is_list:
        return None
    return Sql(f"toUnixTimestamp64Milli({column.name})" if column.kind is Kind.TIME else column.name)


def list_column(field: Field, track: Track) -> str:
    """The column with the values of a field that is neither an attribute nor a stored column: a list, or the tags."""
    return field.name if field.name in track.columns else "tags"


def single_value(field: Field, scope: Scope) -> Sql:
    """As `field_single_sql`, in the type that all values have if they have one: converting takes a third longer."""
    if field.kind is FieldKind.ATTRIBUTE and (only := scope.shapes.only_type(field)):
        return Sql(f"{ATTRIBUTES}.`{encode_path(field.name)}`.:{only}")
    return field_single_sql(field, scope.track)
