# ruff: noqa: E501  tables of cases read best a line each
"""Each processor of siem.md §1.9, and what is said of a wrong one."""

from typing import Any

import pytest

from tocsin.enrich import parse_url, parse_user_agent
from tocsin.event import Event
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.lookups import Lookups
from tocsin.normalise.pipelines import Pipelines, compile_pipeline
from tocsin.normalise.run import Run

LOOKUPS = Lookups(
    place=lambda address: {"country": {"iso_code": "GB"}} if address == "81.2.69.142" else {},
    user_agent=parse_user_agent,
    url=parse_url,
)
NOW = 1_772_885_564_000


def processed(attributes: dict[str, Any], *processors: dict[str, Any], **reserved: Any) -> Event:
    event = Event("", NOW, attributes=attributes, **reserved)
    body = {"name": "test", "filter": {"query": "*"}, "processors": list(processors)}
    pipeline = compile_pipeline(body, LOOKUPS, enabled_by_default=True)
    assert pipeline is not None
    failures: list[Exception] = []
    Pipelines([pipeline]).run(event, Run(NOW, lambda name, error: failures.append(error)))
    assert failures == []
    return event


def remap(sources: list[str], target: str, **more: Any) -> dict[str, Any]:
    return {"type": "attribute-remapper", "sources": sources, "target": target} | more


@pytest.mark.parametrize(
    ("before", "processor", "after"),
    [
        ({"a": 1}, remap(["a"], "b.c"), {"b": {"c": 1}}),
        ({"a": 1}, remap(["a"], "b", preserve_source=True), {"a": 1, "b": 1}),
        ({"x": {"y": 1}}, remap(["x.y"], "b"), {"b": 1}),  # empty objects go with what they held
        ({"x": {"y": 1, "z": 2}}, remap(["x.y"], "b"), {"x": {"z": 2}, "b": 1}),
        ({"b": 2, "c": 3}, remap(["a", "b", "c"], "t"), {"c": 3, "t": 2}),  # the first present
        ({"a": None, "b": 2}, remap(["a", "b"], "t"), {"a": None, "t": 2}),
        ({"a": 1, "t": 9}, remap(["a"], "t"), {"t": 9}),
        ({"a": 1, "t": 9}, remap(["a"], "t", preserve_source=True), {"a": 1, "t": 9}),
        ({"a": 1, "t": 9}, remap(["a"], "t", override_on_conflict=True), {"t": 1}),
        ({"a": "7"}, remap(["a"], "t", target_format="integer"), {"t": 7}),
        ({"a": "x"}, remap(["a"], "t", target_format="integer"), {"t": "x"}),
        ({"a": "7.5"}, remap(["a"], "t", target_format="double"), {"t": 7.5}),
        ({"a": 7}, remap(["a"], "t", target_format="string"), {"t": "7"}),
        ({"a": "7"}, remap(["a"], "a", target_format="integer"), {"a": 7}),
        ({"a": {"b": 1}}, remap(["a"], "a.c"), {"a": {"c": {"b": 1}}}),
        ({"a.b": 1}, remap(["a.b"], "t"), {"t": 1}),  # a dotted key is the same path
        ({"a": {"b.c": 1, "d": 2}}, remap(["a.b.c"], "t"), {"a": {"d": 2}, "t": 1}),
        ({"a": [{"b": 5}]}, remap(["a.0.b"], "t", preserve_source=True), {"a": [{"b": 5}], "t": 5}),
        ({"a": 1, "t": "text"}, remap(["a"], "t.u", preserve_source=True), {"a": 1, "t": "text"}),
        ({}, remap(["a"], "t"), {}),
        ({"a": "81.2.69.142"}, {"type": "geo-ip-parser", "sources": ["a"], "target": "g"},
         {"a": "81.2.69.142", "g": {"country": {"iso_code": "GB"}}}),
        ({"a": "10.0.0.1"}, {"type": "geo-ip-parser", "sources": ["a"], "target": "g"}, {"a": "10.0.0.1", "g": {}}),
        ({"u": "http://h/a/?x=1"}, {"type": "url-parser", "sources": ["u"], "target": "d", "normalize_ending_slashes": True},
         {"u": "http://h/a/?x=1", "d": {"scheme": "http", "host": "h", "path": "/a", "queryString": {"x": "1"}}}),
        ({"u": "curl%2F8.0"}, {"type": "user-agent-parser", "sources": ["u"], "target": "d", "is_encoded": True},
         {"u": "curl%2F8.0", "d": {"os": {"family": "Other"}, "browser": {"family": "curl", "major": "8", "minor": "0"},
                                 "device": {"family": "Other", "category": "Other"}}}),
        ({"a": 2, "b": "3"}, {"type": "arithmetic-processor", "expression": "(a + b) * 10 / 4 - 1", "target": "t"},
         {"a": 2, "b": "3", "t": 11.5}),
        ({"a-b": 2}, {"type": "arithmetic-processor", "expression": "a-b - 1", "target": "t"}, {"a-b": 2, "t": 1}),
        ({"a": 1}, {"type": "arithmetic-processor", "expression": "a / 3", "target": "t"}, {"a": 1, "t": 0.333333333}),
        ({"a": 1}, {"type": "arithmetic-processor", "expression": "a / 0", "target": "t"}, {"a": 1}),
        ({"a": 1}, {"type": "arithmetic-processor", "expression": "a + b", "target": "t"}, {"a": 1}),
        ({"a": 1}, {"type": "arithmetic-processor", "expression": "a + b", "target": "t", "is_replace_missing": True},
         {"a": 1, "t": 1}),
        ({"a": 1, "l": [1, "x"]}, {"type": "string-builder-processor", "template": "%{a}-%{l}", "target": "t"},
         {"a": 1, "l": [1, "x"], "t": "1-1,x"}),
        ({"a": {}}, {"type": "string-builder-processor", "template": "%{a}", "target": "t"}, {"a": {}}),
        ({"l": [{}]}, {"type": "string-builder-processor", "template": "<%{l}>", "target": "t", "is_replace_missing": True},
         {"l": [{}], "t": "<>"}),
        ({"a": "x" * 300}, {"type": "string-builder-processor", "template": "%{a}", "target": "a"}, {"a": "x" * 256}),
        ({"a": "k"}, {"type": "lookup-processor", "source": "a", "target": "t", "lookup_table": ["k,v,w"]},
         {"a": "k", "t": "v,w"}),
        ({"a": 3}, {"type": "lookup-processor", "source": "a", "target": "t", "lookupTable": "3, Low\n4, Info"},
         {"a": 3, "t": "Low"}),
        ({"a": "z"}, {"type": "lookup-processor", "source": "a", "target": "t", "lookup_table": ["k,v"]}, {"a": "z"}),
        ({"a": "z"}, {"type": "lookup-processor", "source": "a", "target": "t", "lookup_table": ["k,v"],
                      "default_lookup": "d"}, {"a": "z", "t": "d"}),
        ({"c": 404}, {"type": "category-processor", "target": "t", "categories": [
            {"filter": {"query": "@c:>=500"}, "name": "error"}, {"filter": {"query": "@c:(>=400 <500)"}, "name": "warn"},
            {"filter": {"query": "*"}, "name": "other"}]}, {"c": 404, "t": "warn"}),
        ({"l": ["a"], "s": "b"}, {"type": "array-processor", "operation": {"type": "append", "source": "s", "target": "l"}},
         {"l": ["a", "b"], "s": "b"}),
        ({"s": "b"}, {"type": "array-processor", "operation": {"type": "append", "source": "s", "target": "l",
                      "preserve_source": False}}, {"l": ["b"]}),
        ({"l": [1, 2]}, {"type": "array-processor", "operation": {"type": "length", "source": "l", "target": "n"}},
         {"l": [1, 2], "n": 2}),
        ({"h": [{"n": "A", "v": 1}, {"n": "B", "v": 2}]}, {"type": "array-processor", "operation": {
            "type": "select", "source": "h", "filter": "n:B", "value_to_extract": "v", "target": "t"}},
         {"h": [{"n": "A", "v": 1}, {"n": "B", "v": 2}], "t": 2}),
        ({"h": [{"n": "A", "v": 1}, {"n": "b.c", "v": 2}]}, {"type": "array-processor", "operation": {
            "type": "key-value", "source": "h", "key_to_extract": "n", "value_to_extract": "v"}},
         {"h": [{"n": "A", "v": 1}, {"n": "b.c", "v": 2}], "A": 1, "b": {"c": 2}}),
        ({"h": [{"n": "A", "v": 1}], "t": {"A": 0}}, {"type": "array-processor", "operation": {
            "type": "key-value", "source": "h", "key_to_extract": "n", "value_to_extract": "v", "target": "t"}},
         {"h": [{"n": "A", "v": 1}], "t": {"A": 0}}),
        ({"l": [{"p": 1}, {"p": 600}], "k": 2}, {"type": "array-map-processor", "source": "l", "target": "m", "processors": [
            {"type": "arithmetic-processor", "expression": "$sourceElem.p * k", "target": "$targetElem.double"},
            {"type": "category-processor", "target": "$targetElem.size", "categories": [
                {"filter": {"query": "@$sourceElem.p:>500"}, "name": "big"}, {"filter": {"query": "*"}, "name": "small"}]},
            {"type": "string-builder-processor", "template": "p%{$sourceElem.p}", "target": "$targetElem.name"}]},
         {"l": [{"p": 1}, {"p": 600}], "k": 2, "m": [{"double": 2, "size": "small", "name": "p1"},
                                                  {"double": 1200, "size": "big", "name": "p600"}]}),
        ({"l": ["a", "b"]}, {"type": "array-map-processor", "source": "l", "target": "m", "preserve_source": False,
                             "processors": [remap(["$sourceElem"], "$targetElem.name")]},
         {"m": [{"name": "a"}, {"name": "b"}]}),
        ({"d": "aGk="}, {"type": "decoder-processor", "source": "d", "target": "t", "binary_to_text_encoding": "base64",
                         "input_representation": "utf_8"}, {"d": "aGk=", "t": "hi"}),
        ({"d": "00ff"}, {"type": "decoder-processor", "source": "d", "target": "t", "binary_to_text_encoding": "base16",
                         "input_representation": "integer"}, {"d": "00ff", "t": 255}),
        ({"d": "!!"}, {"type": "decoder-processor", "source": "d", "target": "t", "binary_to_text_encoding": "base64",
                       "input_representation": "utf_8"}, {"d": "!!"}),
        ({"a": {"b": 1}}, {"type": "exclude-attribute", "attribute_to_exclude": "a.b"}, {}),
    ],
)  # fmt: skip
def test_a_processor_changes_the_attributes(
    before: dict[str, Any], processor: dict[str, Any], after: dict[str, Any]
) -> None:
    assert processed(before, processor).attributes == after


def test_attributes_and_tags_are_remapped_to_each_other() -> None:
    event = processed({"t": "Web"}, remap(["t"], "team", target_type="tag"), tags=["env:prod"])
    assert (event.tags, event.attributes) == (["env:prod", "team:web"], {})
    event = processed({}, remap(["env"], "e", source_type="tag", preserve_source=True), tags=["env:a", "env:b", "x"])
    assert (event.tags, event.attributes) == (["env:a", "env:b", "x"], {"e": ["a", "b"]})


def test_reserved_attributes_are_set_once_in_pipeline_order() -> None:
    event = processed(
        {
            "d": "2026-01-01T00:00:00Z",
            "d2": 1,
            "s": "WARNING",
            "v": "shop",
            "m": "hello",
            "dd": {"trace_id": "7", "span_id": 8},
        },
        {"type": "date-remapper", "sources": ["nope", "d"]},
        {"type": "date-remapper", "sources": ["d2"]},
        {"type": "status-remapper", "sources": ["s"]},
        {"type": "status-remapper", "sources": ["v"]},
        {"type": "service-remapper", "sources": ["v"]},
        {"type": "service-remapper", "sources": ["m"]},
        {"type": "message-remapper", "sources": ["m"]},
        {"type": "trace-id-remapper", "sources": ["dd.trace_id"]},
        {"type": "span-id-remapper", "sources": ["dd.span_id"]},
    )
    assert (event.timestamp, event.status, event.service, event.message, event.trace_id) == (
        1767225600000,
        "warn",
        "shop",
        "hello",
        "7",
    )
    assert event.attributes == {
        "d": "2026-01-01T00:00:00Z",
        "d2": 1,
        "s": "WARNING",
        "v": "shop",
        "span_id": "8",
    }


def test_a_nested_pipeline_sees_the_event_as_it_stands() -> None:
    step = {"type": "lookup-processor", "source": "a", "target": "b", "lookup_table": ["1,2"]}
    nested = {"type": "pipeline", "name": "n", "filter": {"query": "@b:2"}, "processors": [remap(["a"], "c")]}
    assert processed({"a": 1}, nested, step).attributes == {"a": 1, "b": "2"}
    assert processed({"a": 1}, step, nested).attributes == {"b": "2", "c": 1}


def test_a_failing_processor_is_told_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> dict[str, Any]:
        raise RuntimeError("our own mistake")

    body = {
        "name": "p",
        "filter": {"query": "source:x"},
        "processors": [{"type": "url-parser", "sources": ["u"], "target": "d"}, remap(["a"], "b")],
    }
    pipeline = compile_pipeline(body, Lookups(url=broken), enabled_by_default=True)
    assert pipeline is not None
    told: list[str] = []
    event = Event("", NOW, source="x", attributes={"u": "/", "a": 1})
    Pipelines([pipeline]).run(event, Run(NOW, lambda name, error: told.append(f"{name}: {error}")))
    assert told == ["p: our own mistake"]
    assert event.attributes == {"u": "/", "b": 1}


def test_what_is_switched_off_does_nothing_but_must_be_valid() -> None:
    body = {"name": "p", "is_enabled": True, "processors": [remap(["a"], "b")]}
    pipeline = compile_pipeline(body, LOOKUPS)  # as through the API: processors are off unless they say otherwise
    assert pipeline is not None
    assert pipeline.processes == ()
    assert compile_pipeline({"name": "p", "processors": []}, LOOKUPS) is None
    with pytest.raises(BadPipeline):
        compile_pipeline({"name": "p", "processors": [{"type": "date-remapper", "is_enabled": False}]}, LOOKUPS)


def test_only_pipelines_of_the_source_are_looked_at() -> None:
    def pipeline(query: str) -> Any:
        return compile_pipeline({"name": query, "filter": {"query": query}}, LOOKUPS, enabled_by_default=True)

    assert pipeline("source:(a OR b)").sources == {"a", "b"}
    assert pipeline("source:a @x:1").sources == {"a"}
    assert pipeline("source:a OR @x:1").sources is None
    assert pipeline("-source:a").sources is None
    assert pipeline("source:a").matches is None
    assert pipeline("source:a @x:1").matches is not None


@pytest.mark.parametrize(
    ("processor", "where", "problem"),
    [
        ({"type": "nope"}, "processors[0].type", "unknown processor"),
        ({}, "processors[0].type", "is required"),
        ("text", "processors[0]", "an object is expected"),
        (remap([], "t"), "processors[0].sources", "at least one"),
        (remap(["a"], "a:b"), "processors[0].target", "':' and ','"),
        (remap(["a"], "a..b"), "processors[0].target", "empty part"),
        (remap(["a"], "b", target_format="float"), "processors[0].target_format", "none of auto"),
        (remap(["a"], "b", target_format="integer", target_type="tag"), "processors[0].target_format", "only attributes"),
        (remap(["a"], "b", preserve_source="yes"), "processors[0].preserve_source", "true or false"),
        ({"type": "grok-parser", "grok": {"match_rules": "a %{b}"}}, "processors[0].grok.match_rules.a", "neither"),
        ({"type": "grok-parser", "samples": ["x"] * 6, "grok": {"match_rules": "a b"}}, "processors[0].samples", "at most 5"),
        ({"type": "arithmetic-processor", "expression": "a + ", "target": "t"}, "processors[0].expression", "missing"),
        ({"type": "arithmetic-processor", "expression": "(a", "target": "t"}, "processors[0].expression", "not closed"),
        ({"type": "arithmetic-processor", "expression": "a b", "target": "t"}, "processors[0].expression", "not expected"),
        ({"type": "arithmetic-processor", "expression": "a ! b", "target": "t"}, "processors[0].expression", "neither"),
        ({"type": "category-processor", "target": "t", "categories": [{"filter": {"query": "("}, "name": "x"}]},
         "processors[0].categories[0].filter.query", "does not parse"),
        ({"type": "category-processor", "target": "t", "categories": [{"filter": {"query": "a"}, "name": "x"}] * 2},
         "processors[0].categories[1].name", "two categories"),
        ({"type": "lookup-processor", "source": "a", "target": "t", "lookup_table": ["x"]},
         "processors[0].lookup_table[0]", "'key,value'"),
        ({"type": "lookup-processor", "source": "a", "target": "t", "lookup_table": ["a,b"],
          "lookup_enrichment_table": "x"}, "processors[0].lookup_table", "either a lookup_table or"),
        ({"type": "array-map-processor", "source": "l", "target": "l", "preserve_source": False, "processors": []},
         "processors[0].preserve_source", "same list"),
        ({"type": "array-map-processor", "source": "l", "target": "m", "processors": [remap(["a"], "b")]},
         "processors[0].processors[0].target", "$targetElem"),
        ({"type": "pipeline", "name": "n", "processors": [{"type": "pipeline", "name": "m", "processors": []}]},
         "processors[0].processors[0]", "cannot hold another"),
    ],
)  # fmt: skip
def test_a_wrong_processor_says_where_and_what(processor: Any, where: str, problem: str) -> None:
    with pytest.raises(BadPipeline) as caught:
        compile_pipeline({"name": "p", "processors": [processor]}, LOOKUPS, enabled_by_default=True)
    assert caught.value.where == where
    assert problem in caught.value.problem


def test_a_lookup_in_a_reference_table_writes_the_row() -> None:
    def row(table: str, key: str) -> dict[str, Any] | None:
        return {"team": "red", "level": 3} if (table, key) == ("staff", "7") else None

    processor = {"type": "lookup-processor", "source": "id", "target": "who", "lookup_enrichment_table": "staff"}
    body = {"name": "p", "processors": [processor]}
    pipeline = compile_pipeline(body, Lookups(row=row), enabled_by_default=True)
    assert pipeline is not None
    for given, found in ((7, {"team": "red", "level": 3}), ("8", None), (None, None)):
        event = Event("", NOW, attributes={"id": given})
        Run(NOW).all_of(pipeline.processes, event)
        assert event.attributes.get("who") == found
