"""From the case's status to the signal's severity (siem.md §2.12): first the environment, then critical assets.

What critical assets do depends on the signal as it would be, so they are asked when it is there (`criticality.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tocsin.event import Json
from tocsin.rule import SEVERITIES, Rule
from tocsin.signal import Signal

NON_PRODUCTION = ("staging", "test", "dev")
"""Environments that start with one of these lower the severity."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a severity is another than its case's."""

    kind: str
    before: str
    after: str
    because: str


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The severity after critical assets, why it is another, and what the signal shows (`critical_assets_data`)."""

    status: str
    adjustments: tuple[Adjustment, ...]
    shown: Json


class Assets(Protocol):
    """The critical assets."""

    def adjust(self, rule: Rule, signal: Signal) -> Adjusted | None:
        """What they make of a signal's severity; None if it is about none of them."""


def severity(rule: Rule, case_index: int, tags: Iterable[str]) -> tuple[str, tuple[Adjustment, ...]]:
    """The severity of a signal with these tags, and what changed it.

    One level down in a non-production environment if the rule says so; not if there is any other environment too.
    """
    status = rule.cases[case_index].severity
    environments = sorted({tag[4:].lower() for tag in tags if tag.lower().startswith("env:")})
    if not rule.options.decrease_criticality_based_on_env or not environments:
        return status, ()
    if not all(environment.startswith(NON_PRODUCTION) for environment in environments):
        return status, ()
    lowered = SEVERITIES[max(SEVERITIES.index(status) - 1, 0)]
    if lowered == status:
        return status, ()
    because = ", ".join(f"env:{environment}" for environment in environments)
    return lowered, (Adjustment("environment", status, lowered, because),)
