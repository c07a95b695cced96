"""Live evaluation: new matches to decided signals, from the store and idempotently (design §4).

One step reads new matches, decides the signal groups that they touch, hands the outcomes to the sink, which stores
them, and advances the watermark. Killed anywhere, the next run reads the same matches again and decides the same.

A group is decided from where its decisions can have changed: the opening of the signal that is window-open at the
earliest new match, else that match; the matches of one window before it are read to fill the windows. So a late event
re-decides what follows it, and what an earlier run concluded differently is superseded.

A new signal or severity is stored at once. Further events of a signal that is stored already wait for a moment, so that
a scan of a thousand requests a second costs a row each few seconds; the saved watermark waits with them.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tocsin.clock import Clock
from tocsin.errors import Unavailable
from tocsin.evaluate.decision import MatchRow, position
from tocsin.evaluate.feed import Batch, Feed
from tocsin.evaluate.group import Group, Outcome, StoredSignal
from tocsin.evaluate.lineage import INSTANT, Taught, row_for, taught
from tocsin.evaluate.loading import eligible, is_eligible, load
from tocsin.evaluate.method import Plan
from tocsin.evaluate.methods import plan
from tocsin.evaluate.newcomers import Newcomers
from tocsin.evaluate.quiet import QUIET_MS, Quiet
from tocsin.evaluate.repository import Failure, GroupKey, Matches, Progress, StoredMatch
from tocsin.evaluate.travel import TravelPlan
from tocsin.rule import Rule

CACHED_MATCHES = 3_000_000
"""Matches of idle groups that are kept in memory, some 300 MB. Those idle for longest are dropped first, and there are
always many of them: where an hour's windows hold more, each step reads some again."""

BUSY = 3
"""With the groups that were decided in this step, or have grown, so many times that, a gigabyte: they will be in the
next step, and would be read again each time. Beyond, each step reads others again, which takes longer than the step.
With a thousand rules at 5,000 events/s they hold three million after nine minutes and would hold seven after an hour,
the longest window of most rules that are shipped (decision 0204)."""

CACHED_GROUPS = 20_000

CACHED_PLANS = 10_000

NO_CITIES = "no city database"
"""Why accesses without coordinates were not evaluated, where it is not their address that has none."""

RETRY_MS = 60_000
"""A group that failed is left alone so long: it would fail again, and reading it may be costly."""

REFRESH_MS = 3_000
"""Signals that only grow are stored this often, or as soon as nothing new comes in."""

REFRESHED_TOGETHER = 32
REFRESHED_EVENTS = 2_000
"""So many of them in one step, the longest waiting first, with so many events that they name and that are read for
that: new signals must not queue behind a thousand old ones. One at least, however many it names."""

REFRESHED_EVERY_MS = 1_000
"""Steps are shorter than that when they have little to do: what is stored anew anyway should not make them longer."""

REFRESHED_IDLE = 100
"""So many while nothing new comes in, which may come at any moment."""


class Rules(Protocol):
    """What the evaluator asks of the rules."""

    def enabled_rules(self) -> Iterable[Rule]: ...
    def rule_at(self, rule_id: str, version: int) -> Rule | None: ...


class Sink(Protocol):
    """Where outcomes are stored."""

    def stored(self, asked: Mapping[GroupKey, int]) -> Mapping[GroupKey, list[StoredSignal]]:
        """The stored signals of these groups whose timestamp is at least the moment given for each."""

    def apply(self, outcomes: Sequence[Outcome]) -> Mapping[GroupKey, Mapping[str, str]]:
        """Store outcomes; durable when it returns. Leaves in `known` what is stored for each, and returns the ids of
        the signals by their opening events."""


class Notes(Protocol):
    """Hears what was not evaluated, for the coverage ledger."""

    def skipped(self, rule_id: str, ingested_at: int, reason: str, matches: int = 1, message: str = "") -> None: ...


class NoNotes:
    """Nobody keeps a ledger."""

    def skipped(self, rule_id: str, ingested_at: int, reason: str, matches: int = 1, message: str = "") -> None:
        del rule_id, ingested_at, reason, matches, message


class Reading(Protocol):
    """Says which matches are new."""

    watermark: int

    def read(self) -> Batch: ...
    def accept(self, batch: Batch) -> None: ...


MakeReading = Callable[[Matches, int, Clock], Reading]
"""Begins to read what came after a watermark."""


class Baselines(Protocol):
    """What a rule knows before it is evaluated for the first time (`instant.py`)."""

    def ensure(self, found: Taught) -> bool:
        """Whether the baseline is there. If not, it is made meanwhile; raises what made that fail."""


class Learning:
    """In place of a plan: the rule's baseline is being made, its matches wait."""


class _PutOff(NamedTuple):
    """What waits for the baseline of a rule: of each scope the earliest match, since the others can be read again; and
    the watermark that they came after."""

    before: int
    matches: dict[tuple[str, ...], StoredMatch]


class EvaluatorMetrics:
    """Counters since the start of the process. `prefix` tells several evaluators apart."""

    def __init__(self, registry: CollectorRegistry, prefix: str = "tocsin_evaluator") -> None:
        self.matches = Counter(f"{prefix}_matches", "Matches that were read as new.", registry=registry)
        self.skipped = Counter(
            f"{prefix}_skipped",
            f"Matches that were not evaluated: late, rule disabled, rule unknown, rule failed, {NO_CITIES}.",
            ["reason"],
            registry=registry,
        )
        self.failures = Counter(
            f"{prefix}_rule_failures", "Failed evaluations of a rule.", ["rule_id"], registry=registry
        )
        self.rebuilt = Counter(
            f"{prefix}_groups_rebuilt", "Groups that came into memory, from the store or new.", registry=registry
        )
        self.new = Counter(f"{prefix}_groups_new", "Of these, new ones, which were not looked for.", registry=registry)
        self.decided = Counter(f"{prefix}_groups_decided", "Groups that were decided.", registry=registry)
        self.lag = Gauge(
            f"{prefix}_lag_seconds", "Age of the oldest match that is not evaluated yet.", registry=registry
        )
        self.seconds = Histogram(
            f"{prefix}_step_seconds",
            "Time of one step that found matches.",
            buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )


class Evaluator:
    """One step at a time; the caller sees to it that only one evaluator steps among all processes."""

    def __init__(
        self,
        matches: Matches,
        progress: Progress,
        rules: Rules,
        sink: Sink,
        clock: Clock,
        metrics: EvaluatorMetrics,
        make_reading: MakeReading = Feed,
        baselines: Baselines | None = None,
        notes: Notes | None = None,
        has_cities: bool = True,
    ) -> None:
        """`has_cities`: events can have coordinates here; without, what needs them is noted as not evaluated."""
        self._notes = notes or NoNotes()
        self._has_cities = has_cities
        self._baselines = baselines
        self._make_reading = make_reading
        self._matches = matches
        self.progress = progress
        self._rules = rules
        self._sink = sink
        self._clock = clock
        self._metrics = metrics
        self._feed: Reading | None = None
        self._newcomers: Newcomers | None = None
        self._passed_over = set[tuple[str, int]]()
        self._groups: OrderedDict[GroupKey, Group] = OrderedDict()
        self._quiet = Quiet()
        self._cached = 0
        self._plans: dict[tuple[str, int], Plan | Failure | None] = {}
        self._teachers: dict[tuple[str, int], tuple[int, ...]] = {}
        self._failed: dict[GroupKey, tuple[int, str]] = {}
        self._grown: dict[GroupKey, tuple[int, int]] = {}
        self._learning: dict[tuple[str, int], Taught] = {}
        self._put_off: dict[tuple[str, int], _PutOff] = {}
        self._refreshed_at = 0
        self._saved = 0
        self.is_behind = False
        self.has_stored = False

    def step(self) -> bool:
        """Decide the next batch of new matches; True if there is more to do. Raises `Unavailable` when a store does.

        `is_behind` says afterwards whether more matches are waiting, rather than only signals that grow; `has_stored`,
        whether signals were handed to the sink, in which rules over signals may find something.

        After any error the memory is dropped, and the next step begins from what is stored.
        """
        try:
            return self._step()
        except BaseException:
            self.forget()
            raise

    def forget(self) -> None:
        """Drop everything that is in memory, as when another process has been evaluating."""
        self._groups.clear()
        self._quiet.clear()
        self._grown.clear()
        self._put_off.clear()
        self._cached = 0
        self._feed = None
        self._newcomers = None
        self.is_behind = False

    def _step(self) -> bool:
        if self._feed is None:
            self._saved = self.progress.watermark() or 0
            self._begin_to_hear()
            self._feed = self._make_reading(self._matches, self._saved, self._clock)
        elif self._newcomers is not None and self._newcomers.is_full:
            self._begin_to_hear()
        feed = self._feed
        batch = feed.read()
        now = self._clock()
        self._metrics.lag.set(max(now - batch.oldest, 0) / 1000 if batch.oldest is not None else 0)
        self.is_behind = batch.waiting
        self.has_stored = False
        ready = self._ready()
        if batch.is_empty and not self._grown and not ready:
            return bool(self._put_off)
        with self._metrics.seconds.time():
            failures = self._decide(batch, ready, feed.watermark, now)
        # What is not stored yet will be decided again by whoever begins from here.
        waiting = [*(before for _, before in self._grown.values()), *(put.before for put in self._put_off.values())]
        watermark = min(waiting, default=batch.watermark)
        if failures or watermark > self._saved:
            self.progress.save(watermark, failures, now)
            self._saved = watermark
        feed.accept(batch)
        if not batch.waiting:
            self._metrics.lag.set(0)
        return batch.waiting or bool(self._grown) or bool(self._put_off)

    def _ready(self) -> list[StoredMatch]:
        """What had been put off, of rules that have their baseline now."""
        over = [key for key in self._put_off if not isinstance(self._plan(*key), Learning)]
        return [match for key in over for match in self._put_off.pop(key).matches.values()]

    def _decide(self, batch: Batch, ready: Sequence[StoredMatch], before: int, now: int) -> list[Failure]:
        """Decide the groups of new matches, and of `ready` ones, and store what is due. `before` is the watermark that
        the new ones came after."""
        self._metrics.matches.inc(len(batch.matches))
        failures = _Failures(self._metrics)
        in_time = eligible(batch.matches)
        self._metrics.skipped.labels("late").inc(len(batch.matches) - len(in_time))
        if len(in_time) < len(batch.matches):
            for match in batch.matches:
                if not is_eligible(match):
                    self._notes.skipped(match.rule_id, match.ingested_at, "late")
        self._disbelieve(batch.changed)
        fresh = self._by_group([*ready, *in_time, *batch.changed], before, failures)
        self._retell(batch.retold, fresh, before, failures)
        warm = self._warm(fresh)
        groups = self._cold(fresh, {group.key for group in warm}, failures)
        taken = {group.key: group for group in (*warm, *groups)}
        refreshed = self._refreshable(now, taken, is_idle=batch.is_empty)
        awaited: list[str] = []
        windows: list[str] = []
        for group in warm:
            if group.key in refreshed or not group.only_grows(fresh[group.key]):
                groups.append(group)
                continue
            with failures.of(group.key, len(fresh[group.key])):
                group.rest()
            if group.key in failures.keys:
                self._grown.pop(group.key, None)
            else:
                self._keep(group)
                awaited += self._wait(group, fresh[group.key], now, before)
        groups += [self._drop(key) for key in refreshed if key not in fresh]
        outcomes: dict[GroupKey, Outcome] = {}
        for group in groups:
            with failures.of(group.key, len(fresh.get(group.key, ()))):
                outcomes[group.key] = group.outcome()
        self._metrics.decided.inc(len(outcomes))
        waits = {key for key, outcome in outcomes.items() if outcome.is_growth and key not in refreshed}
        due = {key: outcome for key, outcome in outcomes.items() if key not in waits}
        changed = [outcome for outcome in due.values() if outcome.changed or outcome.known]
        ids: dict[GroupKey, Mapping[str, str]] = {}
        # Nobody sees a new signal later because an old one has grown.
        for together in ([o for o in changed if not o.is_growth], [o for o in changed if o.is_growth]):
            if together:
                ids |= self._sink.apply(together)
        self.has_stored = bool(changed)
        for group in groups:
            if group.key in due:
                with failures.of(group.key, 0):
                    group.accept(due[group.key], dict(ids.get(group.key, {})))
                    self._keep(group)
                    if not due[group.key].decisions and _shows_windows(group.plan):
                        windows += (row.event_id for row in fresh.get(group.key, ()))
            elif group.key in waits:
                self._keep(group)
        for group in groups:
            if group.key in waits:
                awaited += self._wait(group, fresh[group.key], now, before)
            else:
                self._grown.pop(group.key, None)
        # After the signals were stored: nobody waits for these.
        self._matches.keep(awaited)
        self._matches.keep_window(windows)
        self._forget_quiet(now)
        self._evict(set(taken))
        self._remember_failed(failures)
        self._note_failed(failures, batch)
        return failures.noted

    def _wait(self, group: Group, rows: Sequence[MatchRow], now: int, before: int) -> list[str]:
        """A group has grown by these matches, and is stored in a while; the events that will be read for that."""
        self._grown.setdefault(group.key, (now, before))
        return [row.event_id for row in group.awaited(rows)]

    def _note_failed(self, failures: "_Failures", batch: Batch) -> None:
        """A failed group is one of many that a rule may have; its minutes are those of the rule's matches."""
        for failure in failures.noted:
            arrived = [m.ingested_at for m in (*batch.matches, *batch.changed) if m.rule_id == failure.rule_id]
            for at in {at // 60_000: at for at in arrived}.values():
                self._notes.skipped(failure.rule_id, at, "failed", failure.matches, failure.message)

    def _refreshable(self, now: int, taken: Mapping[GroupKey, Group], *, is_idle: bool) -> set[GroupKey]:
        """The groups whose growth is stored in this step; `_grown` is in the order of waiting. `taken` are those that
        are being decided, which are not kept meanwhile."""
        if is_idle:
            return set(islice(self._grown, REFRESHED_IDLE))
        if 0 <= now - self._refreshed_at < REFRESHED_EVERY_MS:
            return set()
        due = (key for key, (since, _) in self._grown.items() if not 0 <= now - since < REFRESH_MS)
        refreshed: set[GroupKey] = set()
        events = 0
        for key in islice(due, REFRESHED_TOGETHER):
            group = taken.get(key) or self._groups[key]
            events += group.named
            if refreshed and events > REFRESHED_EVENTS:
                break
            refreshed.add(key)
        if refreshed:
            self._refreshed_at = now
        return refreshed

    def _remember_failed(self, failures: "_Failures") -> None:
        now = self._clock()
        self._failed = {key: noted for key, noted in self._failed.items() if now - noted[0] < RETRY_MS}
        self._failed |= {key: (now, message) for key, message in failures.keys.items()}

    def _by_group(
        self, matches: Sequence[StoredMatch], before: int, failures: "_Failures"
    ) -> dict[GroupKey, list[MatchRow]]:
        """The matches of rules that are to be evaluated, by signal group; those of rules that have no baseline yet are
        put off."""
        grouped: dict[GroupKey, list[MatchRow]] = {}
        if not matches:
            return grouped
        enabled = {rule.id: rule.version for rule in self._rules.enabled_rules()}
        readers: dict[tuple[str, int, tuple[str, ...]], list[tuple[int, list[MatchRow]]]] = {}
        for match in matches:
            scope = (match.rule_id, match.rule_version, match.row.group)
            if known := readers.get(scope):
                for version, rows in known:
                    rows.append(row_for(match, version))
                continue
            if match.rule_version & INSTANT:
                continue
            prepared = self._plan(match.rule_id, match.rule_version) if match.rule_id in enabled else None
            if not isinstance(prepared, Plan):
                self._passed_over.add((match.rule_id, match.rule_version))
            if match.rule_id not in enabled:
                self._metrics.skipped.labels("rule disabled").inc()
                self._notes.skipped(match.rule_id, match.ingested_at, "rule disabled")
                continue
            if prepared is None:
                self._metrics.skipped.labels("rule unknown").inc()
                self._notes.skipped(match.rule_id, match.ingested_at, "rule unknown")
            elif match.row.distinct is None and isinstance(prepared, TravelPlan) and not self._has_cities:
                self._passed_over.add((match.rule_id, match.rule_version))
                self._metrics.skipped.labels(NO_CITIES).inc()
                self._notes.skipped(match.rule_id, match.ingested_at, NO_CITIES)
            elif isinstance(prepared, Learning):
                put = self._put_off.setdefault((match.rule_id, match.rule_version), _PutOff(before, {}))
                first = put.matches.setdefault(match.row.group, match)
                if position(match.row) < position(first.row):
                    put.matches[match.row.group] = match
            elif isinstance(prepared, Failure):
                failures.note(prepared.rule_id, prepared.rule_version, prepared.message, 1)
            else:
                found = []
                for each in (prepared, *self._heirs(match, enabled[match.rule_id])):
                    key = GroupKey(match.rule_id, each.rule.version, each.signal_group(match.row.group))
                    rows = grouped.setdefault(key, [])
                    rows.append(row_for(match, each.rule.version))
                    found.append((each.rule.version, rows))
                if self._has_cities or not isinstance(prepared, TravelPlan):  # else each is looked at
                    readers[scope] = found
        for key in self._failed.keys() & grouped.keys():
            at, message = self._failed[key]
            if self._clock() - at < RETRY_MS:
                failures.note(key.rule_id, key.rule_version, message, len(grouped.pop(key)))
        return grouped

    def _heirs(self, match: StoredMatch, current: int) -> Iterator[Plan]:
        """The later versions of the rule that learn from this match, as when it comes late."""
        for version in range(match.rule_version + 1, current + 1):
            heir = self._plan(match.rule_id, version)
            if not isinstance(heir, Plan) or match.rule_version not in self._teachers[match.rule_id, version]:
                return
            yield heir

    def _plan(self, rule_id: str, version: int) -> Plan | Learning | Failure | None:
        """The rule at a version, prepared; what a version says never changes, so it is kept."""
        key = (rule_id, version)
        if key not in self._plans:
            if len(self._plans) >= CACHED_PLANS:
                self._plans.clear()
                self._teachers.clear()
            try:
                found = self._learning.pop(key, None)
                if found is None:
                    rule = self._rules.rule_at(rule_id, version)
                    if rule is None:
                        return None
                    found = taught(self._rules.rule_at, plan(rule))
                if self._baselines is not None and not self._baselines.ensure(found):
                    self._learning[key] = found
                    return Learning()
                self._plans[key] = found.plan
                self._teachers[key] = found.teachers
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one broken rule must not stop the others; it is noted
                self._plans[key] = Failure(rule_id, version, _told(error), 0)
        return self._plans[key]

    def _disbelieve(self, changed: Sequence[StoredMatch]) -> None:
        """Drop the groups that hold these matches: they are read from the store again."""
        for match in changed:
            if (prepared := self._prepared_of(match)) is not None:
                self._disbelieve_group(
                    GroupKey(match.rule_id, match.rule_version, prepared.signal_group(match.row.group))
                )

    def _disbelieve_group(self, key: GroupKey) -> None:
        self._quiet.recall(key)
        if key in self._groups:
            self._drop(key)
            self._grown.pop(key, None)

    def _retell(
        self,
        retold: Sequence[StoredMatch],
        fresh: dict[GroupKey, list[MatchRow]],
        before: int,
        failures: "_Failures",
    ) -> None:
        """What signals show of members that say more of themselves is growth, which waits for a moment. A group that
        is not in memory, or not far enough back, joins the `fresh` ones, which are read from the store."""
        for key, rows in self._by_group(retold, before, failures).items():
            group = self._groups.get(key)
            if group is None or not group.holds(min(row.timestamp for row in rows)):
                self._disbelieve_group(key)
                fresh.setdefault(key, []).extend(rows)
            elif group.retell() and key not in fresh:
                self._grown.setdefault(key, (self._clock(), before))

    def _warm(self, fresh: Mapping[GroupKey, list[MatchRow]]) -> list[Group]:
        """The groups that are in memory and can take the new matches."""
        warm = []
        for key, rows in fresh.items():
            group = self._groups.get(key)
            if group is None:
                continue
            self._drop(key)
            if group.add(rows):
                warm.append(group)
            else:  # it is read from the store, with what it had grown by; or that fails, and is noted
                self._grown.pop(key, None)
        return warm

    def _cold(
        self, fresh: Mapping[GroupKey, list[MatchRow]], warm: set[GroupKey], failures: "_Failures"
    ) -> list[Group]:
        """The other groups, read from the store."""
        cold = {key: min(row.timestamp for row in rows) for key, rows in fresh.items() if key not in warm}
        if not cold:
            return []
        self._metrics.rebuilt.inc(len(cold))
        plans = {key: self._prepared(key) for key in cold}
        asked = {key: earliest - plans[key].rule.max_signal_duration_ms - 1 for key, earliest in cold.items()}
        new = {
            key for key, earliest in cold.items() if self._is_new(key, earliest, asked[key] - plans[key].lookback_ms)
        }
        self._metrics.new.inc(len(new))
        asked = {key: since for key, since in asked.items() if key not in new}
        stored = self._sink.stored(asked) if asked else {}
        groups: dict[GroupKey, Group] = {}
        for key, earliest in cold.items():
            if key in new:
                with failures.of(key, len(fresh[key])):
                    groups[key] = self._new(key, plans[key], fresh[key])
                continue
            restart, signals = self._reach(key, plans[key], stored.get(key, []), earliest)
            known = {signal.id: signal for signal in signals if signal.timestamp >= restart}
            groups[key] = Group(key, plans[key], restart, known)

        def guard(key: GroupKey) -> _Guard | None:
            return None if key in failures.keys else failures.of(key, len(fresh[key]))

        load(self._matches, {key: groups[key] for key in asked}, self._teachers_of, guard)
        return [group for group in groups.values() if group.key not in failures.keys]

    def _begin_to_hear(self) -> None:
        """What is not in the store by now comes by the feed."""
        self._newcomers = self._matches.newcomers()
        self._passed_over.clear()
        self._quiet.recall_all()

    def _is_new(self, key: GroupKey, earliest: int, since: int) -> bool:
        """Whether the store has nothing that matters of a group but what is in the batch: all that it would be asked
        for, from `since` on, came by the feed, and what came of this group is past."""
        newcomers = self._newcomers
        is_first = newcomers is not None and newcomers.hear(key)
        quiet_after = self._quiet.recall(key)
        if self._teachers_of(key) or (key.rule_id, key.rule_version) in self._passed_over:
            return False
        if newcomers is not None and is_first:
            return newcomers.knows_all_since(since)
        return quiet_after is not None and earliest > quiet_after

    def _new(self, key: GroupKey, prepared: Plan, rows: Iterable[MatchRow]) -> Group:
        """A group of which there is nothing but these matches."""
        ordered = sorted(dict.fromkeys(rows), key=position)
        group = Group(key, prepared, ordered[0].timestamp, {})
        if prepared.history is not None:
            group.remember(())
        group.load(ordered)
        return group

    def _reach(
        self, key: GroupKey, prepared: Plan, signals: list[StoredSignal], earliest: int
    ) -> tuple[int, list[StoredSignal]]:
        """Where the decisions of a group can have changed, and its stored signals from there on: the opening of the
        signal that is open at the earliest new match. Where signals overlap, no other may be open there either."""
        restart = _opening(signals, earliest)
        while prepared.overlaps:
            since = restart - prepared.rule.max_signal_duration_ms - 1
            signals = self._sink.stored({key: since}).get(key, [])
            before = _opening(signals, restart)
            if before == restart:
                break
            restart = before
        return restart, list(signals)

    def _teachers_of(self, key: GroupKey) -> tuple[int, ...]:
        return self._teachers.get((key.rule_id, key.rule_version), ())

    def _prepared(self, key: GroupKey) -> Plan:
        prepared = self._plan(key.rule_id, key.rule_version)
        if prepared is None or isinstance(prepared, Failure | Learning):
            raise LookupError(f"rule {key.rule_id} at version {key.rule_version} has no plan")
        return prepared

    def _prepared_of(self, match: StoredMatch) -> Plan | None:
        prepared = self._plan(match.rule_id, match.rule_version)
        return prepared if isinstance(prepared, Plan) else None

    def _keep(self, group: Group) -> None:
        self._groups[group.key] = group
        self._cached += group.size
        self._quiet.watch(group.key, self._clock())

    def _forget_quiet(self, now: int) -> None:
        """Drop the groups that have been quiet for long enough; what waits to be stored is not quiet."""
        for key in self._quiet.due(now):
            group = self._groups.get(key)
            if group is None:
                continue
            quiet_after = group.quiet_after
            if key in self._grown or now < quiet_after + QUIET_MS:
                self._quiet.watch(key, now, quiet_after)
                continue
            self._drop(key)
            self._quiet.forget(key, quiet_after)

    def _drop(self, key: GroupKey) -> Group:
        group = self._groups.pop(key)
        self._cached -= group.size
        return group

    def _evict(self, busy: set[GroupKey]) -> None:
        """Bound the memory: of idle groups, and of all; what has grown stays until it is stored.

        However much the others hold, idle groups have a third: there are many more of them, most hold little, and to
        read them again is what makes a step long."""
        if not self._holds_more_than(1):
            return
        used = [self._groups[key] for key in self._grown.keys() | busy if key in self._groups]
        held = (sum(group.size for group in used), len(used))
        for key in [key for key in self._groups if key not in self._grown and key not in busy]:
            if not self._holds_more_than(1, held):
                break
            self._drop(key)
        for key in [key for key in self._groups if key not in self._grown]:
            if not self._holds_more_than(BUSY):
                break
            self._drop(key)

    def _holds_more_than(self, limit: int, beside: tuple[int, int] = (0, 0)) -> bool:
        """Whether all groups but those `beside`, so many matches in so many groups, are beyond this many times the
        bounds."""
        matches, groups = self._cached - beside[0], len(self._groups) - beside[1]
        return matches > limit * CACHED_MATCHES or groups > limit * CACHED_GROUPS


def _shows_windows(prepared: Plan) -> bool:
    """Whether a signal shows, when it opens, what came some time before."""
    return prepared.history is None and prepared.lookback_ms > 0


def _opening(signals: Iterable[StoredSignal], moment: int) -> int:
    """The earliest opening of those signals that are window-open at a moment, or the moment itself."""
    return min((s.timestamp for s in signals if s.timestamp <= moment < s.closes_at), default=moment)


class _Failures:
    """What goes wrong with single rules in one step: noted and counted, while the others go on."""

    def __init__(self, metrics: EvaluatorMetrics) -> None:
        self._metrics = metrics
        self._by_rule: dict[tuple[str, int], Failure] = {}
        self.keys: dict[GroupKey, str] = {}

    @property
    def noted(self) -> list[Failure]:
        return list(self._by_rule.values())

    def note(self, rule_id: str, version: int, message: str, matches: int) -> None:
        before = self._by_rule.get((rule_id, version))
        if before is None:
            self._metrics.failures.labels(rule_id).inc()
        total = matches + (before.matches if before else 0)
        self._by_rule[rule_id, version] = Failure(rule_id, version, message, total)
        self._metrics.skipped.labels("rule failed").inc(matches)

    def of(self, key: GroupKey, matches: int) -> "_Guard":
        return _Guard(self, key, matches)


class _Guard:
    """`with`: what is raised inside is the failure of one group."""

    def __init__(self, failures: _Failures, key: GroupKey, matches: int) -> None:
        self._failures = failures
        self._key = key
        self._matches = matches

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Exception):
            return False
        if self._key not in self._failures.keys:
            self._failures.keys[self._key] = _told(error)
            self._failures.note(self._key.rule_id, self._key.rule_version, _told(error), self._matches)
        return True


def _told(error: Exception) -> str:
    return str(error) if str(error) else type(error).__name__
