"""What a signal says: projection of events, entities, samples, evidence, explanation (siem.md §3.1)."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tocsin.evaluate.decision import MatchRow
from tocsin.evaluate.method import decide
from tocsin.evaluate.threshold import plan
from tocsin.event import Event
from tocsin.query.values import flatten
from tocsin.rule import Rule, RuleCase, RuleOptions, RuleQuery
from tocsin.signal import Person, Triage
from tocsin.signals.gathering import MAX_SAMPLE_BYTES
from tocsin.signals.projection import Projection, project, with_triage, with_window
from tocsin.signals.resource import signal_resource

BORN = 1_767_225_600_000

RULE = Rule(
    id="aaa-bbb-001",
    name="SSH brute force",
    message="{{@usr.id}} from {{@network.client.ip}} ({{team}})",
    queries=(
        RuleQuery("failed", "source:sshd @evt.outcome:failure", group_by_fields=("@network.client.ip",)),
        RuleQuery("ok", "source:sshd @evt.outcome:success", group_by_fields=("@network.client.ip",)),
    ),
    cases=(
        RuleCase("high", "failed > 2 && ok > 0", "then success", ("@soc@example.com",)),
        RuleCase("medium", "failed > 2", "many failures"),
    ),
    options=RuleOptions(evaluation_window=300, keep_alive=600, max_signal_duration=3600),
    version=3,
    tags=("security:attack", "tactic:TA0006-credential-access"),
)


def event(number: int, outcome: str = "failure", user: str = "root", **more: Any) -> Event:
    attributes = {"usr": {"id": user}, "network": {"client": {"ip": "203.0.113.9"}}, "evt": {"outcome": outcome}}
    return Event(
        id=f"e{number:03d}",
        timestamp=BORN + number * 1000 + 123,
        message=more.pop("message", f"{outcome} for {user}"),
        host=more.pop("host", "bastion-1"),
        service="ssh",
        source="sshd",
        tags=more.pop("tags", ["env:prod", "team:infra"]),
        attributes=attributes | more.pop("attributes", {}),
    )


def projected(events: list[Event], rule: Rule = RULE, group: tuple[str, ...] = ("203.0.113.9",)) -> Projection:
    rows = [
        MatchRow(e.timestamp, e.id, group, int(e.attributes["evt"]["outcome"] == "success")) for e in events
    ]  # fmt: skip
    prepared = plan(rule)
    (decision,) = decide(prepared, rows)
    return project(prepared, decision, list(reversed(events)), BORN + 60_000)


ATTACK = [event(1), event(2, user="admin"), event(3), event(4, "success")]


def test_signal_carries_what_the_api_shows() -> None:
    projection = projected(ATTACK)
    signal = projection.signal
    assert signal.title == "SSH brute force - then success"
    assert signal.message == "root, admin from 203.0.113.9 (infra)"
    assert (signal.severity, signal.timestamp) == ("high", BORN + 3123)
    assert (signal.first_seen, signal.last_seen) == (BORN + 1000, BORN + 4000)
    assert signal.tags == ("security:attack", "tactic:TA0006-credential-access", "env:prod", "team:infra")
    assert (signal.host, signal.service, signal.source) == (("bastion-1",), ("ssh",), ("sshd",))
    custom = signal.custom
    assert custom["usr"] == {"id": ["root", "admin"]}
    assert custom["network"]["client"] == {"ip": "203.0.113.9"}
    assert custom["evt"] == {"outcome": ["failure", "success"]}
    assert custom["groupByValues"] == {"@network.client.ip": "203.0.113.9"}
    assert custom["groupByPaths"] == ["@network.client.ip"]
    assert custom["entities"] == [
        "host:bastion-1",
        "@network.client.ip:203.0.113.9",
        "@usr.id:root",
        "@usr.id:admin",
    ]
    assert custom["triggeringRuleCase"] == {
        "name": "then success",
        "status": "high",
        "condition": "failed > 2 && ok > 0",
        "notifications": ["@soc@example.com"],
    }
    workflow = custom["workflow"]
    assert workflow["first_seen"] == "2026-01-01T00:00:01.000Z"
    assert workflow["last_seen"] == "2026-01-01T00:00:04.000Z"
    assert workflow["events_matched"] == 4
    assert workflow["rule"]["type"] == "Log Detection"
    assert (workflow["rule"]["version"], workflow["rule"]["detectionMethod"]) == (3, "threshold")
    assert custom["queries"][0]["aggregationDetails"]["eventsCount"] == 3
    assert custom["queries"][1]["aggregationDetails"]["value"] == 1.0
    assert custom["internal_id"] == "aaa-bbb-001-3-e003"
    assert custom["discovery_timestamp"] == BORN + 60_000


def test_explanation_says_what_decided_and_what_raised_it() -> None:
    explanation = projected(ATTACK).detail["explanation"]
    assert explanation["opened"]["case"] == "many failures"
    assert explanation["opened"]["values"] == {"failed": 3.0, "ok": 0.0}
    assert explanation["decided"]["event_id"] == "e004"
    assert [(change["from"], change["status"]) for change in explanation["severity_changes"]] == [("medium", "high")]
    assert (explanation["window_seconds"], explanation["closes_because"]) == (300, "keep_alive")
    assert explanation["projected_events"] == 4


def test_samples_are_the_first_and_last_ten() -> None:
    many = [event(number) for number in range(40)]
    samples = projected(many).detail["samples"]
    assert [sample["eventId"] for sample in samples] == [f"e{n:03d}" for n in [*range(10), *range(30, 40)]]
    assert samples[0]["content"]["custom"]["usr"] == {"id": "root"}
    assert samples[0]["trackKey"] == {"type": "logs"}


def test_huge_sample_is_cut_and_says_so() -> None:
    huge = [event(n, message="x" * 100_000) for n in range(3)]
    content = projected(huge).detail["samples"][0]["content"]
    assert content["truncated"] is True
    assert len(content["message"]) < MAX_SAMPLE_BYTES


def test_too_many_values_are_named_not_shown() -> None:
    spray = [event(n, user=f"user{n}", tags=["env:prod", f"request:{n}"]) for n in range(150)]
    signal = projected(spray).signal
    assert "usr" not in signal.custom
    assert signal.custom["workflow"]["high_cardinality"] == {"attributes": ["usr.id"], "tags": ["request"]}
    assert "env:prod" in signal.tags
    assert not any(tag.startswith("request:") for tag in signal.tags)


def test_events_cannot_forge_the_signal_s_own_members() -> None:
    forged = {"workflow": {"triage": {"state": "archived"}}, "title": "harmless", "samples": [1], "status": "info"}
    signal = projected([event(n, attributes=forged) for n in range(3)]).signal
    assert signal.custom["title"] == "SSH brute force - many failures"
    assert signal.custom["status"] == "medium"
    assert "triage" not in signal.custom["workflow"]
    assert "samples" not in signal.custom


def test_value_and_object_at_one_path_are_both_found() -> None:
    clash = [event(1, attributes={"a": 1}), event(2, attributes={"a": {"b": 2}}), event(3)]
    found = flatten(projected(clash).signal.custom)
    assert (found["a"], found["a.b"]) == ([1], [2])


def test_severity_falls_in_non_production() -> None:
    lowered = replace(RULE, options=replace(RULE.options, decrease_criticality_based_on_env=True))
    staging = [event(n, tags=["env:Staging-2"]) for n in range(3)]
    projection = projected(staging, lowered)
    assert projection.signal.severity == "low"
    assert projection.detail["explanation"]["adjustments"] == [
        {"kind": "environment", "from": "medium", "to": "low", "because": "env:staging-2"}
    ]
    assert projected([*staging, event(4, tags=["env:prod"])], lowered).signal.severity == "medium"
    assert projected([event(n, tags=[]) for n in range(3)], lowered).signal.severity == "medium"
    assert projected(staging).signal.severity == "medium"


def test_related_query_finds_the_scope() -> None:
    related = projected(ATTACK).detail["relatedQuery"]
    assert related["query"] == (
        "((source:sshd @evt.outcome:failure) OR (source:sshd @evt.outcome:success)) @network.client.ip:\"203.0.113.9\""
    )  # fmt: skip
    assert related["from"] == BORN + 1123 - 300_000 - 300_000
    assert related["to"] == BORN + 4123 + 300_000


def test_revision_changes_with_the_content_and_not_with_the_time_of_discovery() -> None:
    first = projected(ATTACK)
    assert projected(ATTACK).revision == first.revision
    assert projected([*ATTACK, event(5)]).revision != first.revision
    assert projected(ATTACK, replace(RULE, message="other")).revision != first.revision


def test_triage_and_window_are_laid_over() -> None:
    custom = projected(ATTACK).signal.custom
    untouched = with_triage(custom, None)["workflow"]["triage"]
    assert (untouched["state"], untouched["assignee"]) == (
        "open",
        {"id": -1, "uuid": "", "name": "Unassigned", "handle": ""},
    )
    ana = Person("u", "ana@example.com", "Ana", 7)
    triage = Triage("x", BORN, "archived", "false_positive", assignee=ana, state_updated_at=BORN, state_updated_by=ana)
    decided = with_triage(custom, triage)["workflow"]["triage"]
    assert (decided["archive_reason"], decided["archiveReason"]) == ("false_positive", "false_positive")
    assert decided["assignee"]["handle"] == decided["updater"]["handle"] == "ana@example.com"
    assert with_window(custom, BORN + 604_122)["workflow"]["window"]["state"] == "open"
    assert with_window(custom, BORN + 604_123)["workflow"]["window"]["state"] == "closed"


def test_resource_shows_one_host_as_text_and_several_as_list() -> None:
    row: dict[str, Any] = {
        "id": "AwAAA1", "timestamp": BORN + 5, "ingested_at": BORN + 6, "title": "t", "message": "m", "status": "high",
        "host": ["a"], "service": ["s"], "source": [], "tags": ["x:y"], "document": '{"a":1}',
        "detail": '{"samples":[],"engine":{"group":[]}}',
    }  # fmt: skip
    shown = signal_resource(row)
    assert shown["attributes"]["timestamp"] == "2026-01-01T00:00:00.005Z"
    assert shown["attributes"]["host"] == "a"
    assert shown["attributes"]["custom"] == {"a": 1, "samples": []}
    assert signal_resource(row | {"host": ["a", "b"]})["attributes"]["host"] == ["a", "b"]
    assert "host" not in signal_resource(row | {"host": []})["attributes"]


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["x", "y", ""])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b", "c"]), inner),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "a.b", "c.d"]), documents, max_size=3), min_size=3, max_size=5)
)
def test_every_value_of_an_event_is_found_in_the_signal(attributes: list[dict[str, Any]]) -> None:
    events = [event(number, attributes=extra) for number, extra in enumerate(attributes)]
    found = flatten(projected(events).signal.custom)
    for each in events:
        for path, values in flatten(each.attributes).items():
            for value in values:
                assert (type(value), value) in {(type(other), other) for other in found[path]}
