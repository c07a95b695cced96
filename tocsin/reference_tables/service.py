"""Reference tables: uploaded, replaced, changed row by row, and brought to the workers (siem.md §1.19, api-more.md).

Rows live in the state store. What pipelines and rules use is written to a file for each version of a table
(`tocsin.tables`), which workers read by themselves; others hear of a change when they `poll`.
"""

import hashlib
import hmac
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge
from tocsin.reference_tables import repository
from tocsin.reference_tables.repository import TableRow, UploadRow
from tocsin.reference_tables.schema import BadRow, Loaded, Row, Schema, read_csv
from tocsin.reference_tables.usage import Use
from tocsin.store.state import StateStore
from tocsin.tables import NoSuchTable, TableFile, Tables, write_table

ASSET = "reference_table"
UPLOAD_BYTES = 4_000_000
"""Of a file that somebody uploads (siem.md §1.19)."""
UPLOAD_MS = 3_600_000
"""How long the addresses of an upload's parts hold."""
MAX_PARTS = 20
MAX_BATCH = 200
"""Rows in one call."""
MAX_TABLES = 1_000
MAX_NAME = 255
FILTER_ROWS = 1_000_000
"""A larger table filters no rule (siem.md §1.19)."""
LISTED_ROWS = 10_000_000
SEARCHED_ROWS = 100_000
"""That one call looks through for a text; who wants more goes on where it ended."""
USES_TOLD = 5

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")


class TableNotFound(NotFound):
    def __init__(self, table_id: str) -> None:
        super().__init__(f"Reference table {table_id} not found")


class TableNameTaken(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(f"there is a reference table '{name}' already; replace its rows or take another name")


class TableInUse(Conflict):
    """Rules and pipelines that name the table would silently find nothing."""

    code = "table_in_use"

    def __init__(self, name: str, uses: Sequence[Use]) -> None:
        told = [f"the {use.kind} '{use.name}'" for use in uses[:USES_TOLD]]
        more = [f"{len(uses) - USES_TOLD} more"] if len(uses) > USES_TOLD else []
        super().__init__(f"'{name}' is used by {', '.join([*told, *more])}; take it out there, then delete it")


@dataclass(frozen=True, slots=True)
class RowPage:
    """Primary keys and rows, and the key behind which to go on, None at the end. A page of a search may be short."""

    rows: tuple[tuple[str, Row], ...]
    following: str | None


@dataclass(frozen=True, slots=True)
class Appended:
    """What a file did to a table that keeps its other rows."""

    added: int
    changed: int
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way. `secret` opens the addresses of its parts, and is told only now."""

    id: str
    part_count: int
    secret: str


class ReferenceTables:
    """All reference tables. Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        folder: Path,
        *,
        uses: Callable[[], Mapping[str, Sequence[Use]]] = dict,
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> None:
        """`folder` is where this process keeps files for its workers; `uses` says who names a table, by its name."""
        self._state = state
        self._audit = audit
        self._clock = clock
        self._folder = folder
        self._uses = uses
        self._new_secret = new_secret
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._seen: int | None = None
        self._used: dict[str, Path] = {}
        self._kept: set[Path] = set()

    # Reading

    def all(self) -> list[TableRow]:
        """All tables by name."""
        with self._state.reading() as session:
            return repository.load_all(session)

    def get(self, table_id: str) -> TableRow:
        """Raises `TableNotFound`."""
        with self._state.reading() as session:
            return self._found(repository.load(session, table_id), table_id)

    def rows(self, table_id: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The rows of those primary keys that are there. Raises `TableNotFound`."""
        with self._state.reading() as session:
            self._found(repository.load(session, table_id), table_id)
            return repository.rows_of(session, table_id, keys)

    def uses(self) -> Mapping[str, Sequence[Use]]:
        """Rules and pipelines that name tables, by the table's name."""
        return self._uses()

    def page(self, table_id: str, after: str, limit: int, contains: str = "") -> RowPage:
        """Rows behind a key; with `contains` those that have the text in a value, in any case.

        Raises `TableNotFound`, `BadRequest` for a table that is too large.
        """
        with self._state.reading() as session:
            table = self._found(repository.load(session, table_id), table_id)
            if table.row_count > LISTED_ROWS:
                raise BadRequest(f"'{table.name}' has more than {LISTED_ROWS} rows, which cannot be listed")
            if contains:
                return _search(session, table_id, contains.casefold(), after, limit)
            rows = repository.page_of(session, table_id, after, limit + 1)
        return RowPage(tuple(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None)

    def row(self, name: str, key: str) -> dict[str, Any] | None:
        """A row by the names that a lookup uses, straight from the store: to try pipelines. Raises `NoSuchTable`."""
        with self._state.reading() as session:
            table = repository.by_name(session, name)
            if table is None:
                raise NoSuchTable(name)
            return repository.rows_of(session, table.id, [key]).get(key)

    # Uploading

    def begin_upload(self, table_name: str, headers: Sequence[str], part_count: int) -> Upload:
        """Take note of a file that comes in parts. Raises `BadRequest`."""
        _check_name(table_name)
        if not 1 <= part_count <= MAX_PARTS:
            raise BadRequest(f"part_count: {part_count} given, 1 to {MAX_PARTS} are allowed")
        if not headers or len(set(headers)) < len(headers):
            raise BadRequest("headers: at least one column is needed, each named once")
        now, secret = self._clock(), self._new_secret()
        row = UploadRow(str(uuid.uuid4()), table_name, list(headers), part_count, _hash(secret), now)
        with self._state.transaction() as session:
            repository.remove_uploads(session, now - UPLOAD_MS)
            repository.insert_upload(session, row)
        return Upload(row.id, part_count, secret)

    def put_part(self, upload_id: str, number: int, secret: str, content: bytes) -> None:
        """Keep a part, numbered from 1. Raises `Forbidden` for a wrong or expired address, `TooLarge`."""
        with self._state.transaction() as session:
            upload = repository.upload(session, upload_id)
            is_open = upload is not None and upload.created_at >= self._clock() - UPLOAD_MS
            if upload is None or not is_open or not hmac.compare_digest(_hash(secret), upload.secret):
                raise Forbidden("Forbidden", "the address of this part is wrong or has expired; begin another upload")
            if not 1 <= number <= upload.part_count:
                raise BadRequest(f"part {number} was not announced: there are {upload.part_count}")
            sizes = repository.part_sizes(session, upload_id) | {number: len(content)}
            if sum(sizes.values()) > UPLOAD_BYTES:
                raise TooLarge(f"the file may have {UPLOAD_BYTES} bytes; add further rows by upsert")
            repository.put_part(session, upload_id, number, content)

    def check_upload(self, upload_id: str, schema: Mapping[str, Any]) -> Loaded:
        """What the file would give under a schema; nothing is changed. Raises `BadRequest`."""
        return self._load(upload_id, None, Schema.of(schema))

    # Changing

    def create(self, body: Mapping[str, Any], by: Actor) -> TableRow:
        """A new table from an upload. `body`: table_name, schema, upload_id, description, tags. Raises `BadRequest`."""
        name = body["table_name"]
        _check_name(name)
        schema = Schema.of(body["schema"])
        now, table_id = self._clock(), str(uuid.uuid4())
        loaded = self._load(body["upload_id"], name, schema)
        with self._state.transaction() as session:
            if repository.by_name(session, name) is not None:
                raise TableNameTaken(name)
            if len(repository.load_all(session)) >= MAX_TABLES:
                raise BadRequest(f"there are {MAX_TABLES} reference tables, as many as there may be")
            self._take(session, body["upload_id"])
            described = {
                "description": body.get("description") or "",
                "tags": list(body.get("tags") or ()),
                "source": "LOCAL_FILE",
                "schema": schema.as_body(),
                "created_by": by.user_uuid or "",
                "last_updated_by": by.user_uuid or "",
                **_told(loaded),
            }
            table = TableRow(table_id, name, 1, len(loaded.rows), described, now, now)
            repository.insert(session, table)
            repository.replace_rows(session, table_id, loaded.rows)
            self._audit.record(session, by, "created", ASSET, table_id, name, None, _audited(table))
        return table

    def update(self, table_id: str, body: Mapping[str, Any], by: Actor) -> None:
        """Change description or tags, or replace all rows by an upload (`upload_id`, with a `schema` if it differs).

        Raises `TableNotFound`, `BadRequest`.
        """
        seen = self.get(table_id)
        if body.get("source") not in (None, seen.body["source"]):
            raise BadRequest(f"source: it is {seen.body['source']} and cannot be changed; create another table")
        schema = Schema.of(body.get("schema") or seen.body["schema"])
        loaded = self._load(body["upload_id"], seen.name, schema) if body.get("upload_id") else None
        with self._state.transaction() as session:
            before = self._found(repository.load(session, table_id), table_id)
            described = dict(before.body)
            described |= {name: body[name] for name in ("description", "tags") if body.get(name) is not None}
            described["last_updated_by"] = by.user_uuid or ""
            table = replace(before, body=described, updated_at=self._clock())
            if loaded is not None:
                self._take(session, body["upload_id"])
                no_errors = {"error_message": None, "error_row_count": None}
                described |= {"schema": schema.as_body(), **no_errors, **_told(loaded)}
                table = replace(table, version=before.version + 1, row_count=len(loaded.rows))
                repository.replace_rows(session, table_id, loaded.rows)
            elif body.get("schema") and schema.as_body() != before.body["schema"]:
                raise BadRequest("schema: the columns change with the rows only; give file_metadata.upload_id too")
            repository.save(session, table)
            self._audit.record(session, by, "modified", ASSET, table_id, table.name, _audited(before), _audited(table))

    def delete(self, table_id: str, by: Actor) -> None:
        """Raises `TableNotFound`, `TableInUse`."""
        name = self.get(table_id).name
        if uses := self._uses().get(name):
            raise TableInUse(name, uses)
        with self._state.transaction() as session:
            table = self._found(repository.load(session, table_id), table_id)
            repository.remove(session, table_id, self._clock())
            self._audit.record(session, by, "deleted", ASSET, table_id, table.name, _audited(table), None)

    def upsert(self, table_id: str, rows: Sequence[tuple[str, Mapping[str, Any]]], by: Actor) -> None:
        """Add rows or change columns of those that are there; `(primary key, values)`. All or none.

        Raises `TableNotFound`, `BadRow`.
        """
        _check_batch(rows)
        with self._state.transaction() as session:
            table = self._found(repository.load(session, table_id), table_id)
            schema = Schema.of(table.body["schema"])
            there = repository.rows_of(session, table_id, [key for key, _ in rows])
            made = dict(there)
            for index, (key, values) in enumerate(rows):
                try:
                    made[key] = _merged(schema, key, made.get(key, {}), values)
                except BadRow as error:
                    raise BadRow(f"data[{index}]: {error}") from error
            repository.put_rows(session, table_id, made)
            self._changed(session, table, by, {"upserted": len(made)})

    def append(self, table_id: str, upload_id: str, by: Actor) -> Appended:
        """Add the rows of an upload, or change columns of those that are there; lines that do not fit are skipped.

        Raises `TableNotFound`, `BadRequest`, `Conflict` if the columns have changed while the file was read.
        """
        seen = self.get(table_id)
        loaded = self._load(upload_id, seen.name, Schema.of(seen.body["schema"]))
        with self._state.transaction() as session:
            table = self._found(repository.load(session, table_id), table_id)
            if table.body["schema"] != seen.body["schema"]:
                raise Conflict(f"the columns of '{table.name}' were changed meanwhile; look at them, then add the rows")
            self._take(session, upload_id)
            changed, every = 0, list(loaded.rows)
            for start in range(0, len(every), repository.PAGE):
                keys = every[start : start + repository.PAGE]
                there = repository.rows_of(session, table_id, keys)
                changed += len(there)
                repository.put_rows(
                    session, table_id, {key: {**there.get(key, {}), **loaded.rows[key]} for key in keys}
                )
            appended = Appended(len(loaded.rows) - changed, changed, loaded)
            self._changed(session, table, by, {"added": appended.added, "changed": changed})
        return appended

    def delete_rows(self, table_id: str, keys: Sequence[str], by: Actor) -> None:
        """Delete the rows of these primary keys, as far as they are there. Raises `TableNotFound`."""
        _check_batch(keys)
        with self._state.transaction() as session:
            table = self._found(repository.load(session, table_id), table_id)
            repository.delete_rows(session, table_id, keys)
            self._changed(session, table, by, {"deleted": len(set(keys))})

    # For the workers

    def files(self, names: Iterable[str]) -> tuple[TableFile, ...]:
        """A file for each of these tables that is there, by name, written where this version has none yet."""
        found = []
        for name in sorted(set(names)):
            with self._state.reading() as session:
                table = repository.by_name(session, name)
                if table is None:
                    self._used.pop(name, None)
                    continue
                path = self._folder / f"{table.id}-{table.version}.jsonl"
                if not path.exists():
                    schema = Schema.of(table.body["schema"])
                    rows = repository.each_row(session, table.id)
                    columns = list(schema.fields)
                    lines = ([row.get(column) for column in columns] for row in rows)
                    write_table(path, columns, schema.primary_keys, lines)
            found.append(TableFile(name, path))
        with self._lock:
            self._used.update({file.name: file.path for file in found})
        return tuple(found)

    def column(self, name: str, column: str) -> frozenset[str]:
        """The texts in a column, for replay (a `tables.ColumnOf`); none if it is not there."""
        return Tables(self.files([name])).column(name, column)

    def is_too_large(self, name: str) -> bool:
        """Whether a table has too many rows to filter rules; False if it is not there."""
        with self._state.reading() as session:
            table = repository.by_name(session, name)
        return table is not None and table.row_count > FILTER_ROWS

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back after `poll` has found a change."""
        self._callbacks.append(callback)

    def poll(self) -> bool:
        """Look whether any process changed a table, and tell the callbacks; True if so.

        Changes are not told at once: rows come in many calls, and each would make the workers read the table anew.
        """
        with self._state.reading() as session:
            revision = repository.revision(session)
        if revision == self._seen:
            return False
        for callback in self._callbacks:
            callback()
        self._seen = revision  # only now: a round that fails is repeated
        self._tidy()
        return True

    # Inside

    @staticmethod
    def _found(table: TableRow | None, table_id: str) -> TableRow:
        if table is None:
            raise TableNotFound(table_id)
        return table

    def _load(self, upload_id: str, name: str | None, schema: Schema) -> Loaded:
        """The rows of a complete upload for a table of that name, None for any; read before the transaction, which
        must be short."""
        with self._state.reading() as session:
            upload = repository.upload(session, upload_id)
            if upload is None:
                raise _no_upload(upload_id)
            if name is not None and upload.table_name != name:
                raise BadRequest(f"file_metadata.upload_id: the upload is for '{upload.table_name}', not for '{name}'")
            sizes = repository.part_sizes(session, upload_id)
            missing = [str(number) for number in range(1, upload.part_count + 1) if number not in sizes]
            if missing:
                raise BadRequest(f"file_metadata.upload_id: parts {', '.join(missing)} of the upload are missing")
            content = repository.content_of(session, upload_id)
        return read_csv(content, upload.headers, schema)

    @staticmethod
    def _take(session: Session, upload_id: str) -> None:
        """An upload fills one table, once."""
        if repository.upload(session, upload_id) is None:
            raise _no_upload(upload_id)
        repository.remove_uploads(session, 0, upload_id)

    def _changed(self, session: Session, table: TableRow, by: Actor, what: Mapping[str, int]) -> None:
        count = repository.count_rows(session, table.id)
        body = {**table.body, "last_updated_by": by.user_uuid or ""}
        made = replace(table, version=table.version + 1, row_count=count, body=body, updated_at=self._clock())
        repository.save(session, made)
        self._audit.record(session, by, "modified", ASSET, table.id, table.name, None, {"row_count": count, **what})

    def _tidy(self) -> None:
        """Delete files that no worker can be asked to read any more: all but those of this round and the one before."""
        with self._lock:
            now = set(self._used.values())
            kept, self._kept = now | self._kept, now
        for path in self._folder.glob("*.jsonl"):
            if path not in kept:
                path.unlink(missing_ok=True)


def _search(session: Session, table_id: str, text: str, after: str, limit: int) -> RowPage:
    """In Python, because the two state stores write JSON and fold cases differently."""
    found: list[tuple[str, Row]] = []
    seen = 0
    while seen < SEARCHED_ROWS:
        rows = repository.page_of(session, table_id, after, repository.PAGE)
        for key, row in rows:
            if any(text in str(value).casefold() for value in row.values()):
                if len(found) == limit:
                    return RowPage(tuple(found), after)
                found.append((key, row))
            after = key
        seen += len(rows)
        if len(rows) < repository.PAGE:
            return RowPage(tuple(found), None)
    return RowPage(tuple(found), after)


def _merged(schema: Schema, key: str, there: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the values given in place of its own."""
    row = {**there, **{name: schema.value(name, value) for name, value in values.items()}}
    if len(schema.primary_keys) == 1:
        name = schema.primary_keys[0]
        row.setdefault(name, schema.value(name, key))
    if schema.key_of(row) != key:
        raise BadRow(f"the id '{key:.40}' is not the primary key of the values ({', '.join(schema.primary_keys)})")
    return row


def _no_upload(upload_id: str) -> BadRequest:
    return BadRequest(f"file_metadata.upload_id: there is no upload {upload_id:.40}; it may have expired or been used")


def _check_batch(rows: Sequence[Any]) -> None:
    if not 0 < len(rows) <= MAX_BATCH:
        raise BadRequest(f"data: {len(rows)} rows given, 1 to {MAX_BATCH} are allowed in one call")


def _check_name(name: str) -> None:
    if not name or len(name) > MAX_NAME or not set(name) <= _NAME_CHARACTERS:
        raise BadRequest(f"table_name: letters, digits, '_', '-' and '.' are allowed, at most {MAX_NAME}")


def _told(loaded: Loaded) -> dict[str, Any]:
    """What the table tells of lines that were skipped."""
    return {"error_message": loaded.message, "error_row_count": loaded.skipped} if loaded.skipped else {}


def _audited(table: TableRow) -> dict[str, Any]:
    shown = ("description", "tags", "schema")
    return {**{name: table.body[name] for name in shown}, "row_count": table.row_count, "version": table.version}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
