"""The rules that come with Tocsin: files in the API's JSON shape, each with its id and its own tests.

A file of `content/rules` (YAML or JSON) holds the members of a rule (api.md §4), `id`, and `tests` (`samples.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tocsin.errors import TocsinError
from tocsin.rules.documents import TooDeep, read_documents
from tocsin.rules.ids import is_rule_id
from tocsin.rules.samples import NO_TESTS, BadTest, RuleTests, read_tests
from tocsin.rules.shape import rule_from_api, rule_to_api, writable
from tocsin.rules.validation import check

SUFFIXES = (".yaml", ".yml", ".json")


class BrokenContent(TocsinError):
    """A shipped file is wrong; says which and how."""


@dataclass(frozen=True, slots=True)
class ShippedRule:
    """`body` is complete, as the API would answer it; the `tests` in it are those of single events."""

    id: str
    body: dict[str, Any]
    tests: RuleTests = NO_TESTS


def read_shipped(directory: Path, but: Collection[Path] = ()) -> list[ShippedRule]:
    """All rules in and below a directory, by id, without the files of `but`.

    Raises `BrokenContent` for a file that is not a valid rule.
    """
    found: dict[str, ShippedRule] = {}
    paths = (path for path in directory.rglob("*") if path.suffix in SUFFIXES and path.resolve() not in but)
    for path in sorted(paths):
        shipped = _read(path)
        if shipped.id in found:
            raise BrokenContent(f"{path}: another shipped rule has the id {shipped.id} as well")
        found[shipped.id] = shipped
    return [found[rule_id] for rule_id in sorted(found)]


def _read(path: Path) -> ShippedRule:
    return read_rule_file(str(path), load_document(path))


def load_document(path: Path) -> Any:
    """What a YAML or JSON file of one document holds. Raises `BrokenContent`."""
    try:
        documents = read_documents(path.read_text(encoding="utf-8"))
    except TooDeep as error:
        raise BrokenContent(f"{path}: {error}") from error
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError, ValueError) as error:
        raise BrokenContent(f"{path}: cannot be read: {error}") from error
    if len(documents) > 1:
        raise BrokenContent(f"{path}: {len(documents)} documents, where one is expected")
    return documents[0] if documents else None


def read_rule_file(path: str, document: Any) -> ShippedRule:
    """The rule that a file's document is; `path` is for messages. Raises `BrokenContent`."""
    if not isinstance(document, Mapping):
        raise BrokenContent(f"{path}: a rule is an object with name, message, queries, …")
    rule_id = document.get("id")
    if not isinstance(rule_id, str) or not is_rule_id(rule_id):
        raise BrokenContent(f"{path}: needs an id such as abc-d1e-2fg, not {rule_id!r}")
    try:
        tests = read_tests(document.get("tests"))
    except BadTest as error:
        raise BrokenContent(f"{path}: {error}") from error
    asked = {"isEnabled": True, **writable({name: value for name, value in document.items() if name != "tests"})}
    if tests.singles:
        asked |= writable({"tests": tests.as_api()})
    if problems := check(asked):
        raise BrokenContent(f"{path}: {'; '.join(f'{p.target}: {p.message}' for p in problems)}")
    body = writable(rule_to_api(rule_from_api(asked)))
    return ShippedRule(rule_id, body, tests)
