"""SQL of the values of a field, told apart by how a row holds them.

Here and not straight from `query`, because `toString` of a Dynamic column is never NULL: it makes an empty text of a
missing attribute. A cast to Nullable(String) keeps what is missing apart from what is empty.
"""

from tocsin.query import Field, Sql, Track, field_number_sql, field_several_sql, field_single_sql, field_sql
from tocsin.query.columns import encode_path
from tocsin.query.track import ATTRIBUTES, Kind
from tocsin.query.tree import FieldKind

_NUMBER = r"^[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?$"


def stored_column(field: Field, track: Track) -> Sql | None:
    """The column that holds one value of the field for each row, empty where there is none; None for other fields.

    Grouping by it as it is stored is the fastest; a time is in Unix milliseconds.
    """
    column = track.columns.get(field.name) if field.kind is FieldKind.NAME else None
    if column is None or column.is_list:
        return None
    return Sql(f"toUnixTimestamp64Milli({column.name})" if column.kind is Kind.TIME else column.name)


def single(field: Field, track: Track) -> Sql:
    """Nullable(String): the value of a row that holds just one outside of lists."""
    if field.kind is not FieldKind.ATTRIBUTE:
        return field_single_sql(field, track)
    return Sql(f"CAST({ATTRIBUTES}.`{encode_path(field.name)}`, 'Nullable(String)')")


def several(field: Field, track: Track) -> Sql:
    """Array(String): the distinct values that `single` leaves out."""
    return field_several_sql(field, track)


def texts(field: Field, track: Track) -> Sql:
    """Array(String): all distinct values."""
    if field.kind is not FieldKind.ATTRIBUTE:
        return field_sql(field, track)
    return Sql.of(
        "if(isNull({single}), {several}, [assumeNotNull({single})])",
        single=single(field, track),
        several=several(field, track),
    )


def numbers(field: Field, track: Track) -> Sql:
    """Array(Float64): the values that are numbers, also as text."""
    if field.kind is not FieldKind.ATTRIBUTE:
        return field_number_sql(field, track)
    return Sql.of(
        "arrayMap(x -> toFloat64OrZero(x), arrayFilter("
        "x -> match(x, {number:String}) AND isFinite(toFloat64OrZero(x)), {texts}))",
        number=_NUMBER,
        texts=texts(field, track),
    )
