"""Sigma rules as rules of ours, against events as our normaliser leaves them."""

import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.event import Event
from tocsin.query import parse, print_query, to_predicate
from tocsin.rules.sigma.collection import Imported, import_sigma
from tocsin.rules.sigma.convert import rule_id
from tocsin.rules.sigma.files import SourceFile, read_files
from tocsin.rules.validation import check

SYSMON = "Microsoft-Windows-Sysmon/Operational"


def sigma(detection: Any, logsource: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "title": "A test",
        "id": "6f2c1b1e-0000-4000-8000-00000000000a",
        "status": "test",
        "level": "high",
        "author": "Ada Example, Bob Example",
        "logsource": logsource or {"product": "aws", "service": "cloudtrail"},
        "detection": detection,
        **more,
    }


def imported(*documents: dict[str, Any]) -> Imported:
    return import_sigma([SourceFile("rule.yml", yaml.dump_all(documents))])


def query_of(document: dict[str, Any]) -> str:
    found = imported(document)
    assert [refused.reason for refused in found.refused] == []
    (made,) = found.rules
    assert check(made.body) == []
    query: str = made.body["queries"][0]["query"]
    assert print_query(parse(query)) == query
    return query


def holds(selection: Any, value: Any, field: str = "k") -> bool:
    """Whether a rule over one field of a CloudTrail record matches a record that has this value there (None: none)."""
    query = query_of(sigma({"selection": selection, "condition": "selection"}))
    attributes = {} if value is None else {field: value}
    return to_predicate(parse(query))(Event("", 0, source="cloudtrail", attributes=attributes))


@pytest.mark.parametrize(
    ("selection", "meets", "fails"),
    [
        ({"k": "CreateUser"}, "createuser", "createusers"),
        ({"k|cased": "CreateUser"}, "CreateUser", "createuser"),
        ({"k": "*user"}, "CREATEUSER", "users"),
        ({"k": "c?t"}, "CAT", "caat"),
        ({"k": r"a\*b"}, "A*b", "axb"),
        ({"k": "a\\b"}, "A\\b", "ab"),
        ({"k|contains": "\\Temp\\"}, "c:\\TEMP\\x", "c:\\temporary"),
        ({"k|startswith": "C:\\Windows\\"}, "c:\\windows\\x", "d:\\windows\\x"),
        ({"k|endswith": ".EXE"}, "a.exe", "a.exe.txt"),
        ({"k|contains|all": ["a", "b"]}, "B-A", "a-c"),
        ({"k|contains": ["a", "b"]}, "xB", "c"),
        ({"k": [1, 2]}, "2", "3"),
        ({"k": 5}, 5, 6),
        ({"k": True}, "TRUE", "false"),
        ({"k": True}, True, False),
        ({"k|re": "^a.c[0-9]{2}$"}, "abc12", "ABC12"),
        ({"k|re|i": "^abc"}, "ABCD", "xabc"),
        ({"k|re|s": "a.b"}, "a\nb", "ab"),
        ({"k|cidr": "10.0.0.0/8"}, "10.1.2.3", "11.1.2.3"),
        ({"k|cidr": "fd00::/8"}, "fd00::1", "fe80::1"),
        ({"k|gt": 5}, "6", "5"),
        ({"k|gte": 5}, 5, 4),
        ({"k|lt": 5}, 4, 5),
        ({"k|lte": 5}, 5, 6),
        ({"k|exists": True}, "", None),
        ({"k|exists": False}, None, "x"),
        ({"k": None}, None, "x"),
        ({"k": "*"}, "x", None),
        ({"k": ""}, "", "x"),
        ({"k|base64": "foo"}, "Zm9v", "foo"),
        ({"k|base64offset|contains": "http://"}, "--aHR0cDovL2--", "http://"),
        ({"k|wide|base64offset|contains": "ping"}, "x" + "cABpAG4AZw" + "y", "ping"),
        ({"k|wide|base64": "a"}, "YQA=", "a"),
        ({"k|windash|contains": " -f"}, "cmd /F", "cmd f"),
    ],
    ids=str,
)
def test_modifiers(selection: dict[str, Any], meets: Any, fails: Any) -> None:
    assert holds(selection, meets)
    assert not holds(selection, fails)


@pytest.mark.parametrize(
    ("detection", "reason"),
    [
        ({"s": {"k|fieldref": "other"}, "condition": "s"}, "the value of another field (fieldref to other)"),
        ({"s": {"k|re": "(?=x)y"}, "condition": "s"}, "invalid perl operator"),
        ({"s": {"k|re": r"(a)\1"}, "condition": "s"}, "invalid escape sequence"),
        ({"s": {"k|expand": "%admins%"}, "condition": "s"}, "%admins% to be filled in"),
        ({"s": {"k|hour": 3}, "condition": "s"}, "parts of a time"),
        ({"s": {"k": "a"}, "condition": "gone"}, "gone"),
        ({"s": {"k|nonsense": "a"}, "condition": "s"}, "nonsense"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(detection: dict[str, Any], reason: str) -> None:
    found = imported(sigma(detection))
    assert found.rules == []
    (refused,) = found.refused
    assert reason in refused.reason
    assert refused.title == "A test"


def test_log_sources_that_nothing_logs_are_refused() -> None:
    found = imported(sigma({"s": {"k": "a"}, "condition": "s"}, {"product": "macos", "category": "process_creation"}))
    assert "product macos, category process_creation" in found.refused[0].reason


def test_broken_files_are_listed_and_harm_no_others() -> None:
    good = yaml.dump(sigma({"s": {"k": "a"}, "condition": "s"}))
    texts = ["a: [", "- 1", "text", "title: x\nlogsource: 5\ndetection: 7\n", good, ""]
    found = import_sigma([SourceFile(f"{n}.yml", text) for n, text in enumerate(texts)])
    assert [made.path for made in found.rules] == ["4.yml"]
    assert {refused.path for refused in found.refused} == {"0.yml", "1.yml", "2.yml", "3.yml", "5.yml"}


def windows(channel: str, event_id: int, **data: str) -> Event:
    winlog = {"channel": channel, "event_id": event_id, "event_data": data}
    return Event("", 0, source="windows", attributes={"winlog": winlog})


def test_a_process_is_created_by_sysmon_or_the_security_log() -> None:
    asked = {"s": {"Image|endswith": "\\CMD.exe", "OriginalFileName": "Cmd.Exe"}, "condition": "s"}
    query = query_of(sigma(asked, {"product": "windows", "category": "process_creation"}))
    event = windows(SYSMON, 1, OriginalFileName="cmd.exe")
    event.attributes["process"] = {"executable": {"path": "C:\\Windows\\cmd.EXE"}}
    holds = to_predicate(parse(query))
    assert holds(event)
    event.attributes["winlog"] |= {"channel": "Security", "event_id": 4688}
    assert holds(event)
    event.attributes["winlog"]["event_id"] = 4689
    assert not holds(event)


def test_windows_services_look_at_their_channel_and_a_dash_is_no_value() -> None:
    asked = {"s": {"EventID": 4625}, "f": {"IpAddress": "-"}, "condition": "s and not f"}
    holds = to_predicate(parse(query_of(sigma(asked, {"product": "windows", "service": "security"}))))
    assert holds(windows("Security", 4625, IpAddress="198.51.100.7"))
    assert not holds(windows("Security", 4625))
    assert not holds(windows("System", 4625, IpAddress="198.51.100.7"))


def test_a_member_of_a_record_without_parts_is_asked_where_it_stands() -> None:
    detection = {"selection": {"EventType": "CreateKey"}, "condition": "selection"}
    matches = to_predicate(parse(query_of(sigma(detection, {"product": "windows", "category": "registry_event"}))))
    assert matches(windows(SYSMON, 12, EventType="CreateKey"))
    flat = windows(SYSMON, 12)
    flat.attributes["winlog"]["event_type"] = "CreateKey"
    assert matches(flat)
    assert not matches(windows(SYSMON, 12, EventType="DeleteKey"))


def test_what_windows_tells_of_its_connections_is_no_netflow() -> None:
    detection = {"selection": {"destination.port": 21}, "condition": "selection"}
    matches = to_predicate(parse(query_of(sigma(detection, {"service": "netflow"}))))
    attributes = {"network": {"destination": {"port": 21}}}
    assert matches(Event("", 0, source="vpc", attributes=attributes))
    assert not matches(Event("", 0, source="windows", attributes=attributes))


def test_keywords_are_in_any_value_or_the_message() -> None:
    asked = {"keywords": ["Oops*at", "PANIC!"], "condition": "keywords"}
    holds = to_predicate(parse(query_of(sigma(asked, {"product": "linux"}))))
    assert holds(Event("", 0, "kernel: oops here at 0x0", source="syslog"))
    assert holds(Event("", 0, source="linux", attributes={"a": {"b": "kernel panic! now"}}))
    assert not holds(Event("", 0, "kernel panic", source="syslog"))
    assert not holds(Event("", 0, "kernel panic!", source="nginx"))


def test_the_author_is_kept_on_the_rule_and_in_what_a_signal_shows() -> None:
    document = sigma(
        {"s": {"k": "a"}, "condition": "s"},
        tags=["attack.credential-access", "attack.t1110.001", "cve.2021-44228"],
        references=["https://example.org/x"],
        falsepositives=["Tests of ours"],
        description="Finds {{braces}}.",
    )
    licence = SourceFile("LICENSE", "Detection Rule License (DRL) 1.1")
    (made,) = import_sigma([SourceFile("r.yml", yaml.dump(document)), licence]).rules
    body = made.body
    assert body["name"] == "A test"
    assert body["cases"][0]["status"] == "high"
    assert {"tactic:TA0006", "technique:T1110.001", "cve:2021-44228", "author:Ada Example, Bob Example"} <= set(
        body["tags"]
    )
    for text in ("Ada Example, Bob Example", "DRL", "https://example.org/x", "Tests of ours", document["id"]):
        assert text in body["message"]
    assert "{{" not in body["message"]


def test_ids_are_always_the_same() -> None:
    document = sigma({"s": {"k": "a"}, "condition": "s"})
    (one,), (other,) = imported(document).rules, imported({**document, "title": "Renamed"}).rules
    assert one.body["id"] == other.body["id"] == rule_id(document["id"])
    found = imported(document, {**document, "title": "Twin"})
    assert [refused.reason for refused in found.refused] == ["rule.yml has the same id"]


FAILED = {**sigma({"s": {"eventName": "ConsoleLogin", "errorCode": "*"}, "condition": "s"}), "name": "failed"}
GRANTED = {
    **sigma({"s": {"eventName": "AttachUserPolicy"}, "condition": "s"}),
    "name": "granted",
    "id": "6f2c1b1e-0000-4000-8000-00000000000b",
}


def correlation(**more: Any) -> dict[str, Any]:
    asked = {"type": "event_count", "rules": ["failed"], "group-by": ["sourceIPAddress"], "timespan": "5m"}
    return {
        "title": "Together",
        "id": "6f2c1b1e-0000-4000-8000-00000000000c",
        "level": "critical",
        "correlation": {**asked, "condition": {"gte": 10}, **more},
    }


def correlated(**more: Any) -> dict[str, Any]:
    found = imported(FAILED, GRANTED, correlation(**more))
    assert found.refused == []
    (made,) = [made for made in found.rules if made.is_correlation]
    assert check(made.body) == []
    return made.body


def test_event_count() -> None:
    body = correlated()
    assert body["cases"][0]["condition"] == "a >= 10"
    assert body["options"]["evaluationWindow"] == 300
    (query,) = body["queries"]
    assert query["groupByFields"] == ["@sourceIPAddress"]
    assert query["query"] == 'source:cloudtrail @errorCode:* ANYCASE(@eventName, "consolelogin")'


def test_value_count() -> None:
    body = correlated(type="value_count", condition={"gt": 3, "field": "userIdentity.arn"})
    assert body["cases"][0]["condition"] == "a > 3"
    assert body["queries"][0]["aggregation"] == "cardinality"
    assert body["queries"][0]["distinctFields"] == ["@userIdentity.arn"]


@pytest.mark.parametrize(
    ("kind", "condition"), [("temporal", "a > 0 && b > 0"), ("temporal_ordered", "a > 0 then b > 0")]
)
def test_temporal(kind: str, condition: str) -> None:
    aliases = {"who": {"failed": "userIdentity.userName", "granted": "requestParameters.userName"}}
    body = correlated(
        type=kind, rules=["failed", "granted"], condition={"gte": 2}, aliases=aliases, **{"group-by": ["who"]}
    )
    assert body["cases"][0]["condition"] == condition
    groups = [query["groupByFields"] for query in body["queries"]]
    assert groups == [["@userIdentity.userName"], ["@requestParameters.userName"]]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"condition": {"eq": 10}}, "'eq' cannot be decided while events still come"),
        ({"condition": {"lt": 10}}, "'lt' cannot be decided while events still come"),
        ({"timespan": "7m"}, "timespan of 420 s"),
        ({"timespan": "2d"}, "timespan of 172800 s"),
        ({"rules": ["gone"]}, "'gone', which is not there"),
        ({"type": "value_avg", "condition": {"gt": 3, "field": "k"}}, "value_avg"),
        ({"type": "temporal", "rules": ["failed", "granted"], "condition": {"gte": 1}}, "all of at least two rules"),
    ],
)
def test_correlations_that_would_count_otherwise_are_refused(more: dict[str, Any], reason: str) -> None:
    found = imported(FAILED, GRANTED, correlation(**more))
    assert reason in found.refused[-1].reason
    assert not any(made.is_correlation for made in found.rules)


def test_members_of_a_correlation_raise_nothing_alone_unless_asked_to() -> None:
    assert [made.body["name"] for made in imported(FAILED, correlation()).rules] == ["Together"]
    assert imported(FAILED, correlation()).only_correlated == ["rule.yml"]
    assert len(imported(FAILED, correlation(generate=True)).rules) == 2


def test_files_directories_and_archives(tmp_path: Path) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    rule = tmp_path / "rules" / "deep" / "a.yml"
    rule.write_text(yaml.dump(FAILED))
    (tmp_path / "rules" / "README.md").write_text("no rule")
    with tarfile.open(tmp_path / "r.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "rules", "rules")
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.write(rule, "rules/deep/a.yml")
    for place in ("rules", "rules/deep/a.yml", "r.tar.gz", "r.zip"):
        (made,) = import_sigma(read_files(tmp_path / place)).rules
        assert made.sigma_id == FAILED["id"]


@pytest.mark.parametrize(
    ("selection", "condition", "said"),
    [
        ("[" * 50_000 + "]" * 50_000, "a", "more than 64 levels"),
        ("\n    " + "- " * 50_000 + "x", "a", "more than 64 levels"),
        ("[" * 200 + "]" * 200, "a", "more than 64 levels"),
        ("&self [*self]", "a", "an alias within itself"),
        ("{Image: x}", "not " * 3000 + "a", "more levels within one another"),
    ],
    ids=["too deep to read", "without brackets", "deep", "endless", "condition"],
)
def test_what_is_nested_too_deeply_costs_only_its_own_file(selection: str, condition: str, said: str) -> None:
    logsource = "logsource: {product: windows, category: process_creation}"
    hostile = f"title: t\n{logsource}\ndetection:\n  a: {selection}\n  condition: {condition}\n"
    good = f"title: t\n{logsource}\ndetection: {{a: {{Image: x}}, condition: a}}\n"
    found = import_sigma([SourceFile("hostile.yml", hostile), SourceFile("good.yml", good)])
    assert [made.body["name"] for made in found.rules] == ["t"]
    (refused,) = found.refused
    assert refused.path == "hostile.yml"
    assert said in refused.reason
