"""What the evaluator's machines cost by themselves, without stores: the rules and the stream of `mixed`.

A few seconds of matches come again and again, with other ids and times, in rounds of a second, as the evaluator takes
them: groups in memory take what is new and are decided, or rest while their signals only grow. `WINDOWS_SECONDS` in the
environment changes for how long.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from bench import mixed
from bench.events import recipe
from bench.load import own_events
from bench.rules import shipped_rules
from bench.table import Row
from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.evaluator import REFRESH_MS, REFRESHED_TOGETHER
from tocsin.evaluate.group import Group, StoredSignal
from tocsin.evaluate.method import Plan
from tocsin.evaluate.methods import plan
from tocsin.evaluate.repository import GroupKey
from tocsin.garbage import collect_seldom
from tocsin.intake.formats import read_records
from tocsin.intake.request import Request
from tocsin.pipeline import passed
from tocsin.rule import Match, Rule
from tocsin.rules.executable import executable
from tocsin.rules.validation import read_rule

STREAM = 6
"""Seconds of different events."""

SECONDS = int(os.environ.get("WINDOWS_SECONDS", "90"))

START = 1_767_657_600_000


def run() -> list[Row]:
    plans = {rule.id: plan(rule) for rule in _rules()}
    stream = _matches([each.rule for each in plans.values()])
    collect_seldom()
    before = _resident()
    machines = _Machines(plans)
    matches, busy = 0, 0.0
    for second in range(SECONDS):
        rows = list(_second(stream, second))
        matches += len(rows)
        began = time.process_time()
        machines.round(rows, START + 1000 * second + 1000)
        busy += time.process_time() - began
        del rows
    held = sum(group.size for group in machines.groups.values())
    note = f"{matches:,} matches, {len(machines.groups):,} groups, {_resident() - before:,.0f} MB held"
    return [
        Row("the evaluator's machines, a match", f"{busy / matches * 1e6:.1f} us", note=note),
        Row(
            "memory of them, a match held", f"{(_resident() - before) * 2**20 / held:,.0f} bytes", note=f"{held:,} held"
        ),
    ]


class _Machines:
    """What `evaluate/evaluator.py` does with groups."""

    def __init__(self, plans: dict[str, Plan]) -> None:
        self.groups: dict[GroupKey, Group] = {}
        self._plans = plans
        self._grown: dict[GroupKey, int] = {}

    def round(self, rows: Sequence[tuple[str, MatchRow]], now: int) -> None:
        fresh: dict[GroupKey, list[MatchRow]] = {}
        for rule_id, row in rows:
            key = GroupKey(rule_id, 1, self._plans[rule_id].signal_group(row.group))
            fresh.setdefault(key, []).append(row)
        due = [key for key, since in self._grown.items() if now - since >= REFRESH_MS][:REFRESHED_TOGETHER]
        for key, of_group in fresh.items():
            group = self.groups.get(key)
            if group is None or not group.add(of_group):
                group = self.groups[key] = Group(
                    key, self._plans[key.rule_id], min(row.timestamp for row in of_group), {}
                )
                group.load(sorted(of_group))
            elif key not in due and group.only_grows(of_group):
                group.rest()
                self._grown.setdefault(key, now)
                continue
            self._decide(group)
        for key in due:
            if key not in fresh:
                self._decide(self.groups[key])

    def _decide(self, group: Group) -> None:
        outcome = group.outcome()
        for each in outcome.decisions:
            outcome.known[each.opened_by] = StoredSignal(each.opened_by, each.timestamp, each.closes_at, "", 1, 0)
        group.accept(outcome, {each.opened_by: each.opened_by for each in outcome.decisions})
        self._grown.pop(group.key, None)


def _rules() -> Iterator[Rule]:
    shipped = shipped_rules()
    for rule in shipped:
        if not any(query.reads_signals for query in rule.queries):
            yield rule
    for number in range(mixed.RULES - len(shipped)):
        body = mixed._rule(random.Random(number), number)
        yield replace(executable(read_rule(body)), id=f"gen-{number:04d}")


def _matches(rules: list[Rule]) -> list[list[Match]]:
    """Of each event what it meets."""
    tools = recipe(rules).tools()
    found: list[list[Match]] = []
    events = own_events(STREAM * mixed.RATE, 1)
    while body := b",".join(islice(events, 1000)):
        records, _ = read_records(Request(b"[" + body + b"]", START))
        found += [passed(record, tools).matches for record in records]
    return found


def _second(stream: Sequence[Sequence[Match]], second: int) -> Iterator[tuple[str, MatchRow]]:
    """The matches of the events of a second; every text is made anew, as by reading from a store."""
    first = second % STREAM * mixed.RATE
    for number in range(mixed.RATE):
        at = START + 1000 * second + 1000 * number // mixed.RATE
        for match in stream[first + number]:
            digest = blake2b(b"%d" % (second * mixed.RATE + number), digest_size=12).hexdigest()
            group = tuple(_anew(text) for text in match.group)
            distinct = None if match.distinct is None else _anew(match.distinct)
            row = MatchRow(at, f"AwAAA{at:012x}{digest}", group, match.query_index, distinct, match.value)
            yield match.rule_id, row


def _anew(text: str) -> str:
    return text.encode().decode()


def _resident() -> float:
    """Memory of this process that is not shared with files, in MB."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:")) / 1024
