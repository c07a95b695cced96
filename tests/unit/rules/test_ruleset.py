"""Whose rule a file holds, ours or Sigma's, is told by what is in it."""

from pathlib import Path

import pytest

from tocsin.rules.ruleset import split_files

OURS = "id: abc-def-123\nname: n\nqueries:\n  - query: a\n"
SIGMA = "title: Asks for queries\nlogsource: {product: windows}\ndetection: {s: {a: b}, condition: s}\n"


@pytest.mark.parametrize(
    ("text", "is_ours"),
    [
        (OURS, True),
        (f"---\n{OURS}", True),
        (f"# who wrote it\n---\n{OURS}", True),
        ('{"id": "abc-def-123", "queries": []}', True),
        ("options: {thirdPartyRuleOptions: {rootQueries: []}}", True),
        ("queries: [", True),
        (SIGMA, False),
        (f"{SIGMA}---\n{SIGMA}", False),
        ("name: neither", False),
    ],
)
def test_a_file_is_ours_or_sigmas(tmp_path: Path, text: str, is_ours: bool) -> None:
    (tmp_path / "rule.yaml").write_text(text)
    ours, theirs = split_files(tmp_path)
    assert (len(ours), len(theirs)) == ((1, 0) if is_ours else (0, 1))
