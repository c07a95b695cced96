"""Rules that read logs and signals in one: their matches of both, and which of them are new (decision 0171).

The matches of logs stand in the table `matches`, those of signals in the rows of signals. What such a rule concludes is
a function of both, so the evaluator of rules over signals decides it: a group is read from both, and decided again when
either brings something new. The other evaluator passes its matches over (`Owners`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tocsin.clock import Clock
from tocsin.evaluate.correlation import mixes
from tocsin.evaluate.feed import Batch, Feed, Source
from tocsin.evaluate.lineage import INSTANT
from tocsin.evaluate.repository import StoredMatch
from tocsin.evaluate.signal_feed import SignalFeed
from tocsin.rule import Rule

KNOWN = 100_000
"""Versions of rules of which it is remembered who decides them; what a version says never changes."""


class Rules(Protocol):
    """What is asked of the rules."""

    def enabled_rules(self) -> Iterable[Rule]: ...
    def rule_at(self, rule_id: str, version: int) -> Rule | None: ...


class Owners:
    """Who decides the matches of logs: for rules that mix them with signals, the evaluator of rules over signals."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[tuple[str, int], bool] = {}
        self._enabled: Iterable[Rule] = ()
        self._mixing: tuple[str, ...] = ()

    def is_mixed(self, match: StoredMatch) -> bool:
        """Whether a match is of a rule that mixes, as it was at its version."""
        version = match.rule_version & ~INSTANT
        known = self._known.get((match.rule_id, version))
        if known is None:
            self._look()
            known = self._mixes(match.rule_id, version)
        return known

    def is_plain(self, match: StoredMatch) -> bool:
        """Whether it is not."""
        return not self.is_mixed(match)

    def mixing(self) -> tuple[str, ...]:
        """The enabled rules that mix, or did before they were last changed: what came in meanwhile is still decided."""
        self._look()
        return self._mixing

    def _look(self) -> None:
        enabled = self._rules.enabled_rules()
        if enabled is self._enabled:
            return
        rules = list(enabled)
        if len(self._known) > KNOWN:
            self._known.clear()
        self._known |= {(rule.id, rule.version): _is_mixed(rule) for rule in rules}
        self._mixing = tuple(
            rule.id
            for rule in rules
            if self._known[rule.id, rule.version] or (rule.version > 1 and self._mixes(rule.id, rule.version - 1))
        )
        self._enabled = enabled

    def _mixes(self, rule_id: str, version: int) -> bool:
        key = (rule_id, version)
        if key not in self._known:
            rule = self._rules.rule_at(rule_id, version)
            if rule is None:
                return False
            self._known[key] = _is_mixed(rule)
        return self._known[key]


@dataclass(slots=True)
class MixedBatch(Batch):
    """New signals and new logs, each as its own feed has read them."""

    of_signals: Batch = field(default_factory=Batch)
    of_logs: Batch = field(default_factory=Batch)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read."""
        return self.of_signals.is_empty and self.of_logs.is_empty


class MixedFeed:
    """Reads new signals, and where a rule mixes, new matches of logs.

    One watermark stands for both. Each feed reads a stretch before it again when a process begins, which covers what
    the other had seen later; so it is the later of the two, but where one has more waiting, that one's.
    """

    def __init__(self, source: Source, signals: SignalFeed, clock: Clock, owners: Owners) -> None:
        self._source = source
        self._signals = signals
        self._clock = clock
        self._owners = owners
        self._logs: Feed | None = None
        self.watermark = signals.watermark

    def read(self) -> Batch:
        """The next batch, empty if nothing is new."""
        signals, logs = self._signals.read(), self._read_logs()
        behind = [batch.watermark for batch in (signals, logs) if batch.waiting]
        return MixedBatch(
            matches=[*signals.matches, *logs.matches],
            changed=signals.changed,
            retold=signals.retold,
            watermark=max(self.watermark, min(behind, default=max(signals.watermark, logs.watermark))),
            waiting=bool(behind),
            oldest=min((batch.oldest for batch in (signals, logs) if batch.oldest is not None), default=None),
            of_signals=signals,
            of_logs=logs,
        )

    def accept(self, batch: Batch) -> None:
        """The batch is decided and its decisions are durable."""
        self.watermark = batch.watermark
        if isinstance(batch, MixedBatch):
            self._signals.accept(batch.of_signals)
            if self._logs is not None:
                self._logs.accept(batch.of_logs)

    def _read_logs(self) -> Batch:
        if not self._owners.mixing():
            return Batch(watermark=self.watermark)
        if self._logs is None:
            self._logs = Feed(self._source, self.watermark, self._clock, self._owners.is_mixed)
        return self._logs.read()


def _is_mixed(rule: Rule) -> bool:
    """A scheduled rule's matches are made by its runs, and decided like those of logs."""
    return rule.schedule is None and mixes(rule)
