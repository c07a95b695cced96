"""Rejected events: listed with their reasons, and replayed when the reason is gone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tocsin.clock import Clock
from tocsin.errors import NotFound
from tocsin.event import RawRecord
from tocsin.intake.formats import load_json
from tocsin.intake.repository import IntakeRepository, RejectedEvent, RejectedFilter, Rows
from tocsin.intake.service import Intake

REPLAY_BATCH = 500
REPLAY_MOST = 10_000
"""Of one call; `ReplayReport.is_complete` says whether there are more."""

ANSWER_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What became of the replayed events. `duplicates` had been stored by an earlier replay already."""

    replayed: int = 0
    stored: int = 0
    rejected: int = 0
    duplicates: int = 0
    is_complete: bool = True


class RejectedEvents:
    """The rejected events of the store, and the way back into the ordinary pipeline."""

    def __init__(self, rows: Rows, intake: Intake, clock: Clock) -> None:
        self._repository = IntakeRepository(rows)
        self._intake = intake
        self._clock = clock

    def list(
        self, chosen: RejectedFilter, *, limit: int = 100, after: tuple[int, str] | None = None
    ) -> "Sequence[RejectedEvent]":
        """Newest first; `after` is `(received_at, id)` of the last one of the page before."""
        return self._repository.rejected(chosen, limit, after)

    def get(self, id: str) -> RejectedEvent:
        """Raises `NotFound`."""
        found = self._repository.rejected(RejectedFilter(ids=(id,)), 1)
        if not found:
            raise NotFound(f"no rejected event has the id '{id}'; it may be older than the retention")
        return found[0]

    def replay(self, chosen: RejectedFilter) -> ReplayReport:
        """Send rejected events through the pipeline again, newest first; safe to do twice and at any crash.

        Those that were replayed before are left out unless the filter asks for them. An event keeps its time of
        reception, so its id is the same each time; one that is rejected again keeps its entry, with the new reason.
        Raises `Unavailable` or `TooManyRequests` when the intake cannot take them now: repeat it then.
        """
        if chosen.is_replayed is None and not chosen.ids:
            chosen = replace(chosen, is_replayed=False)
        report = ReplayReport()
        pages = self._pages(chosen)
        for page in pages:
            report = self._replay_page(page, report)
            if report.replayed >= REPLAY_MOST:
                return replace(report, is_complete=next(pages, None) is None)
        return report

    def _pages(self, chosen: RejectedFilter) -> "Iterator[Sequence[RejectedEvent]]":
        after: tuple[int, str] | None = None
        while page := self._repository.rejected(chosen, REPLAY_BATCH, after):
            yield page
            after = page[-1].received_at, page[-1].id

    def _replay_page(self, page: "Sequence[RejectedEvent]", so_far: ReplayReport) -> ReplayReport:
        records = [record for record in map(record_of, page) if record is not None]
        receipt = self._intake.submit_records(records).result(ANSWER_SECONDS) if records else None
        again = receipt.rejected if receipt else 0
        # Read again: an event that was rejected again has its new reason now, and keeps it. After a crash before
        # this line all of them are replayed once more, and found to be stored.
        marked = self._repository.rejected(RejectedFilter(ids=tuple(event.id for event in page)), len(page))
        self._repository.mark_replayed(marked, self._clock())
        return ReplayReport(
            replayed=so_far.replayed + len(page),
            stored=so_far.stored + (receipt.stored if receipt else 0),
            rejected=so_far.rejected + again + len(page) - len(records),
            duplicates=so_far.duplicates + (receipt.duplicates if receipt else 0),
        )


def record_of(event: RejectedEvent) -> RawRecord | None:
    """The record as it was before it was rejected; None for what still cannot be read at all."""
    context = event.context
    body: object = event.raw
    if not context["is_text"]:
        try:
            body = load_json(event.raw.encode())
        except ValueError:
            return None
        if not isinstance(body, dict) or not body:
            return None
    return RawRecord(
        body=body,  # type: ignore[arg-type]
        received_at=event.received_at,
        raw=event.raw.encode(),
        source=context["source"],
        service=context["service"],
        host=context["host"],
        tags=tuple(context["tags"]),
        occurrence=context["occurrence"],
    )
