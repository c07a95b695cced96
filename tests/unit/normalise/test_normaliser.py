"""From raw records to events: JSON, reserved attributes, limits, sources, ids (siem.md §1.1-1.6, api.md §2)."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.event import Event, RawRecord, Rejected
from tocsin.normalise import Aliases, BadPipeline, Normaliser
from tocsin.normalise.limits import LIMITS, Limits, enforce, may_break
from tocsin.normalise.sources import source_of
from tocsin.normalise.status import status_of
from tocsin.query.values import flatten

NOW = 1_772_885_564_000
PLAIN = Normaliser([])


def raw(body: dict[str, Any] | str, **more: Any) -> RawRecord:
    data = body.encode("utf-8", "replace") if isinstance(body, str) else orjson.dumps(body)
    return RawRecord(body=body, received_at=NOW, raw=data, **more)


def event(body: dict[str, Any] | str, **more: Any) -> Event:
    return PLAIN.normalise(raw(body, **more))


def test_the_agents_shape() -> None:
    found = event(
        {
            "message": "hello",
            "status": "warn",
            "timestamp": 1767225600123,
            "hostname": "bastion-1",
            "service": "ssh",
            "ddsource": "demo",
            "ddtags": "Env:Prod,team:infra,,env:prod",
            "usr": {"id": "root"},
        },
        tags=("request:1", "env:prod"),
        source="ignored",
        host="ignored",
    )
    assert (found.message, found.status, found.timestamp, found.host, found.service, found.source) == (
        "hello",
        "warn",
        1767225600123,
        "bastion-1",
        "ssh",
        "demo",
    )
    assert found.tags == ["env:prod", "team:infra", "request:1"]
    assert found.attributes == {"usr": {"id": "root"}}


def test_defaults_of_the_request_fill_what_the_body_does_not_say() -> None:
    found = event("a line", source="s", service="v", host="h", tags=("A:B",))
    assert (found.source, found.service, found.host, found.tags, found.timestamp) == ("s", "v", "h", ["a:b"], NOW)


@pytest.mark.parametrize(
    ("body", "attributes", "message"),
    [
        ('{"a": 1, "message": "m"}', {"a": 1}, "m"),
        (' {"a": 1}', {"a": 1}, ""),
        ('{"a": 1', {}, '{"a": 1'),
        ("[1]", {}, "[1]"),
        ({"message": '{"a": 1, "message": "m"}', "b": 2}, {"a": 1, "b": 2}, "m"),
        ({"message": {"a": 1}, "b": 2}, {"a": 1, "b": 2}, ""),
        ({"message": '{"a": 1}', "a": 2}, {"a": 2}, ""),  # the envelope wins
        ({"message": 5, "b": 2}, {"message": 5, "b": 2}, ""),
        ({"message": None, "b": 2}, {"message": None, "b": 2}, ""),
        ({"msg": "m", "b": 2}, {"msg": "m", "b": 2}, "m"),  # what loggers call it; queries may read it there
        ({"log": "m\n", "stream": "stdout"}, {"log": "m\n", "stream": "stdout"}, "m"),  # container runtimes
        ({"log": '{"a": 1, "msg": "m"}\n', "b": 2}, {"a": 1, "msg": "m", "b": 2}, "m"),
        ({"message": "m", "msg": "n", "log": "o"}, {"msg": "n", "log": "o"}, "m"),
        ({"msg": {"a": 1}, "log": {"b": 2}}, {"msg": {"a": 1}, "log": {"b": 2}}, ""),  # attributes like others
    ],
)
def test_automatic_json(body: dict[str, Any] | str, attributes: dict[str, Any], message: str) -> None:
    found = event(body)
    assert (found.attributes, found.message) == (attributes, message)


@pytest.mark.parametrize(
    "body",
    [
        {"host": "h"},
        {"hostname": "h"},
        {"syslog": {"hostname": "h"}},
    ],
)
def test_names_of_the_host(body: dict[str, Any]) -> None:
    assert event({"message": "m"} | body).host == "h"


@pytest.mark.parametrize(
    "syslog",
    [
        {"syslog": {"hostname": "web-7", "appname": "sso", "severity": 3}},
        {"syslog.hostname": "web-7", "syslog.appname": "sso", "syslog.severity": 3},
    ],
)
def test_a_syslog_header_in_either_spelling(syslog: dict[str, Any]) -> None:
    found = event({"message": "m", **syslog}, host="relay")
    assert (found.host, found.service, found.status) == ("web-7", "sso", "error")


def test_objects_under_reserved_names_stay_attributes() -> None:
    body = {"host": {"name": "h"}, "service": ["x"], "status": {"code": 1}, "severity": {"text": "x"}, "message": "m"}
    found = event(body)
    assert found.host is None
    assert found.attributes == {name: value for name, value in body.items() if name != "message"}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"timestamp": 1767225600000}, {}),
        ({"timestamp": "2026-01-01T00:00:00Z"}, {}),
        ({"date": 1767225600}, {"date": 1767225600}),
        ({"@timestamp": "2026-01-01T00:00:00Z"}, {"@timestamp": "2026-01-01T00:00:00Z"}),
        ({"_timestamp": 1767225600000}, {"_timestamp": 1767225600000}),
        ({"Timestamp": 1767225600000}, {"Timestamp": 1767225600000}),
        ({"eventTime": "2026-01-01T00:00:00Z"}, {"eventTime": "2026-01-01T00:00:00Z"}),
        ({"published_date": "2026-01-01 00:00:00"}, {"published_date": "2026-01-01 00:00:00"}),
        ({"timestamp": "soon", "date": 1767225600}, {"timestamp": "soon", "date": 1767225600}),
    ],
)
def test_dates(body: dict[str, Any], kept: dict[str, Any]) -> None:
    found = event(body | {"x": 1})
    assert found.timestamp == 1767225600000
    assert found.attributes == kept | {"x": 1}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (0, "emergency"), (3, "error"), ("4", "warn"), (7, "debug"), (8, "info"), (6.0, "info"),
        ("emerg", "emergency"), ("FATAL", "emergency"), ("alert", "alert"), ("Critical", "critical"), ("err", "error"),
        ("ERROR", "error"), ("E", "error"), ("warning", "warn"), ("W", "warn"), ("notice", "notice"), ("info", "info"),
        ("debug", "debug"), ("trace", "debug"), ("Verbose", "debug"), ("ok", "ok"), ("Success", "ok"), ("", "info"),
        ("zebra", "info"), (None, None), (True, None), ({}, None),
    ],
)  # fmt: skip
def test_the_status_table(value: Any, status: str | None) -> None:
    assert status_of(value) == status


def test_a_status_that_may_be_something_else_is_kept_too() -> None:
    found = event({"message": "m", "status": "active"})
    assert (found.status, found.attributes) == ("alert", {"status": "active"})
    found = event({"message": "m", "severity": "high", "level": 3})
    assert (found.status, found.attributes) == ("info", {"severity": "high", "level": 3})
    assert event({"message": "m", "syslog": {"severity": 3}}).status == "error"


def test_trace_ids() -> None:
    assert event({"message": "m", "trace_id": "7"}).trace_id == "7"
    assert event({"message": "m", "dd": {"trace_id": 7}}).trace_id == "7"
    assert event({"message": "m", "dd.trace_id": "7"}).trace_id == "7"


def test_ids_follow_content_sender_and_occurrence() -> None:
    body = {"message": "m", "timestamp": 1767225600000}
    first = event(body)
    assert first.id == event(body).id
    assert len({first.id, event(body, occurrence=1).id, event(body, host="h").id, event(body | {"a": 1}).id}) == 4


@pytest.mark.parametrize("body", ["", {"message": ""}, {"message": "{}"}])
def test_what_holds_nothing_is_rejected(body: dict[str, Any] | str) -> None:
    with pytest.raises(Rejected) as caught:
        event(body)
    assert caught.value.code == "empty"


@pytest.mark.parametrize("moment", [0, 86_400_000, 9_999_999_999_999, -5])
def test_a_time_that_cannot_be_is_replaced_and_kept(moment: int) -> None:
    found = event({"message": "m", "timestamp": moment})
    if found.timestamp == NOW and moment != -5:
        assert found.attributes["tocsin"]["original_timestamp"] in (moment, moment * 1000)
    assert found.timestamp >= 315_532_800_000


def test_late_events_keep_their_time() -> None:
    assert event({"message": "m", "timestamp": NOW - 400 * 86_400_000}).timestamp == NOW - 400 * 86_400_000


# -- limits -----------------------------------------------------------------------------------------------------------


def test_a_long_message_is_cut_and_tagged() -> None:
    found = event({"message": "ü" * 700_000})
    assert len(found.message.encode()) <= LIMITS.event_bytes
    assert found.tags == ["truncated:true"]


def test_a_large_attribute_is_cut_and_tagged() -> None:
    found = event({"blob": "x" * 3_000_000, "usr": {"id": "ana"}})
    assert len(orjson.dumps(found.attributes)) <= LIMITS.event_bytes + 100
    assert found.attributes["usr"] == {"id": "ana"}
    assert "truncated:true" in found.tags


def test_too_many_attributes_are_cut_what_pipelines_made_last() -> None:
    found = event({f"k{n}": n for n in range(400)} | {"usr": {"id": "ana"}})
    assert len(found.attributes) == LIMITS.attributes
    assert found.attributes["usr"] == {"id": "ana"}
    assert "truncated:true" in found.tags


def test_long_lists_are_not_many_attributes() -> None:
    found = event({"rules": [{"port": n, "open": True} for n in range(300)]})
    assert len(found.attributes["rules"]) == 300
    assert found.tags == []


def test_depth_is_cut_to_text() -> None:
    deep: dict[str, Any] = {"end": 1}
    for _ in range(40):
        deep = {"d": deep}
    found = event(deep)
    depth, node = 0, found.attributes
    while isinstance(node, dict):
        node, depth = node["d"], depth + 1
    assert depth == LIMITS.depth
    assert orjson.loads(node) is not None
    assert "truncated:true" in found.tags


@pytest.mark.parametrize("depth", [300, 1020])
def test_a_text_that_is_deeper_json_than_can_be_written_is_cut(depth: int) -> None:
    for brackets in ('{"a":', "}"), ("[", "]"):
        text = '{"list":' + brackets[0] * depth + "1" + brackets[1] * depth + "}"
        found = event({"message": text, "usr": {"id": "ana"}})
        assert found.attributes["usr"] == {"id": "ana"}
        assert found.tags == ["truncated:true"]
        assert orjson.dumps(found.attributes)


def test_tags_are_cut() -> None:
    found = event({"message": "m", "ddtags": [f"t{n}" for n in range(150)] + ["x" * 300]})
    assert len(found.tags) == 101
    assert found.tags[-1] == "truncated:true"
    assert event({"message": "m", "ddtags": "x" * 300}).tags == ["x" * 200, "truncated:true"]


@given(
    st.recursive(
        st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
        max_leaves=60,
    )
)
def test_the_quick_look_at_the_bytes_misses_nothing(value: Any) -> None:
    def depth(node: Any) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return 1 + max(map(depth, inner), default=0) if isinstance(node, dict | list) else 0

    body = {"v": value}
    if depth(body) >= LIMITS.depth:
        assert may_break(orjson.dumps(body))


DOCUMENTS = st.dictionaries(
    st.text("ab.", max_size=3),
    st.recursive(
        st.none() | st.integers(0, 9) | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
        max_leaves=20,
    ),
    max_size=4,
)


@given(DOCUMENTS, st.integers(1, 8), st.integers(1, 5), st.integers(1, 300))
def test_what_is_not_cut_is_within_the_limits(document: dict[str, Any], paths: int, depth: int, size: int) -> None:
    found = Event("", 0, attributes=document)
    before = orjson.dumps(document)
    if not enforce(found, 0, Limits(event_bytes=size, attributes=paths, depth=depth)):
        assert orjson.dumps(found.attributes) == before
        assert found.tags == []
        assert len(flatten(document)) <= paths
        assert levels(document) <= depth
        assert sum(len(text) for texts in flatten(document).values() for text in texts if isinstance(text, str)) <= size
    else:
        assert found.tags == ["truncated:true"]


def levels(node: Any) -> int:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
    return 0 if inner is None else 1 + max(map(levels, inner), default=0)


@given(DOCUMENTS, st.sampled_from(["", "from 203.0.113.9", "203.0.113.9 to 2001:db8::1"]))
def test_values_are_those_of_the_event(document: dict[str, Any], text: str) -> None:
    body = {**document, "agent": text, "timestamp": -(10**13) if "a" in document else NOW}
    found, values = PLAIN.with_values(raw(body))
    assert {path: sorted(map(repr, at_path)) for path, at_path in values.items()} == {
        path: sorted(map(repr, at_path)) for path, at_path in flatten(found.attributes).items()
    }


def test_wide_and_deep_records_are_noticed() -> None:
    assert may_break(orjson.dumps({f"k{n}": n for n in range(257)}))
    assert not may_break(orjson.dumps({f"k{n}": n for n in range(100)}))
    assert may_break(b'{"a":' * 20 + b"1" + b"}" * 20)
    assert may_break(b"x" * 1_000_001)


# -- aliases ----------------------------------------------------------------------------------------------------------


def test_aliases_are_copied_in_their_type_over_what_is_there() -> None:
    aliases = Aliases(
        [
            ("network.client.ip", "string", ["src_ip", "client.ip"]),
            ("network.client.port", "integer", ["src_port"]),
            ("http.status_code", "integer", ["status_code"]),
            ("duration", "double", []),
        ]
    )
    attributes: dict[str, Any] = {
        "src_ip": "1.2.3.4",
        "client": {"ip": "5.6.7.8"},
        "src_port": "99",
        "status_code": "none",
        "network": {"client": {"port": 1}},
    }
    aliases.apply(attributes)
    assert attributes["network"] == {"client": {"ip": "1.2.3.4", "port": 99}}
    assert "http" not in attributes, "an impossible cast skips the alias"
    assert attributes["src_ip"] == "1.2.3.4"
    dotted = {"client.ip": "5.6.7.8"}
    aliases.apply(dotted)
    assert dotted["network"] == {"client": {"ip": "5.6.7.8"}}


def test_wrong_standard_attributes_are_refused() -> None:
    with pytest.raises(BadPipeline, match="parent"):
        Aliases([("usr", "string", []), ("usr.id", "string", [])])
    with pytest.raises(BadPipeline, match="itself"):
        Aliases([("usr.id", "string", ["usr.name"]), ("usr.name", "string", [])])
    with pytest.raises(BadPipeline, match="none of"):
        Aliases([("usr.id", "text", [])])


# -- sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "source"),
    [
        ({"eventVersion": "1.08", "eventSource": "iam.amazonaws.com", "eventName": "X"}, "cloudtrail"),
        ({"Event": {"System": {"EventID": 1, "Channel": "System"}}}, "windows"),
        ({"System": {"Provider": {}}, "EventData": {}}, "windows"),
        ({"EventID": 4624, "Channel": "Security"}, "windows"),
        ({"winlog": {"event_id": 1}}, "windows"),
        ({"eventType": "user.session.start", "actor": {}, "outcome": {}}, "okta"),
        ({"action": "repo.create", "actor": "ana", "org": "o"}, "github"),
        ({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "verb": "get"}, "kubernetes"),
        ({"kind": "Event", "verb": "get", "objectRef": {}}, "kubernetes"),
        ({"kind": "Event", "apiVersion": "v1", "reason": "BackOff"}, None),
        ({"action": "click", "actor": "ana", "org": "o"}, None),
        ({"eventType": "page_view", "actor": "x"}, None),
        ("Mar  7 09:12:44 h sshd[1]: Connection closed by 203.0.113.9 port 1", "sshd"),
        ("<38>Mar  7 09:12:44 h sudo: ana : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls", "sshd"),
        ("2026-03-07T09:12:44.123456+01:00 h CRON[7]: pam_unix(cron:session): session opened for user root", "sshd"),
        ("Failed password for root from 203.0.113.9 port 40022 ssh2", "sshd"),
        ('203.0.113.9 - - [07/Mar/2026:09:12:44 +0000] "GET / HTTP/1.1" 200 1', "nginx"),
        ({"kind": "admin#reports#activity", "events": []}, "gsuite"),
        ({"id": {"applicationName": "login"}, "type": "login", "name": "logout"}, "gsuite"),
        ({"resourceId": "/tenants/t/providers/Microsoft.aadiam", "category": "AuditLogs"}, "azure.activedirectory"),
        ({"userPrincipalName": "a@b.example", "appDisplayName": "Portal"}, "azure.activedirectory"),
        ({"resourceId": "/SUBSCRIPTIONS/1/RESOURCEGROUPS/R", "operationName": "X"}, "azure"),
        ({"protoPayload": {"methodName": "SetIamPolicy"}}, "gcp"),
        ({"data": {"protoPayload": {}}}, "gcp"),
        ({"action": "user_login", "actor": {"user": {}}, "context": {"ip_address": "203.0.113.9"}}, "slack"),
        ({"action": "opened", "actor": {"x": 1}, "context": {"page": 1}}, None),
        ({"session_uuid": "s", "target_user": {}, "category": "success"}, "1password"),
        ({"item_uuid": "i", "vault_uuid": "v"}, "1password"),
        ({"operation_detail": "x", "operator": "a"}, "zoom"),
        ({"query_name": "a.example.", "query_type": "A", "vpc_id": "vpc-1"}, "route53"),
        ({"internalIp": "10.0.0.1", "domain": "a.example."}, "cisco-umbrella"),
        ("client @0x7f8e 10.0.0.1#5 (a.example): query: a.example IN A + (10.0.0.2)", "bind"),
        ("Mar  7 09:12:44 h dnsmasq[1]: query[A] a.example from 10.0.0.1", "dnsmasq"),
        ("Mar  7 09:12:44 h unbound[1]: [1:0] info: 10.0.0.1 a.example. A IN", "unbound"),
        ("203.0.113.9:51 [ana] Peer Connection Initiated with [AF_INET]203.0.113.9:51", "openvpn"),
        ("<166>Mar  7 2026 09:12:44: %ASA-6-113039: Group <G> User <u> IP <203.0.113.9> AnyConnect", "cisco-asa"),
        ("Mar  7 09:12:44 h 1,2026/03/07 09:12:44,01,GLOBALPROTECT,0,2561", "paloalto"),
        ("Mar  7 09:12:44 h kernel: wireguard: wg0: Keypair 3 created for peer 1", "wireguard"),
        ("Mar  7 09:12:44 h myapp[1]: named: nothing to see", None),
        ("Mar  7 09:12:44 h myapp[1]: started", None),
        ("hello", None),
    ],
)  # fmt: skip
def test_sources_are_recognised(body: dict[str, Any] | str, source: str | None) -> None:
    attributes, message = (body, "") if isinstance(body, dict) else ({}, body)
    assert source_of(attributes, message) == source


@given(st.text(max_size=300))
def test_any_text_is_an_event_or_rejected(text: str) -> None:
    try:
        event(text)
    except Rejected as rejected:
        assert rejected.code == "empty"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["message", "timestamp", "status", "host", "service", "ddsource", "ddtags", "trace_id", "dd", "syslog", "network",
     "Event", "System", "EventID", "Channel", "winlog", "eventSource", "eventVersion", "eventType", "actor", "outcome",
     "action", "org", "apiVersion", "kind", "verb", "user_agent", "client", "src_ip"]
)  # fmt: skip


@given(st.dictionaries(NAMES | st.text(max_size=5), JSON, min_size=1, max_size=8))
def test_any_object_is_an_event_or_rejected(body: dict[str, Any]) -> None:
    try:
        event(body)
    except Rejected as rejected:
        assert rejected.code == "empty"
