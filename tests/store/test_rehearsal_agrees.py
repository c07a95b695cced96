"""What `tocsin rules test` says is what live detection does: shipped rules of every method, over one long story."""

from dataclasses import replace

from test_correlation import Correlating, document
from test_evaluator import state

from tocsin.bootstrap import content_directory, event_from_record
from tocsin.event import BACKFILL_TAG
from tocsin.rules.executable import executable
from tocsin.rules.rehearsal import Rehearsal
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import load_document, read_rule_file
from tocsin.store.events import EventStore
from tocsin.store.state import StateStore

__all__ = ["state"]

FILES = (
    "aws_guardduty",
    "github_mass_clone",
    "linux_unusual_sudo",
    "okta_failure_surge",
    "okta_impossible_travel",
    "okta_new_country",
    "okta_pushed_then_kept",
    "signals_web_then_ssh",
    "ssh_brute_force",
    "ssh_guessed_then_root",
    "web_scan",
)
BATCHES = 3


def test_signals_in_memory_are_those_of_a_live_evaluator(event_store: EventStore, state: StateStore) -> None:
    shipped = [read_rule_file(name, load_document(content_directory() / "rules" / f"{name}.yaml")) for name in FILES]
    told = [next(timeline for timeline in one.tests.timelines if timeline.signals) for one in shipped]
    start = told[0].start
    planned = sorted(
        ((at, record) for timeline in told for each in timeline.events for at, record in each.records()),
        key=lambda one: one[0],
    )
    events = []
    for number, (at, record) in enumerate(planned):
        made = event_from_record(record)
        # told as backfill, so that weeks may come in one batch
        events.append(replace(made, id=f"{number:06}", timestamp=start + at, tags=[*made.tags, BACKFILL_TAG]))

    rules = [replace(rule_from_api(one.body, rule_id=one.id), updated_at=start) for one in shipped]
    rehearsal = Rehearsal(rules, start)
    found = rehearsal.run(events)
    expected = {one.signal.id: one.signal for several in found.raised.values() for one in several}
    assert {signal.rule_id for signal in expected.values()} == {rule.id for rule in rules}

    world = Correlating(event_store, state, *map(executable, rules))
    size = -(-len(events) // BATCHES)
    for first in range(0, len(events), size):
        batch = events[first : first + size]
        world.now = max(world.now, batch[-1].timestamp + 1_000)
        world.ingest(*((event, rehearsal.matcher.match(event)) for event in batch))
        world.run()

    stored = {row["id"]: row for rule in rules for row in world.signals(rule)}
    assert stored.keys() == expected.keys()
    for name, signal in expected.items():
        custom = document(stored[name])
        assert stored[name]["title"] == signal.title
        assert stored[name]["status"] == signal.severity
        assert custom["workflow"]["events_matched"] == signal.events_matched
        assert custom["groupByValues"] == signal.custom["groupByValues"]
        assert custom["workflow"]["last_seen"] == signal.custom["workflow"]["last_seen"]
