"""Each shipped rule is valid, and its own sample events match or do not match as it says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.bootstrap import event_from_payload
from tocsin.query import parse, to_predicate
from tocsin.rules.shape import rule_from_api
from tocsin.rules.validation import check

CONTENT = Path(__file__).parents[3] / "content" / "rules"
FILES = sorted(CONTENT.glob("*.yaml"))
SAMPLES = [
    pytest.param(file, index, sample, expected, id=f"{file.stem}-{'match' if expected else 'no_match'}-{index}")
    for file in FILES
    for expected, key in ((True, "match"), (False, "no_match"))
    for index, sample in enumerate(yaml.safe_load(file.read_text())["tests"][key])
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rule_is_valid_and_complete(file: Path) -> None:
    body = yaml.safe_load(file.read_text())
    tests = body.pop("tests")
    assert check(body) == []
    assert re.fullmatch(r"[a-z0-9]{3}-[a-z0-9]{3}-[a-z0-9]{3}", body["id"])
    tags = dict(tag.split(":", 1) for tag in reversed(body["tags"]))
    assert {"source", "security", "tactic", "technique"} <= set(tags)
    assert re.fullmatch(r"TA\d{4}-[a-z-]+", tags["tactic"])
    assert re.fullmatch(r"T\d{4}-[a-z-]+", tags["technique"])
    for heading in ("## Goal", "## Strategy", "## Triage and response"):
        assert heading in body["message"]
    assert tests["match"], "a rule must show an event that matches"
    assert tests["no_match"], "a rule must show an event that does not match"


def test_ids_are_unique() -> None:
    ids = [yaml.safe_load(file.read_text())["id"] for file in FILES]
    assert len(ids) == len(set(ids)) >= 25


@pytest.mark.parametrize(("file", "index", "sample", "expected"), SAMPLES)
def test_sample_event(file: Path, index: int, sample: dict[str, Any], expected: bool) -> None:
    rule = rule_from_api({k: v for k, v in yaml.safe_load(file.read_text()).items() if k != "tests"})
    query = rule.queries[sample.get("query", 0)]
    event = event_from_payload(sample["event"])
    assert to_predicate(parse(query.full_query))(event) is expected
    if expected:
        from tocsin.query import field_values

        missing = [name for name in query.group_by_fields if not list(field_values(event, name))]
        assert not missing, f"an event that matches must have the group-by fields; missing: {missing}"
