"""Historical jobs as people and clients use them (siem.md §2.24, api.md §8)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from tocsin.access.actor import Actor
from tocsin.access.audit import AuditTrail
from tocsin.clock import Clock
from tocsin.errors import BadRequest, Conflict, NotFound
from tocsin.event import Json
from tocsin.rule import SEVERITIES
from tocsin.rules.jobs import repository
from tocsin.rules.jobs.definition import MAX_NAME, read
from tocsin.rules.jobs.repository import CANCELLED, PENDING, JobRow
from tocsin.rules.jobs.results import converted
from tocsin.rules.service import RulesService
from tocsin.rules.shape import rule_to_api
from tocsin.signals.repository import SignalRows
from tocsin.store.state import StateStore

ASSET: Final = "historical_job"

MAX_CONVERTED = 1_000
"""Results that one call makes signals of."""

SORTS: Mapping[str, Callable[[JobRow], Any]] = {
    "name": lambda job: job.name.casefold(),
    "status": lambda job: job.status,
    "created_at": lambda job: job.created_at,
    "modified_at": lambda job: job.modified_at,
}

AddHistory = Callable[[Session, str, str, int], None]
"""Says in a signal's history that it was created: session, signal id, severity, when (Unix milliseconds)."""


class JobNotFound(NotFound):
    def __init__(self, job_id: str) -> None:
        super().__init__(f"Historical job {job_id} not found")


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of what a text finds, of which there are `found`."""

    jobs: tuple[JobRow, ...]
    found: int


class JobsService:
    """Safe to use from many threads. `new_id` makes a UUID; `wake` tells the runner that there is work."""

    def __init__(
        self,
        state: StateStore,
        audit: AuditTrail,
        clock: Clock,
        rules: RulesService,
        *,
        results: SignalRows,
        signals: SignalRows,
        remove_results: Callable[[str], None],
        add_history: AddHistory,
        new_id: Callable[[], str],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._state = state
        self._audit = audit
        self._clock = clock
        self._rules = rules
        self._results = results
        self._signals = signals
        self._remove_results = remove_results
        self._add_history = add_history
        self._new_id = new_id
        self._wake = wake

    def run(self, attributes: Mapping[str, Any], by: Actor) -> JobRow:
        """Make a job that runs soon. Raises `BadRequest`, `InvalidRule`, or `RuleNotFound`."""
        asked = read(attributes, self._rules.get)
        output = attributes.get("signalOutput")
        if output is not None and not isinstance(output, bool):
            raise BadRequest("signalOutput must be true or false")
        definition = {name: attributes[name] for name in ("fromRule", "jobDefinition") if name in attributes}
        now = self._clock()
        row = JobRow(
            id=self._new_id(),
            name=asked.rule.name[:MAX_NAME],
            status=PENDING,
            definition={**definition, "from": asked.start, "to": asked.end},
            rule=rule_to_api(asked.rule),
            rule_id=asked.rule_id,
            signal_output=output is not False,
            progress=0.0,
            signals=0,
            error=None,
            created_at=now,
            modified_at=now,
            created_by_handle=by.handle,
            created_by_name=by.name,
        )
        with self._state.transaction() as session:
            repository.add(session, row)
            self._audit.record(session, by, "created", ASSET, row.id, row.name, None, definition)
        self._wake()
        return row

    def get(self, job_id: str) -> JobRow:
        """Raises `BadRequest` for what is no UUID, `JobNotFound`."""
        with self._state.reading() as session:
            return self._row(session, job_id)

    def page(self, text: str, sort: str, size: int, number: int) -> JobPage:
        """Jobs whose name or status holds each word of the text. Raises `BadRequest` for an unknown order."""
        name = sort.removeprefix("-")
        if name not in SORTS:
            raise BadRequest(f"sort must be one of {', '.join(SORTS)}, with - for the reverse, not '{sort[:60]}'")
        with self._state.reading() as session:
            jobs = repository.load_all(session)
        words = text.casefold().split()
        found = [job for job in jobs if all(word in f"{job.name} {job.status}".casefold() for word in words)]
        found.sort(key=SORTS[name], reverse=sort.startswith("-"))
        return JobPage(tuple(found[number * size : (number + 1) * size]), len(found))

    def cancel(self, job_id: str, by: Actor) -> None:
        """End a job that has not finished; what it has found stays. Raises `JobNotFound`, `Conflict`."""
        with self._state.transaction() as session:
            row = self._row(session, job_id)
            if not repository.change(session, job_id, status=CANCELLED, modified_at=self._clock()):
                raise Conflict(f"Historical job {job_id} is {row.status} already")
            self._audit.record(session, by, "cancelled", ASSET, row.id, row.name)

    def delete(self, job_id: str, by: Actor) -> None:
        """Delete a finished job with its results. Raises `JobNotFound`, `Conflict`."""
        with self._state.transaction() as session:
            row = self._row(session, job_id)
            if row.is_active:
                raise Conflict(f"Historical job {job_id} is {row.status}: cancel it first")
        self._remove_results(job_id)
        with self._state.transaction() as session:
            repository.remove(session, job_id)
            self._audit.record(session, by, "deleted", ASSET, row.id, row.name)

    def convert(
        self, result_ids: Sequence[str], severity: str, message: str, notifications: Sequence[str], by: Actor
    ) -> list[str]:
        """Make signals of results, once each; returns their ids. Raises `BadRequest`, or `NotFound` for an unknown
        result."""
        if severity not in SEVERITIES:
            raise BadRequest(f"signalSeverity must be one of {', '.join(SEVERITIES)}")
        if not 1 <= len(result_ids) <= MAX_CONVERTED or not all(result_ids):
            raise BadRequest(f"jobResultIds must hold 1 to {MAX_CONVERTED} ids")
        rows = self._results.rows(result_ids)
        if missing := [result_id for result_id in result_ids if result_id not in rows]:
            raise NotFound(f"Result {missing[0]} not found")
        now = self._clock()
        made = {
            signal.id: signal
            for row in rows.values()
            for signal in [converted(row, severity, message, notifications, now)]
        }
        there = self._signals.timestamps(made)
        new = [signal for signal in made.values() if signal.id not in there]
        with self._state.transaction() as session:
            for signal in new:
                self._add_history(session, signal.id, severity, signal.timestamp)
            asked: dict[str, Json] = {"results": list(result_ids), "severity": severity, "message": message}
            self._audit.record(session, by, "converted", ASSET, "", "", None, asked)
        self._signals.insert([signal.line for signal in new])
        return list(made)

    def _row(self, session: Session, job_id: str) -> JobRow:
        try:
            UUID(job_id)
        except ValueError:
            raise BadRequest("invalid jobId") from None
        row = repository.load(session, job_id)
        if row is None:
            raise JobNotFound(job_id)
        return row
