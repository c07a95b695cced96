"""Rules whose baseline is being made of stored logs (decision 0083): their matches wait, which the ledger of minutes,
one for all rules, cannot say."""

from collections.abc import Iterable, Mapping

from tocsin.errors import BadRequest
from tocsin.evaluate.instant import is_made
from tocsin.evaluate.lineage import RuleAt, Taught, taught
from tocsin.evaluate.methods import plan
from tocsin.rule import Rule
from tocsin.rules.executable import executable
from tocsin.store.state import StateStore


def awaited(rules: Iterable[Rule], rule_at: RuleAt, state: StateStore) -> dict[str, int]:
    """Since when (Unix milliseconds) matches of a rule wait for its baseline, by rule; the others are absent."""
    learning = [found for rule in rules if _may_wait(rule) and (found := _taught(rule, rule_at)) is not None]
    if not learning:
        return {}
    with state.reading() as session:
        return {found.first.id: found.first.updated_at for found in learning if not is_made(session, found)}


def _may_wait(rule: Rule) -> bool:
    options = rule.options.method_options.values()
    return rule.is_enabled and any(
        isinstance(given, Mapping) and given.get("instantaneousBaseline") for given in options
    )


def _taught(rule: Rule, rule_at: RuleAt) -> Taught | None:
    try:
        found = taught(rule_at, plan(executable(rule)))
    except BadRequest:  # detection notes that it cannot be decided
        return None
    return found if found.plan.has_instant_baseline else None
