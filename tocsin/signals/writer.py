"""The one writer of rows of `signals`: what the evaluator concluded and what people decided, in one row (design §5).

A signal that a suppression hides is written to the table `suppressed` instead, and stays there (decision 0110): who
was hidden is decided by the suppressions that were in force when the signal was first discovered, so that deciding its
group again gives the same answer.

Both sides come here. Outcomes are projected and compared with what is stored; messages of the outbox topic `signals`
bring triage changes. Every row is written whole with a rising `row_version`, from the detection fields and the present
triage, so neither can overwrite the other. Only one writer may be active among all processes (`engine.py`).

The order of steps makes each of them safe to repeat: hand over triage, note the history, reopen, insert the rows. The
evaluator advances its watermark only after that; killed anywhere before, it decides and writes the same again.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy.orm import Session

from tocsin.clock import Clock
from tocsin.evaluate.correlation import UNMATCHED, Matched
from tocsin.evaluate.decision import Decision
from tocsin.evaluate.group import Outcome, StoredSignal
from tocsin.evaluate.repository import GroupKey, Matches
from tocsin.evaluate.signals_repository import SignalMatches
from tocsin.event import Json
from tocsin.signal import Triage
from tocsin.signals.course import Told, untold
from tocsin.signals.evidence import Asked, Evidence
from tocsin.signals.gathering import Gathered
from tocsin.signals.identity import scope_key, signal_id
from tocsin.signals.lines import changed_line, projected_line, tombstone
from tocsin.signals.matching import SignalMatching
from tocsin.signals.projection import Projection, project_gathered, with_triage, with_window
from tocsin.signals.repository import SignalRows, matched_of
from tocsin.signals.severity import Assets
from tocsin.signals.suppression import NO_SUPPRESSIONS, Suppression, Suppressions, with_suppression
from tocsin.store.outbox import Message, Outbox
from tocsin.store.state import StateStore

TOPIC = "signals"
"""Messages say that a signal's triage has changed: `{"signal_id": …}`."""

NOTED_ENTRIES = 20_000
"""History entries that are known to be there, so that a signal that keeps growing does not ask for them each time."""

DRAINED = 500
"""Triage messages that are brought at once; as many mean that there are more."""

HOUR_MS = 3_600_000

TriageOf = Callable[[Iterable[str]], Mapping[str, Triage]]
HandOver = Callable[[str, str], None]

Reopen = Callable[[Sequence[str]], None]
"""Open those of these signals that are archived."""

PresentSuppressions = Callable[[], Suppressions]
"""All suppressions with their history, as it is at this moment."""


class History(Protocol):
    """The histories of signals, in the caller's transaction."""

    def add(
        self,
        session: Session,
        signal_id: str,
        kind: str,
        at: int,
        *,
        before: str = "",
        after: str = "",
        comment: str = "",
        sequence: int = 0,
    ) -> None:
        """Add an entry; the same entry again changes nothing."""

    def told(self, session: Session, signal_ids: Iterable[str]) -> Mapping[str, Told]:
        """The severity that each history tells last; those that tell none are absent."""


class Change(NamedTuple):
    """A signal to write. `before` is its row in the same table, None for the first.

    `hidden_by` are the suppressions that hide it, as of `hidden_at` (Unix milliseconds); empty: it is shown, and
    `cleared` is the hidden row whose place it takes.
    """

    outcome: Outcome
    decision: Decision
    projection: Projection
    before: StoredSignal | None
    hidden_by: tuple[Suppression, ...]
    hidden_at: int
    cleared: StoredSignal | None


class SignalMetrics:
    """Counters since the start of the process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.created = Counter("tocsin_signals_created", "Signals raised, by severity.", ["status"], registry=registry)
        self.updated = Counter("tocsin_signals_updated", "Signals that later events changed.", registry=registry)
        self.superseded = Counter("tocsin_signals_superseded", "Signals replaced after late events.", registry=registry)
        self.hidden = Counter("tocsin_signals_hidden", "Signals that suppressions hid.", registry=registry)
        self.projected = Counter("tocsin_signals_projected", "Rows written for triage or closing.", registry=registry)
        self.write_seconds = Histogram(
            "tocsin_signals_write_seconds",
            "Time to store one step's outcomes.",
            buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )


class SignalWriter:
    """Call it from one thread at a time. It is the evaluator's sink."""

    def __init__(
        self,
        rows: SignalRows,
        matches: Matches,
        state: StateStore,
        outbox: Outbox,
        clock: Clock,
        *,
        triage_of: TriageOf,
        hand_over: HandOver,
        history: History,
        metrics: SignalMetrics,
        hidden_rows: SignalRows | None = None,
        suppressions: PresentSuppressions = lambda: NO_SUPPRESSIONS,
        matching: SignalMatching | None = None,
        members: SignalMatches | None = None,
        assets: Callable[[], Assets | None] = lambda: None,
        reopen: Reopen = lambda _: None,
    ) -> None:
        """`hidden_rows` are those of the track `suppressed`; needed where `suppressions` may hide anything. `matching`
        and `members` are needed where rules read signals: what finds signals, and where the signals behind one are.
        `assets` gives the critical assets as they are. `reopen` is needed where rules may ask for it."""
        self._rows = rows
        self._matching = matching or SignalMatching()
        self._members = members
        self._assets = assets
        self._matched_version: int | None = None
        self._hidden_rows = hidden_rows
        self._suppressions = suppressions
        self._evidence = Evidence(matches, members)
        self._state = state
        self._outbox = outbox
        self._clock = clock
        self._triage_of = triage_of
        self._hand_over = hand_over
        self._reopen = reopen
        self._history = history
        self._metrics = metrics
        self._grew: set[tuple[str, int]] = set()
        self._told: OrderedDict[str, Told] = OrderedDict()
        self._open: dict[str, int] | None = None

    # What the evaluator concluded

    def stored(self, asked: Mapping[GroupKey, int]) -> dict[GroupKey, list[StoredSignal]]:
        """The stored signals of these groups, hidden ones too, with timestamps from the moment given for each on."""
        scopes = {scope_key(*key): key for key in asked}
        rules, since = {key.rule_id for key in asked}, min(asked.values())
        found = self._rows.stored(rules, list(scopes), since)
        if self._hidden_rows is not None and self._suppressions().may_have_hidden:
            for scope, hidden in self._hidden_rows.stored(rules, list(scopes), since).items():
                found[scope] = _both(found.get(scope, []), hidden)
        return {
            scopes[scope]: [signal for signal in signals if signal.timestamp >= asked[scopes[scope]]]
            for scope, signals in found.items()
        }

    def apply(self, outcomes: Sequence[Outcome]) -> dict[GroupKey, dict[str, str]]:
        """Store outcomes; see `evaluate.evaluator.Sink`."""
        with self._metrics.write_seconds.time():
            return self._apply(outcomes)

    def _apply(self, outcomes: Sequence[Outcome]) -> dict[GroupKey, dict[str, str]]:
        now = self._clock()
        suppressions, assets = self._suppressions(), self._assets()
        ids: dict[GroupKey, dict[str, str]] = {}
        written: list[Change] = []
        superseded: list[tuple[Outcome, StoredSignal, str | None]] = []
        said = self._said(outcomes)
        for outcome in outcomes:
            named = {decision.opened_by: _id(outcome.key, decision) for decision in outcome.decisions}
            ids[outcome.key] = named
            current = set(named.values())
            heirs: dict[str, list[StoredSignal]] = {}
            for old in outcome.known.values():
                if old.id not in current:
                    heir = _heir(old, outcome.decisions, named)
                    superseded.append((outcome, old, heir))
                    if heir is not None:
                        heirs.setdefault(heir, []).append(old)
            for decision in outcome.changed:
                identity = named[decision.opened_by]
                before = outcome.known.get(identity)
                discovered_at = before.discovered_at if before else now
                projection = project_gathered(outcome.plan, decision, said[identity], discovered_at, assets)
                if change := _change(outcome, decision, projection, heirs.get(identity, ()), suppressions, now):
                    written.append(change)
        for _, old, heir in superseded:
            if heir is not None and not old.is_hidden:
                self._hand_over(old.id, heir)
                self._told.pop(old.id, None)
        shown = [change for change in written if not change.hidden_by]
        self._note(shown)
        self._reopen_grown(shown)
        self._insert(shown, [item for item in superseded if not item[1].is_hidden], now)
        cleared = [(change.outcome, change.cleared) for change in shown if change.cleared]
        for outcome, old, _ in superseded:
            if hidden := old if old.is_hidden else old.hidden_update:
                cleared.append((outcome, hidden))
        self._hide([change for change in written if change.hidden_by], cleared, now)
        return ids

    def _said(self, outcomes: Iterable[Outcome]) -> dict[str, Gathered]:
        """What the events of each changed decision say together, by the id of its signal."""
        asked = [
            Asked(_id(outcome.key, decision), outcome.plan.rule, decision)
            for outcome in outcomes
            for decision in outcome.changed
        ]
        found = self._evidence.gathered(asked)
        return {one.signal_id: gathered for one, gathered in zip(asked, found, strict=True)}

    def _reopen_grown(self, written: Iterable[Change]) -> None:
        """Open what is archived and takes in further events, where the rule asks for it (siem.md §2.10)."""
        asked = {
            change.projection.signal.id: change.decision.events_matched
            for change in written
            if change.before is not None and change.outcome.plan.rule.reopens_on_update
        }
        if not asked:
            return
        archived = [identity for identity, triage in self._triage_of(asked).items() if triage.state == "archived"]
        grown = [
            identity
            for identity, row in self._rows.rows(archived).items()
            if orjson.loads(row["document"])["workflow"]["events_matched"] < asked[identity]
        ]
        if grown:
            self._reopen(grown)

    def _note(self, written: Sequence[Change]) -> None:
        """What detection did, in the history: entries are of event time, and none is told twice."""
        with_severity = [change for change in written if self._tells(change)]
        grew = {(change.projection.signal.id, hour) for change in written if (hour := _grew_in(change.decision))}
        grew -= self._grew
        if not with_severity and not grew:
            return
        told: dict[str, Told] = {}
        with self._state.transaction() as session:
            ids = [change.projection.signal.id for change in with_severity]
            known = self._history.told(session, [identity for identity in ids if identity not in self._told])
            for change in with_severity:
                identity, course = change.projection.signal.id, change.projection.course
                before = self._told.get(identity) or known.get(identity)
                for entry in untold(course, before, change.decision.last_hit):
                    kind, at, prior, later, comment, sequence = entry
                    self._history.add(
                        session, identity, kind, at, before=prior, after=later, comment=comment, sequence=sequence
                    )
                    told[identity] = entry.told
                if identity not in told and before is not None:
                    told[identity] = before
            for identity, hour in sorted(grew):
                self._history.add(session, identity, "updated", hour, comment="Further events joined in this hour")
        for identity, last in told.items():
            self._told[identity] = last
            self._told.move_to_end(identity)
        while len(self._told) > NOTED_ENTRIES:
            self._told.popitem(last=False)
        if len(self._grew) > NOTED_ENTRIES:
            self._grew.clear()
        self._grew |= grew

    def _tells(self, change: Change) -> bool:
        """Whether the history may have to say something new of the severity."""
        told = self._told.get(change.projection.signal.id)
        return told is None or told.severity != change.projection.signal.severity

    def _insert(
        self,
        written: Sequence[Change],
        superseded: Sequence[tuple[Outcome, StoredSignal, str | None]],
        now: int,
    ) -> None:
        triage = self._triage_of([change.projection.signal.id for change in written])
        matched_version = max(self.matched_version + 1, now * 1000)
        lines = []
        for outcome, decision, projection, before, *_ in written:
            signal = projection.signal
            version = _next_version(before.row_version if before else 0, now)
            discovered_at = before.discovered_at if before else now
            custom = with_window(with_triage(signal.custom, triage.get(signal.id)), now)
            found = before.matched if before else UNMATCHED
            matched = self._matching.of(signal, outcome.plan, decision, found, matched_version)
            self._matched_version = max(self.matched_version, matched.version)
            if matched.seen:
                custom["workflow"]["engine"] = {**custom["workflow"]["engine"], "seen": matched.seen}
            lines.append(_signal_line(projection, custom, discovered_at, version, matched))
            outcome.known[signal.id] = StoredSignal(
                signal.id,
                signal.timestamp,
                signal.closes_at,
                projection.revision,
                version,
                discovered_at,
                matched=matched,
            )
        for outcome, old, _ in superseded:
            gone = old.matched.gone(matched_version)
            self._matched_version = max(self.matched_version, gone.version)
            lines.append(_tombstone(old, outcome.key.rule_id, _next_version(old.row_version, now), gone))
            del outcome.known[old.id]
        self._rows.insert(lines)
        for _, _, projection, before, *_ in written:
            if before is None:
                self._metrics.created.labels(projection.signal.severity).inc()
            else:
                self._metrics.updated.inc()
            if self._open is not None and projection.signal.closes_at > now:
                self._open[projection.signal.id] = projection.signal.closes_at
        self._metrics.superseded.inc(len(superseded))

    @property
    def matched_version(self) -> int:
        """The highest version that a signal has which rules over signals match."""
        if self._matched_version is None:
            self._matched_version = self._members.newest() if self._members is not None else 0
        return self._matched_version

    def _hide(self, hidden: Sequence[Change], cleared: Sequence[tuple[Outcome, StoredSignal]], now: int) -> None:
        """Write what suppressions hide, after what is shown: a kill in between leaves a hidden row too many, not a
        signal too few, and the next decision of the group clears it."""
        if self._hidden_rows is None:
            return
        lines = []
        for outcome, _, projection, before, hidden_by, hidden_at, _ in hidden:
            signal = projection.signal
            shown = outcome.known.get(signal.id)
            shown = None if shown is None or shown.is_hidden else shown
            version = _next_version(before.row_version if before else 0, now)
            custom = with_suppression(signal.custom, hidden_by, hidden_at, is_update=shown is not None)
            lines.append(_signal_line(projection, custom, hidden_at, version))
            row = StoredSignal(
                signal.id, signal.timestamp, signal.closes_at, projection.revision, version, hidden_at, is_hidden=True
            )
            if shown is not None:
                closes_at = max(shown.closes_at, row.closes_at)
                row = shown._replace(hidden_update=row, closes_at=closes_at)
            outcome.known[signal.id] = row
        for outcome, old in cleared:
            lines.append(_tombstone(old, outcome.key.rule_id, _next_version(old.row_version, now)))
            if (known := outcome.known.get(old.id)) is not None and known.is_hidden:
                del outcome.known[old.id]
        self._hidden_rows.insert(lines)
        self._metrics.hidden.inc(sum(change.before is None for change in hidden))

    # What people decided, and what the clock closes

    def drain(self, limit: int = DRAINED) -> int:
        """Bring signals up to date whose triage has changed; how many messages that were."""
        return self._outbox.drain(TOPIC, self._heard, limit)

    def _heard(self, messages: Sequence[Message]) -> None:
        self.rewrite(str(message.payload.get("signal_id", message.key)) for message in messages)

    def rewrite(self, signal_ids: Iterable[str]) -> None:
        """Write the rows of these signals anew, with their present triage and window; unknown ones are passed over."""
        now = self._clock()
        rows = self._rows.rows(signal_ids)
        triage = self._triage_of(list(rows))
        lines = []
        for identity, row in rows.items():
            custom = with_window(with_triage(orjson.loads(row["document"]), triage.get(identity)), now)
            lines.append(changed_line(row, custom, _next_version(row["row_version"], now), matched_of(row)))
        self._rows.insert(lines)
        self._metrics.projected.inc(len(lines))

    def close_due(self, limit: int = 500) -> int:
        """Mark signals whose window the clock has closed (siem.md §2.10); how many. Survives a restart: what is
        window-open is read from the store at the first call."""
        if self._open is None:
            self._open = self._rows.window_open()
        now = self._clock()
        due = [identity for identity, closes_at in self._open.items() if closes_at <= now][:limit]
        if due:
            self.rewrite(due)
            for identity in due:
                del self._open[identity]
        return len(due)

    def forget(self) -> None:
        """Drop what is in memory, as when another process has been writing."""
        self._open = None
        self._matched_version = None
        self._grew.clear()
        self._told.clear()


def _change(
    outcome: Outcome,
    decision: Decision,
    projection: Projection,
    replaced: Sequence[StoredSignal],
    suppressions: Suppressions,
    now: int,
) -> Change | None:
    """What to write for a decision, None if it is stored so already.

    Suppressions are asked as of the moment when the signal was first hidden, or found: a hidden signal stays hidden
    when they end or change, and so does the one that takes its place after late events. What people can see stays:
    a signal that replaces one that was shown is shown, and one that is shown may only stop growing (siem.md §5.2).
    """
    known = outcome.known.get(projection.signal.id)
    shown = None if known is None or known.is_hidden else known
    hidden = None if known is None else known if known.is_hidden else known.hidden_update
    replaces_shown = any(not old.is_hidden for old in replaced)
    stored = hidden or shown
    if stored is not None and stored.revision == projection.revision and not (stored is hidden and replaces_shown):
        return None
    at = now
    if hidden is not None:
        at = hidden.discovered_at
    elif shown is None:
        at = min((old.discovered_at for old in replaced), default=now)
    hidden_by = () if replaces_shown else suppressions.hiding(outcome.plan.rule, projection.signal, at)
    if hidden_by:
        return Change(outcome, decision, projection, hidden, hidden_by, at, None)
    return Change(outcome, decision, projection, shown, (), 0, hidden)


def _both(shown: Sequence[StoredSignal], hidden: Sequence[StoredSignal]) -> list[StoredSignal]:
    """Rows of both tables: of a signal that is in both, the hidden row is an update that was not shown."""
    found = {signal.id: signal for signal in shown}
    for row in hidden:
        row = row._replace(is_hidden=True)
        visible = found.get(row.id)
        if visible is not None:
            row = visible._replace(hidden_update=row, closes_at=max(visible.closes_at, row.closes_at))
        found[row.id] = row
    return list(found.values())


def _signal_line(
    projection: Projection,
    custom: Mapping[str, Json],
    discovered_at: int,
    version: int,
    matched: Matched = UNMATCHED,
) -> bytes:
    return projected_line(
        projection,
        {**custom, "discovery_timestamp": discovered_at},
        signal_id=projection.signal.id,
        ingested_at=discovered_at,
        version=version,
        matched=matched,
    )


def _id(key: GroupKey, decision: Decision) -> str:
    return signal_id(key.rule_id, key.rule_version, key.group, decision.opened_by, decision.timestamp)


def _grew_in(decision: Decision) -> int:
    """The hour (its first Unix millisecond) in which events joined last, 0 if that is the hour of the beginning."""
    hour = decision.last_hit - decision.last_hit % HOUR_MS
    return hour if hour > decision.timestamp else 0


def _heir(old: StoredSignal, decisions: Sequence[Decision], named: Mapping[str, str]) -> str | None:
    """The signal that takes the place of a superseded one: window-open at its moment, else the next, else the last."""
    for decision in decisions:
        if decision.closes_at > old.timestamp:
            return named[decision.opened_by]
    return named[decisions[-1].opened_by] if decisions else None


def _next_version(before: int, now: int) -> int:
    """Above the row before it, and above every tombstone that an id may have had, which no query shows."""
    return max(before + 1, now * 1000)


def _tombstone(old: StoredSignal, rule_id: str, version: int, matched: Matched = UNMATCHED) -> bytes:
    return tombstone(old.id, old.timestamp, old.discovered_at, rule_id, version, matched)
