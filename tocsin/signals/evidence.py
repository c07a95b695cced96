"""Reads the events that decisions name, to say what they say together (`gathering.py`).

Of signals that grow the sum of what was read is kept in memory, so that writing one anew reads only the events that are
new in it. A memory only: what is said is a function of the named events, and anything may be dropped at any time.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from tocsin.evaluate.correlation import reads_signals
from tocsin.evaluate.decision import Decision
from tocsin.evaluate.packing import Packing
from tocsin.evaluate.refs import EventRef, Refs
from tocsin.evaluate.repository import Matches
from tocsin.evaluate.signals_repository import SignalMatches
from tocsin.event import Event, Json
from tocsin.rule import Rule
from tocsin.signals.gathering import Gathered, Gathering, Sample, gathered, sample, samples, shown_refs

KEPT_BYTES = 160 * 1024 * 1024
"""Memory for the sums of signals, about; those that were not written for longest are dropped first, and then read again
as a whole. They are written in turn: where they are more than there is room for, each is dropped just before it is
needed, and storing signals takes all the time that there is. At 30 kB each there is room for 5,000 that grow."""

REF_BYTES = 30
"""Of these for each event that a sum holds; its decision is mostly in memory anyway."""

KEPT_EVENTS = 1_000
"""Events that were read last, which other signals may name too: some 10 MB."""


class Asked(NamedTuple):
    """A decision of a rule, which makes the signal of this id."""

    signal_id: str
    rule: Rule
    decision: Decision


@dataclass(slots=True)
class _Kept:
    """A signal's sum. It holds the events of `first`, but for those in `absent`, which were not found; `samples` are
    the events that were shown last, packed together: they resemble one another."""

    gathering: Gathering = field(default_factory=Gathering)
    first: Refs | tuple[EventRef, ...] = ()
    absent: frozenset[EventRef] = frozenset()
    samples: bytes = b""
    size: int = 0


class _Growth(NamedTuple):
    """What is new in a signal whose sum is `kept`: `fresh` events are to be added, `later` ones stand beside it, and
    `shown` ones are its samples, of which `samples` are at hand."""

    kept: _Kept
    fresh: list[EventRef]
    later: list[EventRef]
    shown: list[EventRef]
    samples: Mapping[str, Sample]

    def to_read(self) -> Iterable[EventRef]:
        """These, as far as they are not at hand."""
        shown = (ref for ref in self.shown if ref.event_id not in self.samples)
        return dict.fromkeys([*self.fresh, *self.later, *shown])


class Evidence:
    """Call it from one thread at a time. `members` is needed where rules read signals. `size`: bytes of sums, about."""

    def __init__(self, matches: Matches, members: SignalMatches | None = None) -> None:
        self._matches = matches
        self._members = members
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.size = 0
        self._events: OrderedDict[str, Event] = OrderedDict()
        self._packing = Packing(())

    def gathered(self, asked: Sequence[Asked]) -> list[Gathered]:
        """What the events of each decision say together, as far as they are still stored."""
        sums = {one.signal_id: self._take(one) for one in asked if not reads_signals(one.rule)}
        of_logs = [one for one in asked if one.signal_id in sums]
        events = self._read(ref for one in of_logs for ref in sums[one.signal_id].to_read())
        found = []
        members = self._read_members(one.decision for one in asked if one.signal_id not in sums)
        for one in asked:
            if one.signal_id not in sums:
                named = (members.get(ref.event_id) for ref in _refs(one.decision))
                found.append(gathered(one.decision, [event for event in named if event is not None]))
                continue
            growth = sums[one.signal_id]
            found.append(self._summed(growth, one.decision, events))
            if one.decision.closes_at > one.decision.last_hit:  # further events may join
                self._keep(one.signal_id, growth.kept)
        return found

    def _take(self, asked: Asked) -> _Growth:
        """The sum of a signal, where all events that it holds are still among those that are named first. It is not
        kept meanwhile: what fails is read again."""
        first = asked.decision.first_events
        later = [ref for ref in asked.decision.last_events if ref not in first]
        shown = shown_refs(asked.decision)
        kept = self._kept.pop(asked.signal_id, None)
        if kept is not None:
            self.size -= kept.size
            if (new := _beyond(first, kept.first)) is not None:
                return _Growth(kept, [*sorted(kept.absent), *new], later, shown, self._unpacked(kept.samples))
        return _Growth(_Kept(), [*first], later, shown, {})

    def _keep(self, signal_id: str, kept: _Kept) -> None:
        self._kept[signal_id] = kept
        self.size += kept.size
        while self.size > KEPT_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self.size -= dropped.size

    def _read(self, refs: Iterable[EventRef]) -> Mapping[str, Event]:
        found: dict[str, Event] = {}
        missing: dict[str, int] = {}
        for ref in refs:
            if ref.event_id in self._events:
                found[ref.event_id] = self._events[ref.event_id]
            else:
                missing[ref.event_id] = ref.timestamp
        if missing:
            read = self._matches.events((timestamp, event_id) for event_id, timestamp in missing.items())
            found |= read
            self._events |= read
            while len(self._events) > KEPT_EVENTS:
                self._events.popitem(last=False)
        return found

    def _read_members(self, decisions: Iterable[Decision]) -> Mapping[str, Event]:
        """Signals, which may have changed since they were read."""
        refs = {(ref.timestamp, ref.event_id) for decision in decisions for ref in _refs(decision)}
        return self._members.events(refs) if refs and self._members is not None else {}

    def _summed(self, growth: _Growth, decision: Decision, events: Mapping[str, Event]) -> Gathered:
        """Take the fresh events in, and say what all say."""
        kept, fresh = growth.kept, growth.fresh
        kept.gathering.add(events[ref.event_id] for ref in fresh if ref.event_id in events)
        kept.first, kept.absent = decision.first_events, frozenset(ref for ref in fresh if ref.event_id not in events)
        shown = {ref.event_id: self._sample(ref.event_id, growth, events) for ref in growth.shown}
        found = {identity: one for identity, one in shown.items() if one is not None}
        if found.keys() != growth.samples.keys():
            kept.samples = self._packed(found)
        kept.size = kept.gathering.size + REF_BYTES * len(kept.first) + len(kept.samples)
        later = (events.get(ref.event_id) for ref in growth.later)
        return kept.gathering.gathered(
            samples(growth.shown, found.get), [event for event in later if event is not None]
        )

    def _packed(self, shown: Mapping[str, Sample]) -> bytes:
        return self._packing.pack(orjson.dumps([[identity, *one] for identity, one in shown.items()]))

    def _unpacked(self, packed: bytes) -> dict[str, Sample]:
        if not packed:
            return {}
        shown: list[tuple[str, str, Json]] = orjson.loads(self._packing.unpack(packed))
        return {identity: Sample(track, content) for identity, track, content in shown}

    def _sample(self, identity: str, growth: _Growth, events: Mapping[str, Event]) -> Sample | None:
        """An event as it is shown, at hand or as it was read just now."""
        if (known := growth.samples.get(identity)) is not None:
            return known
        return sample(events[identity]) if identity in events else None


def _beyond(first: Refs | tuple[EventRef, ...], held: Refs | tuple[EventRef, ...]) -> tuple[EventRef, ...] | None:
    """The first events without those that are held; None if some that are held are no longer among them.

    Most signals grow at their end: only what is new there is unpacked."""
    if isinstance(first, Refs) and isinstance(held, Refs) and (found := first.beyond(held)) is not None:
        return found
    known, named = set(held), dict.fromkeys(first)
    return tuple(ref for ref in named if ref not in known) if known <= named.keys() else None


def _refs(decision: Decision) -> list[EventRef]:
    return list(dict.fromkeys([*decision.first_events, *decision.last_events]))
