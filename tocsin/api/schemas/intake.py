"""Shapes of the intake's own endpoints: status, rejected events, replay."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tocsin.intake.rejected import REPLAY_MOST, ReplayReport
from tocsin.intake.repository import RejectedEvent, RejectedFilter


def timestamp(ms: int) -> str:
    """RFC 3339 with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class RejectedAttributes(BaseModel):
    received_at: str
    code: str
    reason: str
    raw: str
    context: dict[str, Any]
    replayed_at: str | None


class RejectedItem(BaseModel):
    id: str
    type: Literal["rejected_event"] = "rejected_event"
    attributes: RejectedAttributes

    @classmethod
    def of(cls, event: RejectedEvent) -> "RejectedItem":
        return cls(
            id=event.id,
            attributes=RejectedAttributes(
                received_at=timestamp(event.received_at),
                code=event.code,
                reason=event.reason,
                raw=event.raw,
                context=dict(event.context),
                replayed_at=None if event.replayed_at is None else timestamp(event.replayed_at),
            ),
        )


class Page(BaseModel):
    after: str | None = None


class Meta(BaseModel):
    page: Page = Page()


class RejectedPage(BaseModel):
    data: list[RejectedItem]
    meta: Meta = Meta()


Instant = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""Unix milliseconds up to the year 9999."""


class ReplayFilter(BaseModel):
    """All given conditions hold. Without any: everything that was not replayed yet."""

    ids: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=1000)
    code: str | None = None
    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None

    def to_model(self) -> RejectedFilter:
        return RejectedFilter(ids=tuple(self.ids), code=self.code, received_from=self.from_, received_to=self.to)


class ReplayRequest(BaseModel):
    filter: ReplayFilter = ReplayFilter()


class ReplayAttributes(BaseModel):
    replayed: int
    stored: int
    rejected: int
    duplicates: int
    is_complete: bool = Field(description=f"False: over {REPLAY_MOST} were asked for; repeat the call for the rest.")


class ReplayItem(BaseModel):
    type: Literal["replay"] = "replay"
    attributes: ReplayAttributes


class ReplayAnswer(BaseModel):
    data: ReplayItem

    @classmethod
    def of(cls, report: ReplayReport) -> "ReplayAnswer":
        attributes = ReplayAttributes(
            replayed=report.replayed,
            stored=report.stored,
            rejected=report.rejected,
            duplicates=report.duplicates,
            is_complete=report.is_complete,
        )
        return cls(data=ReplayItem(attributes=attributes))


class SinceStart(BaseModel):
    """Counts of this process since it started: accepted = stored + rejected."""

    started_at: str
    accepted: int
    stored: int
    rejected: int
    duplicates: int
    throttled: int
    failed: int
    bytes: int


class Kept(BaseModel):
    """What the store holds at present, within its retention."""

    stored: int
    rejected: dict[str, int]


class Buffer(BaseModel):
    bytes: int
    limit_bytes: int


class StatusAttributes(BaseModel):
    since_start: SinceStart
    kept: Kept
    buffer: Buffer
    newest_ingested_at: str | None
    lag_ms: int | None = Field(description="From the arrival of the oldest unanswered request until now; null: none.")


class StatusItem(BaseModel):
    type: Literal["intake_status"] = "intake_status"
    attributes: StatusAttributes


class StatusAnswer(BaseModel):
    data: StatusItem
