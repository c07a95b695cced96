"""The events that signals name, packed: up to 500 each, of thousands of signals in the making (decision 0203).

An event takes 28 bytes, its time, what is special in its id and the query that it met, in such an order that bytes sort
as events do. As objects it takes 200. Ids of another shape than `event.event_id` are kept as they are: no log has one,
but signals do, of which rules over signals consist.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple, overload

_OURS: Final = "AwAAA"
_DIGITS: Final = 36
"""What follows the prefix of an id of `event.event_id` are so many hexadecimal digits."""

_BYTES: Final = 28
_QUERY_AT: Final = 26
_SIGN: Final = 1 << 63
"""Makes a time before 1970 sort before one after it."""

_MANY_QUERIES: Final = 1 << 16

Identity = bytes | str
"""An id, packed if it is of our shape."""


class EventRef(NamedTuple):
    """An event among a signal's evidence, ordered by time and id, with the first query that it met."""

    timestamp: int
    event_id: str
    query_index: int


def packed(event_id: str) -> Identity:
    """An id at a third of its size, or as it is if it could not be told from that."""
    if len(event_id) != len(_OURS) + _DIGITS or not event_id.startswith(_OURS):
        return event_id
    digits = event_id[len(_OURS) :]
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        return event_id
    return found if found.hex() == digits else event_id


def unpacked(identity: Identity) -> str:
    """The id."""
    return identity if isinstance(identity, str) else _OURS + identity.hex()


class Refs:
    """Events in their order; never changed."""

    __slots__ = ("_packed", "_plain")

    def __init__(self, records: bytes, plain: tuple[EventRef, ...] | None) -> None:
        self._packed = records
        self._plain = plain

    def __len__(self) -> int:
        return len(self._packed) // _BYTES if self._plain is None else len(self._plain)

    def __iter__(self) -> Iterator[EventRef]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> EventRef: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[EventRef, ...]: ...
    def __getitem__(self, index: int | slice) -> EventRef | tuple[EventRef, ...]:
        if self._plain is not None:
            return self._plain[index]
        if isinstance(index, slice):
            return tuple([self._at(number) for number in range(len(self))[index]])
        return self._at(range(len(self))[index])

    def __contains__(self, ref: object) -> bool:
        if self._plain is not None:
            return ref in self._plain
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            found = self._at(middle)
            if found == ref:
                return True
            if isinstance(ref, EventRef) and found < ref:
                low = middle + 1
            else:
                high = middle
        return False

    def beyond(self, others: "Refs") -> tuple[EventRef, ...] | None:
        """What comes after these others, if they are the first of its own; None if they are not, or that is not easily
        told."""
        if self._plain is not None or others._plain is not None or not self._packed.startswith(others._packed):
            return None
        return self[len(others) :]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Refs) and self._plain is None and other._plain is None:
            return self._packed == other._packed
        if isinstance(other, Refs):
            return self._all() == other._all()
        return isinstance(other, tuple) and self._all() == other

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> tuple[EventRef, ...]:
        if self._plain is not None:
            return self._plain
        return tuple([self._at(number) for number in range(len(self))])

    def _at(self, number: int) -> EventRef:
        return _ref(self._packed[number * _BYTES : (number + 1) * _BYTES])


class Naming:
    """Takes events in any order, and keeps so many of the first, or of the last."""

    __slots__ = ("_first", "_full", "_limit", "_packed", "_plain")

    def __init__(self, limit: int, *, first: bool) -> None:
        self._limit = limit
        self._first = first
        self._packed = bytearray()
        self._full: bytes | None = None
        """In place of `_packed` as many first ones as there may be: hardly an event comes before them any more, so that
        copies and whoever asks share them."""
        self._plain: list[EventRef] | None = None

    def copy(self) -> "Naming":
        self._share()
        twin = Naming(self._limit, first=self._first)
        twin._full = self._full
        twin._packed = self._packed[:]
        twin._plain = None if self._plain is None else self._plain.copy()
        return twin

    def refs(self) -> Refs:
        """Those that it has now."""
        if self._plain is not None:
            return Refs(b"", tuple(self._plain))
        self._share()
        return Refs(bytes(self._packed) if self._full is None else self._full, None)

    def _share(self) -> None:
        if self._first and len(self._packed) == self._limit * _BYTES and self._limit:
            self._full = bytes(self._packed)
            self._packed = bytearray()

    def add(self, timestamp: int, identity: Identity, query_index: int) -> None:
        if self._plain is None and isinstance(identity, bytes) and query_index < _MANY_QUERIES:
            self._add(_record(timestamp, identity, query_index))
            return
        if self._plain is None:
            self._plain = [*self.refs()]
            self._packed = bytearray()
            self._full = None
        ref = EventRef(timestamp, unpacked(identity), query_index)
        self._plain.insert(bisect_left(self._plain, ref), ref)
        if len(self._plain) > self._limit:
            del self._plain[-1 if self._first else 0]

    def _add(self, record: bytes) -> None:
        if self._full is not None:
            if record > self._full[-_BYTES:]:
                return
            self._packed = bytearray(self._full)
            self._full = None
        held = self._packed
        size = len(held)
        is_full = size == self._limit * _BYTES
        if size == 0 or record > held[size - _BYTES :]:  # the last, as most are
            if is_full and self._first:
                return
            held += record
        else:
            low, high = 0, size // _BYTES
            while low < high:
                middle = (low + high) // 2
                if held[middle * _BYTES : (middle + 1) * _BYTES] < record:
                    low = middle + 1
                else:
                    high = middle
            held[low * _BYTES : low * _BYTES] = record
        if is_full and self._first:
            del held[size:]
        elif is_full:
            del held[:_BYTES]


def _record(timestamp: int, identity: bytes, query_index: int) -> bytes:
    return (timestamp + _SIGN).to_bytes(8, "big") + identity + query_index.to_bytes(2, "big")


def _ref(record: bytes) -> EventRef:
    return EventRef(
        int.from_bytes(record[:8], "big") - _SIGN,
        _OURS + record[8:_QUERY_AT].hex(),
        int.from_bytes(record[_QUERY_AT:], "big"),
    )
