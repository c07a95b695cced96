"""How bad an indicator is, from 0 to 100, and what raised or lowered that (siem.md §6.4). Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

BASES: Mapping[str, int] = {"malicious": 80, "suspicious": 50, "unknown": 20, "benign": 5}
"""By the worst that any source says."""

STEP = 10
"""What each factor raises or lowers."""

PERSISTENT_MS = 30 * 86_400_000
"""Listed for so long, an indicator is no passing suspicion."""

RAISE, LOWER, NONE = "RAISE_SCORE", "LOWER_SCORE", "NO_EFFECT"


@dataclass(frozen=True, slots=True)
class Score:
    """`value` from 0 to 100, and each factor's effect."""

    value: int
    sources: str
    persistence: str
    as_type: str
    signal: str


def score(
    said: Mapping[str, Collection[str]],
    *,
    since: int | None,
    now: int,
    as_type: str,
    signals: int,
) -> Score:
    """`said`: intention -> names of the sources; `since` when a feed first listed it, None: none lists it any more."""
    base = next((value for intention, value in BASES.items() if said.get(intention)), BASES["unknown"])
    accusers = {name for intention in ("malicious", "suspicious") for name in said.get(intention, ())}
    sources = LOWER if accusers and said.get("benign") else RAISE if len(accusers) > 1 else NONE
    persistence = LOWER if since is None else RAISE if now - since >= PERSISTENT_MS else NONE
    hosting = RAISE if as_type == "hosting" else NONE
    signal = RAISE if signals else NONE
    effects = (sources, persistence, hosting, signal)
    value = base + STEP * (effects.count(RAISE) - effects.count(LOWER))
    return Score(max(0, min(100, value)), sources, persistence, hosting, signal)
