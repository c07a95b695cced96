"""All of SigmaHQ's rules: what can be imported, and that the matcher finds in real events what they say."""

import gzip
from collections import Counter
from itertools import islice
from pathlib import Path

import orjson
import pytest

from tocsin.bootstrap import event_from_record
from tocsin.match import Matcher
from tocsin.query import parse, to_predicate
from tocsin.rules.shape import rule_from_api
from tocsin.rules.sigma.collection import Imported, import_sigma
from tocsin.rules.sigma.files import read_files
from tocsin.rules.validation import check

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.system,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the data sets are not beside the checkout"),
]


@pytest.fixture(scope="module")
def imported() -> Imported:
    return import_sigma(read_files(SHARED / "sigma" / "sigma-rules.tar.gz"))


def test_nearly_all_are_taken_and_every_other_has_a_reason(imported: Imported) -> None:
    assert len(imported.rules) + len(imported.refused) == 3757
    assert len(imported.rules) >= 3640
    assert all(refused.reason for refused in imported.refused)
    taken = Counter(made.body["tags"][0] for made in imported.rules)
    assert taken["source:windows"] >= 2800
    assert taken["source:cloudtrail"] >= 50
    assert taken["source:web"] == 86
    assert taken["source:azure"] == 124
    assert len({made.body["id"] for made in imported.rules}) == len(imported.rules)


def test_each_is_a_valid_rule_that_names_its_author(imported: Imported) -> None:
    for made in imported.rules:
        assert check(made.body) == [], made.path
        assert "- Author: " in made.body["message"], made.path
        assert "Detection Rule License" in made.body["message"], made.path


def test_the_matcher_finds_what_the_predicates_find(imported: Imported) -> None:
    rules = [rule_from_api(made.body) for made in imported.rules]
    matcher = Matcher(rules)
    assert matcher.problems == []
    predicates = [(rule.id, to_predicate(parse(rule.queries[0].query))) for rule in rules]
    total = 0
    with gzip.open(SHARED / "windows" / "evtx-mitre.jsonl.gz") as lines:
        for line in islice(lines, 0, None, 900):
            event = event_from_record(orjson.loads(line)["event"])
            plainly = [rule_id for rule_id, holds in predicates if holds(event)]
            assert [match.rule_id for match in matcher.match(event)] == plainly
            total += len(plainly)
    assert total >= 1
