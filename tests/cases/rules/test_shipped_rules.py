"""Each shipped rule is valid and complete, and does what its own tests say: those that `tocsin rules test` runs."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tocsin.bootstrap import event_from_record
from tocsin.evaluate.correlation import reads_signals
from tocsin.evaluate.methods import METHODS
from tocsin.explain.tests import failure
from tocsin.rule import Rule
from tocsin.rules.checking import RuleTester, TimelineResult
from tocsin.rules.hints import hints
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import load_document, read_rule_file

CONTENT = Path(__file__).parents[3] / "content" / "rules"
FILES = sorted(CONTENT.glob("*.yaml"))

SOURCES = {
    "Google Workspace": {"gsuite"},
    "Azure": {"azure"},
    "Entra ID": {"azure.activedirectory"},
    "Google Cloud": {"gcp"},
    "DNS": {"dns", "route53", "bind"},
    "VPN": {"openvpn", "cisco-asa", "paloalto", "wireguard"},
    "SaaS audit": {"slack", "1password", "zoom"},
}
"""What there must be rules for, beside servers and AWS, by the sources of their logs."""


@pytest.fixture(scope="module")
def documents() -> Mapping[Path, Any]:
    return {file: load_document(file) for file in FILES}


@pytest.fixture(scope="module")
def rules(documents: Mapping[Path, Any]) -> Mapping[str, Rule]:
    return {rule.id: rule for rule in (rule_from_api(document) for document in documents.values())}


@pytest.fixture(scope="module")
def tester(rules: Mapping[str, Rule]) -> RuleTester:
    return RuleTester(event_from_record, rules)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rule(file: Path, documents: Mapping[Path, Any], rules: Mapping[str, Rule], tester: RuleTester) -> None:
    body = documents[file]
    shipped = read_rule_file(file.name, body)  # raises for what is not valid
    rule = rules[shipped.id]
    tags = dict(tag.split(":", 1) for tag in reversed(body["tags"]))
    assert {"source", "security", "tactic", "technique"} <= set(tags)
    assert re.fullmatch(r"TA\d{4}-[a-z-]+", tags["tactic"])
    assert re.fullmatch(r"T\d{4}-[a-z-]+", tags["technique"])
    for heading in ("## Goal", "## Strategy", "## Triage and response"):
        assert heading in body["message"]

    results = tester.run(rule, shipped.tests)
    failed = [f"{result.name}\n  " + "\n  ".join(failure(result)) for result in results if not result.passed]
    assert not failed, "\n".join(failed)

    if not reads_signals(rule):
        assert {result.name for result in results} >= {"match", "no_match"}, "show an event that matches, and one not"
    if method_of(rule) != "threshold":
        timelines = [result for result in results if isinstance(result, TimelineResult)]
        assert {bool(result.raised) for result in timelines} == {True, False}, "show timelines with and without signals"


def test_ids_are_unique(documents: Mapping[Path, Any]) -> None:
    ids = [document["id"] for document in documents.values()]
    assert len(ids) == len(set(ids))


def test_nothing_is_remarked_upon(rules: Mapping[str, Rule]) -> None:
    """What an author is told of while writing: signals that do not outlast the window, cases that cannot hold, …"""
    assert {rule.id: [hint.message for hint in found] for rule in rules.values() if (found := hints(rule))} == {}


def test_windows_is_read_without_case(rules: Mapping[str, Rule]) -> None:
    texts = (
        r"process\.(command_line|name|parent\.name)|winlog\.event_data\.(\w*Image|CommandLine|ScriptBlockText|Payload)"
    )
    exact = re.compile(rf"@({texts}):(?![*](?:\s|$))")
    asked = {
        rule.id: query.query for rule in rules.values() for query in rule.queries if "source:windows" in query.query
    }
    assert {rule_id: found.group() for rule_id, text in asked.items() if (found := exact.search(text))} == {}


def test_every_method_is_used(rules: Mapping[str, Rule]) -> None:
    used = Counter(map(method_of, rules.values()))
    used["scheduled"] = sum(rule.schedule is not None for rule in rules.values())
    assert {method: count for method, count in used.items() if count < 5} == {}
    assert set(used) == {*METHODS, "signal correlation", "scheduled"}


@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES)
def test_sources_have_rules(rules: Mapping[str, Rule], sources: set[str]) -> None:
    tagged = [{tag.removeprefix("source:") for tag in rule.tags} & sources for rule in rules.values()]
    assert sum(map(bool, tagged)) >= 5
    assert set().union(*tagged) == sources, "some have none"


def method_of(rule: Rule) -> str:
    """As people name it: whatever decides over signals is correlation."""
    return "signal correlation" if reads_signals(rule) else rule.options.detection_method
