"""Whatever form a file has, its records come back as they were."""

import codecs
import gzip
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.cli import files
from tocsin.cli.files import UnreadableFile, read_records, unwrap

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
# lone lists of records and rows with labels have a meaning of their own, tested below
OBJECTS = st.dictionaries(
    st.text(max_size=10).filter(lambda key: key not in {*files.ENCLOSING, *files.PAGING, "event"}),
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=5
    ),
    max_size=5,
)


def lines(objects: list[Any]) -> bytes:
    return b"\n".join(map(orjson.dumps, objects))


def indented(objects: list[Any]) -> bytes:
    return orjson.dumps(objects, option=orjson.OPT_INDENT_2)


def delivered(objects: list[Any]) -> bytes:
    return orjson.dumps({"Records": objects})


FORMS = (lines, orjson.dumps, indented, delivered)
PACKINGS = (lambda data: data, gzip.compress, zstandard.compress, lambda data: codecs.BOM_UTF8 + data)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "records"


def records(path: Path) -> list[Any]:
    return [line.record for line in read_records(str(path))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.lists(OBJECTS, max_size=8), st.sampled_from(FORMS), st.sampled_from(PACKINGS))
def test_records_come_back(file: Path, objects: list[Any], form: Any, packing: Any) -> None:
    file.write_bytes(packing(form(objects)))
    assert records(file) == objects


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1)))
def test_text_lines_come_back(file: Path, texts: list[str]) -> None:
    plain = [text for text in texts if text[0] not in "{[\ufeff" and text.strip()]
    file.write_text("\n".join(plain), encoding="utf-8")
    assert records(file) == plain


@pytest.mark.parametrize(
    "text",
    ["[error] no such file\n[warn] again", "{id} is not JSON\nnor is this", "[2026-11-22 07:00:00] GET /", "[12] x"],
)
def test_text_that_begins_like_json(file: Path, text: str) -> None:
    file.write_text(text)
    assert records(file) == text.split("\n")


def test_a_line_that_is_not_json_among_others(file: Path) -> None:
    file.write_text('{"a": 1}\n{"a": \n\n{"a": 2}\n')
    assert records(file) == [{"a": 1}, '{"a":', {"a": 2}]


def test_utf_16_as_windows_writes_it(file: Path) -> None:
    file.write_bytes("Grüße\r\nzweite".encode("utf-16"))
    assert records(file) == ["Grüße", "zweite"]


def test_bytes_that_are_no_utf_8_cost_only_themselves(file: Path) -> None:
    file.write_bytes(b"caf\xe9\n")
    assert records(file) == ["caf\ufffd"]


def test_several_frames_of_zstd(file: Path) -> None:
    file.write_bytes(zstandard.compress(b"one\n") + zstandard.compress(b"two\n"))
    assert records(file) == ["one", "two"]


def test_an_empty_file_has_no_records(file: Path) -> None:
    for content in (b"", b"\n\n", gzip.compress(b""), b"[]", b"  \n"):
        file.write_bytes(content)
        assert records(file) == []


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_truncated_file_gives_what_it_can_and_then_fails(file: Path, compress: Any) -> None:
    whole = compress(b"\n".join(b"%d %d" % (n, n * 7919 % 10007) for n in range(200_000)))
    file.write_bytes(whole[: len(whole) // 2])
    found = []
    with pytest.raises(UnreadableFile, match="ended before"):
        for line in read_records(str(file)):
            found.append(line.record)
    assert len(found) > 50_000
    assert found[1] == "1 7919"


def unclosed(whole: bytes) -> str:
    return whole.decode().removesuffix("]").rstrip()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=5), st.sampled_from([orjson.dumps, indented]), st.data())
def test_a_torn_json_list_gives_its_whole_records_and_then_fails(
    file: Path, objects: list[Any], form: Any, data: Any
) -> None:
    """Wherever it is cut; none of its lines becomes a log."""
    whole = form(objects).decode()
    kept = whole[: data.draw(st.integers(whole.index("{") + 2, len(whole) - 1))]
    file.write_text(kept, encoding="utf-8")
    found = []
    with pytest.raises(UnreadableFile, match="the JSON list ends early"):
        for line in read_records(str(file)):
            found.append(line.record)
    assert found == objects[: max(n for n in range(len(objects) + 1) if kept.startswith(unclosed(form(objects[:n]))))]


def test_a_torn_json_object_is_no_text(file: Path) -> None:
    file.write_text('{"Records": [{"eventName": "GetUser"}, {"eventName": "Ge')
    with pytest.raises(UnreadableFile, match="line 1: the JSON object ends early"):
        records(file)
    file.write_text('{\n  "a": 1,\n  "b": tr')
    with pytest.raises(UnreadableFile, match="line 3: the JSON object ends early"):
        records(file)
    file.write_text('{"a": \n{"a": 2}\n')
    assert records(file) == ['{"a":', {"a": 2}], "lines, of which the first is torn"


def test_a_list_that_is_broken_in_the_middle_is_said(file: Path) -> None:
    file.write_text('[\n{"a": 1},\n{"a": 2},\n{"a": oops},\n{"a": 4}\n]')
    with pytest.raises(UnreadableFile, match="line 4: the JSON list is broken"):
        records(file)


@pytest.mark.parametrize("text", ['[{"thread": 1}] said', '["GET /" 200]\n["GET /" 404]', '[["a"] b'])
def test_text_that_begins_like_a_list_of_json(file: Path, text: str) -> None:
    file.write_text(text)
    assert records(file) == text.split("\n")


def test_what_cannot_be_read_is_said(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        records(tmp_path / "missing")
    with pytest.raises(UnreadableFile, match="is a directory"):
        records(tmp_path)
    file.write_bytes(b"ElfFile\x00" + bytes(100))
    with pytest.raises(UnreadableFile, match="Windows event log"):
        records(file)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(UnreadableFile, match="not a text"):
        records(file)


def test_a_line_without_end_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1000)
    file.write_bytes(b"x" * 2000)
    with pytest.raises(UnreadableFile, match="longer than"):
        records(file)


def test_the_position_reaches_the_end(file: Path) -> None:
    file.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert list(read_records(str(file)))[-1].position == file.stat().st_size


def test_standard_input(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(gzip.compress(b'{"a": 1}'))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file.open("rb")))
    assert [line.record for line in read_records("-")] == [{"a": 1}]


@pytest.mark.parametrize(
    "envelope",
    [
        {"records": [{"a": 1}, {"b": 2}]},
        {"kind": "admin#reports#activities", "etag": "x", "items": [{"a": 1}, {"b": 2}], "nextPageToken": "n"},
        {"@odata.context": "c", "value": [{"a": 1}, {"b": 2}]},
        {"entries": [{"a": 1}, {"b": 2}], "response_metadata": {}},
    ],
)
def test_answers_of_apis_are_unpacked(file: Path, envelope: dict[str, Any]) -> None:
    file.write_bytes(orjson.dumps(envelope))
    assert records(file) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("record", [{"value": [1, 2]}, {"items": [{"a": 1}], "order": 7}, {"value": "x"}])
def test_other_lists_stay_in_their_record(file: Path, record: dict[str, Any]) -> None:
    file.write_bytes(orjson.dumps(record))
    assert records(file) == [record]


def test_a_row_of_a_labelled_set_is_unwrapped() -> None:
    row = {"label": "attack", "run": None, "event": {"eventName": "StopLogging"}}
    assert unwrap(row) == {"eventName": "StopLogging", "dataset": {"label": "attack"}}


@pytest.mark.parametrize(
    "row",
    [
        {"event": {"a": 1}, "host": "web-1", "time": 1},
        {"event": {"a": 1}, "label": "x", "message": "its own"},
        {"event": "text", "label": "x"},
        {"event": {"a": 1}},
        {"Records": [{"a": 1}], "more": 1},
    ],
)
def test_other_rows_are_records_themselves(row: dict[str, Any]) -> None:
    assert unwrap(row) == row
