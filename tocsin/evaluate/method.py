"""What a detection method is to the evaluator, to tests of rules, previews, backtests and historical jobs alike.

A method reads a rule into a `Plan`, and a plan makes a `Machine` for each signal group. The machine is fed the group's
matches in the order of (timestamp, event id) and says at any time which signals they make: a pure function of the set
of matches, without clock and store. So live detection may drop it at any moment and build it again from what is stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from tocsin.errors import BadRequest
from tocsin.evaluate.decision import Decision, MatchRow, position
from tocsin.evaluate.history import HistoryShape
from tocsin.evaluate.interface import Machine
from tocsin.rule import Rule

MAX_ENTRIES = 2_000_000
"""Events that one signal group may hold at once: about 500 MB; beyond it the group fails visibly."""

FIRST_EVENTS = 500
"""Of a signal's events so many of the first are named; its attributes are collected from these and the last."""


class ScopeTooLarge(BadRequest):
    """One signal group holds more events than memory allows."""


@dataclass(frozen=True)
class Plan:
    """A rule, read and ready to decide. `kept` are the positions of the group-by values that form the signal group."""

    rule: Rule
    kept: tuple[int, ...] | None

    @property
    def lookback_ms(self) -> int:
        """A machine that starts at some moment needs the matches of so long before it, to decide as one that saw
        everything."""
        return self.rule.window_ms

    @property
    def overlaps(self) -> bool:
        """Whether several signals of one signal group may be window-open at once."""
        return False

    @property
    def history(self) -> HistoryShape | None:
        """In which form a machine takes what was before `exact_since`; None: as matches."""
        return None

    def exact_since(self, start: int) -> int:
        """A machine that starts at `start` is fed all matches from here on (Unix ms); what was before, back to
        `start - lookback_ms`, it takes as `history`."""
        return start - self.lookback_ms

    @property
    def baseline(self) -> str | None:
        """What the rule learns from: adjacent versions with the same baseline share their matches (`history.baseline`).
        None: each version begins anew."""
        return None

    @property
    def has_instant_baseline(self) -> bool:
        """Whether stored logs from before the rule teach it (siem.md §2.14, §2.15)."""
        return False

    @property
    def has_window_before(self) -> bool:
        """Whether a scheduled rule's matches of one evaluation window before it began are stored, and fill its windows
        (siem.md §2.22)."""
        return False

    @property
    def asks_at_ends(self) -> bool:
        """Whether the cases are asked at the end of each scheduled run as well, since one may hold where nothing came
        (siem.md §2.7)."""
        return False

    def learning_since(self, began_at: int) -> Self:
        """The same plan, knowing when the first version with its baseline was saved (Unix milliseconds)."""
        return self

    def group_by(self, decision: Decision) -> tuple[str, ...]:
        """The fields whose values a scope of the decision holds, as the rule writes them."""
        del decision  # of most methods all scopes have the same
        return max((query.group_by_fields for query in self.rule.queries), key=len, default=())

    def signal_group(self, group: tuple[str, ...]) -> tuple[str, ...]:
        """The signal group of a match's group-by values."""
        if self.kept is None:
            return group
        return tuple(group[position] for position in self.kept if position < len(group))

    def machine(self, start: int | None = None, named: int = FIRST_EVENTS) -> Machine:
        """`start` (Unix milliseconds): signals open from then on, earlier matches only fill what the method remembers.
        `named`: so many of a signal's first events are named in its decision."""
        raise NotImplementedError


def decide(prepared: Plan, rows: Iterable[MatchRow]) -> list[Decision]:
    """All signals of one signal group, from all its matches in any order; the same match twice is one."""
    machine = prepared.machine()
    machine.feed(sorted(rows, key=position))
    return machine.decisions()


def kept_positions(rule: Rule) -> tuple[int, ...] | None:
    """The positions of the group-by values that form the signal group; None: all of them. Raises `BadRequest`."""
    if not rule.group_signals_by:
        return None
    fields = max((query.group_by_fields for query in rule.queries), key=len, default=())
    if unknown := [name for name in rule.group_signals_by if name not in fields]:
        raise BadRequest(f"groupSignalsBy names '{unknown[0]}', which the queries do not group by")
    kept = tuple(fields.index(name) for name in rule.group_signals_by)
    return None if kept == tuple(range(len(fields))) else kept
