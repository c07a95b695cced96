"""Rules from files, whoever wrote them: Sigma's, or ours in the shape of `content/rules`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tocsin.errors import BadRequest
from tocsin.rule import Rule
from tocsin.rules.documents import read_documents
from tocsin.rules.executable import executable
from tocsin.rules.shape import rule_from_api
from tocsin.rules.shipped import SUFFIXES, ShippedRule, load_document, read_rule_file
from tocsin.rules.sigma.collection import Refused, import_sigma, is_sigma
from tocsin.rules.sigma.files import SourceFile, is_rule_file, read_files


@dataclass(slots=True)
class RuleSet:
    """Rules by the ids that their authors gave them; `left_out` says which could not be taken, and why."""

    rules: dict[str, Rule] = field(default_factory=dict)
    left_out: list[Refused] = field(default_factory=list)


def read_rule_set(places: Iterable[Path]) -> RuleSet:
    """The rules of files, directories and archives of Sigma rules. Raises `BadRequest` for a broken rule of ours.

    Correlations of Sigma are left out: one event alone does not decide them.
    """
    found = RuleSet()
    sigma: list[SourceFile] = []
    for place in places:
        ours, theirs = split(place)
        sigma += theirs
        for rule in ours:
            _add(found, rule.id, executable(rule_from_api(rule.body, rule_id=rule.id)))
    imported = import_sigma(sigma, with_members=True) if sigma else None
    if imported is not None:
        found.left_out += imported.refused
        for made in imported.rules:
            if made.is_correlation:
                reason = "a correlation is decided by several events"
                found.left_out.append(Refused(made.path, made.sigma_id, made.body["name"], reason))
            else:
                _add(found, made.sigma_id, rule_from_api(made.body))
    return found


def split(place: Path) -> tuple[list[ShippedRule], list[SourceFile]]:
    """Our rules and Sigma's files in a place. Raises `BadRequest`."""
    ours, theirs = split_files(place)
    return [read_rule_file(str(path), load_document(path)) for path in ours], theirs


def split_files(place: Path) -> tuple[list[Path], list[SourceFile]]:
    """The files of our rules, not read yet, and Sigma's files in a place. Raises `BadRequest`."""
    if place.is_dir():
        paths = sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    elif place.suffix in SUFFIXES and place.is_file():
        paths = [place]
    else:
        return [], list(read_files(place))
    ours = [path for path in paths if _is_ours(path)]
    names = {path.relative_to(place).as_posix() if place.is_dir() else path.name for path in ours}
    theirs = [file for file in read_files(place) if file.path not in names] if len(ours) < len(paths) else []
    return ours, theirs


def _is_ours(path: Path) -> bool:
    if not is_rule_file(path.name):
        return True  # Sigma is YAML only
    text = path.read_text(encoding="utf-8", errors="replace")
    if "queries" not in text and "rootQueries" not in text:
        return False
    try:
        return not any(map(is_sigma, read_documents(text)))
    except (BadRequest, RecursionError, ValueError, yaml.YAMLError):
        return True  # who reads it tells why it cannot be read


def _add(found: RuleSet, rule_id: str, rule: Rule) -> None:
    if rule_id in found.rules:
        raise BadRequest(f"two rules have the id {rule_id}")
    found.rules[rule_id] = rule
