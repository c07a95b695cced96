"""The house rules that no linter knows (CONTRIBUTING.md)."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from tocsin.config import Config

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tocsin"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations/versions" not in path.as_posix())

CLOCK_FREE = {"tocsin/clock.py"}
"""Only these ask the system for the present moment; `time.monotonic` for durations is no matter."""

SQL_HOMES = re.compile(r"tocsin/(store/.*|query/to_sql(/.*)?|.*/repository|.*_repository)(\.py)?$|tocsin/store/.*")
SQL_TEXT = re.compile(r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|ALTER\s+TABLE|CREATE\s+TABLE|DELETE\s+FROM)\b", re.DOTALL)


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """String constants that are not docstrings, with their lines."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_only_the_clock_asks_for_the_time(path: Path) -> None:
    if relative(path) in CLOCK_FREE:
        return
    found = [
        f"{relative(path)}:{node.lineno}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("time.time", "time.time_ns", "datetime.now", "datetime.utcnow")
    ]
    assert not found, f"pass the clock in instead: {found}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_sql_stands_in_its_homes_only(path: Path) -> None:
    if SQL_HOMES.match(relative(path)):
        return
    found = [f"{relative(path)}:{line}" for line, text in strings(ast.parse(path.read_text())) if SQL_TEXT.search(text)]
    assert not found, f"SQL text belongs into store/, a repository.py or query/to_sql: {found}"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_module_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert not text or ast.get_docstring(ast.parse(text)), f"{relative(path)} has no docstring"


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "configure.md").read_text()
    for item in fields(Config):
        default = "" if item.default in ("", None) else f"`{item.default}`"
        assert f"| `TOCSIN_{item.name.upper()}` | {default} | {item.metadata['doc']} |" in text, item.name


def test_documents_link_to_what_exists() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{relative(page)} links to {target}, which is not there"


def test_nothing_names_the_machine_it_was_made_on() -> None:
    pattern = re.compile(r"(?<![\w.])/(work|farm|root)/")
    suffixes = (".py", ".md", ".yaml", ".json", ".ts", ".tsx", "")
    for folder in ("tocsin", "content", "docs", "bench", "tests", "scripts", "web/src"):
        for path in (ROOT / folder).rglob("*"):
            if {"target", "__pycache__"} & set(path.parts):  # what was built, as the engine that `bench sigma` races
                continue
            if path.is_file() and path.suffix in suffixes and PACKAGE / "web" not in path.parents:
                assert not pattern.search(path.read_text(errors="replace")) or path == Path(__file__), relative(path)
