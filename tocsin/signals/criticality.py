"""What critical assets do to the severity of a signal (siem.md §2.12). Pure; the assets are passed in."""

from collections.abc import Iterable
from dataclasses import dataclass

from tocsin.event import Json
from tocsin.rule import SEVERITIES, Rule
from tocsin.signal import Signal
from tocsin.signals.severity import Adjusted, Adjustment
from tocsin.signals.suppression import Candidate, selects, signal_predicate

ACTIONS = (*SEVERITIES, "increase", "decrease", "no-op")


@dataclass(frozen=True, slots=True)
class CriticalAsset:
    """`query` searches signals, `rule_query` rules; `severity` is one of `ACTIONS`."""

    id: str
    query: str
    rule_query: str
    severity: str
    is_enabled: bool = True
    description: str = ""


def resulting(action: str, status: str) -> str:
    """The severity after one action; `increase` and `decrease` move one level and stop at the ends."""
    if action in SEVERITIES:
        return action
    step = {"increase": 1, "decrease": -1, "no-op": 0}[action]
    return SEVERITIES[min(max(SEVERITIES.index(status) + step, 0), len(SEVERITIES) - 1)]


class CriticalAssets:
    """The enabled assets. Immutable."""

    def __init__(self, assets: Iterable[CriticalAsset] = ()) -> None:
        self._assets = tuple(asset for asset in assets if asset.is_enabled)

    def adjust(self, rule: Rule, signal: Signal) -> Adjusted | None:
        """What the assets that a signal is about make of its severity; None if it is about none.

        Each starts from the severity that the rule and the environment gave. The highest result counts, so equal
        actions count once; the assets that it is the result of are named, by id.
        """
        concerned = [asset for asset in self._assets if selects(asset.rule_query, rule)]
        if not concerned:
            return None
        candidate = Candidate.of(signal)
        results = {a: resulting(a.severity, signal.severity) for a in concerned if signal_predicate(a.query)(candidate)}
        if not results:
            return None
        status = max(results.values(), key=SEVERITIES.index)
        applied = sorted((asset for asset in results if results[asset] == status), key=lambda asset: asset.id)
        because = ", ".join(f"{asset.severity} for {asset.query}" for asset in applied)
        change = Adjustment("critical_asset", signal.severity, status, because)
        shown: dict[str, Json] = {
            "original_severity": signal.severity,
            "adjusted_severity": status,
            "critical_assets": [
                {"id": asset.id, "query": asset.query, "severity": asset.severity, "description": asset.description}
                for asset in applied
            ],
        }
        return Adjusted(status, (change,) if status != signal.severity else (), shown)
