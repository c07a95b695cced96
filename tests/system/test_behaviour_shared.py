"""What the shipped rules find in log lines over time that must raise alerts, and what they say of those that must not.

Every case goes through the pipelines, the matcher, the machines and the projection in this process. An alert counts as
found if a signal is about one of its addresses or accounts. Figures are printed (docs/content.md has them); what is
asserted lies a little below them.
"""

import gzip
import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from tocsin.bootstrap import content_directory, event_from_record
from tocsin.event import Event
from tocsin.rules.rehearsal import Raised, Rehearsal
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import read_shipped

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

SOURCES = {
    "apache2": "apache",
    "aws-cloudtrail": "cloudtrail",
    "k8s-audit": "kubernetes",
    "litespeed": "apache",
    "nginx": "nginx",
    "nginx-proxy-manager": "nginx",
    "suricata-evelogs": "suricata",
}
"""Kinds of log that Tocsin takes apart, and what a sender calls them; of syslog those of sshd."""

pytestmark = [
    pytest.mark.system,
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout"),
]


@pytest.fixture(scope="module")
def rehearsal() -> Rehearsal:
    shipped = read_shipped(content_directory() / "rules")
    return Rehearsal([rule_from_api(one.body, rule_id=one.id) for one in shipped], 0)


@pytest.fixture(scope="module")
def raised(rehearsal: Rehearsal) -> list[tuple[dict[str, Any], list[Raised]]]:
    """Each case with the signals of all rules."""
    with gzip.open(DATA / "log-behaviour" / "cases.jsonl.gz") as file:
        cases = list(map(orjson.loads, file))
    return [(case, signals(rehearsal, list(events(case)))) for case in cases]


def signals(rehearsal: Rehearsal, seen: list[Event]) -> list[Raised]:
    return [one for found in rehearsal.run(seen).raised.values() for one in found]


def events(case: Mapping[str, Any]) -> Iterator[Event]:
    for number, line in enumerate(case["lines"]):
        source = {"ddsource": SOURCES.get(case["log_type"], case["log_type"].lower())}
        try:
            body = orjson.loads(line)
        except orjson.JSONDecodeError:
            body = None
        record = {**source, **body} if isinstance(body, dict) else {**source, "message": line}
        # the same line twice is two events
        yield replace(event_from_record(record), id=f"{number:06}")


def is_normalised(case: Mapping[str, Any]) -> bool:
    return case["log_type"] in SOURCES or any("sshd" in parser for parser in case["parsers"])


def named(text: Any) -> str:
    """An address in the form that events have."""
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError:
        return str(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def about(one: Raised) -> set[str]:
    groups = one.signal.custom["groupByValues"].values()
    entities = (entity.partition(":")[2] for entity in one.signal.custom["entities"])
    return {named(value) for group in groups for value in (group if isinstance(group, list) else [group])} | {
        named(entity) for entity in entities
    }


def recall(raised: list[tuple[dict[str, Any], list[Raised]]], *, normalised: bool) -> tuple[int, int, int, int]:
    """Cases with a signal, cases, attackers with a signal, attackers."""
    counts = [0, 0, 0, 0]
    for case, found in raised:
        wanted = {named(source) for alert in case["alerts"] for source in alert["sources"]}
        if not wanted or is_normalised(case) is not normalised:
            continue
        hit = wanted & {value for one in found for value in about(one)}
        counts = [had + new for had, new in zip(counts, (bool(hit), 1, len(hit), len(wanted)), strict=True)]
    return counts[0], counts[1], counts[2], counts[3]


@pytest.mark.parametrize(("normalised", "least"), [(True, 0.75), (False, 0.5)])
def test_attackers_are_found(raised: list[tuple[dict[str, Any], list[Raised]]], normalised: bool, least: float) -> None:
    cases_found, cases, found, wanted = recall(raised, normalised=normalised)
    what = "that pipelines take apart" if normalised else "that nothing takes apart"
    print(f"\nof logs {what}: {found} of {wanted} attackers, {cases_found} of {cases} cases")
    assert found >= least * wanted


def test_signals_are_about_attackers(raised: list[tuple[dict[str, Any], list[Raised]]]) -> None:
    """Among hostile cases, signals that are about nobody whom an alert names."""
    all_signals, others = Counter[str](), Counter[str]()
    for case, found in raised:
        wanted = {named(source) for alert in case["alerts"] for source in alert["sources"]}
        for one in found if wanted else ():
            all_signals[one.signal.severity] += 1
            if not about(one) & wanted:
                others[one.signal.severity] += 1
    print(f"\nsignals by severity: {dict(all_signals)}; about somebody else: {dict(others)}")
    assert sum(others.values()) <= 0.1 * sum(all_signals.values())


def test_lines_that_raise_no_alert_are_quiet(raised: list[tuple[dict[str, Any], list[Raised]]]) -> None:
    """Cases that only show what a parser finds. Some hold six failed sign-ins or a scanner: low is right for them."""
    quiet = [(case, found) for case, found in raised if not case["alerts"]]
    by_severity = Counter(one.signal.severity for _, found in quiet for one in found)
    lines = sum(len(case["lines"]) for case, _ in quiet)
    with_signal = sum(bool(found) for _, found in quiet)
    print(f"\n{len(quiet)} cases, {lines} lines: {with_signal} with a signal, {dict(by_severity)}")
    loud = {one.plan.rule.id for _, found in quiet for one in found if one.signal.severity in ("high", "critical")}
    assert loud == set()


def test_an_ordinary_access_log_is_quiet(rehearsal: Rehearsal) -> None:
    """10,000 lines of a web site over four days, with what the internet sends to any."""
    with gzip.open(DATA / "web-access" / "apache-access.log.gz", "rt") as file:
        found = signals(rehearsal, list(events({"log_type": "apache2", "lines": file.read().splitlines()})))
    by_rule = Counter((one.plan.rule.id, one.signal.severity) for one in found)
    print(f"\n10,000 lines of access log: {len(found)} signals, {dict(by_rule)}")
    assert sum(one.signal.severity in ("medium", "high", "critical") for one in found) <= 3
