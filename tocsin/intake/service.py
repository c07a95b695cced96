"""The intake: requests in, an answer when their events are durable (design §4.1).

    submit ─► jobs ─► processors (a thread each) ─► prepared ─► committer (one thread) ─► the store ─► answers

Every byte between `admit` and the answer is counted; above the limit new requests are refused with 429, so memory
is bounded and nothing is dropped. Requests that wait while a commit runs share the next one.
"""

import collections
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import structlog
from prometheus_client import Counter

from tocsin.clock import Clock
from tocsin.errors import TocsinError, TooManyRequests, Unavailable
from tocsin.event import BACKFILL_TAG, RawRecord
from tocsin.intake.batch import Prepared, Work, stamp_rejected, stamped
from tocsin.intake.metrics import IntakeMetrics
from tocsin.intake.processors import Outcome, Processor, Setup
from tocsin.intake.recent import IDS_PER_GENERATION, RecentIds
from tocsin.intake.repository import IntakeRepository, Rows
from tocsin.intake.request import Request

LINGER_SECONDS = 0.025
"""How long the first request of a commit waits for company; one insert costs about as much."""

LINGER_SHARE = 2.0
"""Under load it waits this many times what the last insert took: an insert costs some 20 ms of processor time whatever
it holds, and leaves a part to be merged. A machine that is slow or busy makes fewer and larger ones by itself."""

MOST_LINGER_SECONDS = 0.5

GAPS = 2.0
"""Who has sent nothing yet is waited for no longer than this many times the usual time between two requests."""

GAP_WEIGHT = 0.1
"""Of the newest gap in the running mean."""

COMMIT_EVENTS = 5_000
COMMIT_BYTES = 16_000_000
"""Up to here a larger insert is cheaper for each row; from about 20 MB on the engine takes three times as long."""

HANDOVER_BYTES = 1_000_000
"""Small requests travel to a worker together, up to this size."""

RETRY_AFTER_SECONDS = 1

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request's events, all durable: accepted = stored + rejected.

    `reasons` counts the rejected by code and sentence.
    """

    stored: int
    rejected: int
    duplicates: int
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict, compare=False)

    @property
    def accepted(self) -> int:
        return self.stored + self.rejected


class Admission:
    """Bytes of one request that count against the buffer from the first byte read to the answer."""

    def __init__(self, intake: "Intake") -> None:
        self._intake = intake
        self._is_handed_over = False
        self.held = 0

    def resize(self, size: int, *, may_refuse: bool = False) -> None:
        """Hold this many bytes from now on. Raises `TooManyRequests` if `may_refuse` and they do not fit."""
        self._intake._hold(self, size, may_refuse)

    def release(self) -> None:
        """Safe to do twice."""
        self._intake._hold(self, 0, False)

    def hand_over(self) -> None:
        """From now on the intake releases it, when the answer is there, even if nobody waits for that any more."""
        self._is_handed_over = True

    def __enter__(self) -> "Admission":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_handed_over:
            self.release()


@dataclass(slots=True)
class _Job:
    work: Work
    admission: Admission
    sent_bytes: int
    answer: "Future[Receipt]" = field(default_factory=Future)
    prepared: Prepared = field(default_factory=Prepared)


class Intake:
    """Takes requests from any thread. `start` before the first one, `stop` at the end."""

    def __init__(
        self,
        rows: Rows,
        processors: Sequence[Processor],
        *,
        clock: Clock,
        metrics: IntakeMetrics,
        buffer_bytes: int = 64_000_000,
        on_commit: Callable[[int, Mapping[str, bytes]], None] = lambda _ingested_at, _lines: None,
        before_commit: Callable[[], None] = lambda: None,
        recent_capacity: int = IDS_PER_GENERATION,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        """`on_commit` is told the `ingested_at` of each commit and the lines that it stored, by the ids of their events
        (`batch.unstamped`), from the committer's thread: it must not block.
        `before_commit` may hold it up for a moment: what comes meanwhile shares the next commit, within
        `buffer_bytes`."""
        self.metrics = metrics
        self.buffer_bytes = buffer_bytes
        self.on_commit = on_commit
        self.started_at = clock()
        self._before_commit = before_commit
        self._rows = rows
        self._repository = IntakeRepository(rows)
        self._processors = processors
        self._clock = clock
        self._linger_seconds = linger_seconds
        self._recent_capacity = recent_capacity
        self._recent: RecentIds | None = None
        self._last_ingested_at = 0
        self._buffered = 0
        self._waiting: dict[int, int] = {}
        self._changed = threading.Condition()
        self._open = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._prepared: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._prepared_bytes = 0
        self._unprepared = 0
        self._arrived_at = 0.0
        self._usual_gap = MOST_LINGER_SECONDS
        self._threads: list[threading.Thread] = []
        self._committer = threading.Thread(target=self._commit_all, name="intake-commit", daemon=True)

    # ------------------------------------------------------------------------------------------ outside

    def start(self) -> None:
        """Read the recent ids and begin to work. Raises `Unavailable` when the store does not answer."""
        self._remember_stored()
        self._open = True
        self._threads = [
            threading.Thread(target=self._process_all, args=(processor,), name=f"intake-{number}", daemon=True)
            for number, processor in enumerate(self._processors)
        ]
        for thread in [*self._threads, self._committer]:
            thread.start()

    def stop(self) -> None:
        """Refuse new requests, finish those that were taken, and end the workers."""
        with self._changed:
            if not self._open:
                return
            self._open = False
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._prepared.put(None)
        self._committer.join()
        for processor in self._processors:
            processor.close()

    def use(self, setup: Setup) -> None:
        """Work with other rules or pipelines, from the next request on."""
        for processor in self._processors:
            processor.use(setup)

    def admit(self, size: int = 0) -> Admission:
        """Room for a request of `size` bytes. Raises `TooManyRequests`, `Unavailable`."""
        if not self._open:
            raise Unavailable("Tocsin is starting or stopping; send the request again")
        admission = Admission(self)
        admission.resize(size, may_refuse=True)
        return admission

    def submit(self, request: Request, admission: Admission | None = None) -> "Future[Receipt]":
        """The receipt comes when the request's events are durable; the admission is released then.

        The future fails with a `BadRequest` or `TooLarge` when the request is refused as a whole, with
        `Unavailable` when the store did not take it: then nothing was acknowledged and it may be sent again.
        """
        return self._enqueue(request, len(request.body), admission or self.admit(len(request.body)))

    def submit_records(self, records: Sequence[RawRecord]) -> "Future[Receipt]":
        """The same for records that were read before (replay). Ids are looked up in the store, however old."""
        size = sum(len(record.raw) for record in records)
        return self._enqueue(tuple(records), size, self.admit(size))

    @property
    def buffered_bytes(self) -> int:
        """Bytes of requests that were not answered yet."""
        return self._buffered

    @property
    def newest_ingested_at(self) -> int:
        """Of the last commit, in Unix milliseconds; 0: the store is empty."""
        return self._last_ingested_at

    @property
    def oldest_waiting_at(self) -> int | None:
        """When the oldest request that is not answered yet was handed over; None: no request waits."""
        with self._changed:
            return next(iter(self._waiting.values()), None)

    def counts(self) -> dict[str, int]:
        """Events and requests since `started_at`: accepted = stored + rejected. They begin anew with the process."""
        metrics = self.metrics
        sums = {
            "accepted": metrics.accepted,
            "stored": metrics.stored,
            "rejected": metrics.rejected,
            "duplicates": metrics.duplicates,
            "throttled": metrics.throttled,
            "bytes": metrics.bytes,
        }
        found = {name: _total(counter) for name, counter in sums.items()}
        return {**found, "failed": _total(metrics.requests, outcome="failed")}

    def kept(self) -> dict[str, Any]:
        """What the store holds now, within its retention: `stored`, and `rejected` by code.

        Asked of the store itself, so that no counter can drift from it.
        """
        return self._repository.kept()

    # ------------------------------------------------------------------------------------------ admission

    def _hold(self, admission: Admission, size: int, may_refuse: bool) -> None:
        with self._changed:
            others = self._buffered - admission.held
            # A request alone is always let in: it is at most a body, and would otherwise never fit.
            if may_refuse and size > admission.held and others and others + size > self.buffer_bytes:
                self.metrics.throttled.inc()
                self.metrics.requests.labels("throttled").inc()
                raise TooManyRequests(
                    "the intake is busy: its buffer is full; send the request again in a moment",
                    retry_after_seconds=RETRY_AFTER_SECONDS,
                )
            self._buffered = others + size
            admission.held = size
            self.metrics.buffered.set(self._buffered)
            self._changed.notify_all()

    def _enqueue(self, work: Work, size: int, admission: Admission) -> "Future[Receipt]":
        admission.hand_over()
        job = _Job(work, admission, size)
        with self._changed:
            self._unprepared += 1
            self._waiting[id(job)] = self._clock()
            arrived_at = time.monotonic()
            gap = min(arrived_at - self._arrived_at, MOST_LINGER_SECONDS)
            self._usual_gap += GAP_WEIGHT * (gap - self._usual_gap)
            self._arrived_at = arrived_at
        # A client that goes away cancels its wait, not the work: its events are stored all the same.
        job.answer.set_running_or_notify_cancel()
        self._jobs.put(job)
        return job.answer

    # ------------------------------------------------------------------------------------------ processing

    def _process_all(self, processor: Processor) -> None:
        with contextlib.suppress(Unavailable):  # whoever sends the first request is told
            processor.process([])  # sets it up, so that the first request need not wait for that
        while jobs := self._next_jobs():
            try:
                outcomes = processor.process([job.work for job in jobs])
            except Exception as error:  # noqa: BLE001 - the edge of a thread: every job gets an answer
                log.error("intake cannot process", error=str(error), kind=type(error).__name__)
                outcomes = [_unavailable(error)] * len(jobs)
            for job, outcome in zip(jobs, outcomes, strict=True):
                self._processed(job, outcome)

    def _next_jobs(self) -> list[_Job]:
        """Some jobs that are waiting, oldest first; none at the end."""
        with self._changed:
            # Rows wait for the store in uncompressed form: do not make more of them than it can take.
            self._changed.wait_for(lambda: self._prepared_bytes < self.buffer_bytes)
        jobs: list[_Job] = []
        size = 0
        while size < HANDOVER_BYTES:
            try:
                job = self._jobs.get(block=not jobs)
            except queue.Empty:
                break
            if job is None:
                if jobs:
                    self._jobs.put(None)
                break
            jobs.append(job)
            size += job.sent_bytes
        return jobs

    def _processed(self, job: _Job, outcome: Outcome) -> None:
        with self._changed:
            self._unprepared -= 1
        if isinstance(outcome, TocsinError):
            self._fail([job], outcome, "failed" if isinstance(outcome, Unavailable) else "refused")
            return
        job.prepared = outcome
        size = outcome.size
        with self._changed:
            self._prepared_bytes += size
        job.admission.resize(max(size, job.sent_bytes))
        self._prepared.put(job)

    # ------------------------------------------------------------------------------------------ committing

    def _commit_all(self) -> None:
        is_last = False
        took = 0.0
        while not is_last:
            self._before_commit()
            jobs, is_last = self._next_commit(took)
            if not jobs:
                continue
            began = time.perf_counter()
            try:
                receipts, ingested_at, stored = self._commit(jobs)
            except Exception as error:  # noqa: BLE001 - the edge of a thread: every job gets an answer
                self._recent = None
                self.metrics.commit_failures.inc()
                log.error("intake cannot commit", error=str(error), kind=type(error).__name__)
                self._fail(jobs, _unavailable(error), "failed")
                continue
            took = time.perf_counter() - began
            self.metrics.commit_seconds.observe(took)
            self._acknowledge(jobs, receipts)
            if ingested_at:
                self.on_commit(ingested_at, stored)

    def _next_commit(self, last_took: float) -> tuple[list[_Job], bool]:
        """The jobs of one commit, and whether it is the last one. `last_took`: seconds of the insert before."""
        jobs: list[_Job] = []
        events = size = 0
        began = 0.0
        patience = min(max(self._linger_seconds, LINGER_SHARE * last_took), MOST_LINGER_SECONDS)
        while events < COMMIT_EVENTS and size < COMMIT_BYTES:
            try:
                job = self._prepared.get(timeout=self._remaining(began, patience) if jobs else None)
            except queue.Empty:
                if self._remaining(began, patience):
                    continue
                break
            if job is None:
                return jobs, True
            if not jobs:
                began = time.monotonic()
            jobs.append(job)
            events += job.prepared.accepted
            size += job.prepared.size
        return jobs, False

    def _remaining(self, began: float, patience: float) -> float:
        """Seconds that a commit still waits for further requests: longer while some are there or keep coming."""
        until = began + self._linger_seconds
        company = GAPS * self._usual_gap
        if self._unprepared:
            until = began + patience
        elif company <= patience:
            until = max(until, min(began + patience, self._arrived_at + company))
        return max(0.0, until - time.monotonic())

    def _commit(self, jobs: Sequence[_Job]) -> tuple[list[Receipt], int, dict[str, bytes]]:
        """Store what the jobs hold; a receipt for each, the `ingested_at` of the new events (0: there are none) and
        their lines by id."""
        recent = self._recent or self._remember_stored()
        replayed = self._stored_before(jobs)
        ingested_at = max(self._clock(), self._last_ingested_at + 1)
        fresh: dict[str, bytes] = {}
        rejected: list[bytes] = []
        receipts: list[Receipt] = []
        for job in jobs:
            stored = duplicates = 0
            for id, line in zip(job.prepared.ids, job.prepared.lines, strict=True):
                if id in fresh or id in recent or id in replayed:
                    duplicates += 1
                else:
                    fresh[id] = line
                    stored += 1
            rejected += [stamp_rejected(refused.line, ingested_at) for refused in job.prepared.rejected]
            reasons = collections.Counter((refused.code, refused.reason) for refused in job.prepared.rejected)
            receipts.append(Receipt(stored, len(job.prepared.rejected), duplicates, reasons))
        # Rejected first: their ids make a second insert harmless, should the other one fail.
        if rejected:
            self._rows.insert("rejected", b"\n".join(rejected), len(rejected))
        if not fresh:
            return receipts, 0, fresh
        self._rows.insert("logs", stamped(fresh.values(), ingested_at), len(fresh))
        self._last_ingested_at = ingested_at
        recent.add(fresh)
        return receipts, ingested_at, fresh

    def _remember_stored(self) -> RecentIds:
        """What the store holds decides, at the start and after a commit of which nobody knows how far it got."""
        recent = RecentIds(self._recent_capacity)
        recent.add(self._repository.recent_ids(self._recent_capacity))
        self._last_ingested_at = max(self._last_ingested_at, self._repository.newest_ingested_at())
        self._recent = recent
        return recent

    def _stored_before(self, jobs: Sequence[_Job]) -> set[str]:
        """Ids of replayed and backfilled events that are in the store: they may be much older than the recent ids."""
        ids = [id for job in jobs if _may_be_old(job.work) for id in job.prepared.ids]
        return self._repository.known_ids(ids) if ids else set()

    # ------------------------------------------------------------------------------------------ answering

    def _acknowledge(self, jobs: Sequence[_Job], receipts: Sequence[Receipt]) -> None:
        counts = self.metrics
        counts.stored.inc(sum(receipt.stored for receipt in receipts))
        counts.duplicates.inc(sum(receipt.duplicates for receipt in receipts))
        counts.accepted.inc(sum(receipt.accepted for receipt in receipts))
        counts.matches.inc(sum(job.prepared.matches for job in jobs))
        counts.bytes.inc(sum(job.sent_bytes for job in jobs))
        for job in jobs:
            for pipeline, failures in job.prepared.failed_processors.items():
                counts.failed_processors.labels(pipeline).inc(failures)
        counts.requests.labels("acknowledged").inc(len(jobs))
        for code, number in collections.Counter(
            refused.code for job in jobs for refused in job.prepared.rejected
        ).items():
            counts.rejected.labels(code).inc(number)
        for job, receipt in zip(jobs, receipts, strict=True):
            self._settle(job)
            job.answer.set_result(receipt)

    def _fail(self, jobs: Sequence[_Job], error: TocsinError, outcome: str) -> None:
        self.metrics.requests.labels(outcome).inc(len(jobs))
        for job in jobs:
            self._settle(job)
            job.answer.set_exception(error)

    def _settle(self, job: _Job) -> None:
        with self._changed:
            self._prepared_bytes -= job.prepared.size
            self._waiting.pop(id(job), None)
        job.prepared = Prepared()
        job.admission.release()


def _total(counter: Counter, **labels: str) -> int:
    """The sum over all labels, or over those that are given."""
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return int(
        sum(
            sample.value
            for sample in samples
            if sample.name.endswith("_total") and labels.items() <= sample.labels.items()
        )
    )


def _may_be_old(work: Work) -> bool:
    return not isinstance(work, Request) or BACKFILL_TAG in work.tags


def _unavailable(error: Exception) -> TocsinError:
    """Passing faults keep their text; of our own mistakes the caller learns only that it may try again."""
    if isinstance(error, Unavailable):
        return error
    return Unavailable("the events could not be stored; nothing was acknowledged, send the request again")
