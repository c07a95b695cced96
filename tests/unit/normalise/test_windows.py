"""Windows events of three shapes become one (docs/sources.md)."""

from typing import Any

import pytest

from tocsin.event import Event
from tocsin.normalise.windows import unify

NOW = 1_772_885_564_000
TIME = 1772871164123

XML: dict[str, Any] = {
    "Event": {
        "#attributes": {"xmlns": "…"},
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing", "Guid": "{1}"}},
            "EventID": "4625",
            "Version": 0,
            "Level": 0,
            "Task": 12544,
            "Keywords": "0x8010000000000000",
            "TimeCreated": {"#attributes": {"SystemTime": "2026-03-07T08:12:44.1234567Z"}},
            "EventRecordID": 7,
            "Correlation": {"#attributes": {"ActivityID": "{2}"}},
            "Execution": {"#attributes": {"ProcessID": 4, "ThreadID": 8}},
            "Channel": "security",
            "Computer": "dc01.larkspur.example",
            "Security": {"#attributes": {"UserID": "S-1-5-18"}},
        },
        "EventData": {"TargetUserName": "ana", "SubjectUserName": "-", "IpAddress": "203.0.113.9"},
    }
}
FLAT = {
    "EventID": 4625,
    "Channel": "Security",
    "Hostname": "dc01.larkspur.example",
    "SourceName": "Microsoft-Windows-Security-Auditing",
    "Version": 0,
    "Task": 12544,
    "Keywords": -9218868437227405312,
    "RecordNumber": 7,
    "ActivityID": "{2}",
    "ExecutionProcessID": 4,
    "ThreadID": 8,
    "UserID": "S-1-5-18",
    "AccountName": "SYSTEM",
    "@timestamp": "2026-03-07T08:12:44.123Z",
    "EventTime": "2026-03-07 03:12:44",
    "Message": "An account failed to log on.",
    "TargetUserName": "ana",
    "SubjectUserName": "-",
    "IpAddress": "203.0.113.9",
}


def unified(body: dict[str, Any]) -> Event:
    event = Event("", NOW, attributes=dict(body))
    assert unify(event, NOW, False) is True
    return event


@pytest.mark.parametrize("body", [XML, XML["Event"], FLAT], ids=["xml", "xml without Event", "flat"])
def test_shapes_become_one(body: dict[str, Any]) -> None:
    event = unified(body)
    winlog = event.attributes["winlog"]
    assert (event.timestamp, event.host) == (TIME, "dc01.larkspur.example")
    assert {
        "channel": "Security",
        "event_id": 4625,
        "computer_name": "dc01.larkspur.example",
        "provider_name": "Microsoft-Windows-Security-Auditing",
        "record_id": 7,
        "task": 12544,
        "version": 0,
        "activity_id": "{2}",
        "process": {"pid": 4, "thread": {"id": 8}},
        "event_data": {"TargetUserName": "ana", "IpAddress": "203.0.113.9"},
    }.items() <= winlog.items()
    assert winlog["user"]["identifier"] == "S-1-5-18"
    assert not {"Event", "System", "EventData", "EventID", "TargetUserName"} & event.attributes.keys()


def test_messages_of_flat_records_become_the_message() -> None:
    assert unified(FLAT).message == "An account failed to log on."


def xml(**parts: Any) -> dict[str, Any]:
    system = {
        "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 800},
        "TimeCreated": {"@SystemTime": "2026-03-07T08:12:44Z"},
    }
    return {"Event": {"System": system} | parts}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"Data": {"#text": ["a", None, "c"]}}, {"param1": "a", "param3": "c"}),
        ({"Data": {"#text": "a"}}, {"param1": "a"}),
        ({"Data": ["a", "b"], "Binary": "00"}, {"Binary": "00", "param1": "a", "param2": "b"}),
        ({"Data": [{"#attributes": {"Name": "X"}, "#text": "1"}, {"@Name": "Y", "#text": "2"}]}, {"X": "1", "Y": "2"}),
        ({"#attributes": {"Name": "n"}, "param1": "x"}, {"param1": "x"}),
        (None, None),
    ],
)
def test_unnamed_and_listed_data(data: Any, expected: Any) -> None:
    winlog = unified(xml(EventData=data)).attributes["winlog"]
    assert winlog.get("event_data") == expected
    assert winlog["event_id"] == 800


def test_user_data_loses_its_envelope() -> None:
    winlog = unified(xml(UserData={"LogFileCleared": {"#attributes": {}, "SubjectUserName": "ana"}})).attributes[
        "winlog"
    ]
    assert winlog["user_data"] == {"xml_name": "LogFileCleared", "SubjectUserName": "ana"}


def test_winlog_stays_as_it_is() -> None:
    event = Event("", NOW, attributes={"winlog": {"event_id": "1", "channel": "System", "computer_name": "h"}})
    assert unify(event, NOW, True) is True
    assert event.attributes["winlog"] == {"event_id": 1, "channel": "System", "computer_name": "h"}
    assert event.host == "h"


def test_the_collectors_own_event_type_gives_way_to_the_events() -> None:
    event = unified(FLAT | {"EventType": "INFO", "EventTypeOrignal": "SetValue"})
    assert event.attributes["winlog"]["event_data"]["EventType"] == "SetValue"
    assert event.attributes["winlog"]["event_type"] == "INFO"


def test_account_names_without_a_record_user_are_data() -> None:
    event = unified(
        {"EventID": 7045, "Channel": "System", "AccountName": "LocalSystem", "TimeCreated": "2026-03-07T08:12:44Z"}
    )
    assert event.attributes["winlog"]["event_data"] == {"AccountName": "LocalSystem"}
    assert "user" not in event.attributes["winlog"]
