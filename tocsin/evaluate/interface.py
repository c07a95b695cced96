"""What others ask of a machine, whatever its method (`method.py`)."""

from collections.abc import Iterable
from typing import Protocol, Self, runtime_checkable

from tocsin.evaluate.decision import Decision, MatchRow
from tocsin.evaluate.history import HistoryRow


class Machine(Protocol):
    """Decides one signal group, match by match."""

    @property
    def position(self) -> tuple[int, str] | None:
        """Of the last match that was fed."""

    @property
    def entries(self) -> int:
        """Matches, or things as large, held in memory."""

    def copy(self) -> Self:
        """A twin that can be fed without changing this one."""

    def feed(self, rows: Iterable[MatchRow]) -> None:
        """Take matches sorted by `position`, later than all before; an event's matches come together.

        Raises `ScopeTooLarge`.
        """

    def decisions(self) -> list[Decision]:
        """Every signal since the start (or since `forget`), in order; the last may still be window-open."""

    def closed(self) -> list[Decision]:
        """The signals that no later match can change."""

    def forget(self) -> None:
        """Drop the decisions that are closed."""


@runtime_checkable
class Learner(Machine, Protocol):
    """The machine of a plan that has a `history`."""

    def remember(self, history: Iterable[HistoryRow]) -> None:
        """Take what was before `Plan.exact_since` of its start, once, before the first match."""
