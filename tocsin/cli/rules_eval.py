"""`tocsin rules eval`: which rules match which events, from a pipe."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.cli.output import note

if TYPE_CHECKING:  # no other command waits for what reads Sigma
    from tocsin.rules.sigma.collection import Refused


def evaluate(
    rules: Annotated[list[Path], typer.Argument(help="Rules, Sigma's or ours: files, directories, archives.")],
) -> None:
    """Read JSON lines {"id", "event"} and write {"id", "matches"}: the ids of the rules that match.

    Events are raw records as their source writes them, or events in Tocsin's shape.
    """
    from tocsin.bootstrap import event_from_record  # here, so that no other command waits for it
    from tocsin.rules.evaluating import evaluate_rules, matcher_of
    from tocsin.rules.ruleset import read_rule_set

    found = read_rule_set(rules)
    report_refused(found.left_out)
    if not found.rules:
        note(f"no rule in {', '.join(map(str, rules))} can be taken: nothing will match")
    out = sys.stdout.buffer
    for line in evaluate_rules(iter(sys.stdin.buffer), matcher_of(found.rules), event_from_record):
        out.write(line)
    out.flush()


def report_refused(refused: Sequence["Refused"]) -> None:
    """Every rule that cannot be taken, with its reason, on standard error."""
    for each in refused:
        note(f"left out: {each.path}: {each.title or each.sigma_id or 'a rule'}: {each.reason}")
