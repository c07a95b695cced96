"""A rule goes into a file and comes back as it was, in the format that the file has."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tocsin.rules.files import file_name, write_rule
from tocsin.rules.shipped import load_document

BODY: dict[str, Any] = {
    "id": "abc-d1e-2fg",
    "name": "Türen gerüttelt",
    "message": "two\nlines",
    "isEnabled": False,
    "queries": [{"query": "source:sshd failed"}],
    "cases": [{"status": "high", "condition": "a > 5"}],
    "options": {},
    "version": 7,
}
TESTS = {"match": [{"event": {"message": "failed", "at": "2026-01-01"}}]}


@pytest.mark.parametrize("name", ["rule.yaml", "rule.yml", "rule.json"])
def test_a_rule_comes_back_from_its_file(tmp_path: Path, name: str) -> None:
    write_rule(tmp_path / name, BODY, TESTS)
    found = load_document(tmp_path / name)
    assert found == {
        **{member: BODY[member] for member in ("id", "name", "message", "isEnabled", "queries", "cases")},
        "tests": TESTS,
    }
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_named_json_holds_json(tmp_path: Path) -> None:
    write_rule(tmp_path / "rule.json", BODY)
    assert json.loads((tmp_path / "rule.json").read_text())["id"] == BODY["id"]
    write_rule(tmp_path / "rule.yaml", BODY)
    assert "message: |" in (tmp_path / "rule.yaml").read_text()


def test_a_write_that_ends_early_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / file_name(BODY)
    write_rule(path, BODY, TESTS)
    before = path.read_bytes()

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_rule(path, {**BODY, "name": "Another"}, TESTS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    kept = tmp_path / "kept.yaml"
    write_rule(kept, BODY)
    kept.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(kept)
    write_rule(link, {**BODY, "name": "Another"})
    assert link.is_symlink()
    assert yaml.safe_load(kept.read_text())["name"] == "Another"
    assert kept.stat().st_mode & 0o777 == 0o640


def test_what_json_cannot_say_is_refused_and_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rule.json"
    write_rule(path, BODY)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_rule(path, BODY, {"match": [{"event": {1: "a key that is no text"}}]})
    assert path.read_bytes() == before
