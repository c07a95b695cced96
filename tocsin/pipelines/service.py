"""Pipelines: created, changed, ordered, tried (siem.md §1.8-1.12, api-more.md).

They live in the state store. The intake hears of a change through `on_change`, in this process at once, in others
when they `poll`; it goes on with the old ones until its workers have compiled the new.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
import structlog
from sqlalchemy.orm import Session

from tocsin.access.actor import SYSTEM, Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, NotFound, Unprocessable
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.pipelines import PipelineText, compile_pipeline
from tocsin.normalise.trace import Traced, trace
from tocsin.pipelines import repository
from tocsin.pipelines.repository import PipelineRow
from tocsin.store.state import StateStore

ASSET = "pipeline"
MAX_SAMPLES = 20
MAX_NAME = 500
MAX_PIPELINES = 1000

MEMBERS = ("name", "is_enabled", "filter", "processors", "tags", "description")
"""What a caller may set; the rest of a request is ignored (api.md §1)."""

OnChange = Callable[[], None]
"""Hears that other pipelines are `active`. Must be quick: it runs in the request that made the change."""

log = structlog.get_logger(__name__)


class PipelineNotFound(NotFound):
    def __init__(self, pipeline_id: str) -> None:
        super().__init__(f"Pipeline {pipeline_id} not found")


class ShippedPipelineKept(BadRequest):
    """Shipped pipelines can be switched on and off and ordered, nothing else."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline as the API shows it; `body` has its members as they were given."""

    id: str
    is_enabled: bool
    is_read_only: bool
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def version(self) -> str:
        """Another one after every change of what is in the pipeline or whether it runs."""
        text = orjson.dumps([self.is_enabled, self.body], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()[:16]


class PipelinesService:
    """All pipelines. Safe to use from many threads."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        *,
        shipped: Mapping[str, Mapping[str, Any]],
        lookups: Callable[[], Lookups],
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(16),
    ) -> None:
        """`shipped` are the read-only pipelines by id, in order; `lookups` is what processors may ask when tried."""
        self._state = state
        self._audit = audit
        self._clock = clock
        self._shipped = shipped
        self._lookups = lookups
        self._new_id = new_id
        self._callbacks: list[OnChange] = []
        self._lock = threading.Lock()
        self._seen: int | None = None
        self._told: int | None = None
        self._active: tuple[PipelineText, ...] = ()

    # Reading

    def all(self) -> list[Pipeline]:
        """All pipelines in their order."""
        with self._state.reading() as session:
            return [self._pipeline(row) for row in self._rows(session)]

    def get(self, pipeline_id: str) -> Pipeline:
        """Raises `PipelineNotFound`."""
        with self._state.reading() as session:
            return self._pipeline(self._row(session, pipeline_id))

    # Changing

    def create(self, body: Any, by: Actor) -> Pipeline:
        """Store a new pipeline behind all others. Raises `BadPipeline` with the places of what is wrong."""
        asked = self._checked(body)
        row = PipelineRow(self._new_id(), asked.get("is_enabled", False), asked)
        with self._state.transaction() as session:
            if len(self._rows(session)) >= MAX_PIPELINES:
                raise BadRequest(f"there are {MAX_PIPELINES} pipelines, as many as there may be")
            repository.insert(session, row, self._clock())
            self._audit.record(session, by, "created", ASSET, row.id, asked["name"], None, asked)
        self.poll()
        return self._pipeline(row)

    def update(self, pipeline_id: str, body: Any, by: Actor) -> Pipeline:
        """Replace a pipeline as a whole; a `version` in the body is the one that the caller saw.

        Raises `PipelineNotFound`, `BadPipeline`, `ShippedPipelineKept`, `Conflict` for a stale version.
        """
        asked = self._checked(body)
        with self._state.transaction() as session:
            row = self._row(session, pipeline_id)
            before = self._pipeline(row)
            if body.get("version") not in (None, before.version):
                raise Conflict(
                    f"Pipeline {pipeline_id} was changed meanwhile: you saw version {body['version']}, it is at version"
                    f" {before.version}. Read it again, then change it."
                )
            is_enabled = asked.get("is_enabled", False)
            if row.body is None:
                self._check_kept(before, asked)
                made = replace(row, is_enabled=is_enabled)
            else:
                made = replace(row, is_enabled=is_enabled, body=asked)
            repository.save(session, made, self._clock())
            after = self._pipeline(made)
            self._audit.record(session, by, "modified", ASSET, row.id, after.name, _audited(before), _audited(after))
        self.poll()
        return after

    def delete(self, pipeline_id: str, by: Actor) -> None:
        """Raises `PipelineNotFound` or `ShippedPipelineKept`."""
        with self._state.transaction() as session:
            row = self._row(session, pipeline_id)
            if row.body is None:
                raise ShippedPipelineKept(f"Pipeline {pipeline_id} is shipped; it cannot be deleted, only disabled")
            repository.remove(session, pipeline_id, self._clock())
            self._audit.record(session, by, "deleted", ASSET, pipeline_id, row.body["name"], row.body, None)
        self.poll()

    def arrange(self, ids: Sequence[str], by: Actor) -> list[str]:
        """Put all pipelines into this order. Raises `Unprocessable` unless each is named exactly once."""
        with self._state.transaction() as session:
            before = [row.id for row in self._rows(session)]
            unknown = [one for one in ids if one not in before]
            missing = [one for one in before if one not in ids]
            twice = sorted({one for one in ids if list(ids).count(one) > 1})
            reasons = [
                f"pipeline_ids {what}: {', '.join(found)}"
                for what, found in (("names unknown", unknown), ("leaves out", missing), ("names twice", twice))
                if found
            ]
            if reasons:
                raise Unprocessable(*reasons)
            repository.arrange(session, ids, self._clock())
            self._audit.record(session, by, "modified", ASSET, "order", "order of pipelines", before, list(ids))
        self.poll()
        return list(ids)

    # Without a change

    def test(self, body: Any, samples: Sequence[Any]) -> list[Traced]:
        """Each sample after each processor of a pipeline that need not be stored, and what failed.

        Raises `BadPipeline`, or `BadSample` for a sample that is neither a text nor an object.
        """
        if len(samples) > MAX_SAMPLES:
            raise BadRequest(f"{len(samples)} samples given, {MAX_SAMPLES} are allowed")
        asked = self._checked(body) | {"is_enabled": True}
        lookups = self._lookups()
        return [trace(asked, sample, lookups, number, self._clock()) for number, sample in enumerate(samples, 1)]

    # What is shipped

    def load_shipped(self) -> None:
        """Bring the shipped pipelines to what this version ships. Harmless when repeated.

        Whether one runs and where it stands stays; a new one comes behind the last shipped one.
        """
        now = self._clock()
        with self._state.transaction() as session:
            rows = repository.load_all(session)
            there = {row.id for row in rows}
            for row in rows:
                if row.body is None and row.id not in self._shipped:
                    repository.remove(session, row.id, now)
                    self._audit.record(session, SYSTEM, "deleted", ASSET, row.id)
            new = [one for one in self._shipped if one not in there]
            for one in new:
                repository.insert(session, PipelineRow(one, True, None), now)
                self._audit.record(session, SYSTEM, "created", ASSET, one, self._shipped[one]["name"])
            if new:
                rows = repository.load_all(session)
                old = [row for row in rows if row.id not in new]
                at = max((index + 1 for index, row in enumerate(old) if row.body is None), default=0)
                ids = [row.id for row in old]
                repository.arrange(session, [*ids[:at], *new, *ids[at:]], now)
        self.poll()

    # News

    def active(self) -> tuple[PipelineText, ...]:
        """What the intake runs: the enabled pipelines in their order."""
        with self._lock:
            self._read()
            return self._active

    def on_change(self, callback: OnChange) -> None:
        """Call back after every change that this process makes or `poll` finds; not now."""
        self._callbacks.append(callback)

    def poll(self) -> bool:
        """Look whether any process changed a pipeline, and tell the callbacks. True if so."""
        with self._lock:
            self._read()
            seen = self._seen
        if seen == self._told:
            return False
        for callback in self._callbacks:  # without the lock: they ask the rules, which others may hold
            callback()
        self._told = seen  # only now: a round that fails is repeated
        return True

    # Inside

    def _read(self) -> None:
        """The pipelines as any process has left them."""
        with self._state.reading() as session:
            revision = repository.revision(session)
            if revision == self._seen:
                return
            rows = self._rows(session)
        self._active = tuple(text for row in rows if row.is_enabled and (text := self._text(row)) is not None)
        self._seen = revision

    def _rows(self, session: Session) -> list[PipelineRow]:
        """Without shipped pipelines that another version of Tocsin brought."""
        return [row for row in repository.load_all(session) if row.body is not None or row.id in self._shipped]

    def _row(self, session: Session, pipeline_id: str) -> PipelineRow:
        found = [row for row in self._rows(session) if row.id == pipeline_id]
        if not found:
            raise PipelineNotFound(pipeline_id)
        return found[0]

    def _pipeline(self, row: PipelineRow) -> Pipeline:
        body = self._shipped[row.id] if row.body is None else row.body
        return Pipeline(row.id, row.is_enabled, row.body is None, body)

    def _text(self, row: PipelineRow) -> PipelineText | None:
        """What travels to the workers; None, told in the log, for one that another version of Tocsin had accepted."""
        if row.body is None:
            return PipelineText(orjson.dumps({**self._shipped[row.id], "is_enabled": True}), True)
        try:
            compile_pipeline(row.body, Lookups())
        except BadPipeline as error:
            log.error("a pipeline cannot run and is left out", pipeline=row.id, error=str(error))
            return None
        return PipelineText(orjson.dumps(row.body), False)

    def _checked(self, body: Any) -> dict[str, Any]:
        """What of a request counts. Raises `BadPipeline`."""
        if not isinstance(body, Mapping):
            raise BadPipeline("", "an object is expected")
        asked = {name: body[name] for name in MEMBERS if body.get(name) is not None}
        compile_pipeline(asked, self._lookups())
        if len(asked["name"]) > MAX_NAME:
            raise BadPipeline("name", f"{len(asked['name'])} characters, {MAX_NAME} are allowed")
        tags = asked.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise BadPipeline("tags", "a list of texts is expected")
        if not isinstance(asked.get("description", ""), str):
            raise BadPipeline("description", "a text is expected")
        return asked

    @staticmethod
    def _check_kept(shipped: Pipeline, asked: Mapping[str, Any]) -> None:
        changed = [
            name
            for name in MEMBERS
            if name != "is_enabled" and asked.get(name) and asked[name] != shipped.body.get(name)
        ]
        if changed:
            raise ShippedPipelineKept(
                f"Pipeline {shipped.id} is shipped: it can be switched on and off and ordered, but {', '.join(changed)}"
                " cannot be changed. Copy it to change it."
            )


def _audited(pipeline: Pipeline) -> dict[str, Any]:
    body = {} if pipeline.is_read_only else dict(pipeline.body)
    return {**body, "is_enabled": pipeline.is_enabled}
