"""Title and message of one log's signal, before the rule is stored."""

from typing import Any

import pytest

from tocsin.errors import BadRequest
from tocsin.event import Event
from tocsin.rules.executable import executable
from tocsin.rules.hints import hints
from tocsin.rules.rendering import Rendered, rendered
from tocsin.rules.shape import rule_from_api
from tocsin.tables import no_column

EVENT = Event(
    "e1",
    1_772_719_200_000,
    "Failed password for root",
    host="bastion",
    source="sshd",
    attributes={"usr": {"id": "root"}, "network": {"client": {"ip": "203.0.113.9"}}},
)


def body(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Guessing from {{@network.client.ip}}",
        "message": "**{{@usr.id}}** at {{host}}, {{events_matched}}x, {{@nothing}}",
        "isEnabled": True,
        "queries": [
            {"name": "failed", "query": "failed", "groupByFields": ["@network.client.ip"]},
            {"query": "accepted", "groupByFields": ["@network.client.ip"]},
        ],
        "cases": [
            {"status": "high", "condition": "failed > 3", "name": "many"},
            {"status": "low", "condition": "b > 0"},
        ],
        "options": {"detectionMethod": "threshold"},
        **changes,
    }


def shown(event: Event = EVENT, case: int = 0, **changes: Any) -> Rendered:
    return rendered(executable(rule_from_api(body(**changes))), event, case, EVENT.timestamp, no_column)


def test_title_and_message_are_those_of_a_signal() -> None:
    found = shown()
    assert found.title == "Guessing from 203.0.113.9 - many"
    assert found.message == "**root** at bastion, 1x, "
    assert (found.severity, found.matched) == ("high", ("failed",))


def test_a_disabled_rule_is_shown_as_it_would_be() -> None:
    assert shown(isEnabled=False).matched == ("failed",)


def test_the_case_gives_name_and_severity() -> None:
    found = shown(case=1)
    assert (found.title, found.severity) == ("Guessing from 203.0.113.9", "low")
    with pytest.raises(BadRequest, match="0 to 1"):
        shown(case=2)


def test_a_log_that_no_query_finds_still_fills_the_texts() -> None:
    found = shown(Event("e2", 0, "hello", host="web"))
    assert (found.title, found.message, found.matched) == ("Guessing from - many", "**** at web, 1x, ", ())


def test_a_value_cannot_become_markup() -> None:
    hostile = Event("e3", 0, "failed", attributes={"usr": {"id": "<img src=x> [a](javascript:1) @soc"}})
    assert "\\<img" in shown(hostile).message and "\\[a\\]" in shown(hostile).message


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        ({"detectionMethod": "new_value", "newValueOptions": {"forgetAfter": 7}}, {"aggregation": "new_value"}),
        ({"detectionMethod": "anomaly_detection"}, {}),
        ({"detectionMethod": "impossible_travel"}, {"aggregation": "geo_data", "metrics": ["@network.client.geoip"]}),
        ({"detectionMethod": "content_anomaly"}, {"metrics": ["@usr.id"]}),
    ],
)
def test_every_method_can_be_shown(options: dict[str, Any], extra: dict[str, Any]) -> None:
    query = {"query": "failed", "groupByFields": ["@usr.id"], "metrics": ["@network.client.ip"], **extra}
    case = {"status": "low", "condition": "" if "new" in str(options) or "travel" in str(options) else "a > 0.9"}
    found = shown(options=options, queries=[query], cases=[case])
    assert (found.title, found.severity) == ("Guessing from 203.0.113.9", "low")


def test_third_party_titles_come_from_their_template() -> None:
    options = {
        "detectionMethod": "third_party",
        "thirdPartyRuleOptions": {
            "rootQueries": [{"query": "failed", "groupByFields": ["@usr.id"]}],
            "defaultStatus": "info",
            "signalTitleTemplate": "Alert on {{@usr.id}}",
        },
    }
    cases = [{"status": "high", "query": "failed", "name": "urgent"}]
    found = shown(options=options, thirdPartyCases=cases, queries=[], cases=[])
    assert (found.title, found.severity) == ("Alert on root", "high")


def test_broken_templates_are_remarked_upon_where_they_stand() -> None:
    rule = rule_from_api(body(message="a {{#is_match 'x'}} b", name="{{frob x}}"))
    assert [(hint.target, hint.code, hint.start) for hint in hints(rule)] == [
        ("name", "template", 0),
        ("message", "template", 2),
    ]
