"""What suppressions would do with a signal that a replay finds: what they do with live ones (siem.md §5.2). Pure.

A live signal is judged when it opens and again as it grows. One that matches all along is hidden; one that begins to
match later is shown, and what joins it from then on is not (decision 0110). So a replayed signal is judged twice: as it
was when it opened, and as it ended.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.evaluate.decision import Decision, opening
from tocsin.evaluate.method import Plan
from tocsin.event import Event
from tocsin.signals.projection import Projection, project
from tocsin.signals.severity import Assets
from tocsin.signals.suppression import Suppression, Suppressions


@dataclass(frozen=True, slots=True)
class Hidden:
    """The suppressions that would hide a signal, by id. `is_update`: not the signal, only what joined it later."""

    by: tuple[Suppression, ...]
    is_update: bool = False


def hidden(
    plan: Plan,
    decision: Decision,
    projection: Projection,
    events: Sequence[Event],
    suppressions: Suppressions,
    at: int,
    assets: Assets | None = None,
) -> Hidden | None:
    """What the suppressions of a moment (Unix milliseconds) hide of a decision; None: nothing.

    `projection` is what `project` makes of the decision, the events and the assets.
    """
    by = suppressions.hiding(plan.rule, projection.signal, at)
    if not by:
        return None
    by = tuple(sorted(by, key=lambda suppression: suppression.id))
    early = opening(decision)
    if early is decision:
        return Hidden(by)
    named = {ref.event_id for ref in (*early.first_events, *early.last_events)}
    first = project(plan, early, [event for event in events if event.id in named], at, assets=assets)
    return Hidden(by, is_update=not suppressions.hiding(plan.rule, first.signal, at))


@dataclass(frozen=True, slots=True)
class HiddenBy:
    """A suppression, and how many signals it would hide or keep from growing."""

    id: str
    name: str
    signals: int


@dataclass(frozen=True, slots=True)
class HiddenCount:
    """Of the first `judged` signals: how many would be hidden, and how many shown but kept from growing."""

    judged: int
    signals: int = 0
    updates: int = 0
    by: tuple[HiddenBy, ...] = ()

    @classmethod
    def of(cls, judged: Sequence[Hidden | None]) -> "HiddenCount":
        """`judged` says of each signal what hides it."""
        found = [one for one in judged if one is not None]
        names = {suppression.id: suppression.name for one in found for suppression in one.by}
        counts = Counter(suppression.id for one in found for suppression in one.by)
        updates = sum(one.is_update for one in found)
        by = tuple(HiddenBy(identity, names[identity], counts[identity]) for identity in sorted(names))
        return cls(len(judged), len(found) - updates, updates, by)
