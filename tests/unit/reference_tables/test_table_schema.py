"""Schemas of reference tables, and what a file gives under one."""

from pathlib import Path
from typing import Any

import pytest

from tocsin.errors import BadRequest
from tocsin.normalise.pipelines import PipelineText
from tocsin.pipelines.service import Pipeline
from tocsin.reference_tables.schema import Schema, read_csv
from tocsin.reference_tables.usage import Use, tables_named, uses
from tocsin.rule import Rule
from tocsin.tables import NoSuchTable, TableFile, Tables, write_table

USERS = Schema({"user": "STRING", "level": "INT32"}, ("user",))


def body(*fields: tuple[str, str], keys: tuple[str, ...] = ("a",)) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": kind} for name, kind in fields], "primary_keys": list(keys)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (body(("a", "STRING"), ("a", "INT32")), "fields[1].name: there are two columns 'a'"),
        (body(("a", "FLOAT")), "fields[0].type: 'FLOAT' is none of STRING, INT32"),
        (body(("", "STRING")), "fields[0].name: '' is no name of a column"),
        (body(("a", "STRING"), keys=("b",)), "primary_keys[0]: 'b' is no column"),
        (body(("a", "STRING"), keys=()), "primary_keys: at least one column"),
        (body(), "0 columns given"),
    ],
)
def test_a_bad_schema_is_told_at_its_place(given: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Schema.of(given)
    assert message in str(caught.value)


def test_lines_that_do_not_fit_are_skipped_and_told() -> None:
    loaded = read_csv(b"ana,1\r\nana,2\n,3\nben\ncy,9999999999\n\ndi,\n", ["user", "level"], USERS)
    assert loaded.rows == {"ana": {"user": "ana", "level": 1}, "di": {"user": "di"}}
    assert loaded.skipped == 4
    assert loaded.message == (
        "line 2: the primary key 'ana' was there before; line 3: the primary key is empty; "
        "line 4: 1 values, 2 are expected; line 5: level: 9999999999 does not fit into 32 bits"
    )


def test_a_first_line_of_headers_is_left_out_and_only_a_first_one() -> None:
    loaded = read_csv("\ufeffuser,level\nuser,1\n".encode(), ["user", "level"], USERS)
    assert loaded.rows == {"user": {"user": "user", "level": 1}}


def test_a_file_as_a_whole_can_be_wrong() -> None:
    with pytest.raises(BadRequest, match="not UTF-8: byte 0"):
        read_csv(b"\xff", ["user", "level"], USERS)
    with pytest.raises(BadRequest, match="are not those of the schema"):
        read_csv(b"", ["user"], USERS)


def test_several_columns_make_a_key() -> None:
    schema = Schema({"a": "STRING", "b": "INT32"}, ("a", "b"))
    assert list(read_csv(b"x,1\nx,2\n", ["a", "b"], schema).rows) == ['["x","1"]', '["x","2"]']


def test_a_table_file_gives_columns_and_rows(tmp_path: Path) -> None:
    path = tmp_path / "t-1.jsonl"
    write_table(path, ["user", "level"], ["user"], [["ana", 1], ["ben", None]])
    tables = Tables([TableFile("t", path)])
    assert tables.column("t", "user") == {"ana", "ben"}
    assert tables.column("t", "level") == {"1"}
    assert tables.column("t", "nothing") == tables.column("nothing", "user") == frozenset()
    assert tables.row("t", "ana") == {"user": "ana", "level": 1}
    assert tables.row("t", "ben") == {"user": "ben"}
    assert tables.row("t", "zoe") is None
    with pytest.raises(NoSuchTable, match="there is no reference table 'nothing'"):
        tables.row("nothing", "ana")


def test_only_named_tables_travel() -> None:
    rule = Rule("r", "r", "m", (), (), extra={"referenceTables": [{"tableName": "in_rule"}]})
    nested = b'{"processors":[{"type":"pipeline","processors":[{"lookup_enrichment_table":"in_lookup"}]}]}'
    assert tables_named([rule], [PipelineText(nested, True), PipelineText(b"{}", True)]) == {"in_rule", "in_lookup"}


def test_who_names_a_table_is_told_once_and_in_order() -> None:
    entry = {"tableName": "staff"}
    rules = [
        Rule("r2", "zeta", "m", (), (), extra={"referenceTables": [entry, entry]}),
        Rule("r1", "Alpha", "m", (), (), is_enabled=False, extra={"referenceTables": [entry]}),
        Rule("r3", "none", "m", (), ()),
    ]
    lookup = {"type": "lookup-processor", "lookup_enrichment_table": "staff"}
    body = {"name": "p", "processors": [{"type": "pipeline", "processors": [lookup]}]}
    assert uses(rules, [Pipeline("p1", True, False, body)]) == {
        "staff": (
            Use("rule", "r1", "Alpha", False),
            Use("rule", "r2", "zeta", True),
            Use("pipeline", "p1", "p", True),
        )
    }
