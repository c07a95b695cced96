"""What a signal says about its own origin (design §9.5)."""

from typing import Any

import orjson

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.threshold import plan
from tocsin.event import Event
from tocsin.explain.signals import explained
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.signals.projection import project
from tocsin.signals.suppression import Suppression, with_suppression

BORN = 1_767_225_600_000

RULE = Rule(
    id="aaa-bbb-001",
    name="Door rattled",
    message="m",
    queries=(RuleQuery("failed", "source:door", group_by_fields=("@usr.id",)),),
    cases=(RuleCase("high", "failed > 2", "much"), RuleCase("low", "failed > 1", "some")),
    options=RuleOptions(
        evaluation_window=60, keep_alive=300, max_signal_duration=3600, decrease_criticality_based_on_env=True
    ),
    version=2,
)

HIDING = Suppression("sup", 4, "agreed", True, "*", "*", "", None, None)


def row(count: int = 3, hidden: bool = False, **attributes: Any) -> dict[str, Any]:
    """A stored signal of this many events, a second apart."""
    attributes = {"usr": {"id": "bob"}, **attributes}
    events = [
        Event(f"e{n}", BORN + n * 1000, source="door", tags=["env:dev"], attributes=attributes) for n in range(count)
    ]
    prepared = plan(RULE)
    (decision,) = decide(prepared, [MatchRow(event.timestamp, event.id, ("bob",), 0) for event in events])
    made = project(prepared, decision, events, BORN + 5_000)
    custom = dict(made.signal.custom)
    if hidden:
        custom = with_suppression(custom, [HIDING], BORN + 5_000, is_update=False)
    return {
        "rule_id": RULE.id,
        "status": made.signal.severity,
        "ingested_at": BORN + 5_000,
        "document": orjson.dumps(custom),
        "detail": orjson.dumps(made.detail),
    }


def test_everything_in_one_answer() -> None:
    told = explained(row(), None, RULE, BORN + 10_000)
    assert told["summary"] == (
        "Rule 'Door rattled' (version 2) fired for @usr.id bob. "
        "At 2026-01-01 00:00:02 failed was 3 in the 60 s: the case 'much' (failed > 2) held. "
        "At 2026-01-01 00:00:02 its severity rose from low to high. "
        "Its severity was changed from high to medium because of env:dev. "
        "It rests on 3 events. "
        "It is still open; unless a case holds again, it closes at 2026-01-01 00:05:02."
    )
    assert told["group"] == [{"field": "@usr.id", "value": "bob"}]
    assert told["severity"]["case"] == "high" and told["severity"]["signal"] == "medium"
    assert told["window"] == {
        "seconds": 60,
        "to": "2026-01-01T00:00:02.000Z",
        "events": 3,
        "keep_alive_seconds": 300,
        "max_signal_duration_seconds": 3600,
    }
    assert (told["found"]["delay_seconds"], told["rule"]["is_current"]) == (4.0, True)
    assert told["suppression"] == {"state": "shown"}


def test_what_closed_it_and_what_became_of_the_rule() -> None:
    told = explained(row(), None, None, BORN + 400_000)
    assert told["summary"].endswith("It closed at 2026-01-01 00:05:02 because no case held again within 300 s.")
    assert told["rule"]["is_deleted"] and told["rule"]["current_version"] is None


def test_hidden_whole_or_only_its_updates() -> None:
    told = explained(row(hidden=True), None, RULE, BORN + 10_000)
    assert told["suppression"] == {
        "state": "hidden",
        "since": "2026-01-01T00:00:05.000Z",
        "suppressions": [{"id": "sup", "name": "agreed", "version": 4}],
    }
    assert "It is hidden by the suppression 'agreed' since 2026-01-01 00:00:05." in told["summary"]
    told = explained(row(2), row(5, hidden=True), RULE, BORN + 10_000)
    assert told["suppression"]["state"] == "updates_hidden"
    assert told["suppression"]["events_matched_with_updates"] == 5
    assert told["events"]["matched"] == 2
    assert "Its further updates are hidden by the suppression 'agreed'" in told["summary"]


def test_indicators_of_the_samples_are_told_once() -> None:
    result = {"indicator": "192.0.2.7", "type": "IP", "category": "tor", "intention": "suspicious"}
    sources = [{"name": "a", "url": "https://a.example"}, {"name": "b", "url": ""}]
    results = [{**result, "source": source, "additional_data": {}} for source in sources]
    told = explained(row(threat_intel={"indicators_matched": ["IP"], "results": results}), None, RULE, BORN + 10_000)
    assert told["threat_intel"] == [{**result, "source": source, "events": 3} for source in sources]
    for odd in ("a text", {"results": "a text"}, {"results": ["a text", 3, None]}):
        assert explained(row(threat_intel=odd), None, RULE, BORN + 10_000)["threat_intel"] == []


def test_indicators_that_a_record_claims_may_be_of_any_shape() -> None:
    claimed = {"results": [{"source": "me", "type": {"a": 1}, "indicator": ["x"]}]}
    (told,) = explained(row(threat_intel=claimed), None, RULE, BORN + 10_000)["threat_intel"]
    assert (told["source"], told["events"]) == ({}, 3)
