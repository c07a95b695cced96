"""What the events of a signal say together: each value once, in the order of the events (siem.md §3.1). Pure.

A sum that takes in one event after the other, in any order: adding is commutative, and an event that is there already
changes nothing. So a signal that grows needs only its new events read to say what all of them say.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from tocsin.evaluate.decision import Decision
from tocsin.evaluate.refs import EventRef
from tocsin.event import Event, Json, SignalEvent
from tocsin.query.values import Scalar, flatten
from tocsin.signals.resource import iso

MAX_VALUES = 100
"""Values of one attribute or tag key; a name with more is not projected (siem.md §3.1)."""

KEPT_VALUES = MAX_VALUES + 1
"""So many of the first values of a name are known: that there are more is all that is said of the others."""

MAX_TEXT = 4_096
"""Characters of a projected value; longer ones (scripts, bodies) stay in the log."""

MAX_SAMPLE_BYTES = 32_768
"""Of one sample; a larger event is shown by its message, cut, and can be opened in the log."""

SAMPLES = 10
"""So many of the first and of the last events are shown."""

VALUE_BYTES = 150
"""Memory of one value with its place, about, beside its text."""

TYPED_BYTES = 60
"""And of its type, for what is no text."""

Place = tuple[int, str, int]
"""Where a value stands for the first time: time (Unix milliseconds) and id of the event, and its position there."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What some events say together. `attributes` by dotted path; `tags` with their keys; names that have more values
    than `MAX_VALUES` have `KEPT_VALUES`. `members` are the ids and rules of those events that are signals."""

    attributes: dict[str, list[Scalar]]
    tags: list[str]
    hosts: list[str]
    services: list[str]
    sources: list[str]
    samples: list[Json]
    members: dict[str, Json]
    events: int


class Sample(NamedTuple):
    """An event as it is shown. `content` is what JSON is made of."""

    track: str
    content: Json


class Gathering:
    """The sum. `size`: bytes in memory, about."""

    def __init__(self) -> None:
        self.events = 0
        self._attributes = _Firsts()
        self._tags = _Firsts()
        self._words = _Firsts()
        self._members = _Firsts()

    @property
    def size(self) -> int:
        return sum(part.size for part in self._parts)

    def add(self, events: Iterable[Event]) -> None:
        """Take in events that were not added before."""
        for event in events:
            self.events += 1
            first = (event.timestamp, event.id, 0)
            for path, values in flatten(event.attributes).items():
                for position, value in enumerate(values):
                    if not isinstance(value, str) or len(value) <= MAX_TEXT:
                        self._attributes.put(path, _typed(value), _place(first, position))
            for position, tag in enumerate(event.tags):
                self._tags.put(tag.partition(":")[0], tag, _place(first, position))
            for name, words in (("host", event.host), ("service", event.service), ("source", event.source)):
                for position, word in enumerate(words if isinstance(words, list) else [words]):
                    if word:
                        self._words.put(name, word, _place(first, position))
            if isinstance(event, SignalEvent):
                self._members.put("signals", event.id, first)
                if rule_id := event.attributes.get("workflow", {}).get("rule", {}).get("id"):
                    self._members.put("rules", rule_id, first)

    def gathered(self, samples: list[Json], later: Sequence[Event] = ()) -> Gathered:
        """What has been taken in, and `later` events, which are not: all of them come after those."""
        rest = Gathering()
        rest.add(later)
        values, tags, words, members = (
            mine.with_later(theirs) for mine, theirs in zip(self._parts, rest._parts, strict=True)
        )
        return Gathered(
            attributes={path: [_untyped(value) for value, _ in found] for path, found in values.items()},
            tags=[tag for tag, _ in sorted((pair for found in tags.values() for pair in found), key=_second)],
            hosts=_first(words, "host"),
            services=_first(words, "service"),
            sources=_first(words, "source"),
            samples=samples,
            members={"signals": _first(members, "signals"), "rules": _first(members, "rules")},
            events=self.events + rest.events,
        )

    @property
    def _parts(self) -> "tuple[_Firsts, _Firsts, _Firsts, _Firsts]":
        return (self._attributes, self._tags, self._words, self._members)


class _Firsts:
    """The values of each name that stand first, with their places: at most `KEPT_VALUES`.

    One that was left out stood after all that are kept, and those only ever come to stand earlier; so if it is to be
    kept after all, then for a place that it has now. `size`: bytes in memory, about.
    """

    __slots__ = ("_found", "_last", "size")

    def __init__(self) -> None:
        self._found: dict[str, dict[Any, Place] | tuple[Any, Place]] = {}
        """A name with one value, as most have, needs no dictionary of its own: it takes 230 bytes."""
        self._last: dict[str, Place] = {}
        self.size = 0

    def put(self, name: str, value: Any, place: Place) -> None:
        found = self._found.get(name)
        if found is None:
            self._found[sys.intern(name)] = (value, place)  # thousands of signals have the same names
            self.size += _bytes(value)
            return
        if isinstance(found, tuple):
            if found[0] == value:
                if place < found[1]:
                    self._found[name] = (value, place)
                return
            found = self._found[name] = {found[0]: found[1]}
        known = found.get(value)
        if known is not None:
            if place >= known:
                return
            del found[value]
        elif len(found) == KEPT_VALUES:
            if place > self._last[name]:
                return
            last = max(found, key=found.__getitem__)
            del found[last]
            self.size += _bytes(value) - _bytes(last)
        else:
            self.size += _bytes(value)
        found[value] = place
        if len(found) == KEPT_VALUES:
            self._last[name] = max(found.values())

    def with_later(self, later: "_Firsts") -> dict[str, list[tuple[Any, Place]]]:
        """The values of each name in their order, and after them what is new of those that come later."""
        together = {name: _ordered(found) for name, found in self._found.items()}
        for name, found in later._found.items():
            known = together.get(name, [])
            values = {value for value, _ in known}
            fresh = [pair for pair in _ordered(found) if pair[0] not in values]
            together[name] = [*known, *fresh][:KEPT_VALUES]
        return together


def gathered(decision: Decision, events: Sequence[Event]) -> Gathered:
    """What the events that a decision names say, each given once, as far as they are still stored, in any order."""
    by_id = {event.id: event for event in events}
    gathering = Gathering()
    gathering.add(by_id.values())
    of_id = {identity: sample(event) for identity, event in by_id.items()}
    return gathering.gathered(samples(shown_refs(decision), of_id.get))


def shown_refs(decision: Decision) -> list[EventRef]:
    """The events that a decision shows as samples."""
    return list(dict.fromkeys([*decision.first_events[:SAMPLES], *decision.last_events[-SAMPLES:]]))


def samples(shown: Iterable[EventRef], sample_of: Callable[[str], Sample | None]) -> list[Json]:
    """What is shown of these events, as far as they are there."""
    found = ((ref, sample_of(ref.event_id)) for ref in shown)
    return [
        {
            "id": f"{ref.query_index}-{ref.event_id}",
            "eventId": ref.event_id,
            "queryIndex": ref.query_index,
            "trackKey": {"type": one.track},
            "content": one.content,
        }
        for ref, one in found
        if one is not None
    ]


def sample(event: Event) -> Sample:
    """One of the events that a signal shows."""
    content: dict[str, Json] = {"timestamp": iso(event.timestamp), "status": event.status}
    for name in ("host", "service", "source"):
        if value := getattr(event, name):
            content[name] = value
    content |= {"tags": event.tags, "message": event.message, "custom": event.attributes}
    if len(orjson.dumps(content)) > MAX_SAMPLE_BYTES:
        content |= {"message": event.message[: MAX_SAMPLE_BYTES // 8], "custom": {}, "truncated": True}
    return Sample("signals" if isinstance(event, SignalEvent) else "logs", content)


def _typed(value: Scalar) -> Any:
    """A value that differs from those of other types: Python takes 1, 1.0 and True for one. Most are texts."""
    return value if isinstance(value, str) else (type(value), value)


def _untyped(value: Any) -> Scalar:
    found: Scalar = value if isinstance(value, str) else value[1]
    return found


def _bytes(value: Any) -> int:
    """Of a word, or an attribute's value with its type. Senders choose how long it is, up to `MAX_TEXT`."""
    return VALUE_BYTES + (len(value) if isinstance(value, str) else TYPED_BYTES)


def _place(first: Place, position: int) -> Place:
    return first if position == 0 else (first[0], first[1], position)


_second = itemgetter(1)


def _ordered(found: Mapping[Any, Place] | tuple[Any, Place]) -> list[tuple[Any, Place]]:
    return [found] if isinstance(found, tuple) else sorted(found.items(), key=_second)


def _first(words: Mapping[str, Sequence[tuple[str, Place]]], name: str) -> list[str]:
    return [word for word, _ in words.get(name, ())][:MAX_VALUES]
