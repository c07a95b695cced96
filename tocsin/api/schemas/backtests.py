"""Bodies and answers of previews and backtests (siem.md §2.27)."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from tocsin.api.schemas.rules import RuleDocument
from tocsin.rule import Rule
from tocsin.rules.backtest import MAX_SHOWN, Backtest, Changed, Comparison, Failed, Preview, Shown
from tocsin.rules.difference import Outline
from tocsin.rules.hiding import HiddenCount
from tocsin.signals.resource import iso

Moment = Annotated[int | str, Field(description="RFC 3339, Unix milliseconds, or date maths such as now-1d")]
Limit = Annotated[int, Field(ge=0, le=MAX_SHOWN, description="Signals that are shown; the totals are of all")]


class PreviewBody(BaseModel):
    """A rule that need not be stored, and the range of stored logs that it is run over.

    `ruleId` names the stored rule that it is to become, if there is one: suppressions may be about that.
    """

    rule: RuleDocument
    ruleId: Annotated[str | None, Field(max_length=64)] = None
    from_: Moment = Field("now-1d", alias="from")
    to: Moment = "now"
    limit: Limit = 50


class BacktestBody(BaseModel):
    """A stored rule by `ruleId`, at `version` or the current one; or `rule`, compared with the stored one `against`."""

    rule: RuleDocument | None = None
    ruleId: str | None = None
    version: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None
    against: str | None = None
    from_: Moment = Field("now-7d", alias="from")
    to: Moment = "now"
    limit: Limit = 100


class Bar(BaseModel):
    time: str
    count: int


class QueryBars(BaseModel):
    name: str
    query: str
    total: int
    series: list[Bar]


class HidingSuppression(BaseModel):
    id: str
    name: str


class ShownSignal(BaseModel):
    """A signal as it would have been raised. `id` is the one that live detection gives it, if the rule is stored.

    `hides` says what the suppressions of now would hide: the `signal`, an `update` (the signal is shown, what joins it
    later is not), or nothing (null); `hidden_by`, which ones.
    """

    id: str
    timestamp: str
    first_seen: str
    last_seen: str
    closes_at: str
    severity: str
    title: str
    case: str
    case_index: int
    group: dict[str, Any]
    events_matched: int
    queries: list[dict[str, Any]]
    why: dict[str, Any]
    hides: Literal["signal", "update"] | None
    hidden_by: list[HidingSuppression]

    @classmethod
    def of(cls, shown: Shown) -> Self:
        signal, decision, hidden = shown.projection.signal, shown.decision, shown.hidden
        return cls(
            id=signal.id,
            timestamp=iso(signal.timestamp),
            first_seen=iso(signal.first_seen),
            last_seen=iso(signal.last_seen),
            closes_at=iso(signal.closes_at),
            severity=signal.severity,
            title=signal.title,
            case=signal.custom["triggeringRuleCase"]["name"],
            case_index=signal.case_index,
            group=signal.custom["groupByValues"],
            events_matched=decision.events_matched,
            queries=signal.custom["queries"],
            why=dict(shown.projection.detail["explanation"]),
            hides=None if hidden is None else "update" if hidden.is_update else "signal",
            hidden_by=[HidingSuppression(id=one.id, name=one.name) for one in (hidden.by if hidden else ())],
        )


class HiddenByOne(BaseModel):
    id: str
    name: str
    signals: int


class HiddenSignals(BaseModel):
    """What the suppressions of now would hide: `signals`, and `updates` of signals that are shown.

    Told of the first `judged` signals, which are all unless there are thousands.
    """

    judged: int
    signals: int
    updates: int
    by: list[HiddenByOne]

    @classmethod
    def of(cls, found: HiddenCount) -> Self:
        by = [HiddenByOne(id=one.id, name=one.name, signals=one.signals) for one in found.by]
        return cls(judged=found.judged, signals=found.signals, updates=found.updates, by=by)


class FailedGroup(BaseModel):
    group: list[str]
    reason: str

    @classmethod
    def of(cls, failed: Failed) -> Self:
        return cls(group=list(failed.group), reason=failed.reason)


class PreviewSignals(BaseModel):
    """`total` counts all that the rule decides, those that suppressions would hide as well."""

    total: int
    hidden: HiddenSignals
    series: list[Bar]
    shown: list[ShownSignal]


class PreviewData(BaseModel):
    from_: str = Field(alias="from")
    to: str
    interval_ms: int
    queries: list[QueryBars]
    signals: PreviewSignals
    failed: list[FailedGroup]
    next_runs: Annotated[list[str], Field(description="Of a scheduled rule: when it would run from now on.")]
    elapsed_ms: int


class PreviewAnswer(BaseModel):
    data: PreviewData

    @classmethod
    def of(cls, preview: Preview, start: int, end: int, elapsed_ms: int) -> Self:
        data = {
            "from": iso(start),
            "to": iso(end),
            "interval_ms": preview.interval,
            "queries": [
                QueryBars(name=query.label, query=query.query, total=query.total, series=_bars(query.counts))
                for query in preview.queries
            ],
            "signals": PreviewSignals(
                total=preview.signals,
                hidden=HiddenSignals.of(preview.hidden),
                series=_bars(preview.series),
                shown=[ShownSignal.of(shown) for shown in preview.shown],
            ),
            "failed": [FailedGroup.of(failed) for failed in preview.failed],
            "next_runs": [iso(at) for at in preview.next_times],
            "elapsed_ms": elapsed_ms,
        }
        return cls(data=PreviewData.model_validate(data))


class SignalOutline(BaseModel):
    """A signal as far as two versions are compared by it."""

    timestamp: str
    first_seen: str
    last_seen: str
    severity: str
    case: str
    group: list[str]
    events_matched: int

    @classmethod
    def of(cls, outline: Outline) -> Self:
        return cls(
            timestamp=iso(outline.timestamp),
            first_seen=iso(outline.first_seen),
            last_seen=iso(outline.last_seen),
            severity=outline.severity,
            case=outline.case,
            group=list(outline.group),
            events_matched=outline.events_matched,
        )


class ChangedSignal(BaseModel):
    members: list[str]
    before: SignalOutline
    after: SignalOutline

    @classmethod
    def of(cls, changed: Changed) -> Self:
        before, after = SignalOutline.of(changed.before), SignalOutline.of(changed.after)
        return cls(members=list(changed.members), before=before, after=after)


class Counts(BaseModel):
    new: int
    gone: int
    changed: int
    same: int


class ComparedWith(BaseModel):
    """The difference to a stored rule's current version: the counts are of all, the lists are the first."""

    ruleId: str
    version: int
    signals: int
    counts: Counts
    new: list[SignalOutline]
    gone: list[SignalOutline]
    changed: list[ChangedSignal]

    @classmethod
    def of(cls, found: Comparison) -> Self:
        return cls(
            ruleId=found.rule_id,
            version=found.version,
            signals=found.signals,
            counts=Counts(new=found.new, gone=found.gone, changed=found.changed, same=found.same),
            new=[SignalOutline.of(outline) for outline in found.shown_new],
            gone=[SignalOutline.of(outline) for outline in found.shown_gone],
            changed=[ChangedSignal.of(changed) for changed in found.shown_changed],
        )


class BacktestData(BaseModel):
    from_: str = Field(alias="from")
    to: str
    rule: str
    signals: Annotated[int, Field(description="All that the rule decides, those that suppressions would hide as well")]
    hidden: HiddenSignals
    matches_read: int
    shown: list[ShownSignal]
    failed: list[FailedGroup]
    comparison: ComparedWith | None
    elapsed_ms: int


class BacktestAnswer(BaseModel):
    data: BacktestData

    @classmethod
    def of(cls, found: Backtest, start: int, end: int, elapsed_ms: int) -> Self:
        data = {
            "from": iso(start),
            "to": iso(end),
            "rule": _named(found.rule),
            "signals": found.signals,
            "hidden": HiddenSignals.of(found.hidden),
            "matches_read": found.matches,
            "shown": [ShownSignal.of(shown) for shown in found.shown],
            "failed": [FailedGroup.of(failed) for failed in found.failed],
            "comparison": ComparedWith.of(found.comparison) if found.comparison else None,
            "elapsed_ms": elapsed_ms,
        }
        return cls(data=BacktestData.model_validate(data))


def _bars(counts: tuple[tuple[int, int], ...]) -> list[Bar]:
    return [Bar(time=iso(at), count=count) for at, count in counts]


def _named(rule: Rule) -> str:
    return f"{rule.name} ({rule.id}, version {rule.version})" if rule.id else rule.name
