"""Files of reference tables for workers: written when a table changed, kept as long as one may read them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tocsin.access.actor import SYSTEM
from tocsin.access.audit import AuditTrail
from tocsin.config import Config
from tocsin.reference_tables.service import ReferenceTables
from tocsin.store.state import StateStore, open_state_store
from tocsin.tables import Tables

SCHEMA = {"fields": [{"name": "user", "type": "STRING"}], "primary_keys": ["user"]}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StateStore]:
    state_url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    store = open_state_store(Config(data=tmp_path, state_url=state_url))
    yield store
    store.close()


def service(state: StateStore, folder: Path) -> ReferenceTables:
    return ReferenceTables(state, AuditTrail(lambda: 1), lambda: 1, folder, new_secret=lambda: "secret")


def create(tables: ReferenceTables, name: str, *users: str) -> str:
    upload = tables.begin_upload(name, ["user"], 1)
    tables.put_part(upload.id, 1, "secret", "\n".join(users).encode())
    return tables.create({"table_name": name, "schema": SCHEMA, "upload_id": upload.id}, SYSTEM).id


def put(tables: ReferenceTables, table_id: str, user: str) -> None:
    tables.upsert(table_id, [(user, {"user": user})], SYSTEM)


def test_a_file_for_each_version_while_it_may_be_read(state: StateStore, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    tables = service(state, folder)
    recipes: list[Any] = []
    tables.on_change(lambda: recipes.append(tables.files(["staff", "missing"])))
    table_id = create(tables, "staff", "ana")
    create(tables, "unused", "zoe")
    assert tables.poll()
    (first,) = recipes[-1]
    assert [path.name for path in folder.iterdir()] == [f"{table_id}-1.jsonl"], "only what is named is written"
    written = first.path.stat().st_mtime_ns
    tables.update(table_id, {"description": "people"}, SYSTEM)
    assert tables.poll()
    assert recipes[-1] == (first,), "other rows, another file; else the same"
    assert first.path.stat().st_mtime_ns == written

    for user in ("ben", "cy"):
        put(tables, table_id, user)
    assert tables.poll()
    (second,) = recipes[-1]
    assert Tables([second]).column("staff", "user") == {"ana", "ben", "cy"}
    assert first.path.exists(), "a worker that is asked just now still reads it"
    put(tables, table_id, "di")
    assert tables.poll()
    assert not first.path.exists()
    tables.delete(table_id, SYSTEM)
    assert tables.poll()
    assert recipes[-1] == ()
    assert not tables.poll()


def test_a_round_that_fails_is_repeated(state: StateStore, tmp_path: Path) -> None:
    tables = service(state, tmp_path / "files")
    rounds: list[int] = []

    def renew() -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise OSError("the disk is full")

    tables.on_change(renew)
    create(tables, "staff", "ana")
    with pytest.raises(OSError, match="full"):
        tables.poll()
    assert tables.poll()
    assert len(rounds) == 2


def test_another_process_hears_of_it(state: StateStore, tmp_path: Path) -> None:
    ours, theirs = service(state, tmp_path / "ours"), service(state, tmp_path / "theirs")
    create(ours, "staff", "ana")
    assert theirs.poll()
    assert Tables(theirs.files(["staff"])).row("staff", "ana") == {"user": "ana"}
    assert theirs.row("staff", "ana") == {"user": "ana"}
    assert theirs.column("staff", "user") == {"ana"}
