# ruff: noqa: E501  tables of cases read best a line each
"""Matchers, filters and rules of grok (siem.md §1.10)."""

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.enrich import parse_url, parse_user_agent
from tocsin.normalise.errors import BadPipeline
from tocsin.normalise.grok import compile_grok
from tocsin.normalise.grok.ruby_hash import read_ruby_hash
from tocsin.normalise.lookups import Lookups

LOOKUPS = Lookups(user_agent=parse_user_agent, url=parse_url)
NOW = 1_772_885_564_000


def parse(pattern: str, text: str, support: str = "") -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    return found if compile_grok(f"rule {pattern}", support, LOOKUPS).apply(text, NOW, found) else None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("%{word:user} connected on %{date(\"MM/dd/yyyy\"):date}", "ana connected on 03/07/2026",
         {"user": "ana", "date": 1772841600000}),
        ("%{notSpace:a.b} %{data:a.c}", "x y z", {"a": {"b": "x", "c": "y z"}}),
        ("%{data:a}", "two\nlines", {"a": "two\nlines"}),
        ("%{integer:n}", "-42", {"n": -42}),
        ("%{integerStr:n}", "-42", {"n": "-42"}),
        ("%{integerExt:n}", "1e3", {"n": 1000}),
        ("%{number:n}", "3.5", {"n": 3.5}),
        ("%{number:n}", "3", {"n": 3}),
        ("%{numberExt:n}", "-1.5e2", {"n": -150}),
        ("%{numberExtStr:n}", "-1.5e2", {"n": "-1.5e2"}),
        ("%{number:n}", "x", None),
        ("%{boolean:b}", "TRUE", {"b": True}),
        ('%{boolean("yes","no"):b}', "no", {"b": False}),
        ("%{uuid:u}", "123e4567-e89b-12d3-a456-426614174000", {"u": "123e4567-e89b-12d3-a456-426614174000"}),
        ("%{mac:m}", "00:1B:44:11:3a:b7", {"m": "00:1B:44:11:3a:b7"}),
        ("%{ipv4:i}", "203.0.113.9", {"i": "203.0.113.9"}),
        ("%{ipv4:i}", "203.0.113.900", None),
        ("%{ipv6:i}", "2001:db8::1", {"i": "2001:db8::1"}),
        ("%{ipv6:i}", "::ffff:203.0.113.9", {"i": "::ffff:203.0.113.9"}),
        ("%{ip:i}", "::1", {"i": "::1"}),
        ("%{hostname:h}", "web-7.example.com", {"h": "web-7.example.com"}),
        ("%{ipOrHost:h}:%{port:p}", "web-7:8080", {"h": "web-7", "p": "8080"}),
        ("%{doubleQuotedString:q}", r'"a \" b"', {"q": r'"a \" b"'}),
        ("%{singleQuotedString:q}", "'a'", {"q": "'a'"}),
        ("%{quotedString:q}", "'a'", {"q": "'a'"}),
        (r'%{regex("[a-z]+\\d"):r}', "ab1", {"r": "ab1"}),
        ("(a|%{word:w})?!", "a!", {}),
        ("%{word:w}", "a b", None),  # the whole text must match
        (r"\[%{data:a:nullIf(\"-\")}\]".replace('\\"', '"'), "[-]", {}),
        ("%{data:a:lowercase} %{data:b:uppercase}", "AB cd", {"a": "ab", "b": "CD"}),
        ("%{data:a:boolean}", "true", {"a": True}),
        ("%{data:a:integer}", "7", {"a": 7}),
        ("%{integer:a:scale(1000)}", "7", {"a": 7000}),
        ("%{number:a:scale(0.001)}", "7", {"a": 0.007}),
        ("%{data::json}", '{"x": {"y": 1}}', {"x": {"y": 1}}),
        ("%{data:d:json}", "[1, 2]", {"d": [1, 2]}),
        ("%{data:d:json}", "{", {}),
        ("%{data:d:querystring}", "?a=1&b=%20&a=2", {"d": {"a": ["1", "2"], "b": " "}}),
        ("%{data:d:decodeuricomponent}", "a%20b", {"d": "a b"}),
        ("%{data:u:url}", "https://h:81/p?x=1", {"u": {"scheme": "https", "host": "h", "port": 81, "path": "/p",
                                                     "queryString": {"x": "1"}}}),
        ("%{data::keyvalue}", "user=ana id=123 action=click", {"user": "ana", "id": 123, "action": "click"}),
        ("%{data::keyvalue}", 'a="x y", b=<z>; c=\'w\'', {"a": "x y", "b": "z", "c": "w"}),
        ("%{data::keyvalue}", "free text without pairs", {}),
        ('%{data::keyvalue(": ")}', "user: ana id: 123", {"user": "ana", "id": 123}),
        ('%{data::keyvalue("=", "", "", "|")}', "a=1|b=x y|c=", {"a": 1, "b": "x y"}),
        ('%{data::keyvalue("=", "/:")}', "url=https://h.example/e user=ana", {"url": "https://h.example/e", "user": "ana"}),
        ('%{data:d:array("[]",",")}', "[a, b,c]", {"d": ["a", "b", "c"]}),
        ('%{data:d:array(";")}', "a;b", {"d": ["a", "b"]}),
        ('%{data:d:array("[]",",",integer)}'.replace(",integer", ", integer"), "[1,2]", {"d": [1, 2]}),
        ('%{data:d:csv("first,last")}', '"Ada, Countess",Lovelace', {"d": {"first": "Ada, Countess", "last": "Lovelace"}}),
        ('%{data:d:csv("a|b","|")}', "1|2", {"d": {"a": 1, "b": 2}}),
        ("%{data:d:xml}", '<e id="1"><n>x</n><n>y</n></e>', {"d": {"e": {"id": "1", "n": ["x", "y"]}}}),
        ("%{data:d:xml}", '<!DOCTYPE e [<!ENTITY a "b">]><e>&a;</e>', {}),
        ("%{data::rubyhash}", '{:status=>500, "path"=>"/", :tags=>["a", nil], :in=>{:x=>1.5}}',
         {"status": 500, "path": "/", "tags": ["a", None], "in": {"x": 1.5}}),
    ],
)  # fmt: skip
def test_a_pattern_extracts(pattern: str, text: str, expected: dict[str, Any] | None) -> None:
    assert parse(pattern, text) == expected


def test_user_agents_are_taken_apart() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
    found = parse("%{data:u:useragent}", agent)
    assert found is not None
    assert found["u"]["browser"]["family"] == "Firefox"


def test_the_first_rule_that_matches_wins_whatever_was_seen_before() -> None:
    grok = compile_grok("a x %{integer:a}\nb x %{word:b}\nc %{data:c}", "", LOOKUPS)
    for text, expected in [("x 1", {"a": 1}), ("x y", {"b": "y"}), ("z", {"c": "z"}), ("x 1", {"a": 1}), ("", {})] * 3:
        found: dict[str, Any] = {}
        grok.apply(text, NOW, found)
        assert found == expected


def test_remembered_results_are_not_shared() -> None:
    grok = compile_grok("a %{data:a:json}", "", LOOKUPS)
    first: dict[str, Any] = {}
    grok.apply('{"x": [1]}', NOW, first)
    first["a"]["x"].append(2)
    second: dict[str, Any] = {}
    grok.apply('{"x": [1]}', NOW, second)
    assert second == {"a": {"x": [1]}}


def test_a_year_is_not_remembered() -> None:
    grok = compile_grok('a %{date("MMM dd"):d}', "", LOOKUPS)
    years = []
    for now in (1_772_885_564_000, 1_772_885_564_000 + 400 * 86_400_000):
        found: dict[str, Any] = {}
        grok.apply("Mar 01", now, found)
        years.append(found["d"])
    assert years[0] != years[1]


def test_support_rules_and_earlier_rules_are_fragments() -> None:
    support = "_pair %{word:key}=%{word:value}\n_kinds red|green"
    assert parse("%{_pair} %{_kinds:kind}", "a=b green", support) == {"key": "a", "value": "b", "kind": "green"}


def test_groups_of_the_author_do_not_count() -> None:
    assert parse(r'(?:a|(b))(?P<x>c)%{regex("(d)(e)"):f}[(]%{word:g}', "bcde(h") == {"f": "de", "g": "h"}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("", "at least one rule"),
        ("name", "is no rule"),
        ("a %{word:x}\na %{word:y}", "two rules 'a'"),
        ("a %{nope:x}", "neither a matcher nor a rule is called 'nope'"),
        ("a %{word:x:nope}", "unknown filter 'nope'"),
        ("a %{word:x", "not closed"),
        ("a %{date:x}", "date needs a pattern"),
        ("a (?=x)", "does not compile"),
        (r"a (x)\1", "does not compile"),
        ("a %{a}", "in a circle"),
        ("a %{data:x:scale(much)}", "scale needs a number"),
        ("\n".join(f"r{n} %{{word}}" for n in range(11)), "at most 10"),
        ('a %{regex("x):y}', "is not closed"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(rules: str, message: str) -> None:
    with pytest.raises(BadPipeline, match=message.replace("(", r"\(")):
        compile_grok(rules, "", LOOKUPS)


def test_evil_patterns_take_linear_time() -> None:
    grok = compile_grok('evil %{regex("(a+)+b"):x}', "", LOOKUPS)
    started = time.process_time()
    assert grok.apply("a" * 50_000, NOW, {}) is False
    assert time.process_time() - started < 1


@given(st.text(max_size=60))
def test_no_text_breaks_a_filter(text: str) -> None:
    for pattern in ("%{data::keyvalue}", "%{data::rubyhash}", "%{data:x:xml}", '%{data:x:array("[]",",")}', "%{data:x:url}",
                    '%{data:x:csv("a,b")}', "%{data:x:querystring}"):  # fmt: skip
        parse(pattern, text)


@pytest.mark.parametrize("text", ["", "{", "{:a}", "{:a=>}", "{:a=>1", "[1]", "{:a=>1} x", "{" * 50])
def test_what_is_no_ruby_hash_is_none(text: str) -> None:
    assert read_ruby_hash(text) is None


def test_a_list_that_was_cut_off_ends_with_its_hash() -> None:
    assert read_ruby_hash('{:a=>["x", "y"}') == {"a": ["x", "y"]}


@pytest.mark.parametrize(
    "text", [" " * 90_000, "a=<b " * 18_000, 'a="' * 30_000, "a =" * 30_000, "a=b," * 20_000, "a" * 90_000]
)
def test_key_values_take_linear_time(text: str) -> None:
    for pattern in ("%{data::keyvalue}", '%{data::keyvalue(": ", "", "", "|")}'):
        started = time.process_time()
        parse(pattern, text)
        assert time.process_time() - started < 5


def test_json_deeper_than_an_event_can_be_written_is_cut() -> None:
    """A text that was decoded on the way shows nothing of its depth in the record."""
    found = parse("%{data:d:json}", '{"a":' * 900 + "1" + "}" * 900)
    assert found is not None
    assert orjson.dumps(found)
