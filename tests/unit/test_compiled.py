"""Compiled modules count only for the sources and the interpreter that they were made of."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tocsin import compiled


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The manifest of one compiled module whose source is `one.py`."""
    source = tmp_path / "one.py"
    source.write_text("answer = 1\n")
    manifest = {
        "interpreter": sys.implementation.cache_tag,
        "sources": {"one.py": compiled.digest(source)},
        "libraries": {"tocsin_one": "one.so"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    monkeypatch.setattr(compiled, "LIBRARIES", tmp_path)
    monkeypatch.setattr(compiled, "MANIFEST", tmp_path / "manifest.json")
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if not isinstance(each, compiled._Finder)])
    monkeypatch.delenv(compiled.SETTING, raising=False)
    return manifest


def test_they_are_preferred_once(made: dict[str, Any]) -> None:
    compiled.prefer()
    compiled.prefer()
    assert compiled.is_used()
    finders = [each for each in sys.meta_path if isinstance(each, compiled._Finder)]
    (finder,) = finders
    found = finder.find_spec("tocsin_one", None)
    assert found is not None
    assert found.origin == str(compiled.LIBRARIES / "one.so")
    assert finder.find_spec("tocsin_other", None) is None


@pytest.mark.parametrize("change", ["source", "no source", "interpreter", "no manifest", "half a manifest", "setting"])
def test_they_are_left_alone_otherwise(made: dict[str, Any], monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    match change:
        case "source":
            (compiled.ROOT / "one.py").write_text("answer = 2\n")
        case "no source":
            (compiled.ROOT / "one.py").unlink()
        case "interpreter":
            compiled.MANIFEST.write_text(json.dumps(made | {"interpreter": "cpython-310"}))
        case "no manifest":
            compiled.MANIFEST.unlink()
        case "half a manifest":
            compiled.MANIFEST.write_text(json.dumps(made)[:40])
        case "setting":
            monkeypatch.setenv(compiled.SETTING, "0")
    compiled.prefer()
    assert not compiled.is_used()


_ROWS = """
import hashlib
from dataclasses import replace

import orjson

from tocsin import compiled
from tocsin.demo.story import week
from tocsin.intake.request import Request
from tocsin.pipeline import Recipe
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import read_shipped
from tocsin.store.rows import encode_event

END = 1_780_000_000_000
content = compiled.ROOT / "content"
shipped = [rule_from_api(each.body) for each in read_shipped(content / "rules")]
rules = tuple(replace(rule, id=rule.name, is_enabled=True) for rule in shipped)
prepare = Recipe(rules, content / "pipelines", (), encode_event)()
records = [record.payload() for record in week(7, END)][-3_000:]
requests = [Request(orjson.dumps(records[at : at + 1_000]), END) for at in range(0, len(records), 1_000)]
prepared = list(map(prepare, requests))
lines = [line for each in prepared for line in each.lines]
matches = sum(each.matches for each in prepared)
print(compiled.is_used(), len(lines), matches, hashlib.sha256(b"".join(lines)).hexdigest())
"""


def test_both_make_the_same_rows() -> None:
    """The story's events with all that rules find in them, by compiled and by interpreted code."""
    if compiled.current() is None:
        pytest.skip("nothing is compiled of these sources (scripts/compile.py)")

    def rows(setting: str) -> list[str]:
        env = os.environ | {compiled.SETTING: setting}
        return subprocess.run(
            [sys.executable, "-c", _ROWS], env=env, check=True, capture_output=True, text=True
        ).stdout.split()

    fast, plain = rows("1"), rows("0")
    assert (fast[0], plain[0]) == ("True", "False")
    assert fast[1:] == plain[1:]
    assert fast[1] == "3000"
    assert int(fast[2]) > 500
