"""A plan for rules on a server: asked for, shown, and carried out when it is agreed to."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import typer

from tocsin.cli.client import Client
from tocsin.cli.output import cell, note, plain_table, print_table
from tocsin.rules.applying import CREATE, MAX_RULES, REFUSED, UNCHANGED, UPDATE

PATH = "/api/v2/security_monitoring/rules/apply"

MAX_BYTES = 2_000_000
"""Of one call; the server takes more."""

SHOWN = 40
"""Lines of a plan that are printed; the counts tell of the others."""


def carry_out(client: Client, bodies: Sequence[Mapping[str, Any]], *, yes: bool, dry_run: bool) -> None:
    """Show what applying the rules does, ask, do it. Exits with 1 if the server refuses one."""
    plan = _ask(client, bodies, dry_run=True)
    show(plan)
    wanted = {each["id"] for each in plan if each["action"] in (CREATE, UPDATE)}
    if wanted and not dry_run and _is_agreed(yes):
        # Only what was shown: a rule that the plan does not touch is not sent.
        done = _ask(client, [body for body in bodies if body["id"] in wanted], dry_run=False)
        print(f"done: {_counts(done)}")
        plan = [*done, *(each for each in plan if each["action"] == REFUSED)]
    if any(each["action"] == REFUSED for each in plan):
        raise typer.Exit(1)


def plan_of(client: Client, bodies: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What applying the rules would do."""
    return _ask(client, bodies, dry_run=True)


def show(plan: Sequence[Mapping[str, Any]]) -> None:
    """The rules that a plan touches or refuses, and how many there are of each kind."""
    touched = [each for each in plan if each["action"] != UNCHANGED]
    table = plain_table("what", "rule", "name", "why")
    for each in touched[:SHOWN]:
        changes = ", ".join(change["field"] for change in each["changes"])
        table.add_row(*map(cell, (each["action"], each["id"], each["name"], "; ".join(each["reasons"]) or changes)))
    if touched:
        print_table(table)
    if len(touched) > SHOWN:
        print(f"… and {len(touched) - SHOWN:,} more")
    print(_counts(plan))


def _counts(plan: Sequence[Mapping[str, Any]]) -> str:
    counts = Counter(each["action"] for each in plan)
    return ", ".join(f"{counts[action]:,} {action}" for action in (CREATE, UPDATE, UNCHANGED, REFUSED))


def _is_agreed(yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        note("nothing was changed: give --yes to carry the plan out without being asked")
        return False
    return typer.confirm("Carry this out?")


def _ask(client: Client, bodies: Sequence[Mapping[str, Any]], *, dry_run: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for batch in _batches(bodies):
        # Applying a rule twice changes nothing the second time.
        answer = client.request("POST", PATH, json={"rules": batch, "dryRun": dry_run}, is_repeatable=True)
        found += answer["data"]
    return found


def _batches(bodies: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    size = 0
    for body in bodies:
        length = len(orjson.dumps(body))
        if batch and (len(batch) >= MAX_RULES or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
