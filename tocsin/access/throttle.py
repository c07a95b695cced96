"""Throttled sign-in: each further failure doubles the wait (decision 0033).

In memory and bounded: a flood of guesses must cost the state store nothing.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from tocsin.clock import Clock
from tocsin.errors import TooManyRequests

FORGOTTEN_AFTER_MS = 3_600_000
MOST_ENTRIES = 20_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures are free, and the longest wait afterwards, in seconds."""

    free: int
    longest_wait: int


PAIR = Allowance(free=5, longest_wait=900)
ACCOUNT = Allowance(free=30, longest_wait=60)
ADDRESS = Allowance(free=30, longest_wait=900)
"""From one address against one account; against one account from anywhere (short waits, so that a stranger
cannot lock somebody out for long); from one address against anyone."""


@dataclass(slots=True)
class _Entry:
    failures: int = 0
    last_at: int = 0


class Throttle:
    """Counts attempts before they are checked, so that attempts side by side are counted too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[tuple[str, ...], _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, account: str, address: str) -> None:
        """Count an attempt as failed until `succeeded` says otherwise. Raises `TooManyRequests`."""
        now = self._clock()
        with self._lock:
            entries = [(self._entry(key, now), allowance) for key, allowance in _keys(account, address)]
            wait = max(_wait_ms(entry, allowance, now) for entry, allowance in entries)
            if wait > 0:
                seconds = -(-wait // 1000)
                raise TooManyRequests(
                    f"too many sign-ins failed; try again in {seconds} s", retry_after_seconds=seconds
                )
            for entry, _ in entries:
                entry.failures += 1
                entry.last_at = now

    def succeeded(self, account: str, address: str) -> None:
        """The attempt was right: forget the account's failures. The address keeps its others."""
        with self._lock:
            for key, allowance in _keys(account, address):
                if allowance is not ADDRESS:
                    self._entries.pop(key, None)
                elif entry := self._entries.get(key):
                    entry.failures -= 1

    def _entry(self, key: tuple[str, ...], now: int) -> _Entry:
        entry = self._entries.get(key)
        if entry is None or abs(now - entry.last_at) > FORGOTTEN_AFTER_MS:  # the clock may have been set back
            entry = self._entries[key] = _Entry()
        self._entries.move_to_end(key)
        while len(self._entries) > MOST_ENTRIES:
            self._entries.popitem(last=False)
        return entry


def _keys(account: str, address: str) -> list[tuple[tuple[str, ...], Allowance]]:
    return [(("pair", account, address), PAIR), (("account", account), ACCOUNT), (("address", address), ADDRESS)]


def _wait_ms(entry: _Entry, allowance: Allowance, now: int) -> int:
    over = entry.failures - allowance.free
    if over < 0:
        return 0
    seconds = min(1 << min(over, 20), allowance.longest_wait)
    return entry.last_at + seconds * 1000 - now
